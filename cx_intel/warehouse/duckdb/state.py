"""What is remembered beside the tables of a schema: what each day was built from, and what checks found.

It is kept in tables of a schema of its own, `cx_state`, in the same file and the same transactions. The tables
themselves are replaced in `warehouse.py`.
"""

from collections.abc import Mapping, Sequence
from datetime import date

import ibis.expr.types as ir
import pandas as pd

from cx_intel.warehouse.duckdb import writes
from cx_intel.warehouse.duckdb.database import Database
from cx_intel.warehouse.duckdb.writes import STATE_SCHEMA

DAY_STATE = "day_state"
CHECK_RESULTS = "check_results"
WHOLE = "whole"
"""Stands in place of what a day was built from for a table that is kept whole."""
_DAYS = f"{STATE_SCHEMA}.{DAY_STATE}"
_CHECKS = f"{STATE_SCHEMA}.{CHECK_RESULTS}"


class SchemaState:
    """What is remembered of the tables of one schema of an open file."""

    def __init__(self, database: Database, schema: str):
        self.database = database
        self.schema = schema

    def day_state(self, table: str) -> dict[date, str]:
        if not self.database.exists(STATE_SCHEMA, DAY_STATE):
            return {}
        found = self.database.connection.execute(
            f"SELECT day, built_from FROM {_DAYS} WHERE schema_name = ? AND table_name = ?", [self.schema, table]
        )
        return dict(found.fetchall())

    def remember(self, table: str, state: Mapping[date, str]) -> None:
        self._prepare_state()
        with self.database.transaction():
            self._remember(table, state)

    def stands_at(self, table: str) -> date | None:
        return next(iter(self.day_state(table)), None)

    def newest(self) -> date | None:
        if not self.database.exists(STATE_SCHEMA, DAY_STATE):
            return None
        found = self.database.connection.execute(
            f"SELECT max(day) FROM {_DAYS} WHERE schema_name = ? AND built_from = ?", [self.schema, WHOLE]
        ).fetchall()
        return found[0][0] if found else None

    def record_checks(self, rows: pd.DataFrame) -> None:
        connection = self.database.connection
        self._prepare_state()
        if not self.database.exists(STATE_SCHEMA, CHECK_RESULTS):
            connection.execute(
                f"CREATE TABLE {_CHECKS} (schema_name VARCHAR, table_name VARCHAR, check_name VARCHAR, "
                "passed BOOLEAN, severity VARCHAR, failed_rows BIGINT, total_rows BIGINT, rule VARCHAR, "
                "what_to_do VARCHAR, as_of DATE, checked_at TIMESTAMP)"
            )
        with self.database.transaction():
            for table in sorted(set(rows["table_name"])):
                connection.execute(
                    f"DELETE FROM {_CHECKS} WHERE schema_name = ? AND table_name = ?", [self.schema, table]
                )
            connection.register("_cx_checks", rows.assign(schema_name=self.schema))
            connection.execute(f"INSERT INTO {_CHECKS} BY NAME FROM _cx_checks")
            connection.unregister("_cx_checks")

    def check_results(self) -> ir.Table | None:
        if not self.database.exists(STATE_SCHEMA, CHECK_RESULTS):
            return None
        results = self.database.table(STATE_SCHEMA, CHECK_RESULTS)
        return results.filter(results.schema_name == self.schema).drop("schema_name")

    def _forget(self, table: str) -> None:
        self.database.connection.execute(
            f"DELETE FROM {_DAYS} WHERE schema_name = ? AND table_name = ?", [self.schema, table]
        )

    def _forget_days(self, table: str, days: Sequence[date]) -> None:
        self.database.connection.execute(
            f"DELETE FROM {_DAYS} WHERE schema_name = ? AND table_name = ? AND day IN (SELECT unnest(?::DATE[]))",
            [self.schema, table, list(days)],
        )

    def _remember(self, table: str, state: Mapping[date, str]) -> None:
        if not state:
            return
        days, built_from = list(state), list(state.values())
        self._forget_days(table, days)
        self.database.connection.execute(
            f"INSERT INTO {_DAYS} SELECT ?, ?, unnest(?::DATE[]), unnest(?::VARCHAR[])",
            [self.schema, table, days, built_from],
        )

    def _prepare_state(self) -> None:
        self.database.ensure_schema(STATE_SCHEMA)
        if not self.database.keeps_writes():
            writes.prepare(self.database.connection)
        if not self.database.exists(STATE_SCHEMA, DAY_STATE):
            self.database.connection.execute(
                f"CREATE TABLE {_DAYS} (schema_name VARCHAR, table_name VARCHAR, day DATE, built_from VARCHAR)"
            )
