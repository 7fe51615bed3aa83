"""novacrm: reading the five CSVs as known at as_of, the ledger, and the accounts dimension.

Time zone of the portfolio and of the sources: UTC. All amounts in the files are USD, the reporting
currency: nothing is converted. Dates come as '2025-01-28T00:00:00' and as '2023-01-05'; both are cast to a
day.
"""

from __future__ import annotations

from datetime import date
from pathlib import Path

import duckdb

TABLES = ("raw_accounts", "raw_invoices", "raw_subscriptions", "raw_support_tickets", "raw_usage_events")

# READING: invoices, subscriptions, tickets and events of an account that is not in raw_accounts count
# nowhere.
# READING: an account that signed up after as_of was not known yet: it is in no table and in no ranking.
STAGING = """
create table param as select cast($as_of as date) as as_of,
    cast(cast($as_of as date) + 1 as timestamp) - interval 1 microsecond as last_instant;

create table accounts as
select trim(account_id) as account_id, trim(company_name) as account_name, lower(trim(industry)) as industry,
       cast(employee_count as integer) as employee_count, lower(trim(plan_tier)) as plan_tier,
       trim(account_owner) as owner, lower(trim(region)) as region,
       cast(cast(signup_date as timestamp) as date) as signup_date, lower(trim(status)) as status,
       case when lower(trim(plan_tier)) = 'enterprise' or cast(employee_count as integer) > 500
           then 'enterprise'
            when lower(trim(plan_tier)) = 'growth' or cast(employee_count as integer) > 50 then 'mid_market'
            else 'smb' end as segment
from raw_accounts, param
where signup_date is null or cast(cast(signup_date as timestamp) as date) <= as_of;

create table account_segment as select account_id, segment from accounts;

create table subscriptions as
select trim(subscription_id) as subscription_id, trim(account_id) as account_id,
       lower(trim(product_name)) as product_name, lower(trim(plan_tier)) as plan_tier,
       cast(mrr_amount as decimal(18, 2)) as mrr_amount,
       cast(cast(start_date as timestamp) as date) as start_date,
       cast(cast(end_date as timestamp) as date) as end_date, lower(trim(status)) as status
from raw_subscriptions
where trim(account_id) in (select account_id from accounts);

create table invoices as
select trim(invoice_id) as invoice_id, trim(account_id) as account_id,
       cast(cast(invoice_date as timestamp) as date) as invoice_date,
       cast(amount as decimal(18, 2)) as amount, lower(trim(status)) as status
from raw_invoices, param
where trim(account_id) in (select account_id from accounts)
  and cast(cast(invoice_date as timestamp) as date) <= as_of;

create table events as
select trim(event_id) as event_id, trim(account_id) as account_id, trim(user_id) as user_id,
       lower(trim(event_name)) as event_name, cast(event_timestamp as timestamp) as event_at,
       cast(cast(event_timestamp as timestamp) as date) as event_date
from raw_usage_events, param
where trim(account_id) in (select account_id from accounts)
  and cast(event_timestamp as timestamp) <= last_instant;

-- READING: subscriptions and invoices count with the status they have in the file, whatever as_of is, because
-- a status has no date of its own. In force = started, not ended, not a trial, and starting before it ends.
create table in_force as
select s.* from subscriptions s, param
where status <> 'trial' and start_date <= as_of and (end_date is null or end_date > as_of)
  and (end_date is null or start_date < end_date);
"""

# The last month whose last day is <= as_of is the month before the day after as_of.
# READING: "a row dated <= as_of" is any invoice, void ones included.
HORIZON = {
    "subscriptions": """
        create table horizon as
        select cast(date_trunc('month', as_of + 1) - interval 1 month as date) as month from param
    """,
    "invoices": """
        create table horizon as
        select least(cast(date_trunc('month', as_of + 1) - interval 1 month as date),
                     (select cast(date_trunc('month', max(invoice_date)) as date) from invoices)) as month
        from param
    """,
}

LEDGER = {
    "subscriptions": """
        create table ledger as
        with months as (
            select cast(unnest(generate_series(
                       cast(date_trunc('month', (select min(start_date) from subscriptions)) as timestamp),
                       cast((select month from horizon) as timestamp), interval 1 month)) as date) as month
        )
        select s.account_id, m.month, cast(sum(s.mrr_amount) as decimal(18, 2)) as mrr
        from months m
        join subscriptions s
          on s.status <> 'trial'
         and s.start_date <= last_day(m.month) and (s.end_date is null or s.end_date > last_day(m.month))
         and (s.end_date is null or s.start_date < s.end_date)
        group by s.account_id, m.month
        having sum(s.mrr_amount) > 0
    """,
    # A month whose sum is below 0 counts 0, and a month at 0 is the same as no row.
    "invoices": """
        create table ledger as
        select account_id, cast(date_trunc('month', invoice_date) as date) as month,
               cast(sum(amount) as decimal(18, 2)) as mrr
        from invoices
        where list_contains($statuses, status) and status <> 'void'
          and date_trunc('month', invoice_date) <= (select month from horizon)
        group by all
        having sum(amount) > 0
    """,
}

# READING: `is_churned` needs MRR at some month up to the horizon ("the ledger knows the account"); an account
# with nothing but void or unrecognised invoices is not known, hence not churned.
# READING: `active_subscription_count` = in force on as_of; `total_subscription_count`, first and latest date
# = those started by as_of, also the faulty ones that end before they start.
# READING: `subscribed_plan_tier` = tier of the platform subscription in force on as_of (newest start), else
# null.
# READING: the renewal date is the first anniversary (at least one term after the start) of the earliest valid
# platform subscription of accounts with one in force; 29 February counts from itself each year (so the 28th in
# common years).
# READING: `tenure_months` = complete months; lifecycle trial and churned read the account's status.
DIM_ACCOUNT = """
with subs as (
    select s.account_id, count(*) as total_subscription_count, min(start_date) as first_subscription_date,
           max(start_date) as latest_subscription_date
    from subscriptions s, param where start_date <= as_of group by s.account_id
),
force as (
    select account_id, sum(mrr_amount) as current_mrr, count(*) as active_subscription_count,
           count(*) filter (product_name <> 'novacrm_platform') as active_addon_count,
           arg_max(plan_tier, start_date) filter (product_name = 'novacrm_platform') as subscribed_plan_tier
    from in_force group by account_id
),
platform as (
    select account_id, min(start_date) as start_date
    from subscriptions s, param
    where product_name = 'novacrm_platform' and status <> 'trial' and start_date <= as_of
      and (end_date is null or start_date < end_date)
    group by account_id
),
renewal as (
    select account_id, min(cast(start_date + to_months(12 * cast(k as integer)) as date)) as renewal_date
    from platform, param, range(1, 200) r(k)
    where cast(start_date + to_months(12 * cast(k as integer)) as date) >= as_of
      and account_id in (select account_id from force)
    group by account_id
),
tickets as (
    select account_id, count(*) as lifetime_tickets, count(*) filter (is_unresolved) as open_tickets,
           avg(satisfaction_score) as avg_csat, avg(resolution_hours) as avg_resolution_hours,
           count(*) filter (resolved_at is not null and is_sla_breach) as sla_breaches
    from tickets_known group by account_id
),
churn as (
    select account_id, max(month) < (select month from horizon) as is_churned from ledger group by account_id
)
select a.account_id, a.account_name, a.segment, a.industry, a.region, a.employee_count, a.plan_tier,
       f.subscribed_plan_tier, a.owner, a.status, a.signup_date,
       date_diff('day', a.signup_date, as_of) as tenure_days,
       datesub('month', a.signup_date, as_of) as tenure_months,
       case when a.status in ('trial', 'churned') then a.status
            when date_diff('day', a.signup_date, as_of) <= 90 then 'onboarding'
            when date_diff('day', a.signup_date, as_of) <= 365 then 'growing'
            else 'mature' end as lifecycle_stage,
       coalesce(f.current_mrr, 0) as current_mrr, 12 * coalesce(f.current_mrr, 0) as current_arr,
       coalesce(c.is_churned, false) as is_churned,
       coalesce(f.active_subscription_count, 0) as active_subscription_count,
       coalesce(s.total_subscription_count, 0) as total_subscription_count,
       coalesce(f.active_addon_count, 0) as active_addon_count,
       s.first_subscription_date, s.latest_subscription_date, r.renewal_date,
       coalesce(t.lifetime_tickets, 0) as lifetime_tickets, coalesce(t.open_tickets, 0) as open_tickets,
       t.avg_csat, t.avg_resolution_hours, coalesce(t.sla_breaches, 0) as sla_breaches
from accounts a cross join param
left join subs s using (account_id)
left join force f using (account_id)
left join renewal r using (account_id)
left join tickets t using (account_id)
left join churn c using (account_id)
order by a.account_id
"""


def load(con: duckdb.DuckDBPyConnection, folder: Path, as_of: date) -> None:
    """The raw files as text, then the staged tables as known at as_of."""
    for table in TABLES:
        con.execute(
            f"create table {table} as select * from read_csv(?, all_varchar = true, header = true)",
            [str(Path(folder) / f"{table}.csv")],
        )
    first, *rest = [s for s in STAGING.split(";") if s.strip()]
    con.execute(first, {"as_of": as_of.isoformat()})
    for statement in rest:
        con.execute(statement)


def build_ledger(con: duckdb.DuckDBPyConnection, basis: str, recognised_statuses: list[str]) -> None:
    """ledger and horizon for one revenue basis."""
    con.execute(HORIZON[basis])
    con.execute(LEDGER[basis], {"statuses": recognised_statuses} if basis == "invoices" else None)
