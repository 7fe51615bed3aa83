"""The command that writes to other systems: plan, send, try again, undo.

A thin door to `cx_intel.sync`; the other commands are beside this module and in `cx_intel.cli.app`.
"""

import os
from typing import TYPE_CHECKING, Annotated

import typer
from rich.markup import escape

from cx_intel.cli.common import MISUSE, explained, known_name
from cx_intel.cli.output import console, errors
from cx_intel.settings.environment import Environment, read_environment

if TYPE_CHECKING:
    from cx_intel.settings.portfolio import Portfolio
    from cx_intel.sync.outcome import Outcome

sync = typer.Typer(add_completion=False)


@sync.command("sync")
def sync_command(
    words: Annotated[
        list[str], typer.Argument(metavar="[retry|undo] PORTFOLIO", help="What to do, and the portfolio.")
    ],
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Make the plan and show it; send nothing.")] = False,
    everything: Annotated[
        bool, typer.Option("--all", help="Undo: back to what was there before the first sync.")
    ] = False,
    overwrite_edits: Annotated[
        bool, typer.Option("--overwrite-edits", help="Send also what was edited at the vendor since.")
    ] = False,
) -> None:
    """Write what differs to Planhat and Salesforce. `sync retry`: what was refused; `sync undo`: back to what was there."""
    from cx_intel.contracts.write_back import RETRY, SYNC, UNDO
    from cx_intel.orchestration.build import load_portfolios, portfolio_files
    from cx_intel.sources.errors import SourceError

    operation = words[0] if len(words) > 1 and words[0] in (RETRY, UNDO) else SYNC
    named = words[1:] if operation != SYNC else words
    if len(named) != 1:
        errors.print(
            "Name one portfolio: cx-intel sync PORTFOLIO, sync retry PORTFOLIO or sync undo PORTFOLIO.", style="red"
        )
        raise typer.Exit(MISUSE)
    with explained():
        environment = read_environment(os.environ)
        name = known_name(named[0], list(portfolio_files(environment.portfolios)))
        portfolio = load_portfolios(environment.portfolios, [name])[name]
        if not environment.warehouse.exists():
            errors.print(f"{environment.warehouse} is not there yet: refresh {name} first.", style="red")
            raise typer.Exit(MISUSE)
        settings = portfolio.write_back
        if settings and not settings.enabled and operation != UNDO and not dry_run:
            errors.print(f"{name}: write_back.enabled is false; nothing is sent.", style="yellow")
            dry_run = True
        try:
            _run(environment, portfolio, operation, dry_run=dry_run, everything=everything, overwrites=overwrite_edits)
        except SourceError as error:
            errors.print(escape(str(error)), style="red")
            raise typer.Exit(MISUSE) from None


def _run(
    environment: Environment,
    portfolio: "Portfolio",
    operation: str,
    *,
    dry_run: bool,
    everything: bool,
    overwrites: bool,
) -> None:
    from rich.progress import Progress, TaskID

    from cx_intel.sync.opening import opened_sync
    from cx_intel.warehouse.duckdb.access.writable import writable

    with (
        writable(
            environment.warehouse,
            portfolio.name,
            holder=f"cx-intel {operation} of {portfolio.name}",
            wait_seconds=environment.lock_wait_seconds,
            on_wait=lambda other: errors.print(f"Waiting for {other} to finish writing.", highlight=False),
        ) as warehouse,
        Progress(console=console) as progress,
        opened_sync(portfolio, warehouse, environment.variables, environment.home) as opened,
    ):
        bars: dict[str, TaskID] = {}

        def show(what: str, done: int, of: int) -> None:
            if what not in bars:
                bars[what] = progress.add_task(what)
            progress.update(bars[what], completed=done, total=of)

        opened.on_progress, opened.overwrites = show, overwrites
        outcome, audit = opened.plan(operation, undoes_all=everything)
        if not dry_run:
            opened.run(outcome, audit)
    _tell(portfolio, outcome, is_dry=dry_run)


def _tell(portfolio: "Portfolio", outcome: "Outcome", *, is_dry: bool) -> None:
    console.print(f"[bold]{portfolio.name}[/] {outcome.operation} as of {outcome.as_of}", highlight=False)
    for line in outcome.lines() or ["nothing differs"]:
        console.print(f"  {escape(line)}", highlight=False)
    if outcome.tasks_done:
        console.print(
            f"  {outcome.tasks_done:,} tasks are done at the vendor, written down as actions", highlight=False
        )
    if outcome.confirmed:
        console.print(f"  {outcome.confirmed:,} fields had been sent by a sync that ended half-way", highlight=False)
    if is_dry:
        console.print("Nothing was sent. The plan: cx-intel show write_back_plan", highlight=False)
    else:
        told = f"{outcome.sent:,} fields sent, {outcome.rejected:,} refused ({outcome.dead:,} in all)"
        console.print(f"{told}, {outcome.requests:,} requests", highlight=False)
    for failure in outcome.failures:
        errors.print(escape(failure), style="red")
    most = portfolio.write_back.max_rejected_pct if portfolio.write_back else 100
    if outcome.failures or outcome.rejected_pct > most:
        raise typer.Exit(1)
