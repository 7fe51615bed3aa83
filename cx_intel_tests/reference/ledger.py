"""Movements, waterfall and cohorts from a ledger of MRR per account and month (plain SQL, any portfolio).

Expects in the connection:
    ledger (account_id, month DATE, mrr DECIMAL(18,2))   a row per account and month to the horizon, mrr > 0
    horizon (month DATE)                                  a single row
    account_segment (account_id, segment)                 the segment each account has now
"""

from __future__ import annotations

import duckdb
import pandas as pd

# READING: "first month of the data" is the first month in which anybody has recognised MRR, not the first row
# of any status.
# READING: `account_month_number` counts calendar months from the account's first month with
# MRR, so that it is always months_since_start + 1, also after a gap.
FCT_REVENUE = """
create or replace table fct_revenue as
with span as (
    select (select min(month) from ledger) as first_month, (select month from horizon) as last_month
),
first_paid as (select account_id, min(month) as first_month from ledger group by account_id),
grid as (
    select f.account_id, f.first_month,
           cast(unnest(generate_series(cast(f.first_month as timestamp), cast(span.last_month as timestamp),
                                       interval 1 month)) as date) as revenue_month
    from first_paid f, span
),
filled as (
    select g.account_id, g.first_month, g.revenue_month, coalesce(l.mrr, 0) as mrr
    from grid g
    left join ledger l on l.account_id = g.account_id and l.month = g.revenue_month
),
lagged as (
    select *, coalesce(lag(mrr) over (partition by account_id order by revenue_month), 0) as lag_mrr
    from filled
),
opened as (
    select account_id, first_month, revenue_month, mrr,
           case when $opening = 'balance' and revenue_month = (select first_month from span) then mrr
               else lag_mrr end
               as previous_mrr
    from lagged
)
select account_id, revenue_month, mrr, 12 * mrr as arr, previous_mrr,
       case when previous_mrr = 0 and revenue_month = first_month then 'new'
            when previous_mrr = 0 then 'reactivation'
            when mrr = 0 then 'churn'
            when mrr > previous_mrr then 'expansion'
            when mrr < previous_mrr then 'contraction'
            else 'flat' end as revenue_movement,
       case when previous_mrr > 0 and mrr > previous_mrr then mrr - previous_mrr else 0 end as expansion_mrr,
       case when mrr > 0 and mrr < previous_mrr then previous_mrr - mrr else 0 end as contraction_mrr,
       mrr - previous_mrr as net_mrr_change,
       date_diff('month', first_month, revenue_month) + 1 as account_month_number
from opened
where mrr > 0 or previous_mrr > 0
"""

# READING: every calendar month from the first to the horizon has a row, and every segment an account has now
# has a row for every one of these months, with zeros where nothing happened.
# READING: a rate whose denominator is 0 is null; `churned_accounts` counts the accounts whose movement is
# `churn`.
NRR = """
create or replace table nrr_all as
with months as (
    select cast(unnest(generate_series(cast((select min(month) from ledger) as timestamp),
                                       cast((select month from horizon) as timestamp),
                                       interval 1 month)) as date) as revenue_month
),
segments as (select distinct segment from account_segment union all select 'all'),
facts as (
    select r.*, s.segment from fct_revenue r join account_segment s using (account_id)
    union all
    select r.*, 'all' as segment from fct_revenue r
),
sums as (
    select m.revenue_month, s.segment,
           coalesce(sum(previous_mrr), 0) as starting_mrr,
           coalesce(sum(mrr) filter (revenue_movement = 'new'), 0) as new_mrr,
           coalesce(sum(mrr) filter (revenue_movement = 'reactivation'), 0) as reactivation_mrr,
           coalesce(sum(expansion_mrr), 0) as expansion_mrr,
           coalesce(sum(contraction_mrr), 0) as contraction_mrr,
           coalesce(sum(previous_mrr) filter (revenue_movement = 'churn'), 0) as churned_mrr,
           coalesce(sum(mrr), 0) as ending_mrr,
           count(*) filter (mrr > 0) as paying_accounts,
           count(*) filter (previous_mrr > 0) as starting_accounts,
           count(*) filter (revenue_movement = 'churn') as churned_accounts
    from months m
    cross join segments s
    left join facts f on f.revenue_month = m.revenue_month and f.segment = s.segment
    group by m.revenue_month, s.segment
),
closed as (    -- the accounts with MRR twelve months earlier, and what they pay now
    select m.revenue_month, t.segment, sum(t.mrr) as then_mrr, sum(coalesce(n.mrr, 0)) as now_mrr,
           sum(least(t.mrr, coalesce(n.mrr, 0))) as kept_mrr
    from months m
    join (select l.*, s.segment from ledger l join account_segment s using (account_id)
          union all select l.*, 'all' from ledger l) t
      on t.month = cast(m.revenue_month - interval 12 month as date)
    left join ledger n on n.account_id = t.account_id and n.month = m.revenue_month
    group by m.revenue_month, t.segment
),
rates as (
    select s.*,
           100.0 * (starting_mrr + expansion_mrr - contraction_mrr - churned_mrr)
               / nullif(starting_mrr, 0) as nrr_pct,
           100.0 * (starting_mrr - contraction_mrr - churned_mrr) / nullif(starting_mrr, 0) as grr_pct,
           100.0 * c.now_mrr / c.then_mrr as nrr_ttm_pct,
           100.0 * c.kept_mrr / c.then_mrr as grr_ttm_pct
    from sums s
    left join closed c on c.revenue_month = s.revenue_month and c.segment = s.segment
    where not ($opening = 'balance' and s.revenue_month = (select min(revenue_month) from months))
)
select segment, revenue_month, starting_mrr, new_mrr, reactivation_mrr, expansion_mrr, contraction_mrr,
       churned_mrr, ending_mrr, 12 * ending_mrr as ending_arr, nrr_pct, grr_pct,
       case when count(nrr_pct) over w3 = 3 then avg(nrr_pct) over w3 end as nrr_trailing_3m_pct,
       case when count(grr_pct) over w3 = 3 then avg(grr_pct) over w3 end as grr_trailing_3m_pct,
       nrr_ttm_pct, grr_ttm_pct, paying_accounts, churned_accounts,
       100.0 * churned_accounts / nullif(starting_accounts, 0) as logo_churn_pct,
       100.0 * (ending_mrr - starting_mrr) / nullif(starting_mrr, 0) as mrr_growth_pct,
       (new_mrr + reactivation_mrr + expansion_mrr) / nullif(contraction_mrr + churned_mrr, 0) as quick_ratio,
       ending_mrr / nullif(paying_accounts, 0) as arpa
from rates
window w3 as (partition by segment order by revenue_month rows between 2 preceding and current row)
"""

# READING: a cohort runs to the horizon, and each segment of a cohort starts from the accounts it has now; a
# pair of cohort and segment without accounts has no rows. Only for opening 'new', where the first month with
# MRR is the start.
COHORTS = """
select cohort_month, segment, months_since_start, initial_accounts, initial_mrr, active_accounts, cohort_mrr,
       100.0 * active_accounts / initial_accounts as account_retention_pct,
       100.0 * cohort_mrr / initial_mrr as revenue_retention_pct
from (
    with member as (
        select l.account_id, min(l.month) as cohort_month from ledger l group by l.account_id
    ),
    labelled as (
        select m.*, s.segment from member m join account_segment s using (account_id)
        union all
        select m.*, 'all' from member m
    ),
    at_start as (
        select c.cohort_month, c.segment, count(*) as initial_accounts, sum(l.mrr) as initial_mrr
        from labelled c join ledger l on l.account_id = c.account_id and l.month = c.cohort_month
        group by all
    ),
    steps as (
        select a.*, cast(unnest(generate_series(cast(a.cohort_month as timestamp),
                                                cast((select month from horizon) as timestamp),
                                                interval 1 month)) as date) as month
        from at_start a
    ),
    still as (
        select c.cohort_month, c.segment, l.month, count(*) as active_accounts, sum(l.mrr) as cohort_mrr
        from labelled c join ledger l on l.account_id = c.account_id
        group by all
    )
    select s.cohort_month, s.segment, date_diff('month', s.cohort_month, s.month) as months_since_start,
           s.initial_accounts, s.initial_mrr, coalesce(t.active_accounts, 0) as active_accounts,
           coalesce(t.cohort_mrr, 0) as cohort_mrr
    from steps s
    left join still t on t.cohort_month = s.cohort_month and t.segment = s.segment and t.month = s.month
)
order by segment, cohort_month, months_since_start
"""


def revenue_tables(con: duckdb.DuckDBPyConnection, opening: str) -> dict[str, pd.DataFrame]:
    """fct_revenue, nrr_summary and nrr_by_segment (and cohorts for opening 'new')."""
    con.execute(FCT_REVENUE, {"opening": opening})
    con.execute(NRR, {"opening": opening})
    tables = {
        "fct_revenue": con.execute("from fct_revenue order by account_id, revenue_month").df(),
        "nrr_summary": con.execute(
            "select * exclude (segment) from nrr_all where segment = 'all' order by revenue_month"
        ).df(),
        "nrr_by_segment": con.execute("from nrr_all where segment <> 'all' order by segment, revenue_month").df(),
    }
    if opening == "new":
        tables["revenue_cohort_analysis"] = con.execute(COHORTS).df()
    return tables
