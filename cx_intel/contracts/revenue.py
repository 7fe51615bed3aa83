"""The contracts of the MRR ledger, the waterfall and the cohorts.

Their models are in `cx_intel.models`: revenue, cohorts. Definitions: Revenue in the metric definitions.
"""

from collections.abc import Mapping

import ibis
import ibis.expr.types as ir

from cx_intel.contracts.contract import COUNT, DATE, MONEY, NUMBER, TEXT, Column, Contract, CrossInvariant, Invariant
from cx_intel.contracts.core import SIZE_ARR, SIZE_MRR
from cx_intel.contracts.support import MODEL_FAULT
from cx_intel.settings.portfolio import Portfolio

MOVEMENTS = ("new", "reactivation", "expansion", "contraction", "churn", "flat")


def _mrr(name: str, description: str, *, size: str = SIZE_MRR, minimum: float | None = 0) -> Column:
    return Column(name, MONEY, description, size, nullable=False, minimum=minimum)


def _movement_of(t: ir.Table) -> ir.StringValue:
    """The movement that the two amounts allow; new and reactivation are told apart by history alone."""
    return ibis.cases(
        (t.previous_mrr == 0, "start"),
        (t.mrr == 0, "churn"),
        (t.mrr > t.previous_mrr, "expansion"),
        (t.mrr < t.previous_mrr, "contraction"),
        else_="flat",
    )


def fct_revenue(portfolio: Portfolio) -> Contract:
    return Contract(
        "fct_revenue",
        "revenue",
        "The MRR ledger: what each account pays in each month, and how that moved.",
        ("account_id", "revenue_month"),
        (
            Column("account_id", TEXT, "The account.", nullable=False, references="stg_accounts.account_id"),
            Column("revenue_month", DATE, "First day of the month.", nullable=False),
            _mrr("mrr", "MRR in the month."),
            _mrr("arr", "12 x mrr.", size=SIZE_ARR),
            _mrr("previous_mrr", "MRR in the month before."),
            Column("revenue_movement", TEXT, "How it moved.", nullable=False, accepted=MOVEMENTS),
            _mrr("expansion_mrr", "Growth of an account that paid before; else 0."),
            _mrr("contraction_mrr", "Shrinkage of an account that still pays, positive; else 0."),
            _mrr("net_mrr_change", "mrr - previous_mrr.", minimum=None),
            Column("account_month_number", COUNT, "Months since the first one; 1 in it.", "months", False, minimum=1),
            _mrr("unapplied_credit", "Credit beyond the month's charges, which counts nowhere."),
        ),
        invariants=(
            Invariant(
                "movement_agrees",
                "The movement is the one that the two amounts allow.",
                lambda t: (
                    ibis.cases((t.revenue_movement.isin(["new", "reactivation"]), "start"), else_=t.revenue_movement)
                    == _movement_of(t)
                ),
                MODEL_FAULT,
            ),
            Invariant("net_is_difference", "net_mrr_change = mrr - previous_mrr.", _net_is_difference, MODEL_FAULT),
            Invariant(
                "expansion_only_when_expanding",
                "expansion_mrr and contraction_mrr are above 0 for their own movement alone.",
                lambda t: (
                    ((t.expansion_mrr > 0) == (t.revenue_movement == "expansion"))
                    & ((t.contraction_mrr > 0) == (t.revenue_movement == "contraction"))
                ),
                MODEL_FAULT,
            ),
            Invariant(
                "credit_is_applied",
                "No month's credits exceed its charges.",
                lambda t: t.unapplied_credit == 0,
                "The month counts as 0; check the credit notes of these accounts with billing.",
                "warn",
            ),
        ),
        plots={"rows_with_mrr": lambda t: t.count(where=t.mrr > 0)},
    )


def _net_is_difference(t: ir.Table) -> ir.BooleanValue:
    return t.net_mrr_change == t.mrr - t.previous_mrr


def _rate(name: str, description: str, null_means: str = "starting MRR is 0", **bounds: float) -> Column:
    return Column(name, NUMBER, description, "%", null_means=null_means, **bounds)  # type: ignore[arg-type]


def _waterfall_columns() -> tuple[Column, ...]:
    return (
        Column("revenue_month", DATE, "First day of the month.", nullable=False),
        _mrr("starting_mrr", "MRR at the start: that of the month before."),
        _mrr("new_mrr", "Of accounts that never paid before."),
        _mrr("reactivation_mrr", "Of accounts that had left and returned."),
        _mrr("expansion_mrr", "Growth of paying accounts."),
        _mrr("contraction_mrr", "Shrinkage of accounts that still pay."),
        _mrr("churned_mrr", "Of accounts that left."),
        _mrr("ending_mrr", "starting + new + reactivation + expansion - contraction - churned."),
        _mrr("ending_arr", "12 x ending_mrr.", size=SIZE_ARR),
        _rate("nrr_pct", "(starting + expansion - contraction - churned) / starting.", minimum=0),
        _rate("grr_pct", "(starting - contraction - churned) / starting.", minimum=0, maximum=100),
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
        "starting + new + reactivation + expansion - contraction - churned = ending, to the cent.",
        lambda t: (
            t.starting_mrr + t.new_mrr + t.reactivation_mrr + t.expansion_mrr - t.contraction_mrr - t.churned_mrr
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
        _waterfall_columns(),
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
        ),
        plots={
            "ending_mrr": lambda t: t.ending_mrr.argmax(t.revenue_month),
            "nrr_pct": lambda t: t.nrr_pct.argmax(t.revenue_month),
            "nrr_ttm_pct": lambda t: t.nrr_ttm_pct.argmax(t.revenue_month),
            "grr_ttm_pct": lambda t: t.grr_ttm_pct.argmax(t.revenue_month),
        },
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
            _mrr("initial_mrr", "Their MRR in the first month that the ledger knows of."),
            Column("active_accounts", COUNT, "Accounts with MRR in the month.", "accounts", nullable=False, minimum=0),
            _mrr("cohort_mrr", "Their MRR in the month."),
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
