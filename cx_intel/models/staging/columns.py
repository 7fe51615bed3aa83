"""The columns that staging computes, one small function a table: what follows from a row alone and its
portfolio.

A column that needs other rows or tables belongs in the core tables. How the cells they are made from are
read: `cx_intel.models.staging.rows`; the meaning of each column: the staging contracts.
"""

from collections.abc import Callable
from datetime import date, timedelta

import ibis
import ibis.expr.types as ir

from cx_intel.contracts.erased import is_erased
from cx_intel.models.expressions.conditions import first_match, holds
from cx_intel.models.expressions.time import in_zone
from cx_intel.settings.accounts import Rules
from cx_intel.settings.portfolio import Portfolio

Derivation = Callable[[ir.Table, Portfolio, date], dict[str, ir.Value]]


def _attribute(name: str, rules: Rules) -> Derivation:
    """An attribute by rules; an erased account comes with what is known of it, for nothing is there to go by."""

    def derive(rows: ir.Table, portfolio: Portfolio, as_of: date) -> dict[str, ir.Value]:
        cases = ((holds(case.if_, rows), case.value) for case in rules.rules)
        derived = first_match(cases, rules.else_).cast("string")
        return {name: ibis.ifelse(is_erased(rows.account_id), rows[name], derived)}

    return derive


def _attributes(portfolio: Portfolio) -> list[Derivation]:
    return [_attribute(name, rules) for name, rules in portfolio.derived_attributes.items()]


def is_contract(subscriptions: ir.Table) -> ir.BooleanValue:
    """Whether a subscription counts at all: no trial, and beginning before it ends."""
    ends = subscriptions.end_date
    is_trial = ibis.coalesce(subscriptions.status == "trial", ibis.literal(False))
    return ~is_trial & (ends.isnull() | (subscriptions.start_date < ends))


def in_force(subscriptions: ir.Table, day: date) -> ir.BooleanValue:
    """Whether a subscription is in force on the day: one that counts, begun and not ended."""
    ends = subscriptions.end_date
    is_open = (subscriptions.start_date <= ibis.literal(day)) & (ends.isnull() | (ends > ibis.literal(day)))
    return ibis.coalesce(is_open & is_contract(subscriptions), ibis.literal(False))


def _subscriptions(rows: ir.Table, portfolio: Portfolio, as_of: date) -> dict[str, ir.Value]:
    day_after = ibis.literal(as_of + timedelta(days=1))
    until = ibis.least(ibis.coalesce(rows.end_date, day_after), day_after)
    planned = rows.end_date.delta(rows.start_date, unit="day")
    begins_later = rows.start_date >= day_after
    so_far = ibis.ifelse(begins_later, 0, until.delta(rows.start_date, unit="day"))
    ends_early = ibis.coalesce(planned < 0, ibis.literal(False))
    return {
        "is_active": in_force(rows, as_of),
        "duration_days": ibis.ifelse(ends_early, planned, so_far),
    }


def _invoices(rows: ir.Table, portfolio: Portfolio, as_of: date) -> dict[str, ir.Value]:
    return {
        "invoice_month": rows.invoice_date.truncate("M").cast("date"),
        "is_paid": ibis.coalesce(rows.status == "paid", ibis.literal(False)),
    }


def _event_day(rows: ir.Table, portfolio: Portfolio, as_of: date) -> dict[str, ir.Value]:
    return {"_local_time": in_zone(rows.event_timestamp, portfolio.time_zone)}


def _usage_events(rows: ir.Table, portfolio: Portfolio, as_of: date) -> dict[str, ir.Value]:
    categories = portfolio.usage.categories
    cases = ((rows.event_name.isin(names), category) for category, names in categories.items() if names)
    return {
        "event_date": rows["_local_time"].date(),
        "event_hour": rows["_local_time"].hour().cast("int64"),
        "event_category": first_match(cases, "other"),
    }


def _ticket_day(rows: ir.Table, portfolio: Portfolio, as_of: date) -> dict[str, ir.Value]:
    return {"_local_time": in_zone(rows.created_at, portfolio.time_zone)}


def _support_tickets(rows: ir.Table, portfolio: Portfolio, as_of: date) -> dict[str, ir.Value]:
    targets = portfolio.support.sla_target_hours.items()
    cases = [(rows.priority == priority, float(hours)) for priority, hours in targets]
    seconds = rows.resolved_at.epoch_seconds() - rows.created_at.epoch_seconds()
    return {
        "created_date": rows["_local_time"].date(),
        "resolution_hours": seconds.cast("float64") / 3600,
        "sla_target_hours": first_match(cases, ibis.null("float64")),
    }


def _ticket_breach(rows: ir.Table, portfolio: Portfolio, as_of: date) -> dict[str, ir.Value]:
    return {"is_sla_breach": rows.resolution_hours > rows.sla_target_hours}


def derivations(table: str, portfolio: Portfolio) -> list[Derivation]:
    """The derivations of a canonical table, each over the columns of those before it."""
    return _attributes(portfolio) if table == "accounts" else list(_DERIVATIONS.get(table, ()))


_DERIVATIONS: dict[str, tuple[Derivation, ...]] = {
    "subscriptions": (_subscriptions,),
    "invoices": (_invoices,),
    "usage_events": (_event_day, _usage_events),
    "support_tickets": (_ticket_day, _support_tickets, _ticket_breach),
}
