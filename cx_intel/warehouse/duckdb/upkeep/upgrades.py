"""Back-ups that a run makes by itself before its first step: when the tables are about to change, and once a day.

A change of the tables shows in a fingerprint of all contracts of a portfolio, remembered in the warehouse. Columns are
carried over by `warehouse.py`; back-ups are made by `backups.py`.
"""

import hashlib
import json
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from types import MappingProxyType

from cx_intel.contracts.catalog import contract_of, tables_of
from cx_intel.settings.portfolio import Portfolio
from cx_intel.warehouse.duckdb.database import Database
from cx_intel.warehouse.duckdb.upkeep.backups import Backup, backups, take
from cx_intel.warehouse.duckdb.warehouse import DuckDBWarehouse
from cx_intel.warehouse.duckdb.writes import STATE_SCHEMA

VERSIONS = "schema_versions"


def schema_version(portfolio: Portfolio) -> str:
    """A fingerprint of the tables of a portfolio: their names, columns and types."""
    tables = {t: {c.name: c.type for c in contract_of(t, portfolio).columns} for t in tables_of(portfolio)}
    return hashlib.sha256(json.dumps(tables, sort_keys=True).encode()).hexdigest()[:16]


def about_to_change(database: Database, versions: Mapping[str, str]) -> list[str]:
    """The portfolios that have tables in the warehouse made by other contracts than today's."""
    known = _versions(database)
    return [
        name for name, now in versions.items() if known.get(name) != now and DuckDBWarehouse(database, name).tables()
    ]


def back_up_if_due(
    database: Database,
    home: Path,
    versions: Mapping[str, str],
    *,
    keep: int,
    daily: bool,
    variables: Mapping[str, str] = MappingProxyType({}),
) -> Backup | None:
    """Makes a back-up if tables are about to change, or with `daily` if there is none of today yet (UTC).

    Args:
        database: The open warehouse of the run, which holds the writer's lock.
        home: CX_HOME.
        versions: Portfolio: the fingerprint of its tables as this program makes them.
        keep: How many back-ups are kept.
        daily: Make one with the first run of each day.
        variables: As for `take`.
    """
    reason = ""
    changed = about_to_change(database, versions)
    if changed:
        reason = f"before the tables of {', '.join(changed)} change"
    elif daily and database.table_count() and not _made_today(home):
        reason = "daily"
    made = None
    if reason:
        own = database.connection
        made = take(home, database.path, reason=reason, keep=keep, connection=own, variables=variables)
    _remember(database, versions)
    return made


def _made_today(home: Path) -> bool:
    newest = backups(home)[:1]
    return bool(newest) and newest[0].made_at.astimezone(UTC).date() == datetime.now(UTC).date()


def _versions(database: Database) -> dict[str, str]:
    if not database.exists(STATE_SCHEMA, VERSIONS):
        return {}
    return dict(database.connection.execute(f"SELECT schema_name, version FROM {STATE_SCHEMA}.{VERSIONS}").fetchall())


def _remember(database: Database, versions: Mapping[str, str]) -> None:
    if all(_versions(database).get(name) == now for name, now in versions.items()):
        return
    connection, table = database.connection, f"{STATE_SCHEMA}.{VERSIONS}"
    connection.execute(f"CREATE SCHEMA IF NOT EXISTS {STATE_SCHEMA}")
    connection.execute(f"CREATE TABLE IF NOT EXISTS {table} (schema_name VARCHAR, version VARCHAR)")
    with database.transaction():
        for name, now in versions.items():
            connection.execute(f"DELETE FROM {table} WHERE schema_name = ?", [name])
            connection.execute(f"INSERT INTO {table} VALUES (?, ?)", [name, now])
