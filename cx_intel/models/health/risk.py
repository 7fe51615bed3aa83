"""Churn risk: four signs that an account may leave, a level and a rank.

Signs and levels belong here; when an account renews and what is done about it follows in `renewals.py`.
Definitions: the churn_risk block of the portfolio and the metric definitions.
"""

from datetime import date, timedelta

import ibis
import ibis.expr.types as ir

from cx_intel.contracts.contract import conform
from cx_intel.contracts.health.drivers import UNKNOWN
from cx_intel.contracts.health.risk import FLAGS, LEVELS
from cx_intel.contracts.health.risk import churn_risk_view as churn_risk_view_contract
from cx_intel.models.expressions.joins import beside
from cx_intel.models.expressions.months import month_index
from cx_intel.models.support.judgement import known_tickets
from cx_intel.settings.portfolio import Portfolio
from cx_intel.settings.renewals import ChurnRiskSettings

USAGE_DAYS, TICKET_DAYS, LEDGER_MONTHS = 30, 90, 6
"""The windows that the names of the columns state."""
COUNTS = ("events_last_30d", "events_prev_30d", "escalated_tickets_90d", "contraction_months_6m")
"""What is counted of an account, whatever its score and the thresholds."""


def churn_risk_view(
    customer_health_scores: ir.Table,
    account_snapshot: ir.Table,
    fct_usage: ir.Table,
    stg_support_tickets: ir.Table,
    fct_revenue: ir.Table,
    *,
    portfolio: Portfolio,
    as_of: date,
) -> ir.Table:
    """Which accounts may leave, why, and whom to help first.

    Grain: as_of, account_id: the health population. Reads the scores of the day, the ledger's months up to
    the horizon, and usage and tickets as known at `as_of`. Counts are null, and their flag false, where the
    portfolio has no such source; `usage_change_pct` is null when there was no usage before. An account of
    unknown tier is not of low health; its level is medium unless other signs raise it. Always true:
    signal_count_is_of_the_flags, low_risk_has_no_flag.

    Raises:
        ValueError: The portfolio has no churn_risk block.
    """
    rows = _scored(customer_health_scores)
    rows = beside(rows, account_snapshot.select("account_id", "horizon_month"), "account_id")
    rows = beside(rows, events_of_30_days(fct_usage, as_of), "account_id")
    rows = beside(rows, _escalations(stg_support_tickets, portfolio, as_of), "account_id")
    rows = beside(rows, _contractions(rows, fct_revenue), "account_id")
    counted = rows.mutate(
        events_last_30d=_count(rows._last, "usage_events" in portfolio.tables),
        events_prev_30d=_count(rows._before, "usage_events" in portfolio.tables),
        escalated_tickets_90d=_count(rows._escalated, "support_tickets" in portfolio.tables),
        contraction_months_6m=_count(rows._contractions, True),
    )
    return _judged(counted, portfolio)


def rejudged(churn_risk_view: ir.Table, customer_health_scores: ir.Table, *, portfolio: Portfolio) -> ir.Table:
    """The view by other scores of the same accounts, or other thresholds: what was counted of them stays.

    Grain: as_of, account_id, as in `churn_risk_view`, whose rows it reads, with the scores of the same days.
    """
    counts = churn_risk_view.select("as_of", "account_id", *COUNTS)
    return _judged(beside(_scored(customer_health_scores), counts, "as_of", "account_id"), portfolio)


def _scored(customer_health_scores: ir.Table) -> ir.Table:
    return customer_health_scores.select(
        "as_of", "account_id", "account_name", "segment", "owner", "current_arr", "health_score", "health_tier"
    )


def _judged(rows: ir.Table, portfolio: Portfolio) -> ir.Table:
    """The accounts of a day with their counts, judged: flags, level and rank."""
    churn = portfolio.churn_risk
    if churn is None:
        raise ValueError(f"portfolio {portfolio.name} has no churn_risk block")
    rows = rows.mutate(**_flags(rows, churn))
    first, *others = (ibis.ifelse(rows[name], 1, 0).cast("int64") for name in FLAGS)
    rows = rows.mutate(risk_level=_level(rows, churn), risk_signal_count=sum(others, first))
    worst_first = ibis.cases(*((rows.risk_level == level, place) for place, level in enumerate(LEVELS)), else_=9)
    order = [
        worst_first,
        rows.risk_signal_count.desc(),
        ibis.coalesce(rows.health_score, 101.0),
        rows.current_arr.desc(),
        rows.account_id,
    ]
    difference = (rows.events_last_30d - rows.events_prev_30d).cast("float64")
    change = 100.0 * difference / rows.events_prev_30d.nullif(0)
    ranked = rows.mutate(usage_change_pct=change, intervention_priority=ibis.row_number().over(order_by=order) + 1)
    return conform(ranked, churn_risk_view_contract(portfolio))


def events_of_30_days(fct_usage: ir.Table, as_of: date) -> ir.Table:
    """Events of the last 30 days (`_last`) and of the 30 before (`_before`), of accounts with any."""
    first, middle = (as_of - timedelta(days=n * USAGE_DAYS - 1) for n in (2, 1))
    rows = fct_usage.filter(fct_usage.event_date.between(ibis.literal(first), ibis.literal(as_of)))
    is_recent = rows.event_date >= ibis.literal(middle)
    events = rows.total_events.cast("float64")  # sums of integers are of 128 bits on DuckDB; these stay exact
    return rows.group_by("account_id").agg(_last=events.sum(where=is_recent), _before=events.sum(where=~is_recent))


def _escalations(stg_support_tickets: ir.Table, portfolio: Portfolio, as_of: date) -> ir.Table:
    """Tickets created in the last 90 days and escalated, unresolved at as_of, of accounts with any."""
    rows = known_tickets(stg_support_tickets, portfolio=portfolio, as_of=as_of)
    first = ibis.literal(as_of - timedelta(days=TICKET_DAYS - 1))
    escalated = rows.filter((rows.status == "escalated") & (rows.created_date >= first))
    return escalated.group_by("account_id").agg(_escalated=escalated.count())


def _contractions(accounts: ir.Table, fct_revenue: ir.Table) -> ir.Table:
    """Months of contraction among the six to the horizon, of accounts with any."""
    months = fct_revenue.filter(fct_revenue.revenue_movement == "contraction").select("account_id", "revenue_month")
    rows = months.inner_join(accounts.select("account_id", "horizon_month"), "account_id")
    age = month_index(rows.horizon_month) - month_index(rows.revenue_month)
    recent = rows.filter(age.between(0, LEDGER_MONTHS - 1))
    return recent.group_by("account_id").agg(_contractions=recent.count())


def _count(found: ir.IntegerValue, has_source: bool) -> ir.IntegerValue:
    """0 without a row; null where there is no such source."""
    return ibis.coalesce(found.cast("int64"), 0) if has_source else ibis.null("int64")


def _flags(rows: ir.Table, churn: ChurnRiskSettings) -> dict[str, ir.BooleanValue]:
    is_known = rows.health_tier != UNKNOWN
    return {
        "is_low_health": _known(is_known & (rows.health_score < churn.low_health_below)),
        "is_usage_declining": _known(
            (rows.events_prev_30d > 0)
            & (100 * rows.events_last_30d < rows.events_prev_30d.cast("float64") * churn.usage_decline_below_pct)
        ),
        "has_escalations": _known(rows.escalated_tickets_90d >= churn.escalated_tickets),
        "has_revenue_contraction": _known(rows.contraction_months_6m >= churn.contraction_months),
    }


def _level(rows: ir.Table, churn: ChurnRiskSettings) -> ir.StringValue:
    is_unknown = rows.health_tier == UNKNOWN

    def is_below(bound: float) -> ir.BooleanValue:
        return _known(~is_unknown & (rows.health_score < bound))

    return ibis.cases(
        (is_below(churn.critical_health_below), "critical"),
        (rows.is_low_health | rows.is_usage_declining | rows.has_escalations, "high"),
        (is_unknown | is_below(churn.medium_health_below) | rows.has_revenue_contraction, "medium"),
        else_="low",
    )


def _known(flag: ir.BooleanValue) -> ir.BooleanValue:
    return ibis.coalesce(flag, ibis.literal(False))
