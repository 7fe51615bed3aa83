"""The command that serves assistants: an MCP server over the published copies.

A thin door to `cx_intel.assistants`; docs/assistants.md says how an assistant is told of it. Other commands are in `app.py`.
"""

import os
from typing import Annotated

import typer

from cx_intel.cli.common import MISUSE, explained, known_name
from cx_intel.cli.output import errors
from cx_intel.settings.environment import read_environment

assistant = typer.Typer(add_completion=False)


@assistant.command()
def mcp(
    portfolio: Annotated[list[str] | None, typer.Option(help="Those that may be asked about. Default: all.")] = None,
) -> None:
    """Serve assistants by MCP over standard input and output: reading alone, from the published copies."""
    with explained():
        from cx_intel.orchestration.build import load_portfolios, portfolio_files

        environment = read_environment(os.environ)
        there = list(portfolio_files(environment.portfolios))
        portfolios = load_portfolios(environment.portfolios, [known_name(name, there) for name in portfolio or there])
    try:
        from cx_intel.assistants.server import server
    except ModuleNotFoundError as error:
        if not (error.name or "").startswith("mcp"):
            raise
        errors.print("The server needs a package: pip install 'cx-intel[mcp]'.", style="red", markup=False)
        raise typer.Exit(MISUSE) from None
    from cx_intel.assistants.published import PublishedAnswers

    server(PublishedAnswers(environment, portfolios)).run("stdio")
