"""What a warehouse remembers beside its tables: what each day was built from, and what checks found."""

from collections.abc import Mapping
from datetime import date

import pandas as pd

from cx_intel.warehouse.duckdb.database import Database

STATE_SCHEMA = "cx_state"
DAY_STATE = "day_state"
CHECK_RESULTS = "check_results"
WHOLE = "whole"
"""Stands in place of what a day was built from for a table that is kept whole."""


class RememberingDatabase(Database):
    """An open DuckDB file with the tables of `cx_state`."""

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
        name = f"{STATE_SCHEMA}.{CHECK_RESULTS}"
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
