"""The files of a deployment: the warehouse and who holds it, what a killed run left, the back-ups, erasures.

Whether the portfolios can be read is looked at in `portfolios.py`, Dagster's own storage in `dagster_home.py`.
"""

from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cx_intel.doctor.findings import Finding, note, ok, problem
from cx_intel.orchestration.removal import names_in
from cx_intel.privacy.register import PrivacyError, Register
from cx_intel.settings.environment import Environment
from cx_intel.settings.portfolio import Portfolio
from cx_intel.warehouse.duckdb.access.opening import reading
from cx_intel.warehouse.duckdb.database import Database
from cx_intel.warehouse.duckdb.upkeep.backups import backups
from cx_intel.warehouse.duckdb.upkeep.upgrades import about_to_change, schema_version
from cx_intel.warehouse.errors import WarehouseError, WarehouseLocked
from cx_intel.warehouse.processes.lock import LOCK_FILE, current_holder

OLD_BACKUP = timedelta(days=8)


def warehouse(file: Path, portfolios: Iterable[Portfolio]) -> Iterator[Finding]:
    """Whether the warehouse opens, who holds it, and whether its tables are those of this program.

    Args:
        file: The warehouse file.
        portfolios: The portfolios that can be read.
    """
    if not file.exists():
        yield note("warehouse", f"{file} is not there yet", "The first `cx-intel refresh` makes it.")
        return
    lock = file.with_name(LOCK_FILE)
    if holder := current_holder(lock) if lock.exists() else "":
        yield note("warehouse", f"being written by {holder}; what is in it was not looked at")
        return
    try:
        with reading(file) as opened:
            yield from _contents(opened, portfolios)
    except WarehouseLocked as error:
        yield problem("warehouse", str(error), "End the program that has it open: the next run would fail.")
    except (WarehouseError, UnicodeDecodeError) as error:
        yield problem("warehouse", str(error), "`cx-intel restore` brings the newest back-up back.")


def _contents(opened: Database, portfolios: Iterable[Portfolio]) -> Iterator[Finding]:
    if found := opened.staged_writes():
        yield note(
            "warehouse",
            f"{len(found)} tables that a run staged and never put in place, such as {found[0]}",
            "A run was killed or a check kept bad data out; the next refresh replaces them.",
        )
    changing = about_to_change(opened, {p.name: schema_version(p) for p in portfolios})
    if changing:
        yield note(
            "warehouse",
            f"the tables of {', '.join(changing)} were made by another version or other settings",
            "The next refresh backs the warehouse up and carries them over.",
        )
    size = opened.path.stat().st_size / 1e6  # the size alone: its contents are DuckDB's to read
    yield ok("warehouse", f"opens (DuckDB {opened.engine_version}), {opened.table_count()} tables, {size:.1f} MB")


def without_yaml(environment: Environment) -> Iterator[Finding]:
    """Tables and files of portfolios that have no YAML, usable or not: removed by hand, or renamed."""
    try:
        held = names_in(environment)
    except (WarehouseError, UnicodeDecodeError):
        return  # told of the warehouse
    known = {file.stem for file in environment.portfolios.glob("*.yaml")}
    for name, what in held.items():
        if name not in known:
            text = f"{', '.join(what)} of {name}, which has no YAML in {environment.portfolios}"
            yield note("left over", text, f"`cx-intel remove {name}` takes it away, once it said how much it is.")


def back_ups(home: Path, now: datetime | None = None) -> Finding:
    """Whether there is a back-up, and how old the newest is."""
    found = backups(home)
    to_do = "`cx-intel backup` makes one; CX_DAILY_BACKUP=yes has the first run of each day make one."
    if not found:
        return note("back-ups", "there is none", to_do)
    age = (now or datetime.now(UTC)) - found[0].made_at
    text = f"{len(found)}, the newest of {found[0].made_at:%Y-%m-%d %H:%M} UTC ({found[0].manifest['reason']})"
    return note("back-ups", text, to_do) if age > OLD_BACKUP else ok("back-ups", text)


def erasures(home: Path, variables: Mapping[str, str]) -> Iterator[Finding]:
    """Whether an erasure was cut off, and whether the key is there by which the erased are kept from coming back."""
    register = Register(home, variables)
    if begun := register.begun():
        command = f"cx-intel erase {begun['portfolio']} --{begun['kind']} {begun['id']}"
        yield problem("erasure", "one has begun and not ended", f"End it: {command}")
    if register.file.exists():
        try:
            register.hash("", "account", "")
            yield ok("erasure", "the key is that of the register")
        except PrivacyError as error:
            yield problem(
                "erasure", str(error), "Until then no refresh loads anything of a portfolio with erased subjects."
            )
