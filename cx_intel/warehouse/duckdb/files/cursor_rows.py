"""What a query for what is new gives: its rows as the server sends them, all cells as text, and how far they go.

Only the fetching, in bounded memory; which rows are new and which they replace is in `by_cursor.py`. What the columns of a
result mean is read as in `queries.py`, and what a cursor is stands in `cx_intel.sources.cursors`.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime, time

import duckdb
import pyarrow as pa

from cx_intel.contracts.contract import Contract
from cx_intel.settings.sources.sql import SqlSource
from cx_intel.sources.cursors import AHEAD, CursorKind, KnownCursor
from cx_intel.sources.errors import SourceError
from cx_intel.warehouse.duckdb.files.by_file import STREAM
from cx_intel.warehouse.duckdb.files.local_spellings import identifier, literal
from cx_intel.warehouse.duckdb.queries.queries import canonical_cells
from cx_intel.warehouse.fetched import Fetch
from cx_intel.warehouse.servers.connections import exact_numbers

FETCHED = "_cx_fetched"
"""A temporary table: the rows as they came, with `_cursor`, `_is_deleted` and `_raw_row`."""
_UNTRUE = ("false", "f", "0", "no", "n", "")
_NUMBERS = ("TINYINT", "SMALLINT", "INTEGER", "BIGINT", "HUGEINT", "UTINYINT", "USMALLINT", "UINTEGER", "UBIGINT")
_ISO_DAY = r"^[0-9]{4}-[0-9]{2}-[0-9]{2}"
_SQL_TYPES: dict[CursorKind, str] = {
    "instant": "timestamp",
    "time": "timestamp",
    "date": "date",
    "number": "decimal(38, 9)",
    "text": "varchar",
}
"""As what the values of a cursor are compared; instants are in UTC."""
_WIDEST: dict[CursorKind, str] = {
    "instant": "timestamp(6)",
    "time": "timestamp(6)",
    "date": "date",
    "number": "decimal(38, 9)",
    "text": "string",
}
"""The same in Ibis' words."""


@dataclass(frozen=True)
class CursorRows:
    """The rows of one query, and the connection to DuckDB that takes them in.

    Attributes:
        connection: Where they go.
        source: The query, and its cursor if it has one.
        kinds: The types of the result's columns.
        exact: Those that are exact numbers as text.
    """

    connection: duckdb.DuckDBPyConnection
    source: SqlSource
    kinds: Mapping[str, str]
    exact: set[str]

    @classmethod
    def of_result(cls, connection: duckdb.DuckDBPyConnection, source: SqlSource, schema: pa.Schema) -> "CursorRows":
        """The rows of a result that has these columns; none is read yet."""
        with duckdb.connect() as con:
            con.register("given", schema.empty_table())
            given = con.table("given")
            kinds = dict(zip(given.columns, map(str, given.types), strict=True))
        return cls(connection, source, kinds, exact_numbers(schema))

    def cells(self, contract: Contract) -> dict[str, str]:
        """Canonical column: the expression that gives it."""
        return canonical_cells(self.kinds, self.source, contract, self.exact)

    def take(self, reader: pa.RecordBatchReader, cells: Mapping[str, str]) -> None:
        """Takes the rows in as they come, all cells as text.

        Raises:
            SourceError: The cursor is nothing that grows, or the server fails meanwhile.
        """
        with self._registered(reader):
            self.connection.execute(f"CREATE OR REPLACE TEMP TABLE {FETCHED} AS {self.selected(cells)}")

    def selected(self, cells: Mapping[str, str]) -> str:
        """The query that makes `FETCHED` of the rows as they stream in."""
        cursor = self.source.cursor
        value = self._cursor[1] if cursor else "NULL::varchar"
        texts = [f"({cell})::varchar AS {identifier(name)}" for name, cell in cells.items()]
        is_deleted = "false"
        if cursor and cursor.deleted:
            text = f"lower({identifier(self._spelt(cursor.deleted))}::varchar)"
            is_deleted = f"coalesce({text} NOT IN ({', '.join(map(literal, _UNTRUE))}), false)"
        is_respelt = self.source.values or self.source.date_formats
        raw_row = f"to_json({STREAM})::varchar" if is_respelt else "NULL::varchar"
        texts += [f"{value} AS _cursor", f"{is_deleted} AS _is_deleted", f"{raw_row} AS _raw_row"]
        return f"SELECT {', '.join(texts)} FROM {STREAM}"

    def is_comparable(self, known: KnownCursor) -> bool:
        """Whether the cursors that came are of the kind that is known; some servers say no type where none has a value."""
        if self.kind == known.kind:
            return True
        ((newest,),) = self.connection.execute(f"SELECT max(_cursor) FROM {FETCHED}").fetchall()
        return newest is None

    def fetch(self, known: KnownCursor | None, recipe: str, as_of: date, ignored: tuple[str, ...]) -> Fetch:
        """How far the rows go, and what there is to tell of them.

        Raises:
            SourceError: The cursor is text that is no time, or the look-back is of another kind than the cursor.
        """
        if not self.source.cursor:
            ((rows,),) = self.connection.execute(f"SELECT count(*) FROM {FETCHED}").fetchall()
            return Fetch(None, True, rows, 0, 0, ignored)
        self._refuse_other_texts()
        day = datetime.combine(as_of + AHEAD, time.min)
        limit = {"number": "NULL", "text": literal(str(day.date()))}.get(self.kind, f"TIMESTAMP {literal(str(day))}")
        before = "NULL"
        if known and known.kind == self.kind:
            before = f"{literal(known.value)}::{_SQL_TYPES[self.kind]}"
        is_within = f"(_cursor < {limit} OR {limit} IS NULL)"
        ((rows, without, ahead, newest, latest),) = self.connection.execute(
            f"SELECT count(*), count(*) FILTER (_cursor IS NULL), count(*) FILTER (NOT {is_within}), "
            f"(max(_cursor) FILTER ({is_within}))::varchar, "
            f"greatest(max(_cursor) FILTER ({is_within}), {before})::varchar FROM {FETCHED}"
        ).fetchall()
        cursor = known
        if newest is not None:
            cursor = KnownCursor(recipe, self._spelt(self.source.cursor.column), self.kind, latest)
            cursor.bound(self.source.cursor, self.source.title)  # else only the next reading would refuse the look-back
        return Fetch(cursor, known is None, rows, without, ahead, ignored)

    @property
    def kind(self) -> CursorKind:
        """What the cursor holds."""
        return self._cursor[0]

    @property
    def cursor_type(self) -> str:
        """The type that every value of the cursor goes into, in Ibis' words."""
        return _WIDEST[self.kind] if self.source.cursor else "string"

    def as_it_was(self, column: str) -> str:
        """The expression that gives the cursor its own type again, of a column that has `cursor_type`."""
        if not self.source.cursor or self.kind != "number":
            return f"{column} AT TIME ZONE 'UTC'" if self.cursor_type.startswith("timestamp") else column
        return f"{column}::{self.kinds[self._spelt(self.source.cursor.column)]}"

    @property
    def _cursor(self) -> tuple[CursorKind, str]:
        """What the cursor holds, and the expression that gives it so that it can be compared."""
        assert self.source.cursor
        name = self._spelt(self.source.cursor.column)
        kind, cell = self.kinds[name], identifier(name)
        if kind == "TIMESTAMP WITH TIME ZONE":
            return "instant", f"({cell} AT TIME ZONE 'UTC')"
        if kind.startswith("TIMESTAMP"):
            return "time", f"{cell}::timestamp"
        if kind == "DATE":
            return "date", cell
        if kind in _NUMBERS or kind.startswith("DECIMAL"):
            return "number", cell
        if name in self.exact:
            return "number", f"{cell}::decimal(38, 9)"
        if kind == "VARCHAR":
            return "text", cell
        raise SourceError(
            f"{self._of}: its cursor {name} is of the type {kind}; it has to be a time, a date, a whole number or "
            "ISO 8601 text: cast it in the query."
        )

    @property
    def _of(self) -> str:
        return self.source.query_title

    def _spelt(self, name: str) -> str:
        """A column as the server spells it: names count in any case."""
        return next(given for given in self.kinds if given.lower() == name.lower())

    def _refuse_other_texts(self) -> None:
        """Raises SourceError where a cursor of text holds no time."""
        assert self.source.cursor
        if self.kind != "text":
            return
        odd = self.connection.execute(
            f"SELECT _cursor FROM {FETCHED} WHERE NOT regexp_matches(_cursor, '{_ISO_DAY}') LIMIT 1"
        ).fetchall()
        if odd:
            raise SourceError(
                f"{self._of}: its cursor {self.source.cursor.column} holds {odd[0][0]!r}, which is no time such as "
                "2026-01-31 or 2026-01-31T08:00:00Z: cast it to a time in the query, or name another column under `cursor`."
            )

    @contextmanager
    def _registered(self, reader: pa.RecordBatchReader) -> Iterator[None]:
        ((zone,),) = self.connection.execute("SELECT current_setting('TimeZone')").fetchall()
        self.connection.execute("SET TimeZone = 'UTC'")
        self.connection.register(STREAM, reader)
        try:
            yield
        except duckdb.ConversionException as error:
            raise SourceError(f"{self._of}: {str(error).splitlines()[0]}") from error
        finally:
            self.connection.unregister(STREAM)
            self.connection.execute(f"SET TimeZone = {literal(zone)}")
