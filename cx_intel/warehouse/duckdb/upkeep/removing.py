"""Takes the schema of a portfolio out of the warehouse file, with what is remembered of it; the others stay as they are.

Files and Dagster's history of a portfolio go by `cx_intel.orchestration.removal`, which holds the writer's lock meanwhile.
Single rows are taken out by `row_edits.py`.
"""

import shutil
from pathlib import Path

from cx_intel.warehouse.duckdb.access.opening import reading, writing
from cx_intel.warehouse.duckdb.database import Database, escaped, quoted
from cx_intel.warehouse.duckdb.upkeep.rewriting import rewrite
from cx_intel.warehouse.duckdb.writes import STATE_SCHEMA

OWNER = "schema_name"
"""The column of the tables of `cx_state` that says whose a row is."""


def schema_bytes(file: Path) -> dict[str, int]:
    """The schemas of portfolios in a warehouse file, and about how many bytes of it each takes; none without a file."""
    if not file.exists():
        return {}
    with reading(file) as database:
        remembered = {owner for table in _state_tables(database) for owner in _owners(database, table)}
        there = {*database.schemas(), *remembered} - {STATE_SCHEMA}
        return {schema: _bytes(database, schema) for schema in sorted(there)}


def drop_schema(file: Path, schema: str) -> None:
    """Removes a schema and all that `cx_state` has of it, in one transaction; done again, it finds nothing."""
    with writing(file) as database, database.transaction():
        database.connection.execute(f'DROP SCHEMA IF EXISTS "{schema}" CASCADE')
        for table in _state_tables(database):
            name = quoted(STATE_SCHEMA, table)
            database.connection.execute(f'DELETE FROM {name} WHERE "{OWNER}" = ?', [schema])


def give_space_back(file: Path) -> bool:
    """Writes the file anew without what was removed, where the disk has room for a second one; whether it had."""
    if shutil.disk_usage(file.parent).free < 2 * file.stat().st_size:
        return False
    rewrite(file)
    return True


def _state_tables(database: Database) -> list[str]:
    found = database.connection.execute(
        "SELECT DISTINCT table_name FROM duckdb_columns() WHERE database_name = current_database() "
        "AND schema_name = ? AND column_name = ? ORDER BY 1",
        [STATE_SCHEMA, OWNER],
    )
    return [name for (name,) in found.fetchall()]


def _owners(database: Database, table: str) -> list[str]:
    found = database.connection.execute(f'SELECT DISTINCT "{OWNER}" FROM {quoted(STATE_SCHEMA, table)}')
    return [name for (name,) in found.fetchall()]


def _bytes(database: Database, schema: str) -> int:
    """The blocks that its tables lie in; small tables share one with others."""
    tables = database.connection.execute(
        "SELECT table_name FROM duckdb_tables() WHERE database_name = current_database() AND schema_name = ?", [schema]
    ).fetchall()
    parts = [
        f"SELECT block_id FROM pragma_storage_info('{escaped(Path(quoted(schema, table)))}') WHERE persistent"
        for (table,) in tables
    ]
    if not parts:
        return 0
    ((blocks,),) = database.connection.execute(
        f"SELECT count(DISTINCT block_id) FROM ({' UNION ALL '.join(parts)})"
    ).fetchall()
    ((size,),) = database.connection.execute("SELECT block_size FROM pragma_database_size()").fetchall()
    return int(blocks) * int(size)
