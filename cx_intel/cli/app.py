"""The command line: a thin door to the same definitions and jobs that the Dagster UI shows."""

from importlib.metadata import version
from typing import Annotated

import typer

from cx_intel.cli.commands.action import actions
from cx_intel.cli.commands.asking import asking
from cx_intel.cli.commands.backtest import backtests
from cx_intel.cli.commands.deployment import deployment
from cx_intel.cli.commands.documents import documents
from cx_intel.cli.commands.init import init
from cx_intel.cli.commands.preview import previews
from cx_intel.cli.commands.refresh import refreshes
from cx_intel.cli.commands.serving import serving
from cx_intel.cli.commands.show import shows
from cx_intel.cli.commands.sync import sync
from cx_intel.cli.commands.validation import validation

app = typer.Typer(
    help="Customer-success intelligence: health, churn risk, retention and renewals.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.add_typer(refreshes)
app.add_typer(shows)
app.add_typer(deployment)
app.add_typer(actions)
app.add_typer(asking)
app.add_typer(backtests)
app.add_typer(previews)
app.add_typer(validation)
app.add_typer(documents)
app.add_typer(init)
app.add_typer(sync)
app.add_typer(serving)


def _print_version(wanted: bool) -> None:
    if wanted:
        print(f"cx-intel {version('cx-intel')}")
        raise typer.Exit


@app.callback()
def common(
    _version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """What every command shares."""
