"""Support: tickets as they were known at `as_of`, judged against their targets, and whether promises are kept.

The ticket facts and their monthly roll-up belong here; what tickets say about an account's health is a signal
(`signals.py`). Definitions: Support in the metric definitions.
"""

from datetime import date

import ibis
import ibis.expr.types as ir

from cx_intel.contracts.contract import conform
from cx_intel.contracts.core import fct_tickets as fct_tickets_contract
from cx_intel.contracts.staging.values import UNRESOLVED
from cx_intel.contracts.support import sla_adherence as sla_adherence_contract
from cx_intel.models.expressions.months import first_of_month
from cx_intel.models.expressions.statistics import quantiles
from cx_intel.models.expressions.time import end_of_day_utc
from cx_intel.settings.portfolio import Portfolio

FAST_SHARE, SLOW_SHARE = 0.5, 1.5
"""Of the target: up to the first is fast, up to the second slow, beyond a critical breach."""
SATISFIED, NEUTRAL = 4, 3
"""CSAT from which a customer is satisfied, or neutral."""


def known_tickets(stg_support_tickets: ir.Table, *, portfolio: Portfolio, as_of: date) -> ir.Table:
    """The tickets as known at the last instant of `as_of`: columns and grain of stg_support_tickets.

    Later tickets do not exist; one resolved later, or opened again, is unresolved: without resolved_at, hours, rating.
    """
    end = ibis.literal(end_of_day_utc(as_of, portfolio.time_zone))
    existing = stg_support_tickets.filter(stg_support_tickets.created_at < end)
    is_later = ibis.coalesce(existing.resolved_at >= end, ibis.literal(False))
    is_unresolved = existing.status.isin(UNRESOLVED) | is_later

    def if_resolved(column: str) -> ir.Value:
        return ibis.cases((is_unresolved, ibis.null(existing[column].type())), else_=existing[column])

    return existing.mutate(
        status=ibis.cases((is_later & ~existing.status.isin(UNRESOLVED), "open"), else_=existing.status),
        satisfaction_score=if_resolved("satisfaction_score"),
        resolution_hours=if_resolved("resolution_hours"),
        is_sla_breach=if_resolved("is_sla_breach"),
        resolved_at=if_resolved("resolved_at"),
    )


def judged_tickets(stg_support_tickets: ir.Table, *, portfolio: Portfolio, as_of: date) -> ir.Table:
    """The tickets known at `as_of`, judged against their targets: adds is_open_breach and is_sla_breach.

    A ticket without a target is never in breach; one that is unresolved breaches when it is older than its target.
    """
    tickets = known_tickets(stg_support_tickets, portfolio=portfolio, as_of=as_of)
    end = ibis.literal(end_of_day_utc(as_of, portfolio.time_zone))
    age_hours = (end.epoch_seconds() - tickets.created_at.epoch_seconds()) / 3600
    is_resolved = ~tickets.status.isin(UNRESOLVED)
    is_late = ibis.coalesce(tickets.resolution_hours > tickets.sla_target_hours, ibis.literal(False))
    is_overdue = ibis.coalesce(age_hours > tickets.sla_target_hours, ibis.literal(False))
    return tickets.mutate(
        is_open_breach=~is_resolved & is_overdue,
        is_sla_breach=ibis.cases((is_resolved, is_late), else_=is_overdue),
    )


def fct_tickets(stg_support_tickets: ir.Table, dim_account: ir.Table, *, portfolio: Portfolio, as_of: date) -> ir.Table:
    """Every ticket as known at `as_of`, judged against its target, with the account's plan, owner, region and segment.

    Grain: ticket_id. Always true: open_breach_is_a_breach.
    """
    tickets = judged_tickets(stg_support_tickets, portfolio=portfolio, as_of=as_of)
    ratio = tickets.resolution_hours / tickets.sla_target_hours.nullif(0)
    described = tickets.mutate(
        ticket_month=first_of_month(tickets.created_date),
        sla_ratio=ratio,
        resolution_speed=ibis.cases(
            (tickets.status.isin(UNRESOLVED), "unresolved"),
            (ratio.isnull(), "no_target"),
            (ratio <= FAST_SHARE, "fast"),
            (ratio <= 1, "on_time"),
            (ratio <= SLOW_SHARE, "slow"),
            else_="critical_breach",
        ),
        csat_tier=ibis.cases(
            (tickets.satisfaction_score.isnull(), "no_rating"),
            (tickets.satisfaction_score >= SATISFIED, "satisfied"),
            (tickets.satisfaction_score >= NEUTRAL, "neutral"),
            else_="dissatisfied",
        ),
    )
    accounts = dim_account.select(
        "account_id",
        account_plan_tier=dim_account.plan_tier,
        account_owner=dim_account.owner,
        account_region=dim_account.region,
        account_segment=dim_account.segment,
    )
    return conform(described.inner_join(accounts, "account_id"), fct_tickets_contract(portfolio))


def sla_adherence(fct_tickets: ir.Table, *, portfolio: Portfolio) -> ir.Table:
    """Whether support keeps its promises, by month of creation and by priority or segment.

    Grain: ticket_month, dimension_type, dimension_value. Only tickets with a target are judged; resolved ones without
    one count as within it. Always true: breaches and within sum to the resolved tickets.
    """
    by_priority = fct_tickets.mutate(
        dimension_type=ibis.literal("priority"), dimension_value=ibis.coalesce(fct_tickets.priority, "(none)")
    )
    by_segment = fct_tickets.mutate(
        dimension_type=ibis.literal("segment"), dimension_value=ibis.coalesce(fct_tickets.account_segment, "(none)")
    )
    tickets = by_priority.union(by_segment)
    grain = ["ticket_month", "dimension_type", "dimension_value"]
    is_resolved = ~tickets.status.isin(UNRESOLVED)
    counted = tickets.group_by(grain).agg(
        total_tickets=tickets.count(),
        resolved_tickets=tickets.count(where=is_resolved),
        sla_breaches=tickets.count(where=is_resolved & tickets.is_sla_breach),
        within_sla=tickets.count(where=is_resolved & ~tickets.is_sla_breach),
        unresolved_tickets=tickets.count(where=~is_resolved),
        open_breaches=tickets.count(where=tickets.is_open_breach),
        avg_resolution_hours=tickets.resolution_hours.mean(),
        avg_csat=tickets.satisfaction_score.mean(),
    )
    spread = quantiles(
        tickets.filter(is_resolved),
        by=grain,
        value="resolution_hours",
        points={"median_resolution_hours": 0.5, "p90_resolution_hours": 0.9},
    )
    rows = counted.left_join(spread, grain)
    judged = rows.mutate(
        sla_adherence_pct=100.0 * rows.within_sla / rows.resolved_tickets.nullif(0),
        adherence_incl_open_pct=100.0 * rows.within_sla / (rows.resolved_tickets + rows.open_breaches).nullif(0),
    )
    return conform(judged, sla_adherence_contract(portfolio))
