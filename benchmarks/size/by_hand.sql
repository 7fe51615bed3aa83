-- The core tables of the company of company.py, written by hand from docs/definitions.md and the settings in
-- examples/novacrm_csv.yaml (basis subscriptions). Nothing here comes from the program's own SQL. `by_hand.py` runs the
-- statements one after the other, each a table, after those of events; variables: as_of (a day), files (the folder).

CREATE TABLE stg_accounts AS
SELECT trim(account_id) AS account_id, trim(company_name) AS account_name, trim(industry) AS industry,
    trim(country) AS country, try_cast(employee_count AS BIGINT) AS employee_count, lower(trim(plan_tier)) AS plan_tier,
    trim(account_owner) AS owner, lower(trim(status)) AS status, try_cast(signup_date AS DATE) AS signup_date,
    CASE WHEN lower(trim(plan_tier)) = 'enterprise' OR try_cast(employee_count AS BIGINT) > 500 THEN 'enterprise'
        WHEN lower(trim(plan_tier)) = 'growth' OR try_cast(employee_count AS BIGINT) > 50 THEN 'mid_market'
        ELSE 'smb' END AS segment
FROM read_csv(getvariable('files') || '/accounts.csv', all_varchar = true)
QUALIFY row_number() OVER (PARTITION BY trim(account_id)) = 1;

CREATE TABLE stg_subscriptions AS
SELECT trim(subscription_id) AS subscription_id, trim(account_id) AS account_id,
    lower(trim(product_name)) AS product_name, lower(trim(plan_tier)) AS plan_tier,
    try_cast(mrr_amount AS DECIMAL(18, 2)) AS mrr_amount, try_cast(start_date AS DATE) AS start_date,
    try_cast(end_date AS DATE) AS end_date, lower(trim(status)) AS status
FROM read_csv(getvariable('files') || '/subscriptions.csv', all_varchar = true)
WHERE try_cast(mrr_amount AS DECIMAL(18, 2)) IS NOT NULL AND try_cast(start_date AS DATE) IS NOT NULL
    AND trim(account_id) IN (SELECT account_id FROM stg_accounts)
    AND (end_date IS NULL OR try_cast(end_date AS DATE) > try_cast(start_date AS DATE))
QUALIFY row_number() OVER (PARTITION BY trim(subscription_id)) = 1;

CREATE TABLE stg_support_tickets AS
SELECT trim(ticket_id) AS ticket_id, trim(account_id) AS account_id, lower(trim(priority)) AS priority,
    lower(trim(category)) AS category, lower(trim(status)) AS status,
    try_cast(satisfaction_score AS DOUBLE) AS satisfaction_score, try_cast(created_at AS TIMESTAMP) AS created_at,
    try_cast(resolved_at AS TIMESTAMP) AS resolved_at
FROM read_csv(getvariable('files') || '/support_tickets.csv', all_varchar = true)
WHERE try_cast(created_at AS TIMESTAMP) < getvariable('as_of') + INTERVAL 1 DAY
    AND trim(account_id) IN (SELECT account_id FROM stg_accounts)
QUALIFY row_number() OVER (PARTITION BY trim(ticket_id)) = 1;

-- MRR of an account in a month: what is in force on its last day. The horizon is the last month that has ended by as_of.
CREATE TABLE fct_revenue AS
WITH months AS (
    SELECT unnest(generate_series((SELECT min(date_trunc('month', start_date)) FROM stg_subscriptions),
        date_trunc('month', getvariable('as_of') + 1) - INTERVAL 1 MONTH, INTERVAL 1 MONTH))::DATE AS revenue_month),
in_force AS (
    SELECT account_id, revenue_month, sum(mrr_amount) AS mrr
    FROM stg_subscriptions JOIN months ON start_date <= last_day(revenue_month)
        AND (end_date IS NULL OR end_date > last_day(revenue_month))
    WHERE status NOT IN ('trial', 'trialing', 'in_trial', 'draft', 'incomplete', 'incomplete_expired', 'future', 'void')
    GROUP BY ALL HAVING sum(mrr_amount) > 0),
told AS (
    FROM in_force UNION ALL
    SELECT account_id, (revenue_month + INTERVAL 1 MONTH)::DATE, 0 FROM in_force
    ANTI JOIN (SELECT account_id, (revenue_month - INTERVAL 1 MONTH)::DATE AS revenue_month FROM in_force) AS following
        USING (account_id, revenue_month)
    WHERE revenue_month < (SELECT max(revenue_month) FROM months)),
compared AS (
    SELECT *, coalesce(lag(mrr) OVER account, 0) AS previous_mrr, min(revenue_month) OVER account AS first_month
    FROM told WINDOW account AS (PARTITION BY account_id ORDER BY revenue_month))
SELECT account_id, revenue_month, mrr::DECIMAL(18, 2) AS mrr, (12 * mrr)::DECIMAL(18, 2) AS arr,
    previous_mrr::DECIMAL(18, 2) AS previous_mrr,
    CASE WHEN previous_mrr = 0 THEN if(revenue_month = first_month, 'new', 'reactivation') WHEN mrr = 0 THEN 'churn'
        WHEN mrr > previous_mrr THEN 'expansion' WHEN mrr < previous_mrr THEN 'contraction' ELSE 'flat'
        END AS revenue_movement,
    if(previous_mrr > 0 AND mrr > previous_mrr, mrr - previous_mrr, 0)::DECIMAL(18, 2) AS expansion_mrr,
    if(mrr > 0 AND mrr < previous_mrr, previous_mrr - mrr, 0)::DECIMAL(18, 2) AS contraction_mrr,
    (mrr - previous_mrr)::DECIMAL(18, 2) AS net_mrr_change,
    date_diff('month', first_month, revenue_month) + 1 AS account_month_number
FROM compared;

-- The waterfall of all accounts and of each segment, with rates by month, over three months, and over twelve (closed cohort).
CREATE TABLE waterfall AS
WITH rows AS (
    SELECT r.*, a.segment AS of, t.mrr AS then_mrr
    FROM fct_revenue AS r JOIN stg_accounts AS a USING (account_id)
    LEFT JOIN fct_revenue AS t ON t.account_id = r.account_id AND t.revenue_month = r.revenue_month - INTERVAL 12 MONTH),
each AS (FROM rows UNION ALL SELECT * REPLACE ('all' AS of) FROM rows),
sums AS (
    SELECT of AS segment, revenue_month, sum(previous_mrr) AS starting_mrr,
        sum(mrr) FILTER (revenue_movement = 'new') AS new_mrr,
        sum(mrr) FILTER (revenue_movement = 'reactivation') AS reactivation_mrr,
        sum(expansion_mrr) AS expansion_mrr, sum(contraction_mrr) AS contraction_mrr,
        sum(previous_mrr) FILTER (revenue_movement = 'churn') AS churned_mrr, sum(mrr) AS ending_mrr,
        count(*) FILTER (mrr > 0) AS paying_accounts, count(*) FILTER (revenue_movement = 'churn') AS churned_accounts,
        count(*) FILTER (previous_mrr > 0) AS starting_accounts
    FROM each GROUP BY ALL),
filled AS (  -- a row for each month, also for a segment without MRR in it
    SELECT segment, revenue_month, coalesce(COLUMNS(* EXCLUDE (segment, revenue_month)), 0)
    FROM (SELECT DISTINCT of AS segment FROM each) CROSS JOIN (SELECT DISTINCT revenue_month FROM fct_revenue)
    LEFT JOIN sums USING (segment, revenue_month)),
closed AS (
    SELECT t.segment, t.revenue_month, 100 * (sum(coalesce(now.mrr, 0)) / sum(t.mrr))::DOUBLE AS nrr_ttm_pct,
        100 * (sum(least(coalesce(now.mrr, 0), t.mrr)) / sum(t.mrr))::DOUBLE AS grr_ttm_pct
    FROM (
        SELECT of AS segment, account_id, (revenue_month + INTERVAL 12 MONTH)::DATE AS revenue_month, mrr
        FROM each WHERE mrr > 0) AS t
    LEFT JOIN fct_revenue AS now USING (account_id, revenue_month) GROUP BY ALL),
rates AS (
    SELECT s.* REPLACE (coalesce(new_mrr, 0) AS new_mrr, coalesce(reactivation_mrr, 0) AS reactivation_mrr,
            coalesce(churned_mrr, 0) AS churned_mrr),
        100 * ((starting_mrr + expansion_mrr - contraction_mrr - coalesce(churned_mrr, 0)) / nullif(starting_mrr, 0))::DOUBLE
            AS nrr_pct,
        100 * ((starting_mrr - contraction_mrr - coalesce(churned_mrr, 0)) / nullif(starting_mrr, 0))::DOUBLE AS grr_pct,
        nrr_ttm_pct, grr_ttm_pct
    FROM filled AS s LEFT JOIN closed USING (segment, revenue_month))
SELECT * EXCLUDE (starting_accounts), 12 * ending_mrr AS ending_arr,
    if(count(nrr_pct) OVER three = 3, avg(nrr_pct) OVER three, NULL) AS nrr_trailing_3m_pct,
    if(count(grr_pct) OVER three = 3, avg(grr_pct) OVER three, NULL) AS grr_trailing_3m_pct,
    100 * churned_accounts / nullif(starting_accounts, 0) AS logo_churn_pct,
    100 * ((ending_mrr - starting_mrr) / nullif(starting_mrr, 0))::DOUBLE AS mrr_growth_pct,
    ((new_mrr + reactivation_mrr + expansion_mrr) / nullif(contraction_mrr + churned_mrr, 0))::DOUBLE AS quick_ratio,
    (ending_mrr / nullif(paying_accounts, 0))::DOUBLE AS arpa
FROM rates
WINDOW three AS (PARTITION BY segment ORDER BY revenue_month ROWS BETWEEN 2 PRECEDING AND CURRENT ROW);

CREATE TABLE nrr_summary AS SELECT * EXCLUDE (segment) FROM waterfall WHERE segment = 'all';

CREATE TABLE nrr_by_segment AS FROM waterfall WHERE segment <> 'all';

CREATE TABLE revenue_cohort_analysis AS
WITH paid AS (
    SELECT account_id, revenue_month, mrr, segment, min(revenue_month) OVER (PARTITION BY account_id) AS cohort_month
    FROM fct_revenue JOIN stg_accounts USING (account_id) WHERE mrr > 0),
each AS (FROM paid UNION ALL SELECT * REPLACE ('all' AS segment) FROM paid),
first AS (
    SELECT cohort_month, segment, count(*) AS initial_accounts, sum(mrr) AS initial_mrr
    FROM each WHERE revenue_month = cohort_month GROUP BY ALL),
months AS (SELECT DISTINCT revenue_month FROM fct_revenue),
grid AS (FROM first JOIN months ON revenue_month >= cohort_month),
still AS (
    SELECT cohort_month, segment, revenue_month, count(*) AS active_accounts, sum(mrr) AS cohort_mrr FROM each GROUP BY ALL)
SELECT cohort_month, segment, date_diff('month', cohort_month, revenue_month) AS months_since_start, initial_accounts,
    initial_mrr, coalesce(active_accounts, 0) AS active_accounts, coalesce(cohort_mrr, 0) AS cohort_mrr,
    100 * coalesce(active_accounts, 0) / initial_accounts AS account_retention_pct,
    100 * (coalesce(cohort_mrr, 0) / initial_mrr)::DOUBLE AS revenue_retention_pct
FROM grid LEFT JOIN still USING (cohort_month, segment, revenue_month);

CREATE TABLE fct_tickets AS
WITH known AS (  -- what happened by the end of as_of
    SELECT * REPLACE (if(resolved_at < getvariable('as_of') + INTERVAL 1 DAY, resolved_at, NULL) AS resolved_at)
    FROM stg_support_tickets),
timed AS (
    SELECT *, date_diff('microseconds', created_at, resolved_at) / 3.6e9 AS resolution_hours,
        date_diff('microseconds', created_at, coalesce(resolved_at, getvariable('as_of') + INTERVAL 1 DAY)) / 3.6e9 AS elapsed,
        (map {'p1': 4, 'p2': 12, 'p3': 48, 'p4': 120})[priority]::DOUBLE AS sla_target_hours
    FROM known)
SELECT ticket_id, t.account_id, priority, category,
    CASE WHEN resolved_at IS NOT NULL THEN 'resolved' WHEN t.status = 'escalated' THEN t.status ELSE 'open' END AS status,
    if(resolved_at IS NULL, NULL, satisfaction_score) AS satisfaction_score, created_at, resolved_at,
    created_at::DATE AS created_date, date_trunc('month', created_at)::DATE AS ticket_month, resolution_hours,
    sla_target_hours, elapsed > sla_target_hours AS is_sla_breach,
    resolved_at IS NULL AND elapsed > sla_target_hours AS is_open_breach,
    resolution_hours / sla_target_hours AS sla_ratio,
    CASE WHEN resolved_at IS NULL THEN 'unresolved' WHEN resolution_hours <= sla_target_hours / 2 THEN 'fast'
        WHEN resolution_hours <= sla_target_hours THEN 'on_time'
        WHEN resolution_hours <= 1.5 * sla_target_hours THEN 'slow' ELSE 'critical_breach' END AS resolution_speed,
    CASE WHEN resolved_at IS NULL OR satisfaction_score IS NULL THEN 'no_rating' WHEN satisfaction_score >= 4 THEN 'satisfied'
        WHEN satisfaction_score >= 3 THEN 'neutral' ELSE 'dissatisfied' END AS csat_tier,
    plan_tier AS account_plan_tier, owner AS account_owner, segment AS account_segment
FROM timed AS t JOIN stg_accounts USING (account_id);

CREATE TABLE sla_adherence AS
WITH each AS (
    SELECT *, 'priority' AS dimension_type, priority AS dimension_value FROM fct_tickets UNION ALL
    SELECT *, 'segment', account_segment FROM fct_tickets),
counted AS (
    SELECT ticket_month, dimension_type, dimension_value, count(*) AS total_tickets,
        count(resolved_at) AS resolved_tickets, count(*) FILTER (is_sla_breach AND NOT is_open_breach) AS sla_breaches,
        count(*) FILTER (resolved_at IS NOT NULL AND NOT is_sla_breach) AS within_sla,
        count(*) FILTER (resolved_at IS NULL) AS unresolved_tickets, count(*) FILTER (is_open_breach) AS open_breaches,
        avg(resolution_hours) AS avg_resolution_hours, quantile_cont(resolution_hours, 0.5) AS median_resolution_hours,
        quantile_cont(resolution_hours, 0.9) AS p90_resolution_hours, avg(satisfaction_score) AS avg_csat
    FROM each GROUP BY ALL)
SELECT *, 100 * within_sla / nullif(within_sla + sla_breaches, 0) AS sla_adherence_pct,
    100 * within_sla / nullif(within_sla + sla_breaches + open_breaches, 0) AS adherence_incl_open_pct
FROM counted;

CREATE TABLE dim_account AS
WITH contracts AS (
    SELECT account_id, count(*) AS total_subscription_count, min(start_date) AS first_subscription_date,
        max(start_date) AS latest_subscription_date,
        count(*) FILTER (start_date <= getvariable('as_of') AND (end_date IS NULL OR end_date > getvariable('as_of')))
            AS active_subscription_count,
        sum(mrr_amount) FILTER (start_date <= getvariable('as_of') AND (end_date IS NULL OR end_date > getvariable('as_of')))
            AS current_mrr,
        count(*) FILTER (product_name <> 'novacrm_platform' AND start_date <= getvariable('as_of')
            AND (end_date IS NULL OR end_date > getvariable('as_of'))) AS active_addon_count
    FROM stg_subscriptions GROUP BY ALL),
tickets AS (
    SELECT account_id, count(*) AS lifetime_tickets, count(*) FILTER (status <> 'resolved') AS open_tickets,
        avg(satisfaction_score) AS avg_csat, avg(resolution_hours) AS avg_resolution_hours,
        count(*) FILTER (is_sla_breach AND NOT is_open_breach) AS sla_breaches
    FROM fct_tickets GROUP BY ALL)
SELECT a.* EXCLUDE (account_id), a.account_id, getvariable('as_of') - signup_date AS tenure_days,
    date_diff('month', signup_date, getvariable('as_of')) - (day(signup_date) > day(getvariable('as_of')))::INT AS tenure_months,
    CASE WHEN status IN ('trial', 'churned') THEN status WHEN getvariable('as_of') - signup_date <= 90 THEN 'onboarding'
        WHEN getvariable('as_of') - signup_date <= 365 THEN 'growing' ELSE 'mature' END AS lifecycle_stage,
    coalesce(current_mrr, 0) AS current_mrr, 12 * coalesce(current_mrr, 0) AS current_arr,
    total_subscription_count > 0 AND coalesce(current_mrr, 0) = 0 AS is_churned,
    coalesce(active_subscription_count, 0) AS active_subscription_count,
    coalesce(total_subscription_count, 0) AS total_subscription_count,
    coalesce(active_addon_count, 0) AS active_addon_count, first_subscription_date, latest_subscription_date,
    coalesce(lifetime_tickets, 0) AS lifetime_tickets, coalesce(open_tickets, 0) AS open_tickets, avg_csat,
    avg_resolution_hours, coalesce(sla_breaches, 0) AS sla_breaches
FROM stg_accounts AS a LEFT JOIN contracts USING (account_id) LEFT JOIN tickets USING (account_id);

CREATE TABLE customer_health_scores AS
WITH population AS (SELECT * FROM dim_account WHERE status = 'active' AND NOT is_churned),
days AS (SELECT * FROM fct_usage WHERE event_date BETWEEN getvariable('as_of') - 29 AND getvariable('as_of')),
events AS (SELECT account_id, sum(total_events) / 30 AS events_per_day FROM days GROUP BY ALL),
features AS (
    SELECT account_id, count(DISTINCT event_name) AS features FROM stg_usage_events
    WHERE event_date BETWEEN getvariable('as_of') - 29 AND getvariable('as_of') GROUP BY ALL),
tickets AS (
    SELECT account_id, count(*) FILTER (status <> 'resolved') AS unresolved, avg(satisfaction_score) AS csat
    FROM fct_tickets WHERE created_date BETWEEN getvariable('as_of') - 29 AND getvariable('as_of') GROUP BY ALL),
changes AS (
    SELECT account_id, net_mrr_change FROM fct_revenue
    WHERE revenue_month = (SELECT max(revenue_month) FROM fct_revenue)),
signals AS (
    SELECT p.*, coalesce(events_per_day, 0) AS events_per_day, coalesce(features, 0) AS features, net_mrr_change,
        unresolved, csat
    FROM population AS p LEFT JOIN events USING (account_id) LEFT JOIN features USING (account_id)
    LEFT JOIN changes USING (account_id) LEFT JOIN tickets USING (account_id)),
ranked AS (  -- accounts below and half of the equals, itself included
    SELECT *, count(*) OVER () AS n, rank() OVER (ORDER BY events_per_day) - 1 AS below_in_events,
        count(*) OVER (PARTITION BY events_per_day) AS equal_in_events,
        rank() OVER (ORDER BY features) - 1 AS below_in_features, count(*) OVER (PARTITION BY features) AS equal_in_features
    FROM signals),
scored AS (
    SELECT *, 25.0 * ceil(4 * (below_in_events + equal_in_events / 2) / n) AS usage_score,
        25.0 * ceil(4 * (below_in_features + equal_in_features / 2) / n) AS engagement_score,
        CASE WHEN net_mrr_change IS NULL THEN 50 WHEN net_mrr_change > 0 THEN 100 WHEN net_mrr_change = 0 THEN 60
            WHEN net_mrr_change > -50 THEN 30 ELSE 10 END AS revenue_score,
        CASE WHEN unresolved IS NULL THEN 50 WHEN unresolved = 0 AND (csat >= 4 OR csat IS NULL) THEN 100
            WHEN unresolved = 0 THEN 75 WHEN unresolved <= 2 AND (csat >= 3 OR csat IS NULL) THEN 50
            WHEN unresolved <= 5 THEN 25 ELSE 10 END AS support_score
    FROM ranked),
summed AS (
    SELECT *, round(0.30 * usage_score + 0.25 * engagement_score + 0.25 * revenue_score + 0.20 * support_score, 1) AS score
    FROM scored)
SELECT getvariable('as_of') AS as_of, account_id, account_name, segment, owner, current_mrr, current_arr, usage_score,
    engagement_score, revenue_score::DOUBLE AS revenue_score, support_score::DOUBLE AS support_score,
    score AS health_score, CASE WHEN score >= 80 THEN 'champion' WHEN score >= 60 THEN 'healthy'
        WHEN score >= 40 THEN 'neutral' WHEN score >= 20 THEN 'at_risk' ELSE 'critical' END AS health_tier,
    55 + if(net_mrr_change IS NULL, 0, 25) + if(unresolved IS NULL, 0, 20) AS coverage_pct
FROM summed;

CREATE TABLE churn_risk_view AS
WITH usage AS (
    SELECT account_id, sum(total_events) FILTER (event_date > getvariable('as_of') - 30) AS events_last_30d,
        sum(total_events) FILTER (event_date <= getvariable('as_of') - 30) AS events_prev_30d
    FROM fct_usage WHERE event_date BETWEEN getvariable('as_of') - 59 AND getvariable('as_of') GROUP BY ALL),
tickets AS (
    SELECT account_id, count(*) AS escalated_tickets_90d FROM fct_tickets
    WHERE created_date > getvariable('as_of') - 90 AND status = 'escalated' GROUP BY ALL),
contractions AS (
    SELECT account_id, count(*) AS contraction_months_6m FROM fct_revenue WHERE revenue_movement = 'contraction'
        AND revenue_month > (SELECT max(revenue_month) FROM fct_revenue) - INTERVAL 6 MONTH GROUP BY ALL),
judged AS (
    SELECT h.as_of, h.account_id, h.account_name, h.segment, h.owner, h.current_arr, h.health_score,
        coalesce(events_last_30d, 0) AS events_last_30d, coalesce(events_prev_30d, 0) AS events_prev_30d,
        100 * (coalesce(events_last_30d, 0) - events_prev_30d) / nullif(events_prev_30d, 0) AS usage_change_pct,
        coalesce(escalated_tickets_90d, 0) AS escalated_tickets_90d,
        coalesce(contraction_months_6m, 0) AS contraction_months_6m, health_score < 40 AS is_low_health,
        coalesce(events_prev_30d > 0 AND coalesce(events_last_30d, 0) < 0.5 * events_prev_30d, false) AS is_usage_declining,
        coalesce(escalated_tickets_90d, 0) >= 2 AS has_escalations,
        coalesce(contraction_months_6m, 0) >= 2 AS has_revenue_contraction
    FROM customer_health_scores AS h LEFT JOIN usage USING (account_id) LEFT JOIN tickets USING (account_id)
    LEFT JOIN contractions USING (account_id)),
levelled AS (
    SELECT *, CASE WHEN health_score < 20 THEN 'critical'
            WHEN health_score < 40 OR is_usage_declining OR has_escalations THEN 'high'
            WHEN health_score < 60 OR has_revenue_contraction THEN 'medium' ELSE 'low' END AS risk_level,
        is_low_health::INT + is_usage_declining::INT + has_escalations::INT + has_revenue_contraction::INT AS risk_signal_count
    FROM judged)
SELECT *, row_number() OVER (ORDER BY list_position(['critical', 'high', 'medium', 'low'], risk_level),
    risk_signal_count DESC, health_score, current_arr DESC, account_id) AS intervention_priority
FROM levelled;
