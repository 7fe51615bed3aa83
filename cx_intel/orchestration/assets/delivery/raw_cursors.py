"""Brings in a query that is read by a cursor: its new rows take the place of those with their key in the raw table.

Events of a query at a cluster come in here without a cursor too: all of them, each time.

Events are kept by their day, so that only the days of new rows are judged again; other tables are staged whole. How rows
are fetched is in `cx_intel.warehouse.duckdb.files.by_cursor`; how other raw tables come in, in `raw.py`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from cx_intel.contracts.contract import Kind
from cx_intel.contracts.staging.tables import STAGING
from cx_intel.models.staging.event_days import with_event_day
from cx_intel.orchestration.assets.delivery.admission import admit_staged, refuse_unknown_currencies
from cx_intel.orchestration.assets.unchanged import UNCHANGED
from cx_intel.privacy.guard import Guard
from cx_intel.settings.portfolio import Portfolio
from cx_intel.settings.sources.sql import SqlSource
from cx_intel.warehouse.fetched import Fetch
from cx_intel.warehouse.protocol import Warehouse


@dataclass(frozen=True)
class CursorDelivery:
    """A query that is read by a cursor, and the raw table that holds its rows.

    Attributes:
        source: The query.
        part: The name of what it delivers.
        kind: How the raw table is kept.
        portfolio: Whose source.
        variables: Give the address of the connection.
        guard: Keeps the erased out.
        warehouse: Where the rows go; a transaction is open.
        reads_all: Everything is read, whatever was read before.
    """

    source: SqlSource
    part: str
    kind: Kind
    portfolio: Portfolio
    variables: Mapping[str, str]
    guard: Guard
    warehouse: Warehouse
    reads_all: bool = False

    def take(self, as_of: date) -> tuple[tuple[date, ...], dict[str, Any]]:
        """Fetches what is new into the raw table; the days that changed, and metadata that tells of the rows.

        Args:
            as_of: The day of the run, which a load is dated by.

        Raises:
            SourceError: The query fails or gives what cannot be read.
        """
        source, table, name = self.source, self.source.table, f"raw_{self.part}"
        fetch = self.warehouse.fetch(
            name,
            source,
            contract=STAGING[table](self.portfolio),
            environment=self.variables,
            zone=self.portfolio.time_zone,
            as_of=as_of,
            with_day=self._with_day if self.kind == "by_day" else None,
            reads_all=self.reads_all,
        )
        admit_staged(name, source, as_of, self.guard, self.warehouse, part=self.part, is_whole=fetch.is_whole)
        staged = self.warehouse.staged(name)
        refuse_unknown_currencies(table, staged, self.warehouse, self.portfolio)
        metadata = _metadata(fetch) | {"rows_new_or_changed": self.warehouse.count(staged)}
        key = source.cursor.key_of(table) if source.cursor else ()
        change = self.warehouse.merge(name, key, fetch, as_of)
        return change.days, metadata | ({} if change.is_changed else {UNCHANGED: True})

    def _with_day(self, rows: Any) -> Any:
        return with_event_day(rows, table=self.source.table, portfolio=self.portfolio)


def _metadata(fetch: Fetch) -> dict[str, Any]:
    found: dict[str, Any] = {
        "rows_fetched": fetch.rows,
        "read_whole": fetch.is_whole,
        "read_up_to": fetch.cursor.value if fetch.cursor else "",
        "rows_without_cursor": fetch.without_cursor,
        "rows_with_cursor_ahead": fetch.ahead,
        "ignored_columns": ", ".join(fetch.ignored_columns),
    }
    return {name: value for name, value in found.items() if value or name == "rows_fetched"}
