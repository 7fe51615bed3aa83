"""The sync as people start it: by the command, and as a job of Dagster, after a real refresh."""

import json
from collections.abc import Iterator
from pathlib import Path

import dagster as dg
import pytest
from typer.testing import CliRunner

from cx_intel.cli.app import app
from cx_intel.orchestration.build import build_definitions
from cx_intel.privacy.erase import erase
from cx_intel.privacy.places import Home
from cx_intel.warehouse.processes.lock import WriterLock
from cx_intel_tests.helpers.planhat_writing import TENANT, TOKEN, PlanhatWritingStandIn
from cx_intel_tests.helpers.small_company import SmallCompany
from cx_intel_tests.helpers.vendor_server import serving

pytestmark = pytest.mark.slow  # a refresh and several jobs


@pytest.fixture(scope="module")
def planhat() -> Iterator[PlanhatWritingStandIn]:
    stand_in = PlanhatWritingStandIn(count=12)
    with serving(stand_in):
        yield stand_in


@pytest.fixture(scope="module")
def company(tmp_path_factory: pytest.TempPathFactory, planhat: PlanhatWritingStandIn) -> SmallCompany:
    made = SmallCompany(tmp_path_factory.mktemp("written"))
    hosts = {"host": planhat.host, "analytics_host": planhat.host}
    secrets = {"token": "${PLANHAT_TOKEN}", "tenant": "${PLANHAT_TENANT}"}
    made.settings["write_back"] = {"planhat": secrets | hosts}
    made.variables |= {"PLANHAT_TOKEN": TOKEN, "PLANHAT_TENANT": TENANT}
    assert made.refresh().succeeded
    return made


def command(company: SmallCompany, *words: str) -> tuple[int, str]:
    done = CliRunner().invoke(app, ["sync", *words], env=company.variables)
    return done.exit_code, done.output


def test_a_refresh_sends_nothing(company: SmallCompany, planhat: PlanhatWritingStandIn) -> None:
    assert planhat.asked == []


def test_the_command_shows_the_plan_then_sends_it_once(company: SmallCompany, planhat: PlanhatWritingStandIn) -> None:
    status, told = command(company, "small", "--dry-run")
    assert (status, "Nothing was sent" in told) == (0, True)
    assert "planhat company: 33 fields, to be sent" in told  # A03 has left
    assert not planhat.metrics
    status, told = command(company, "small")
    assert (status, "66 fields sent, 0 refused" in told) == (0, True)
    scores = company.values("customer_health_scores", "health_score", "confirmed_tier")
    assert {
        key: (planhat.field(key, "cx Health Score"), planhat.field(key, "cx Health Tier")) for key in scores
    } == scores
    status, told = command(company, "small")
    assert (status, "nothing differs" in told) == (0, True)


def test_dagster_shows_the_plan_and_the_checks(company: SmallCompany, planhat: PlanhatWritingStandIn) -> None:
    planhat.put("A05", custom={"cx Health Tier": "by hand"})
    planhat.put("A02", custom={"cx Churn Risk": None})
    planhat.companies["A06"]["custom"] = {}
    job = build_definitions(company.environment).resolve_job_def("small_write_back")
    with company.instance() as instance:
        done = job.execute_in_process(instance=instance, raise_on_error=False)
    assert done.success
    shown = {
        event.asset_key.path[-1]: event.step_materialization_data.materialization.metadata for event in events(done)
    }
    assert shown["write_back_plan"]["edited_at_vendor"].value == 5
    assert "by hand" in shown["write_back_plan"]["plan"].value
    assert shown["write_back_rejected"]["rejected"].value == 0
    checks = {e.check_name: (e.passed, e.severity) for e in done.get_asset_check_evaluations()}
    assert checks == {
        "rejected_share": (True, dg.AssetCheckSeverity.ERROR),
        "fields_as_sent": (False, dg.AssetCheckSeverity.WARN),
    }
    assert TOKEN not in json.dumps([str(e) for e in done.all_events])


def events(done: dg.ExecuteInProcessResult) -> list[dg.DagsterEvent]:
    return [event for event in done.all_events if event.is_step_materialization]


def test_a_second_run_at_the_same_time_waits_and_is_refused(company: SmallCompany) -> None:
    lock = WriterLock(company.home / "warehouse.lock")
    lock.acquire("another sync", wait_seconds=0)
    try:
        done = CliRunner().invoke(app, ["sync", "small"], env=company.variables | {"CX_LOCK_WAIT_SECONDS": "0.1"})
    finally:
        lock.release()
    assert done.exit_code == 2
    assert "being written by another sync" in done.output


def test_too_many_refused_records_fail_the_check_and_a_dry_run_sends_nothing(
    company: SmallCompany, planhat: PlanhatWritingStandIn
) -> None:
    assert command(company, "undo", "small", "--all")[0] == 0
    for key in planhat.companies.values():
        key["custom"] = {}
    planhat.refused = {"A01": "Company is locked"}
    job, writes = build_definitions(company.environment).resolve_job_def("small_write_back"), len(planhat.asked)
    with company.instance() as instance:
        config = {"ops": {"small__write_back": {"config": {"dry_run": True}}}}
        assert job.execute_in_process(run_config=config, instance=instance).success
        assert all(asked.method == "GET" for asked in planhat.asked[writes:])
        done = job.execute_in_process(instance=instance, raise_on_error=False)
    (share,) = [e for e in done.get_asset_check_evaluations() if e.check_name == "rejected_share"]
    assert (share.passed, share.severity) == (False, dg.AssetCheckSeverity.ERROR)
    assert company.query("SELECT DISTINCT record_key, reason FROM write_back_rejected") == [
        ("A01", "Company is locked")
    ]
    planhat.refused = {}
    assert command(company, "retry", "small")[0] == 0
    assert company.query("SELECT * FROM write_back_rejected") == []


def test_undo_then_an_erased_account_is_never_sent(company: SmallCompany, planhat: PlanhatWritingStandIn) -> None:
    status, _ = command(company, "undo", "small", "--all")
    assert (status, planhat.field("A01", "cx Health Score")) == (0, None)
    home = Home(company.home, company.warehouse, company.home / "warehouse.lock", company.variables)
    assert not erase(home, "small", "account", "A07").remains
    for table in ("write_back_plan", "write_back_audit"):
        assert company.query(f"SELECT count(*) FROM {table} WHERE account_id = 'A07'") == [(0,)]
    assert command(company, "small")[0] == 0
    assert planhat.field("A07", "cx Health Score") is None
    assert planhat.field("A01", "cx Health Score") is not None


def test_nothing_left_behind_holds_a_secret(company: SmallCompany) -> None:
    for path in Path(company.folder).rglob("*"):
        if path.is_file():
            content = path.read_bytes()
            assert TOKEN.encode() not in content, path
            assert TENANT.encode() not in content, path


@pytest.mark.parametrize("words", [(), ("retry",), ("undo", "small", "more"), ("nobody",)])
def test_misuse_is_told(company: SmallCompany, words: tuple[str, ...]) -> None:
    assert command(company, *words)[0] == 2


def test_before_the_first_refresh_nothing_is_made(company: SmallCompany, tmp_path: Path) -> None:
    done = CliRunner().invoke(app, ["sync", "small"], env=company.variables | {"CX_HOME": str(tmp_path / "new")})
    assert (done.exit_code, "refresh small first" in done.output) == (2, True)
    assert not (tmp_path / "new" / "warehouse.duckdb").exists()
