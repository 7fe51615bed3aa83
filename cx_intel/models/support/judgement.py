"""Tickets as they were known at a day, and whether each kept its promises by then.

Every model that reads tickets starts here, so that one rule says which tickets exist, which are resolved, and which
are late. The ticket facts made of this are in `tickets.py`, their months in `adherence.py`, open time in
`business_hours.py`. Definitions: Tickets and answers in docs/definitions.md.
"""

from datetime import date

import ibis
import ibis.expr.types as ir

from cx_intel.contracts.staging.values import LEFT_OUT, UNRESOLVED, resolved_in_order
from cx_intel.models.expressions.conditions import first_match
from cx_intel.models.expressions.statistics import exact_mean
from cx_intel.models.expressions.time import end_of_day_utc, hours, microseconds
from cx_intel.models.support.business_hours import with_open_time
from cx_intel.settings.portfolio import Portfolio


def known_tickets(stg_support_tickets: ir.Table, *, portfolio: Portfolio, as_of: date) -> ir.Table:
    """The tickets as known at the last instant of `as_of`: columns and grain of stg_support_tickets.

    Tickets left out and later ones do not exist; one resolved later, or opened again, is unresolved: without
    resolved_at, hours, rating. A time of resolution before the creation is none.
    """
    end = ibis.literal(end_of_day_utc(as_of, portfolio.time_zone))
    existing = stg_support_tickets.filter(
        (stg_support_tickets.created_at < end) & (stg_support_tickets.status != LEFT_OUT)
    )
    is_later = ibis.coalesce(existing.resolved_at >= end, ibis.literal(False))
    is_unresolved = existing.status.isin(UNRESOLVED) | is_later

    def if_resolved(column: str) -> ir.Value:
        return ibis.cases((is_unresolved, ibis.null(existing[column].type())), else_=existing[column])

    replied = existing.first_reply_at.between(existing.created_at, end) & (existing.first_reply_at < end)
    no_time = ibis.null("timestamp(6)")
    return existing.mutate(
        status=ibis.cases((is_later & ~existing.status.isin(UNRESOLVED), "open"), else_=existing.status),
        satisfaction_score=if_resolved("satisfaction_score"),
        resolution_hours=if_resolved("resolution_hours"),
        resolved_at=ibis.cases((~is_unresolved & resolved_in_order(existing), existing.resolved_at), else_=no_time),
        first_reply_at=ibis.ifelse(replied, existing.first_reply_at, no_time),
    )


def judged_tickets(
    stg_support_tickets: ir.Table,
    stg_ticket_status_history: ir.Table,
    business_hours: ir.Table,
    *,
    portfolio: Portfolio,
    as_of: date,
) -> ir.Table:
    """The tickets known at `as_of`, judged: adds the columns of fct_tickets from sla_priority to is_first_reply_breach.

    The clock runs from the creation to the resolution, or to the end of `as_of`; by the calendar or in business hours
    as its priority says, less the time in statuses that pause it. A ticket without a target is never in breach. The
    first reply is judged alike, by the priority at its time, without pauses.
    """
    tickets = known_tickets(stg_support_tickets, portfolio=portfolio, as_of=as_of)
    end = ibis.literal(end_of_day_utc(as_of, portfolio.time_zone)).cast("timestamp(6)")
    is_resolved = ~tickets.status.isin(UNRESOLVED)
    tickets = tickets.mutate(
        _until=ibis.ifelse(is_resolved, tickets.resolved_at, end),
        _reply_until=ibis.ifelse(is_resolved, tickets.first_reply_at, ibis.coalesce(tickets.first_reply_at, end)),
    )
    history = _known_changes(stg_ticket_status_history, end) if "ticket_status_history" in portfolio.tables else None
    tickets = _with_priority(tickets, history, "sla_priority", ibis.coalesce(tickets["_until"], end))
    tickets = _with_priority(tickets, history, "_reply_priority", ibis.coalesce(tickets["_reply_until"], end))
    tickets = tickets.mutate(sla_clock=_clock(tickets.sla_priority, portfolio))
    readings = {"_at_creation": "created_at", "_at_until": "_until", "_at_reply": "_reply_until"}
    tickets = _with_readings(tickets, business_hours, portfolio, readings)
    tickets = _with_pauses(tickets, history, business_hours, portfolio)
    elapsed = _between(tickets, tickets.sla_clock, "_at_creation", "_at_until") - tickets["_paused"]
    reply = _between(tickets, _clock(tickets["_reply_priority"], portfolio), "_at_creation", "_at_reply")
    return _judged(
        tickets.mutate(
            sla_elapsed_hours=hours(elapsed),
            paused_hours=hours(tickets["_paused"]),
            sla_target_hours=_target(tickets.sla_priority, portfolio.support.sla_target_hours),
            first_reply_target_hours=_target(tickets["_reply_priority"], portfolio.support.first_reply_target_hours),
            _reply_hours=hours(reply),
        )
    )


def mean_rating(tickets: ir.Table, where: ir.BooleanValue | None = None) -> ir.FloatingScalar:
    """The mean rating; null where ratings are on two scales, whose mean would say nothing."""
    score = tickets.satisfaction_score
    mean = exact_mean(score, where=where)
    scale = ibis.ifelse(score.notnull(), ibis.coalesce(tickets.csat_scale, ""), ibis.null("string"))
    return ibis.ifelse(scale.min(where=where) == scale.max(where=where), mean, ibis.null("float64"))


def _judged(tickets: ir.Table) -> ir.Table:
    """The flags that follow from elapsed hours and targets."""
    is_resolved = ~tickets.status.isin(UNRESOLVED)
    is_judged = (
        is_resolved & tickets.resolved_at.notnull() & _is_set(tickets.sla_target_hours, tickets.sla_elapsed_hours)
    )
    is_over = ibis.coalesce(tickets.sla_elapsed_hours > tickets.sla_target_hours, ibis.literal(False))
    has_reply = tickets.first_reply_at.notnull()
    is_reply_over = ibis.coalesce(tickets["_reply_hours"] > tickets.first_reply_target_hours, ibis.literal(False))
    return tickets.mutate(
        is_judged=is_judged,
        is_open_breach=~is_resolved & is_over,
        is_sla_breach=(is_judged | ~is_resolved) & is_over,
        first_reply_hours=ibis.ifelse(has_reply, tickets["_reply_hours"], ibis.null("float64")),
        is_first_reply_judged=has_reply & _is_set(tickets.first_reply_target_hours, tickets["_reply_hours"]),
        is_first_reply_breach=is_reply_over,
    )


def _is_set(*values: ir.Value) -> ir.BooleanValue:
    return ibis.and_(*(value.notnull() for value in values))


def _known_changes(stg_ticket_status_history: ir.Table, end: ir.TimestampScalar) -> ir.Table:
    """The changes known by the end of the day, each with `_next_at`: when the field changed again."""
    known = stg_ticket_status_history.filter(stg_ticket_status_history.changed_at < end)
    in_order = ibis.window(group_by=["ticket_id", "field"], order_by="changed_at")
    return known.select(
        _changed_ticket=known.ticket_id,
        _field=known.field,
        _value=known.value,
        _changed_at=known.changed_at,
        _next_at=known.changed_at.lead().over(in_order),
    )


def _with_priority(tickets: ir.Table, history: ir.Table | None, name: str, at: ir.TimestampValue) -> ir.Table:
    """Adds the priority that a ticket had at the instant, by the history where that tells it."""
    if history is None:
        return tickets.mutate(**{name: tickets.priority})
    dated = tickets.mutate(_priority_at=at)
    changes = history.filter(history["_field"] == "priority")
    in_force = [
        dated.ticket_id == changes["_changed_ticket"],
        changes["_changed_at"] <= dated["_priority_at"],
        changes["_next_at"].isnull() | (changes["_next_at"] > dated["_priority_at"]),
    ]
    found = dated.left_join(changes, in_force)
    then = ibis.ifelse(found["_changed_ticket"].notnull(), found["_value"], found.priority)
    return found.mutate(**{name: then}).drop("_priority_at", *history.columns)


def _with_pauses(
    tickets: ir.Table, history: ir.Table | None, business_hours: ir.Table, portfolio: Portfolio
) -> ir.Table:
    """Adds `_paused`: microseconds of the ticket's clock, until it stopped, in statuses that pause it."""
    zero = ibis.literal(0, "int64")
    if history is None or not portfolio.support.pauses:
        return tickets.mutate(_paused=zero)
    paused = history.filter((history["_field"] == "status") & history["_value"].isin(_lower(portfolio.support.pauses)))
    lives = tickets.filter(tickets["_until"].notnull()).select("ticket_id", "created_at", "_until", "sla_clock")
    spans = paused.inner_join(lives, paused["_changed_ticket"] == lives.ticket_id)
    spans = spans.mutate(
        _from=ibis.greatest(spans["_changed_at"], spans.created_at),
        _to=ibis.least(ibis.coalesce(spans["_next_at"], spans["_until"]), spans["_until"]),
    )
    spans = spans.filter(spans["_from"] < spans["_to"])
    spans = _with_readings(spans, business_hours, portfolio, {"_at_from": "_from", "_at_to": "_to"})
    parts = spans.select("_changed_ticket", _part=_between(spans, spans.sla_clock, "_at_from", "_at_to"))
    summed = parts.group_by("_changed_ticket").agg(_sum=parts["_part"].sum().cast("int64"))
    joined = tickets.left_join(summed, tickets.ticket_id == summed["_changed_ticket"])
    return joined.mutate(_paused=ibis.coalesce(joined["_sum"], zero)).drop("_changed_ticket", "_sum")


def _with_readings(
    rows: ir.Table, business_hours: ir.Table, portfolio: Portfolio, readings: dict[str, str]
) -> ir.Table:
    """Adds what both clocks show at each instant, in microseconds: `<reading>_calendar` and, where stated, `_business`."""
    rows = rows.mutate(**{f"{name}_calendar": microseconds(rows[at]) for name, at in readings.items()})
    if not portfolio.support.business_hours:
        return rows
    return with_open_time(rows, business_hours, **{f"{name}_business": at for name, at in readings.items()})


def _between(rows: ir.Table, clock: ir.StringValue, begin: str, finish: str) -> ir.IntegerValue:
    """Microseconds between two readings, on the clock of the row."""
    calendar = rows[f"{finish}_calendar"] - rows[f"{begin}_calendar"]
    if f"{begin}_business" not in rows.columns:
        return calendar
    return ibis.ifelse(clock == "business", rows[f"{finish}_business"] - rows[f"{begin}_business"], calendar)


def _clock(priority: ir.StringValue, portfolio: Portfolio) -> ir.StringValue:
    if not portfolio.support.business_hours:
        return ibis.literal("calendar")
    by_calendar = portfolio.support.calendar_priorities
    if not by_calendar:
        return ibis.literal("business")
    is_calendar = ibis.coalesce(priority.isin(by_calendar), ibis.literal(False))
    return ibis.ifelse(is_calendar, "calendar", "business")


def _target(priority: ir.StringValue, targets: dict[str, float]) -> ir.FloatingValue:
    return first_match([(priority == name, float(hours)) for name, hours in targets.items()], ibis.null("float64"))


def _lower(words: list[str]) -> list[str]:
    return [word.lower() for word in words]
