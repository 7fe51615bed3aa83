"""Reads the tables of a database that a query names, each as a table of text: what somebody has landed there.

The tables differ from one company to the next, as connectors change and only some tables are chosen: they are looked up,
and a column or table that may be missing is empty. The query over them is run in `queries.py`; drivers and addresses are
in `cx_intel.warehouse.servers.connections`.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from typing import Any, NamedTuple

import duckdb
import pyarrow as pa

from cx_intel.settings.sources.sql import LandedTable
from cx_intel.settings.yaml.keys import did_you_mean
from cx_intel.sources.errors import SourceError
from cx_intel.warehouse.duckdb.files.local_spellings import identifier, literal
from cx_intel.warehouse.servers.connections import connected, kind_of


class Found(NamedTuple):
    """A table that is there: how it is called in a query, and its columns."""

    name: str
    columns: tuple[str, ...]


def read_landed(
    address: str, tables: Mapping[str, LandedTable], of: str, *, most_rows: int | None = None
) -> dict[str, pa.Table]:
    """The query's name of a table: what it holds, all as text, times with a zone in UTC.

    Args:
        address: Of the database, as `run_query` takes it.
        tables: The query's name of a table: where it is, and the columns that are read.
        of: Whose they are, as messages say it.
        most_rows: How many rows of each table are wanted at most, whichever the server gives first.

    Raises:
        SourceError: A table or column that may not be missing is; or what the server said.
    """
    kind = kind_of(address)
    with connected(address, of) as connection:
        return {name: _read(connection, kind, table, of, most_rows) for name, table in tables.items()}


def landed_tables(address: str, of: str) -> dict[str, dict[str, tuple[str, ...]]]:
    """Schema: its tables, each with its columns, as the server lists them; in SQLite the schema is empty.

    Raises:
        SourceError: What the server said.
    """
    schemas: dict[str, dict[str, tuple[str, ...]]] = {}
    with connected(address, of) as connection:
        for schema, columns, name in _tables(connection.adbc_get_objects(depth="columns").read_all().to_pylist()):
            schemas.setdefault(schema, {})[name] = columns
    return schemas


def bare(name: str) -> str:
    """A column's name without what differs between exports of one system: case, blanks, hyphens and underscores."""
    return re.sub(r"[\s_-]", "", name).lower()


def _read(connection: Any, kind: str, table: LandedTable, of: str, most_rows: int | None) -> pa.Table:
    wanted = [*table.columns, *(name for name in table.optional if name not in table.columns)]
    empty = pa.table({name: pa.nulls(0, pa.string()) for name in wanted})
    found = next(filter(None, (_found(connection, kind, name) for name in table.names)), None)
    if found is None:
        if table.may_be_missing:
            return empty
        raise SourceError(
            f"{of}: there is no table {' or '.join(table.names)}, or it may not be read: name the schema that holds it, "
            f"or have it landed."
        )
    columns = {
        name: there
        for name in wanted
        if (there := _column(table.names_of(name), found, of, is_optional=name in table.optional))
    }
    read = list(dict.fromkeys(columns.values()))
    conditions = [_condition(kind, str(_column([name], found, of)), values) for name, values in table.where.items()]
    where = f" WHERE {' AND '.join(conditions)}" if conditions else ""
    limit = "" if most_rows is None else f" LIMIT {most_rows}"
    with closing(connection.cursor()) as cursor:
        cells = ", ".join(_cell(kind, there) for there in read) or "1"
        cursor.execute(f"SELECT {cells} FROM {found.name}{where}{limit}")
        typed: pa.Table = cursor.fetch_arrow_table()
    return _as_text(typed, {name: read.index(columns[name]) if name in columns else None for name in wanted})


def _found(connection: Any, kind: str, stated: str) -> Found | None:
    """The table of a name, in any case, where there is one."""
    *schemas, name = stated.split(".")
    schema = schemas[-1] if schemas else None
    for spelt in (str, str.lower, str.upper):  # what is looked for counts by case, and servers differ in it
        filters = {"table_name_filter": spelt(name)}
        if schema and kind != "sqlite":
            filters["db_schema_filter"] = spelt(schema)
        listed = connection.adbc_get_objects(depth="columns", **filters).read_all().to_pylist()
        for in_schema, columns, its_name in _tables(listed):
            if its_name.lower() == name.lower() and (
                kind == "sqlite" or not schema or in_schema.lower() == schema.lower()
            ):
                parts = [*schemas[:-1], in_schema, its_name] if in_schema else [its_name]
                return Found(".".join(_quoted(kind, part) for part in parts), columns)
    return None


def _tables(listed: list[dict[str, Any]]) -> Iterator[tuple[str, tuple[str, ...], str]]:
    """Schema, columns and name of what a server lists."""
    for catalog in listed:
        for schema in catalog["catalog_db_schemas"] or ():
            for table in schema["db_schema_tables"] or ():
                columns = tuple(column["column_name"] for column in table["table_columns"] or ())
                yield schema["db_schema_name"] or "", columns, table["table_name"]


def _column(stated: Sequence[str], found: Found, of: str, *, is_optional: bool = False) -> str | None:
    """What the table calls a column, of whose names the first that is there counts; None where it may lack it."""
    there = next((c for s in stated for c in found.columns if bare(c) == bare(s)), None)
    if there is None and not is_optional:
        raise SourceError(
            f"{of}: {found.name} has no column {' or '.join(map(repr, stated))}"
            f"{did_you_mean(stated[0], found.columns)}; there are {', '.join(found.columns)}. Name the right one under "
            f"`columns`."
        )
    return there


def _condition(kind: str, column: str, values: list[str]) -> str:
    return f"{_quoted(kind, column)} IN ({', '.join(map(literal, values))})"


def _cell(kind: str, column: str) -> str:
    """SQLite keeps values of any type in one column, of which its driver reads one."""
    return f"CAST({_quoted(kind, column)} AS TEXT)" if kind == "sqlite" else _quoted(kind, column)


def _quoted(kind: str, name: str) -> str:
    return f"`{name}`" if kind == "bigquery" else identifier(name)


def _as_text(typed: pa.Table, places: Mapping[str, int | None]) -> pa.Table:
    """The columns at the places under the names, as text; null where there is no place."""
    given = typed.rename_columns([f"c{n}" for n in range(typed.num_columns)])
    with duckdb.connect() as con:
        con.execute("SET TimeZone = 'UTC'")
        con.register("given", given)
        kinds = list(map(str, con.table("given").types))
        cells = [
            f"{'NULL::varchar' if n is None else _text(f'c{n}', kinds[n])} AS {identifier(name)}"
            for name, n in places.items()
        ]
        return con.sql(f"SELECT {', '.join(cells)} FROM given").to_arrow_table()


def _text(cell: str, kind: str) -> str:
    if kind == "TIMESTAMP WITH TIME ZONE":
        return f"strftime({cell}, '%Y-%m-%dT%H:%M:%S.%fZ')"
    return f"to_json({cell})::varchar" if kind.endswith(("[]", ")")) and "DECIMAL" not in kind else f"{cell}::varchar"
