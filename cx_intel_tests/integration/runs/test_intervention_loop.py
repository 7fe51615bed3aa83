"""The loop closed: an entry is done by command, another snoozed in a sheet; the list, and what an erasure leaves of it."""

from datetime import date, timedelta
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from cx_intel.cli.app import app
from cx_intel_tests.helpers.small_company import AS_OF, SmallCompany

NEXT = AS_OF + timedelta(days=1)
DONE, MISUSE = 0, 2


def typed(company: SmallCompany, *words: str) -> Result:
    return CliRunner().invoke(app, list(words), env=company.variables | {"COLUMNS": "200"})


def listed(company: SmallCompany, day: date) -> dict[str, str]:
    return company.values("cs_intervention_list", "entry_id", where=f"as_of = DATE '{day}'")


@pytest.mark.slow  # two refreshes and an erasure
def test_what_is_done_leaves_the_list_and_is_told(tmp_path: Path) -> None:
    company = SmallCompany(tmp_path)
    company.settings["publish"] = {"enabled": False}
    sheet = {"kind": "files", "table": "actions", "path": "${SMALL_DATA}/sheet.csv"}
    company.settings["sources"] = [*company.settings["sources"], sheet]
    company.tables["support_tickets"].append(
        company.tables["support_tickets"][1] | {"ticket_id": "T9", "account_id": "A04"}
    )
    company.write()
    heading = "entry_id,account_id,status,snoozed_until,acted_by\n"
    (company.data / "sheet.csv").write_text(heading, encoding="utf-8")
    assert company.refresh(AS_OF).failures == []
    before = listed(company, AS_OF)
    assert before == {"A02": "A02@2025-02-15", "A04": "A04@2025-04-15"}

    by_command = typed(company, "action", "company 2", "done", "--by", "Kim", "--reason", "QBR agreed")
    assert by_command.exit_code == DONE, by_command.output
    assert "Company 2, A02@2025-02-15: done on 2025-01-31 by Kim." in by_command.output
    row = "A04@2025-04-15,A04,Snoozed,2025-02-20,Ann\n"
    (company.data / "sheet.csv").write_text(heading + row, encoding="utf-8")
    assert company.refresh(NEXT).failures == []
    assert listed(company, NEXT) == {}
    assert company.values("actions", "status", "acted_by", "acted_on", "outcome") == {
        "A02": ("done", "Kim", AS_OF, "open"),
        "A04": ("snoozed", "Ann", NEXT, "open"),
    }
    done = company.query("SELECT sum(entries), sum(done_entries), sum(snoozed_entries) FROM playbook_outcomes")
    assert done == [(2, 1, 1)]

    assert typed(company, "erase", "small", "--account", "A02", "--yes").exit_code == DONE
    for table in ("actions", "given_actions", "cs_intervention_list"):
        assert company.query(f"SELECT 1 FROM {table} WHERE account_id = 'A02'") == []


def test_a_command_that_says_too_little_is_refused(tmp_path: Path) -> None:
    company = SmallCompany(tmp_path)
    company.write_settings()
    for words, told in (
        (("snooze",), "snooze needs --until"),
        (("done", "--until", "2025-03-01"), "snooze needs --until"),
        (("dismiss",), "dismiss needs --reason"),
    ):
        found = typed(company, "action", "A02", *words)
        assert (found.exit_code, told in found.stderr) == (MISUSE, True)
