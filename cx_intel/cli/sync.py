"""The command that writes to other systems: plan, send, try again, undo.

A thin door to `cx_intel.sync`; the other commands are in `app.py` and beside this module.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated

import typer
from rich.markup import escape
from rich.progress import Progress

from cx_intel.cli.common import MISUSE, explained, known_name
from cx_intel.cli.output import console, errors
from cx_intel.settings.environment import Environment, read_environment
from cx_intel.warehouse.protocol import Warehouse

sync = typer.Typer(add_completion=False)
RETRY, UNDO = "retry", "undo"


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
    from cx_intel.orchestration.build import load_portfolios, portfolio_files
    from cx_intel.sources.errors import SourceError

    operation = words[0] if len(words) > 1 and words[0] in (RETRY, UNDO) else "sync"
    named = words[1:] if operation != "sync" else words
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


def _run(environment, portfolio, operation, *, dry_run, everything, overwrites) -> None:  # type: ignore[no-untyped-def]
    from cx_intel.sync.opening import opened_sync

    with (
        _open_warehouse(environment, portfolio.name, operation) as warehouse,
        Progress(console=console) as progress,
        opened_sync(portfolio, warehouse, environment.variables, environment.home) as opened,
    ):
        bars: dict[str, int] = {}

        def show(what: str, done: int, of: int) -> None:
            if what not in bars:
                bars[what] = progress.add_task(what)
            progress.update(bars[what], completed=done, total=of)  # type: ignore[arg-type]

        opened.on_progress, opened.overwrites = show, overwrites
        outcome, audit = opened.plan(operation, undoes_all=everything)
        if not dry_run:
            opened.run(outcome, audit)
    _tell(portfolio, outcome, is_dry=dry_run)


@contextmanager
def _open_warehouse(environment: Environment, portfolio: str, operation: str) -> Iterator[Warehouse]:
    """The portfolio's tables, open for writing: a run, or another sync, is waited for."""
    from cx_intel.warehouse.duckdb.opening import writing
    from cx_intel.warehouse.duckdb.warehouse import DuckDBWarehouse
    from cx_intel.warehouse.lock import LOCK_FILE, WriterLock

    lock = WriterLock(environment.warehouse.with_name(LOCK_FILE))
    lock.acquire(
        f"cx-intel {operation} of {portfolio}",
        wait_seconds=environment.lock_wait_seconds,
        on_wait=lambda other: errors.print(f"Waiting for {other} to finish writing.", highlight=False),
    )
    try:
        with writing(environment.warehouse) as database:
            yield DuckDBWarehouse(database, portfolio)
    finally:
        lock.release()


def _tell(portfolio, outcome, *, is_dry: bool) -> None:  # type: ignore[no-untyped-def]
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
    if outcome.failures or outcome.rejected_pct > portfolio.write_back.max_rejected_pct:
        raise typer.Exit(1)
