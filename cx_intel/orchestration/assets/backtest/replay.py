"""The snapshot tables of past days once more, from what was known on them, beside those that stand in the warehouse.

The models are those of a refresh, run by the same steps; here is only decided what they read. What was known is worked
out in `cx_intel.models.backtest.known`; which days are wanted for the back-test, in `tables.py` beside this module.
"""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

import ibis
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
from cx_intel.warehouse.protocol import ASIDE_DAY, Rows, Warehouse

SCORED = ("account_snapshot", "source_freshness", *HEALTH)
"""The snapshots that a score is made of, in no order."""
HISTORY, PERIODS, LEDGER, RESTATED = "account_history", "subscription_periods", "revenue_ledger", "restatements"


@dataclass
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
    _made: dict[str, ir.Table] = field(default_factory=dict, init=False)

    def of_day(self, as_of: date, tables: Collection[str] = SCORED) -> dict[str, ir.Table]:
        """As `of_days`, of a single day: the rows have the columns of their tables alone."""
        made = self.of_days((as_of,), tables)
        return {table: self._on(rows, as_of) for table, rows in made.items()}

    def of_days(self, days: Sequence[date], tables: Collection[str] = SCORED) -> dict[str, ir.Table]:
        """The rows of these tables on several days, and what was known then of accounts, contracts and the ledger.

        Snapshots that are not named are read as they stand in the warehouse, where a model wants them. The tables stand
        until the next days are made.

        Args:
            days: The days.
            tables: Names of tables of the portfolio that are made for a day; those that it has not are left out.

        Returns:
            Table: its rows, with the day of each as `ASIDE_DAY`.

        Raises:
            ValueError: The portfolio has no health block, and tables of health are wanted.
        """
        self._made = {}
        self._put_known_aside(days)
        for step in steps_of(self.portfolio):
            if step.table in tables and step.table not in self._made:
                self._put_aside(step.table, self._maker(step), days)
        return dict(self._made)

    def _maker(self, step: Step) -> Callable[[date], Rows]:
        runner = StepRunner(step, self.portfolio, self.warehouse)
        read = [i.parameter for i in step.inputs if i.parameter in self._made]
        return lambda day: runner.model(day, only={table: self._on(self._made[table], day) for table in read})

    def _put_known_aside(self, days: Sequence[date]) -> None:
        portfolio, warehouse = self.portfolio, self.warehouse

        def of(day: date) -> dict[str, Any]:
            return {"portfolio": portfolio, "as_of": day}

        def ledger(day: date) -> ir.Table:
            horizon = horizon_of(*(self._input(t, day) for t in (PERIODS, "stg_invoices", "stg_mrr_history")), **of(day))
            return revenue_ledger_known_on(warehouse.table(LEDGER), warehouse.table(RESTATED), horizon, **of(day))

        self._put_aside(HISTORY, lambda day: account_history_known_on(warehouse.table(HISTORY), **of(day)), days)
        if "subscriptions" in portfolio.tables:
            periods = warehouse.table(PERIODS)
            self._put_aside(PERIODS, lambda day: subscription_periods_known_on(periods, **of(day)), days)
        self._put_aside(LEDGER, ledger, days)
        self._put_aside(
            "fct_revenue", lambda day: fct_revenue(self._on(self._made[LEDGER], day), portfolio=portfolio), days
        )

    def _input(self, table: str, day: date) -> ir.Table:
        if table in self._made:
            return self._on(self._made[table], day)
        if table.removeprefix("stg_") in self.portfolio.tables:
            return self.warehouse.table(table)
        return contract_of(table, self.portfolio).no_rows()

    def _put_aside(self, table: str, make: Callable[[date], Rows], days: Sequence[date]) -> None:
        schema = contract_of(table, self.portfolio).schema()
        self._made[table] = self.warehouse.put_aside(f"{self.prefix}_{table}", make, days, schema)

    @staticmethod
    def _on(rows: ir.Table, day: date) -> ir.Table:
        return rows.filter(rows[ASIDE_DAY] == ibis.literal(day)).drop(ASIDE_DAY)
