"""What pages sum anew for chosen accounts and months, in a real browser: each figure and each list is what SQL says."""

import json
from pathlib import Path
from typing import Any

import pytest

from cx_intel.reports.charts.drawing.palette import tier_marks
from cx_intel.reports.data.terms import MOVED as MOVED_IN
from cx_intel_tests.helpers.browsing import DESKTOP, NEEDS_CHROMIUM, PHONE, Tab
from cx_intel_tests.helpers.builders import AS_OF
from cx_intel_tests.helpers.filtered_site import (
    OF,
    OWNER,
    Sql,
    build,
    connected,
    moved,
    opened,
    plain,
    plainly,
    rows,
)
from cx_intel_tests.helpers.report_rows import MONTHS, months

pytestmark = [
    pytest.mark.slow,  # a browser, and pages with all charts
    NEEDS_CHROMIUM,
]
SHOWN = ("dashboard", "health", "revenue", "renewals", "support")


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build(tmp_path_factory.mktemp("site"), *SHOWN)


@pytest.fixture(scope="module")
def sql(site: Path) -> Sql:
    return connected(site)


LEDGER = """
    SELECT {by}, sum(previous_mrr), sum(mrr) FILTER (revenue_movement = 'new'),
        sum(mrr) FILTER (revenue_movement = 'reactivation'), sum(expansion_mrr), sum(contraction_mrr),
        sum(previous_mrr) FILTER (revenue_movement = 'churn'), sum(mrr),
        100 * (sum(previous_mrr) + sum(expansion_mrr) - sum(contraction_mrr)
            - coalesce(sum(previous_mrr) FILTER (revenue_movement = 'churn'), 0)) / nullif(sum(previous_mrr), 0)
    FROM fct_revenue JOIN dim_account USING (account_id)
"""


def test_the_movements_of_an_owner_are_what_sql_says(site: Path, tab: Tab, sql: Sql) -> None:
    page = opened(tab, site, "revenue", "?owner=Ben+Owner")
    by_month = sql(LEDGER.format(by="revenue_month") + "WHERE owner = ? GROUP BY ALL ORDER BY 1 DESC LIMIT 13", OWNER)
    assert [row[:9] for row in rows(page, "months")] == plainly([tuple(v or 0 for v in r) for r in by_month])
    newest = months(MONTHS)[-1]
    by_segment = sql(
        LEDGER.format(by="segment") + "WHERE owner = ? AND revenue_month = ? GROUP BY ALL ORDER BY 1", OWNER, newest
    )
    assert sorted(row[:9] for row in rows(page, "by-segment")) == plainly(
        [tuple(v or 0 for v in r) for r in by_segment]
    )
    year = """
        WITH mine AS (SELECT account_id, revenue_month, mrr FROM fct_revenue JOIN dim_account USING (account_id)
            WHERE owner = ? AND mrr > 0)
        SELECT 100.0 * sum(coalesce(now.mrr, 0)) / sum(past.mrr),
            100.0 * sum(least(coalesce(now.mrr, 0), past.mrr)) / sum(past.mrr)
        FROM mine past LEFT JOIN mine now ON now.account_id = past.account_id AND now.revenue_month = ?
        WHERE past.revenue_month = ? - INTERVAL 12 MONTH
    """
    assert rows(page, "months")[0][10:12] == plainly(sql(year, OWNER, newest, newest))[0]
    ages = """
        WITH paid AS (SELECT account_id, revenue_month, mrr FROM fct_revenue JOIN dim_account USING (account_id)
                WHERE owner = ? AND mrr > 0),
            began AS (SELECT account_id, min(revenue_month) AS cohort, arg_min(mrr, revenue_month) AS first_mrr FROM paid
                GROUP BY 1),
            reached AS (SELECT * FROM began WHERE cohort + INTERVAL 6 MONTH <= ?)
        SELECT year(cohort)::VARCHAR, 100.0 * count(mrr) / count(*), 100.0 * sum(coalesce(mrr, 0)) / sum(first_mrr)
        FROM reached LEFT JOIN paid ON paid.account_id = reached.account_id AND revenue_month = cohort + INTERVAL 6 MONTH
        GROUP BY 1 ORDER BY 1
    """
    at_six = {row[0]: row[1:] for row in plainly(sql(ages, OWNER, newest))}
    accounts, mrr = ({row[0]: row[4] for row in rows(page, f"ages-{what}")} for what in ("accounts", "mrr"))
    assert {year: [accounts[year], mrr[year]] for year in at_six} == at_six


def test_support_of_an_owner_is_what_sql_says(site: Path, tab: Tab, sql: Sql) -> None:
    page = opened(tab, site, "support", "?owner=Ben+Owner")
    expected = sql(
        """
        SELECT ticket_month, upper(sla_priority), count(*), count(*), count(*) FILTER (is_sla_breach), 0, 0,
            100.0 * count(*) FILTER (NOT is_sla_breach) / count(*), 100.0 * count(*) FILTER (NOT is_sla_breach) / count(*),
            median(resolution_hours), quantile_cont(resolution_hours, 0.9), avg(satisfaction_score)
        FROM fct_tickets WHERE account_owner = ? GROUP BY 1, 2 ORDER BY 1 DESC, 2 LIMIT 26
        """,
        OWNER,
    )
    assert rows(page, "by-priority") == plainly(expected)
    drawn = page.evaluate(
        "report.charts.find(chart => chart.id === 'median_resolution_hours_by_segment').current"
        ".map(row => [row.at, row.name, row.value])"
    )
    by_segment = sql(
        "SELECT ticket_month, account_segment, median(resolution_hours) FROM fct_tickets WHERE account_owner = ? "
        "GROUP BY 1, 2 HAVING ticket_month >= ? ORDER BY 1, 2",
        OWNER,
        months(13)[0],
    )
    assert sorted(plainly(drawn)) == plainly(by_segment)


def test_the_outlook_of_an_owner_is_what_sql_says(site: Path, tab: Tab, sql: Sql) -> None:
    page = opened(tab, site, "renewals", "?owner=Ben+Owner")
    found = {row[0]: row[1:] for row in rows(page, "scenarios")}
    assert list(found) == ["All renew", "Expected, with playbooks", "Expected, nobody acts", "Worst case"]
    ((due, kept, saved),) = sql(
        """
        SELECT count(*), sum(p.current_mrr * p.renewal_probability), sum(p.current_mrr * (p.renewal_probability
            + (1 - p.renewal_probability) * if(l.is_within_capacity, p.save_rate, 0)))
        FROM renewal_pipeline p LEFT JOIN cs_intervention_list l ON l.account_id = p.account_id AND l.as_of = p.as_of
        WHERE p.owner = ? AND p.is_within_window
        """,
        OWNER,
    )
    whole = 100 * due
    for scenario, ending in (("Expected, nobody acts", kept), ("Expected, with playbooks", saved)):
        rate = 100 * float(ending) / whole
        assert found[scenario] == [plain(v) for v in (rate, rate, due, whole, ending, whole)]
    by_owner = sql(
        "SELECT owner, count(*), count(*) FILTER (is_within_capacity), sum(current_arr), sum(expected_arr_loss), "
        "min(days_to_renewal) FROM cs_intervention_list WHERE as_of = ? AND owner = ? GROUP BY 1",
        AS_OF,
        OWNER,
    )
    assert rows(page, "calls-by-owner") == plainly(by_owner)
    (came,) = sql(
        "SELECT playbook, count(*), count(*) FILTER (status = 'done'), 0, 0, count(*) FILTER (outcome = 'renewed'), 0, "
        "count(*) FILTER (outcome = 'lost'), count(*) FILTER (outcome = 'open'), "
        "100 * sum(current_arr) FILTER (outcome = 'renewed' AND status = 'done') "
        "/ sum(current_arr) FILTER (outcome <> 'open' AND status = 'done'), "
        "100 * sum(current_arr) FILTER (outcome = 'renewed' AND status = 'open') "
        "/ sum(current_arr) FILTER (outcome <> 'open' AND status = 'open') "
        "FROM intervention_entries JOIN (SELECT account_id, owner FROM dim_account) USING (account_id) "
        "WHERE owner = ? GROUP BY 1",
        OWNER,
    )
    assert rows(page, "playbook-outcomes") == plainly([came])
    assert page.locator("#calls-by-owner .whole", has_text="of the whole company").count() == 0


@pytest.mark.parametrize("tab", [{"viewport": DESKTOP}, {"viewport": PHONE}], indirect=True, ids=["desktop", "phone"])
def test_a_month_is_picked_kept_in_the_address_and_shows_whose_mrr_moved(site: Path, tab: Tab, sql: Sql) -> None:
    churned, shown = months(MONTHS)[10], "#movers tbody tr:visible th a"
    page = opened(tab, site, "revenue")
    page.select_option("#month", str(churned))
    page.wait_for_selector(f"html[data-filtered*='{churned:%Y-%m}']", state="attached")
    assert page.url.endswith(f"revenue.html?month={churned:%Y-%m}")
    assert page.locator(shown).all_text_contents() == moved(sql, churned) == ["Company 3"]
    assert page.locator("#panel-waterfall h3").text_content().strip() == f"What happened to MRR in {churned:%b %Y}"
    assert "$100 churn (1 account)." in page.locator("#selected").text_content()
    steps = page.evaluate("report.charts.find(chart => chart.id === 'waterfall').current.map(row => row.amount)")
    ((start, end),) = sql("SELECT sum(previous_mrr), sum(mrr) FROM fct_revenue WHERE revenue_month = ?", churned)
    assert [steps[0], steps[5], steps[6]] == [start, -100, end]
    page.click("form.months button >> nth=1")
    page.wait_for_selector(f"html[data-filtered*='{months(MONTHS)[11]:%Y-%m}']", state="attached")
    assert page.locator(shown).all_text_contents() == moved(sql, months(MONTHS)[11]) == ["Company 4"]
    page = opened(tab, site, "revenue", f"?owner=Ada+Owner&month={churned:%Y-%m}&movement=churn")
    assert page.locator("#month").input_value() == str(churned)
    assert page.locator(shown).all_text_contents() == moved(sql, churned, "churn", "Ada Owner") == []
    page.select_option("#month", str(months(MONTHS)[-1]))
    page.wait_for_selector('html[data-filtered=\'{"owner":"Ada Owner"}\']', state="attached")
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth + 1")


CLICKED = """([id, all]) => {
  const box = document.getElementById('chart-' + id);
  box.scrollIntoView({ block: 'center' });
  const marks = [...box.querySelectorAll('.mark-rect path, .mark-symbol path')].filter((e) => e.__data__ && e.__data__.datum
    && !e.closest('.role-legend, .role-axis') && getComputedStyle(e).opacity !== '0');
  const area = (e) => { const at = e.getBoundingClientRect(); return at.width * at.height; };
  const largest = marks.sort((a, b) => area(b) - area(a)).filter((e) => area(e) > 4);
  for (const mark of largest) {
    const at = mark.getBoundingClientRect(), x = at.left + at.width / 2, y = at.top + at.height / 2;
    const there = document.elementFromPoint(x, y), datum = there && there.__data__ && there.__data__.datum;
    const told = datum && datum.sign !== 0 ? all.map((name) => datum[name]) : [null];  // a level is no movement
    if (told.every((value) => value !== undefined && value !== null)) return { x, y, datum: told };
  }
  return null;
}"""
MOVEMENTS = {label: movement for movement, label in MOVED_IN.items()}
TICKETS = "SELECT DISTINCT account_id FROM fct_tickets WHERE ticket_month = ? AND "
MOVED = "SELECT account_id FROM fct_revenue WHERE revenue_month = ? AND revenue_movement = ?"
COHORT = "SELECT account_id FROM fct_revenue WHERE mrr > 0 GROUP BY 1 HAVING min(revenue_month) = ?"
SCORED = f"SELECT account_id FROM customer_health_scores WHERE as_of = DATE '{AS_OF}' AND "
LISTS = {
    "tiers": (["tier"], SCORED + "health_tier = ?"),
    "health_by_segment": (["segment", "tier"], SCORED + "segment = ? AND health_tier = ?"),
    "score_distribution": (
        ["bucket", "tier"],
        SCORED + "least(floor(health_score / 5) * 5, 95) = ? AND health_tier = ?",
    ),
    "points_lost": (
        ["label"],
        "SELECT DISTINCT account_id FROM health_score_drivers WHERE points_lost >= 0.05 AND label = ?",
    ),
    "exposed_arr": (
        ["segment", "risk"],
        "SELECT account_id FROM renewal_pipeline WHERE exposed_arr > 0 AND segment = ? AND renewal_risk = ?",
    ),
    "pipeline_by_month": (
        ["at", "risk"],
        "SELECT account_id FROM renewal_pipeline WHERE date_trunc('month', renewal_date) = ? AND renewal_risk = ?",
    ),
    "waterfall": (["at", "step"], MOVED),
    "mrr_movements": (["at", "step"], MOVED),
    "account_retention_pct": (["at"], COHORT),
    "revenue_retention_pct": (["at"], COHORT),
    "sla_adherence_pct_by_priority": (["at", "name"], TICKETS + "upper(sla_priority) = ?"),
    **{
        f"{figure}_by_segment": (["at", "name"], TICKETS + "account_segment = ?")
        for figure in ("sla_adherence_pct", "median_resolution_hours", "p90_resolution_hours", "avg_csat")
    },
    "resolution_times": (["at", "name"], TICKETS + "upper(sla_priority) = ?"),
}
"""Chart: the fields of a mark, and the accounts that it stands for."""
OTHERS = {"retention_trend", "monthly_retention", "score_against_arr", "outlook"}
"""A point of these is a month, an account or a scenario, and lists none."""


def test_a_click_on_every_chart_lists_the_accounts_that_sql_finds(site: Path, tab: Tab, sql: Sql) -> None:
    tiers = {mark.label: mark.name for mark in tier_marks(OF)}
    bens = {account for (account,) in sql("SELECT account_id FROM dim_account WHERE owner = ?", OWNER)}
    seen = set()
    for name in SHOWN:
        page = opened(
            tab, site, name, f"?owner=Ben+Owner&month={months(MONTHS)[10]:%Y-%m}" if name == "revenue" else ""
        )
        for chart in page.evaluate("report.charts.map(chart => chart.id)"):
            seen.add(chart)
            if chart in OTHERS:
                continue
            fields, query = LISTS[chart]
            found = page.evaluate(CLICKED, [chart, fields])
            assert found, f"no mark of {chart} can be clicked"
            page.mouse.click(found["x"], found["y"])
            words = {"tier": tiers, "step": MOVEMENTS}
            asked = [
                words.get(field, {}).get(value, value) for field, value in zip(fields, found["datum"], strict=True)
            ]
            expected = sorted(a for (a,) in sql(query, *asked) if name != "revenue" or a in bens)
            moves = chart in ("waterfall", "mrr_movements")
            if moves:
                page.wait_for_selector(f"html[data-filtered*='{asked[1]}']", state="attached")
            listed = "#movers tbody tr:not([data-out=yes])" if moves else f"#panel-{chart} .listed"
            page.wait_for_selector(f"{listed} a", state="attached")
            links = page.locator(f"{listed} a").evaluate_all("all => all.map(a => decodeURIComponent(a.hash.slice(1)))")
            assert sorted(links) == expected, (name, chart, found["datum"])
            assert expected, chart
    assert seen == set(LISTS) | OTHERS


def test_a_month_of_retention_leads_to_its_movements(site: Path, tab: Tab) -> None:
    page = opened(tab, site, "dashboard", "?owner=Ben+Owner")
    found = page.evaluate(CLICKED, ["retention_trend", ["at", "kind"]])
    page.mouse.click(found["x"], found["y"])
    page.wait_for_url("**/revenue.html?*")
    page.wait_for_selector("html[data-filtered]", state="attached")
    assert f"month={found['datum'][0][:7]}" in page.url or found["datum"][0] == str(months(MONTHS)[-1])
    assert page.locator("#filter-owner").input_value() == OWNER


def test_the_marks_of_a_chart_are_reached_by_keyboard(site: Path, tab: Tab, sql: Sql) -> None:
    from axe_playwright_python.sync_playwright import Axe

    def chosen(page: Any, chart: str, words: str) -> Any:
        page.locator(f"#panel-{chart} .mark-list summary").focus()
        page.keyboard.press("Enter")
        button = page.locator(f"#panel-{chart} .mark-list button", has_text=words).first
        button.wait_for()
        while not button.evaluate("e => e === document.activeElement"):
            page.keyboard.press("Tab")
            assert page.evaluate("document.activeElement.matches('.mark-list button')"), f"Tab does not reach {words}"
        page.keyboard.press("Enter")
        return button

    page = opened(tab, site, "health")
    lists = page.evaluate(
        "report.charts.map(chart => [chart.id, !!document.querySelector(`#panel-${chart.id} .mark-list`)])"
    )
    assert [chart for chart, has in lists if not has] == []
    tiers = {mark.label: mark.name for mark in tier_marks(OF)}
    button = chosen(page, "health_by_segment", "Segment: SMB")
    segment, tier = json.loads(button.get_attribute("data-key"))
    page.wait_for_selector("#panel-health_by_segment .listed a")
    assert page.evaluate("document.activeElement.matches('.listed .scroll')")
    assert Axe().run(page).response["violations"] == []
    links = page.locator(".listed a").evaluate_all("all => all.map(a => decodeURIComponent(a.hash.slice(1)))")
    found = sql(LISTS["health_by_segment"][1], segment, tiers[tier])
    assert sorted(links) == sorted(account for (account,) in found) != []
    page.keyboard.press("Escape")
    assert page.locator(".listed").count() == 0
    assert button.evaluate("e => e === document.activeElement && getComputedStyle(e).outlineStyle") == "solid"
    page.keyboard.press("Escape")
    assert page.evaluate("document.activeElement.matches('#panel-health_by_segment .mark-list:not([open]) summary')")

    churned, shown = months(MONTHS)[10], "#movers tbody tr:visible th a"
    page = opened(tab, site, "revenue", f"?month={churned:%Y-%m}")
    page.evaluate("document.querySelector('#panel-mrr_movements .mark-list').open = true")
    keys = page.locator("#panel-mrr_movements .mark-list button").evaluate_all(
        "all => all.map(e => JSON.parse(e.dataset.key))"
    )
    assert keys[0][0] == str(months(MONTHS)[-1])
    assert [month for month, _ in keys] == sorted((month for month, _ in keys), reverse=True)
    chosen(page, "waterfall", "Churned")
    page.wait_for_selector("html[data-filtered*='churn']", state="attached")
    assert page.locator(shown).all_text_contents() == moved(sql, churned, "churn") != []
    assert page.evaluate("document.activeElement.matches('#movers .scroll')")
    page.keyboard.press("Escape")
    assert page.evaluate("JSON.parse(document.activeElement.dataset.key)[1]") == "churn"
