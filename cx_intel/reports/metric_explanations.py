"""A figure of a month explained: under each definition of it that is in use, and what makes those differ.

Read from the ledger and the waterfall of a portfolio; the definitions themselves are in
`cx_intel.models.revenue.definitions`, their argument in docs/definitions.md. How it is printed: `cx_intel.cli.commands.asking`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

import ibis

from cx_intel.models.revenue.definitions import Entry, Kind, Ledger, NamedFigure, retention
from cx_intel.settings.portfolio import Portfolio
from cx_intel.settings.renewals import DEFAULT_TERM_MONTHS
from cx_intel.warehouse.errors import WarehouseError
from cx_intel.warehouse.protocol import Warehouse

RETENTION: Mapping[str, tuple[Kind, str]] = {
    "nrr_ttm_pct": ("nrr", "closed cohort"),
    "grr_ttm_pct": ("grr", "closed cohort"),
    "nrr_pct": ("nrr", "monthly"),
    "grr_pct": ("grr", "monthly"),
}
"""Figure: what it is of, and the definition that the tables hold under its name."""
PARTS: Mapping[str, tuple[str, tuple[str, ...]]] = {
    "nrr_trailing_3m_pct": ("mean of the last three monthly NRR", ("nrr_pct",)),
    "grr_trailing_3m_pct": ("mean of the last three monthly GRR", ("grr_pct",)),
    "logo_churn_pct": ("accounts that churned in the month / accounts with starting MRR", ("churned_accounts",)),
    "mrr_growth_pct": ("(ending - starting) / starting", ("starting_mrr", "ending_mrr")),
    "quick_ratio": (
        "(new + reactivation + expansion) / (contraction + churned)",
        ("new_mrr", "reactivation_mrr", "expansion_mrr", "contraction_mrr", "churned_mrr"),
    ),
    "arpa": ("ending MRR / paying accounts", ("ending_mrr", "paying_accounts")),
}
"""Figure with one definition: its formula, and the columns of the waterfall that it is made of."""
METRICS = (*RETENTION, *PARTS)


@dataclass(frozen=True)
class Explanation:
    """A figure of a month.

    Attributes:
        metric: Its column of `nrr_summary`.
        month: First day of the month.
        value: As the table holds it; None where it has none.
        formula: Of the definition that the table holds.
        parts: Columns of the same row that it is made of.
        definition: Of the figures, the one that the table holds; empty where there is one definition alone.
        figures: The figure under each definition.
    """

    metric: str
    month: date
    value: float | None
    formula: str
    parts: Mapping[str, Any]
    definition: str = ""
    figures: tuple[NamedFigure, ...] = ()


def explain_metric(warehouse: Warehouse, portfolio: Portfolio, metric: str, month: date | None = None) -> Explanation:
    """Explains a figure of `nrr_summary`.

    Args:
        warehouse: The portfolio's tables.
        portfolio: For the length of its contracts, which the renewal base needs.
        metric: One of METRICS.
        month: Any day of the month; default: the newest of the ledger.

    Raises:
        WarehouseError: The portfolio has no revenue tables yet, or not that month.
    """
    summary = {row["revenue_month"]: row for row in warehouse.rows(warehouse.table("nrr_summary"))}
    if not summary:
        raise WarehouseError(f"{portfolio.name}: nrr_summary has no month yet; refresh the portfolio first.")
    first_day = month.replace(day=1) if month else max(summary)
    if first_day not in summary:
        raise WarehouseError(
            f"{portfolio.name}: nrr_summary has no month {first_day:%Y-%m}; it has {min(summary):%Y-%m} "
            f"to {max(summary):%Y-%m}."
        )
    row = summary[first_day]
    if metric in PARTS:
        formula, columns = PARTS[metric]
        return Explanation(metric, first_day, row[metric], formula, {name: row[name] for name in columns})
    kind, definition = RETENTION[metric]
    figures = retention(_ledger(warehouse, portfolio), _index(first_day), kind)
    formula = next(figure.formula for figure in figures if figure.name == definition)
    return Explanation(metric, first_day, row[metric], formula, {}, definition, figures)


def _ledger(warehouse: Warehouse, portfolio: Portfolio) -> Ledger:
    columns = ("account_id", "revenue_month", "mrr", "previous_mrr", "revenue_movement")
    entries = [
        Entry(
            r["account_id"], _index(r["revenue_month"]), Decimal(r["mrr"]), Decimal(r["previous_mrr"]), r[columns[-1]]
        )
        for r in warehouse.rows(warehouse.table("fct_revenue").select(*columns))
    ]
    accounts = warehouse.table("dim_account")
    starts = accounts.filter(accounts.first_subscription_date.notnull())
    first = warehouse.rows(starts.select("account_id", began=starts.first_subscription_date.cast(ibis.dtype("date"))))
    term = portfolio.renewals.term_months if portfolio.renewals else DEFAULT_TERM_MONTHS
    return Ledger(entries, {r["account_id"]: _index(r["began"]) for r in first}, term)


def _index(day: date) -> int:
    return day.year * 12 + day.month - 1
