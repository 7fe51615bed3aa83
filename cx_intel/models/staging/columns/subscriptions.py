"""The columns that staging computes for subscriptions, what their statuses mean, and what is wrong with a row.

Only what follows from a row alone: what held when, over several deliveries, is in
`cx_intel.models.subscriptions.periods`; prices are in `prices.py` beside this module.
"""

from datetime import date, timedelta

import ibis
import ibis.expr.types as ir

from cx_intel.contracts.staging.values import MONEY_LIMIT, PERIOD_LIMIT, PERIOD_MONTHS_LIMIT, QUANTITY_LIMIT
from cx_intel.models.expressions.conditions import first_match
from cx_intel.models.expressions.reasons import SHOWN, Fault, reason
from cx_intel.models.staging.repeated_rows import occurrence
from cx_intel.settings.portfolio import Portfolio

MOST_INTERVALS = {"week": 520, "month": PERIOD_MONTHS_LIMIT, "year": PERIOD_MONTHS_LIMIT // 12}
"""Unit: how many of it a billing period has at most; days are bounded by the column."""
NEVER_ENDS = date(9000, 1, 1)
"""Days from here on are how systems write that there is no end."""


def status_role(status: ir.StringValue, portfolio: Portfolio) -> ir.StringValue:
    """What the status means (see `StatusRole`): counting where none is given, null for an unknown word."""
    word = status.lower().re_replace("[ -]+", "_")
    by_role: dict[str, list[str]] = {}
    for known, role in portfolio.revenue.role_of_status().items():
        by_role.setdefault(role, []).append(known)
    cases = [(word.isin(words), role) for role, words in sorted(by_role.items())]
    return ibis.cases((status.isnull(), "counting"), *cases, else_=ibis.null("string"))


def subscription_columns(rows: ir.Table, portfolio: Portfolio, as_of: date) -> dict[str, ir.Value]:
    """The ends as first days without; `occurrence` among the rows of its id; is_active; and duration_days: how long
    it has run by `as_of`, negative where it ends before it starts.
    """
    is_last_day = portfolio.source_of("subscriptions").end_date.is_ == "last_day_in_force"
    end, valid_to = (first_day_without(rows[name], is_last_day) for name in ("end_date", "valid_to"))
    day, day_after = ibis.literal(as_of), ibis.literal(as_of + timedelta(days=1))
    known_end = ibis.coalesce(end, rows.cancel_at)
    until = ibis.least(ibis.coalesce(known_end, day_after), day_after)
    planned = known_end.delta(rows.start_date, unit="day")
    so_far = ibis.ifelse(rows.start_date >= day_after, 0, until.delta(rows.start_date, unit="day"))
    ends_early = ibis.coalesce(planned < 0, ibis.literal(False))
    role = status_role(rows.status, portfolio)
    begins = ibis.greatest(rows.start_date, ibis.coalesce(rows.trial_end, rows.start_date))
    is_open = (begins <= day) & (known_end.isnull() | (known_end > day))
    counts = can_count(role, known_end, rows.trial_end) & (role != "paused")
    return {
        "end_date": end,
        "valid_to": valid_to,
        "occurrence": occurrence(rows, "subscriptions"),
        "is_active": ibis.coalesce(counts & is_open, ibis.literal(False)),
        "duration_days": ibis.ifelse(ends_early, planned, so_far),
    }


def can_count(role: ir.StringValue, end: ir.DateValue, trial_end: ir.DateValue) -> ir.BooleanValue:
    """Whether a subscription of this role is MRR on any day: an ended one up to its end, a trial from its end on."""
    has_ended = (role == "ended") & end.notnull()
    return role.isin(["counting", "paused"]) | has_ended | ((role == "trial") & trial_end.notnull())


def first_day_without(day: ir.DateValue, is_last_day_in_force: bool) -> ir.DateValue:
    """The first day without, of an end that is that day or, as the source writes it, the last one in force."""
    if not is_last_day_in_force:
        return day
    return ibis.ifelse(day < ibis.literal(NEVER_ENDS), (day + ibis.interval(days=1)).cast("date"), day)


def without_never(day: ir.DateValue) -> ir.DateValue:
    """The day, or null where it is how systems write that there is none."""
    return ibis.ifelse(day >= ibis.literal(NEVER_ENDS), ibis.null("date"), day)


def with_seen(rows: ir.Table, seen: ir.Table | None, portfolio: Portfolio) -> ir.Table:
    """Adds `_is_seen`: whether the subscription was known before it ended, by an earlier load or another of its rows.

    Args:
        rows: Typed rows of subscriptions.
        seen: subscription_id of those that earlier loads had before they ended; None where there was no load yet.
        portfolio: Its words for statuses.
    """
    role = ibis.coalesce(status_role(rows.status, portfolio), "unknown")
    is_alive = ibis.ifelse(role.isin(["counting", "paused", "trial"]), 1, 0)
    rows = rows.mutate(_is_seen=is_alive.max().over(ibis.window(group_by="subscription_id")) == 1)
    if seen is None:
        return rows
    known = seen.select(_seen_id=seen.subscription_id).distinct()
    joined = rows.left_join(known, rows.subscription_id == known["_seen_id"])
    return joined.mutate(_is_seen=joined["_is_seen"] | joined["_seen_id"].notnull()).drop("_seen_id")


def subscription_faults(rows: ir.Table, portfolio: Portfolio) -> list[Fault]:
    """What is wrong with a subscription beyond what its columns say: when, and why."""
    is_unknown = rows.status.notnull() & status_role(rows.status, portfolio).isnull()
    status = rows.status.substr(0, SHOWN)
    has_parts = rows["_has_amount"] | rows["_has_unit_amount"]
    is_beyond = has_parts & rows["_per"].notnull() & rows.currency.isin(list(portfolio.currency.rate_of()))
    is_countable = ibis.coalesce(rows.quantity, 1).between(0, QUANTITY_LIMIT)
    has_ended = ibis.coalesce(status_role(rows.status, portfolio) == "ended", ibis.literal(False))
    ends = [without_never(rows[name]) for name in ("end_date", "cancel_at", "valid_to")]
    is_untimed = has_ended & ibis.coalesce(*ends).isnull() & _are_empty(rows, "end_date", "cancel_at", "valid_to")
    is_unpriced = ~has_parts & _is_empty(rows, "amount") & _is_empty(rows, "unit_amount")
    is_month_beyond = is_beyond & (rows.amount.abs() <= MONEY_LIMIT) & rows.mrr_amount.isnull()
    count = rows["_interval_count"]
    most = first_match([(rows["_interval"] == unit, n) for unit, n in MOST_INTERVALS.items()], ibis.null("int64"))
    is_long = ibis.coalesce((count > most) & (count <= PERIOD_LIMIT), ibis.literal(False))
    counted = count.cast("string")
    return [
        (is_long, reason("period_beyond_limit", value=counted, limit=PERIOD_MONTHS_LIMIT)),
        (is_unknown, reason("unknown_status", value=status)),
        (is_untimed & ~rows["_is_seen"], reason("ended_without_day", value=status)),
        (is_unpriced, reason("missing", column="amount")),
        (is_month_beyond, reason("month_beyond_limit")),
        (is_beyond & is_countable & rows.amount.isnull(), reason("product_beyond_limit")),
    ]


def _is_empty(rows: ir.Table, name: str) -> ir.BooleanValue:
    text = f"_text_{name}"
    return rows[text].isnull() if text in rows.columns else rows[name].isnull()


def _are_empty(rows: ir.Table, *names: str) -> ir.BooleanValue:
    """Whether nothing was delivered that merely cannot be read, for which a row has a reason of its own."""
    unread = [rows[name].isnull() & ~_is_empty(rows, name) for name in names]
    return ~ibis.or_(*unread)
