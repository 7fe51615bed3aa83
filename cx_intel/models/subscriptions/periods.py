"""Which price and status of a subscription held when: `subscription_periods`, kept from delivery to delivery.

Billing systems deliver today's price under yesterday's id; here a change opens a period and the earlier ones stay. How
a row of the source is read is in `cx_intel.models.staging`; from which day to which a period counts is in
`counting.py`. Definitions: Changes in place in `docs/definitions.md`.
"""

from datetime import date

import ibis
import ibis.expr.types as ir

from cx_intel.contracts.contract import conform
from cx_intel.contracts.subscriptions import subscription_periods as contract_of_periods
from cx_intel.models.expressions.joins import beside
from cx_intel.models.staging import parsing
from cx_intel.models.staging.columns.subscriptions import status_role, without_never
from cx_intel.models.subscriptions.counting import with_counting
from cx_intel.models.subscriptions.history import NO_DAY, dated_rows, ids_with_history, newest_rows
from cx_intel.settings.portfolio import Portfolio

VALUES = ("list_mrr_amount", "discounted_mrr_amount", "discount_until", "quantity", "plan_tier", "status")
"""What holds from the load that shows it; a change of one opens a period."""
NEWEST = (
    "account_id",
    "product_name",
    "non_recurring",
    "start_date",
    "end_date",
    "cancel_at",
    "trial_end",
    "renewal_date",
    "term_months",
)
"""What holds as newest delivered, for all periods of the subscription."""
DATES_OF_CHANGE = ("paused_at", "changed_at")
ENDS = ("end_date", "cancel_at", "discount_until", "valid_to")


def subscription_periods(
    stg_subscriptions: ir.Table,
    raw_subscriptions: ir.Table,
    *,
    portfolio: Portfolio,
    as_of: date,
    previous: ir.Table,
) -> ir.Table:
    """The periods of every subscription ever delivered: `previous` carried on by the load of `as_of`.

    Grain: subscription_id, valid_from. What the first load shows, and an id that is new later, holds from its own
    start; a change holds from `changed_at`, else from `as_of`. Where the source itself delivers a history, several rows
    of one id, its rows are the periods, and the newest gives the dates. Of a source that delivers all rows a subscription that
    is gone ends on `as_of`; a quarantined row is not gone. What an earlier run of the same day wrote is undone first.

    Always true: validity_in_order, counts_in_order.
    """
    day = ibis.literal(as_of)
    known = _before(previous, portfolio, as_of)
    latest = _latest(known)
    replaced = _replaced_today(previous, known, as_of)
    delivered = _delivered(newest_rows(stg_subscriptions), portfolio)
    with_history = ids_with_history(stg_subscriptions)
    changed = _begun(delivered.anti_join(with_history, "subscription_id"), latest, replaced, portfolio, as_of)
    history = _delivered_history(dated_rows(stg_subscriptions, portfolio), known, replaced, portfolio, as_of)
    parts = [as_stored(known.anti_join(with_history, "subscription_id")), as_stored(changed), as_stored(history)]
    source = portfolio.source_of("subscriptions") if "subscriptions" in portfolio.tables else None
    gone = latest.filter(~latest.is_missing, latest.end_date.isnull() | (latest.end_date > day)) if source else latest
    if source and source.delivers_all:
        ids = raw_subscriptions.select(subscription_id=parsing.text(raw_subscriptions.subscription_id)).distinct()
        gone = gone.anti_join(ids, "subscription_id")
        if source.missing_rows == "never_existed":
            parts = [part.anti_join(gone, "subscription_id") for part in parts]
        else:
            parts.append(as_stored(gone.mutate(valid_from=day, known_from=day, is_missing=True)))
    stored = ibis.union(*parts)
    stored = _as_newest_delivered(stored, delivered, replaced, as_of)
    rows = after_discounts(ordered(stored))
    return conform(with_counting(rows, portfolio), contract_of_periods(portfolio))


def _before(previous: ir.Table, portfolio: Portfolio, as_of: date) -> ir.Table:
    """What was known before this load: without what a run of the same day wrote, and without what is corrected."""
    rows = previous.filter(previous.known_from < ibis.literal(as_of), ~previous.is_after_discount)
    if corrected := portfolio.revenue.corrections:
        rows = rows.filter(~rows.subscription_id.isin(corrected))
    return rows


def _replaced_today(previous: ir.Table, known: ir.Table, as_of: date) -> ir.Table:
    """Of subscriptions whose every period an earlier run of the day replaced: what it carried on of them.

    One row each: `subscription_id`, `_seen_on`, `_ends`, `_end_shown`. To undo that run leaves nothing of what was known.
    """
    day = ibis.literal(as_of)
    rows = previous.filter(previous.known_from == day, previous.first_seen_on < day)
    rows = rows.anti_join(known, "subscription_id")
    return rows.group_by("subscription_id").agg(
        _seen_on=rows.first_seen_on.min(), _ends=rows.end_date.max(), _end_shown=rows.end_known_from.max()
    )


def _latest(periods: ir.Table) -> ir.Table:
    """The newest period of each subscription."""
    newest_first = ibis.window(
        group_by="subscription_id", order_by=[periods.valid_from.desc(), periods.known_from.desc()]
    )
    ranked = periods.mutate(_rank=ibis.row_number().over(newest_first))
    return ranked.filter(ranked["_rank"] == 0).drop("_rank")


def _delivered(stg_subscriptions: ir.Table, portfolio: Portfolio) -> ir.Table:
    """The source's rows in the terms of the periods; the end is the stated one, else that of the cancellation."""
    s = stg_subscriptions.mutate(**{name: without_never(stg_subscriptions[name]) for name in ENDS})
    is_term = "subscriptions" in portfolio.tables and portfolio.source_of("subscriptions").end_date.means == "term"
    end = ibis.coalesce(s.cancel_at, s.end_date) if is_term else ibis.coalesce(s.end_date, s.cancel_at)
    end = ibis.coalesce(end, s.valid_to)
    kind = ibis.cases((s.cancel_at.isnull(), "term"), else_="cancellation") if is_term else "cancellation"
    return s.select(
        "subscription_id",
        **{name: s[name] for name in NEWEST if name != "end_date"},
        end_date=end,
        end_kind=ibis.ifelse(end.notnull(), kind, ibis.null("string")),
        announced_on=s.canceled_at,
        **{name: s["mrr_amount" if name == "discounted_mrr_amount" else name] for name in VALUES},
        paused_at=s.paused_at,
        changed_at=ibis.coalesce(s.changed_at, s.valid_from),
        **{name: s[name] for name in ("holds_from", "holds_until") if name in s.columns},
    )


def _delivered_history(
    rows: ir.Table, known: ir.Table, replaced: ir.Table, portfolio: Portfolio, as_of: date
) -> ir.Table:
    """The periods of subscriptions of which the source delivers a history, and the days between two of its rows.

    A period that was known keeps the load that first showed it, unless one before it is new.
    """
    day = ibis.literal(as_of)
    rows = _delivered(rows, portfolio).mutate(is_missing=ibis.literal(False)).rename(valid_from="holds_from")
    between = rows.filter(rows.holds_until.notnull()).mutate(valid_from=rows.holds_until, is_missing=ibis.literal(True))
    rows = rows.union(between.select(*rows.columns)).drop("holds_until")
    per_subscription = known.group_by("subscription_id").agg(_first_seen_on=known.first_seen_on.min())
    per_subscription = per_subscription.union(replaced.select("subscription_id", _first_seen_on=replaced["_seen_on"]))
    rows = rows.left_join(per_subscription, "subscription_id").drop("subscription_id_right")
    compared = ("is_missing", "known_from", "end_date", "end_known_from", *VALUES)
    before = known.select("subscription_id", "valid_from", **{f"_was_{name}": known[name] for name in compared})
    rows = rows.left_join(before, ["subscription_id", "valid_from"])
    is_same = ibis.and_(*(rows[name].identical_to(rows[f"_was_{name}"]) for name in ("is_missing", *VALUES)))
    shown = ibis.ifelse(ibis.coalesce(is_same, ibis.literal(False)), rows["_was_known_from"], day)
    so_far = ibis.window(group_by="subscription_id", order_by="valid_from", rows=(None, 0))
    rows = rows.mutate(_shown=ibis.coalesce(shown, day))
    return rows.mutate(
        known_from=rows["_shown"].max().over(so_far),
        end_date=ibis.ifelse(rows["_was_known_from"].notnull(), rows["_was_end_date"], rows.end_date),
        first_seen_on=ibis.coalesce(rows["_first_seen_on"], day),
        delivered_on=day,
        end_known_from=rows["_was_end_known_from"],
    )


def _begun(delivered: ir.Table, latest: ir.Table, replaced: ir.Table, portfolio: Portfolio, as_of: date) -> ir.Table:
    """The periods that this load opens: of ids that are new, that changed, or that came back; none before the start."""
    day = ibis.literal(as_of)
    before = latest.select(
        _known_id=latest.subscription_id,
        _was_missing=latest.is_missing,
        _changed_at=latest.changed_at,
        _first_seen_on=latest.first_seen_on,
        **{f"_was_{name}": latest[name] for name in VALUES},
    )
    rows = delivered.left_join(before, delivered.subscription_id == before["_known_id"])
    rows = beside(rows, replaced.select("subscription_id", "_seen_on"), "subscription_id")
    is_new = rows["_known_id"].isnull()
    is_same = ibis.and_(~rows["_was_missing"], *(rows[name].identical_to(rows[f"_was_{name}"]) for name in VALUES))
    role = status_role(rows.status, portfolio)
    dated = ibis.ifelse(rows.changed_at.identical_to(rows["_changed_at"]), NO_DAY, rows.changed_at)
    paused = ibis.ifelse(role == "paused", rows.paused_at, NO_DAY)
    stopped = ibis.ifelse((role == "ended") & rows.end_date.isnull(), rows.announced_on, NO_DAY)
    since = ibis.ifelse(rows["_was_missing"], day, ibis.coalesce(dated, paused, stopped, day))
    opened = rows.filter(is_new | ~is_same)
    return opened.mutate(
        valid_from=ibis.ifelse(is_new, ibis.least(rows.start_date, day), ibis.greatest(since, rows.start_date)),
        known_from=day,
        is_missing=ibis.literal(False),
        first_seen_on=ibis.coalesce(rows["_first_seen_on"], rows["_seen_on"], day),
        delivered_on=day,
        end_known_from=NO_DAY,
    )


STORED = (
    "subscription_id",
    "valid_from",
    *NEWEST,
    "end_kind",
    "end_known_from",
    *VALUES,
    *DATES_OF_CHANGE,
    "known_from",
    "is_missing",
    "first_seen_on",
    "delivered_on",
)


def as_stored(rows: ir.Table) -> ir.Table:
    """What is kept of a period, without what is worked out of it."""
    return rows.select(**{name: rows[name] for name in STORED})


def _as_newest_delivered(stored: ir.Table, delivered: ir.Table, replaced: ir.Table, as_of: date) -> ir.Table:
    """The periods with account, product, dates and ends as this load has them, where it has the subscription.

    An end is known from the day of its announcement, else from the load that first showed it, the first load of all
    apart, which shows what was known before.
    """
    day = ibis.literal(as_of)
    fresh = delivered.select(
        _id=delivered.subscription_id,
        _announced_on=delivered.announced_on,
        _end_kind=delivered.end_kind,
        **{f"_new_{name}": delivered[name] for name in NEWEST},
    )
    rows = stored.left_join(fresh, stored.subscription_id == fresh["_id"])
    rows = beside(rows, replaced.select("subscription_id", "_ends", "_end_shown"), "subscription_id")
    is_delivered = rows["_id"].notnull()
    first_load = rows.first_seen_on.min().over(ibis.window())
    per_subscription = ibis.window(group_by="subscription_id")
    # a period that this load opened has no end of its own yet: the others say what was known before
    was_known = ibis.ifelse(rows.known_from < day, rows.end_date, NO_DAY).max().over(per_subscription)
    known_from = ibis.ifelse(rows.known_from < day, rows.end_known_from, NO_DAY).max().over(per_subscription)
    was_known, known_from = ibis.coalesce(was_known, rows["_ends"]), ibis.coalesce(known_from, rows["_end_shown"])
    is_first = first_load == day
    shown = ibis.ifelse(is_first, NO_DAY, day)
    news = ibis.ifelse(was_known.identical_to(rows["_new_end_date"]), known_from, shown)
    return rows.mutate(
        **{name: ibis.ifelse(is_delivered, rows[f"_new_{name}"], rows[name]) for name in NEWEST},
        end_kind=ibis.ifelse(is_delivered, rows["_end_kind"], rows.end_kind),
        end_known_from=ibis.cases(
            (~is_delivered, rows.end_known_from),
            (rows["_new_end_date"].isnull(), NO_DAY),
            else_=ibis.coalesce(rows["_announced_on"], news),
        ),
        delivered_on=ibis.ifelse(is_delivered, day, rows.delivered_on),
    ).select(*STORED)


def ordered(stored: ir.Table) -> ir.Table:
    """The periods one after the other: what became known later replaces the rest from its first day on."""
    later = ibis.window(group_by="subscription_id", order_by=["known_from", "valid_from"], rows=(1, None))
    rows = stored.mutate(valid_to=stored.valid_from.min().over(later))
    rows = rows.filter(rows.valid_to.isnull() | (rows.valid_from < rows.valid_to))
    first = ibis.row_number().over(ibis.window(group_by="subscription_id", order_by="valid_from")) == 0
    return rows.mutate(valid_from=ibis.ifelse(first, ibis.least(rows.start_date, rows.valid_from), rows.valid_from))


def after_discounts(rows: ir.Table) -> ir.Table:
    """The periods with the price that holds; one in which a discount ends becomes two."""
    until = rows.discount_until
    splits = ibis.coalesce((until > rows.valid_from) & (rows.valid_to.isnull() | (until < rows.valid_to)), False)
    rows = rows.mutate(_splits=splits, _is_over=ibis.coalesce(until <= rows.valid_from, False))
    first = rows.mutate(
        valid_to=ibis.ifelse(rows["_splits"], rows.discount_until, rows.valid_to),
        mrr_amount=ibis.ifelse(rows["_is_over"], rows.list_mrr_amount, rows.discounted_mrr_amount),
        is_after_discount=ibis.literal(False),
    )
    second = rows.filter(rows["_splits"]).mutate(
        valid_from=rows.discount_until, mrr_amount=rows.list_mrr_amount, is_after_discount=ibis.literal(True)
    )
    return first.select(*sorted(first.columns)).union(second.select(*sorted(first.columns)))
