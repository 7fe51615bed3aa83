"""The health summaries: the book by segment, country, owner or any other attribute, one row for each value.

One function serves every attribute that a portfolio lists under `rollups`; scores are made in `health.py`,
exposure in `renewals.py`.
"""

from datetime import date

import ibis
import ibis.expr.types as ir

from cx_intel.contracts.contract import MONEY, conform
from cx_intel.contracts.health import rollups as contracts
from cx_intel.contracts.health.drivers import UNKNOWN, tier_names
from cx_intel.contracts.health.rollups import tier_count_column
from cx_intel.contracts.renewals.pipeline import is_at_risk
from cx_intel.contracts.staging.values import NO_VALUE
from cx_intel.models.expressions.shares import share
from cx_intel.models.expressions.statistics import exact_mean
from cx_intel.models.renewals.pipeline import expansion_potential
from cx_intel.models.revenue.account_mrr import NO_MONEY
from cx_intel.settings.portfolio import Portfolio


def health_summary(
    customer_health_scores: ir.Table,
    renewal_pipeline: ir.Table,
    account_snapshot: ir.Table,
    fct_revenue: ir.Table,
    *,
    portfolio: Portfolio,
    as_of: date,
    attribute: str,
) -> ir.Table:
    """The health population by an attribute: size, health, and what of it is exposed at renewal.

    Grain: as_of, the attribute. Reads the scores, pipeline and accounts of `as_of`, and `fct_revenue` to the
    horizon. Accounts of unknown tier count as customers, and nowhere in averages and shares of health.

    Columns: see the contract; a null avg_health_score or not_healthy_pct says that no tier is known.

    Always true: tiers_sum_to_customers, exposed_within_total, sums_to_the_book.
    """
    scores = customer_health_scores.select(
        "account_id",
        "current_arr",
        "health_score",
        "health_tier",
        "is_healthy",
        group=ibis.coalesce(customer_health_scores[attribute].cast("string"), NO_VALUE),
    )
    due = renewal_pipeline.select("account_id", "exposed_arr", is_at_risk=is_at_risk(renewal_pipeline))
    book = scores
    for more in (due, expansion_potential(account_snapshot, fct_revenue)):
        book = book.left_join(more, "account_id").drop("account_id_right")
    judged = book.mutate(
        is_known=book.health_tier != UNKNOWN,
        is_not_healthy=ibis.coalesce(~book.is_healthy, False),
    )
    counts = {tier_count_column(tier): judged.count(where=judged.health_tier == tier) for tier in tier_names(portfolio)}
    summed = judged.group_by(**{attribute: judged.group}).agg(
        customers=judged.count(),
        total_arr=judged.current_arr.sum().cast(MONEY),
        avg_health_score=exact_mean(judged.health_score, where=judged.is_known),
        **counts,
        unknown_count=judged.count(where=~judged.is_known),
        not_healthy=judged.count(where=judged.is_not_healthy),
        exposed_arr=ibis.coalesce(judged.exposed_arr.sum().cast(MONEY), NO_MONEY),
        at_risk_customers=judged.count(where=ibis.coalesce(judged.is_at_risk, False)),
        expansion_potential_arr=ibis.coalesce(judged.expansion_potential_arr.sum().cast(MONEY), NO_MONEY),
    )
    shares = summed.mutate(
        as_of=ibis.literal(as_of),
        not_healthy_pct=share(summed.not_healthy, summed.customers - summed.unknown_count),
        exposed_arr_pct=share(summed.exposed_arr, summed.total_arr),
    )
    return conform(shares, contracts.health_summary(portfolio, attribute))
