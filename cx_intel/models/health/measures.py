"""The measures of the signal grammar as Ibis: one figure an account, from what was known at `as_of`.

A leaf measure reads one source; measures of the same source and window share one scan, and usage is taken
from the days of `fct_usage` where these suffice. The grammar is `cx_intel.settings.measures`; ratios and
missing sources are dealt with in `signals.py`, silent ones in `freshness.py`.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta

import ibis
import ibis.expr.types as ir

from cx_intel.contracts.staging.values import UNRESOLVED
from cx_intel.models.expressions.statistics import exact_mean
from cx_intel.models.expressions.time import end_of_day_utc
from cx_intel.models.support.judgement import known_tickets, mean_rating
from cx_intel.settings.health.measures import (
    TICKET_MEANS,
    ActivityInQuarter,
    DauMau,
    DaysSinceEvent,
    DistinctActors,
    DistinctEvents,
    EventCount,
    LatestResponse,
    Measure,
    MeasuredMetric,
    MrrChange,
    Ratio,
    TicketMeasure,
)
from cx_intel.settings.portfolio import BASIS_TABLE, Portfolio

COUNTS = (EventCount, DistinctActors, DistinctEvents, ActivityInQuarter)
"""Measures that are 0 where nothing happened."""


@dataclass(frozen=True)
class Sources:
    """The tables that measures read, and the day at which they are read."""

    fct_revenue: ir.Table
    fct_usage: ir.Table
    stg_usage_events: ir.Table
    stg_support_tickets: ir.Table
    stg_nps_responses: ir.Table
    stg_csm_activities: ir.Table
    stg_metrics: ir.Table
    portfolio: Portfolio
    as_of: date

    @property
    def end(self) -> ir.TimestampScalar:
        """The instant just after `as_of`."""
        return ibis.literal(end_of_day_utc(self.as_of, self.portfolio.time_zone))

    def start(self, window_days: int) -> ir.TimestampScalar:
        """The first instant of the last N days."""
        return ibis.literal(end_of_day_utc(self.as_of - timedelta(days=window_days), self.portfolio.time_zone))


def leaves_of(measure: Measure) -> Iterator[Measure]:
    """The measures that one is made of: itself, or those of both parts of a ratio."""
    if isinstance(measure, Ratio):
        yield from leaves_of(measure.numerator)
        yield from leaves_of(measure.denominator)
    else:
        yield measure


def source_table(measure: Measure, portfolio: Portfolio) -> str | None:
    """The canonical table that a leaf measure rests on; None for attributes and constants."""
    if isinstance(measure, MrrChange):
        return BASIS_TABLE[portfolio.revenue.basis]
    return _TABLES.get(type(measure))


def figures(sources: Sources, wanted: Mapping[str, Measure]) -> Iterator[ir.Table]:
    """Tables of account_id and some of the wanted columns; an account without a row has no figure.

    Args:
        sources: The tables.
        wanted: The leaf measure of each column; those of attributes, constants and the ledger are left alone.
    """
    daily = {c: m for c, m in wanted.items() if usage_columns(m, sources.portfolio) is not None}
    events = {c: m for c, m in wanted.items() if isinstance(m, _EVENT_KINDS) and c not in daily}
    yield from _from_days(sources, daily)
    yield from _from_events(sources, events)
    for column, measure in wanted.items():
        if isinstance(measure, DauMau):
            yield _stickiness(sources, column, measure)
    yield from _from_tickets(sources, {c: m for c, m in wanted.items() if isinstance(m, TicketMeasure)})
    yield from _from_activities(sources, {c: m for c, m in wanted.items() if isinstance(m, ActivityInQuarter)})
    for column, measure in wanted.items():
        if isinstance(measure, LatestResponse):
            yield _latest_response(sources, column, measure)
    yield from _from_metrics(sources, {c: m for c, m in wanted.items() if isinstance(m, MeasuredMetric)})


_EVENT_KINDS = (EventCount, DistinctActors, DistinctEvents, DaysSinceEvent)
_TABLES: dict[type, str] = {
    **dict.fromkeys((*_EVENT_KINDS, DauMau), "usage_events"),
    TicketMeasure: "support_tickets",
    ActivityInQuarter: "csm_activities",
    LatestResponse: "nps_responses",
    MeasuredMetric: "metrics",
}
"""The canonical table of each measure; the ledger's depends on its basis."""


def _lower(names: list[str]) -> list[str]:
    return [name.lower() for name in names]


def usage_columns(measure: Measure, portfolio: Portfolio) -> list[str] | None:
    """The columns of fct_usage that answer the measure by day; None where only the events can."""
    if isinstance(measure, DaysSinceEvent):
        return ["total_events"] if measure.events is None else None
    if not isinstance(measure, EventCount):
        return None
    if measure.events is None:
        return ["total_events"]
    asked = set(_lower(measure.events))
    for category, names in portfolio.usage.categories.items():
        if asked == set(_lower(names)):
            return [f"{category}_events"]
    counted = {event.lower(): column for column, event in portfolio.usage.counted_events.items()}
    return sorted(counted[event] for event in asked) if asked <= set(counted) else None


def _in_window(table: ir.Table, day: str, sources: Sources, window_days: int | None) -> ir.Table:
    """The rows up to as_of, and within the window where there is one."""
    known = table.filter(table[day] <= ibis.literal(sources.as_of))
    if window_days is None:
        return known
    return known.filter(known[day] >= ibis.literal(sources.as_of - timedelta(days=window_days - 1)))


def _from_days(sources: Sources, wanted: Mapping[str, Measure]) -> Iterator[ir.Table]:
    for window, group in _by_window(wanted).items():
        rows = _in_window(sources.fct_usage, "event_date", sources, window)
        columns = {}
        for name, measure in group.items():
            if isinstance(measure, DaysSinceEvent):
                columns[name] = _days_since(sources.as_of, rows.event_date.max())
            else:
                parts = [rows[c] for c in usage_columns(measure, sources.portfolio) or ()]
                columns[name] = sum(parts[1:], parts[0]).sum()
        yield rows.group_by("account_id").agg(**columns)


def _from_events(sources: Sources, wanted: Mapping[str, Measure]) -> Iterator[ir.Table]:
    for window, group in _by_window(wanted).items():
        rows = _in_window(sources.stg_usage_events, "event_date", sources, window)
        lists = [m.events for m in group.values()]  # type: ignore[union-attr]
        if None not in lists:
            asked = sorted({name for names in lists for name in _lower(names or [])})
            rows = rows.filter(rows.event_name.isin(asked))
        yield rows.group_by("account_id").agg(**{c: _event_figure(sources, rows, m) for c, m in group.items()})


def _by_window(wanted: Mapping[str, Measure]) -> dict[int | None, dict[str, Measure]]:
    groups: dict[int | None, dict[str, Measure]] = defaultdict(dict)
    for column, measure in wanted.items():
        groups[measure.window_days][column] = measure  # type: ignore[union-attr]
    return groups


def _event_figure(sources: Sources, rows: ir.Table, measure: Measure) -> ir.Value:
    names = measure.events  # type: ignore[union-attr]
    where = None if names is None else rows.event_name.isin(_lower(names))
    if isinstance(measure, DistinctActors):
        return rows.user_id.nunique(where=where)
    if isinstance(measure, DistinctEvents):
        return rows.event_name.nunique(where=where)
    if isinstance(measure, DaysSinceEvent):
        return _days_since(sources.as_of, rows.event_date.max(where=where))
    return rows.count(where=where)


def _days_since(as_of: date, day: ir.DateValue) -> ir.IntegerValue:
    return ibis.literal(as_of).delta(day, unit="day")


def _stickiness(sources: Sources, column: str, measure: DauMau) -> ir.Table:
    rows = _in_window(sources.stg_usage_events, "event_date", sources, measure.window_days)
    if measure.events is not None:
        rows = rows.filter(rows.event_name.isin(_lower(measure.events)))
    rows = rows.filter(rows.user_id.notnull())
    days = rows.select("account_id", "event_date", "user_id").distinct()
    daily_actors = days.count().cast("float64") / float(measure.window_days)
    return days.group_by("account_id").agg(**{column: daily_actors / days.user_id.nunique()})


def _from_tickets(sources: Sources, wanted: Mapping[str, TicketMeasure]) -> Iterator[ir.Table]:
    if not wanted:
        return
    rows = known_tickets(sources.stg_support_tickets, portfolio=sources.portfolio, as_of=sources.as_of)
    columns: dict[str, ir.Value] = {}
    for name, measure in wanted.items():
        inside = _ticket_window(sources, rows, measure)
        if measure.figure == "resolution_days":
            columns[name] = exact_mean(rows.resolution_hours, where=inside) / 24.0
        elif measure.figure == "satisfaction":
            columns[name] = mean_rating(rows, inside)
        else:
            counted = {
                "created": inside,
                "unresolved": inside & rows.status.isin(UNRESOLVED),
                "escalated": inside & (rows.status == "escalated"),
            }[measure.figure]
            found = rows.count(where=counted)
            created = rows.count(where=inside)
            columns[name] = found if not measure.missing_when_none else ibis.cases((created > 0, found))
    yield rows.group_by("account_id").agg(**columns)


def _ticket_window(sources: Sources, rows: ir.Table, measure: TicketMeasure) -> ir.BooleanValue:
    if measure.window_days is None:
        return rows.ticket_id.notnull()
    if measure.over == "resolved":
        return ibis.coalesce(rows.resolved_at >= sources.start(measure.window_days), ibis.literal(False))
    return rows.created_date >= ibis.literal(sources.as_of - timedelta(days=measure.window_days - 1))


def quarter_start(as_of: date, grace_days: int) -> date:
    """The first day that counts for the quarter of `as_of`; in its grace days that of the quarter before."""
    start = date(as_of.year, 3 * ((as_of.month - 1) // 3) + 1, 1)
    if (as_of - start).days >= grace_days:
        return start
    before = start - timedelta(days=1)
    return date(before.year, 3 * ((before.month - 1) // 3) + 1, 1)


def _from_activities(sources: Sources, wanted: Mapping[str, ActivityInQuarter]) -> Iterator[ir.Table]:
    if not wanted:
        return
    rows = sources.stg_csm_activities.filter(sources.stg_csm_activities.completed_at < sources.end)
    columns = {}
    for name, measure in wanted.items():
        first = end_of_day_utc(
            quarter_start(sources.as_of, measure.grace_days) - timedelta(days=1), sources.portfolio.time_zone
        )
        counts = (
            (rows.activity_type == measure.activity_type.lower())
            & rows.status.isin(_lower(measure.statuses))
            & (rows.completed_at >= ibis.literal(first))
        )
        columns[name] = ibis.cases((rows.count(where=counts) > 0, 1), else_=0)
    yield rows.group_by("account_id").agg(**columns)


def _latest_response(sources: Sources, column: str, measure: LatestResponse) -> ir.Table:
    table = sources.stg_nps_responses
    rows = table.filter(table.responded_at < sources.end)
    if measure.window_days is not None:
        rows = rows.filter(rows.responded_at >= sources.start(measure.window_days))
    newest_first = ibis.row_number().over(
        group_by=rows.account_id, order_by=[rows.responded_at.desc(), rows.response_id.desc()]
    )
    ranked = rows.mutate(_place=newest_first)
    newest = ranked.filter(ranked._place == 0)
    return newest.select("account_id", **{column: newest.score})


def _from_metrics(sources: Sources, wanted: Mapping[str, MeasuredMetric]) -> Iterator[ir.Table]:
    for window, group in _by_window(wanted).items():  # type: ignore[arg-type]
        rows = _in_window(sources.stg_metrics, "measured_on", sources, window)
        names = {column: m.metric.lower() for column, m in group.items()}  # type: ignore[union-attr]
        rows = rows.filter(rows.metric.isin(sorted(set(names.values()))))
        newest_first = ibis.row_number().over(group_by=[rows.account_id, rows.metric], order_by=rows.measured_on.desc())
        ranked = rows.mutate(_place=newest_first)
        newest = ranked.filter(ranked._place == 0)
        yield newest.group_by("account_id").agg(
            **{column: newest.value.max(where=newest.metric == name) for column, name in names.items()}
        )


def is_zero_when_none(measure: Measure) -> bool:
    """Whether an account without a row has 0 rather than nothing, given that the source is there."""
    if isinstance(measure, TicketMeasure):
        return measure.figure not in TICKET_MEANS and not measure.missing_when_none
    return isinstance(measure, COUNTS)
