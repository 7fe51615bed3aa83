"""Health scores: the drivers of an account added up to dimensions and one score, and the tier of that score.

How a driver comes about is in `drivers.py`, tiers in `tiers.py`, changes over time in `changes.py`.
Definitions: Health in the metric definitions.
"""

from datetime import date

import ibis
import ibis.expr.types as ir

from cx_intel.contracts.contract import conform
from cx_intel.contracts.health.scores import customer_health_scores as customer_health_scores_contract
from cx_intel.models.expressions.joins import beside
from cx_intel.models.expressions.statistics import exact_sum
from cx_intel.models.health.curves import within
from cx_intel.models.health.freshness import is_delivery_refused
from cx_intel.models.health.population import health_settings
from cx_intel.models.health.tiers import is_healthy, round_half_up, tier_of, with_confirmed_tier
from cx_intel.settings.health.model import HealthSettings
from cx_intel.settings.portfolio import Portfolio


def customer_health_scores(
    health_score_drivers: ir.Table,
    account_snapshot: ir.Table,
    *,
    portfolio: Portfolio,
    as_of: date,
    previous: ir.Table,
) -> ir.Table:
    """How each customer of the health population is doing: score, dimensions, tier.

    Grain: as_of, account_id. Reads the drivers and the attributes of the day and, for the confirmed tier, the
    newest earlier partition of this table. `health_score` is rounded once, half up, to 0.1 and the tier read
    from it; null when no signal has a score. A dimension's score is null when none of its signals has one.
    Below the portfolio's least coverage the tier is unknown, and the score still shown. While a source is
    stale, or the delivery of subscriptions was refused (`is_frozen`), the confirmed tier is held. Always true:
    tier_agrees_with_score, unknown_is_neither_healthy_nor_not, model_version_is_configured, rounded_to_a_tenth,
    points_sum_to_score.
    """
    health = health_settings(portfolio)
    totals = added_up(health_score_drivers, health).drop("as_of")
    refused = account_snapshot.select("account_id", _is_refused=is_delivery_refused(account_snapshot))
    totals = beside(totals, refused, "account_id")
    totals = totals.mutate(is_frozen=totals.is_frozen | ibis.coalesce(totals["_is_refused"], ibis.literal(False)))
    rows = with_confirmed_tier(totals.drop("_is_refused"), previous, health, as_of)
    scored = account_snapshot.inner_join(rows, "account_id")
    return conform(scored, customer_health_scores_contract(portfolio))


def added_up(drivers: ir.Table, health: HealthSettings) -> ir.Table:
    """Scores of dimensions and of accounts with their tier, of every `as_of` in the drivers.

    Grain: as_of, account_id; without what follows from other days (the confirmed tier) and from deliveries.
    """
    measured = ibis.cases((drivers.is_measured, drivers.nominal_weight), else_=0.0)
    applicable = ibis.cases((drivers.is_applicable, drivers.nominal_weight), else_=0.0)

    def of(dimension: str) -> ir.FloatingValue:
        where = drivers.dimension == dimension
        mean = exact_sum(drivers.points, where=where) / exact_sum(drivers.weight, where=where).nullif(0)
        return within(mean, 0.0, 100.0)

    totals = drivers.group_by("as_of", "account_id", "model_version").agg(
        **{f"{name}_score": of(name) for name in health.dimension_names()},
        unrounded_score=ibis.cases(
            (drivers.signal_score.count() > 0, exact_sum(drivers.points)), else_=ibis.null("float64")
        ),
        coverage_pct=within(
            ibis.coalesce(100.0 * exact_sum(measured) / exact_sum(applicable).nullif(0), 0.0), 0.0, 100.0
        ),
        is_frozen=ibis.cases((drivers.is_stale, 1), else_=0).max() == 1,
    )
    rows = totals.mutate(health_score=round_half_up(totals.unrounded_score))
    rows = rows.mutate(health_tier=tier_of(rows, health))
    return rows.mutate(is_healthy=is_healthy(rows, health))
