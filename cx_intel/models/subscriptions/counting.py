"""From which day to which a period of a subscription counts as MRR: starts, ends, trials, pauses, early renewals, grace.

The periods themselves are made in `periods.py`; what is in force on a day is in `in_force.py`.
Definitions: What a contract says in `docs/definitions.md`.
"""

from datetime import date

import ibis
import ibis.expr.types as ir

from cx_intel.models.staging.columns.subscriptions import can_count, status_role
from cx_intel.settings.portfolio import Portfolio
from cx_intel.settings.revenue.revenue import NewestUpTo

FAR = ibis.literal(date(9999, 12, 31))
"""Stands for no end where days are compared."""


def with_counting(rows: ir.Table, portfolio: Portfolio) -> ir.Table:
    """The periods with `is_counting`, `counts_from` and `counts_until`."""
    role = status_role(rows.status, portfolio)
    counts = rows.non_recurring.isnull() & ~rows.is_missing & can_count(role, rows.end_date, rows.trial_end)
    pause = ibis.ifelse(role == "paused", ibis.coalesce(rows.paused_at, rows.known_from), FAR)
    until = ibis.least(ibis.coalesce(rows.valid_to, FAR), ibis.coalesce(rows.end_date, FAR), pause)
    rows = rows.mutate(
        is_counting=ibis.coalesce(counts, ibis.literal(False)),
        counts_from=ibis.greatest(rows.valid_from, rows.start_date, ibis.coalesce(rows.trial_end, rows.start_date)),
        _until=until,
    )
    rows = rows.mutate(is_counting=rows.is_counting & (rows.counts_from < rows["_until"]))
    rows = _cut_by_successors(rows, portfolio)
    return rows.mutate(
        is_counting=rows.is_counting & (rows.counts_from < rows["_until"]),
        counts_until=ibis.ifelse(rows["_until"] >= FAR, ibis.null("date"), rows["_until"]),
    )


def _cut_by_successors(rows: ir.Table, portfolio: Portfolio) -> ir.Table:
    """Where a newer subscription of the product takes over early, the older counts until then; grace is added."""
    lives = _lives(rows)
    older, newer = lives, lives.view()
    followed = older.join(
        newer,
        [
            older.account_id == newer.account_id,
            older._product == newer._product,
            older.subscription_id != newer.subscription_id,
            older.begins < newer.begins,
        ],
    ).select(
        subscription_id=older.subscription_id,
        ends=older.ends,
        next_begins=newer.begins,
        next_ends=newer.ends,
    )
    takes_over = (followed.next_begins < followed.ends) & _is_early_renewal(followed, portfolio)
    followed = followed.mutate(_early=ibis.ifelse(takes_over, followed.next_begins, FAR))
    follows = ibis.ifelse(followed.next_begins >= followed.ends, followed.next_begins, FAR)
    cuts = followed.group_by("subscription_id").agg(_early=followed["_early"].min(), _next=follows.min())
    joined = rows.left_join(cuts, "subscription_id").drop("subscription_id_right")
    joined = joined.mutate(_early=ibis.coalesce(joined["_early"], FAR), _next=ibis.coalesce(joined["_next"], FAR))
    until = ibis.least(joined["_until"], joined["_early"])
    return joined.mutate(_until=_with_grace(joined, until, portfolio))


def _lives(rows: ir.Table) -> ir.Table:
    """Each subscription that counts: when it begins to and when it ends."""
    counting = rows.filter(rows.is_counting)
    return counting.group_by("subscription_id").agg(
        account_id=counting.account_id.max(),
        _product=ibis.coalesce(counting.product_name, "").max(),
        begins=counting.counts_from.min(),
        ends=ibis.coalesce(counting.end_date, FAR).max(),
    )


def _is_early_renewal(followed: ir.Table, portfolio: Portfolio) -> ir.BooleanValue:
    overlaps = portfolio.revenue.overlaps
    if not isinstance(overlaps, NewestUpTo):
        return ibis.literal(overlaps == "newest")
    days = followed.ends.delta(followed.next_begins, unit="day")
    return (followed.ends < FAR) & (followed.next_ends >= followed.ends) & (days <= overlaps.newest_up_to_days)


def _with_grace(rows: ir.Table, until: ir.DateValue, portfolio: Portfolio) -> ir.DateValue:
    """The day until which it counts where the end came unannounced: `grace_days` later, or until its successor."""
    days = portfolio.revenue.grace_days
    if not days:
        return until
    known = ibis.coalesce(rows.end_known_from, rows.first_seen_on)
    is_unannounced = rows.end_date.notnull() & (until == rows.end_date) & (known >= rows.end_date)
    # one that is missing ended on the day of the load that no longer had it
    following = rows.is_missing.lead().over(ibis.window(group_by="subscription_id", order_by=rows.valid_from))
    is_missing = ibis.coalesce(following, ibis.literal(False)) & (until == rows.valid_to)
    comes_back = ibis.ifelse(is_missing, _comes_back(rows), FAR)
    extended = ibis.least((until + ibis.interval(days=days)).cast("date"), rows["_next"], comes_back)
    return ibis.ifelse(is_unannounced | is_missing, extended, until)


def _comes_back(rows: ir.Table) -> ir.DateValue:
    """Of a period that is followed by a missing one: the first day of the one after that."""
    window = ibis.window(group_by="subscription_id", order_by=rows.valid_from)
    return ibis.coalesce(rows.valid_to.lead().over(window), FAR)
