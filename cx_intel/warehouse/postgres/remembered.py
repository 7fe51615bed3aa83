"""Where a portfolio has tables in PostgreSQL, as its last run left them: known when its YAML does not say so any more.

It stands in the DuckDB file, without a password. What is done there: `warehouse.py`.
"""

from cx_intel.warehouse.duckdb.database import Database
from cx_intel.warehouse.duckdb.writes import STATE_SCHEMA

SERVERS = "postgres_schemas"
_SERVERS = f"{STATE_SCHEMA}.{SERVERS}"


def remember_place(database: Database, schema: str, place: str) -> None:
    """Remembers that tables of a portfolio stand at a place."""
    if place_of_tables(database, schema) == place:
        return
    database.ensure_schema(STATE_SCHEMA)
    if not database.exists(STATE_SCHEMA, SERVERS):
        database.connection.execute(f"CREATE TABLE {_SERVERS} (schema_name VARCHAR, place VARCHAR)")
    forget_place(database, schema)
    database.connection.execute(f"INSERT INTO {_SERVERS} VALUES (?, ?)", [schema, place])


def place_of_tables(database: Database, schema: str) -> str:
    """Where they stand; empty: nowhere."""
    if not database.exists(STATE_SCHEMA, SERVERS):
        return ""
    found = database.connection.execute(f"SELECT place FROM {_SERVERS} WHERE schema_name = ?", [schema]).fetchall()
    return found[0][0] if found else ""


def forget_place(database: Database, schema: str) -> str:
    """Forgets it; where it was."""
    place = place_of_tables(database, schema)
    if place:
        database.connection.execute(f"DELETE FROM {_SERVERS} WHERE schema_name = ?", [schema])
    return place
