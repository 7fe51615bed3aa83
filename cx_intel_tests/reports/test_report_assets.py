"""The dashboard as an asset: what it leaves on disk and in the UI, and that an earlier day leaves the pages alone."""

from datetime import date, timedelta
from pathlib import Path

import dagster as dg
import pytest

from cx_intel.orchestration.assets.reports import report_assets
from cx_intel.reports.made_from import RECORD
from cx_intel.reports.pages.frame.days import DAYS
from cx_intel.reports.pages.frame.index import ENTRY
from cx_intel.reports.pages.frame.publishing import PAGES
from cx_intel.settings.environment import Environment
from cx_intel.warehouse.io_manager import WarehouseIOManager
from cx_intel.warehouse.resource import WarehouseResource
from cx_intel_tests.helpers.builders import AS_OF, shipped
from cx_intel_tests.helpers.report_books import NAMES, book_tables
from cx_intel_tests.helpers.report_tables import fill

pytestmark = pytest.mark.slow

FLEET = shipped("fleet")


@pytest.fixture
def environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Environment:
    (tmp_path / ".charts.js").write_text("/* charts */", encoding="utf-8")
    monkeypatch.setattr(
        "cx_intel.reports.pages.frame.publishing.chart_library", lambda kept_in: tmp_path / ".charts.js"
    )
    found = Environment(home=tmp_path, portfolios=tmp_path, lock_wait_seconds=1)
    fill(found.warehouse, FLEET, book_tables(FLEET, list(NAMES)))
    return found


def refresh(environment: Environment, day: date) -> dg.ExecuteInProcessResult:
    database = str(environment.warehouse)
    return dg.materialize(
        report_assets(FLEET, environment),
        partition_key=day.isoformat(),
        resources={
            "warehouse": WarehouseResource(database=database),
            "io_manager": WarehouseIOManager(database=database),
        },
    )


def metadata(result: dg.ExecuteInProcessResult) -> dict[str, dg.MetadataValue]:  # type: ignore[type-arg]
    (event,) = result.get_asset_materialization_events()
    return dict(event.step_materialization_data.materialization.metadata)


def test_it_shows_its_picture_links_and_figures_to_plot(environment: Environment) -> None:
    shown = metadata(refresh(environment, AS_OF))
    assert shown["arr"].value == 14_400.0
    assert shown["exposed_arr"].value == 4_800.0
    assert shown["priority_accounts"].value == 4.0
    assert shown["nrr"].value == pytest.approx(98.65)
    assert str(shown["picture"].value).startswith("![dashboard](data:image/png;base64,")
    folder = environment.reports("fleet")
    pages = {f"http://127.0.0.1:3030/reports/fleet/{key}.html" for key in PAGES}
    assert {shown[f"page_{key}"].value for key in PAGES} == pages
    expected = sorted([RECORD, ENTRY, DAYS, "dashboard.png", *(f"{key}.html" for key in PAGES)])
    assert sorted(p.name for p in folder.iterdir()) == expected


def test_a_run_for_an_earlier_day_leaves_the_pages_as_they_are(environment: Environment) -> None:
    refresh(environment, AS_OF)
    page = environment.reports("fleet") / "dashboard.html"
    before = page.read_bytes()
    shown = metadata(refresh(environment, AS_OF - timedelta(days=7)))
    assert shown["kept_as_of"].value == AS_OF.isoformat()
    assert page.read_bytes() == before


def test_it_depends_on_the_tables_that_it_reads_and_on_no_other() -> None:
    (asset,) = report_assets(FLEET, Environment())
    names = {key.path[-1] for key in asset.dependency_keys}
    assert {"customer_health_scores", "renewal_pipeline", "nrr_summary", "segment_health_summary"} <= names
    assert "churn_risk_view" not in names
    assert not any(name.startswith(("raw_", "stg_")) for name in names)
