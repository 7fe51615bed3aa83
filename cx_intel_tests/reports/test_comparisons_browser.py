"""What a reader compares: two days by account, two months by account, and an account's ledger, each as SQL says."""

from pathlib import Path

import pytest

from cx_intel.reports.data.terms import MOVED as MOVED_IN
from cx_intel_tests.helpers.browsing import DESKTOP, NEEDS_CHROMIUM, PHONE, Tab
from cx_intel_tests.helpers.builders import AS_OF
from cx_intel_tests.helpers.filtered_site import OWNER, Sql, build, connected, moved, opened, plainly, rows
from cx_intel_tests.helpers.report_rows import MONTHS, months

pytestmark = [
    pytest.mark.slow,  # a browser, and pages with all charts
    NEEDS_CHROMIUM,
]
COMPARED = "document.querySelector('#accounts th[data-name=tier_then]')"
LISTED = "[...document.querySelectorAll('#accounts tbody tr')].map(row => [...row.cells].map(cell => cell.textContent))"


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build(tmp_path_factory.mktemp("site"), "accounts", "revenue")


@pytest.fixture(scope="module")
def sql(site: Path) -> Sql:
    return connected(site)


def test_scores_of_two_days_columns_and_views_stand_in_the_address(site: Path, tab: Tab, sql: Sql) -> None:
    page = opened(tab, site, "accounts", "?owner=Ben+Owner")
    assert page.locator("#find select[name=from] option").count() == 2  # a week before, and the one other day
    page.select_option("#find select[name=from]", index=1)
    page.wait_for_function(COMPARED)
    scores = sql(
        "SELECT now.account_name, now.health_score - past.health_score FROM customer_health_scores now "
        "JOIN customer_health_scores past USING (account_id) JOIN (SELECT account_id, owner AS csm FROM dim_account) "
        "USING (account_id) WHERE now.as_of = ? AND past.as_of < now.as_of AND csm = ? ORDER BY 1",
        AS_OF,
        OWNER,
    )
    assert {change for _, change in scores} == {-5}
    told = page.locator("#compared").text_content()
    assert f"0 rose by a point or more, {len(scores)} fell by that, 0 came to another tier" in told
    change = page.evaluate(
        "[...document.querySelectorAll('#accounts th')].findIndex(th => th.dataset.name === 'change')"
    )
    assert sorted((row[0], row[change]) for row in page.evaluate(LISTED)) == [(name, "−5.0") for name, _ in scores]

    page.click("details.columns > summary")
    page.uncheck("#columns input[value=country]")
    page.check("#columns input[value=more_renewal_date]")
    page.fill("#search", "1")
    page.wait_for_function("location.search.includes('list.find=1')")
    seen = page.evaluate(LISTED)
    assert len(seen) == len([name for name, _ in scores if "1" in name]) > 0
    page.click("text=Save as a view")
    page.keyboard.type("Fallen")
    page.keyboard.press("Enter")
    url = page.url
    assert page.locator(".views select").input_value() == "Fallen"
    for again in ("?", url.partition("accounts.html")[2]):
        page = opened(tab, site, "accounts", again)
        if again == "?":
            assert page.locator("th[data-name=more_renewal_date]").count() == 0
            page.select_option(".views select", "Fallen")
        page.wait_for_function(COMPARED)
        page.wait_for_function("document.querySelectorAll('#accounts tbody tr').length < 6")
        assert page.evaluate(LISTED) == seen
        assert page.url == url
    page.click("text=Remove the view")
    assert page.locator(".views select").is_hidden()


def test_an_account_tells_each_movement_of_its_mrr(site: Path, tab: Tab, sql: Sql) -> None:
    page = opened(tab, site, "accounts", "#c3")
    page.wait_for_selector("#account[data-shown=c3]")
    found = page.evaluate(
        "[...document.querySelectorAll('#account caption')].find(e => e.textContent.startsWith('What moved its MRR'))"
        ".closest('table').querySelectorAll('tbody tr').values().map(row => [...row.cells].map(c => c.textContent)).toArray()"
    )
    expected = sql(
        "SELECT strftime(revenue_month, '%b %Y'), revenue_movement, mrr - coalesce(previous_mrr, 0), previous_mrr, mrr "
        "FROM fct_revenue WHERE account_id = 'c3' AND revenue_movement <> 'flat' ORDER BY revenue_month DESC"
    )
    signs = {True: "+", False: "−"}
    assert found == [
        [month, MOVED_IN[movement], f"{signs[change > 0]}${abs(change):.2f}", f"${before:.2f}", f"${now:.2f}"]
        for month, movement, change, before, now in expected
    ]
    assert "Churned" in [row[1] for row in found]


@pytest.mark.parametrize("tab", [{"viewport": DESKTOP}, {"viewport": PHONE}], indirect=True, ids=["desktop", "phone"])
def test_any_two_months_are_compared_by_account(site: Path, tab: Tab, sql: Sql) -> None:
    first, last = months(MONTHS)[-9], months(MONTHS)[-2]
    page = opened(tab, site, "revenue", f"?month={last:%Y-%m}")
    page.select_option("#since", str(first))
    page.wait_for_selector(f"html[data-filtered*='{first:%Y-%m}']", state="attached")
    assert page.url.endswith(f"revenue.html?month={last:%Y-%m}&since={first:%Y-%m}")
    expected = sql(
        "SELECT account_name, coalesce(past, 0), coalesce(later, 0) FROM dim_account JOIN (SELECT account_id, "
        "max(mrr) FILTER (revenue_month = ?) AS past, max(mrr) FILTER (revenue_month = ?) AS later, "
        "count(*) FILTER (revenue_movement <> 'flat' AND revenue_month > ? AND revenue_month <= ?) AS moves "
        "FROM fct_revenue GROUP BY 1) USING (account_id) WHERE moves > 0 ORDER BY 1",
        *(first, last, first, last),
    )
    listed = [[row[0], row[3], row[4]] for row in rows(page, "movers")]
    assert sorted(listed) == plainly(expected) != []
    ((start, end),) = sql(
        "SELECT sum(mrr) FILTER (revenue_month = ?), sum(mrr) FILTER (revenue_month = ?) FROM fct_revenue", first, last
    )
    steps = page.evaluate(
        "report.charts.find(chart => chart.id === 'waterfall').current.map(row => [row.figure, row.amount])"
    )
    assert (steps[0], steps[-1]) == (["starting_mrr", start], ["ending_mrr", end])
    assert sum(amount for _, amount in steps[:-1]) == end
    told = page.locator("#selected").text_content()
    assert f"MRR went from ${start:,.0f} at the end of {first:%b %Y} to ${end:,.0f} at the end of {last:%b %Y}" in told
    segments = rows(page, "by-segment")
    assert sum(row[1] for row in segments) == start
    assert sum(row[7] for row in segments) == end
    assert {row[8] for row in segments} == {"–"}  # no NRR: the movements are of more than one month
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth + 1")
    page = opened(tab, site, "revenue", page.url.partition("revenue.html")[2])
    assert [[row[0], row[3], row[4]] for row in rows(page, "movers")] == listed
    page.select_option("#since", index=0)
    page.wait_for_selector("html[data-filtered*='month']:not([data-filtered*='since'])", state="attached")
    assert page.locator("#movers tbody th a").all_text_contents() == moved(sql, last)
