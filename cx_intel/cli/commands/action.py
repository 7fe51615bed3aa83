"""The command that writes down what was done with an entry of the intervention list.

A thin door to `cx_intel.interventions.recording`; the entry that is meant is found in `cx_intel.reports.ask.entries`. What it
changes shows from the next refresh on: docs/actions.md.
"""

import getpass
import os
from datetime import UTC, date, datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated
from uuid import uuid4
from zoneinfo import ZoneInfo

import typer
from rich.markup import escape

from cx_intel.cli.common import MISUSE, explained, known_name, usable
from cx_intel.cli.output import console, errors
from cx_intel.settings.environment import read_environment

if TYPE_CHECKING:
    from cx_intel.settings.portfolio import Portfolio

actions = typer.Typer(add_completion=False)


class Done(StrEnum):
    """What was done."""

    DONE = "done"
    SNOOZE = "snooze"
    DISMISS = "dismiss"
    REOPEN = "reopen"


def _status(what: Done) -> str:
    from cx_intel.contracts.staging.values import DISMISSED, DONE, OPEN, SNOOZED

    return {Done.DONE: DONE, Done.SNOOZE: SNOOZED, Done.DISMISS: DISMISSED, Done.REOPEN: OPEN}[what]


@actions.command()
def action(
    entry: Annotated[str, typer.Argument(help="An entry_id of the list, or its account: id, name or a part of it.")],
    what: Annotated[Done, typer.Argument(help="What was done with it.")],
    until: Annotated[
        datetime | None, typer.Option(formats=["%Y-%m-%d"], help="Of snooze: the day on which it is due again.")
    ] = None,
    reason: Annotated[str | None, typer.Option(help="Why, or how it went; dismiss needs one.")] = None,
    by: Annotated[str | None, typer.Option(help="Who did it. Default: the user of this machine.")] = None,
    on: Annotated[datetime | None, typer.Option(formats=["%Y-%m-%d"], help="The day. Default: today.")] = None,
    portfolio: Annotated[str | None, typer.Option(help="Default: whichever has the account.")] = None,
) -> None:
    """Write down what was done with an entry of the intervention list: done, snooze, dismiss or reopen."""
    from cx_intel.interventions.recording import GivenAction, record
    from cx_intel.reports.ask.entries import find_entry
    from cx_intel.warehouse.duckdb.access.readable import readable
    from cx_intel.warehouse.duckdb.access.writable import writable

    _complete(what, until, reason)
    with explained():
        environment = read_environment(os.environ)
        known, _ = usable(environment)
        names = [known_name(portfolio, list(known))] if portfolio else list(known)
        with readable(environment.warehouse, {name: environment.published(name) for name in names}) as found:
            meant = find_entry(entry, found.warehouses)
        chosen = known[meant.portfolio]
        at = _moment(chosen, on.date() if on else None)
        given = GivenAction(
            action_id=f"{meant.id}/{uuid4().hex[:12]}",
            account_id=meant.account_id,
            renewal_date=meant.renewal_date,
            status=_status(what),
            acted_at=at,
            acted_by=by or getpass.getuser(),
            reason=reason,
            snoozed_until=until.date() if until else None,
        )
        if given.snoozed_until and given.snoozed_until <= at.date():
            _refuse(f"--until {given.snoozed_until} is not after {at.date()}, the day of the action.")
        wait = environment.lock_wait_seconds
        with writable(environment.warehouse, chosen.name, holder="cx-intel action", wait_seconds=wait) as warehouse:
            record(warehouse, chosen, [given])
    unlisted = "" if meant.is_listed else " It is not on the newest list."
    console.print(
        escape(f"{meant.name}, {meant.id}: {given.status} on {at:%Y-%m-%d} by {given.acted_by}.{unlisted}"),
        highlight=False,
    )
    console.print(f"The refresh of {at:%Y-%m-%d}, and of later days, takes it into account.", highlight=False)


def _complete(what: Done, until: datetime | None, reason: str | None) -> None:
    """Ends the command where the options do not fit what was done."""
    if (what is Done.SNOOZE) != (until is not None):
        _refuse("snooze needs --until, the day on which the entry is due again; the others have none.")
    if what is Done.DISMISS and not reason:
        _refuse("dismiss needs --reason: why nothing is to be done.")


def _moment(portfolio: "Portfolio", day: date | None) -> datetime:
    """Now; on a stated day, or the fixed one that a portfolio stands at, the same time of that day."""
    zone, fixed = ZoneInfo(portfolio.time_zone), portfolio.as_of.default
    now = datetime.now(UTC).astimezone(zone)
    stated = day or (fixed if isinstance(fixed, date) else None)
    if stated and stated > now.date():
        _refuse(f"--on {stated} has not come yet.")
    return now if stated is None else datetime.combine(stated, now.time(), zone)


def _refuse(text: str) -> None:
    errors.print(escape(text), style="red")
    raise typer.Exit(MISUSE)
