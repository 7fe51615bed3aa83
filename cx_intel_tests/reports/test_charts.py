"""The charts as Vega-Lite: every specification is valid, names its rows and holds none, and serves pages and picture."""

import json
import re
from collections.abc import Iterator
from typing import Any

import altair as alt
import pytest
import vl_convert

from cx_intel.reports.charts.account import account_specs
from cx_intel.reports.charts.drawing.figure import CONTAINER, Spec
from cx_intel.reports.charts.drawing.picture import PER_ROW, dashboard_svg, panel_spec, picture_figures
from cx_intel.reports.charts.revenue import month_axis, retention_trend
from cx_intel.reports.data.report_data import ReportData
from cx_intel.reports.pages.dashboard import dashboard
from cx_intel.reports.pages.frame.layout import VEGA_LITE, render
from cx_intel.reports.pages.frame.publishing import MENU, PAGES
from cx_intel_tests.helpers.builders import portfolio, shipped
from cx_intel_tests.helpers.report_books import NAMES, book_of

pytestmark = pytest.mark.slow

BOOKS = {
    "fleet": (shipped("fleet"), NAMES),
    "novacrm": (shipped("novacrm"), NAMES),
    "nobody": (shipped("fleet"), ()),
    "without health": (portfolio(), NAMES),
}


@pytest.fixture(scope="module", params=BOOKS)
def book(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> ReportData:
    of, names = BOOKS[request.param]
    return book_of(tmp_path_factory.mktemp("books") / "warehouse.duckdb", of, names)


def specs_of(book: ReportData) -> Iterator[tuple[str, Spec]]:
    """Every chart of every page, for the page and for a picture, and those of an opened account."""
    for key, (_, make) in PAGES.items():
        for figure in (f for section in make(book).sections for f in section.figures):
            yield f"{key}: {figure.key}", figure.build(CONTAINER)
            yield f"{key}: {figure.key}, in a picture", figure.build(300)
    for key, spec in account_specs(book).items():
        yield f"an account: {key}", spec


def refused(spec: Spec) -> str:
    """What Vega-Lite's schema has against a specification; Altair brings it along."""
    try:
        alt.TopLevelSpec.validate(spec)
    except Exception as error:
        return str(error).splitlines()[0]
    return ""


def test_every_chart_is_valid_vega_lite(book: ReportData) -> None:
    found = dict(specs_of(book))
    found |= {f"the picture: {f.key}": panel_spec(f) for f in picture_figures(book) if not f.is_empty}
    assert len(found) > (40 if book.portfolio.health and len(book.accounts) else 15)
    assert {name: why for name, spec in found.items() if (why := refused(spec))} == {}


def test_charts_name_their_rows_and_hold_none(book: ReportData) -> None:
    for name, spec in specs_of(book):
        assert "Alpha GmbH" not in json.dumps(spec), name
        assert "datasets" not in spec, name


@pytest.mark.parametrize(
    "spoilt",
    [
        {"mark": {"type": "bars"}},
        {"mark": {"type": "bar", "colour": "red"}},
        {"encoding": {"x": {"field": "a", "type": "number"}}},
        {"encoding": {"x": {"field": "a", "type": "nominal", "axes": None}}},
        {"transform": [{"calculate": "1"}]},
        {"width": "wide"},
    ],
    ids=json.dumps,
)
def test_a_misspelt_chart_is_refused(spoilt: dict[str, Any]) -> None:
    right = {"data": {"name": "rows"}, "mark": {"type": "bar"}, "encoding": {"x": {"field": "a", "type": "nominal"}}}
    assert not refused(right)
    assert refused(right | spoilt)


def test_charts_are_checked_against_the_version_that_draws_them() -> None:
    assert alt.SCHEMA_VERSION.startswith(f"v{VEGA_LITE}.")
    assert VEGA_LITE in vl_convert.get_vegalite_versions()


def test_only_pages_say_that_a_click_opens_an_account(book: ReportData) -> None:
    figures = [figure for section in dashboard(book).sections for figure in section.figures]
    page = render(dashboard(book), book, MENU, "")
    clickable = [figure.title for figure in figures if figure.opens_accounts and not figure.is_empty]
    assert page.count(book.language.say("a click opens the account")) == len(clickable)
    picture = dashboard_svg(book, dashboard(book).answer)
    assert "click" not in picture
    assert "Klick" not in picture


def test_the_newest_month_has_a_label_and_the_labels_are_evenly_apart() -> None:
    rows = [{"at": f"2025-{month:02}-01", "month": f"{month}"} for month in range(1, 11)]
    assert month_axis(rows, most=4)["values"] == ["2025-01-01", "2025-04-01", "2025-07-01", "2025-10-01"]
    assert month_axis(rows[:2], most=4)["values"] == ["2025-01-01", "2025-02-01"]
    assert month_axis([], most=4)["values"] == []


def test_labels_of_equal_rates_stand_above_and_below_their_point(book: ReportData) -> None:
    trend = retention_trend(book)
    labels = [layer["mark"] for layer in trend.build("container")["layer"] if layer["mark"]["type"] == "text"]
    assert [label["dy"] for label in labels] == [-9, 10]


def test_the_picture_has_the_headline_and_panels_that_stand_level(book: ReportData) -> None:
    picture = dashboard_svg(book, ["One sentence."])
    assert "One sentence." in picture
    heights = {float(y) for y in re.findall(r'<svg x="[0-9]+" y="([0-9]+)"', picture)}
    assert len(heights) <= -(-len(picture_figures(book)) // PER_ROW)
