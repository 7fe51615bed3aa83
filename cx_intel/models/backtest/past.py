"""Scores and signals of a past month end as rows of the back-test: `backtest_scores` and `backtest_signals`.

What they read are snapshots of that day, made once more from what was known then. What followed is in `outcomes.py`, how
well the one told the other in `results.py`.
"""

from datetime import date

import ibis
import ibis.expr.types as ir

from cx_intel.contracts.backtest import past as contracts
from cx_intel.contracts.contract import conform
from cx_intel.contracts.staging.values import GROUPS
from cx_intel.models.expressions.joins import beside
from cx_intel.models.health.risk import USAGE_DAYS, events_of_30_days
from cx_intel.settings.portfolio import Portfolio


def backtest_scores(
    account_snapshot: ir.Table,
    customer_health_scores: ir.Table,
    renewal_pipeline: ir.Table,
    account_history: ir.Table,
    fct_usage: ir.Table,
    *,
    portfolio: Portfolio,
    as_of: date,
    scored_on: date | None = None,
) -> ir.Table:
    """What the health score said of each account of the health population on a past day.

    Grain: scored_on, account_id. Reads the snapshots of that day, the history of accounts as known then, and usage.
    `attributes_known_from` is after the day where no load by then knew the account: its attributes are then those of
    the first load. Usage is null on days for which it is not there from the first of the 30 days on.

    Args:
        account_snapshot: Of the day.
        customer_health_scores: Of the day.
        renewal_pipeline: Of the day; empty where the portfolio has none.
        account_history: As known on the day.
        fct_usage: All of it.
        portfolio: Its settings.
        as_of: Up to when it is known what followed.
        scored_on: The day; default: as_of itself.
    """
    scored_on = scored_on or as_of
    day = ibis.literal(scored_on)
    attributes = (*GROUPS, *(name for name in portfolio.rollups if name not in GROUPS))
    taken = ("tenure_days", "renewal_date", "is_cancelled", *attributes)
    scores = customer_health_scores.select(
        "account_id",
        "health_score",
        "health_tier",
        "is_healthy",
        "coverage_pct",
        "model_version",
        "current_mrr",
        "current_arr",
    )
    rows = beside(scores, account_snapshot.select("account_id", *taken), "account_id")
    rows = beside(rows, renewal_pipeline.select("account_id", "renewal_risk"), "account_id")
    rows = beside(rows, _known_from(account_history, scored_on), "account_id")
    rows = beside(rows, events_of_30_days(fct_usage, scored_on).select("account_id", "_last"), "account_id")
    first_event = fct_usage.event_date.min().as_scalar() if "usage_events" in portfolio.tables else ibis.null("date")
    begun = ibis.coalesce(day.delta(first_event, unit="day") >= USAGE_DAYS - 1, ibis.literal(False))
    events = ibis.coalesce(rows["_last"].cast("int64"), ibis.literal(0, "int64"))
    rows = rows.mutate(
        scored_on=day,
        as_of=ibis.literal(as_of),
        days_to_renewal=rows.renewal_date.delta(day, unit="day"),
        usage_events_30d=ibis.ifelse(begun, events, ibis.null("int64")),
    )
    return conform(rows, contracts.backtest_scores(portfolio))


def _known_from(account_history: ir.Table, scored_on: date) -> ir.Table:
    """The load that the attributes of each account on the day are of."""
    day, h = ibis.literal(scored_on), account_history
    newest = h.group_by("account_id").agg(
        _newest=h.valid_from.max(where=h.valid_from <= day), _first=h.valid_from.min()
    )
    return newest.select("account_id", attributes_known_from=ibis.coalesce(newest["_newest"], newest["_first"]))


def backtest_signals(
    account_signals: ir.Table,
    health_score_drivers: ir.Table,
    *,
    portfolio: Portfolio,
    as_of: date,
    scored_on: date | None = None,
) -> ir.Table:
    """What each signal said of each account of the health population on a past day.

    Grain: scored_on, account_id, signal. Reads signals and drivers of that day; a signal that the account's model does not
    score has no score.
    """
    scored = health_score_drivers.select("account_id", "signal", "signal_score")
    rows = beside(account_signals.select("account_id", "signal", "value"), scored, "account_id", "signal")
    rows = rows.mutate(scored_on=ibis.literal(scored_on or as_of), as_of=ibis.literal(as_of))
    return conform(rows, contracts.backtest_signals(portfolio))
