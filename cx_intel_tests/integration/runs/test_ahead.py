"""What a second process compiles before a refresh executes it: the same tables, and never relied upon."""

import io
import os
import pickle
import subprocess
import sys
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import duckdb
import pytest

from cx_intel import ahead
from cx_intel.orchestration.build import load_portfolios
from cx_intel.orchestration.checks.contract_checks import ROWS
from cx_intel.orchestration.compiled import compiled
from cx_intel.settings.portfolio import Portfolio
from cx_intel_tests.helpers.small_company import AS_OF, SmallCompany

POISON = {ahead.TABLE: "SELECT 'this is executed nowhere' AS account_id, 1 / error('executed')"}


@pytest.fixture
def company(tmp_path: Path) -> SmallCompany:
    found = SmallCompany(tmp_path)
    found.write()
    return found


def settings_of(company: SmallCompany) -> Portfolio:
    return load_portfolios(company.portfolios)[company.name]


def in_any_order(ready: ahead.Ready) -> dict[str, list[str]]:
    return {name: sorted(sql) for name, sql in ready.queries.items()}


def not_taken(company: SmallCompany, tables: list[str]) -> list[str]:
    return [table for table in tables if ahead.taken(company.name, table, AS_OF)]


def test_a_refresh_of_what_was_compiled_ahead_makes_the_same_tables(company: SmallCompany) -> None:
    assert company.refresh(AS_OF).succeeded
    expected = company.frames()
    portfolio = settings_of(company)
    found = {ready.table: ready for ready in compiled(portfolio, AS_OF)}
    for ready in found.values():
        ahead.keep(ready)
    whole = {table for table, ready in found.items() if ahead.TABLE in ready.queries}

    assert company.refresh(AS_OF).succeeded

    assert not_taken(company, list(found)) == []
    assert {"dim_account", "nrr_summary", "customer_health_scores", "lifecycle_events"} <= whole
    assert not {"stg_accounts", "stg_usage_events", "fct_usage", "quarantine", "nrr_outlook"} & whole
    again = company.frames()
    assert [name for name, frame in expected.items() if not frame.equals(again[name])] == []


def test_what_was_compiled_ahead_is_what_is_executed(company: SmallCompany) -> None:
    """A table and a question changed on the way tell that they were taken, and nothing else was asked."""
    found = {ready.table: ready for ready in compiled(settings_of(company), AS_OF)}
    adherence, tickets = found["sla_adherence"].queries, found["fct_tickets"].queries
    none = {**adherence, ahead.TABLE: f"SELECT * FROM ({adherence[ahead.TABLE]}) WHERE false"}
    many = {**tickets, ROWS: f"SELECT 999 AS total, * EXCLUDE (total) FROM ({tickets[ROWS]})"}
    ahead.keep(replace(found["sla_adherence"], queries=none))
    ahead.keep(replace(found["fct_tickets"], queries=many))
    assert company.refresh(AS_OF).succeeded
    assert company.frames()["sla_adherence"].empty
    counted = "SELECT DISTINCT total_rows FROM cx_state.check_results WHERE table_name = 'fct_tickets'"
    assert company.query(counted) == [(999,)]


def test_sql_for_other_settings_or_another_day_is_not_executed(company: SmallCompany) -> None:
    ready = next(compiled(settings_of(company), AS_OF))
    for table in ("dim_account", "nrr_summary"):
        ahead.keep(replace(ready, table=table, queries=POISON, settings="others"))
    ahead.keep(replace(ready, table="account_snapshot", queries=POISON, as_of=AS_OF - timedelta(days=1)))
    assert company.refresh(AS_OF).succeeded
    assert ahead.taken(company.name, "account_snapshot", AS_OF - timedelta(days=1)) is not None
    assert len(company.frames()["dim_account"]) == 12


def test_sql_is_not_executed_on_a_table_that_is_not_as_its_contract_says(company: SmallCompany) -> None:
    ready = replace(next(compiled(settings_of(company), AS_OF)), table="account_history", queries=POISON)
    ahead.keep(ready)
    assert company.refresh(AS_OF).succeeded  # reads its own earlier rows, and there are none yet
    with duckdb.connect(str(company.warehouse)) as connection:
        connection.execute("ALTER TABLE small.account_history DROP COLUMN region")
    ahead.keep(ready)
    assert company.refresh(AS_OF).succeeded  # made by an older version, without the region
    assert "region" in company.frames()["account_history"]


def test_a_second_process_sends_what_this_one_would_compile(
    company: SmallCompany, monkeypatch: pytest.MonkeyPatch
) -> None:
    expected = list(compiled(settings_of(company), AS_OF))
    for name, value in company.variables.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(ahead, "cores", lambda: 2)
    receiver = ahead.begin([company.name, "--as-of", AS_OF.isoformat()])
    assert receiver is not None
    receiver.join(60)
    got = [ahead.taken(company.name, ready.table, AS_OF) for ready in expected]
    assert [(g.table, g.settings, g.sources) for g in got if g] == [(e.table, e.settings, e.sources) for e in expected]
    # the order of columns left out of a `SELECT *` is that of a set, and differs from process to process
    assert [in_any_order(g) for g in got if g] == [in_any_order(e) for e in expected]


def test_a_second_process_that_fails_sends_nothing(company: SmallCompany, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in company.variables.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(ahead, "cores", lambda: 2)
    receiver = ahead.begin(["no_such_portfolio"])
    assert receiver is not None
    receiver.join(60)
    assert not receiver.is_alive()


def test_what_came_before_the_sender_died_is_kept(company: SmallCompany) -> None:
    first, second = (replace(r, as_of=AS_OF) for r in list(compiled(settings_of(company), AS_OF))[:2])
    whole, half = pickle.dumps(first), pickle.dumps(second)
    ahead.receive(io.BytesIO(whole + half[: len(half) // 2]))
    assert ahead.taken(company.name, first.table, AS_OF) == first
    assert ahead.taken(company.name, second.table, AS_OF) is None


@pytest.mark.parametrize(
    ("text", "expected"), [("max 100000\n", None), ("100000 100000\n", 1.0), ("50000 100000", 0.5), ("rubbish", None)]
)
def test_cores_are_those_that_the_container_may_use(tmp_path: Path, text: str, expected: float | None) -> None:
    quota = tmp_path / "cpu.max"
    quota.write_text(text)
    allowed = float(len(os.sched_getaffinity(0)))
    assert ahead.cores(quota) == (allowed if expected is None else min(allowed, expected))
    assert ahead.cores(tmp_path / "none") == allowed


def test_what_another_program_compiled_is_not_kept(company: SmallCompany) -> None:
    ready = next(compiled(settings_of(company), AS_OF))
    ahead.keep(replace(ready, program="/elsewhere/cx_intel/ahead.py"))
    assert ahead.taken(company.name, ready.table, AS_OF) is None


def test_a_refresh_goes_on_where_no_process_can_be_started(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ahead, "cores", lambda: 2)
    monkeypatch.setattr(sys, "executable", "/no/such/python")
    assert ahead.begin([]) is None


def test_on_one_core_no_second_process_is_started(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ahead, "cores", lambda: 1)
    assert ahead.begin([]) is None


def test_the_module_that_starts_it_knows_no_other() -> None:
    code = "import sys, cx_intel.ahead; print([m for m in sys.modules if m.split('.')[0] in ('dagster', 'ibis', 'pandas')])"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "[]\n"
