"""Tiers: from the rounded health score to a tier, and from day to day to the confirmed one.

The confirmed tier changes only when the score has left the old tier by the exit margin and the new tier has
been called for during the dwelling time; while a source is stale it does not change. Who is told of changes
is a matter of `lifecycle_events`.
"""

from collections.abc import Callable
from datetime import date

import ibis
import ibis.expr.types as ir

from cx_intel.contracts.health.drivers import UNKNOWN
from cx_intel.models.expressions.joins import beside
from cx_intel.settings.health.model import HealthModel, HealthSettings, TierLevel

COVERAGE_NOISE = 1e-9
"""Sums of weights are off by rounding noise; a coverage that is exactly the least is enough."""


def round_half_up(score: ir.FloatingValue) -> ir.FloatingValue:
    """Rounded half up to 0.1, also where binary figures fall short of the half: 69.95 becomes 70.0."""
    return (score * 10.0 + 0.5 + 1e-9).floor().cast("float64") / 10.0


def _by_level(
    rows: ir.Table, health: HealthSettings, test: Callable[[TierLevel], ir.BooleanValue], figure: Callable
) -> ir.Value:
    """The figure of the first level, from the best down, of the row's model that passes the test."""
    return ibis.cases(
        *(
            ((rows.model_version == model.version) & test(level), figure(model, position))
            for model in health.all_models()
            for position, level in enumerate(model.tiers.levels)
        ),
        else_=None,
    )


def tier_of(rows: ir.Table, health: HealthSettings) -> ir.StringValue:
    """The tier of health_score, coverage_pct and model_version; unknown below the least coverage."""
    is_known = rows.health_score.notnull() & (rows.coverage_pct + COVERAGE_NOISE >= health.min_coverage_pct)
    name = _by_level(
        rows, health, lambda level: rows.health_score >= level.at_least, lambda m, i: m.tiers.levels[i].name
    )
    return ibis.cases((is_known, ibis.coalesce(name, UNKNOWN)), else_=UNKNOWN)


def is_healthy(rows: ir.Table, health: HealthSettings) -> ir.BooleanValue:
    """Whether health_tier counts as healthy; null for unknown."""
    return _by_level(
        rows,
        health,
        lambda level: rows.health_tier == level.name,
        lambda m, i: ibis.literal(m.tiers.levels[i].is_healthy),
    )


def with_confirmed_tier(rows: ir.Table, previous: ir.Table, health: HealthSettings, as_of: date) -> ir.Table:
    """Adds confirmed_tier, pending_tier and pending_since.

    Args:
        rows: Scores of the day with health_tier, is_frozen, model_version.
        previous: Earlier partitions of the same table; the newest one holds what was confirmed and pending.
        health: The settings.
        as_of: The day.
    """
    newest = previous.filter(previous.as_of == previous.as_of.max().as_scalar())
    before = newest.select("account_id", _was="confirmed_tier", _was_pending="pending_tier", _was_since="pending_since")
    rows = beside(rows, before, "account_id")
    rows = rows.mutate(_called=_called_for(rows, health))
    since = ibis.cases((rows._was_pending == rows._called, rows._was_since), else_=ibis.literal(as_of))
    rows = rows.mutate(_since=since)
    dwell = ibis.cases(
        *((rows.model_version == m.version, m.tiers.min_dwell_days) for m in health.all_models()), else_=0
    )
    held = ibis.literal(as_of).delta(rows._since, unit="day") >= dwell
    is_new = rows._was.isnull() | (rows._was == UNKNOWN)
    is_held = rows.is_frozen & rows._was.notnull()
    is_confirmed = is_new | (rows._called == rows._was) | held
    no_tier, no_day = ibis.null("string"), ibis.null("date")
    return rows.mutate(
        confirmed_tier=ibis.cases((is_held, rows._was), (is_confirmed, rows._called), else_=rows._was),
        pending_tier=ibis.cases((is_held, rows._was_pending), (is_confirmed, no_tier), else_=rows._called),
        pending_since=ibis.cases((is_held, rows._was_since), (is_confirmed, no_day), else_=rows._since),
    )


def _called_for(rows: ir.Table, health: HealthSettings) -> ir.StringValue:
    """The tier that the score calls for: the confirmed one while the score is within its margin."""

    def margin(model: HealthModel) -> float:
        return float(model.tiers.exit_margin)

    def up(model: HealthModel, position: int) -> ir.Value | float:
        if position == 0:
            return ibis.null("float64")  # above the best tier there is nothing
        return float(model.tiers.levels[position - 1].at_least) + margin(model)

    def down(model: HealthModel, position: int) -> float:
        return float(model.tiers.levels[position].at_least) - margin(model)

    was = {"test": lambda level: rows._was == level.name}
    upper = _by_level(rows, health, figure=up, **was)
    lower = _by_level(rows, health, figure=down, **was)
    beyond = ibis.coalesce(rows.health_score >= upper, ibis.literal(False)) | ibis.coalesce(
        rows.health_score < lower, ibis.literal(False)
    )
    is_tier_of_model = lower.notnull()
    return ibis.cases(((rows.health_tier == UNKNOWN) | ~is_tier_of_model | beyond, rows.health_tier), else_=rows._was)
