"""Erasure of an account and of a user: nowhere left, not coming back, the ledger's totals as they were."""

import shutil
import stat
from pathlib import Path

import duckdb
import pytest
from typer.testing import CliRunner

from cx_intel.cli.app import app
from cx_intel.privacy.erase import Erasure, erase
from cx_intel.privacy.guard import returned
from cx_intel.privacy.places import Home
from cx_intel.privacy.proof import remains
from cx_intel.privacy.pseudonyms import ended
from cx_intel.privacy.register import PrivacyError, Register
from cx_intel.privacy.subject import Kind, Subject
from cx_intel.reports.packing import packed
from cx_intel.warehouse.duckdb.upkeep.backups import backups, take
from cx_intel.warehouse.duckdb.upkeep.restoring import verify
from cx_intel.warehouse.errors import WarehouseBusy, WarehouseError
from cx_intel.warehouse.processes.lock import WriterLock
from cx_intel_tests.helpers.small_company import AS_OF, SmallCompany
from cx_intel_tests.helpers.traces import cells_with, files_with

pytestmark = pytest.mark.slow  # refreshes and erasures

ID, NAME = "A02", "Company 2"
NRR = "SELECT * EXCLUDE (segment) FROM nrr_by_segment UNION ALL BY NAME FROM nrr_summary ORDER BY ALL"
COHORTS = "FROM revenue_cohort_analysis ORDER BY ALL"
KILLED_AT = ("warehouse", "published", "proof")


@pytest.fixture(scope="module")
def refreshed(tmp_path_factory: pytest.TempPathFactory) -> SmallCompany:
    """A company refreshed and backed up, with an event of A02 that was turned away, and an account below A02."""
    made = SmallCompany(tmp_path_factory.mktemp("refreshed"))
    made.only("accounts", "subscriptions", "usage_events", "support_tickets")
    made.settings["reports"] = {"exports": []}
    made.tables["accounts"][4]["parent_account_id"] = ID
    bad = made.tables["usage_events"][0] | {"event_id": "bad", "account_id": ID, "event_timestamp": "yesterday"}
    made.tables["usage_events"].append(bad)
    assert made.refresh(AS_OF).failures == []
    take(made.home, made.warehouse, reason="a test", keep=7)
    return made


@pytest.fixture
def company(refreshed: SmallCompany, tmp_path: Path) -> SmallCompany:
    """A copy of it."""
    copy = refreshed.copied(tmp_path / "copy")
    report = copy.home / "reports" / "small"
    report.mkdir(parents=True, exist_ok=True)
    (report / "page.html").write_text(f"<b>{NAME}</b>")
    (report / "days" / "2025-01-30").mkdir(parents=True)
    (report / "days" / "2025-01-30" / "accounts.html").write_text(packed({"name": NAME}))
    log = copy.home / "storage" / "run" / "compute_logs"
    log.mkdir(parents=True)
    (log / "step.err").write_text(f"account {ID} looks odd")
    return copy


def test_an_account_is_nowhere_in_the_home_and_its_money_is(company: SmallCompany):
    assert set(files_with(company.home)) >= {"page.html", "step.err"}
    before = company.query(NRR), company.query(COHORTS)
    subject = Subject("small", "account", ID, (NAME,), "erased-1")
    assert remains(company.home, subject).places, "the proof finds what is there"
    done = _erase(company)
    assert done.remains == ()
    assert done.searched == 2
    assert files_with(company.home) == {}
    assert not (company.home / "reports" / "small").exists(), "what is packed in a page of an earlier day is not found"
    assert cells_with(company.home) == []
    assert (company.query(NRR), company.query(COHORTS)) == before
    assert company.values("fct_revenue", "mrr", by="revenue_month", where=f"account_id = '{done.pseudonym}'")
    (kept,) = company.query(
        f"SELECT account_name, owner, country, segment, signup_date FROM stg_accounts WHERE account_id = '{done.pseudonym}'"
    )
    assert kept[:4] == (None, None, None, "SMB")
    assert str(kept[4]) == "2024-02-01"
    assert company.query("SELECT parent_account_id FROM stg_accounts WHERE account_id = 'A05'") == [(None,)]
    assert company.query("SELECT count(*) FROM quarantine") == [(0,)]
    assert company.query(f"SELECT count(*) FROM stg_usage_events WHERE account_id = '{done.pseudonym}'") == [(0,)]
    assert {path.name for path in (company.home / "privacy").iterdir()} == {"erased.json", "erasure.key"}
    assert stat.S_IMODE((company.home / "privacy" / "erasure.key").stat().st_mode) == 0o600


def test_everything_else_is_as_it_was(company: SmallCompany):
    others = "SELECT * FROM stg_usage_events WHERE account_id <> 'A02' ORDER BY ALL"
    before = company.query(others), company.query("SELECT count(*) FROM fct_tickets WHERE account_id <> 'A02'")
    _erase(company)
    assert (company.query(others), company.query("SELECT count(*) FROM fct_tickets")) == before
    verify(backups(company.home)[0])
    with company.instance() as instance:
        (run,) = instance.get_runs()
        assert len(instance.all_logs(run.run_id)) > 50, "Dagster still reads its events"


def test_the_next_refreshes_do_not_bring_it_back_and_keep_the_totals(company: SmallCompany):
    before = company.query(NRR), company.query(COHORTS)
    pseudonym = _erase(company).pseudonym
    outcome = company.refresh(AS_OF, write=False)
    assert outcome.failures == []
    assert (company.query(NRR), company.query(COHORTS)) == before
    assert files_with(company.home) == {}
    assert cells_with(company.home) == []
    assert company.query(f"SELECT count(*) FROM raw_usage_events WHERE account_id = '{ID}'") == [(0,)]
    assert company.query(f"SELECT count(*) FROM dim_account WHERE account_id = '{pseudonym}'") == [(1,)]


def test_the_brief_names_no_erased_account(company: SmallCompany):
    pseudonym = _erase(company).pseudonym
    assert company.refresh(AS_OF, write=False).failures == []
    pages = [path for path in (company.home / "reports").rglob("*") if path.suffix in (".html", ".md", ".txt")]
    assert "brief.html" in {page.name for page in pages}
    assert [page.name for page in pages if pseudonym in page.read_text(encoding="utf-8")] == []


def test_an_account_that_its_source_deletes_too_keeps_its_past(company: SmallCompany):
    before = company.values("nrr_summary", "ending_mrr", by="revenue_month")
    _erase(company)
    for table in company.tables:
        company.tables[table] = [row for row in company.tables[table] if row.get("account_id") != ID]
    assert company.refresh(AS_OF).failures == []
    assert company.values("nrr_summary", "ending_mrr", by="revenue_month") == before
    (entry,) = Register(company.home, company.variables).entries("small")
    assert entry.gone_on == "2025-02-01"
    assert ended("subscriptions", entry.kept["subscriptions"], entry.gone_on)[0]["end_date"] == "2025-02-01"


def test_a_user_is_erased_without_the_account(company: SmallCompany):
    before = company.query(NRR)
    done = _erase(company, "user", "U04")
    assert done.remains == ()
    assert company.query("SELECT count(*) FROM stg_usage_events WHERE user_id = 'U04'") == [(0,)]
    assert company.query("SELECT account_name FROM dim_account WHERE account_id = 'A04'") == [("Company 4",)]
    assert company.refresh(AS_OF, write=False).failures == []
    assert company.query("SELECT count(*) FROM raw_usage_events WHERE user_id = 'U04'") == [(0,)]
    assert company.query(NRR) == before


def test_a_second_time_nothing_is_left_to_do(company: SmallCompany):
    first = _erase(company)
    again = _erase(company)
    assert (again.was_erased_before, again.pseudonym, again.remains) == (True, first.pseudonym, ())
    assert len(Register(company.home, {}).entries("small")) == 1


def test_an_unknown_id_changes_nothing(company: SmallCompany):
    with pytest.raises(PrivacyError, match="Nobody in small has the account_id 'A99'"):
        _erase(company, "account", "A99")
    assert not (company.home / "privacy" / "erased.json").exists()


@pytest.mark.parametrize("step", KILLED_AT)
def test_an_erasure_that_was_killed_is_ended_by_asking_again(company: SmallCompany, step: str):
    before = company.query(NRR)

    def kill(begun: str) -> None:
        if begun == step:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        erase(_home(company), "small", "account", ID, kill)
    with pytest.raises(PrivacyError, match="End it first: cx-intel erase small --account A02"):
        _erase(company, "account", "A03")
    assert _erase(company).remains == ()
    assert files_with(company.home) == {}
    assert cells_with(company.home) == []
    assert company.query(NRR) == before


def test_with_another_key_nothing_is_loaded_or_erased(company: SmallCompany):
    _erase(company)
    (company.home / "privacy" / "erasure.key").write_text("another key, long enough")
    with pytest.raises(PrivacyError, match="is not the one"):
        _erase(company, "account", "A03")
    outcome = company.refresh(AS_OF, write=False)
    assert not outcome.succeeded
    assert any("The key of erasures is not the one" in text for text in outcome.failures)
    (company.home / "privacy" / "erasure.key").unlink()
    with pytest.raises(PrivacyError, match="key of erasures is not there"):
        _erase(company, "account", "A03")
    assert company.query(f"SELECT count(*) FROM raw_accounts WHERE account_id = '{ID}'") == [(0,)]


def test_the_key_may_come_from_the_environment(company: SmallCompany):
    company.variables["CX_ERASURE_KEY"] = "too short"
    with pytest.raises(PrivacyError, match="too short"):
        _erase(company)
    company.variables["CX_ERASURE_KEY"] = "a secret of sixteen characters and more"
    assert _erase(company).remains == ()
    assert not (company.home / "privacy" / "erasure.key").exists()


def test_what_was_forgotten_is_found(company: SmallCompany):
    (company.home / "notes.txt").write_text("called Company 2 today")
    assert _erase(company).remains == ("notes.txt: its bytes",)
    assert (company.home / "privacy" / "pending.json").exists()
    (company.home / "notes.txt").unlink()
    assert _erase(company).remains == ()
    assert not (company.home / "privacy" / "pending.json").exists()


def test_a_restored_copy_from_elsewhere_is_said_to_hold_the_erased(company: SmallCompany):
    elsewhere = company.folder / "elsewhere"
    shutil.copytree(company.home / "backups", elsewhere)
    _erase(company)
    assert returned(company.warehouse, company.home, company.variables) == {}
    shutil.rmtree(company.home / "backups")
    shutil.move(elsewhere, company.home / "backups")
    told = CliRunner().invoke(app, ["restore"], env=company.variables)
    assert "It holds 1 subjects of small that were erased since" in told.output
    assert _erase(company).remains == ()
    assert returned(company.warehouse, company.home, company.variables) == {}


def test_while_a_run_writes_nothing_is_erased(company: SmallCompany):
    lock = WriterLock(company.home / "warehouse.lock")
    lock.acquire("run 12345678", wait_seconds=0)
    with pytest.raises(WarehouseBusy, match="run 12345678"):
        _erase(company)
    lock.release()


def test_by_the_command_line(company: SmallCompany):
    run = CliRunner().invoke
    assert run(app, ["erase", "small"], env=company.variables).exit_code == 2
    assert run(app, ["erase", "small", "--account", "A99", "--yes"], env=company.variables).exit_code == 2
    done = run(app, ["erase", "small", "--account", ID, "--yes"], env=company.variables)
    assert done.exit_code == 0, done.output
    assert "ids and names are nowhere" in done.output


def test_without_a_terminal_it_has_to_be_confirmed_in_the_command(company: SmallCompany):
    before = files_with(company.home)
    refused = CliRunner().invoke(app, ["erase", "small", "--account", ID], env=company.variables, input="y\n")
    assert refused.exit_code == 2
    assert f"Erase the account {ID} of small from " in refused.stderr
    assert "say --yes. Nothing was changed." in refused.stderr
    assert files_with(company.home) == before
    assert not (company.home / "privacy").exists()


@pytest.mark.parametrize(("answer", "status", "is_erased"), [("n\n", 2, False), ("\n", 2, False), ("y\n", 0, True)])
def test_at_a_terminal_it_is_asked_for(
    company: SmallCompany, monkeypatch: pytest.MonkeyPatch, answer: str, status: int, is_erased: bool
):
    monkeypatch.setattr("cx_intel.cli.commands.deployment._at_a_terminal", lambda: True)
    asked = CliRunner().invoke(app, ["erase", "small", "--account", ID], env=company.variables, input=answer)
    assert asked.exit_code == status, asked.output
    assert f"Erase the account {ID} of small from " in asked.output
    assert (files_with(company.home) == {}) is is_erased


def test_a_name_that_others_bear_too_is_not_taken_from_them(company: SmallCompany):
    with duckdb.connect(str(company.warehouse)) as connection:
        connection.execute(f"UPDATE small.stg_accounts SET account_name = '{NAME} Holding' WHERE account_id = 'A03'")
    assert _erase(company).searched == 1
    assert company.query("SELECT account_name FROM stg_accounts WHERE account_id = 'A03'") == [(f"{NAME} Holding",)]


def test_a_corrupt_warehouse_is_an_error(company: SmallCompany):
    company.warehouse.write_bytes(b"no database" * 1000)
    with pytest.raises((WarehouseError, duckdb.Error)):
        _erase(company)


def _home(company: SmallCompany) -> Home:
    return Home(company.home, company.warehouse, company.home / "warehouse.lock", company.variables)


def _erase(company: SmallCompany, kind: Kind = "account", subject: str = ID) -> Erasure:
    return erase(_home(company), "small", kind, subject)


def test_a_source_that_delivers_days_is_read_again_without_the_erased(tmp_path: Path) -> None:
    company = SmallCompany(tmp_path)
    company.only()
    world = {
        "kind": "synthetic",
        "world": "novacrm",
        "accounts": 12,
        "starts_on": "2024-06-01",
        "events_from": "2025-01-01",
    }
    company.settings |= {
        "currency": {"reporting": "USD"},
        "sources": [world],
        "usage": {"categories": {}},
        "reports": {"exports": []},
    }
    company.tables = {}
    assert company.refresh(AS_OF).failures == []
    ((account, events),) = company.query(
        "SELECT account_id, count(*) FROM stg_usage_events GROUP BY 1 ORDER BY 2 DESC, 1 LIMIT 1"
    )
    assert events > 0
    done = CliRunner().invoke(app, ["erase", "small", "--account", account, "--yes"], env=company.variables)
    assert done.exit_code == 0, done.output
    assert company.refresh(AS_OF).failures == []
    assert company.query(f"SELECT count(*) FROM stg_usage_events WHERE account_id = '{account}'") == [(0,)]
    assert company.query("SELECT count(*) > 0 FROM stg_usage_events") == [(True,)]
