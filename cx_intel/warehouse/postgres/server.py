"""The tables of one schema of a PostgreSQL server: written aside, put in place in one transaction, marked with what they hold.

Which tables are there, and what is computed, stands in `warehouse.py`; what an expression is in the server's SQL in
`expressions.py`. Databases that sources are read from: `servers/connections.py`.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import date
from importlib import import_module
from typing import Any

import ibis
import pyarrow as pa
from ibis.backends.sql.datatypes import PostgresType

from cx_intel.sources.files.paths import with_variables
from cx_intel.warehouse.duckdb.database import STAGED_PREFIX, quoted
from cx_intel.warehouse.errors import WarehouseError
from cx_intel.warehouse.servers.connections import place_of, run_query, without_secrets

MARK = "cx-intel, write "
"""Begins the comment of each table that is kept here; what follows tells which rows it holds."""
TRIED = {"int64": "bigint", "float64": "float8", "decimal": "numeric", "timestamp": "timestamp"}
"""Types that texts are cast to where the cast may fail, with the function that gives null then."""
_TRY = (
    'CREATE OR REPLACE FUNCTION {schema}."try_{name}"(cell text) RETURNS {name} LANGUAGE plpgsql IMMUTABLE AS $$'
    " BEGIN RETURN cell::{name}; EXCEPTION WHEN OTHERS THEN RETURN NULL; END $$"
)
DEPENDENT = "2BP01"
"""The server's code of a table that is not dropped because others read it."""
_SESSION = (
    "SET TimeZone = 'UTC'",
    "SET application_name = 'cx-intel'",
    "SET lock_timeout = '60s'",
    "SET jit = off",  # which takes longer for queries of this length than it saves
    "SET client_min_messages = warning",
)


class PostgresTables:
    """The tables of one portfolio at a server. The connection opens with the first question, and is this program's alone.

    Attributes:
        schema: The schema of the tables.
        kept: The tables that are computed and kept there.
    """

    def __init__(self, reference: str, variables: Mapping[str, str], schema: str, kept: Collection[str]):
        self._reference, self._variables = reference, variables
        self.schema, self.kept = schema, kept
        self._opened: Any = None
        self._marks: dict[str, str] | None = None

    @property
    def address(self) -> str:
        """Where the server is, with its password. Raises WarehouseError where the variable that holds it is not set."""
        try:
            return with_variables(self._reference, self._variables)
        except KeyError as error:
            raise WarehouseError(
                f"The environment variable {error.args[0]} is not set, which holds the address of the PostgreSQL server with "
                f"the schema {self.schema} (`warehouse.address`)."
            ) from None

    @property
    def place(self) -> str:
        """Where the tables stand, without a password."""
        return f"the schema {self.schema} at {place_of(self.address)}"

    def may_write(self) -> bool:
        """Whether the schema may be written, or made; nothing is. Raises SourceError where the server is not reached."""
        query = (
            f"SELECT CASE WHEN to_regnamespace('{self.schema}') IS NULL "
            "THEN has_database_privilege(current_database(), 'CREATE') "
            f"ELSE has_schema_privilege('{self.schema}', 'CREATE') END AS answer"
        )
        return bool(run_query(self.address, query, f"PostgreSQL, {self.place},")["answer"][0].as_py())

    def close(self) -> None:
        if self._opened is not None:
            self._opened.close()
            self._opened = None

    def name(self, table: str) -> str:
        """The table's name in SQL."""
        return quoted(self.schema, table)

    def execute(self, query: str) -> list[tuple[Any, ...]]:
        """What one statement gives."""
        with self._told(), self._connection.cursor() as cursor:
            cursor.execute(query)
            return cursor.fetchall() if cursor.description else []

    @contextmanager
    def fetched(self, query: str) -> Iterator[pa.RecordBatchReader]:
        """The rows of a query batch by batch, while the block lasts."""
        with self._told(), self._connection.cursor() as cursor:
            cursor.execute(query)
            yield cursor.fetch_record_batch()

    def create(self, table: str, like: ibis.Schema) -> None:
        """Makes an empty table of these columns and types."""
        columns = ", ".join(f'"{name}" {PostgresType.to_string(kind)}' for name, kind in like.items())
        self.execute(f"CREATE TABLE {self.name(table)} ({columns})")

    def add(self, table: str, rows: pa.RecordBatchReader) -> None:
        """Adds rows to a table that has their columns."""
        with self._told(), self._connection.cursor() as cursor:
            cursor.adbc_ingest(table, rows, mode="append", db_schema_name=self.schema)

    def hand_over(self, name: str, rows: pa.RecordBatchReader) -> None:
        """Makes a temporary table of rows, which this connection alone sees."""
        with self._told(), self._connection.cursor() as cursor:
            cursor.adbc_ingest(name, rows, mode="create", temporary=True)
        self.execute(f'ANALYZE "{name}"')

    def mark(self, table: str) -> str | None:
        """Which write of the table stands there; None of one that is not there.

        Raises:
            WarehouseError: There is a table of this name that somebody else has made.
        """
        found = self._found().get(table)
        if found is not None and not found.startswith(MARK):
            raise WarehouseError(
                f"PostgreSQL has a table {self.schema}.{table} that cx-intel has not made. Rename it, or state another "
                "`in_schema` in `warehouse`."
            )
        return found if found is None else found.removeprefix(MARK)

    def tables(self) -> list[str]:
        """The tables that are kept there, or half written, by their comment and name."""
        return sorted(t for t, comment in self._found().items() if comment.startswith(MARK) or _is_staged(t))

    def drop(self, table: str) -> None:
        """Drops a table, if it is there."""
        self.execute(f"DROP TABLE IF EXISTS {self.name(table)}")
        self._found().pop(table, None)

    def rename(self, old: str, new: str, without: Sequence[str] = ()) -> None:
        """Gives a table another name, and takes columns away."""
        for column in without:
            self.execute(f'ALTER TABLE {self.name(old)} DROP COLUMN "{column}"')
        self.execute(f'ALTER TABLE {self.name(old)} RENAME TO "{new}"')

    def put_in_place(self, table: str, mark: str, *, column: str = "", days: Sequence[date] = ()) -> None:
        """Puts the staged rows in the place of a table's, or of those of some days; readers see the old or the new ones.

        Args:
            table: The table. Views over it stay, unless its columns have changed.
            mark: Which write it holds then.
            column: The date column of the partitions; empty for the whole table.
            days: The partitions; the staged rows fit the table then.

        Raises:
            WarehouseError: The columns have changed, and a view of somebody else reads the table.
        """
        name, staged = self.name(table), self.name(STAGED_PREFIX + table)
        is_there = self.mark(table) is not None
        with self._transaction():
            if is_there and self.fits(table, is_part=bool(column)):
                of_days = f'WHERE "{column}" IN ({_listed(days)})' if column else ""
                columns = ", ".join(f'"{c}"' for c in self.columns(STAGED_PREFIX + table))
                self.execute(f"DELETE FROM {name} {of_days}")
                self.execute(f"INSERT INTO {name} ({columns}) SELECT {columns} FROM {staged}")
                self.execute(f"DROP TABLE {staged}")
            else:
                self.execute(f"DROP TABLE IF EXISTS {name}")
                self.execute(f'ALTER TABLE {staged} RENAME TO "{table}"')
            self.execute(f"COMMENT ON TABLE {name} IS '{MARK}{mark}'")
        self._found()[table] = MARK + mark
        self.execute(f"ANALYZE {name}")

    def delete(self, table: str, condition: str, mark: str) -> None:
        """Deletes rows of a table, which holds another write then."""
        with self._transaction():
            self.execute(f"DELETE FROM {self.name(table)} WHERE {condition}")
            self.execute(f"COMMENT ON TABLE {self.name(table)} IS '{MARK}{mark}'")
        self._found()[table] = MARK + mark

    def write_anew(self, table: str) -> None:
        """Writes a table's files anew, without the rows that were deleted."""
        self.execute(f"VACUUM (FULL, ANALYZE) {self.name(table)}")

    def fits(self, table: str, *, is_part: bool) -> bool:
        """Whether the staged rows have the columns of the table; a part of its days may lack some."""
        there, staged = self.columns(table), self.columns(STAGED_PREFIX + table)
        return staged.items() <= there.items() if is_part else staged == there

    def columns(self, table: str) -> dict[str, str]:
        """The columns of a table, with their types."""
        return dict(
            self.execute(
                "SELECT column_name::text, data_type::text FROM information_schema.columns "
                f"WHERE table_schema = '{self.schema}' AND table_name = '{table}' ORDER BY column_name"
            )
        )

    def _found(self) -> dict[str, str]:
        """The relations of the schema, with their comments."""
        if self._marks is None:
            self._marks = dict(
                self.execute(
                    "SELECT c.relname::text, coalesce(obj_description(c.oid, 'pg_class'), '') FROM pg_class c "
                    f"JOIN pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = '{self.schema}' "
                    "AND c.relkind IN ('r', 'p', 'v', 'm', 'f')"
                )
            )
        return self._marks

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        self.execute("BEGIN")
        try:
            yield
        except BaseException:
            self.execute("ROLLBACK")
            raise
        self.execute("COMMIT")

    @property
    def _connection(self) -> Any:
        if self._opened is None:
            driver = import_module("adbc_driver_postgresql.dbapi")
            address = self.address
            with self._told():
                self._opened = driver.connect(address, autocommit=True)
            try:
                self._begin()
            except BaseException:
                self.close()
                raise
        return self._opened

    def _begin(self) -> None:
        for statement in _SESSION:
            self.execute(statement)
        if self.execute(f"SELECT pg_try_advisory_lock(hashtext('cx-intel {self.schema}'))") != [(True,)]:
            raise WarehouseError(
                f"Another run of cx-intel, of another home, writes {self.place}. "
                "A schema belongs to one home: state another `in_schema` in `warehouse`."
            )
        schema = f'"{self.schema}"'
        if not self.execute(f"SELECT 1 FROM pg_namespace WHERE nspname = '{self.schema}'"):
            self.execute(f"CREATE SCHEMA {schema}")
        self.execute(f"SET search_path = {schema}, public")
        for name in TRIED.values():
            self.execute(_TRY.format(schema=schema, name=name))

    @contextmanager
    def _told(self) -> Iterator[None]:
        driver = import_module("adbc_driver_postgresql.dbapi")
        try:
            yield
        except driver.Error as error:
            said = " ".join(without_secrets(str(error), self.address).split())
            to_do = " Drop the views that read it, and make them again after the next refresh."
            is_read = error.sqlstate == DEPENDENT
            raise WarehouseError(f"PostgreSQL, {self.place}: {said}{to_do if is_read else ''}") from None


def _is_staged(table: str) -> bool:
    return table.startswith(STAGED_PREFIX)


def _listed(days: Sequence[date]) -> str:
    return ", ".join(f"DATE '{day.isoformat()}'" for day in days) or "NULL"
