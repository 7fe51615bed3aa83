"""The pages in a real browser: they open without errors and requests, filter, sort, open accounts, and nothing escapes."""

import csv
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from openpyxl import load_workbook

from cx_intel.reports.brief.weekly_brief import weekly_brief, write_brief
from cx_intel.reports.pages.frame.publishing import PAGES, publish
from cx_intel_tests.helpers.browsing import DESKTOP, NEEDS_CHROMIUM, PHONE, Tab
from cx_intel_tests.helpers.builders import shipped
from cx_intel_tests.helpers.report_books import NAMES, book_of
from cx_intel_tests.helpers.report_rows import SCRIPT

pytestmark = [
    pytest.mark.slow,  # a browser, and the pages of two portfolios with all charts
    NEEDS_CHROMIUM,
]
PORTFOLIOS = ("fleet", "novacrm")


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("site")
    for name in PORTFOLIOS:
        data = book_of(root / "warehouse.duckdb", shipped(name))
        publish(data, root / name)
        write_brief(weekly_brief(data), data.portfolio, root / name)
    return root


@pytest.mark.parametrize(
    ("tab", "portfolio"),
    [({"viewport": DESKTOP}, "fleet"), ({"viewport": PHONE, "color_scheme": "dark"}, "novacrm")],
    indirect=["tab"],
    ids=["desktop, light", "phone, dark"],
)
def test_every_page_opens_without_errors_and_fits_the_screen(
    site: Path, tab: Tab, portfolio: str, tmp_path: Path
) -> None:
    for key in PAGES:
        page = tab.open(site / portfolio / f"{key}.html")
        assert page.locator("h1").count() == 1
        assert page.locator("main").count() == page.locator("header").count() == page.locator("footer").count() == 1
        assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth + 1"), f"{key} is too wide"
        picture = tmp_path / f"{key}.png"
        page.screenshot(path=picture, full_page=True)
        assert picture.stat().st_size > 10_000


@pytest.mark.parametrize("tab", [{"viewport": DESKTOP}, {"viewport": PHONE}], indirect=True, ids=["desktop", "phone"])
def test_axe_finds_nothing(site: Path, tab: Tab) -> None:
    from axe_playwright_python.sync_playwright import Axe

    page = tab.page
    for file in [
        site / "index.html",
        *(site / name / f"{key}.html" for name in PORTFOLIOS for key in (*PAGES, "brief")),
    ]:
        page.goto(file.as_uri())
        if file.stem in PAGES:
            page.wait_for_selector("html[data-ready=yes]", state="attached")
        found = Axe().run(page)
        assert found.response["violations"] == [], f"{file.parent.name}/{file.name}\n{found.generate_report()}"


def test_charts_are_drawn_and_described(site: Path, tab: Tab) -> None:
    page = tab.open(site / "fleet" / "dashboard.html")
    charts = page.locator(".chart[role=img]")
    assert charts.count() == 5
    assert page.locator(".chart svg.marks").count() == 5
    assert all(len(label) > 30 for label in charts.evaluate_all("all => all.map(e => e.getAttribute('aria-label'))"))


def test_a_hostile_name_is_shown_as_text(site: Path, tab: Tab) -> None:
    page = tab.open(site / "fleet" / "accounts.html")
    shown = page.locator("#accounts tbody th a").all_text_contents()
    assert {name.replace("\u2028", " ") for name in NAMES} == set(shown)
    page.locator("#accounts tbody a", has_text=SCRIPT).click()
    page.wait_for_selector("#account[data-shown=c0]")
    assert page.locator("#account-name").text_content() == SCRIPT
    assert page.evaluate("document.querySelectorAll('img').length") == 0


def test_dark_mode_follows_the_system(site: Path, browser: Any) -> None:
    colours = {}
    for scheme in ("light", "dark"):
        context = browser.new_context(color_scheme=scheme)
        page = context.new_page()
        page.goto((site / "fleet" / "quality.html").as_uri())
        colours[scheme] = page.evaluate("getComputedStyle(document.body).backgroundColor")
        context.close()
    assert colours["light"] == "rgb(246, 247, 249)"
    assert colours["dark"] == "rgb(18, 20, 23)"


def test_filters_change_figures_charts_and_list(site: Path, tab: Tab) -> None:
    page = tab.open(site / "fleet" / "dashboard.html")
    assert page.locator("#kpi-arr .value").text_content() == "14,4\u00a0Tsd.\u00a0€"
    before = page.locator("#chart-tiers svg").inner_html()
    page.select_option("#filter-segment", "Kleinkunden")
    page.wait_for_selector('html[data-filtered=\'{"segment":"Kleinkunden"}\']', state="attached")
    assert page.locator("#kpi-customers .value").text_content() == "4"
    assert page.locator("#kpi-arr .value").text_content() == "4.800\u00a0€"
    assert page.locator("#kpi-nrr .value").text_content() == "100,0\u00a0%"
    assert "Von 4.800\u00a0€ ARR, die in 90 Tagen fällig sind" in page.locator("#selected").text_content()
    assert page.locator("#chart-tiers svg").inner_html() != before
    assert page.locator("#calls tbody tr:visible").count() == 4
    page.select_option("#filter-owner", "Ben Owner")
    page.wait_for_selector("html[data-filtered*=Ben]", state="attached")
    assert page.locator("#calls tbody tr:visible").count() == 2
    page.click("nav a[href^='renewals.html']")
    page.wait_for_selector("html[data-filtered*=Ben]", state="attached")
    assert page.locator("#filter-owner").input_value() == "Ben Owner"
    assert page.locator("#calls tbody tr[data-cell]:visible").count() == 2
    assert page.locator("#panel-outlook .whole").count() == 0
    assert page.locator("#scenarios tbody tr:visible").count() == 4  # without the three that are simulated
    assert page.locator(".note .whole:visible").first.text_content() == "vom ganzen Unternehmen"
    page.click("nav a[href^='dashboard.html']")
    page.wait_for_selector("html[data-filtered*=Ben]", state="attached")
    page.click("#filters button[type=reset]")
    page.wait_for_selector("html[data-filtered='{}']", state="attached")
    assert page.locator("#kpi-customers .value").text_content() == "12"


def test_a_selection_without_rows_says_so(site: Path, tab: Tab) -> None:
    page = tab.open(site / "fleet" / "dashboard.html")
    page.select_option("#filter-segment", "Kleinkunden")
    page.select_option("#filter-country", "CH")
    page.wait_for_selector("html[data-filtered*=CH]", state="attached")
    assert page.locator("#panel-tiers [data-empty]").is_visible()
    assert page.locator("#calls [data-note]").text_content() == "Niemand in dieser Auswahl."


def test_accounts_are_searched_and_sorted_by_keyboard(site: Path, tab: Tab) -> None:
    page = tab.open(site / "fleet" / "accounts.html")
    page.focus("#search")
    page.keyboard.type("gmbh")
    page.wait_for_function("document.querySelectorAll('#accounts tbody tr').length === 2")
    assert page.locator("#count").text_content() == "(2 von 12)"
    for _ in range(3):
        page.keyboard.press("Backspace")
    page.keyboard.press("Backspace")
    page.wait_for_function("document.querySelectorAll('#accounts tbody tr').length === 12")
    page.focus("th[data-name=name] button")
    page.keyboard.press("Enter")
    assert page.locator("th[data-name=name]").get_attribute("aria-sort") == "ascending"
    assert page.locator("th[data-name=arr]").get_attribute("aria-sort") == "none"
    first = page.locator("#accounts tbody th").all_text_contents()
    page.keyboard.press("Enter")
    assert page.locator("th[data-name=name]").get_attribute("aria-sort") == "descending"
    assert page.locator("#accounts tbody th").all_text_contents() == first[::-1]


def test_two_days_are_compared_in_german(site: Path, tab: Tab) -> None:
    page = tab.open(site / "fleet" / "accounts.html", "?list.from=2025-01-24")
    page.wait_for_function("document.querySelector('#compared').textContent.includes('12 fielen um so viel')")
    told = page.locator("#compared").text_content()
    assert told.startswith("Vom 24.01.2025 bis zum 31.01.2025: 0 stiegen um einen Punkt oder mehr,")
    assert page.locator("th[data-name=tier_then]").text_content() == "Stufe am 24.01.2025"


def test_an_account_opens_and_closes_by_keyboard(site: Path, tab: Tab) -> None:
    page = tab.open(site / "fleet" / "accounts.html")
    page.locator("#accounts tbody a", has_text="Gamma KG").focus()
    page.keyboard.press("Enter")
    page.wait_for_selector("#account[data-shown=c9]")
    text = page.locator("#account-body").inner_text()
    for part in (
        "Verlängerung und Playbook",
        "Was den Score ausmacht",
        "Was sich bewegt hat",
        "Score im Zeitverlauf",
        "MRR",
    ):
        assert part in text
    assert "Executive call" in text
    assert "1.234,5\u00a0% (Richtwert\u00a080\u00a0%)" in page.locator("#account-body").text_content()
    assert page.locator("#account svg.marks").count() == 3
    page.keyboard.press("Escape")
    assert not page.locator("#account").is_visible()
    assert page.evaluate("document.activeElement.textContent") == "Gamma KG"


def test_a_link_from_another_page_opens_the_account(site: Path, tab: Tab) -> None:
    page = tab.open(site / "novacrm" / "health.html")
    page.locator("a", has_text="Alpha GmbH").first.click()
    page.wait_for_selector("#account[data-shown=c7]")
    assert page.locator("#account-name").text_content() == "Alpha GmbH"


def test_a_table_is_sorted_by_its_values(site: Path, tab: Tab) -> None:
    page = tab.open(site / "novacrm" / "renewals.html")
    heading = page.locator("#upcoming th", has_text="Expected loss")
    heading.locator("button").press("Enter")
    assert heading.get_attribute("aria-sort") == "ascending"
    place = heading.evaluate("cell => cell.cellIndex") + 1
    column = page.locator(f"#upcoming tbody tr:visible > :nth-child({place})").all_text_contents()
    assert column == ["$96"] * 8 + ["$840"] * 2


def test_tables_have_captions_scopes_and_names_beside_colours(site: Path, tab: Tab) -> None:
    page = tab.open(site / "novacrm" / "renewals.html")
    assert page.locator("table:not(:has(caption))").count() == 0
    assert page.locator("thead th:not([scope=col])").count() == 0
    assert page.locator("#calls tbody th[scope=row]").count() == 4
    assert page.locator("#calls .mark").first.text_content() == "▼Critical"
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"


@pytest.mark.parametrize("tab", [{"viewport": PHONE}], indirect=True)
def test_on_a_phone_a_row_is_a_card_that_begins_with_what_matters(site: Path, tab: Tab) -> None:
    page = tab.open(site / "fleet" / "dashboard.html")
    row = page.locator("#calls tbody tr").first
    shown = [cell for cell in row.locator("th, td").all() if cell.is_visible()]
    by_height = sorted(shown, key=lambda cell: cell.bounding_box()["y"])
    assert [cell.get_attribute("data-label") for cell in by_height] == [
        None,
        "Warum",
        "Was zu tun ist",
        "Bis",
        "Erwarteter Verlust",
    ]
    button = row.locator(".unfold")
    button.click()
    assert button.get_attribute("aria-expanded") == "true"
    assert row.locator("[data-label=ARR]").is_visible()
    page = tab.open(site / "fleet" / "accounts.html")
    page.select_option(".sorting select", label="Segment")
    assert page.locator("#accounts th[aria-sort=ascending]").text_content() == "Segment"


@pytest.mark.parametrize("tab", [{"viewport": PHONE}], indirect=True)
def test_on_a_phone_no_table_scrolls_sideways(site: Path, tab: Tab) -> None:
    wide = "[...document.querySelectorAll('.scroll')].filter((e) => e.scrollWidth > e.clientWidth + 1).length"
    for name in PAGES:
        page = tab.open(site / "fleet" / f"{name}.html")
        page.evaluate("document.querySelectorAll('details').forEach((e) => { e.open = true; })")
        assert page.evaluate(wide) == 0, name
    tab.open(site / "fleet" / "accounts.html")
    tab.page.click("#accounts tbody a >> nth=0")
    tab.page.wait_for_selector("#account[data-shown]")
    assert tab.page.evaluate(wide) == 0


def test_tables_and_charts_are_saved_as_files(site: Path, tab: Tab) -> None:
    page = tab.open(site / "novacrm" / "dashboard.html")
    rows = page.locator("#calls tbody tr").count()

    def saved(selector: str) -> Path:
        with page.expect_download() as download:
            page.click(selector)
        return Path(download.value.path())

    with saved("#calls button:text-is('CSV')").open(encoding="utf-8-sig", newline="") as file:
        lines = list(csv.DictReader(file))
    assert len(lines) == rows
    assert float(lines[0]["Expected loss"]) > 0
    sheet = load_workbook(BytesIO(saved("#calls button:text-is('XLSX')").read_bytes())).active
    assert sheet.max_row == rows + 1
    assert [sheet.cell(2, 1).value, sheet.cell(2, 2).value] == [1, lines[0]["Account"]]
    assert saved("#panel-tiers button:text-is('PNG')").read_bytes().startswith(b"\x89PNG")
    assert not tab.errors
