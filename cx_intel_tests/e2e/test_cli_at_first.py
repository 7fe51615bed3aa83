"""The command `cx-intel` before the first refresh: texts and exit statuses; after it: `test_cli.py`."""

import os
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import dagster as dg
import pytest

from cx_intel.orchestration.alerts.sensors import alert_sensors
from cx_intel.orchestration.build import load_portfolios
from cx_intel.settings.environment import read_environment
from cx_intel_tests.helpers.command_line import DONE, FAILED, MISUSE, cx_intel, fresh, here
from cx_intel_tests.helpers.listener import listening
from cx_intel_tests.helpers.small_company import AS_OF, SmallCompany


def test_ui_becomes_dagster_dev_so_that_signals_reach_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    company, became, beside = fresh(tmp_path), [], []
    monkeypatch.setattr(os, "execve", lambda *call: became.append(call))
    monkeypatch.setattr(subprocess, "Popen", lambda command, **_: beside.append(command))
    assert here(company, "ui", "-p", "3001", "--", "--log-level", "warning").exit_code == DONE
    ((program, words, variables),) = became
    assert program == words[0] == sys.executable
    assert words[3:6] == ["-m", "dagster", "dev"]
    assert words[-4:] == ["-p", "3001", "--log-level", "warning"]
    assert variables["CX_HOME"] == str(company.home)
    assert read_environment({"CX_HOME": str(company.home)}).ui_url == "http://127.0.0.1:3001", (
        "where alerts by hand lead"
    )
    assert [command[3:] for command in beside] == [["reports", "--ends-with", str(os.getpid())]]


def test_validate_counts_what_is_valid(tmp_path: Path) -> None:
    found = here(fresh(tmp_path), "validate")
    assert (found.exit_code, found.stderr) == (DONE, "")
    assert found.stdout.startswith("small: valid, ")


def test_validate_says_before_the_first_refresh_what_there_will_be_nothing_to_compare_with(tmp_path: Path) -> None:
    company = SmallCompany(tmp_path)
    company.write()
    told = "as_of: {first_snapshots: [7, 30]} makes those days too"
    assert told in " ".join(here(company, "validate").stdout.split())
    company.environment.reports("small").mkdir(parents=True)
    assert told not in " ".join(here(company, "validate").stdout.split())


def test_validate_names_file_line_and_path_of_every_problem(tmp_path: Path) -> None:
    company = fresh(tmp_path)
    (company.portfolios / "bad.yaml").write_text("currency: {reporting: EUR}\nrevenu: {basis: subscriptions}\n")
    (company.portfolios / "worse.yaml").write_text("a: [1,\n")
    found = here(company, "validate")
    assert found.exit_code == MISUSE
    assert "bad.yaml:2: revenu: unknown key" in found.stderr
    assert "bad.yaml:1: sources: is required" in found.stderr
    assert "worse.yaml:2: not valid YAML" in found.stderr
    assert "Traceback" not in found.stderr


def test_misuse_is_explained_and_exits_with_two(tmp_path: Path) -> None:
    company = fresh(tmp_path)
    unknown = here(company, "refresh", "smal")
    assert (unknown.exit_code, unknown.stderr.strip()) == (
        MISUSE,
        "There is no portfolio 'smal' (did you mean 'small'?); there are small.",
    )
    future = here(company, "refresh", "--as-of", "2999-01-01")
    assert future.exit_code == MISUSE
    assert "small: --as-of 2999-01-01 is outside 2024-12-01 (as_of.earliest) to " in future.stderr
    nowhere = here(company, "list", CX_PORTFOLIOS=str(tmp_path / "nowhere"))
    assert nowhere.exit_code == MISUSE
    assert "CX_PORTFOLIOS" in nowhere.stderr
    assert "expected the folder that holds the portfolio YAML; it is not a folder" in nowhere.stderr
    assert not company.warehouse.exists()


def test_nothing_to_show_before_the_first_refresh(tmp_path: Path) -> None:
    company = fresh(tmp_path)
    shown = here(company, "show", "dim_account")
    assert shown.exit_code == MISUSE
    assert "cx-intel refresh" in shown.stderr
    listed = here(company, "list")
    assert listed.exit_code == DONE
    assert "never" in listed.stdout


@pytest.mark.slow
def test_alerts_sends_what_is_due_once_and_shares_its_memory_with_the_sensors(tmp_path: Path) -> None:
    company = fresh(tmp_path)
    (company.data / "subscriptions.csv").unlink()
    assert cx_intel(company, "refresh", "--as-of", AS_OF.isoformat()).returncode == FAILED
    unknown = here(company, "alerts", "smal")
    assert (unknown.exit_code, unknown.stderr.strip()) == (MISUSE, "There is no portfolio smal; there are small.")
    with listening() as listener:
        listener.refusing = True
        refused = here(company, "alerts", CX_ALERT_URLS=listener.url())
        assert refused.exit_code == FAILED
        assert "small, problems: 1 new problems, 0 resolved. Not sent, to be tried again: json://***" in refused.stdout
        listener.refusing = False
        with closing(sqlite3.connect(company.home / "alerts.sqlite")) as outbox, outbox:
            outbox.execute("UPDATE message SET next_at = 0")  # half a minute later
        sent = here(company, "alerts", "small", CX_ALERT_URLS=listener.url())
        assert (sent.exit_code, sent.stderr) == (DONE, "")
        assert sent.stdout.endswith("1 problems are known and not over. Sent 1 message.\n")
        assert listener.titles == ["[small] small_refresh for 2025-01-31 failed"]
        company.variables["CX_ALERT_URLS"] = listener.url()
        (sensor,) = alert_sensors(load_portfolios(company.portfolios)["small"], company.environment)
        with company.instance() as instance:
            sensor(dg.build_sensor_context(instance=instance))
        assert here(company, "alerts").exit_code == DONE
        assert len(listener.taken) == 1


def test_alerts_without_an_address_says_so(tmp_path: Path) -> None:
    found = here(fresh(tmp_path), "alerts")
    assert found.exit_code == DONE
    assert "small, problems: Messages go nowhere: none of CX_ALERT_URLS is set" in found.stdout


@pytest.mark.slow
def test_a_portfolio_is_drafted_from_a_folder_once(tmp_path: Path) -> None:
    company = fresh(tmp_path / "company")
    exports = tmp_path / "exports"
    exports.mkdir()
    (exports / "customers.csv").write_text("id,name\nA,Alder\n")
    (exports / "contracts.csv").write_text("id,customer_id,mrr,start\nC-1,A,200,2024-03-01\n")
    draft = tmp_path / "acme.yaml"

    first = here(company, "init", str(exports), "--name", "acme", "--output", str(draft))
    again = here(company, "init", str(exports), "--name", "acme", "--output", str(draft))

    assert first.exit_code == DONE, first.output
    assert "contracts.csv is taken for subscriptions: subscription_id = id, account_id = customer_id" in first.output
    assert f"ACME_DATA={exports}" in first.output.replace("\n", "")
    assert "path: ${ACME_DATA}/contracts.csv" in draft.read_text()
    assert again.exit_code == MISUSE
    assert "is there already" in again.output


def test_a_folder_of_something_else_gives_no_draft(tmp_path: Path) -> None:
    company = fresh(tmp_path / "company")
    (tmp_path / "shapes").mkdir()
    (tmp_path / "shapes" / "shapes.csv").write_text("color,shape\nred,round\n")
    draft = tmp_path / "acme.yaml"

    found = here(company, "init", str(tmp_path / "shapes"), "--output", str(draft))
    missing = here(company, "init", str(tmp_path / "nowhere"))

    assert found.exit_code == FAILED
    assert not draft.exists()
    assert missing.exit_code == MISUSE
    assert "is no folder" in missing.output


def test_presets_are_listed_and_printed(tmp_path: Path) -> None:
    company = fresh(tmp_path)
    listed = here(company, "presets")
    assert (listed.exit_code, listed.stderr) == (DONE, "")
    assert "stripe_export" in listed.stdout
    printed = here(company, "presets", "stripe_export")
    assert "path: ${STRIPE}/subscriptions*" in printed.stdout
    assert "${folder}" not in printed.stdout
    unknown = here(company, "presets", "stripe")
    assert unknown.exit_code == MISUSE
    assert "There is no preset 'stripe' (did you mean 'stripe_export'?)" in unknown.stderr
