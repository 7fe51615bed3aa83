"""Raw tables that are read by a cursor: only new rows are fetched, and take the place of those with their key.

Events of a query at a cluster come in here without a cursor too: all of them, in the place of all.

How far a table was read is kept in `../remembered.py`, in the same transaction as the rows. How rows come from the server
is in `cursor_rows.py`; where a reading begins, and what makes it begin anew, in `cx_intel.sources.cursors`.
"""

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from datetime import date
from typing import Any

import ibis
import ibis.expr.types as ir
import pyarrow as pa

from cx_intel.contracts.contract import Contract
from cx_intel.contracts.delivered import DELIVERED_DAY, ROW_MARKS, delivered_columns
from cx_intel.settings.sources.cursor import ROW_KEYS
from cx_intel.settings.sources.sql import SqlSource
from cx_intel.sources.cursors import KnownCursor, recipe_of
from cx_intel.warehouse.duckdb.database import STAGED_PREFIX, quoted
from cx_intel.warehouse.duckdb.files.by_file import NO_DAY, STREAM, FileTables, as_they_are
from cx_intel.warehouse.duckdb.files.cursor_rows import FETCHED, CursorRows
from cx_intel.warehouse.duckdb.files.local_spellings import identifier, literal
from cx_intel.warehouse.duckdb.files.reading import MARKS
from cx_intel.warehouse.duckdb.queries.queries import QUERY, address_of, check_columns
from cx_intel.warehouse.duckdb.state import WHOLE
from cx_intel.warehouse.fetched import Fetch, TableChange
from cx_intel.warehouse.servers.connections import kind_of, place_of, since

_NEWEST, _REPLACED = "_cx_newest", "_cx_replaced"
"""Temporary tables: of the rows that came one of each key; and the keys whose earlier rows go, those of new rows, even
where nothing of them may be kept, and of rows that are deleted at the server."""


class CursorTables(FileTables):
    """The raw tables of one schema that are read by a cursor."""

    def fetch(
        self,
        table: str,
        source: SqlSource,
        *,
        contract: Contract,
        environment: Mapping[str, str],
        zone: str,
        as_of: date,
        with_day: Callable[[ir.Table], ir.Table] | None,
        reads_all: bool = False,
    ) -> Fetch:
        address = address_of(source, environment)
        recipe, known, query = "", None, source.query
        if source.cursor:
            names = [column.name for column in delivered_columns(contract)]
            recipe = recipe_of(source, names, zone, place_of(address))
            known = self._usable_cursor(table, recipe, is_by_day=with_day is not None) if not reads_all else None
        if known and source.cursor:
            query = since(query, kind_of(address), known.column, known.kind, known.bound(source.cursor, source.title))
        with self._asked(table, address, query, source.query_title) as reader:
            rows = CursorRows.of_result(self.database.connection, source, reader.schema)
            ignored = check_columns(list(rows.kinds), contract, source)
            cells = rows.cells(contract)
            # where a column came or went, the older rows have it too, or have it no more
            is_as_before = known is None or set(cells) == set(self._cells_of(table))
            if is_as_before:
                self._take(table, rows, reader, cells, with_day)
        if known and not (is_as_before and rows.is_comparable(known)):
            return self.fetch(
                table,
                source,
                contract=contract,
                environment=environment,
                zone=zone,
                as_of=as_of,
                with_day=with_day,
                reads_all=True,
            )
        fetch = rows.fetch(known, recipe, as_of, ignored)
        self._stage_new_rows(table, source, list(cells), known, with_day)
        return fetch

    def _asked(self, table: str, address: str, query: str, of: str) -> AbstractContextManager[Any]:
        """The result of a query for rows of a table; its `schema` says the columns before any row is read."""
        return self.answered(address, query, of)

    def _take(
        self,
        table: str,
        rows: CursorRows,
        reader: Any,
        cells: Mapping[str, str],
        with_day: Callable[[ir.Table], ir.Table] | None,
    ) -> None:
        """Takes the rows of a result in, as `FETCHED`."""
        rows.take(reader, cells)

    def merge(self, table: str, key: Sequence[str], fetch: Fetch, as_of: date) -> TableChange:
        with self.database.transaction():
            self._prepare_state()
            is_by_day = DELIVERED_DAY in self.staged(table).columns  # type: ignore[attr-defined]
            if fetch.is_whole and is_by_day:
                days = self.swap_files(table, (), is_whole=True)
                change = TableChange(days, bool(days))
            elif fetch.is_whole:
                self.swap(table, stands_at=as_of)  # type: ignore[attr-defined]
                change = TableChange((), is_changed=True)
            else:
                replaced = self._replaced(table, key)
                if is_by_day:
                    days = self._swap_rows(table, replaced)
                    change = TableChange(days, bool(days))
                else:
                    change = TableChange((), self._replace(table, replaced))
                    self._forget(table)
                    self._remember(table, {as_of: WHOLE})
            if fetch.cursor:
                self.remember_cursor(table, fetch.cursor)
            for temporary in (_NEWEST, _REPLACED):
                self.database.connection.execute(f"DROP TABLE IF EXISTS {temporary}")
        return change

    def _replaced(self, table: str, key: Sequence[str]) -> str:
        """The condition that the rows meet which go for those that were fetched."""
        keys, names = _key_cells(key), ", ".join(map(identifier, key))
        name, staged = quoted(self.schema, table), quoted(self.schema, STAGED_PREFIX + table)
        return (
            f"rowid IN (SELECT _cx_id FROM (SELECT rowid AS _cx_id, {keys} FROM {name}) "
            f"JOIN (SELECT {keys} FROM {staged} UNION SELECT {names} FROM {_REPLACED}) USING ({names}))"
        )

    def _replace(self, table: str, replaced: str) -> bool:
        """Puts the staged rows in the place of those that a condition names; whether there are any of either."""
        name, staged = quoted(self.schema, table), quoted(self.schema, STAGED_PREFIX + table)
        is_changed = bool(
            self.database.connection.execute(
                f"SELECT 1 FROM {name} WHERE {replaced} UNION ALL SELECT 1 FROM {staged} LIMIT 1"
            ).fetchall()
        )
        if is_changed:
            self._match_columns(table)  # type: ignore[attr-defined]
            self.database.change(self.schema, table, f"DELETE FROM {name} WHERE {replaced}")
            self.database.change(self.schema, table, f"INSERT INTO {name} BY NAME SELECT * FROM {staged}")
        self.discard(table)  # type: ignore[attr-defined]
        return is_changed

    def _usable_cursor(self, table: str, recipe: str, *, is_by_day: bool) -> KnownCursor | None:
        """How far the table was read, where it was read in the same way."""
        known = self.known_cursor(table)
        if known is None or known.recipe != recipe or not self.database.exists(self.schema, table):
            return None
        return known if (DELIVERED_DAY in self.database.table(self.schema, table).columns) == is_by_day else None

    def _cells_of(self, table: str) -> list[str]:
        return [name for name in self.database.table(self.schema, table).columns if name not in ROW_MARKS]

    def _stage_new_rows(
        self,
        table: str,
        source: SqlSource,
        cells: Sequence[str],
        known: KnownCursor | None,
        with_day: Callable[[ir.Table], ir.Table] | None,
    ) -> None:
        """Stages what is not in the raw table as it is, one row of each key."""
        connection, name = self.database.connection, quoted(self.schema, table)
        key = source.cursor.key_of(source.table) if source.cursor else ROW_KEYS[source.table]
        keys, is_keyed = (
            ", ".join(map(_key_cell, key)),
            " AND ".join(f"{_key_cell(column)} IS NOT NULL" for column in key),
        )
        repeats = (
            source.cursor
            and connection.execute(
                f"SELECT 1 FROM {FETCHED} GROUP BY hash({keys}) HAVING count(*) > 1 LIMIT 1"
            ).fetchall()
        )
        if repeats:
            order = f"PARTITION BY {keys} ORDER BY _cursor DESC NULLS LAST, _is_deleted DESC"
            connection.execute(
                f"CREATE OR REPLACE TEMP TABLE {_NEWEST} AS SELECT DISTINCT * FROM {FETCHED} "
                f"QUALIFY NOT ({is_keyed}) OR rank() OVER ({order}) = 1"
            )
            connection.execute(f"DROP TABLE {FETCHED}")
        else:
            connection.execute(f"DROP TABLE IF EXISTS {_NEWEST}")
            connection.execute(f"ALTER TABLE {FETCHED} RENAME TO {_NEWEST}")
        connection.execute(
            f"CREATE OR REPLACE TEMP TABLE {_REPLACED} AS SELECT {_key_cells(key)} FROM {_NEWEST} "
            f"WHERE _is_deleted AND {is_keyed}"
        )
        first, rows = 0, f"SELECT * FROM {_NEWEST} WHERE NOT _is_deleted"
        if known:
            same = " AND ".join(f"_cx_old.{c} IS NOT DISTINCT FROM _cx_new.{c}" for c in map(identifier, cells))
            is_new = f"NOT EXISTS (SELECT 1 FROM {name} AS _cx_old WHERE {same})"
            rows = f"SELECT *, {is_new} AS _is_new FROM {_NEWEST} AS _cx_new WHERE NOT _is_deleted"
            any_new = f"CASE WHEN {is_keyed} THEN bool_or(_is_new) OVER (PARTITION BY {keys}) ELSE _is_new END"
            # rows of one key come and go together: of one that is new, those that are there already are given again
            rows = f"SELECT * FROM ({rows}) {f'QUALIFY {any_new}' if repeats else 'WHERE _is_new'}"
            ((first,),) = connection.execute(f"SELECT coalesce(max(_row_number), 0) FROM {name}").fetchall()
        order = "" if with_day else "ORDER BY _cursor NULLS FIRST"
        marks = (
            f"{literal(QUERY)} AS _source_file, {first} + row_number() OVER ({order}) AS _row_number, _raw_row, "
            "NULL::varchar AS _reject"
        )
        connection.execute(
            f"CREATE OR REPLACE TEMP VIEW {STREAM} AS SELECT {', '.join(map(identifier, cells))}, {marks} FROM ({rows})"
        )
        schema = pa.schema([*((column, pa.string()) for column in cells), *MARKS.items()])
        self._stage_from(table, ibis.Schema.from_pyarrow(schema), with_day or as_they_are)
        connection.execute(f"DROP VIEW {STREAM}")
        staged, day = quoted(self.schema, STAGED_PREFIX + table), identifier(DELIVERED_DAY)
        if known:
            connection.execute(f"INSERT INTO {_REPLACED} SELECT {_key_cells(key)} FROM {staged} WHERE {is_keyed}")
        if with_day:
            connection.execute(f"UPDATE {staged} SET {day} = {NO_DAY} WHERE {day} IS NULL")


def _key_cell(column: str) -> str:
    """A cell of a key as staging reads it: without blanks around it, null when nothing is left."""
    return f"nullif(trim({identifier(column)}, E' \\t\\n\\r\\x0b\\f'), '')"


def _key_cells(key: Sequence[str]) -> str:
    """The cells of a key under their names, to be selected."""
    return ", ".join(f"{_key_cell(column)} AS {identifier(column)}" for column in key)
