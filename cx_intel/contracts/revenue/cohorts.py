"""The contract of the cohorts: what is left of the accounts that started in the same month.

Their model is in `cx_intel.models.revenue.cohorts`; the ledger that they are read from is in `ledger.py`.
"""

from collections.abc import Mapping

import ibis
import ibis.expr.types as ir

from cx_intel.contracts.contract import COUNT, DATE, MONEY, NUMBER, TEXT, Column, Contract, CrossInvariant
from cx_intel.contracts.revenue.ledger import mrr_column
from cx_intel.contracts.support import MODEL_FAULT
from cx_intel.settings.portfolio import Portfolio


def revenue_cohort_analysis(portfolio: Portfolio) -> Contract:
    return Contract(
        "revenue_cohort_analysis",
        "revenue",
        "Do newer customers stay longer? What is left of each month's new customers and their MRR, month by month.",
        ("cohort_month", "segment", "months_since_start"),
        (
            Column("cohort_month", DATE, "Month of the accounts' first MRR, its first day.", nullable=False),
            Column("segment", TEXT, "Segment now, or all.", nullable=False),
            Column("months_since_start", COUNT, "0 in the first month.", "months", nullable=False, minimum=0),
            Column("initial_accounts", COUNT, "Accounts of the cohort.", "accounts", nullable=False, minimum=1),
            mrr_column("initial_mrr", "Their MRR in the first month that the ledger knows of."),
            Column("active_accounts", COUNT, "Accounts with MRR in the month.", "accounts", nullable=False, minimum=0),
            mrr_column("cohort_mrr", "Their MRR in the month."),
            Column(
                "account_retention_pct",
                NUMBER,
                "active_accounts / initial_accounts.",
                "%",
                nullable=False,
                minimum=0,
                maximum=100,
            ),
            Column("revenue_retention_pct", NUMBER, "cohort_mrr / initial_mrr.", "%", nullable=False, minimum=0),
        ),
        cross_invariants=(
            CrossInvariant(
                "cohorts_sum_to_ledger",
                "In each month the cohorts' MRR sums to the ledger's, and so do the segments' to all.",
                ("fct_revenue",),
                _cohorts_differ,
                MODEL_FAULT,
            ),
        ),
    )


def _cohorts_differ(tables: Mapping[str, ir.Table]) -> ir.Table:
    t, ledger = tables["self"], tables["fct_revenue"]
    start = t.cohort_month.year().cast("int64") * 12 + t.cohort_month.month().cast("int64") - 1
    of_all = ibis.cases((t.segment == "all", t.cohort_mrr), else_=ibis.literal(0).cast(MONEY))
    of_segments = ibis.cases((t.segment == "all", ibis.literal(0).cast(MONEY)), else_=t.cohort_mrr)
    cohorts = (
        t.mutate(_month=start + t.months_since_start, _all=of_all, _segments=of_segments)
        .group_by("_month")
        .agg(all_mrr=ibis._["_all"].sum().cast(MONEY), segments_mrr=ibis._["_segments"].sum().cast(MONEY))
    )
    month = ledger.revenue_month.year().cast("int64") * 12 + ledger.revenue_month.month().cast("int64") - 1
    months = ledger.mutate(_month=month).group_by("_month").agg(ledger_mrr=ibis._.mrr.sum().cast(MONEY))
    both = months.inner_join(cohorts, "_month")
    return both.filter((both.ledger_mrr != both.all_mrr) | (both.ledger_mrr != both.segments_mrr))
