"""novacrm: health scores and churn risk (plain SQL; scores and weights are decimals, so that halves round up
exactly).

READING: "population: status active" still leaves churned accounts out (no health population holds them),
unless include_churned.
READING: "no ledger row: neutral 50" and "no ticket: neutral 50" are neutral scores of a missing signal,
hence not measured: coverage is then 75, 80 or 55. The other two signals are always measured, because the
event source is there.
READING: "in the last 30 days" for tickets means created in these days; unresolved and rated as known at
as_of.
"""

from __future__ import annotations

# quartile: p = (below + equals / 2) / n, score = 25 x ceil(4 p); in whole numbers ceil((4 below + 2 equals) /
# n).
HEALTH = """
create table health as
with population as (
    select * from dim_account
    where case $population when 'paying' then current_mrr > 0 else status = 'active' end
      and (not is_churned or $include_churned)
),
activity as (
    select p.account_id, count(e.event_id) as events, count(distinct e.event_name) as features
    from population p cross join param
    left join events e on e.account_id = p.account_id and e.event_date between as_of - 29 and as_of
    group by p.account_id
),
ranked as (
    select account_id,
           rank() over (order by events) - 1 as events_below,
           count(*) over (partition by events) as events_equal,
           rank() over (order by features) - 1 as features_below,
           count(*) over (partition by features) as features_equal, count(*) over () as n
    from activity
),
support as (
    select t.account_id, count(*) filter (is_unresolved) as unresolved, avg(satisfaction_score) as csat
    from tickets_known t, param where created_date between as_of - 29 and as_of group by t.account_id
),
scored as (
    select p.account_id, r.net_mrr_change, s.unresolved, s.csat, s.account_id is not null as has_tickets,
           25 * ((4 * events_below + 2 * events_equal + n - 1) // n) as usage_score,
           25 * ((4 * features_below + 2 * features_equal + n - 1) // n) as engagement_score,
           case when r.net_mrr_change is null then 50 when r.net_mrr_change > 0 then 100
                when r.net_mrr_change = 0 then 60 when r.net_mrr_change > -50 then 30 else 10 end
                    as revenue_score,
           case when s.account_id is null then 50
                when unresolved = 0 and (csat is null or csat >= 4) then 100
                when unresolved = 0 then 75
                when unresolved <= 2 and (csat is null or csat >= 3) then 50
                when unresolved <= 5 then 25
                else 10 end as support_score
    from population p
    join ranked using (account_id)
    left join fct_revenue r on r.account_id = p.account_id and r.revenue_month = (select month from horizon)
    left join support s on s.account_id = p.account_id
),
composed as (
    select *, cast(0.30 as decimal(4, 2)) * usage_score + cast(0.25 as decimal(4, 2)) * engagement_score
            + cast(0.25 as decimal(4, 2)) * revenue_score + cast(0.20 as decimal(4, 2)) * support_score
                as composite,
           30 + 25 + case when net_mrr_change is null then 0 else 25 end
               + case when has_tickets then 20 else 0 end as coverage_pct
    from scored
),
rounded as (select *, floor(composite * 10 + 0.5) / 10 as health_score from composed)
select account_id, usage_score, engagement_score, revenue_score, support_score, composite, health_score,
       case when health_score >= 80 then 'champion' when health_score >= 60 then 'healthy'
            when health_score >= 40 then 'neutral' when health_score >= 20 then 'at_risk'
            else 'critical' end as health_tier,
       coverage_pct
from rounded
"""

# READING: churn_risk_view holds the health population. READING: events_last_30d = as_of - 29 .. as_of,
# events_prev_30d = as_of - 59 .. as_of - 30. Risk levels and flags read the rounded score.
CHURN_RISK = """
with usage as (
    select account_id, count(*) filter (event_date between as_of - 29 and as_of) as events_last_30d,
           count(*) filter (event_date between as_of - 59 and as_of - 30) as events_prev_30d
    from events, param group by account_id
),
escalated as (
    select account_id, count(*) as escalated_tickets_90d
    from tickets_known, param
    where status = 'escalated' and is_unresolved and created_date between as_of - 89 and as_of
    group by account_id
),
shrinking as (
    select r.account_id, count(*) as contraction_months_6m
    from fct_revenue r, horizon h
    where r.revenue_movement = 'contraction'
      and r.revenue_month between cast(h.month - interval 5 month as date) and h.month
    group by r.account_id
),
facts as (
    select h.account_id, d.account_name, d.segment, d.owner, d.current_arr, h.health_score,
           coalesce(u.events_last_30d, 0) as events_last_30d,
           coalesce(u.events_prev_30d, 0) as events_prev_30d,
           coalesce(e.escalated_tickets_90d, 0) as escalated_tickets_90d,
           coalesce(s.contraction_months_6m, 0) as contraction_months_6m
    from health h join dim_account d using (account_id)
    left join usage u using (account_id)
    left join escalated e using (account_id)
    left join shrinking s using (account_id)
),
flagged as (
    select *, 100.0 * (events_last_30d - events_prev_30d) / nullif(events_prev_30d, 0) as usage_change_pct,
           health_score < 40 as is_low_health,
           events_prev_30d > 0 and 2 * events_last_30d < events_prev_30d as is_usage_declining,
           escalated_tickets_90d >= 2 as has_escalations,
           contraction_months_6m >= 2 as has_revenue_contraction
    from facts
),
levelled as (
    select *, case when health_score < 20 then 'critical'
                   when health_score < 40 or is_usage_declining or has_escalations then 'high'
                   when health_score < 60 or has_revenue_contraction then 'medium'
                   else 'low' end as risk_level,
           cast(is_low_health as integer) + cast(is_usage_declining as integer)
               + cast(has_escalations as integer) + cast(has_revenue_contraction as integer)
               as risk_signal_count
    from flagged
)
select account_id, account_name, segment, owner, current_arr, health_score, events_last_30d, events_prev_30d,
       usage_change_pct, escalated_tickets_90d, contraction_months_6m, is_low_health, is_usage_declining,
       has_escalations, has_revenue_contraction, risk_level, risk_signal_count,
       row_number() over (
           order by case risk_level when 'critical' then 1 when 'high' then 2 when 'medium' then 3 else 4 end,
                    risk_signal_count desc, health_score, current_arr desc, account_id
       ) as intervention_priority
from levelled
order by intervention_priority
"""
