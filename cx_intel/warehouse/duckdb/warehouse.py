"""Tables in a DuckDB file: staged first, then put in the old one's place in a single transaction.

A reader sees a table either as it was or as it is, never in between, however the writer ends. Which rows are written,
and whether they may be, is decided by the callers (`cx_intel.orchestration`); text of SQL is written in this package alone.
"""

from collections.abc import Iterable, Sequence
from datetime import date

import ibis
import ibis.expr.types as ir

from cx_intel.warehouse.duckdb.database import STAGED_PREFIX, Rows, as_expression, quoted
from cx_intel.warehouse.duckdb.state import WHOLE, RememberingDatabase

AS_OF = "as_of"
"""The partition column of snapshots."""
MADE = "made"
"""Stands for what a snapshot was built from where nobody says."""
LATEST_SUFFIX = "_latest"
"""Ends the name of the view of a table's newest snapshot."""


class DuckDBWarehouse(RememberingDatabase):
    """One open DuckDB file: the single connection of the process, shared by whoever opens the same path."""

    def stage(self, schema: str, table: str, parts: Iterable[Rows], like: ibis.Schema | None = None) -> ir.Table:
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
            self._connection.execute(f"CREATE TABLE {quoted(schema, name)} ({columns})")
            self.expect(schema, name, like)
        for number, part in enumerate(parts):
            if like is None and number == 0:
                self.backend.create_table(name, obj=as_expression(part, like), database=schema)
            else:  # Ibis' own `insert` parses the SQL that it has just written
                self._connection.execute(f"INSERT INTO {quoted(schema, name)} BY NAME {self.sql(part, like)}")
        return self.staged(schema, table)

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
        name, staged = quoted(schema, table), quoted(schema, STAGED_PREFIX + table)
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
            f"DELETE FROM {quoted(schema, table)} WHERE \"{column}\" < DATE '{first.isoformat()}'"
        ).fetchall()
        return int(found[0][0])

    def discard(self, schema: str, table: str) -> None:
        """Forgets what is staged for the table."""
        self._seen.pop((schema, STAGED_PREFIX + table), None)
        self._connection.execute(f"DROP TABLE IF EXISTS {quoted(schema, STAGED_PREFIX + table)}")

    def day_contents(self, rows: ir.Table, column: str) -> dict[date, str]:
        """A fingerprint of the rows of each day, whatever their order: equal rows, equal fingerprint."""
        self.backend.create_view("_cx_days", rows, overwrite=True, database="main")
        found = self._connection.execute(
            f"SELECT \"{column}\", count(*)::VARCHAR || ':' || bit_xor(hash(d))::VARCHAR "
            f'FROM main._cx_days AS d WHERE "{column}" IS NOT NULL GROUP BY 1'
        ).fetchall()
        self._connection.execute("DROP VIEW main._cx_days")
        return dict(found)

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
        name, staged = quoted(schema, table), quoted(schema, STAGED_PREFIX + table)
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
            f"CREATE OR REPLACE VIEW {quoted(schema, table + LATEST_SUFFIX)} AS "
            f"SELECT * FROM {quoted(schema, table)} WHERE as_of = DATE '{newest.isoformat()}'"
        )
