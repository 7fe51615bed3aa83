"""Reads what reports show: the marts of a portfolio at an `as_of`, as plain frames, each read once.

A table that the portfolio has not, or that was not made yet, is an empty frame; nothing is computed here that a table
does not hold. What is made of the frames stands in `kpis.py`, `charts` and `pages`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from functools import cached_property
from typing import Any

import ibis
import ibis.expr.types as ir
import pandas as pd

from cx_intel.contracts.catalog import contract_of, tables_of
from cx_intel.reports.words.formats import Formats
from cx_intel.settings.portfolio import Portfolio
from cx_intel.warehouse.protocol import Warehouse

WEEK, MONTH, TOLERANCE = 7, 30, 3
"""Days back that changes are told against, and how much further back the newest snapshot may lie."""
HISTORY_WEEKS = 52
"""How far back the scores of an account are shown, a point a week."""
REVENUE_MONTHS, TICKET_DAYS = 25, 90
"""How far back the MRR and the tickets of an account are shown; unresolved tickets always are."""
REVENUE_COLUMNS = ("account_id", "revenue_month", "mrr", "previous_mrr", "revenue_movement", "net_mrr_change")
SUMMED = ("customer_health_scores", "account_snapshot", "renewal_pipeline", "cs_intervention_list")
TABLES = (
    "customer_health_scores",
    "health_score_drivers",
    "health_score_changes",
    "health_score_change_drivers",
    "churn_risk_view",
    "renewal_pipeline",
    "cs_intervention_list",
    "nrr_outlook",
    "nrr_summary",
    "nrr_by_segment",
    "revenue_cohort_analysis",
    "sla_adherence",
    "dim_account",
    "account_snapshot",
    "fct_revenue",
    "fct_tickets",
    "lifecycle_events",
    "quarantine",
)
"""The tables that reports read; roll-ups come on top."""
DRIVER_COLUMNS = (
    "account_id",
    "compared_as_of",
    "dimension",
    "signal",
    "signal_order",
    "label",
    "unit",
    "benchmark",
    "value",
    "signal_score",
    "is_applicable",
    "is_measured",
    "is_stale",
    "weight",
    "points",
    "points_lost",
    "points_change",
    "value_from",
    "value_to",
)
CHECK_COLUMNS = (
    "table_name",
    "check_name",
    "passed",
    "severity",
    "failed_rows",
    "total_rows",
    "rule",
    "what_to_do",
    "as_of",
    "checked_at",
)


@dataclass(frozen=True)
class ScoreHistory:
    """The score of each account on one day a week, the last one that has any.

    Attributes:
        days: Weeks before `as_of`: the day of that week.
        tiers: The names of tiers.
        lines: Account: the weeks in which it has a score, the oldest first; the scores (0 to 100); places in `tiers`.
    """

    days: Mapping[int, date] = field(default_factory=dict)
    tiers: tuple[str, ...] = ()
    lines: Mapping[str, tuple[list[int], list[float], list[int]]] = field(default_factory=dict)


@dataclass(frozen=True)
class Book:
    """What one portfolio's reports are made of.

    Attributes:
        portfolio: Its settings.
        as_of: The day that the reports are for.
        made_at: When they are made, aware.
        frames: Table: its rows at `as_of`; empty when there are none.
        history: Snapshot table: its sums on every day up to `as_of`.
        scores: Each account's score over time.
        row_counts: Table of the warehouse: its rows.
        newest: Table: the newest day it stands at or holds.
        checks: What the checks found; None where no results are kept.
    """

    portfolio: Portfolio
    as_of: date
    made_at: datetime
    frames: Mapping[str, pd.DataFrame]
    history: Mapping[str, pd.DataFrame] = field(default_factory=dict)
    scores: ScoreHistory = ScoreHistory()
    row_counts: Mapping[str, int] = field(default_factory=dict)
    newest: Mapping[str, date] = field(default_factory=dict)
    checks: pd.DataFrame | None = None

    def __getitem__(self, table: str) -> pd.DataFrame:
        return self.frames[table]

    def has(self, table: str) -> bool:
        """The portfolio has the table, with or without rows."""
        return table in tables_of(self.portfolio)

    @cached_property
    def formats(self) -> Formats:
        return Formats(self.portfolio.reports.language, self.portfolio.currency.reporting)

    @cached_property
    def accounts(self) -> pd.DataFrame:
        """The customers of the book: the health population, or without a health model the paying accounts.

        Names, segment, country and owner are those of the snapshot of the day.
        """
        snapshot = self["account_snapshot"]
        if self.portfolio.health:
            scores = self["customer_health_scores"]
            known = [c for c in ("account_id", "country", "industry") if c not in scores.columns or c == "account_id"]
            joined = scores.merge(snapshot[known], on="account_id", how="left") if len(known) > 1 else scores
        else:
            joined = snapshot[(snapshot["current_mrr"] > 0) & ~snapshot["is_churned"].astype(bool)]
        return joined.sort_values(["current_arr", "account_id"], ascending=[False, True], ignore_index=True)

    def compared_day(self, table: str, days: int) -> date | None:
        """The day of a snapshot table to compare with: `days` before, or the newest within 3 days before that."""
        frame = self.history.get(table)
        if frame is None or frame.empty:
            return None
        wanted = self.as_of - timedelta(days=days)
        found = [d for d in frame["as_of"].unique() if wanted - timedelta(days=TOLERANCE) <= d <= wanted]
        return max(found) if found else None


def is_true(flags: pd.Series) -> pd.Series:
    """Where a flag is set; a missing one is not."""
    return flags.map(lambda flag: flag is not None and flag == True).astype(bool)  # noqa: E712


def records(frame: pd.DataFrame) -> list[dict[str, Any]]:
    """The rows of a frame, each by column."""
    return [{str(name): value for name, value in row.items()} for row in frame.to_dict("records")]


def read_tables(portfolio: Portfolio) -> tuple[str, ...]:
    """The tables of the portfolio that its reports read."""
    return tuple(t for t in tables_of(portfolio) if t in TABLES)


def gather(warehouse: Warehouse, portfolio: Portfolio, as_of: date, made_at: datetime) -> Book:
    """Everything that the reports of a portfolio show at `as_of`."""
    read = _Reader(warehouse, portfolio, as_of)
    present = warehouse.tables()
    return Book(
        portfolio,
        as_of,
        made_at,
        {table: read.rows(table) for table in TABLES},
        {table: read.sums(table) for table in SUMMED},
        read.scores_over_time(),
        {table: read.count(table) for table in present},
        {table: day for table in present if (day := read.newest(table)) is not None},
        read.checks(),
    )


class _Reader:
    """Reads the tables of one portfolio for one day."""

    def __init__(self, warehouse: Warehouse, portfolio: Portfolio, as_of: date):
        self.warehouse = warehouse
        self.portfolio = portfolio
        self.as_of = as_of
        self.known = set(tables_of(portfolio))

    def table(self, name: str) -> ir.Table | None:
        """The table, if the portfolio has it and it was made."""
        if name not in self.known or not self.warehouse.exists(name):
            return None
        return self.warehouse.table(name)

    def rows(self, name: str) -> pd.DataFrame:
        """The rows of the day, without what no report shows."""
        rows = self.table(name)
        if rows is None:
            columns = contract_of(name, self.portfolio).column_names if name in self.known else ()
            return pd.DataFrame({c: pd.Series(dtype="object") for c in columns})
        if contract_of(name, self.portfolio).kind == "snapshot":
            rows = rows.filter(rows.as_of == ibis.literal(self.as_of))
        if name == "fct_revenue":
            first = self.as_of - timedelta(days=31 * REVENUE_MONTHS)
            rows = rows.filter(rows.revenue_month >= ibis.literal(first)).select(*REVENUE_COLUMNS)
        elif name == "fct_tickets":
            first = self.as_of - timedelta(days=TICKET_DAYS)
            rows = rows.filter((rows.created_date >= ibis.literal(first)) | rows.resolved_at.isnull())
        elif name in ("health_score_drivers", "health_score_change_drivers"):
            rows = rows.select(*(c for c in rows.columns if c in DRIVER_COLUMNS))
        return self.fetch(rows)

    def fetch(self, rows: ir.Table) -> pd.DataFrame:
        """Amounts as floats and days as dates: exact enough to be shown."""
        amounts = {c: rows[c].cast("float64") for c, kind in rows.schema().items() if kind.is_decimal()}
        frame = self.warehouse.execute(rows.mutate(**amounts) if amounts else rows)
        for column, kind in rows.schema().items():
            if kind.is_date() and len(frame):
                days = pd.to_datetime(frame[column])
                frame[column] = days.dt.date.where(days.notna(), None)
        return frame

    def scores_over_time(self) -> ScoreHistory:
        """The scores of each account at the last day of each week that has any; joined where they lie."""
        rows = self.table("customer_health_scores")
        if rows is None:
            return ScoreHistory()
        first = self.as_of - timedelta(weeks=HISTORY_WEEKS)
        rows = rows.filter(rows.as_of.between(ibis.literal(first), ibis.literal(self.as_of)))
        days = sorted(row["as_of"] for row in self.warehouse.rows(rows.select("as_of").distinct()))
        weekly = {(self.as_of - day).days // 7: day for day in days}
        if not weekly:
            return ScoreHistory()
        week = ibis.cases(*((rows.as_of == ibis.literal(day), ibis.literal(n)) for n, day in weekly.items()))
        scored = rows.mutate(week=week).filter(lambda t: t.week.notnull() & t.health_score.notnull())
        lines = scored.group_by("account_id").agg(
            weeks=scored.week.collect(order_by=scored.as_of),
            scores=scored.health_score.collect(order_by=scored.as_of),
            tiers=scored.health_tier.collect(order_by=scored.as_of),
        )
        places: dict[str, int] = {}
        found = {
            row["account_id"]: (row["weeks"], row["scores"], [places.setdefault(t, len(places)) for t in row["tiers"]])
            for row in self.warehouse.rows(lines)
        }
        return ScoreHistory(weekly, tuple(places), found)

    def sums(self, name: str) -> pd.DataFrame:
        """Of each day up to now: the rows, their ARR and, where there is one, the exposed ARR."""
        rows = self.table(name)
        if rows is None:
            return pd.DataFrame({"as_of": [], "customers": [], "arr": [], "exposed_arr": []})
        rows = rows.filter(rows.as_of <= ibis.literal(self.as_of))
        if "is_churned" in rows.columns:
            rows = rows.filter(~rows.is_churned & (rows.current_mrr > 0))
        exposed = rows.exposed_arr.sum() if "exposed_arr" in rows.columns else ibis.literal(0)
        by_day = rows.group_by("as_of")
        return self.fetch(by_day.agg(customers=rows.count(), arr=rows.current_arr.sum(), exposed_arr=exposed))

    def count(self, name: str) -> int:
        rows = self.warehouse.table(name)
        return self.warehouse.count(rows)

    def newest(self, name: str) -> date | None:
        """The newest day that the table holds, or stands at."""
        rows = self.warehouse.table(name)
        if "as_of" in rows.columns:
            day: date | None = self.warehouse.rows(rows.agg(day=rows.as_of.max()))[0]["day"]
            return day
        return max(self.warehouse.day_state(name), default=None)

    def checks(self) -> pd.DataFrame | None:
        results = self.warehouse.check_results()
        return None if results is None else self.fetch(results.select(*CHECK_COLUMNS))
