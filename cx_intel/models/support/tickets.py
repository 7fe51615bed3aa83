"""The ticket facts: every ticket with its judgement, in words, beside the account that it belongs to.

How tickets are judged is in `judgement.py`, their monthly roll-up in `adherence.py`; what tickets say about an
account's health is a signal (`cx_intel.models.health.measures`).
"""

from datetime import date

import ibis
import ibis.expr.types as ir

from cx_intel.contracts.contract import conform
from cx_intel.contracts.staging.values import UNRESOLVED
from cx_intel.contracts.support import fct_tickets as fct_tickets_contract
from cx_intel.models.expressions.months import first_of_month
from cx_intel.models.support.judgement import judged_tickets
from cx_intel.settings.portfolio import Portfolio

FAST_SHARE, SLOW_SHARE = 0.5, 1.5
"""Of the target: up to the first is fast, up to the second slow, beyond a critical breach."""
SATISFIED_SHARE, NEUTRAL_SHARE = 0.75, 0.5
"""Of the way from the worst to the best rating, from which a customer is satisfied, or neutral."""


def fct_tickets(
    stg_support_tickets: ir.Table,
    stg_ticket_status_history: ir.Table,
    business_hours: ir.Table,
    dim_account: ir.Table,
    *,
    portfolio: Portfolio,
    as_of: date,
) -> ir.Table:
    """Every ticket as known at `as_of`, judged against its targets, with the account's plan, owner, region and segment.

    Grain: ticket_id. Columns and units: the contract. Always true: open_breach_is_a_breach, breach_is_judged_or_open.
    """
    tickets = judged_tickets(
        stg_support_tickets, stg_ticket_status_history, business_hours, portfolio=portfolio, as_of=as_of
    )
    ratio = tickets.sla_elapsed_hours / tickets.sla_target_hours.nullif(0)
    low, high = portfolio.satisfaction.scale
    rating_share = (tickets.satisfaction_score - low) / (high - low)
    described = tickets.mutate(
        ticket_month=first_of_month(tickets.created_date),
        sla_ratio=ibis.ifelse(tickets.is_judged, ratio, ibis.null("float64")),
        resolution_speed=ibis.cases(
            (tickets.status.isin(UNRESOLVED), "unresolved"),
            (tickets.sla_target_hours.isnull(), "no_target"),
            (~tickets.is_judged, "no_time"),
            (ratio <= FAST_SHARE, "fast"),
            (ratio <= 1, "on_time"),
            (ratio <= SLOW_SHARE, "slow"),
            else_="critical_breach",
        ),
        csat_tier=ibis.cases(
            (tickets.satisfaction_score.isnull(), "no_rating"),
            (rating_share >= SATISFIED_SHARE, "satisfied"),
            (rating_share >= NEUTRAL_SHARE, "neutral"),
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
