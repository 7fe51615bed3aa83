"""`cx-intel doctor`: each thing that may be wrong with a deployment, found and told with what to do."""

import time
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from importlib.metadata import PackageNotFoundError
from pathlib import Path

import dagster as dg
import duckdb
import pytest
from dagster._daemon.types import DaemonHeartbeat
from typer.testing import CliRunner

from cx_intel.cli.app import app
from cx_intel.doctor import dagster_home, machine, stores
from cx_intel.doctor import portfolios as books
from cx_intel.doctor.examination import examine
from cx_intel.doctor.findings import Finding
from cx_intel.orchestration.build import load_portfolios
from cx_intel.privacy.register import Entry, Register
from cx_intel.settings.portfolio import Portfolio
from cx_intel.warehouse.duckdb.upkeep.backups import take
from cx_intel.warehouse.processes.lock import WriterLock
from cx_intel_tests.helpers.small_company import AS_OF, SmallCompany

pytestmark = pytest.mark.slow  # a refresh

TODAY = datetime.now(UTC)


@pytest.fixture(scope="module")
def company(tmp_path_factory: pytest.TempPathFactory) -> SmallCompany:
    """Refreshed a moment ago, and backed up."""
    made = SmallCompany(tmp_path_factory.mktemp("company"))
    made.only("accounts", "subscriptions")
    made.settings["reports"] = {"exports": []}
    assert made.refresh(AS_OF).failures == []
    take(made.home, made.warehouse, reason="a test", keep=7)
    return made


@pytest.fixture
def fresh(tmp_path: Path) -> SmallCompany:
    made = SmallCompany(tmp_path)
    made.only("accounts", "subscriptions")
    made.settings["reports"] = {"exports": []}
    made.write()
    return made


def test_a_sound_deployment_has_no_problem(company: SmallCompany):
    found = list(examine(company.variables))
    assert [f for f in found if f.level == "problem"] == []
    assert {"Python", "packages", "disk", "warehouse", "back-ups", "portfolio small", "refresh of small"} <= {
        f.subject for f in found if f.level == "ok"
    }
    assert _of(found, "daemon").level == "note"
    assert CliRunner().invoke(app, ["doctor"], env=company.variables).exit_code == 0


def test_what_is_not_there_before_the_first_refresh_is_no_problem(fresh: SmallCompany):
    found = list(examine(fresh.variables))
    assert [f.subject for f in found if f.level == "problem"] == []
    assert {"CX_HOME", "warehouse", "dagster.yaml", "back-ups"} <= {f.subject for f in found if f.level == "note"}


def test_a_problem_is_told_with_what_to_do_and_ends_in_status_1(fresh: SmallCompany):
    (fresh.data / "accounts.csv").unlink()
    told = CliRunner().invoke(app, ["doctor"], env=fresh.variables)
    assert told.exit_code == 1
    assert "accounts.csv" in told.output
    assert "1 problem" in told.output


def test_an_environment_that_cannot_be_read(tmp_path: Path):
    found = list(examine({"CX_PORTFOLIOS": str(tmp_path / "nowhere")}))
    assert found[-1].level == "problem"
    assert "CX_PORTFOLIOS" in found[-1].text


def test_an_old_python():
    assert machine.python((3, 10, 1)).level == "problem"
    assert machine.python((3, 11, 0)).level == "ok"


def test_packages_that_are_not_those_of_the_lock(tmp_path: Path):
    lock = tmp_path / "requirements.lock"
    lock.write_text("duckdb==2.0.0 \\\n    --hash=sha256:00\npywin32==1 ; sys_platform == 'win32' \\\nibis==12.0.0\n")

    def installed(name: str) -> str:
        if name == "ibis":
            raise PackageNotFoundError(name)
        return {"duckdb": "1.4.0"}[name]

    found = machine.packages(lock, installed)
    assert found.text == "not those of requirements.lock: duckdb 1.4.0 in place of 2.0.0, ibis is missing"
    assert machine.packages(tmp_path / "none").level == "note"


def test_a_home_that_may_not_be_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(machine, "_writable", lambda _: False)
    (found,) = machine.home(tmp_path)
    assert (found.level, "may not be written" in found.text) == ("problem", True)


def test_a_home_on_a_network_file_system(tmp_path: Path):
    mounts = f"/dev/sda1 / ext4 rw 0 0\nserver:/export {tmp_path} nfs4 rw 0 0\n"
    assert "network file system (nfs4)" in _of(machine.home(tmp_path, mounts), "CX_HOME").text
    assert _of(machine.home(tmp_path, mounts.replace("nfs4", "xfs")), "CX_HOME").level == "ok"


def test_a_full_disk(tmp_path: Path):
    assert _of(machine.home(tmp_path, free=lambda _: 10_000_000), "disk").level == "problem"


def test_a_missing_browser_is_no_problem():
    assert machine.chromium({"PATH": ""}).level == "note"


def test_a_portfolio_with_a_mistake_hides_no_other(fresh: SmallCompany):
    (fresh.portfolios / "broken.yaml").write_text("currency: {reporting: EUR}\ncurency: 1\n")
    readable, findings = books.portfolios(fresh.portfolios)
    assert [p.name for p in readable] == ["small"]
    assert [f.subject for f in findings] == ["portfolio broken"]
    assert "broken.yaml:2: curency: unknown key" in findings[0].text


def test_a_folder_without_portfolios(tmp_path: Path):
    assert books.portfolios(tmp_path)[1][0].level == "problem"


def test_a_variable_that_is_not_set(fresh: SmallCompany):
    found = _of(books.examine(_portfolio(fresh), {}), "portfolio small")
    assert (found.level, found.text) == ("problem", "names SMALL_DATA, which are not set in the environment")


@pytest.mark.filterwarnings("ignore:'imghdr':DeprecationWarning")
def test_alert_addresses_that_cannot_be_read_are_not_repeated(fresh: SmallCompany, capfd: pytest.CaptureFixture[str]):
    variables = fresh.variables | {"CX_ALERT_URLS": "json://host/secret, nonsense://host/secret"}
    found = _of(books.examine(_portfolio(fresh), variables), "alerts of small")
    assert found.text == "1 addresses that Apprise cannot read: nonsense://***"
    assert "secret" not in "".join(capfd.readouterr())
    variables["CX_ALERT_URLS"] = "json://host/secret"
    assert _of(books.examine(_portfolio(fresh), variables), "alerts of small").level == "ok"
    assert _of(books.examine(_portfolio(fresh), fresh.variables), "alerts of small").level == "note"


def test_a_run_that_writes_is_named(company: SmallCompany):
    lock = WriterLock(company.home / "warehouse.lock")
    lock.acquire("run 12345678 of small_refresh", wait_seconds=0)
    (found,) = stores.warehouse(company.warehouse, [])
    lock.release()
    assert found.level == "note"
    assert "run 12345678 of small_refresh" in found.text


def test_a_corrupt_warehouse(tmp_path: Path):
    file = tmp_path / "warehouse.duckdb"
    file.write_bytes(b"not a database" * 1000)
    (found,) = stores.warehouse(file, [])
    assert (found.level, "cx-intel restore" in found.to_do) == ("problem", True)


def test_what_a_killed_run_staged_and_tables_of_another_version(tmp_path: Path, company: SmallCompany):
    file = tmp_path / "warehouse.duckdb"
    with duckdb.connect(str(file)) as connection:
        connection.execute("CREATE SCHEMA small; CREATE TABLE small._staged_dim_account (account_id VARCHAR)")
        connection.execute("CREATE TABLE small.dim_account (account_id VARCHAR)")
    staged, changing, opens = stores.warehouse(file, [_portfolio(company)])
    assert "1 tables that a run staged and never put in place, such as small._staged_dim_account" in staged.text
    assert changing.text.startswith("the tables of small were made by another version")
    assert opens.level == "ok"


def test_an_old_back_up(company: SmallCompany):
    assert stores.back_ups(company.home).level == "ok"
    assert stores.back_ups(company.home, TODAY + timedelta(days=9)).level == "note"


def test_an_erasure_that_was_cut_off_and_a_lost_key(tmp_path: Path):
    assert list(stores.erasures(tmp_path, {})) == []
    key = {"CX_ERASURE_KEY": "a key of sixteen characters"}
    register = Register(tmp_path, key)
    register.add(Entry("small", "account", register.hash("small", "account", "A02"), "2025-01-31"))
    assert [f.level for f in stores.erasures(tmp_path, key)] == ["ok"]
    register.begin({"portfolio": "small", "kind": "account", "id": "A02"})
    begun, lost = stores.erasures(tmp_path, {})
    assert begun.to_do == "End it: cx-intel erase small --account A02"
    assert (lost.level, "key of erasures is not there" in lost.text) == ("problem", True)


def test_a_refresh_that_is_overdue(company: SmallCompany):
    found = list(dagster_home.examine(company.home, [_portfolio(company)], TODAY + timedelta(days=3, hours=1)))
    overdue = _of(found, "refresh of small")
    assert (overdue.level, overdue.text) == ("problem", "last succeeded 3 days ago, and should every day")


def test_a_refresh_that_never_succeeded_and_the_daemon(fresh: SmallCompany):
    with fresh.instance() as instance:
        assert _of(_dagster(fresh), "refresh of small").text == "has never succeeded"
        _beat(instance, time.time())
        assert _of(_dagster(fresh), "daemon").level == "ok"
        _beat(instance, time.time() - 3600)
        silent = _of(_dagster(fresh), "daemon")
    assert (silent.level, silent.text[:12]) == ("problem", "silent for 6")


def test_a_storage_that_does_not_answer(tmp_path: Path):
    (tmp_path / "dagster.yaml").write_text("run_storage: {module: cx_intel.absent, class: Absent, config: {}}\n")
    (found,) = dagster_home.examine(tmp_path, [])
    assert found.level == "problem"
    assert found.text.startswith("its storage cannot be used")


def _portfolio(company: SmallCompany) -> Portfolio:
    return load_portfolios(company.portfolios)["small"]


def _dagster(company: SmallCompany) -> list[Finding]:
    return list(dagster_home.examine(company.home, [_portfolio(company)]))


def _beat(instance: dg.DagsterInstance, at: float) -> None:
    for name in dagster_home.DAEMONS:
        instance.add_daemon_heartbeat(DaemonHeartbeat(at, name, "a test"))


def _of(findings: Iterable[Finding], subject: str) -> Finding:
    return next(f for f in findings if f.subject == subject)
