"""Whether a source has fallen silent at `as_of`: its newest row is older than its `freeze_after_days` allows.

What then happens to signals stands in `signals.py`, to tiers in `tiers.py`. Warnings about late sources are
checks, not models.
"""

from collections.abc import Iterable
from datetime import date, timedelta

import ibis
import ibis.expr.types as ir

from cx_intel.models.health.measures import Sources
from cx_intel.models.support.judgement import known_tickets
from cx_intel.settings.portfolio import BASIS_TABLE, Portfolio


def freeze_after_days(table: str, portfolio: Portfolio) -> int | None:
    """The limit of the source that delivers a canonical table; None where there is none."""
    return portfolio.source_of(table).freeze_after_days if table in portfolio.tables else None


def with_staleness(accounts: ir.Table, sources: Sources, tables: Iterable[str]) -> ir.Table:
    """The accounts with a column `_stale_<table>` for each table whose source states a limit."""
    for table in tables:
        days = freeze_after_days(table, sources.portfolio)
        if days is None or table == "subscriptions":  # contracts say until when they hold: they do not go stale
            continue
        column = f"_stale_{table}"
        if table == BASIS_TABLE[sources.portfolio.revenue.basis]:
            fresh = accounts.horizon_month >= ibis.literal(_oldest_fresh_horizon(sources.as_of, days))
            accounts = accounts.mutate(**{column: ~ibis.coalesce(fresh, ibis.literal(False))})
        else:
            found = _rows_since(sources, table, days)
            heard = found.agg(_heard=found.count())
            accounts = accounts.cross_join(heard)
            accounts = accounts.mutate(**{column: accounts._heard == 0}).drop("_heard")
    return accounts


def is_delivery_refused(account_snapshot: ir.Table) -> ir.BooleanValue:
    """Whether the contracts of the day are those of an earlier delivery, because that of the day was refused."""
    return ibis.coalesce(account_snapshot.contracts_as_of < account_snapshot.as_of, ibis.literal(False))


def _oldest_fresh_horizon(as_of: date, days: int) -> date:
    """The ledger is fresh while the month after its horizon ended at most `days` days ago."""
    limit = as_of - timedelta(days=days)
    return (limit.replace(day=1) - timedelta(days=1)).replace(day=1)


def _rows_since(sources: Sources, table: str, days: int) -> ir.Table:
    """The rows known at as_of that are at most so many days old."""
    first = ibis.literal(sources.as_of - timedelta(days=days))
    last = ibis.literal(sources.as_of)
    since, end = sources.start(days + 1), sources.end
    if table == "usage_events":
        rows = sources.fct_usage
        return rows.filter(rows.event_date.between(first, last))
    if table == "metrics":
        rows = sources.stg_metrics
        return rows.filter(rows.measured_on.between(first, last))
    if table == "support_tickets":
        rows = known_tickets(sources.stg_support_tickets, portfolio=sources.portfolio, as_of=sources.as_of)
        touched = (rows.created_at >= since) | ibis.coalesce(rows.resolved_at >= since, ibis.literal(False))
        return rows.filter(touched)
    if table == "csm_activities":
        rows = sources.stg_csm_activities
        return rows.filter((rows.completed_at >= since) & (rows.completed_at < end))
    rows = sources.stg_nps_responses
    return rows.filter((rows.responded_at >= since) & (rows.responded_at < end))
