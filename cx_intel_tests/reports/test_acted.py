"""What was done with the intervention list, as the brief, the renewals page and an account tell it."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from cx_intel.reports.brief.facts import facts_of
from cx_intel.reports.brief.weekly_brief import weekly_brief
from cx_intel.reports.data.account.details import account_details
from cx_intel.reports.data.cubes.entries import entries_cube
from cx_intel.reports.data.notes.interventions import action_notes
from cx_intel.reports.data.report_data import ReportData
from cx_intel.reports.pages.renewals import renewals
from cx_intel_tests.helpers.builders import AS_OF, shipped
from cx_intel_tests.helpers.report_books import read_book
from cx_intel_tests.helpers.report_rows import dim_row
from cx_intel_tests.helpers.report_tables import WEEK_BEFORE, accounts_of, due, fill, listed

NOVACRM = shipped("novacrm")
NAMES = ["Ada", "Berta", "Cora", "Dora"]
RENEWAL = AS_OF + timedelta(days=30)


def acted(n: int, status: str, days_ago: int, **more: Any) -> dict[str, Any]:
    row = {"action_id": f"x{n}", "account_id": f"c{n}", "entry_id": f"c{n}@{RENEWAL}", "renewal_date": RENEWAL}
    row |= {"status": status, "acted_on": AS_OF - timedelta(days=days_ago), "is_newest": True, "current_arr": 1200}
    return row | {"outcome": "open", "acted_by": "Kim"} | more


ACTIONS = [
    acted(0, "done", 1, reason="QBR agreed"),
    acted(1, "snoozed", 2, snoozed_until=AS_OF + timedelta(days=9), acted_by=None),
    acted(2, "done", 40, outcome="lost", outcome_arr=0),
    acted(3, "done", 41, outcome="expanded", outcome_arr=1500, current_arr=800),
    acted(0, "open", 0, action_id="later", acted_on=AS_OF + timedelta(days=1), is_newest=False),
]


def entry(n: int, status: str, outcome: str, arr: float, **more: Any) -> dict[str, Any]:
    row = {"entry_id": f"c{n}@{RENEWAL}", "account_id": f"c{n}", "renewal_date": RENEWAL, "is_compared": False}
    row |= {"playbook": "CSM-led health review", "status": status, "outcome": outcome, "current_arr": arr}
    return row | more


ENTRIES = [
    entry(0, "done", "open", 1200),
    entry(1, "snoozed", "open", 1200),
    entry(2, "done", "lost", 1200, outcome_arr=0),
    entry(3, "done", "expanded", 800, outcome_arr=1500),
]
OUTCOMES = [
    {"playbook": "CSM-led health review", "entries": 4, "open_entries": 0, "done_entries": 3, "snoozed_entries": 1}
    | {"dismissed_entries": 0, "undecided": 2, "renewed": 0, "expanded": 1, "lost": 1}
    | {"listed_arr": 4400, "kept_arr": 800, "lost_arr": 1200, "kept_done_pct": 40.0}
]


def data_of(path: Path, actions: list[dict[str, Any]]) -> ReportData:
    snapshot = [*accounts_of(NAMES), *accounts_of(NAMES, WEEK_BEFORE)]
    tables = {
        "account_snapshot": snapshot,
        "dim_account": [dim_row(row) for row in accounts_of(NAMES)],
        "renewal_pipeline": due(NAMES),
        "cs_intervention_list": listed(NAMES, WEEK_BEFORE, renewal_date=RENEWAL),
        "actions": actions,
        "intervention_entries": ENTRIES if actions else [],
        "playbook_outcomes": OUTCOMES if actions else [],
    }
    return read_book(fill(path / "w.duckdb", NOVACRM, tables), NOVACRM)


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> ReportData:
    return data_of(tmp_path_factory.mktemp("acted"), ACTIONS)


def test_the_week_and_what_came_of_calls_are_told(data: ReportData) -> None:
    told = [
        "Acted on in the week: Ada (done on 30 Jan 2025 by Kim: QBR agreed); "
        "Berta (snoozed until 9 Feb 2025 on 29 Jan 2025).",
        "What came of the calls that are done: 1 expanded, 1 lost, 1 open.",
        "$800 of the $2,000 ARR whose renewal is decided was kept.",
    ]
    assert action_notes(data) == told
    brief = weekly_brief(data)
    assert "## What was done, and what came of it" in brief.markdown
    assert "Acted on in the week: Ada" in brief.html
    became = {row["account_name"]: row["became"] for row in facts_of(data).left}
    assert became == {"Ada": "done", "Berta": "snoozed", "Cora": "done", "Dora": "done"}


def test_the_renewals_page_lists_entries_and_playbooks(data: ReportData) -> None:
    page = renewals(data)
    (section,) = [s for s in page.sections if s.title == "What was done, and what came of it"]
    entries, playbooks = section.tables
    cells = [[cell.text for cell in row] for row in entries.rows]
    assert cells[0] == [
        *("Ada", "2 Mar 2025", "done", "30 Jan 2025", "Kim", "–", "QBR agreed", "–", "$1,200", "open", "–"),
    ]
    assert [row[0] for row in cells] == ["Ada", "Berta", "Cora", "Dora"]
    assert [cell.text for cell in playbooks.rows[0]] == [
        *("CSM-led health review", "4", "3", "1", "0", "0", "1", "1", "2", "40.0%", "–"),
    ]


def test_what_came_of_playbooks_follows_chosen_accounts(data: ReportData) -> None:
    (section,) = [s for s in renewals(data).sections if s.title == "What was done, and what came of it"]
    told = section.tables[1].for_script()
    assert told is not None
    assert told["by"] == {"playbook": "playbook"}
    cube = entries_cube(data)
    figures = [column[0] for column in told["columns"][1:]]
    rows = cube.rows.assign(**{"#": 1})

    def summed(name: str) -> float | None:
        made = cube.figures[name]
        kept = rows
        for column, _, value in made["where"]:
            kept = kept[kept[column] == value]
        whole = kept[made["per"]].to_numpy().sum() if "per" in made else None
        part = kept[made["of"]].to_numpy().sum()
        return part if whole is None else 100 * part / whole if whole else None

    assert [summed(name) for name in figures] == [4, 3, 1, 0, 0, 1, 1, 2, 40.0, None]


def test_an_account_tells_the_newest_action_on_its_renewal(data: ReportData) -> None:
    detail = account_details(data, ["c1"])[0]
    assert ["What was done", "snoozed until 9 Feb 2025 on 29 Jan 2025"] in detail["renewal"]


def test_nothing_is_told_before_anything_was_done(tmp_path: Path) -> None:
    data = data_of(tmp_path, [])
    assert action_notes(data) == []
    assert "What was done" not in weekly_brief(data).markdown
    assert "What was done, and what came of it" not in [s.title for s in renewals(data).sections]
