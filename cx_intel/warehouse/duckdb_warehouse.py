"""Tables in a DuckDB file: staged first, then put in the old one's place in a single transaction.

A reader sees a table either as it was or as it is, never in between, however the writer ends. Which rows are written,
and whether they may be, is decided by the callers (`cx_intel.orchestration`); text of SQL is written here alone.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any, TypeAlias

import duckdb
import ibis
import ibis.expr.operations as ops
import ibis.expr.types as ir
import pandas as pd
from ibis.backends.duckdb import Backend
from ibis.common.exceptions import TableNotFound

from cx_intel.warehouse.errors import WarehouseError

STAGED_PREFIX = "_staged_"
STATE_SCHEMA = "cx_state"
DAY_STATE = "day_state"
CHECK_RESULTS = "check_results"
AS_OF = "as_of"
"""The partition column of snapshots."""
MADE = "made"
"""Stands for what a snapshot was built from where nobody says."""
WHOLE = "whole"
"""Stands in place of what a day was built from for a table that is kept whole."""
LATEST_SUFFIX = "_latest"
"""Ends the name of the view of a table's newest snapshot."""


@dataclass(frozen=True)
class Query:
    """Rows as the SQL that makes them, with the columns and types that they are to have."""

    sql: str


Rows: TypeAlias = ir.Table | pd.DataFrame


class DuckDBWarehouse:
    """One open DuckDB file: the single connection of the process, shared by whoever opens the same path."""

    def __init__(self, path: Path, connection: duckdb.DuckDBPyConnection):
        self.path = path
        self._connection = connection
        self.backend: Backend = ibis.duckdb.from_connection(connection)
        self._seen: dict[tuple[str, str], ir.Table] = {}
        self._prepared: set[str] = set()

    def close(self) -> None:
        self._connection.close()

    def exists(self, schema: str, table: str) -> bool:
        try:
            self.table(schema, table)
        except WarehouseError:
            return False
        return True

    def tables(self, schema: str) -> list[str]:
        """The names of the schema's tables, staged ones left out."""
        found = self._connection.execute(
            "SELECT table_name FROM information_schema.tables WHERE table_schema = ? AND table_type = 'BASE TABLE' "
            "AND NOT starts_with(table_name, ?) ORDER BY 1",
            [schema, STAGED_PREFIX],
        )
        return [name for (name,) in found.fetchall()]

    def table(self, schema: str, table: str) -> ir.Table:
        """The table as an expression; nothing is read yet. Raises WarehouseError when it is not there.

        Its columns are asked for once until this warehouse changes them; no other process can, while it is open.
        """
        if (schema, table) not in self._seen:
            try:
                self._seen[schema, table] = self.backend.table(table, database=schema)
            except TableNotFound:
                text = f"There is no table {schema}.{table} in {self.path}. Materialize that asset first."
                raise WarehouseError(text) from None
        return self._seen[schema, table]

    def expect(self, schema: str, table: str, columns: ibis.Schema) -> None:
        """Takes the table as there with these columns, for compiling alone."""
        self._seen[schema, table] = self._expression(schema, table, columns)

    def _expression(self, schema: str, table: str, columns: ibis.Schema) -> ir.Table:
        """The table as an expression, where its columns are known already."""
        namespace = ops.Namespace(database=schema)
        return ops.DatabaseTable(table, schema=columns, source=self.backend, namespace=namespace).to_expr()

    def rows(self, asked: ir.Table | Query) -> list[dict[str, Any]]:
        """The rows of an expression or a query as Python values: for a few of them cheaper than a frame."""
        answer = self._connection.execute(self.sql(asked))
        columns = [column[0] for column in answer.description or ()]
        return [dict(zip(columns, row, strict=True)) for row in answer.fetchall()]

    def count(self, rows: ir.Table) -> int:
        """How many rows an expression has."""
        return int(self.rows(rows.agg(count=rows.count()))[0]["count"])

    def stage(
        self, schema: str, table: str, parts: Iterable[Rows | Query], like: ibis.Schema | None = None
    ) -> ir.Table:
        """Writes the parts, one after the other, beside the table that they are to replace; returns what was staged.

        The parts are made lazily, so that a later one may read the staged table of the earlier ones.

        Args:
            schema: The portfolio.
            table: The table to be replaced.
            parts: Rows of the same columns.
            like: The columns and types; default: those of the first part.
        """
        name = STAGED_PREFIX + table
        self._ensure_schema(schema)
        self._prepare_state()
        self.discard(schema, table)  # what a run that was killed has left
        # `overwrite=True` would fill a table of a passing name, which stays behind when the disk is full
        if like is not None:
            to_text = self.backend.compiler.type_mapper.to_string
            columns = ", ".join(f'"{column}" {to_text(kind)}' for column, kind in like.items())
            self._connection.execute(f"CREATE TABLE {_quoted(schema, name)} ({columns})")
            self.expect(schema, name, like)
        for number, part in enumerate(parts):
            if like is None and number == 0:
                assert not isinstance(part, Query)
                self.backend.create_table(name, obj=_as_expression(part, like), database=schema)
            else:  # Ibis' own `insert` parses the SQL that it has just written
                self._connection.execute(f"INSERT INTO {_quoted(schema, name)} BY NAME {self.sql(part, like)}")
        return self.staged(schema, table)

    def sql(self, rows: Rows | Query, like: ibis.Schema | None = None) -> str:
        """The query that makes the rows, with the columns and types of `like`."""
        if isinstance(rows, Query):
            return rows.sql
        expression = _as_expression(rows, like)
        self.backend._run_pre_execute_hooks(expression)
        return self.backend.compile(expression)

    def staged(self, schema: str, table: str) -> ir.Table:
        """What is staged for the table so far."""
        return self.table(schema, STAGED_PREFIX + table)

    def swap(
        self,
        schema: str,
        table: str,
        *,
        column: str = "",
        days: Sequence[date] = (),
        state: dict[date, str] | None = None,
        stands_at: date | None = None,
    ) -> None:
        """Puts what is staged in the place of the table, or of the partitions of the given days; one transaction.

        Args:
            schema: The portfolio.
            table: The table.
            column: The date column of the partitions; empty for the whole table.
            days: The partitions; their old rows go, whether or not there are new ones.
            state: For each day, what it was built from; remembered in the same transaction.
            stands_at: The as_of of a whole table; remembered likewise.
        """
        name, staged = _quoted(schema, table), _quoted(schema, STAGED_PREFIX + table)
        columns = self.staged(schema, table).schema()
        replaces_whole = not column or not self.exists(schema, table)
        with self.transaction():
            if replaces_whole:
                # never CREATE TABLE AS an empty result and fill it in one transaction: DuckDB 2.0.0 then keeps
                # statistics without a minimum, and filters on the table find nothing
                self._connection.execute(f"DROP TABLE IF EXISTS {name}")
                self._connection.execute(f'ALTER TABLE {staged} RENAME TO "{table}"')
            else:
                self._match_columns(schema, table)
                listed = ", ".join(f"DATE '{day.isoformat()}'" for day in days)
                if listed:
                    self._connection.execute(f'DELETE FROM {name} WHERE "{column}" IN ({listed})')
                self._connection.execute(f"INSERT INTO {name} BY NAME SELECT * FROM {staged}")
                self._connection.execute(f"DROP TABLE {staged}")
            made = dict.fromkeys(days, MADE) if column == AS_OF else {}
            for day, built_from in (made | (state or {})).items():
                self._remember(schema, table, day, built_from)
            if stands_at is not None:
                self._forget(schema, table)
                self._remember(schema, table, stands_at, WHOLE)
            if column == AS_OF:
                self._show_latest(schema, table)
        for changed in (STAGED_PREFIX + table, table + LATEST_SUFFIX):
            self._seen.pop((schema, changed), None)
        if replaces_whole:
            self.expect(schema, table, columns)

    def delete_before(self, schema: str, table: str, column: str, first: date) -> int:
        """Removes the rows of days before `first`; what those days were built from stays remembered. How many."""
        found = self._connection.execute(
            f"DELETE FROM {_quoted(schema, table)} WHERE \"{column}\" < DATE '{first.isoformat()}'"
        ).fetchall()
        return int(found[0][0])

    def discard(self, schema: str, table: str) -> None:
        """Forgets what is staged for the table."""
        self._seen.pop((schema, STAGED_PREFIX + table), None)
        self._connection.execute(f"DROP TABLE IF EXISTS {_quoted(schema, STAGED_PREFIX + table)}")

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All or nothing of what is executed inside."""
        self._connection.execute("BEGIN TRANSACTION")
        try:
            yield
        except BaseException:
            self._seen.clear()
            self._connection.execute("ROLLBACK")
            raise
        self._connection.execute("COMMIT")

    def day_contents(self, rows: ir.Table, column: str) -> dict[date, str]:
        """A fingerprint of the rows of each day, whatever their order: equal rows, equal fingerprint."""
        self.backend.create_view("_cx_days", rows, overwrite=True, database="main")
        found = self._connection.execute(
            f"SELECT \"{column}\", count(*)::VARCHAR || ':' || bit_xor(hash(d))::VARCHAR "
            f'FROM main._cx_days AS d WHERE "{column}" IS NOT NULL GROUP BY 1'
        ).fetchall()
        self._connection.execute("DROP VIEW main._cx_days")
        return dict(found)

    def day_state(self, schema: str, table: str) -> dict[date, str]:
        """What each day of the table was built from."""
        if not self.exists(STATE_SCHEMA, DAY_STATE):
            return {}
        found = self._connection.execute(
            f"SELECT day, built_from FROM {STATE_SCHEMA}.{DAY_STATE} WHERE schema_name = ? AND table_name = ?",
            [schema, table],
        )
        return dict(found.fetchall())

    def record_checks(self, rows: pd.DataFrame) -> None:
        """Remembers what the checks of a table found, in place of what they found before.

        Args:
            rows: One a check: schema_name, table_name, check_name, passed, severity, failed_rows, total_rows, rule,
                what_to_do, as_of, checked_at.
        """
        self._prepare_state()
        name = _quoted(STATE_SCHEMA, CHECK_RESULTS)
        if not self.exists(STATE_SCHEMA, CHECK_RESULTS):
            self._connection.execute(
                f"CREATE TABLE {name} (schema_name VARCHAR, table_name VARCHAR, check_name VARCHAR, "
                "passed BOOLEAN, severity VARCHAR, failed_rows BIGINT, total_rows BIGINT, rule VARCHAR, "
                "what_to_do VARCHAR, as_of DATE, checked_at TIMESTAMP)"
            )
        tables = {(row.schema_name, row.table_name) for row in rows.itertuples()}
        with self.transaction():
            for schema, table in tables:
                self._connection.execute(
                    f"DELETE FROM {name} WHERE schema_name = ? AND table_name = ?", [schema, table]
                )
            self._connection.register("_cx_checks", rows)
            self._connection.execute(f"INSERT INTO {name} BY NAME FROM _cx_checks")
            self._connection.unregister("_cx_checks")

    def remember(self, schema: str, table: str, state: Mapping[date, str]) -> None:
        """Remembers what each day was built from, beside the tables that are swapped in."""
        self._prepare_state()
        with self.transaction():
            for day, built_from in state.items():
                self._remember(schema, table, day, built_from)

    def stands_at(self, schema: str, table: str) -> date | None:
        """The as_of that a whole table was last built for."""
        return next(iter(self.day_state(schema, table)), None)

    def newest(self, schema: str) -> date | None:
        """The newest as_of that any whole table of the portfolio stands at."""
        if not self.exists(STATE_SCHEMA, DAY_STATE):
            return None
        found = self._connection.execute(
            f"SELECT max(day) FROM {STATE_SCHEMA}.{DAY_STATE} WHERE schema_name = ? AND built_from = ?",
            [schema, WHOLE],
        ).fetchall()
        return found[0][0] if found else None

    def _forget(self, schema: str, table: str) -> None:
        self._connection.execute(
            f"DELETE FROM {STATE_SCHEMA}.{DAY_STATE} WHERE schema_name = ? AND table_name = ?", [schema, table]
        )

    def _remember(self, schema: str, table: str, day: date, built_from: str) -> None:
        self._connection.execute(
            f"DELETE FROM {STATE_SCHEMA}.{DAY_STATE} WHERE schema_name = ? AND table_name = ? AND day = ?",
            [schema, table, day],
        )
        self._connection.execute(
            f"INSERT INTO {STATE_SCHEMA}.{DAY_STATE} VALUES (?, ?, ?, ?)", [schema, table, day, built_from]
        )

    def _prepare_state(self) -> None:
        self._ensure_schema(STATE_SCHEMA)
        if not self.exists(STATE_SCHEMA, DAY_STATE):
            self._connection.execute(
                f"CREATE TABLE {STATE_SCHEMA}.{DAY_STATE} "
                "(schema_name VARCHAR, table_name VARCHAR, day DATE, built_from VARCHAR)"
            )

    def _ensure_schema(self, schema: str) -> None:
        if schema not in self._prepared:
            self._connection.execute(f'CREATE SCHEMA IF NOT EXISTS "{schema}"')
            self._prepared.add(schema)

    def _columns(self, schema: str, table: str) -> dict[str, str]:
        found = self._connection.execute(
            "SELECT column_name, data_type FROM information_schema.columns "
            "WHERE table_schema = ? AND table_name = ? ORDER BY ordinal_position",
            [schema, table],
        )
        return dict(found.fetchall())

    def _match_columns(self, schema: str, table: str) -> None:
        """Gives the table the columns of what is staged for it; columns that went stay, null in new partitions.

        A type changes only to one that holds the old values too: a day of whole numbers does not cut the fractions of
        the days before.
        """
        if self.staged(schema, table).schema() == self.table(schema, table).schema():
            return
        self._seen.pop((schema, table))
        name, staged = _quoted(schema, table), _quoted(schema, STAGED_PREFIX + table)
        new = self._columns(schema, STAGED_PREFIX + table)
        old = self._columns(schema, table)
        for column, kind in new.items():
            if column not in old:
                self._connection.execute(f'ALTER TABLE {name} ADD COLUMN "{column}" {kind}')
            elif old[column] != kind and self._has_value(staged, column):
                described = self._connection.execute(
                    f'DESCRIBE SELECT "{column}" FROM {name} UNION ALL SELECT "{column}" FROM {staged}'
                ).fetchall()
                if (common := described[0][1]) != old[column]:
                    self._connection.execute(f'ALTER TABLE {name} ALTER COLUMN "{column}" TYPE {common}')

    def _has_value(self, name: str, column: str) -> bool:
        """A column without any value says nothing about its type."""
        found = self._connection.execute(f'SELECT 1 FROM {name} WHERE "{column}" IS NOT NULL LIMIT 1')
        return bool(found.fetchall())

    def _show_latest(self, schema: str, table: str) -> None:
        """Shows the newest snapshot in a view; it names the day, because the newest may have no rows at all."""
        newest = max(self.day_state(schema, table))
        self._connection.execute(
            f"CREATE OR REPLACE VIEW {_quoted(schema, table + LATEST_SUFFIX)} AS "
            f"SELECT * FROM {_quoted(schema, table)} WHERE as_of = DATE '{newest.isoformat()}'"
        )


def _quoted(schema: str, table: str) -> str:
    return f'"{schema}"."{table}"'


def _as_expression(rows: Rows, like: ibis.Schema | None) -> ir.Table:
    table = ibis.memtable(with_known_types(rows)) if isinstance(rows, pd.DataFrame) else rows
    if like is None:
        return table
    return table.select(**{name: table[name].cast(kind) for name, kind in like.items()})


def with_known_types(frame: pd.DataFrame) -> pd.DataFrame:
    """Columns without any value become text, and times microseconds: DuckDB has types of its own for both."""
    changes: dict[str, str] = {}
    for column, kind in frame.dtypes.items():
        if str(kind) == "object" and frame[column].isna().all():
            changes[str(column)] = "string"
        elif str(kind).startswith("datetime64["):
            changes[str(column)] = "datetime64[us]"
    return frame.astype(changes)
