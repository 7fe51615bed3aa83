"""How health scores changed from snapshot to snapshot, and what made them change.

These tables are about the newest snapshot only, and how a change falls apart into causes is worked out in `causes.py`. The
scores are made in `scores.py`, their drivers in `drivers.py`.
"""

from datetime import date, timedelta

import ibis
import ibis.expr.types as ir

from cx_intel.contracts.contract import conform
from cx_intel.contracts.health.changes import health_score_change_drivers as health_score_change_drivers_contract
from cx_intel.contracts.health.changes import health_score_changes as health_score_changes_contract
from cx_intel.models.expressions.joins import beside
from cx_intel.models.health.causes import PAIR, by_cause, joined_states, with_ranks_among_others, with_reads
from cx_intel.models.health.drivers import score_signals
from cx_intel.models.health.population import health_settings
from cx_intel.settings.portfolio import Portfolio

DAYS_BACK = (7, 30)
SLACK_DAYS = 3
"""Without a snapshot on the very day, the newest of so many days before it is compared."""


def health_score_changes(customer_health_scores__history: ir.Table, *, portfolio: Portfolio, as_of: date) -> ir.Table:
    """Whose score moved against the snapshot before, a week ago, a month ago.

    Grain: account_id, as_of, compared_as_of. Reads all snapshots up to `as_of`, the newest. Accounts without
    a score on both days have no row. `health_score_change` is of the unrounded scores, so that signals split
    it exactly. Always true: looks_back, change_agrees_with_scores.
    """
    history = customer_health_scores__history
    scored = history.filter(history.health_score.notnull()).select(
        "account_id",
        day=history.as_of,
        tier=history.health_tier,
        score=history.health_score,
        exact=history.unrounded_score,
        version=history.model_version,
    )
    now = scored.filter(scored.day == ibis.literal(as_of)).rename("{name}_to")
    then = scored.inner_join(_compared_days(scored, as_of), "day").rename("{name}_from")
    both = now.inner_join(then, now.account_id_to == then.account_id_from)
    changes = both.select(
        account_id=both.account_id_to,
        as_of=both.day_to,
        compared_as_of=both.day_from,
        health_score_change=both.exact_to - both.exact_from,
        tier_from=both.tier_from,
        tier_to=both.tier_to,
        score_from=both.score_from,
        score_to=both.score_to,
        model_version_from=both.version_from,
        model_version_to=both.version_to,
    )
    return conform(changes, health_score_changes_contract(portfolio))


def _compared_days(scored: ir.Table, as_of: date) -> ir.Table:
    """The days of the snapshots to compare with, each once."""

    def newest(last: date, first: date | None = None) -> ir.Table:
        rows = scored.filter(scored.day <= ibis.literal(last))
        if first is not None:
            rows = rows.filter(rows.day >= ibis.literal(first))
        return rows.agg(day=rows.day.max())

    days = [newest(as_of - timedelta(days=1))]
    for back in DAYS_BACK:
        last = as_of - timedelta(days=back)
        days.append(newest(last, last - timedelta(days=SLACK_DAYS)))
    found = ibis.union(*days, distinct=True)
    return found.filter(found.day.notnull())


def health_score_change_drivers(
    health_score_changes: ir.Table,
    health_score_drivers__history: ir.Table,
    account_signals__history: ir.Table,
    account_snapshot__history: ir.Table,
    *,
    portfolio: Portfolio,
    as_of: date,
) -> ir.Table:
    """What made a score change, and by how much: by signal and cause.

    Grain: account_id, as_of, compared_as_of, signal, cause; causes that moved nothing have no row. On the way from
    then to now one thing is changed after another: the scorecard (of which `weight` is what other weights of the
    settings alone do), then which signals are measured (`missing_evidence`), then the others' values that ranks
    compare with (`population`), then the account's own values (`measure`). The values of then are scored again by
    the scorecard and the attributes of now; where that model is no longer in the settings, or the values are no longer
    kept, the same version counts as the same scorecard, and another takes the whole change. What a weight that moves
    does to a score is told as its distance from the score before. Argued in `docs/definitions.md`, Why a score moved. Always
    true: changes_split_exactly.
    """
    health = health_settings(portfolio)
    versions = [model.version for model in health.all_models()]
    measured = account_signals__history.select("account_id", compared_as_of="as_of", _measured="as_of").distinct()
    changes = beside(health_score_changes, measured, "account_id", "compared_as_of")
    is_same = changes.model_version_from == changes.model_version_to
    pairs = changes.select(
        *PAIR,
        version=changes.model_version_to,
        is_same=is_same,
        is_known=changes.model_version_to.isin(versions) & changes["_measured"].notnull(),
        is_edited=is_same | ~changes.model_version_from.isin(versions),
    )
    drivers = health_score_drivers__history
    again = _scored_again(pairs, account_signals__history, account_snapshot__history, portfolio, as_of)
    states = joined_states(pairs, drivers, again)
    states = with_reads(states, account_signals__history, health)
    states = with_ranks_among_others(states, drivers.filter(drivers.as_of == ibis.literal(as_of)), health)
    return conform(by_cause(states), health_score_change_drivers_contract(portfolio))


def _scored_again(
    pairs: ir.Table, account_signals: ir.Table, account_snapshot: ir.Table, portfolio: Portfolio, as_of: date
) -> ir.Table:
    """The values of the compared days, scored by the scorecard and the attributes that each account has now.

    Accounts that have none now keep those of then: ranks are among all who were there.
    """
    days = pairs.select(as_of="compared_as_of").distinct()
    is_now = account_snapshot.as_of == ibis.literal(as_of)
    now = account_snapshot.filter(is_now)
    gone = account_snapshot.semi_join(days, "as_of").anti_join(now, "account_id")
    columns = account_snapshot.columns
    attributes = ibis.union(now.drop("as_of").cross_join(days).select(*columns), gone.select(*columns))
    return score_signals(
        account_signals.semi_join(days, "as_of"),
        attributes,
        portfolio=portfolio,
        judged_by=pairs.select("account_id", as_of="compared_as_of", model_version="version"),
    )
