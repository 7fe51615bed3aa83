"""The periods of a subscription of which the source itself delivers a history: several rows of one id.

Which rows of a source are repeated, and which are refused, is decided in `cx_intel.models.staging.repeated_rows`; how
periods of all sources are kept from load to load, in `periods.py` beside this module.
"""

from datetime import date

import ibis
import ibis.expr.types as ir

from cx_intel.models.expressions.time import date_in_zone
from cx_intel.models.staging.columns.subscriptions import status_role
from cx_intel.settings.portfolio import Portfolio

NO_DAY = ibis.null("date")


def newest_rows(stg_subscriptions: ir.Table) -> ir.Table:
    """The newest row of each subscription."""
    newest_first = ibis.window(group_by="subscription_id", order_by=stg_subscriptions.occurrence)
    ranked = stg_subscriptions.mutate(_place=ibis.row_number().over(newest_first))
    return ranked.filter(ranked["_place"] == 0).drop("_place")


def seen_before(subscription_periods: ir.Table, portfolio: Portfolio, as_of: date) -> ir.Table:
    """subscription_id of those that a load before `as_of` had while they had not ended."""
    p = subscription_periods
    has_ended = ibis.coalesce(status_role(p.status, portfolio) == "ended", ibis.literal(False))
    return p.filter((p.known_from < ibis.literal(as_of)) & (~has_ended | p.is_counting)).select("subscription_id")


def ids_with_history(stg_subscriptions: ir.Table) -> ir.Table:
    """subscription_id of those that the source delivers with more than one row."""
    counted = stg_subscriptions.group_by("subscription_id").agg(_rows=stg_subscriptions.count())
    return counted.filter(counted["_rows"] > 1).select("subscription_id")


def dated_rows(stg_subscriptions: ir.Table, portfolio: Portfolio) -> ir.Table:
    """The rows of subscriptions with a history, each with `holds_from` and `holds_until`.

    A row holds from its `valid_from`, `changed_at` or `updated_at`, the oldest from the start, each until the next;
    `holds_until` is set only where its `valid_to` leaves days without any row. Of rows from one day the newest holds.
    """
    s = stg_subscriptions.semi_join(ids_with_history(stg_subscriptions), "subscription_id")
    written = date_in_zone(s.updated_at, portfolio.time_zone)
    s = s.mutate(_own_day=ibis.coalesce(s.valid_from, s.changed_at, written, s.start_date))
    oldest_first = ibis.window(group_by="subscription_id", order_by=[s["_own_day"], s.occurrence.desc()])
    newest_start = s.start_date.first().over(ibis.window(group_by="subscription_id", order_by=s.occurrence))
    s = s.mutate(_place=ibis.row_number().over(oldest_first), _start=newest_start)
    s = s.mutate(holds_from=ibis.ifelse(s["_place"] == 0, ibis.least(s["_own_day"], s["_start"]), s["_own_day"]))
    of_a_day = ibis.window(group_by=["subscription_id", "holds_from"], order_by=s.occurrence)
    s = s.mutate(_place=ibis.row_number().over(of_a_day))
    s = s.filter(s["_place"] == 0)
    follows = s.holds_from.lead().over(ibis.window(group_by="subscription_id", order_by=s.holds_from))
    s = s.mutate(_follows=follows)
    leaves_days = s["_follows"] > (s.valid_to + ibis.interval(days=1)).cast("date")
    return s.mutate(holds_until=ibis.ifelse(ibis.coalesce(leaves_days, ibis.literal(False)), s.valid_to, NO_DAY)).drop(
        "_own_day", "_place", "_start", "_follows"
    )
