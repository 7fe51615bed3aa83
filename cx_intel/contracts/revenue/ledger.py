"""The contract of the MRR ledger: what each account pays in each month, and how that moved.

Its model is in `cx_intel.models.revenue.ledger`; the waterfall and the cohorts are in the modules beside this one.
"""

from collections.abc import Mapping

import ibis
import ibis.expr.types as ir

from cx_intel.contracts.contract import COUNT, DATE, FLAG, MONEY, TEXT, Column, Contract, CrossInvariant, Invariant
from cx_intel.contracts.core import SIZE_ARR, SIZE_MRR
from cx_intel.contracts.support import MODEL_FAULT
from cx_intel.settings.portfolio import Portfolio

MOVEMENTS = ("new", "reactivation", "expansion", "contraction", "churn", "flat")


TIMES_USUAL, PAYING_MONTHS = 10, 3
"""An amount so many times an account's usual month looks like a one-off; what is usual is known from so many months."""


def mrr_column(name: str, description: str, *, size: str = SIZE_MRR, minimum: float | None = 0) -> Column:
    return Column(name, MONEY, description, size, nullable=False, minimum=minimum)


def _movement_of(t: ir.Table) -> ir.StringValue:
    """The movement that the two amounts allow; new and reactivation are told apart by history alone."""
    return ibis.cases(
        ((t.previous_mrr == 0) & (t.mrr == 0), "flat"),  # all of it was restated
        (t.is_credited & (t.previous_mrr == 0), "expansion"),
        (t.is_credited & (t.mrr == 0), "contraction"),
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
            Column("account_id", TEXT, "The account.", nullable=False, references="account_history.account_id"),
            Column("revenue_month", DATE, "First day of the month.", nullable=False),
            mrr_column("mrr", "MRR in the month."),
            mrr_column("arr", "12 x the MRR before it is rounded to cents.", size=SIZE_ARR),
            mrr_column("previous_mrr", "MRR in the month before, by today's data."),
            Column("revenue_movement", TEXT, "How it moved.", nullable=False, accepted=MOVEMENTS),
            mrr_column("expansion_mrr", "Growth of an account that paid before; else 0."),
            mrr_column("contraction_mrr", "Shrinkage of an account that still pays, positive; else 0."),
            mrr_column("net_mrr_change", "mrr - previous_mrr.", minimum=None),
            Column("account_month_number", COUNT, "Months since the first one; 1 in it.", "months", False, minimum=1),
            mrr_column("unapplied_credit", "Credit and refunds that take no MRR."),
            mrr_column("restated_mrr", "In the first open month: previous_mrr less what was closed.", minimum=None),
            Column(
                "is_credited",
                FLAG,
                "Credit notes brought this month or the one before to 0 between paying months.",
                nullable=False,
            ),
            Column("closed_segment", TEXT, "Segment that it was published under.", null_means="the month is open"),
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
                "No month has credit or refunds that take no MRR.",
                lambda t: t.unapplied_credit == 0,
                "These amounts count nowhere. Refunds are right so; check credit notes beyond their charges with billing.",
                "warn",
            ),
            Invariant(
                "no_month_is_credited_whole",
                "No month between paying ones is brought to 0 by credit notes.",
                lambda t: ~(t.is_credited & (t.mrr == 0)),
                "It counts as a contraction and not as a churn. If the credit belongs to another month, give it a period.",
                "warn",
            ),
        ),
        cross_invariants=(
            CrossInvariant(
                "no_month_is_ten_times_usual",
                f"No month of an account is {TIMES_USUAL} times its usual one, the median of its paying months (of "
                f"{PAYING_MONTHS} or more).",
                (),
                _far_above_usual,
                "It counts as expansion, and as contraction or churn after it. If it is a one-off amount, such as a setup "
                "fee, state what recurs: `revenue: {recurring_only: {column: line_type, values: [subscription]}}`, or "
                '`{column: product_name, except: ["setup*"]}`; if it is an amount for a year, deliver its '
                "billing_period_months.",
                "warn",
            ),
        ),
        plots={"rows_with_mrr": lambda t: t.count(where=t.mrr > 0)},
    )


def _net_is_difference(t: ir.Table) -> ir.BooleanValue:
    return t.net_mrr_change == t.mrr - t.previous_mrr


def _far_above_usual(tables: Mapping[str, ir.Table]) -> ir.Table:
    """The months of an account that are ten times its usual one or more, with that: `usual_mrr`, the median."""
    paid = tables["self"].filter(tables["self"].mrr > 0)
    by_size = ibis.window(group_by="account_id", order_by=["mrr", "revenue_month"])
    ranked = paid.select(
        "account_id",
        "revenue_month",
        "mrr",
        _place=ibis.row_number().over(by_size),  # from 0
        _months=paid.count().over(ibis.window(group_by="account_id")),
    )
    ranked = ranked.filter(ranked["_months"] >= PAYING_MONTHS)
    # with an even number of months there are two in the middle, with an odd one it is there twice
    lower = ranked.mrr.sum(where=ranked["_place"] == (ranked["_months"] - 1) // 2)
    upper = ranked.mrr.sum(where=ranked["_place"] == ranked["_months"] // 2)
    usual = ranked.group_by("account_id").agg(_twice=lower + upper)
    rows = ranked.join(usual, "account_id")
    rows = rows.select("account_id", "revenue_month", "mrr", usual_mrr=rows["_twice"] / 2, _twice=rows["_twice"])
    return rows.filter(rows.mrr * 2 >= rows["_twice"] * TIMES_USUAL).drop("_twice")
