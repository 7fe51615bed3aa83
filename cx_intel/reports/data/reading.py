"""Reads a `ReportData`: the marts of a portfolio at an `as_of` out of a warehouse, each table once.

A table that the portfolio has not, or that was not made yet, is an empty frame; an account without segment, country or
owner has the words for that in their place. What is read, and what it means, stands in `report_data.py`.
"""

from collections.abc import Iterable
from datetime import date, datetime, timedelta

import ibis
import ibis.expr.types as ir
import pandas as pd

from cx_intel.contracts.catalog import LEARNED, contract_of, tables_of
from cx_intel.contracts.staging.values import NO_VALUE
from cx_intel.models.core.merged_accounts import under_surviving_ids
from cx_intel.models.renewals.pipeline import book
from cx_intel.reports.data.ledger_parts import REVENUE_MONTHS, cohort_parts, ledger_parts, ticket_parts
from cx_intel.reports.data.notes.broken_rules import accounts_behind
from cx_intel.reports.data.notes.month import spans
from cx_intel.reports.data.report_data import MONTH, WEEK, ReportData, ScoreHistory, last_month_over, newest_within
from cx_intel.reports.data.row_order import in_order
from cx_intel.reports.words.language import Language
from cx_intel.settings.outputs.links import link_of
from cx_intel.settings.portfolio import Portfolio
from cx_intel.warehouse.protocol import Warehouse

HISTORY_WEEKS = 52
"""How far back the scores of an account are shown, a point a week."""
TICKET_DAYS = 90
"""How far back the tickets of an account are shown; unresolved ones always are."""
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
    "actions",
    "intervention_entries",
    "playbook_outcomes",
    "playbook_effects",
    "nrr_outlook",
    "renewal_model",
    "renewal_model_terms",
    "renewal_model_reliability",
    "nrr_summary",
    "nrr_by_segment",
    "revenue_cohort_analysis",
    "restatements",
    "mrr_delivery",
    "mrr_reconciliation",
    "fct_revenue_intra_month",
    "non_recurring",
    "unmatched_accounts",
    "identity_map",
    "sla_adherence",
    "dim_account",
    "dim_contact",
    "account_snapshot",
    "fct_revenue",
    "fct_tickets",
    "lifecycle_events",
    "quarantine",
    "source_freshness",
    "backtest_results",
    "backtest_tiers",
    "backtest_bands",
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
    "cause",
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
)
GROUPS = ("segment", "country", "owner")
"""Attributes of accounts that reports group by."""


def read_tables(portfolio: Portfolio) -> tuple[str, ...]:
    """The tables of the portfolio that its reports read."""
    return tuple(t for t in tables_of(portfolio) if t in TABLES)


def read_report_data(
    warehouse: Warehouse,
    portfolio: Portfolio,
    as_of: date,
    made_at: datetime,
    *,
    tables: Iterable[str] = TABLES,
    with_state: bool = True,
    account: str | None = None,
) -> ReportData:
    """Everything that the reports of a portfolio show at `as_of`.

    Args:
        warehouse: The open warehouse, or a published copy.
        portfolio: Its settings.
        as_of: The day; of the ledger, the months that were complete by then are read.
        made_at: When the reports are made, aware.
        tables: Those that are wanted; the others stay empty.
        with_state: Whether to count the rows of each table and to look up how new it is.
        account: The one whose rows are read, where a table has rows of accounts; None: all.
    """
    read = _Reader(warehouse, portfolio, as_of, set(tables), account)
    present = warehouse.tables() if with_state else []
    history = {table: read.sums(table) for table in SUMMED}
    before = [newest_within(history["account_snapshot"]["as_of"], as_of - timedelta(days=n)) for n in (WEEK, MONTH)]
    compared, checks = before[0], read.checks()
    month = {day for span in spans(history["account_snapshot"]["as_of"], as_of) if span for day in span}
    parts = read.parts() if with_state else (pd.DataFrame(),) * 3
    return ReportData(
        portfolio,
        as_of,
        made_at,
        {table: read.rows(table) for table in TABLES},
        read.between("cs_intervention_list", compared, compared),
        read.between("lifecycle_events", compared and compared + timedelta(days=1), as_of),
        history,
        read.scores_over_time(),
        dict(zip(present, warehouse.counts(warehouse.table(table) for table in present), strict=True)),
        {table: day for table in present if (day := read.newest(table)) is not None},
        checks,
        read.compared({as_of, *filter(None, before), *month}) if with_state else {},
        *parts,
        accounts_behind(checks, portfolio, as_of, read.present, read.fetch) if with_state else {},
    )


class _Reader:
    """Reads the tables of one portfolio for one day."""

    def __init__(
        self, warehouse: Warehouse, portfolio: Portfolio, as_of: date, wanted: set[str], account: str | None = None
    ):
        self.warehouse, self.portfolio, self.as_of, self.account = warehouse, portfolio, as_of, account
        self.known = set(tables_of(portfolio))
        self.wanted = self.known & wanted
        self.no_value = Language(portfolio.reports.language, portfolio.currency.reporting).say(NO_VALUE)

    def table(self, name: str) -> ir.Table | None:
        """The table, if it is wanted, the portfolio has it, and it was made."""
        if name not in self.wanted or not self.warehouse.exists(name):
            return None
        rows = self.warehouse.table(name)
        is_of_one = self.account is not None and "account_id" in rows.columns
        return rows.filter(rows.account_id == ibis.literal(self.account)) if is_of_one else rows

    def present(self, name: str) -> ir.Table | None:
        """The table as it is, if it was made."""
        return self.warehouse.table(name) if self.warehouse.exists(name) else None

    def rows(self, name: str) -> pd.DataFrame:
        """The rows of the day, without what no report shows."""
        rows = self.table(name)
        if rows is None:
            return self.empty(name)
        if contract_of(name, self.portfolio).kind == "snapshot":
            rows = rows.filter(rows.as_of == ibis.literal(self.as_of))
        if name == "fct_revenue":
            first = self.as_of - timedelta(days=31 * REVENUE_MONTHS)
            rows = rows.filter(rows.revenue_month >= ibis.literal(first)).select(*REVENUE_COLUMNS)
        elif name == "non_recurring":
            first = self.as_of - timedelta(days=31 * REVENUE_MONTHS)
            rows = rows.filter(rows.billed_on.between(ibis.literal(first), ibis.literal(self.as_of)))
        elif name == "fct_tickets":
            first = self.as_of - timedelta(days=TICKET_DAYS)
            rows = rows.filter((rows.created_date >= ibis.literal(first)) | rows.resolved_at.isnull())
        elif name in ("health_score_drivers", "health_score_change_drivers"):
            rows = rows.select(*(c for c in rows.columns if c in DRIVER_COLUMNS))
        elif name == "restatements":
            rows = rows.filter(rows.refresh_at == ibis.literal(self.as_of))
        elif name == "identity_map":
            systems = [ibis.literal(link.system) for link in map(link_of, self.portfolio.links.values()) if link.system]
            rows = rows.filter(rows.valid_to.isnull() & rows.system.isin(systems)) if systems else rows.limit(0)
        elif name == "mrr_reconciliation":
            rows = rows.select("median_ratio", "round_multiple").distinct()  # the same for all
        elif name in LEARNED:
            known = rows.filter(rows.as_of <= ibis.literal(self.as_of))
            rows = known.filter(known.as_of == known.as_of.max().over(ibis.window()))
        elif name == "actions":
            rows = rows.filter(rows.acted_on <= ibis.literal(self.as_of))
        elif name == "nrr_summary":
            rows = rows.filter(rows.revenue_month <= ibis.literal(last_month_over(self.as_of)))
        return self.fetch(in_order(rows, contract_of(name, self.portfolio)))

    def between(self, name: str, first: date | None, last: date | None) -> pd.DataFrame:
        """The rows of a snapshot table on the days from the first to the last."""
        rows = self.table(name)
        if rows is None or first is None or last is None:
            return self.empty(name)
        found = rows.filter(rows.as_of.between(ibis.literal(first), ibis.literal(last)))
        return self.fetch(in_order(found, contract_of(name, self.portfolio)))

    def empty(self, name: str) -> pd.DataFrame:
        columns = contract_of(name, self.portfolio).column_names if name in self.known else ("account_id",)
        return pd.DataFrame({c: pd.Series(dtype="object") for c in columns})

    def fetch(self, rows: ir.Table) -> pd.DataFrame:
        """Amounts as floats and days as dates: exact enough to be shown."""
        amounts = {c: rows[c].cast("float64") for c, kind in rows.schema().items() if kind.is_decimal()}
        frame = self.warehouse.execute(rows.mutate(**amounts) if amounts else rows)
        for column, kind in rows.schema().items():
            if kind.is_date() and len(frame):
                days = pd.to_datetime(frame[column])
                frame[column] = days.dt.date.where(days.notna(), None)
        for column in GROUPS:
            if column in frame.columns:
                frame[column] = frame[column].where(frame[column].notna() & (frame[column] != NO_VALUE), self.no_value)
        return frame

    def scores_over_time(self) -> ScoreHistory:
        """The scores of each account at the last day of each week that has any; joined where they lie."""
        rows = self.table("customer_health_scores")
        if rows is None:
            return ScoreHistory()
        first = self.as_of - timedelta(weeks=HISTORY_WEEKS)
        rows = rows.filter(rows.as_of.between(ibis.literal(first), ibis.literal(self.as_of)))
        if "account_aliases" in self.portfolio.tables and self.warehouse.exists("stg_account_aliases"):
            aliases = self.warehouse.table("stg_account_aliases")
            rows = under_surviving_ids(rows, aliases, contract_of("customer_health_scores", self.portfolio))
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

    def sums(self, name: str, *by: str, days: Iterable[date] | None = None) -> pd.DataFrame:
        """Of each day up to now, or of some days: the rows, their ARR and, where there is one, the exposed ARR."""
        rows = self.table(name)
        if rows is None:
            return pd.DataFrame({name: [] for name in ("as_of", *by, "customers", "arr", "mrr", "exposed_arr")})
        if days is not None:
            rows = rows.filter(rows.as_of.isin([ibis.literal(day) for day in days]))
        rows = rows.filter(rows.as_of <= ibis.literal(self.as_of))
        if name == "account_snapshot":
            rows = book(rows, portfolio=self.portfolio)
        if name == "cs_intervention_list" and "is_held_out" in rows.columns:
            rows = rows.filter(~ibis.coalesce(rows.is_held_out, False))
        sums = {
            short: rows[column].sum() if column in rows.columns else ibis.literal(0)
            for short, column in (("arr", "current_arr"), ("mrr", "current_mrr"), ("exposed_arr", "exposed_arr"))
        }
        return self.fetch(rows.group_by(["as_of", *by]).agg(customers=rows.count(), **sums))

    def compared(self, days: Iterable[date]) -> dict[str, pd.DataFrame]:
        """The sums of those days by account."""
        chosen = sorted(days)
        return {table: self.sums(table, "account_id", days=chosen) for table in SUMMED if chosen}

    def parts(self) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
        """What accounts add to the ledger, to cohorts and to service levels."""
        revenue = self.table("fct_revenue"), self.table("dim_account"), self.portfolio
        return (
            ledger_parts(*revenue, self.as_of, self.fetch),
            cohort_parts(*revenue, self.fetch),
            ticket_parts(self.table("fct_tickets"), self.as_of, self.fetch),
        )

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
