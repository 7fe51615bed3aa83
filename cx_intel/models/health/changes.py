"""How health scores changed from snapshot to snapshot, and which signals made them change.

These tables are about the newest snapshot only. The scores are made in `health.py`, their drivers in
`drivers.py`.
"""

from datetime import date, timedelta

import ibis
import ibis.expr.types as ir

from cx_intel.contracts.contract import conform
from cx_intel.contracts.health.changes import MODEL_CHANGE
from cx_intel.contracts.health.changes import health_score_change_drivers as health_score_change_drivers_contract
from cx_intel.contracts.health.changes import health_score_changes as health_score_changes_contract
from cx_intel.models.health.drivers import score_signals
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
    """Which signals made a score change, and by how much.

    Grain: account_id, as_of, compared_as_of, signal. Where the same model judged on both days, a signal's
    part is its points now less its points then. Where it did not, the old values are scored again by the
    model that judges now: a signal's part is the difference to that, and `model_change` is what the model
    makes of the same values. Always true: changes_split_exactly.
    """
    pairs = health_score_changes.mutate(
        is_same_model=health_score_changes.model_version_from == health_score_changes.model_version_to
    )
    drivers = health_score_drivers__history
    now = _of_pairs(pairs, drivers, "as_of")
    then = _of_pairs(pairs, drivers, "compared_as_of")
    same, other = then.filter(then.is_same_model), then.filter(~then.is_same_model)
    again = _of_pairs(
        pairs.filter(~pairs.is_same_model),
        _scored_again(pairs, account_signals__history, account_snapshot__history, portfolio),
        "compared_as_of",
    )
    model_change = ibis.literal(MODEL_CHANGE)
    parts = ibis.union(
        _part(now, 1, now.signal, value_to=now.value),
        _part(same, -1, same.signal, value_from=same.value),
        _part(again, -1, again.signal, value_from=again.value),
        _part(again, 1, model_change),
        _part(other, -1, model_change),
    )
    split = parts.group_by("account_id", "as_of", "compared_as_of", "signal").agg(
        points_change=parts.points.sum(), value_from=parts.value_from.max(), value_to=parts.value_to.max()
    )
    return conform(split, health_score_change_drivers_contract(portfolio))


def _of_pairs(pairs: ir.Table, drivers: ir.Table, day: str) -> ir.Table:
    """The drivers of each compared pair on one of its days."""
    rows = drivers.select(_account="account_id", _day="as_of", signal="signal", value="value", points="points")
    both = pairs.inner_join(rows, [("account_id", "_account"), (day, "_day")])
    return both.select("account_id", "as_of", "compared_as_of", "is_same_model", "signal", "value", "points")


def _scored_again(
    pairs: ir.Table, account_signals: ir.Table, account_snapshot: ir.Table, portfolio: Portfolio
) -> ir.Table:
    """The values of the compared days, scored by the model that judges each account now."""
    changed = pairs.filter(~pairs.is_same_model)
    days = changed.select(as_of="compared_as_of").distinct()
    judges = changed.select("account_id", as_of="compared_as_of", model_version="model_version_to")
    return score_signals(
        account_signals.semi_join(days, "as_of"),
        account_snapshot.semi_join(days, "as_of"),
        portfolio=portfolio,
        judged_by=judges,
    )


def _part(rows: ir.Table, sign: int, signal: ir.Value, **values: ir.Value) -> ir.Table:
    nothing = ibis.null("float64")
    return rows.select(
        "account_id",
        "as_of",
        "compared_as_of",
        signal=signal,
        points=rows.points * float(sign),
        value_from=values.get("value_from", nothing),
        value_to=values.get("value_to", nothing),
    )
