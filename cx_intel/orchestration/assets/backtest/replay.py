"""The snapshot tables of past days once more, from what was known on them, beside those that stand in the warehouse.

The models are those of a refresh, run by the same steps; here is only decided what they read. What was known is worked
out in `cx_intel.models.backtest.known`; which days are wanted for the back-test, in `past_days.py` beside this module.
"""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

import ibis
import ibis.expr.types as ir

from cx_intel.contracts.catalog import HEALTH, contract_of
from cx_intel.models.backtest.known import (
    COUNTED,
    account_history_known_on,
    revenue_ledger_known_on,
    source_freshness_known_on,
    subscription_periods_known_on,
    support_tickets_known_on,
)
from cx_intel.models.core.source_days import DatedRows, days_with_rows
from cx_intel.models.revenue.horizon import horizon_of
from cx_intel.models.revenue.ledger import fct_revenue
from cx_intel.orchestration.assets.graph import DAYS_OF_SOURCES, Step, steps_of
from cx_intel.orchestration.assets.steps import StepRunner
from cx_intel.settings.portfolio import Portfolio
from cx_intel.warehouse.protocol import ASIDE_DAY, Rows, Warehouse

SCORED = ("account_snapshot", "source_freshness", *HEALTH)
"""The snapshots that a score is made of, in no order."""
HISTORY, PERIODS, LEDGER, RESTATED = "account_history", "subscription_periods", "revenue_ledger", "restatements"
FRESHNESS, TICKETS = "source_freshness", "stg_support_tickets"


@dataclass
class Replay:
    """Makes snapshots of past days, or of today under other settings; nothing of it stays when the warehouse is closed.

    Attributes:
        portfolio: The settings that judge: those of the warehouse's tables, but for `health` and what follows from it.
        warehouse: Where the tables lie; it may be open for reading only.
        prefix: Begins the names under which rows are put aside, so that two replays may stand beside each other.
        only_begun: Signals of a source are missing on days that its rows do not reach back to; else as a refresh has it.
    """

    portfolio: Portfolio
    warehouse: Warehouse
    prefix: str = "replayed"
    only_begun: bool = False
    _made: dict[str, ir.Table] = field(default_factory=dict, init=False)

    def of_day(self, as_of: date, tables: Collection[str] = SCORED) -> dict[str, ir.Table]:
        """As `of_days`, of a single day: the rows have the columns of their tables alone."""
        made = self.of_days((as_of,), tables)
        return {table: on_day(rows, as_of) for table, rows in made.items()}

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

    def drop(self) -> None:
        """Drops all that it has put aside."""
        self._made = {}
        self.warehouse.drop_aside(f"{self.prefix}_")

    def _maker(self, step: Step) -> Callable[[date], Rows]:
        runner = StepRunner(step, self.portfolio, self.warehouse)
        read = [i.parameter for i in step.inputs if i.parameter in self._made]

        def make(day: date) -> Rows:
            return runner.model(day, only={table: on_day(self._made[table], day) for table in read})

        if step.table != FRESHNESS or not self.only_begun:
            return make
        begun = self._first_rows()
        of = self.portfolio
        return lambda day: source_freshness_known_on(_table(make(day)), begun, portfolio=of, as_of=day)

    def _put_known_aside(self, days: Sequence[date]) -> None:
        portfolio, warehouse = self.portfolio, self.warehouse

        def of(day: date) -> dict[str, Any]:
            return {"portfolio": portfolio, "as_of": day}

        def ledger(day: date) -> ir.Table:
            horizon = horizon_of(
                *(self._input(t, day) for t in (PERIODS, "stg_invoices", "stg_mrr_history")), **of(day)
            )
            return revenue_ledger_known_on(warehouse.table(LEDGER), warehouse.table(RESTATED), horizon, **of(day))

        self._put_aside(HISTORY, lambda day: account_history_known_on(warehouse.table(HISTORY), **of(day)), days)
        if "subscriptions" in portfolio.tables:
            periods = warehouse.table(PERIODS)
            self._put_aside(PERIODS, lambda day: subscription_periods_known_on(periods, **of(day)), days)
        if "ticket_status_history" in portfolio.tables:
            tickets = [warehouse.table(t) for t in (TICKETS, "stg_ticket_status_history")]
            self._put_aside(TICKETS, lambda day: support_tickets_known_on(*tickets, **of(day)), days)
        self._put_aside(LEDGER, ledger, days)
        self._put_aside(
            "fct_revenue", lambda day: fct_revenue(on_day(self._made[LEDGER], day), portfolio=portfolio), days
        )

    def _first_rows(self) -> ir.Table:
        """source_table, source_name, first_on of the sources whose rows signals count."""
        counted = [table for table in COUNTED if table in self.portfolio.tables]
        single = [table for table in counted if not self.portfolio.has_several(table)]
        parts = []
        if single:
            sources = [DatedRows(table, table, self.warehouse.table(f"stg_{table}")) for table in single]
            parts.append(days_with_rows(sources, self.portfolio))
        if len(single) < len(counted):
            kept = self.warehouse.table(DAYS_OF_SOURCES)
            parts.append(kept.filter(kept.source_table.isin(counted)).select(*_FIRST, "day", "rows"))
        if not parts:
            return ibis.memtable({}, schema={**dict.fromkeys(_FIRST, "string"), "first_on": "date"})
        days = ibis.union(*parts) if len(parts) > 1 else parts[0]
        first = days.group_by(*_FIRST).agg(first_on=days.day.min())
        schema = ibis.schema({**dict.fromkeys(_FIRST, "string"), "first_on": "date"})
        aside = self.warehouse.put_aside(f"{self.prefix}_first_rows", lambda _: first, [date.min], schema)
        return aside.drop(ASIDE_DAY)

    def _input(self, table: str, day: date) -> ir.Table:
        if table in self._made:
            return on_day(self._made[table], day)
        if table.removeprefix("stg_") in self.portfolio.tables:
            return self.warehouse.table(table)
        return contract_of(table, self.portfolio).no_rows()

    def _put_aside(self, table: str, make: Callable[[date], Rows], days: Sequence[date]) -> None:
        schema = contract_of(table, self.portfolio).schema()
        self._made[table] = self.warehouse.put_aside(f"{self.prefix}_{table}", make, days, schema)


_FIRST = ("source_table", "source_name")


def on_day(rows: ir.Table, day: date) -> ir.Table:
    """Of rows that were put aside for several days those of one, with the columns of their table alone."""
    return rows.filter(rows[ASIDE_DAY] == ibis.literal(day)).drop(ASIDE_DAY)


def _table(rows: Rows) -> ir.Table:
    assert isinstance(rows, ir.Table)  # no model of freshness works on frames
    return rows
