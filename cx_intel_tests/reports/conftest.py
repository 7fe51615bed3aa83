"""What tests of reports share: a brief of given tables, and pages in a browser."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from cx_intel.reports.brief.weekly_brief import Brief, weekly_brief
from cx_intel.reports.data.reading import read_report_data
from cx_intel.settings.portfolio import Portfolio
from cx_intel.warehouse.duckdb.access.opening import close_warehouse, open_warehouse
from cx_intel.warehouse.duckdb.warehouse import DuckDBWarehouse
from cx_intel_tests.helpers.browsing import DESKTOP, Tab, launched
from cx_intel_tests.helpers.builders import AS_OF, shipped
from cx_intel_tests.helpers.report_books import MADE_AT
from cx_intel_tests.helpers.report_briefs import Make, Tables, results_of_checks
from cx_intel_tests.helpers.report_tables import fill


@pytest.fixture
def brief(tmp_path: Path) -> Make:
    """Makes the brief of a portfolio with these tables, and with results of checks: name to whether it blocks."""

    def make(tables: Tables, of: Portfolio | None = None, broken: Mapping[str, bool] | None = None) -> Brief:
        of = of or shipped("novacrm")
        path = fill(tmp_path / "warehouse.duckdb", of, tables)
        warehouse = DuckDBWarehouse(open_warehouse(path), of.name)
        try:
            if broken is not None:
                warehouse.record_checks(results_of_checks(broken))
            return weekly_brief(read_report_data(warehouse, of, AS_OF, MADE_AT))
        finally:
            close_warehouse(path)

    return make


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    yield from launched()


@pytest.fixture
def tab(browser: Any, request: pytest.FixtureRequest) -> Iterator[Tab]:
    options = {"viewport": DESKTOP} | getattr(request, "param", {})
    context = browser.new_context(**options)
    page = context.new_page()
    found = Tab(page)
    page.on("console", lambda m: found.errors.append(m.text) if m.type in ("error", "warning") else None)
    page.on("pageerror", lambda e: found.errors.append(str(e)))
    page.on("request", lambda r: found.requests.append(r.url))
    page.on("dialog", lambda d: (found.dialogs.append(d.message), d.dismiss()))
    yield found
    context.close()
    assert found.errors == []
    assert found.dialogs == []
    assert [url for url in found.requests if not url.startswith(("file://", "data:", "blob:", "about:"))] == []
