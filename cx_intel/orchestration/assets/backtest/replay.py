"""The snapshot tables of one day once more, from what was known on it, beside those that stand in the warehouse.

The models are those of a refresh, run by the same steps; here is only decided what they read. What was known is worked
out in `cx_intel.models.backtest.known`; which days are wanted for the back-test, in `tables.py` beside this module.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

import ibis.expr.types as ir

from cx_intel.contracts.catalog import HEALTH, contract_of
from cx_intel.models.backtest.known import (
    account_history_known_on,
    revenue_ledger_known_on,
    subscription_periods_known_on,
)
from cx_intel.models.revenue.horizon import horizon_of
from cx_intel.models.revenue.ledger import fct_revenue
from cx_intel.orchestration.assets.graph import Step, steps_of
from cx_intel.orchestration.assets.steps import StepRunner
from cx_intel.settings.portfolio import Portfolio
from cx_intel.warehouse.protocol import Rows, Warehouse

SCORED = ("account_snapshot", "source_freshness", *HEALTH)
"""The snapshots that a score is made of, in no order."""
HISTORY, PERIODS, LEDGER, RESTATED = "account_history", "subscription_periods", "revenue_ledger", "restatements"


@dataclass(frozen=True)
class Replay:
    """Makes snapshots of past days, or of today under other settings; nothing of it stays when the warehouse is closed.

    Attributes:
        portfolio: The settings that judge: those of the warehouse's tables, but for `health` and what follows from it.
        warehouse: Where the tables lie; it may be open for reading only.
        prefix: Begins the names under which rows are put aside, so that two replays may stand beside each other.
    """

    portfolio: Portfolio
    warehouse: Warehouse
    prefix: str = "replayed"

    def of_day(self, as_of: date, tables: Collection[str] = SCORED) -> dict[str, ir.Table]:
        """The rows of these tables on a day, and what was known then of accounts, contracts and the ledger.

        Snapshots that are not named are read as they stand in the warehouse, where a model wants them. The tables stand
        until the next day is made.

        Args:
            as_of: The day.
            tables: Names of tables of the portfolio that are made for a day; those that it has not are left out.

        Raises:
            ValueError: The portfolio has no health block, and tables of health are wanted.
        """
        made = self._known_on(as_of)
        for step in self._steps(tables):
            if step.table not in made:
                made[step.table] = self._put_aside(step.table, self._rows(step, as_of, made))
        return made

    def _steps(self, tables: Collection[str]) -> list[Step]:
        return [step for step in steps_of(self.portfolio) if step.table in tables]

    def _rows(self, step: Step, as_of: date, made: Mapping[str, ir.Table]) -> Rows:
        return StepRunner(step, self.portfolio, self.warehouse).model(as_of, only=made)

    def _known_on(self, as_of: date) -> dict[str, ir.Table]:
        portfolio, warehouse = self.portfolio, self.warehouse
        of: dict[str, Any] = {"portfolio": portfolio, "as_of": as_of}
        made = {HISTORY: self._put_aside(HISTORY, account_history_known_on(warehouse.table(HISTORY), **of))}
        if "subscriptions" in portfolio.tables:
            periods = subscription_periods_known_on(warehouse.table(PERIODS), **of)
            made[PERIODS] = self._put_aside(PERIODS, periods)
        inputs = [made.get(table, self._staged(table)) for table in (PERIODS, "stg_invoices", "stg_mrr_history")]
        horizon = horizon_of(*inputs, **of)
        ledger = revenue_ledger_known_on(warehouse.table(LEDGER), warehouse.table(RESTATED), horizon, **of)
        ledger = self._put_aside(LEDGER, ledger)
        made["fct_revenue"] = self._put_aside("fct_revenue", fct_revenue(ledger, portfolio=portfolio))
        return made

    def _staged(self, table: str) -> ir.Table:
        if table.removeprefix("stg_") in self.portfolio.tables:
            return self.warehouse.table(table)
        return contract_of(table, self.portfolio).no_rows()

    def _put_aside(self, table: str, rows: Rows) -> ir.Table:
        return self.warehouse.keep_for_now(f"{self.prefix}_{table}", rows, contract_of(table, self.portfolio).schema())
