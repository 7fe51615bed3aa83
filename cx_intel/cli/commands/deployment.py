"""The commands for whoever runs a deployment: backup, restore, doctor, notify, alerts, erase, remove.

Thin doors to `cx_intel.warehouse`, `cx_intel.doctor`, `cx_intel.orchestration.alerts` and `cx_intel.privacy`; the
other commands are beside this module and in `cx_intel.cli.app`, which takes these in.
"""

import os
import sys
from typing import Annotated

import typer
from rich.markup import escape

from cx_intel.cli.common import usable
from cx_intel.cli.output import console, errors
from cx_intel.settings.base import SettingsError
from cx_intel.settings.environment import Environment, read_environment
from cx_intel.warehouse.errors import WarehouseError

deployment = typer.Typer(add_completion=False)

MISUSE = 2


def _environment() -> Environment:
    try:
        return read_environment(os.environ)
    except SettingsError as error:
        raise _misuse(error) from None


def _misuse(error: Exception | str) -> typer.Exit:
    errors.print(escape(str(error)), style="red")
    return typer.Exit(MISUSE)


@deployment.command()
def backup() -> None:
    """Copy the warehouse and Dagster's own storage to a folder in CX_HOME/backups; the newest few are kept."""
    from cx_intel.warehouse.duckdb.upkeep.backups import take
    from cx_intel.warehouse.processes.lock import LOCK_FILE, WriterLock

    environment = _environment()
    lock = WriterLock(environment.warehouse.with_name(LOCK_FILE))
    try:
        lock.acquire(
            "cx-intel backup",
            wait_seconds=environment.lock_wait_seconds,
            on_wait=_say_waiting,
        )
        try:
            home, keep, variables = environment.home, environment.keep_backups, environment.variables
            made = take(home, environment.warehouse, reason="asked for", keep=keep, variables=variables)
        finally:
            lock.release()
    except WarehouseError as error:
        raise _misuse(error) from None
    console.print(
        f"{made.folder}: {len(made.manifest['rows'])} tables, {sum(made.manifest['rows'].values()):,} rows, "
        f"{made.bytes / 1e6:.1f} MB. `cx-intel restore --backup {made.name}` brings it back.",
        highlight=False,
    )
    if dumped := made.manifest["dagster_postgres"]:
        text = f"It holds {len(dumped)} dump{'s' * (len(dumped) > 1)} of Dagster's storage in PostgreSQL too"
        console.print(f"{text}: `cx-intel restore --with-dagster` brings both back.", highlight=False)
    for reason in made.manifest["not_held"]:
        errors.print(
            f"It does not hold Dagster's runs and schedules, which are in PostgreSQL: {escape(reason)}. Back them up there: "
            f"pg_dump --clean --if-exists --no-owner --file=dagster.sql DATABASE; psql --file=dagster.sql brings them back.",
            style="yellow",
            highlight=False,
        )


@deployment.command()
def restore(
    name: Annotated[str | None, typer.Option("--backup", help="Its name. Default: the newest.")] = None,
    with_dagster: Annotated[
        bool, typer.Option("--with-dagster", help="Also Dagster's runs, events and schedules; stop the UI first.")
    ] = False,
    only_list: Annotated[bool, typer.Option("--list", help="Show the back-ups, and do nothing.")] = False,
) -> None:
    """Put a back-up in the place of the warehouse, once it is verified; the replaced file is kept beside it."""
    from cx_intel.warehouse.duckdb.upkeep.backups import backups
    from cx_intel.warehouse.duckdb.upkeep.restoring import restore as bring_back
    from cx_intel.warehouse.processes.lock import LOCK_FILE
    from cx_intel.warehouse.servers.dagster_storage import addresses

    environment = _environment()
    if only_list:
        for one in backups(environment.home):
            console.print(f"{one.name}  {one.bytes / 1e6:10.1f} MB  {one.manifest['reason']}", highlight=False)
        return
    lock = environment.warehouse.with_name(LOCK_FILE)
    try:
        servers = addresses(environment.home, environment.variables) if with_dagster else ()
        done = bring_back(
            environment.home, environment.warehouse, lock, name, with_dagster=with_dagster, servers=servers
        )
    except WarehouseError as error:
        raise _misuse(error) from None
    console.print(f"The warehouse is that of {done.backup.made_at:%Y-%m-%d %H:%M} UTC.", highlight=False)
    if done.kept:
        console.print(f"What stood there is kept: {done.kept}", highlight=False)
    from cx_intel.privacy.guard import returned

    for portfolio, count in returned(environment.warehouse, environment.home, environment.variables).items():
        errors.print(
            f"It holds {count} subjects of {portfolio} that were erased since: erase them again before anything else.",
            style="red",
        )
    console.print("Run `cx-intel refresh`: it makes up for the days since, and publishes anew.", highlight=False)


@deployment.command()
def doctor(
    daemon: Annotated[
        bool, typer.Option("--daemon", help="Only whether Dagster's daemon is alive, as it should.")
    ] = False,
) -> None:
    """Check this deployment and say what is wrong and what to do. Exit status 1 when there is a problem."""
    from cx_intel.doctor.examination import examine, examine_daemon

    looks = {"ok": "[green]ok[/]     ", "note": "[yellow]note[/]   ", "problem": "[bold red]problem[/]"}
    problems = 0
    for finding in (examine_daemon if daemon else examine)(os.environ):
        problems += finding.level == "problem"
        console.print(f"{looks[finding.level]} {escape(finding.subject)}: {escape(finding.text)}", highlight=False)
        if finding.to_do:
            console.print(f"        {escape(finding.to_do)}", highlight=False)
    if problems:
        errors.print(f"{problems} problem{'s' * (problems > 1)}", style="bold red")
        raise typer.Exit(1)


@deployment.command()
def notify(unit: Annotated[str, typer.Argument(help="A unit of systemd, such as cx-intel-doctor.")]) -> None:
    """Tell to CX_ALERT_URLS that a service has failed or goes well again: systemd starts this, and says which of them."""
    from cx_intel.orchestration.alerts.units import tell_unit

    console.print(f"{unit}: {tell_unit(unit, _environment())}", highlight=False, markup=False)


@deployment.command()
def alerts(
    portfolios: Annotated[list[str] | None, typer.Argument(help="Default: all.")] = None,
) -> None:
    """Send what is due and was not sent, once, as the sensors do: for where no daemon runs. Status 1: some did not arrive."""
    from cx_intel.orchestration.alerts.dispatcher import Dispatcher
    from cx_intel.orchestration.alerts.sensors import topics_of
    from cx_intel.orchestration.build import SettingsErrors
    from cx_intel.orchestration.instance import instance_of

    environment = _environment()
    try:
        known, _ = usable(environment)
    except (SettingsError, SettingsErrors) as error:
        raise _misuse(error) from None
    if unknown := [name for name in portfolios or () if name not in known]:
        raise _misuse(f"There is no portfolio {', '.join(unknown)}; there are {', '.join(known)}.")
    waiting = []
    with instance_of(environment.home) as instance:
        for name in portfolios or known:
            dispatcher = Dispatcher(known[name], environment)
            for topic in topics_of(known[name]):
                console.print(f"{name}, {topic}: {dispatcher.look(instance, topic)}", highlight=False, markup=False)
            waiting += dispatcher.outbox.waiting(name)
    if waiting:
        raise typer.Exit(1)


@deployment.command()
def erase(
    portfolio: str,
    account: Annotated[str | None, typer.Option(help="The id of the account to erase.")] = None,
    user: Annotated[str | None, typer.Option(help="The id of the user to erase.")] = None,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
) -> None:
    """Take an account or a user out of everything, prove it, and keep them from coming back. It cannot be undone."""
    from cx_intel.orchestration.assets.engines import named_engines
    from cx_intel.privacy.erase import erase as take_out
    from cx_intel.privacy.places import Home
    from cx_intel.warehouse.processes.lock import LOCK_FILE

    subject = account or user
    if not subject or (account and user):
        raise _misuse("Name one: --account ID or --user ID.")
    environment = _environment()
    if not yes:
        _confirm(f"Erase the {'account' if account else 'user'} {subject} of {portfolio} from {environment.home}")
    warehouse, wait = environment.warehouse, environment.lock_wait_seconds
    try:
        home = Home(
            environment.home,
            warehouse,
            warehouse.with_name(LOCK_FILE),
            environment.variables,
            wait,
            *named_engines(environment, portfolio),
        )
        done = take_out(
            home, portfolio, "account" if account else "user", subject, lambda step: console.print(f"  {step}")
        )
    except WarehouseError as error:
        raise _misuse(error) from None
    if done.remains:
        errors.print("Still found in:", *(f"  {escape(place)}" for place in done.remains), sep="\n", highlight=False)
        errors.print("Stop the UI and whatever has these files open, or remove them; then run this again.")
        raise typer.Exit(1)
    searched = "ids and names are nowhere" if done.searched else "no rows are left (the id is too short to search for)"
    where = f"the rows and files of {portfolio}" if done.also_in else environment.home
    console.print(f"Erased: {searched} in {where}.", highlight=False)
    option = "--account" if account else "--user"
    for other in done.also_in:
        errors.print(
            f"{other} has somebody of the same id or name, who stays there. If it is the same customer, erase them there "
            f"too: cx-intel erase {other} {option} {escape(subject)}",
            style="yellow",
            highlight=False,
        )
    if account:
        console.print(f"The ledger's amounts stand under {done.pseudonym}.", highlight=False)
    if done.merged:
        console.print(f"Erased with it, as merged with it: {escape(', '.join(done.merged))}.", highlight=False)
    console.print("Reports and exports are made anew by the next refresh.", highlight=False)


@deployment.command()
def remove(
    portfolio: str,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
) -> None:
    """Take a portfolio's tables, reports, exports and runs away, once it is told what that is. Its YAML and back-ups stay."""
    from cx_intel.orchestration import removal

    environment = _environment()
    try:
        found = removal.holdings(environment, portfolio, _say_waiting)
        if not found:
            there = ", ".join(removal.names_in(environment)) or "no portfolio"
            raise _misuse(f"There is nothing of {portfolio!r} in {environment.home}; there is of {there}.")
        console.print(f"{environment.home} holds of {portfolio}:", highlight=False, markup=False)
        for one in found:
            size = f"{one.bytes / 1e6:,.1f} MB" if one.bytes else ""
            console.print(f"  {one.what:<28} {one.count:>6,} {size:>12}".rstrip(), highlight=False)
        console.print(f"  {'together':<28} {'':>6} {sum(one.bytes for one in found) / 1e6:>9,.1f} MB", highlight=False)
        yaml = environment.portfolios / f"{portfolio}.yaml"
        if yaml.exists():
            console.print(f"{yaml} stays: the next refresh makes it all again.", style="yellow", highlight=False)
        if not yes:
            _confirm(f"Remove {portfolio} from {environment.home}", but="back-ups stay")
        smaller = removal.remove(environment, portfolio, lambda step: console.print(f"  {step}"), _say_waiting)
    except WarehouseError as error:
        raise _misuse(error) from None
    console.print(f"Nothing of {portfolio} is left but in back-ups, and who was erased from it.", highlight=False)
    if not smaller:
        text = "The disk has no room to write the warehouse anew: its file is as large as before, and used again."
        console.print(text, highlight=False)


def _say_waiting(other: str) -> None:
    errors.print(f"Waiting for {other} to finish writing.", highlight=False, markup=False)


def _confirm(deed: str, but: str = "back-ups included") -> None:
    """Asks before what cannot be undone; ends the command unless somebody at a terminal says yes."""
    if not _at_a_terminal():
        raise _misuse(
            f"{deed}? That cannot be undone, and there is no terminal to ask at: say --yes. Nothing was changed."
        )
    if not typer.confirm(f"{deed}, {but}? That cannot be undone."):
        raise _misuse("Nothing was changed.")


def _at_a_terminal() -> bool:
    return sys.stdin.isatty()
