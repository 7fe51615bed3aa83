"""A warehouse with scores that are written back, and syncs of it with stand-ins, without a refresh.

The tables have the columns that a sync reads. Stand-ins: `planhat_writing.py`, `salesforce_writing.py`.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import Any

import pandas as pd

from cx_intel.settings.portfolio import Portfolio
from cx_intel.settings.yaml.loader import parse_portfolio
from cx_intel.sources.vendors.http import Clock
from cx_intel.sync.opening import opened_sync
from cx_intel.sync.sync import Outcome, Sync
from cx_intel.warehouse.duckdb.access.opening import writing
from cx_intel.warehouse.duckdb.warehouse import DuckDBWarehouse
from cx_intel_tests.helpers.planhat_writing import TENANT, TOKEN
from cx_intel_tests.helpers.vendor_server import StandIn

AS_OF = date(2025, 1, 31)
VARIABLES = {"PLANHAT_TOKEN": TOKEN, "PLANHAT_TENANT": TENANT}
SETTINGS = """
currency: {reporting: EUR}
sources:
  - {kind: files, table: accounts, path: "${CRM}/accounts.csv"}
  - {kind: files, table: subscriptions, path: "${CRM}/subscriptions.csv"}
  - {kind: files, table: identity_links, path: "${CRM}/links.csv"}
revenue: {basis: subscriptions}
health:
  version: small-1
  signals:
    mrr: {label: MRR, measure: {kind: mrr_change}}
  dimensions:
    usage: {weight: 1, signals: {mrr: {weight: 1, curve: {linear: {zero: 0, full: 20}}}}}
  tiers:
    levels:
      - {name: Green, at_least: 70, is_healthy: true}
      - {name: Amber, at_least: 40, is_healthy: false}
      - {name: Red, at_least: 0, is_healthy: false}
"""


def account(account_id: str, score: float | None, tier: str, **more: Any) -> dict[str, Any]:
    """The score of an account."""
    usage = more.pop("usage_score", score)
    told = {"as_of": AS_OF, "account_id": account_id, "health_score": score, "usage_score": usage, "health_tier": tier}
    return told | {"confirmed_tier": tier, "is_frozen": False, "is_cancelled": False, "current_mrr": 100.0} | more


class Book:
    """A warehouse file with the scores of some accounts.

    Attributes:
        accounts: As `account` makes them; written before each sync.
        events: Rows of lifecycle_events.
        drawn: Rows of hold_out_assignments: the account, the day, and whether it is held out.
    """

    def __init__(self, folder: Path, write_back: str, stand_in: StandIn, more: str = ""):
        self.folder, self.stand_in = folder, stand_in
        self.accounts: list[dict[str, Any]] = []
        self.events: list[dict[str, Any]] = []
        self.links: list[dict[str, Any]] = []
        self.drawn: list[dict[str, Any]] = []
        self.settings = SETTINGS + more + write_back
        self.variables: Mapping[str, str] = dict(VARIABLES)

    @property
    def portfolio(self) -> Portfolio:
        return parse_portfolio(self.settings, Path("book.yaml"))

    @contextmanager
    def warehouse(self) -> Iterator[DuckDBWarehouse]:
        with writing(self.folder / "warehouse.duckdb") as database:
            yield DuckDBWarehouse(database, "book")

    @contextmanager
    def opened(self) -> Iterator[Sync]:
        with self.warehouse() as warehouse:
            self.fill(warehouse)
            clock = Clock(lambda: self.stand_in.now, self.stand_in.sleep)  # type: ignore[attr-defined]
            with opened_sync(self.portfolio, warehouse, self.variables, self.folder, clock) as sync:
                yield sync

    def sync(self, operation: str = "sync", *, is_dry: bool = False, **more: Any) -> Outcome:
        with self.opened() as sync:
            sync.overwrites = more.pop("overwrites", False)
            outcome, audit = sync.plan(operation, **more)
            return outcome if is_dry else sync.run(outcome, audit)

    def fill(self, warehouse: DuckDBWarehouse) -> None:
        """Writes the tables that a sync reads."""
        scores = pd.DataFrame(self.accounts)
        pays = scores["current_mrr"] > 0
        for table, frame in (
            ("customer_health_scores", scores[pays].drop(columns=["is_cancelled", "current_mrr"])),
            ("account_snapshot", scores[["as_of", "account_id", "is_cancelled", "current_mrr"]]),
        ):
            warehouse.stage(table, [frame])
            warehouse.swap(table, column="as_of", days=[AS_OF])
        warehouse.stage("dim_account", [scores[["account_id"]]])
        warehouse.swap("dim_account", stands_at=AS_OF)
        given = {"lifecycle_events": self.events, "identity_map": self.links, "hold_out_assignments": self.drawn}
        for table, rows in given.items():
            if rows:
                warehouse.stage(table, [pd.DataFrame(rows)])
                warehouse.swap(table)

    def rows(self, table: str, *columns: str) -> list[tuple[Any, ...]]:
        with self.warehouse() as warehouse:
            found = warehouse.rows(warehouse.table(table).order_by(list(columns)).select(*columns))
        return [tuple(row.values()) for row in found]
