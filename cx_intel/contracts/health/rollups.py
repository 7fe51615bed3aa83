"""The contracts of the health summaries, one for each attribute that a portfolio rolls up by.

The model is `cx_intel.models.health.rollups`; definitions: Tables and columns, and Health, in the metric
definitions.
"""

from collections.abc import Callable, Mapping
from functools import reduce
from operator import add

import ibis.expr.types as ir

from cx_intel.contracts.contract import COUNT, NUMBER, TEXT, Column, Contract, CrossInvariant, Invariant
from cx_intel.contracts.core import AS_OF
from cx_intel.contracts.health.drivers import tier_names
from cx_intel.contracts.renewals.pipeline import WINDOW_DAYS, money_column, percentage_column
from cx_intel.contracts.staging.values import NO_VALUE
from cx_intel.contracts.support import MODEL_FAULT
from cx_intel.settings.portfolio import Portfolio


def tier_count_column(tier: str) -> str:
    """The column that counts the accounts of a tier: `green_count`."""
    return f"{tier.lower().replace(' ', '_')}_count"


def health_summary(portfolio: Portfolio, attribute: str) -> Contract:
    counts = [tier_count_column(tier) for tier in tier_names(portfolio)]
    return Contract(
        f"{attribute}_health_summary",
        "renewals",
        f"How healthy is the book by {attribute}, and what of it is exposed at renewal?",
        ("as_of", attribute),
        (
            AS_OF,
            Column(
                attribute,
                TEXT,
                f"Value of {attribute}; {NO_VALUE} where an account has none.",
                nullable=False,
            ),
            _count("customers", "Accounts of the health population."),
            money_column("total_arr", "Their current ARR."),
            Column(
                "avg_health_score",
                NUMBER,
                "Mean health score of the accounts whose tier is known.",
                "0 to 100",
                null_means="no tier is known",
                minimum=0,
                maximum=100,
            ),
            *(
                _count(name, f"Accounts of the tier {tier}.")
                for name, tier in zip(counts, tier_names(portfolio), strict=True)
            ),
            _count("unknown_count", "Accounts with too little measured for a tier."),
            percentage_column(
                "not_healthy_pct", "Accounts not healthy, of those whose tier is known.", "no tier is known"
            ),
            money_column(
                "exposed_arr", f"ARR of accounts not healthy or cancelled that are due within {WINDOW_DAYS} days."
            ),
            percentage_column("exposed_arr_pct", "exposed_arr of total_arr.", "there is no ARR"),
            _count("at_risk_customers", f"Accounts not healthy or cancelled that are due within {WINDOW_DAYS} days."),
            money_column("expansion_potential_arr", "12 x their expansion of the last three months to the horizon."),
        ),
        kind="snapshot",
        invariants=(
            Invariant(
                "tiers_sum_to_customers",
                "The accounts of the tiers and the unknown sum to customers.",
                lambda t: reduce(add, (t[name] for name in counts), t.unknown_count) == t.customers,
                MODEL_FAULT,
            ),
            Invariant(
                "exposed_within_total",
                "exposed_arr is at most total_arr, at_risk_customers at most customers.",
                lambda t: (t.exposed_arr <= t.total_arr) & (t.at_risk_customers <= t.customers),
                MODEL_FAULT,
            ),
        ),
        cross_invariants=(
            CrossInvariant(
                "sums_to_the_book",
                "Customers and ARR, summed over the rows, are those of customer_health_scores.",
                ("customer_health_scores",),
                _differs_from(
                    "customer_health_scores",
                    {
                        "customers": (lambda t: t.customers.sum(), lambda s: s.count()),
                        "total_arr": (lambda t: t.total_arr.sum(), lambda s: s.current_arr.sum()),
                    },
                ),
                MODEL_FAULT,
            ),
        ),
    )


Sum = Callable[[ir.Table], ir.NumericScalar]


def _differs_from(other: str, sums: Mapping[str, tuple[Sum, Sum]]) -> Callable[[Mapping[str, ir.Table]], ir.Table]:
    """The days on which a sum over the table is not that over the other."""

    def broken(tables: Mapping[str, ir.Table]) -> ir.Table:
        mine, theirs = tables["self"], tables[other]
        ours = mine.group_by("as_of").agg(**{name: of_self(mine) for name, (of_self, _) in sums.items()})
        meant = theirs.group_by("as_of").agg(
            **{f"expected_{name}": of_other(theirs) for name, (_, of_other) in sums.items()}
        )
        both = ours.inner_join(meant, "as_of")
        differs = (both[name] != both[f"expected_{name}"] for name in sums)
        return both.filter(reduce(lambda a, b: a | b, differs))

    return broken


def _count(name: str, description: str) -> Column:
    return Column(name, COUNT, description, "accounts", nullable=False, minimum=0)
