"""Whether support keeps its promises: the judged tickets by month of creation and by priority or segment.

Only sums over the ticket facts belong here; whether one ticket is late is decided in `judgement.py`. Definitions:
Tickets and answers in docs/definitions.md.
"""

import ibis
import ibis.expr.types as ir

from cx_intel.contracts.contract import conform
from cx_intel.contracts.staging.values import UNRESOLVED
from cx_intel.contracts.support import sla_adherence as sla_adherence_contract
from cx_intel.models.expressions.shares import share
from cx_intel.models.expressions.statistics import exact_mean, quantiles
from cx_intel.models.support.judgement import mean_rating
from cx_intel.settings.portfolio import Portfolio


def sla_adherence(fct_tickets: ir.Table, *, portfolio: Portfolio) -> ir.Table:
    """Whether support keeps its promises, by month of creation and by priority or segment.

    Grain: ticket_month, dimension_type, dimension_value. A resolved ticket without a target or a time of resolution is
    unjudged and in no share; where nothing is judged the share is null. Always true: breaches, kept promises and
    unjudged tickets sum to the resolved ones.
    """
    by_priority = fct_tickets.mutate(
        dimension_type=ibis.literal("priority"), dimension_value=ibis.coalesce(fct_tickets.sla_priority, "(none)")
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
        sla_breaches=tickets.count(where=tickets.is_judged & tickets.is_sla_breach),
        within_sla=tickets.count(where=tickets.is_judged & ~tickets.is_sla_breach),
        unjudged_tickets=tickets.count(where=is_resolved & ~tickets.is_judged),
        unresolved_tickets=tickets.count(where=~is_resolved),
        open_breaches=tickets.count(where=tickets.is_open_breach),
        first_replies_judged=tickets.count(where=tickets.is_first_reply_judged),
        first_reply_breaches=tickets.count(where=tickets.is_first_reply_judged & tickets.is_first_reply_breach),
        avg_resolution_hours=exact_mean(tickets.resolution_hours),
        avg_csat=mean_rating(tickets),
    )
    spread = quantiles(
        tickets.filter(is_resolved),
        by=grain,
        value="resolution_hours",
        points={"median_resolution_hours": 0.5, "p90_resolution_hours": 0.9},
    )
    rows = counted.left_join(spread, grain)
    judged = rows.within_sla + rows.sla_breaches
    replies = rows.first_replies_judged
    shares = rows.mutate(
        sla_adherence_pct=share(rows.within_sla, judged),
        adherence_incl_open_pct=share(rows.within_sla, judged + rows.open_breaches),
        first_reply_adherence_pct=share(replies - rows.first_reply_breaches, replies),
    )
    return conform(shares, sla_adherence_contract(portfolio))
