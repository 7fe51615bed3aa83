"""Lands made-up tables in a database as connectors do, and reads them through a preset into staged rows.

What the rows of a vendor look like stands in the tests of its preset; files that a vendor exports are in
`vendor_files.py`.
"""

import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import adbc_driver_postgresql.dbapi as driver
import pyarrow as pa

from cx_intel.settings.portfolio import Portfolio
from cx_intel_tests.helpers.vendor_files import judged, taking

Rows = Sequence[Mapping[str, Any]]


def land(address: str, schema: str, tables: Mapping[str, Rows]) -> None:
    """Tables in a new schema of a PostgreSQL; a column has the type of its values."""
    with closing(driver.connect(address)) as connection, closing(connection.cursor()) as cursor:
        cursor.execute(f"CREATE SCHEMA {schema}")
        for name, rows in ((name, rows) for name, rows in tables.items() if rows):
            columns = list(dict.fromkeys(column for row in rows for column in row))
            cells = {column: [row.get(column) for row in rows] for column in columns}
            table = pa.table(
                {
                    c: pa.array(v) if any(x is not None for x in v) else pa.nulls(len(v), pa.string())
                    for c, v in cells.items()
                }
            )
            cursor.adbc_ingest(name, table, mode="create", db_schema_name=schema)
        connection.commit()


def land_in_sqlite(file: Path, tables: Mapping[str, Rows]) -> str:
    """The same in a new SQLite file, whose address is given; times are text there, flags 0 and 1."""
    with closing(sqlite3.connect(file)) as connection:
        for name, rows in ((name, rows) for name, rows in tables.items() if rows):
            columns = list(dict.fromkeys(column for row in rows for column in row))
            connection.execute(f"CREATE TABLE {name} ({', '.join(f'{chr(34)}{c}{chr(34)}' for c in columns)})")
            marks = ", ".join("?" for _ in columns)
            values = [[_cell(row.get(column)) for column in columns] for row in rows]
            connection.executemany(f"INSERT INTO {name} VALUES ({marks})", values)
        connection.commit()
    return f"sqlite:///{file}"


def _cell(value: Any) -> Any:
    return value if value is None or isinstance(value, str | int | float) else str(value)


def landed(preset: str, schema: str, settings: str = "", more: str = "", tables: str = "{}") -> Portfolio:
    """A portfolio that takes a preset of landed tables."""
    return taking(preset, settings, more, tables, connection="${LANDED_AT}", schema=schema)


def staged(book: Portfolio, table: str, address: str, accounts: Iterable[str] = ()) -> list[dict[str, Any]]:
    """The rows of a table as staging judges them."""
    return judged(book, table, accounts, {"LANDED_AT": address})
