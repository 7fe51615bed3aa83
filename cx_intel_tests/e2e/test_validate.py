"""`cx-intel validate`: what a portfolio needs of the machine, and with `--data` what the first rows of its sources say."""

import os
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from cx_intel.cli.app import app
from cx_intel_tests.helpers.small_company import SmallCompany

DONE, FAILED, MISUSE = 0, 1, 2


def validate(company: SmallCompany, *words: str, **variables: str) -> Result:
    own = dict.fromkeys(["DAGSTER_HOME", *(k for k in os.environ if k.startswith(("CX_", "DAGSTER_")))], None)
    given = own | company.variables | {"COLUMNS": "200"} | variables
    return CliRunner().invoke(app, ["validate", *words], env=given)


def a_company(folder: Path) -> SmallCompany:
    company = SmallCompany(folder)
    company.only("accounts", "subscriptions")
    company.write()
    return company


def test_variables_that_are_not_set_and_files_that_are_not_there_are_told_and_no_error(tmp_path: Path) -> None:
    company = a_company(tmp_path)
    unset = validate(company, SMALL_DATA="")
    assert unset.exit_code == DONE
    assert unset.stdout.splitlines()[1:] == [
        "  warning SMALL_DATA is not set: a refresh needs it, for instance SMALL_DATA=/data/exports."
    ]
    (company.data / "subscriptions.csv").unlink()
    missing = validate(company)
    assert missing.exit_code == DONE
    (warning,) = missing.stdout.splitlines()[1:]
    assert warning.startswith(
        f"  warning {company.data / 'subscriptions.csv'}: no such file, or no file to read in it; "
    )
    company.source("accounts", tabel="accounts")
    company.write()
    assert validate(company).exit_code == MISUSE


@pytest.mark.slow
def test_the_first_rows_of_each_source_are_read_and_nothing_is_written(tmp_path: Path) -> None:
    company = a_company(tmp_path)
    (company.data / "subscriptions.csv").write_text(
        "subscription_id,account_id,amount,currency,start_date,colour\n"
        "S1,A01,\"1,234.50\",EUR,15/01/2024,red\n"
        "S2,A02,much,EUR,15/01/2024,red\n"
        "S3,A99,little,EUR,15/01/2024,red\n"  # whether an account is known is not judged
    )  # fmt: skip
    company.source("subscriptions", date_formats=["%d/%m/%Y"])
    company.write_settings()
    found = validate(company, "small", "--data")
    assert found.exit_code == DONE
    lines = [" ".join(line.split()) for line in found.stdout.splitlines()]
    assert lines[1] == "accounts: all 12 rows, of one file"
    assert "status 92 % active" in lines  # A03 has none
    assert "subscriptions: all 3 rows, of one file" in lines
    assert "amount 33 % 1,234.50 is read as 1234.5" in lines
    assert "start_date 100 % 15/01/2024 is read as 2024-01-15" in lines or "start_date 100 % 2024-01-15" in lines
    assert "not read: colour" in lines
    assert lines[-2:] == [
        "would be quarantined: 2 rows (66.7 %)",
        "2: amount: 'much' is not a number (write 1234.50)",
    ]
    assert not company.home.exists()


@pytest.mark.slow
def test_a_missing_column_or_a_source_of_which_nothing_would_come_in_fails(tmp_path: Path) -> None:
    company = a_company(tmp_path)
    whole = (company.data / "subscriptions.csv").read_text()
    (company.data / "subscriptions.csv").write_text("subscription_id,account_id\nS01,A01\n")
    missing = validate(company, "--data")
    assert missing.exit_code == FAILED
    assert "has no column 'start_date'" in missing.stdout
    (company.data / "subscriptions.csv").write_text(
        "subscription_id,account_id,amount,currency,start_date\nS01,A01,10,EUR,soon\n"
    )
    rejected = validate(company, "--data")
    assert rejected.exit_code == FAILED
    assert "would be quarantined: 1 rows (100.0 %)" in rejected.stdout
    (company.data / "subscriptions.csv").write_text(whole)
    assert validate(company, "--data").exit_code == DONE


@pytest.mark.slow
def test_a_query_is_asked_for_its_first_rows(tmp_path: Path) -> None:
    company = a_company(tmp_path)
    (company.data / "items.csv").write_text("id,of,cents\n1,A01,1000\n2,A02,2000\n")
    company.settings["sources"][1] = {
        "kind": "sql",
        "table": "subscriptions",
        "files": {"items": "${SMALL_DATA}/items.csv"},
        "query": "select id as subscription_id, of as account_id, cents::int / 100 as amount, date '2024-01-15' as start_date "
        "from items order by id desc;",
    }
    company.write_settings()
    found = validate(company, "--data")
    assert found.exit_code == DONE
    lines = [" ".join(line.split()) for line in found.stdout.splitlines()]
    assert "subscriptions: all 2 rows, of a query over items" in lines
    assert "amount 100 % 20" in lines
    company.settings["sources"][1]["query"] = "select nothing from items"
    company.write_settings()
    wrong = validate(company, "--data")
    assert wrong.exit_code == FAILED
    assert 'Referenced column "nothing" not found' in wrong.stdout


@pytest.mark.slow
def test_presets_and_the_first_rows_of_their_queries(tmp_path: Path) -> None:
    company = a_company(tmp_path)
    (company.data / "companies.csv").write_text("Record ID,Company Name,Merged Company IDs\n1,Alder,7\n2,Birch,\n")
    company.settings["sources"] = [
        {"preset": "hubspot_export", "folder": "${SMALL_DATA}", "tables": {"subscriptions": None}},
        {"kind": "files", "table": "subscriptions", "path": "${SMALL_DATA}/subscriptions.csv"},
    ]
    company.write_settings()
    found = validate(company, "--data")
    assert (found.exit_code, found.exception) == (DONE, None)
    lines = [" ".join(line.split()) for line in found.stdout.splitlines()]
    assert lines[1] == "preset hubspot_export: accounts, account_aliases"
    assert "no such file" not in found.stdout  # owners may be missing
    assert "accounts.csv, support_tickets.csv, usage_events.csv lie beside the files of" in found.stdout
    assert "account_name 100 % Alder" in lines
    assert "old_account_id 100 % 7" in lines
