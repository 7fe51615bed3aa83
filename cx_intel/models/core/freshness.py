"""How new each source is at `as_of`, by its own rhythm, and whether it delivers as many rows as usual.

All of it follows from the days of the staged rows, counted back from `as_of`; no clock is read. What a silent source
does to signals and tiers is in `cx_intel.models.health.freshness`; definitions: Freshness in `docs/definitions.md`.
"""

from collections.abc import Mapping
from datetime import date, timedelta

import ibis
import ibis.expr.types as ir

from cx_intel.contracts.contract import conform
from cx_intel.contracts.freshness import DELIVERIES, ROWS
from cx_intel.contracts.freshness import source_freshness as contract_of_freshness
from cx_intel.models.core.source_days import BY_DELIVERIES, DAYS, SOURCE, DatedRows, days_with_rows, names_of
from cx_intel.models.expressions.holidays import public_holidays
from cx_intel.models.expressions.joins import beside
from cx_intel.models.expressions.statistics import quantiles
from cx_intel.settings.portfolio import Portfolio

LOOK_BACK_DAYS, LEAST_GAPS = 400, 10
LEAST_PARTITIONS = 5
"""So many earlier partitions of the last `VOLUME_DAYS` it takes to tell that a source is always late."""
VOLUME_DAYS, WEEKS, LEAST_WEEKS, LEAST_USUAL = 14, 8, 4, 20
"""A day is judged by the same weekday of the weeks before, of which the source has to have seen so many at least."""


def source_freshness(
    account_history: ir.Table,
    subscription_periods: ir.Table,
    stg_invoices: ir.Table,
    stg_mrr_history: ir.Table,
    stg_usage_events: ir.Table,
    stg_support_tickets: ir.Table,
    stg_ticket_status_history: ir.Table,
    stg_nps_responses: ir.Table,
    stg_csm_activities: ir.Table,
    stg_metrics: ir.Table,
    days_of_sources: ir.Table,
    *,
    portfolio: Portfolio,
    as_of: date,
    previous: ir.Table,
) -> ir.Table:
    """How new each source of the portfolio is on the day, by its rows; accounts and subscriptions by their deliveries.

    Grain: as_of, source_table, source_name: each of several sources of a table by itself. Reads what is dated up to
    `as_of`; a row of a month is dated its last day. A delivery is a load that brought something new: a source that is
    read again unchanged has delivered nothing. A source without any row is late where a limit is stated for it, or
    where it had rows before. That, and how late a source always is, so that no day is judged before it can have come,
    is read from earlier partitions of this table. Always true: frozen_is_late, low_volume_has_a_day.
    """
    tables = {
        "accounts": account_history,
        "subscriptions": subscription_periods,
        "invoices": stg_invoices,
        "mrr_history": stg_mrr_history,
        "usage_events": stg_usage_events,
        "support_tickets": stg_support_tickets,
        "ticket_status_history": stg_ticket_status_history,
        "nps_responses": stg_nps_responses,
        "csm_activities": stg_csm_activities,
        "metrics": stg_metrics,
    }
    delivered = {t: rows for t, rows in tables.items() if t in portfolio.tables}
    days = _days(delivered, days_of_sources, portfolio, as_of)
    known = previous.mutate(source_name=ibis.coalesce(previous.source_name, previous.source_table))
    newest = days.group_by(*SOURCE).agg(newest_on=days.day.max(), age_days=days.ago.min(), first_ago=days.ago.max())
    rows = _sources(portfolio)
    for part in (newest, _rhythms(days, newest), _volumes(days, newest, known, portfolio, as_of), _known(known)):
        rows = beside(rows, part, *SOURCE)
    return conform(_judged(rows, as_of), contract_of_freshness(portfolio))


def _sources(portfolio: Portfolio) -> ir.Table:
    """A row for each source that has days, with the limits stated for it."""
    parts = []
    for table in DAYS:
        if table not in portfolio.tables:
            continue
        for (_, name), source in zip(names_of(table, portfolio), portfolio.parts_of(table).values(), strict=True):
            limits = {"stale_after": source.stale_after_days, "freeze_after": source.freeze_after_days}
            stated = {name: ibis.null("int64") if n is None else ibis.literal(n, "int64") for name, n in limits.items()}
            row = ibis.literal(table).name("source_table").as_table()
            parts.append(row.mutate(source_name=ibis.literal(name), **stated))
    return parts[0] if len(parts) == 1 else ibis.union(*parts)


def _days(tables: Mapping[str, ir.Table], days_of_sources: ir.Table, portfolio: Portfolio, as_of: date) -> ir.Table:
    """source_table, source_name, day, ago (days before `as_of`), rows: each day up to `as_of` on which a source has any."""
    single = [DatedRows(t, t, rows) for t, rows in tables.items() if not portfolio.has_several(t)]
    parts = [days_with_rows(single, portfolio, as_of)] if single else []
    if len(single) < len(tables):
        kept = days_of_sources.filter(days_of_sources.day <= ibis.literal(as_of))
        parts.append(kept.select(*SOURCE, "day", "rows"))
    found = ibis.union(*parts) if len(parts) > 1 else parts[0]
    return found.mutate(ago=ibis.literal(as_of).delta(found.day, unit="day").cast("int64"))


def _rhythms(days: ir.Table, newest: ir.Table) -> ir.Table:
    """The source, gap_count, rhythm_days: over the 400 days up to the newest, so that silence takes no rhythm away."""
    recent = beside(days, newest.select(*SOURCE, "age_days"), *SOURCE)
    recent = recent.filter(recent.ago <= recent.age_days + LOOK_BACK_DAYS)
    older = ibis.window(group_by=SOURCE, order_by="ago", rows=(1, None))
    gaps = recent.mutate(gap=recent.ago.min().over(older) - recent.ago)
    gaps = gaps.filter(gaps.gap.notnull()).select(*SOURCE, "gap")
    by_length = ibis.window(group_by=SOURCE, order_by="gap")
    ranked = gaps.mutate(
        place=ibis.row_number().over(by_length) + 1, gaps=gaps.count().over(ibis.window(group_by=SOURCE))
    )
    reaches = (ranked.place * 10 >= ranked.gaps * 9) & (ranked.gaps >= LEAST_GAPS)
    return ranked.group_by(*SOURCE).agg(gap_count=ranked.count(), rhythm_days=ranked.gap.min(where=reaches))


def _volumes(days: ir.Table, newest: ir.Table, previous: ir.Table, portfolio: Portfolio, as_of: date) -> ir.Table:
    """The source, volume_ago, volume_rows, usual_rows, is_low_volume, of sources that are judged by their rows."""
    counted = days.select(*SOURCE, "rows", day_ago="ago")
    sources = newest.filter(~newest.source_table.isin(BY_DELIVERIES)).select(*SOURCE, "first_ago")
    judged = sources.mutate(day_ago=ibis.range(0, VOLUME_DAYS).unnest())
    judged = judged.mutate(day_ago=judged.day_ago.cast("int64"))
    judged = beside(judged, _always_late(previous, as_of), *SOURCE)
    has_come = judged.day_ago >= ibis.coalesce(judged.always_late, ibis.literal(0, "int64"))
    judged = judged.filter(has_come & (judged.day_ago + 7 * LEAST_WEEKS <= judged.first_ago)).drop("always_late")
    if holidays := _holidays_ago(portfolio, as_of):
        judged = judged.filter(judged.day_ago.notin(holidays))
    weeks = judged.mutate(week=ibis.range(1, WEEKS + 1).unnest())
    weeks = weeks.select(
        *SOURCE, "first_ago", judged_ago=weeks.day_ago, day_ago=weeks.day_ago + weeks.week.cast("int64") * 7
    )
    weeks = _with_rows(weeks.filter(weeks.day_ago <= weeks.first_ago), counted)
    usual = quantiles(weeks, by=[*SOURCE, "judged_ago"], value="rows", points={"usual_rows": 0.5})
    usual = usual.filter(usual.usual_rows >= LEAST_USUAL).rename(day_ago="judged_ago")
    found = _with_rows(usual, counted)
    found = found.mutate(
        is_low=found.rows * 4 < found.usual_rows,
        place=ibis.row_number().over(ibis.window(group_by=SOURCE, order_by="day_ago")),
    )
    last, before = found.place == 0, found.place == 1
    return found.group_by(*SOURCE).agg(
        volume_ago=found.day_ago.min(where=last),
        volume_rows=found.rows.min(where=last),
        usual_rows=found.usual_rows.min(where=last),
        is_low_volume=(found.is_low & last).any() & ((found.is_low & before).any() | ((found.rows == 0) & last).any()),
    )


def _known(previous: ir.Table) -> ir.Table:
    """The source, had_rows: whether an earlier partition knows a row of the source."""
    return previous.group_by(*SOURCE).agg(had_rows=previous.newest_on.notnull().any())


def _always_late(previous: ir.Table, as_of: date) -> ir.Table:
    """The source, always_late: the least age in the partitions of the last days, where these are enough to tell."""
    recent = previous.filter(previous.as_of >= ibis.literal(as_of - timedelta(days=VOLUME_DAYS)))
    found = recent.group_by(*SOURCE).agg(always_late=recent.age_days.min(), partitions=recent.count())
    return found.filter(found.partitions >= LEAST_PARTITIONS).drop("partitions")


def _with_rows(days: ir.Table, counted: ir.Table) -> ir.Table:
    """The days with the rows of the source on each, 0 where it has none."""
    found = beside(days, counted, *SOURCE, "day_ago")
    return found.mutate(rows=ibis.coalesce(found.rows, ibis.literal(0, "int64")))


def _holidays_ago(portfolio: Portfolio, as_of: date) -> list[int]:
    """How many days before `as_of` the public holidays of the portfolio's countries are that could be judged."""
    days = [as_of - timedelta(days=n) for n in range(VOLUME_DAYS)]
    known = public_holidays(portfolio.holiday_regions, {day.year for day in days})
    return [n for n, day in enumerate(days) if day in known]


def _judged(rows: ir.Table, as_of: date) -> ir.Table:
    """The sources with their limits and whether they keep to them."""
    no, rhythm = ibis.literal(False), rows.rhythm_days.cast("int64")
    by_rhythm = ((rhythm * 3 - rhythm % 2) / 2).cast("int64") + 2  # ages are whole days: 1.5 rhythms are cut to one
    late = ibis.coalesce(rows.stale_after, by_rhythm, rows.freeze_after)
    late = ibis.least(late, ibis.coalesce(rows.freeze_after, late))
    usual = ibis.greatest(rhythm * 3 + 4, ibis.coalesce(rows.stale_after, ibis.literal(0, "int64")))
    freeze = ibis.coalesce(rows.freeze_after, ibis.ifelse(rhythm.notnull(), usual, ibis.null("int64")))
    rows = rows.mutate(late_after_days=late, freeze_after_days=freeze)
    is_empty = rows.age_days.isnull() & rows.source_table.notin(BY_DELIVERIES)
    had_rows = ibis.coalesce(rows.had_rows, no)
    days_ago = [(rows.volume_ago == n, ibis.literal(as_of - timedelta(days=n))) for n in range(VOLUME_DAYS)]
    return rows.mutate(
        as_of=ibis.literal(as_of),
        judged_by=ibis.cases((rows.source_table.isin(BY_DELIVERIES), DELIVERIES), else_=ROWS),
        gap_count=ibis.coalesce(rows.gap_count, ibis.literal(0, "int64")),
        is_late=ibis.coalesce(
            rows.age_days > rows.late_after_days, is_empty & (rows.late_after_days.notnull() | had_rows), no
        ),
        is_frozen=ibis.coalesce(
            rows.age_days > rows.freeze_after_days, is_empty & (rows.freeze_after_days.notnull() | had_rows), no
        ),
        volume_on=ibis.cases(*days_ago, else_=ibis.null("date")),
        is_low_volume=ibis.coalesce(rows.is_low_volume, no),
    )
