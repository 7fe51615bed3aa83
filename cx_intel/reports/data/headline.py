"""The headline figures of a portfolio and the accounts to call first, read from its tables for a summary.

Nothing is computed here that a table does not hold; a figure whose table is missing is left out.
"""

from dataclasses import dataclass
from datetime import date

import ibis
import pandas as pd

from cx_intel.settings.portfolio import Portfolio
from cx_intel.warehouse.protocol import Warehouse


@dataclass(frozen=True)
class Figure:
    """One figure: what it is, as text for people."""

    label: str
    text: str


@dataclass(frozen=True)
class Headline:
    """The figures, the first rows of the intervention list, and how many rows of each table are in quarantine."""

    figures: tuple[Figure, ...]
    call_first: pd.DataFrame
    quarantined: dict[str, int] | None


CALL_COLUMNS = (
    "priority_rank",
    "account_id",
    "account_name",
    "owner",
    "renewal_risk",
    "days_to_renewal",
    "expected_arr_loss",
    "primary_risk_signal",
    "recommended_playbook",
    "due_date",
)


def headline(warehouse: Warehouse, portfolio: Portfolio, as_of: date, *, calls: int = 5) -> Headline:
    """What the tables say of a day, in a handful of figures.

    Args:
        warehouse: The open warehouse, or a published copy.
        portfolio: Its settings.
        as_of: The day; of the ledger, the months that were complete by then are read.
        calls: How many accounts are listed.
    """

    def of_the_day(table: str) -> pd.DataFrame | None:
        if not warehouse.exists(table):
            return None
        rows = warehouse.table(table)
        if "as_of" in rows.columns:
            rows = rows.filter(rows.as_of == ibis.literal(as_of))
        return warehouse.execute(rows)

    figures = [
        *_revenue(of_the_day("nrr_summary"), as_of, portfolio.currency.reporting),
        *_health(of_the_day("customer_health_scores"), portfolio),
    ]
    figures += _renewals(of_the_day("renewal_pipeline"), of_the_day("nrr_outlook"), portfolio)
    listed = of_the_day("cs_intervention_list")
    quarantined = of_the_day("quarantine")
    call_first = pd.DataFrame(columns=list(CALL_COLUMNS))
    if listed is not None:
        call_first = listed.sort_values("priority_rank").head(calls)[list(CALL_COLUMNS)]
        figures.append(Figure("Accounts to call", f"{len(listed):,}"))
    if quarantined is None:
        return Headline(tuple(figures), call_first, None)
    counts = quarantined.groupby("source_table").size().to_dict()
    return Headline(tuple(figures), call_first, {str(k): int(v) for k, v in counts.items()})


def retention(row: pd.Series) -> tuple[str, float, float] | None:
    """The headline NRR and GRR of a month, always labelled: trailing 12 months, else the trailing 3."""
    for label, suffix in (("trailing 12 months", "ttm"), ("trailing 3 months", "trailing_3m")):
        if pd.notna(row[f"nrr_{suffix}_pct"]):
            return label, float(row[f"nrr_{suffix}_pct"]), float(row[f"grr_{suffix}_pct"])
    return None


def _revenue(summary: pd.DataFrame | None, as_of: date, currency: str) -> list[Figure]:
    """Of the last month that was complete on the day."""
    if summary is None:
        return []
    ends = pd.to_datetime(summary["revenue_month"]) + pd.offsets.MonthEnd(0)
    summary = summary[ends <= pd.Timestamp(as_of)]
    if summary.empty:
        return []
    last = summary.sort_values("revenue_month").iloc[-1]
    figures = [Figure(f"MRR, {last.revenue_month:%B %Y}", f"{last.ending_mrr:,.2f} {currency}")]
    if found := retention(last):
        label, nrr, grr = found
        figures.append(Figure(f"NRR / GRR, {label}", f"{nrr:.1f} % / {grr:.1f} %"))
    return figures


def _health(scores: pd.DataFrame | None, portfolio: Portfolio) -> list[Figure]:
    if scores is None or portfolio.health is None:
        return []
    counts = scores["health_tier"].value_counts()
    names = [*(level.name for level in portfolio.health.tiers.levels), "unknown"]
    tiers = ", ".join(f"{name} {counts[name]}" for name in names if name in counts)
    return [
        Figure("Customers with a health score", f"{len(scores):,}"),
        Figure("Tiers", tiers or "none"),
        Figure("ARR", f"{scores['current_arr'].sum():,.2f} {portfolio.currency.reporting}"),
    ]


def _renewals(pipeline: pd.DataFrame | None, outlook: pd.DataFrame | None, portfolio: Portfolio) -> list[Figure]:
    figures = []
    if pipeline is not None:
        exposed = f"{pipeline['exposed_arr'].sum():,.2f} {portfolio.currency.reporting}"
        figures.append(Figure("Exposed ARR, next 90 days", exposed))
    if outlook is not None:
        chosen = outlook[(outlook.segment == "all") & (outlook.scenario == "expected_no_action")]
        for nrr in chosen["book_nrr_pct"].dropna():
            figures.append(Figure("NRR of the book in 90 days if nobody acts", f"{nrr:.1f} %"))
    return figures
