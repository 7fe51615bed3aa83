"""What happened to an account that customer success should know of: `lifecycle_events`.

The only snapshot that reads earlier snapshots: it compares, and remembers what it has said. Tiers are
confirmed in `health.py`; the tasks that the events raise are written by `cx_intel.sync`.
"""

from datetime import date, timedelta
from functools import reduce
from hashlib import sha256
from operator import add

import ibis
import ibis.expr.types as ir

from cx_intel.contracts.contract import conform
from cx_intel.contracts.renewals import lifecycle as contracts
from cx_intel.contracts.renewals.hold_out import held_out
from cx_intel.contracts.renewals.lifecycle import CANCELLATION, SIGNAL_DROP, TIER_CHANGE
from cx_intel.models.expressions.conditions import first_match
from cx_intel.models.expressions.literals import number
from cx_intel.models.expressions.wording import number_in_words, with_unit
from cx_intel.settings.labels import worded
from cx_intel.settings.portfolio import Portfolio

LOOK_BACK_DAYS = 7
GRACE_DAYS = 3
QUIET_DAYS = 7
REASONS = 3
LEAST_POINTS = 0.05
"""Movements below are no reason."""
TOLERANCE = 1e-9
"""A drop by exactly the threshold is none, whatever floating point makes of it."""


def lifecycle_events(
    customer_health_scores__history: ir.Table,
    account_signals__history: ir.Table,
    health_score_drivers__history: ir.Table,
    renewal_pipeline: ir.Table,
    account_snapshot__history: ir.Table,
    account_history: ir.Table,
    hold_out_assignments: ir.Table | None = None,
    *,
    portfolio: Portfolio,
    as_of: date,
    previous: ir.Table,
) -> ir.Table:
    """Changes of the confirmed tier since the snapshot before, drops of watched signals, and announced cancellations.

    Grain: as_of, event_id. Reads the scores, signals, drivers and accounts up to `as_of`, the pipeline of `as_of`, the
    first load from `account_history` (what that shows is no news), and, as `previous`, its own earlier rows: an account
    has no second event of the same kind (a change to the same tier, a drop of the same signal, the same end) within 7
    days. Accounts that are held out have no playbook; default: nobody is.

    Columns: see the contract; a null playbook says that the account does not renew within 270 days or is held out.

    Always true: signal_names_the_drop, something_changed.
    """
    events = _tier_changes(
        customer_health_scores__history, health_score_drivers__history, portfolio=portfolio, as_of=as_of
    )
    if portfolio.lifecycle.watched_signals:
        events = ibis.union(events, _signal_drops(account_signals__history, portfolio=portfolio, as_of=as_of))
    events = ibis.union(events, _cancellations(account_snapshot__history, account_history, as_of=as_of))
    heard = previous.filter(previous.as_of > as_of - timedelta(days=QUIET_DAYS), previous.as_of < as_of)
    news = events.mutate(kind=_kind(events)).anti_join(
        heard.select("account_id", "event_type", kind=_kind(heard)), ["account_id", "event_type", "kind"]
    )
    playbooks = renewal_pipeline.select("account_id", playbook=renewal_pipeline.recommended_playbook)
    if hold_out_assignments is not None:
        playbooks = playbooks.anti_join(held_out(hold_out_assignments, portfolio, as_of), "account_id")
    told = news.left_join(playbooks, "account_id").drop("account_id_right")
    named = told.mutate(
        as_of=ibis.literal(as_of),
        event_id=_digest(told, portfolio, as_of) + ibis.literal("-") + told.account_id,
    )
    return conform(named, contracts.lifecycle_events(portfolio))


def _tier_changes(scores: ir.Table, drivers: ir.Table, *, portfolio: Portfolio, as_of: date) -> ir.Table:
    """Accounts whose confirmed tier differs from that in the newest earlier snapshot."""
    earlier = scores.filter(scores.as_of < as_of)
    before_day = earlier.as_of.max().as_scalar()
    now = scores.filter(scores.as_of == as_of).select("account_id", to_value="confirmed_tier")
    before = earlier.filter(earlier.as_of == before_day).select("account_id", from_value="confirmed_tier")
    both = now.inner_join(before, "account_id")
    changed = both.filter(both.from_value != both.to_value)
    d = drivers.filter(drivers.as_of <= as_of)
    is_now, is_before = d.as_of == as_of, d.as_of == before_day
    moved = (
        d.filter(is_now | is_before)
        .group_by("account_id", "signal")
        .agg(
            label=d.label.max(),
            change=ibis.coalesce(d.points.sum(where=is_now), 0.0) - ibis.coalesce(d.points.sum(where=is_before), 0.0),
        )
    )
    explained = changed.left_join(_reasons(changed, moved, portfolio), "account_id").drop("account_id_right")
    change = explained.from_value + ibis.literal(" to ") + explained.to_value
    return explained.select(
        "account_id",
        "from_value",
        "to_value",
        event_type=ibis.literal(TIER_CHANGE),
        signal=ibis.null("string"),
        signal_points="signal_points",
        reason=change + ibis.coalesce(ibis.literal(": ") + explained.reasons, ""),
    )


def _reasons(changed: ir.Table, moved: ir.Table, portfolio: Portfolio) -> ir.Table:
    """The signals that moved most points the way the tier went, in words; a row where there are any."""
    directed = changed.select(
        "account_id", direction=_level(changed.to_value, portfolio) - _level(changed.from_value, portfolio)
    )
    joined = moved.inner_join(directed, "account_id")
    toward = joined.change * ibis.ifelse(joined.direction > 0, 1, -1)
    pulled = joined.mutate(toward=toward).filter((toward >= LEAST_POINTS) & joined.direction.notnull())
    order = ibis.window(group_by="account_id", order_by=[pulled.toward.desc(), pulled.signal.asc()])
    sign = ibis.ifelse(pulled.change > 0, "+", "")
    ranked = pulled.mutate(
        place=ibis.row_number().over(order),
        words=pulled.label + ibis.literal(" ") + sign + number_in_words(pulled.change) + ibis.literal(" points"),
        points=ibis.literal('"') + pulled.signal + '": ' + number_in_words(pulled.change),
    )
    places = ranked.group_by("account_id").agg(
        **{
            f"{name}_{n}": ranked[name].max(where=ranked.place == n)
            for name in ("words", "points")
            for n in range(REASONS)
        }
    )
    words, points = (
        reduce(add, (ibis.coalesce(ibis.literal(", ") + places[f"{name}_{n}"], "") for n in range(REASONS))).substr(2)
        for name in ("words", "points")
    )
    return places.select("account_id", reasons=words, signal_points=ibis.literal("{") + points + "}")


def _level(tier: ir.StringValue, portfolio: Portfolio) -> ir.IntegerValue:
    """How good the tier is: more is better; null for an unknown one."""
    levels = portfolio.health.tiers.levels if portfolio.health else []
    return first_match([(tier == x.name, len(levels) - n) for n, x in enumerate(levels)], ibis.null("int64"))


def _signal_drops(signals: ir.Table, *, portfolio: Portfolio, as_of: date) -> ir.Table:
    """Watched signals that fell by more than their threshold since 7 days ago, or 3 days before that."""
    watched = portfolio.lifecycle.watched_signals
    declared = portfolio.health.signals if portfolio.health else {}
    known = signals.filter(signals.signal.isin(list(watched)), signals.value.notnull())
    newest, oldest = (as_of - timedelta(days=n) for n in (LOOK_BACK_DAYS, LOOK_BACK_DAYS + GRACE_DAYS))
    past = known.filter(known.as_of.between(oldest, newest))
    age = ibis.row_number().over(ibis.window(group_by=["account_id", "signal"], order_by=past.as_of.desc()))
    ranked = past.mutate(age=age)
    then = ranked.filter(ranked.age == 0).select("account_id", "signal", then_day="as_of", then="value")
    now = known.filter(known.as_of == as_of).select("account_id", "signal", now="value")
    both = now.inner_join(then, ["account_id", "signal"])
    change = (both.now - both.then) / both.then.nullif(0)
    threshold = first_match([(both.signal == name, number(drop)) for name, drop in watched.items()], None)
    fallen = both.mutate(change=change).filter((both.then > 0) & (change < -threshold - TOLERANCE))
    label = first_match([(fallen.signal == name, worded(declared[name].label)) for name in watched], None)
    unit = first_match(
        [(fallen.signal == name, worded(declared[name].unit)) for name in watched],
        None,
    )
    span = -fallen.then_day.delta(ibis.literal(as_of), unit="day")
    days = span.cast("string") + ibis.ifelse(span == 1, " day", " days")
    return fallen.select(
        "account_id",
        from_value=number_in_words(fallen.then),
        to_value=number_in_words(fallen.now),
        event_type=ibis.literal(SIGNAL_DROP),
        signal="signal",
        signal_points=ibis.null("string"),
        reason=label
        + ibis.literal(" fell ")
        + number_in_words(fallen.change * -100)
        + ibis.literal(" % in ")
        + days
        + ibis.literal(", from ")
        + with_unit(number_in_words(fallen.then), unit)
        + ibis.literal(" to ")
        + with_unit(number_in_words(fallen.now), unit),
    )


def _cancellations(snapshots: ir.Table, account_history: ir.Table, *, as_of: date) -> ir.Table:
    """Accounts that are cancelled and were not in the newest earlier snapshot, unless the first load shows it."""
    first_load = account_history.valid_from.min().as_scalar()
    before_day = snapshots.filter(snapshots.as_of < as_of).as_of.max().as_scalar()
    now = snapshots.filter((snapshots.as_of == as_of) & snapshots.is_cancelled & (ibis.literal(as_of) > first_load))
    before = snapshots.filter((snapshots.as_of == before_day) & ~snapshots.is_cancelled).select("account_id")
    news = now.semi_join(before, "account_id")
    end = news.announced_end_date.cast("string")
    return news.select(
        "account_id",
        from_value=ibis.literal("in force"),
        to_value=end,
        event_type=ibis.literal(CANCELLATION),
        signal=ibis.null("string"),
        signal_points=ibis.null("string"),
        reason=ibis.literal("Cancellation announced: the last contract ends on ") + end,
    )


def _kind(events: ir.Table) -> ir.StringValue:
    """What must not be said twice: the tier or the end reached, or the signal that dropped."""
    return ibis.ifelse(events.event_type == SIGNAL_DROP, events.signal, events.to_value)


def _digest(events: ir.Table, portfolio: Portfolio, as_of: date) -> ir.StringValue:
    """A digest of all that identifies an event but the account.

    Worked out here and compared there, because engines have no digest in common.
    """
    drops = [
        (events.signal == name, _hexadecimal(portfolio.name, SIGNAL_DROP, name, as_of.isoformat()))
        for name in portfolio.lifecycle.watched_signals
    ]
    cancelled = (events.event_type == CANCELLATION, _hexadecimal(portfolio.name, CANCELLATION, "", as_of.isoformat()))
    return first_match([*drops, cancelled], _hexadecimal(portfolio.name, TIER_CHANGE, "", as_of.isoformat()))


def _hexadecimal(*parts: str) -> str:
    return sha256("\x1f".join(parts).encode()).hexdigest()[:16]
