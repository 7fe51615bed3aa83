"""The back-test of a portfolio: which past days are scored, under which settings, and the three tables made of them.

Nothing is written here, so that the same serves the assets (`assets.py`) and whoever tries other settings. How the
snapshots of a day are made once more is in `replay.py`; what the tables say of each other, in `cx_intel.models.backtest`.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

import ibis
import ibis.expr.types as ir

from cx_intel.contracts.catalog import contract_of
from cx_intel.models.backtest.outcomes import backtest_outcomes
from cx_intel.models.backtest.past import backtest_scores, backtest_signals
from cx_intel.orchestration.assets.backtest.replay import HISTORY, LEDGER, PERIODS, SCORED, Replay, on_day
from cx_intel.orchestration.assets.staging.event_days import in_parts
from cx_intel.settings.health.model import StatusPopulation
from cx_intel.settings.portfolio import Portfolio
from cx_intel.warehouse.protocol import ASIDE_DAY, Warehouse

ROWS_AT_ONCE = 2_500_000
"""The ledger as known on each of the days is the largest of what stands in memory for them."""
PIPELINE = ("churn_risk_view", "renewal_pipeline")


def month_ends(first: date, until: date) -> tuple[date, ...]:
    """The last days of months from `first` to `until`, both included."""
    found, following = [], until + timedelta(days=1)
    day = following.replace(day=1) - timedelta(days=1)
    while day >= first:
        found.append(day)
        day = day.replace(day=1) - timedelta(days=1)
    return tuple(reversed(found))


def judged_by_map(portfolio: Portfolio) -> Portfolio:
    """The portfolio without a learnt probability of renewal, which is learnt from past days and has no part in them."""
    if portfolio.renewals is None:
        return portfolio
    return portfolio.model_copy(update={"renewals": portfolio.renewals.model_copy(update={"probability_from": "map"})})


@dataclass(frozen=True)
class PastDays:
    """The back-test of a portfolio under its settings, over the tables of a warehouse that may be open for reading only.

    Attributes:
        portfolio: The settings that judge: those of the warehouse's tables, but for `health` and what follows from it.
        warehouse: Where the tables lie.
        prefix: As of `Replay`.
    """

    portfolio: Portfolio
    warehouse: Warehouse
    prefix: str = "backtest"

    def tables(self, as_of: date) -> dict[str, ir.Table]:
        """backtest_scores, backtest_signals and backtest_outcomes as of a day; they stand until they are made again."""
        days = self.days(as_of)
        found = {
            table: [contract_of(table, self.portfolio).no_rows()] for table in ("backtest_scores", "backtest_signals")
        }
        if days:
            found = {table: [] for table in found}
        for number, (portfolio, some) in enumerate(self._judges(days)):
            replay = Replay(portfolio, self.warehouse, f"{self.prefix}_replay_{number}", only_begun=True)
            made = replay.of_days(some, (*SCORED, *PIPELINE))
            for table, make in self._models(made, portfolio, as_of).items():
                schema = contract_of(table, portfolio).schema()
                rows = self.warehouse.put_aside(f"{self.prefix}_{number}_{table}", make, some, schema)
                found[table].append(rows.drop(ASIDE_DAY))
            replay.drop()
        rows = {table: ibis.union(*parts) if len(parts) > 1 else parts[0] for table, parts in found.items()}
        read = [self._existing(table) for table in (PERIODS, "fct_revenue")]
        rows["backtest_outcomes"] = backtest_outcomes(
            rows["backtest_scores"], *read, portfolio=self.portfolio, as_of=as_of
        )
        return rows

    def drop(self) -> None:
        """Drops all that was made for the tables."""
        self.warehouse.drop_aside(f"{self.prefix}_")

    def days(self, as_of: date) -> tuple[date, ...]:
        """The month ends that are scored: the last ones, from the first month of the ledger on."""
        first = self._first("fct_revenue", "revenue_month")
        if first is None:
            return ()
        earliest = max(self.portfolio.as_of.earliest, first)
        return month_ends(earliest, as_of)[-self.portfolio.backtest.months :]

    def _judges(self, days: Sequence[date]) -> list[tuple[Portfolio, tuple[date, ...]]]:
        """The settings that judge, and the days that each judges, as many at once as memory holds.

        Before the first load no status is known of the day: whoever pays is then in the population, since those that the
        first load calls active are the ones that stayed.
        """
        health, by_map = self.portfolio.health, judged_by_map(self.portfolio)
        if health is None or not isinstance(health.population, StatusPopulation):
            return [(by_map, part) for part in self._at_once(days)]
        first = self._first(HISTORY, "valid_from")
        known = tuple(day for day in days if first is not None and day >= first)
        before = tuple(day for day in days if day not in known)
        paying = by_map.model_copy(update={"health": health.model_copy(update={"population": "paying"})})
        return [(of, part) for of, some in ((paying, before), (by_map, known)) for part in self._at_once(some)]

    def _at_once(self, days: Sequence[date]) -> list[tuple[date, ...]]:
        """The days in parts, of each of which `ROWS_AT_ONCE` months of the ledger are known at most, or that are one day."""
        months = self.warehouse.count(self.warehouse.table(LEDGER))
        return in_parts(tuple(days), -(-months * len(days) // ROWS_AT_ONCE)) if days else []

    def _models(
        self, made: Mapping[str, ir.Table], portfolio: Portfolio, as_of: date
    ) -> dict[str, Callable[[date], ir.Table]]:
        def read(day: date, *tables: str) -> list[ir.Table]:
            return [on_day(made[t], day) if t in made else self._existing(t) for t in tables]

        scored = ("account_snapshot", "customer_health_scores", "renewal_pipeline", HISTORY, "fct_usage")
        signalled = ("account_signals", "health_score_drivers")
        at = {"portfolio": portfolio, "as_of": as_of}
        return {
            "backtest_scores": lambda day: backtest_scores(*read(day, *scored), **at, scored_on=day),  # type: ignore[arg-type]
            "backtest_signals": lambda day: backtest_signals(*read(day, *signalled), **at, scored_on=day),  # type: ignore[arg-type]
        }

    def _first(self, table: str, column: str) -> date | None:
        rows = self.warehouse.table(table)
        found: date | None = self.warehouse.rows(rows.agg(first=rows[column].min()))[0]["first"]
        return found

    def _existing(self, table: str) -> ir.Table:
        """A table of the warehouse; one without rows where the portfolio has it not."""
        if self.warehouse.exists(table):
            return self.warehouse.table(table)
        return contract_of(table, self.portfolio).no_rows()
