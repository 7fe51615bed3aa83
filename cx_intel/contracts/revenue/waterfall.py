"""The contracts of the MRR waterfall and the retention rates, in total and by segment.

Their models are in `cx_intel.models.revenue.waterfall`; the ledger that they add up is in `ledger.py`.
"""

from collections.abc import Mapping

import ibis
import ibis.expr.types as ir

from cx_intel.contracts.contract import COUNT, DATE, MONEY, NUMBER, TEXT, Column, Contract, CrossInvariant, Invariant
from cx_intel.contracts.core import SIZE_ARR, SIZE_MRR
from cx_intel.contracts.revenue.ledger import mrr_column
from cx_intel.contracts.support import MODEL_FAULT
from cx_intel.settings.portfolio import Portfolio


def _rate(name: str, description: str, null_means: str = "starting MRR is 0", **bounds: float) -> Column:
    return Column(name, NUMBER, description, "%", null_means=null_means, **bounds)  # type: ignore[arg-type]


def _waterfall_columns() -> tuple[Column, ...]:
    return (
        Column("revenue_month", DATE, "First day of the month.", nullable=False),
        mrr_column("starting_mrr", "MRR at the start: that of the month before."),
        mrr_column("new_mrr", "Of accounts that never paid before."),
        mrr_column("reactivation_mrr", "Of accounts that had left and returned."),
        mrr_column("expansion_mrr", "Growth of paying accounts."),
        mrr_column("contraction_mrr", "Shrinkage of accounts that still pay."),
        mrr_column("churned_mrr", "Of accounts that left."),
        mrr_column("restated_mrr", "Of closed months, by today's data, less what was published.", minimum=None),
        mrr_column("ending_mrr", "starting + restated + new + reactivation + expansion - contraction - churned."),
        mrr_column("ending_arr", "Sum of the accounts' ARR.", size=SIZE_ARR),
        _rate("nrr_pct", "(starting + expansion - contraction - churned) / starting, both with restated.", minimum=0),
        _rate("grr_pct", "(starting - contraction - churned) / starting, both with restated.", minimum=0, maximum=100),
        _rate("nrr_trailing_3m_pct", "Mean of the last three monthly rates.", "fewer than three", minimum=0),
        _rate("grr_trailing_3m_pct", "Mean of the last three monthly rates.", "fewer than three", minimum=0),
        _rate("nrr_ttm_pct", "Accounts with MRR twelve months before: MRR now / then.", "no MRR then", minimum=0),
        _rate("grr_ttm_pct", "The same, each account's MRR capped at then.", "no MRR then", minimum=0, maximum=100),
        Column("paying_accounts", COUNT, "Accounts with MRR.", "accounts", nullable=False, minimum=0),
        Column("churned_accounts", COUNT, "Accounts that left in the month.", "accounts", nullable=False, minimum=0),
        _rate("logo_churn_pct", "churned_accounts / accounts with starting MRR.", minimum=0, maximum=100),
        _rate("mrr_growth_pct", "(ending - starting) / starting."),
        Column("quick_ratio", NUMBER, "(new + reactivation + expansion) / (contraction + churned).", minimum=0),
        Column("arpa", NUMBER, "ending_mrr / paying_accounts.", SIZE_MRR, null_means="nobody pays", minimum=0),
    )


_WATERFALL_INVARIANTS = (
    Invariant(
        "waterfall_ties",
        "starting + restated + new + reactivation + expansion - contraction - churned = ending, to the cent.",
        lambda t: (
            t.starting_mrr
            + t.restated_mrr
            + t.new_mrr
            + t.reactivation_mrr
            + t.expansion_mrr
            - t.contraction_mrr
            - t.churned_mrr
            == t.ending_mrr
        ),
        MODEL_FAULT,
    ),
    Invariant(
        "grr_at_most_nrr",
        "GRR is never above NRR, monthly and over twelve months.",
        lambda t: (
            (t.nrr_pct.isnull() | (t.grr_pct <= t.nrr_pct))
            & (t.nrr_ttm_pct.isnull() | (t.grr_ttm_pct <= t.nrr_ttm_pct))
        ),
        MODEL_FAULT,
    ),
)


def _broken_chain(by: tuple[str, ...]):  # type: ignore[no-untyped-def]
    def broken(tables: Mapping[str, ir.Table]) -> ir.Table:
        t = tables["self"]
        window = ibis.window(group_by=list(by) or None, order_by="revenue_month")
        chained = t.mutate(_before=t.ending_mrr.lag().over(window))
        return chained.filter(chained["_before"].notnull() & (chained["_before"] != chained.starting_mrr))

    return broken


def nrr_summary(portfolio: Portfolio) -> Contract:
    return Contract(
        "nrr_summary",
        "revenue",
        "What happened to MRR month by month, and what share of it was retained?",
        ("revenue_month",),
        (
            *_waterfall_columns(),
            Column(
                "delivered_pct",
                NUMBER,
                "Share of the month before whose accounts are answered for.",
                "%",
                null_means="MRR follows from contracts",
                minimum=0,
                maximum=100,
            ),
        ),
        invariants=_WATERFALL_INVARIANTS,
        cross_invariants=(
            CrossInvariant(
                "starts_where_it_ended",
                "Each month starts with what the month before ended with.",
                (),
                _broken_chain(()),
                MODEL_FAULT,
            ),
            CrossInvariant(
                "ledger_sums_to_ending",
                "ending_mrr is the sum of the ledger's MRR of the month.",
                ("fct_revenue",),
                _ledger_differs,
                MODEL_FAULT,
            ),
            *_delivery(portfolio),
        ),
        plots={
            "ending_mrr": lambda t: t.ending_mrr.argmax(t.revenue_month),
            "nrr_pct": lambda t: t.nrr_pct.argmax(t.revenue_month),
            "nrr_ttm_pct": lambda t: t.nrr_ttm_pct.argmax(t.revenue_month),
            "grr_ttm_pct": lambda t: t.grr_ttm_pct.argmax(t.revenue_month),
        },
    )


def _delivery(portfolio: Portfolio) -> tuple[CrossInvariant, ...]:
    """The warning of a newest month that is not delivered, where MRR follows from rows that are."""
    if portfolio.revenue.basis == "subscriptions":
        return ()
    least = portfolio.revenue.min_delivered_pct

    def broken(tables: Mapping[str, ir.Table]) -> ir.Table:
        t = tables["mrr_delivery"]
        counted = t.mutate(
            _newest=ibis.ifelse(t.is_counted, t.revenue_month, ibis.null("date")).max().over(ibis.window())
        )
        newest = counted.filter(counted["_newest"].isnull() | (counted.revenue_month >= counted["_newest"]))
        return newest.filter(newest.delivered_pct < least).drop("_newest")

    return (
        CrossInvariant(
            "newest_month_is_delivered",
            f"The newest month answers for {least:g} % of the MRR of the month before.",
            ("mrr_delivery",),
            broken,
            "The sample says whether the month is held back (is_counted false) or counts although rows are missing. Wait for"
            " the rest, or say with revenue.delivered_through that nothing more is to come.",
            "warn",
        ),
    )


def _ledger_differs(tables: Mapping[str, ir.Table]) -> ir.Table:
    t, ledger = tables["self"], tables["fct_revenue"]
    sums = ledger.group_by("revenue_month").agg(ledger_mrr=ledger.mrr.sum().cast(MONEY))
    both = t.select("revenue_month", "ending_mrr").left_join(sums, "revenue_month")
    return both.filter(both.ending_mrr != ibis.coalesce(both.ledger_mrr, ibis.literal(0).cast(MONEY))).select(
        "revenue_month", "ending_mrr", "ledger_mrr"
    )


def nrr_by_segment(portfolio: Portfolio) -> Contract:
    return Contract(
        "nrr_by_segment",
        "revenue",
        "The same by segment: each account in the segment that it has now, so that segments sum to the total.",
        ("segment", "revenue_month"),
        (Column("segment", TEXT, "Segment now; (none) without one.", nullable=False), *_waterfall_columns()),
        invariants=_WATERFALL_INVARIANTS,
        cross_invariants=(
            CrossInvariant(
                "starts_where_it_ended",
                "Each month of a segment starts with what the month before ended with.",
                (),
                _broken_chain(("segment",)),
                MODEL_FAULT,
            ),
            CrossInvariant(
                "segments_sum_to_total",
                "In each month every amount of the waterfall, summed over segments, is the total's.",
                ("nrr_summary",),
                _segments_differ,
                MODEL_FAULT,
            ),
        ),
    )


SUMMED = (
    "starting_mrr",
    "restated_mrr",
    "new_mrr",
    "reactivation_mrr",
    "expansion_mrr",
    "contraction_mrr",
    "churned_mrr",
    "ending_mrr",
    "paying_accounts",
    "churned_accounts",
)


def _segments_differ(tables: Mapping[str, ir.Table]) -> ir.Table:
    t, total = tables["self"], tables["nrr_summary"]
    sums = t.group_by("revenue_month").agg(**{f"{c}_of_segments": t[c].sum().cast(t[c].type()) for c in SUMMED})
    both = total.select("revenue_month", *SUMMED).inner_join(sums, "revenue_month")
    differs = [both[c] != both[f"{c}_of_segments"] for c in SUMMED]
    return both.filter(ibis.or_(*differs))
