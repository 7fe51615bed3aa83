"""The headline figures of a portfolio and the accounts to call first, for the summary at the terminal.

They are those of the reports, read from the same data and told in English; nothing is computed here. The strip of the
dashboard is made in `kpis.py`.
"""

from dataclasses import dataclass
from datetime import UTC, date, datetime

import pandas as pd

from cx_intel.contracts.renewals.outlook import ALL_SEGMENTS
from cx_intel.reports.charts.drawing.palette import tier_marks
from cx_intel.reports.data.figures.arr import ARR, ARR_MONTH_END, ARR_SCORED, arr_figures
from cx_intel.reports.data.figures.retention import retention
from cx_intel.reports.data.freshness import newest_rows
from cx_intel.reports.data.notes.ledger import ledger_notes
from cx_intel.reports.data.notes.probability import probability_source
from cx_intel.reports.data.reading import read_report_data
from cx_intel.reports.data.report_data import ReportData, total
from cx_intel.reports.words.labels import in_english
from cx_intel.reports.words.language import Language
from cx_intel.settings.portfolio import Portfolio
from cx_intel.warehouse.protocol import Warehouse

HEADLINE_TABLES = (
    "nrr_summary",
    "restatements",
    "mrr_delivery",
    "mrr_reconciliation",
    "fct_revenue_intra_month",
    "non_recurring",
    "account_snapshot",
    "customer_health_scores",
    "renewal_pipeline",
    "nrr_outlook",
    "cs_intervention_list",
    "renewal_model",
    "quarantine",
    "source_freshness",
)


@dataclass(frozen=True)
class HeadlineFigure:
    """One figure: what it is, as text for people."""

    label: str
    text: str


@dataclass(frozen=True)
class Headline:
    """The figures, how the three that are called ARR relate, the first calls, notes beside them; quarantined rows by table."""

    figures: tuple[HeadlineFigure, ...]
    arr: str
    call_first: pd.DataFrame
    notes: tuple[str, ...]
    quarantined: dict[str, int]


def headline(warehouse: Warehouse, portfolio: Portfolio, as_of: date, *, calls: int = 5) -> Headline:
    """What the tables say of a day, in a handful of figures.

    Args:
        warehouse: The open warehouse, or a published copy.
        portfolio: Its settings.
        as_of: The day; of the ledger, the months that were complete by then are read.
        calls: How many accounts are listed.
    """
    made_at = datetime.now(UTC)
    data = read_report_data(warehouse, in_english(portfolio), as_of, made_at, tables=HEADLINE_TABLES, with_state=False)
    english = Language("en", portfolio.currency.reporting)
    figures = [*_revenue(data, english), *_arr(data, english), *_health(data, english), *_renewals(data, english)]
    listed, quarantine = data.to_call, data["quarantine"]
    counts = quarantine.groupby("source_table").size().to_dict() if len(quarantine) else {}
    return Headline(
        tuple(figures),
        arr_figures(data).reconciled(english),
        listed.sort_values("priority_rank").head(calls) if len(listed) else listed,
        (*ledger_notes(data, english), *newest_rows(data, english), *_probabilities(data, english)),
        {str(table): int(n) for table, n in counts.items()},
    )


def probabilities(warehouse: Warehouse, portfolio: Portfolio, as_of: date) -> list[str]:
    """Where the probabilities of renewal of a day are from, and why, where there is more to say than that they are the map's."""
    read = ("renewal_model", "renewal_pipeline")
    data = read_report_data(warehouse, in_english(portfolio), as_of, datetime.now(UTC), tables=read, with_state=False)
    return _probabilities(data, Language("en", portfolio.currency.reporting))


def _probabilities(data: ReportData, english: Language) -> list[str]:
    """Whether probabilities of renewal are learnt or the map's, where there is more to say than that they are the map's."""
    return [text for text in [probability_source(data, english)] if text]


def _revenue(data: ReportData, english: Language) -> list[HeadlineFigure]:
    """Of the last month that was complete on the day."""
    if data.summary.empty:
        return []
    last = data.summary.iloc[-1]
    figures = [HeadlineFigure(f"MRR, {english.month(last['revenue_month'])}", english.money(last["ending_mrr"], 2))]
    if found := retention(last):
        rates = f"{english.percent(found.nrr)} / {english.percent(found.grr)}"
        figures.append(HeadlineFigure(f"NRR / GRR, {found.label}", rates))
    return figures


def _arr(data: ReportData, english: Language) -> list[HeadlineFigure]:
    arr = arr_figures(data)
    named = ((ARR, arr.book), (ARR_SCORED, arr.scored), (ARR_MONTH_END, arr.month_end))
    return [HeadlineFigure(label, english.money(amount, 2)) for label, amount in named if amount is not None]


def _health(data: ReportData, english: Language) -> list[HeadlineFigure]:
    if not data.portfolio.health:
        return []
    scores = data["customer_health_scores"]
    counts = scores["health_tier"].value_counts()
    tiers = ", ".join(f"{m.label} {counts[m.name]}" for m in tier_marks(data.portfolio) if m.name in counts)
    return [
        HeadlineFigure("Customers with a health score", english.number(len(scores))),
        HeadlineFigure("Tiers", tiers or "none"),
    ]


def _renewals(data: ReportData, english: Language) -> list[HeadlineFigure]:
    if not data.portfolio.renewals:
        return []
    outlook = data["nrr_outlook"]
    chosen = outlook[(outlook["segment"] == ALL_SEGMENTS) & (outlook["scenario"] == "expected_no_action")]
    return [
        HeadlineFigure("Exposed ARR, next 90 days", english.money(total(data["renewal_pipeline"]["exposed_arr"]), 2)),
        *(
            HeadlineFigure("NRR of the book in 90 days if nobody acts", english.percent(nrr))
            for nrr in chosen["book_nrr_pct"].dropna()
        ),
        HeadlineFigure("Accounts to call", english.number(len(data.to_call))),
    ]
