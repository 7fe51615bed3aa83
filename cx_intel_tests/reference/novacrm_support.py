"""novacrm: tickets, SLA adherence and usage per day, as known at as_of (plain SQL).

READING: as_of's last instant is 23:59:59.999999; only a ticket created at exactly 00:00:00 can tell the
difference.
READING: a ticket resolved after as_of is 'open' (its file status says resolved, which was not known yet).
READING: a ticket of a priority without a target that is resolved is within its SLA, because within +
breaches must equal resolved.
"""

from __future__ import annotations

TICKETS_KNOWN = """
create table tickets_known as
with typed as (
    select trim(ticket_id) as ticket_id, trim(account_id) as account_id,
           cast(created_at as timestamp) as created_at, cast(resolved_at as timestamp) as file_resolved_at,
           lower(trim(priority)) as priority,
           lower(trim(category)) as category, lower(trim(status)) as file_status,
           cast(satisfaction_score as double) as file_score
    from raw_support_tickets
    where trim(account_id) in (select account_id from accounts)
),
known as (
    select ticket_id, account_id, created_at, priority, category,
           case when file_resolved_at <= last_instant then file_resolved_at end as resolved_at,
           case when file_resolved_at > last_instant and file_status = 'resolved' then 'open'
               else file_status end
               as status,
           case when file_resolved_at <= last_instant then file_score end as satisfaction_score,
           case priority when 'p1' then 4 when 'p2' then 12 when 'p3' then 48 when 'p4' then 120 end
               as sla_target_hours
    from typed, param
    where created_at <= last_instant
),
timed as (
    select *, date_diff('microsecond', created_at, resolved_at) / 3600000000.0 as resolution_hours,
           date_diff('microsecond', created_at, (select last_instant from param)) / 3600000000.0 as age_hours
    from known
)
select ticket_id, account_id, priority, category, status, satisfaction_score, created_at, resolved_at,
       cast(created_at as date) as created_date,
       cast(date_trunc('month', created_at) as date) as ticket_month,
       resolution_hours, sla_target_hours,
       coalesce(coalesce(resolution_hours, age_hours) > sla_target_hours, false) as is_sla_breach,
       coalesce(resolved_at is null and status in ('open', 'escalated') and age_hours > sla_target_hours,
           false)
           as is_open_breach,
       status in ('open', 'escalated') and resolved_at is null as is_unresolved
from timed
"""

FCT_TICKETS = """
select t.ticket_id, t.account_id, t.priority, t.category, t.status, t.satisfaction_score, t.created_at,
       t.resolved_at, t.created_date, t.resolution_hours, t.sla_target_hours, t.is_sla_breach,
       t.is_open_breach,
       t.resolution_hours / t.sla_target_hours as sla_ratio,
       case when t.resolution_hours is null then 'unresolved'
            when t.resolution_hours <= 0.5 * t.sla_target_hours then 'fast'
            when t.resolution_hours <= t.sla_target_hours then 'on_time'
            when t.resolution_hours <= 1.5 * t.sla_target_hours then 'slow'
            when t.sla_target_hours is not null then 'critical_breach' end as resolution_speed,
       case when t.satisfaction_score >= 4 then 'satisfied' when t.satisfaction_score >= 3 then 'neutral'
            when t.satisfaction_score is not null then 'dissatisfied' else 'no_rating' end as csat_tier,
       a.plan_tier as account_plan_tier, a.owner as account_owner, a.region as account_region
from tickets_known t join accounts a using (account_id)
order by t.ticket_id
"""

# READING: months, priorities and segments without a ticket have no row; the segment is the account's present
# one.
SLA_ADHERENCE = """
with labelled as (
    select t.*, 'priority' as dimension_type, t.priority as dimension_value from tickets_known t
    union all
    select t.*, 'segment', a.segment from tickets_known t join accounts a using (account_id)
),
counted as (
    select ticket_month, dimension_type, dimension_value, count(*) as total_tickets,
           count(resolved_at) as resolved_tickets,
           count(*) filter (resolved_at is not null and is_sla_breach) as sla_breaches,
           count(*) filter (resolved_at is not null and not is_sla_breach) as within_sla,
           count(*) filter (is_unresolved) as unresolved_tickets,
           count(*) filter (is_open_breach) as open_breaches,
           avg(resolution_hours) as avg_resolution_hours,
           quantile_cont(resolution_hours, 0.5) as median_resolution_hours,
           quantile_cont(resolution_hours, 0.9) as p90_resolution_hours,
           avg(satisfaction_score) as avg_csat
    from labelled group by ticket_month, dimension_type, dimension_value
)
select ticket_month, dimension_type, dimension_value, total_tickets, resolved_tickets, sla_breaches,
       within_sla, unresolved_tickets, open_breaches,
       100.0 * within_sla / nullif(resolved_tickets, 0) as sla_adherence_pct,
       100.0 * within_sla / nullif(resolved_tickets + open_breaches, 0) as adherence_incl_open_pct,
       avg_resolution_hours, median_resolution_hours, p90_resolution_hours, avg_csat
from counted
order by ticket_month, dimension_type, dimension_value
"""

# READING: `distinct_features_used` = distinct event names; `distinct_categories_used` and the breadth count
# the five named categories, not 'other'; `active_hours` = distinct hours of the day with an event.
FCT_USAGE = """
with categorised as (
    select *, case when event_name in ('dashboard_viewed', 'report_created', 'export_generated')
                       then 'reporting'
                   when event_name in ('contact_added', 'deal_updated', 'note_added') then 'crm_core'
                   when event_name in ('email_sent', 'meeting_logged', 'task_completed') then 'communication'
                   when event_name in ('api_call', 'integration_configured', 'workflow_created')
                       then 'advanced'
                   when event_name in ('search_performed', 'filter_applied', 'user_invited') then 'platform'
                   else 'other' end as category
    from events
)
select account_id, event_date, count(*) as total_events, count(distinct user_id) as active_users,
       count(distinct event_name) as distinct_features_used,
       count(distinct category) filter (category <> 'other') as distinct_categories_used,
       count(*) filter (category = 'reporting') as reporting_events,
       count(*) filter (category = 'crm_core') as crm_core_events,
       count(*) filter (category = 'communication') as communication_events,
       count(*) filter (category = 'advanced') as advanced_events,
       count(*) filter (category = 'platform') as platform_events,
       count(*) filter (category = 'other') as other_events,
       count(*) filter (event_name = 'api_call') as api_calls,
       count(*) filter (event_name = 'report_created') as reports_created,
       count(*) filter (event_name = 'workflow_created') as workflows_created,
       min(event_at) as first_event_at, max(event_at) as last_event_at,
       count(distinct hour(event_at)) as active_hours,
       100.0 * count(distinct category) filter (category <> 'other') / 5 as feature_breadth_pct,
       count(*) >= 10 and count(distinct event_name) >= 5 as is_power_usage_day
from categorised
group by account_id, event_date
order by account_id, event_date
"""
