"""The assets of exports and brief: made for the newest day, left alone by a run for an earlier one, shown in the UI."""

from datetime import date, timedelta
from pathlib import Path

import dagster as dg
import pytest

from cx_intel.orchestration.assets.exports import export_assets
from cx_intel.settings.environment import Environment
from cx_intel.settings.portfolio import Portfolio
from cx_intel.warehouse.resource import WarehouseResource
from cx_intel_tests.helpers.builders import AS_OF, shipped
from cx_intel_tests.helpers.report_tables import accounts_of, due, fill, listed, outlook, with_reports

EARLIER = AS_OF - timedelta(days=1)


@pytest.fixture
def book() -> Portfolio:
    return with_reports(shipped("novacrm"), export_tables=["account_snapshot", "renewal_pipeline", "dim_account"])


@pytest.fixture
def home(tmp_path: Path, book: Portfolio) -> Path:
    same = {"recommended_playbook": "CSM save plan", "health_tier": "at_risk"}
    names = ["Ada", "=1+1"]
    tables = {
        "account_snapshot": accounts_of(names),
        "renewal_pipeline": due(names, **same),
        "cs_intervention_list": listed(names, **same),
        "nrr_outlook": outlook(expected_no_action=97.0),
        "nrr_summary": [],  # kept whole: it tells the day that the portfolio stands at
    }
    fill(tmp_path / "warehouse.duckdb", book, tables)
    return tmp_path


def _run(book: Portfolio, home: Path, day: date) -> dict[str, dict[str, dg.MetadataValue]]:
    """Materializes both assets for a day; asset: its metadata."""
    assets = export_assets(book, Environment(home=home, reports_url="https://cx.example/"))
    resources = {
        "warehouse": WarehouseResource(database=str(home / "warehouse.duckdb"), wait_seconds=1),
        "io_manager": dg.mem_io_manager,
    }
    with dg.DagsterInstance.ephemeral() as instance:
        result = dg.materialize(assets, partition_key=day.isoformat(), resources=resources, instance=instance)
        assert result.success
        return {
            event.asset_key.path[-1]: dict(event.materialization.metadata)
            for event in result.get_asset_materialization_events()
            if event.asset_key
        }


def test_a_run_writes_the_files_and_says_what_they_are(book: Portfolio, home: Path):
    told = _run(book, home, AS_OF)
    exports, brief = told["exports"], told["weekly_brief"]
    assert {path.name for path in (home / "exports" / "novacrm" / "_latest").iterdir()} == {
        "account_snapshot.csv",
        "account_snapshot.parquet",
        "renewal_pipeline.csv",
        "renewal_pipeline.parquet",
        "novacrm_cs_review.xlsx",
        "manifest.json",
    }
    assert (exports["files"].value, exports["rows"].value) == (5, 4)
    assert "| account_snapshot | 2 |" in str(exports["contents"].value)
    assert exports["missing"].value == "dim_account"
    assert exports["folder"].value == str(home / "exports" / "novacrm" / AS_OF.isoformat())
    assert exports["link"].value == f"https://cx.example/exports/novacrm/{AS_OF}/"
    assert str(brief["headline"].value).startswith("2 calls this week are about")
    assert str(brief["brief"].value) == (home / "reports" / "novacrm" / "brief.md").read_text(encoding="utf-8")
    assert brief["link"].value == "https://cx.example/reports/novacrm/brief.html"


@pytest.mark.slow
def test_a_run_for_an_earlier_day_leaves_the_files_alone_and_says_so(book: Portfolio, home: Path):
    _run(book, home, AS_OF)
    before = {path: path.stat().st_mtime_ns for path in home.rglob("*") if path.is_file()}
    told = _run(book, home, EARLIER)
    assert {name: metadata["kept_as_of"].value for name, metadata in told.items()} == {
        "exports": AS_OF.isoformat(),
        "weekly_brief": AS_OF.isoformat(),
    }
    files = {
        path: path.stat().st_mtime_ns for path in home.rglob("*") if path.is_file() and "warehouse" not in path.name
    }
    assert files == {path: at for path, at in before.items() if "warehouse" not in path.name}


def test_the_assets_are_of_the_reports_group_partitioned_by_day_and_depend_on_what_they_read(
    book: Portfolio, tmp_path: Path
):
    exports, brief = export_assets(book, Environment(home=tmp_path))
    for asset in (exports, brief):
        assert asset.specs_by_key[asset.key].group_name == "novacrm_reports"
        assert asset.partitions_def is not None
        assert asset.backfill_policy == dg.BackfillPolicy.single_run()
    read = {key.path[-1] for key in brief.asset_deps[brief.key]}
    assert {"lifecycle_events", "health_score_changes", "quarantine", "cs_intervention_list", "dim_account"} <= read
    assert {key.path[-1] for key in exports.asset_deps[exports.key]} == read  # the exported tables are among them


def test_without_any_form_of_export_there_is_no_such_asset(book: Portfolio, tmp_path: Path):
    assets = export_assets(with_reports(book, exports=[]), Environment(home=tmp_path))
    assert [asset.key.path for asset in assets] == [["novacrm", "weekly_brief"]]
