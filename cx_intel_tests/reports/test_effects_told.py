"""Whether calls helped, who is held out, and what the list is ranked by, as pages, brief and workbook tell it."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from openpyxl import load_workbook

from cx_intel.reports.brief.weekly_brief import weekly_brief
from cx_intel.reports.data.account.details import account_details
from cx_intel.reports.data.figures.headline import headline
from cx_intel.reports.data.figures.kpis import kpis
from cx_intel.reports.data.notes.effects import effect_notes, ranking_note, verdict_note
from cx_intel.reports.data.report_data import ReportData
from cx_intel.reports.pages.renewals import renewals
from cx_intel.reports.workbook.workbook import write_workbook
from cx_intel.settings.portfolio import Portfolio
from cx_intel.settings.renewals import HoldOutSettings
from cx_intel.warehouse.duckdb.access.opening import reading
from cx_intel.warehouse.duckdb.warehouse import DuckDBWarehouse
from cx_intel_tests.helpers.builders import AS_OF, shipped
from cx_intel_tests.helpers.report_books import read_book
from cx_intel_tests.helpers.report_rows import dim_row
from cx_intel_tests.helpers.report_tables import accounts_of, due, fill, listed

NOVACRM = shipped("novacrm")
NAMES = ["Ada", "Berta", "Cora"]
RENEWAL = AS_OF + timedelta(days=30)


def effect(comparison: str, verdict: str | None, **more: Any) -> dict[str, Any]:
    """Kept: 90 of 100 to call, 50 of 20 held out."""
    row = {
        "playbook": "all",
        "comparison": comparison,
        "verdict": verdict,
        "undecided": 5,
        "unmatched": 0,
        "missing": 0,
    }
    row |= {"acted_accounts": 40, "acted_lost": 4, "acted_done": 39, "acted_arr": 40000, "acted_kept_pct": 90.0}
    row |= {"other_accounts": 20, "other_lost": 10, "other_done": 2, "other_arr": 20000, "other_kept_pct": 50.0}
    row |= {"acted_kept_arr_pct": 91.0, "other_kept_arr_pct": 52.0}
    row |= {"difference_points": 40.0, "difference_low_points": 20.4, "difference_high_points": 57.6}
    return (
        row
        | {"arr_difference_points": 39.0, "arr_difference_low_points": 15.0, "arr_difference_high_points": 61.0}
        | more
    )


def with_hold_out(ranked_by: str = "loss") -> Portfolio:
    assert NOVACRM.renewals is not None
    changes = {"hold_out": HoldOutSettings(share_pct=5), "ranked_by": ranked_by}
    return NOVACRM.model_copy(update={"renewals": NOVACRM.renewals.model_copy(update=changes)})


def calls(ranked_by: str = "loss") -> list[dict[str, Any]]:
    """Ada and Berta are to be called, Cora is held out."""
    rows = listed(NAMES, renewal_date=RENEWAL, ranked_by=ranked_by, is_held_out=False, effort_hours=2.0)
    rows[2] |= {"is_held_out": True, "is_within_capacity": False}
    return [row | {"saved_arr_per_hour": 81} for row in rows]


def data_of(path: Path, effects: list[dict[str, Any]], rows: Any = None, of: Portfolio = NOVACRM) -> ReportData:
    tables = {
        "account_snapshot": accounts_of(NAMES),
        "dim_account": [dim_row(row) for row in accounts_of(NAMES)],
        "renewal_pipeline": due(NAMES),
        "cs_intervention_list": calls() if rows is None else rows,
        "playbook_effects": effects,
    }
    return read_book(fill(path / "w.duckdb", of, tables), of)


def test_the_verdict_is_told_with_its_range_and_what_was_done(tmp_path: Path) -> None:
    data = data_of(tmp_path, [effect("assigned", "helped"), effect("similar", None)])
    assert effect_notes(data) == [
        "Drawn by lot: of the 40 accounts to call, 90 of 100 were kept; of the 20 held out, 50 of 100.",
        "Calls helped: +40 of 100 renewals. A range such as +20 to +58 holds the true figure 9 times in 10.",
        "Of those to call, 39 were called; of those held out, 2 were all the same. Each counts as it was drawn, whatever was "
        "done, so that no choice is in it.",
        "What is not by lot below is no proof: accounts are listed when they look worst, and many recover by themselves "
        "(regression to the mean), with a call or without; and somebody chose whom to call.",
    ]
    assert verdict_note(data) == effect_notes(data)[:2]
    assert "Calls helped" in weekly_brief(data).markdown


@pytest.mark.slow
def test_harm_chance_and_too_few_are_told_as_such(tmp_path: Path) -> None:
    told = {}
    for verdict in ("harmed", "not_shown", "withheld"):
        (tmp_path / verdict).mkdir()
        row = effect(
            "assigned",
            verdict,
            difference_points=-3.0,
            difference_low_points=-9.0,
            difference_high_points=2.0,
            missing=7,
        )
        data = data_of(tmp_path / verdict, [row])
        told[verdict] = (effect_notes(data), verdict_note(data))
    assert told["harmed"][0][1].startswith("Calls did harm: −3 of 100 renewals.")
    assert told["not_shown"][0][1] == (
        "Whether calls helped cannot be told from chance: −3 of 100 renewals may as well be anything from −9 to +2."
    )
    assert told["withheld"] == (
        [
            "Whether calls help cannot be said yet: the renewals of 40 accounts to call and 20 held out by lot are decided, "
            "and it takes 20 of each, so 7 more of the smaller side; 5 are open."
        ],
        [],
    )


@pytest.mark.slow
def test_without_a_hold_out_regression_to_the_mean_is_named(tmp_path: Path) -> None:
    data = data_of(tmp_path, [effect("similar", None), effect("done_or_not", None)])
    (told,) = effect_notes(data)
    assert told.startswith("Nobody is held out by lot, so this is no proof")
    assert "regression to the mean" in told
    assert verdict_note(data) == []


@pytest.mark.slow
def test_the_page_shows_each_comparison_all_playbooks_first(tmp_path: Path) -> None:
    play = "Executive save call"
    rows = [effect("done_or_not", None, playbook=play), effect("similar", None), effect("assigned", "helped")]
    page = renewals(data_of(tmp_path, rows))
    (section,) = [s for s in page.sections if s.title == "Did calls help?"]
    cells = [[cell.text for cell in row] for row in section.tables[0].rows]
    figures = ["40", "90%", "20", "50%", "+40 (+20 to +58)", "+39 (+15 to +61)"]
    assert cells == [
        ["All", "By lot: to call, against held out", *figures, "calls helped"],
        ["All", "Called, against similar accounts", *figures, "no proof"],
        [play, "Called, against all others", *figures, "no proof"],
    ]


@pytest.mark.slow
def test_who_is_held_out_stays_visible_and_is_no_work(tmp_path: Path) -> None:
    data = data_of(tmp_path, [])
    page = renewals(data)
    assert "Did calls help?" not in [s.title for s in page.sections]
    section = page.sections[0]
    held = "1 account is held out by lot, to see whether calls help: it is not to be called, and stands at the end."
    assert section.notes[0] == "The list is ranked by expected loss."
    assert section.notes[-1] == held
    table, by_owner = section.tables
    assert [row[1].text for row in table.rows] == NAMES
    at = [heading.label for heading in table.headings].index("What to do")
    assert [row[at].text for row in table.rows][-1] == "No call: held out by lot"
    assert table.divider == (2, "The accounts below are held out by lot: they are not to be called")
    assert [row[0].text for row in by_owner.rows] == ["Ada", "Berta"]
    brief = weekly_brief(data).markdown
    assert held in brief
    assert "2 calls this week" in brief
    assert "Cora" not in brief.split("## Whom to call")[1].split("##")[0]
    assert {kpi.key: kpi.value for kpi in kpis(data)}["priority_accounts"] == 2
    facts = dict(account_details(data, ["c2"])[0]["renewal"])
    assert facts["Intervention"] == "held out by lot, to see whether calls help: not to be called"


@pytest.mark.slow
def test_when_everybody_at_risk_is_held_out_nobody_needs_a_call(tmp_path: Path) -> None:
    data = data_of(tmp_path, [], [row | {"is_held_out": True, "is_within_capacity": False} for row in calls()])
    assert "whoever is at risk within 90 days is held out by lot" in weekly_brief(data).markdown
    assert renewals(data).answer[0] == "Nobody: whoever is at risk within 90 days is held out by lot."


@pytest.mark.slow
def test_the_page_says_which_order_the_list_follows(tmp_path: Path) -> None:
    given = {"by_loss": ("loss", NOVACRM), "not_yet": ("loss", with_hold_out("saved_per_hour"))}
    given["by_hour"] = ("saved_per_hour", with_hold_out("saved_per_hour"))
    told = {}
    for name, (ranked_by, of) in given.items():
        (tmp_path / name).mkdir()
        data = data_of(tmp_path / name, [], calls(ranked_by), of)
        told[name] = ranking_note(data)
        in_order = "In order of the ARR that an hour is expected to save" in weekly_brief(data).markdown
        assert in_order == (ranked_by == "saved_per_hour")
    assert told["by_loss"] == "The list is ranked by expected loss."
    assert told["not_yet"].startswith("The list is ranked by expected loss, because too few")
    assert told["by_hour"].startswith("The list is ranked by the ARR that an hour of the owner is expected to save")


@pytest.mark.slow
def test_the_workbook_has_the_hours_who_is_held_out_and_whether_calls_helped(tmp_path: Path) -> None:
    data = data_of(tmp_path, [effect("assigned", "helped")])
    write_workbook(data, tmp_path / "book.xlsx")
    book = load_workbook(tmp_path / "book.xlsx")
    rows = list(book["Intervention list"].iter_rows(min_row=5, values_only=True))
    at = {title: place for place, title in enumerate(rows[0])}
    assert [row[at["Capacity"]] for row in rows[1:]] == ["within", "within", "held out"]
    assert [row[at["Hours"]] for row in rows[1:]] == [2, 2, 2]
    assert [row[at["Expected to be saved per hour"]] for row in rows[1:]] == [81, 81, 81]
    told = [row[0] for row in book["Intervention list"].iter_rows(min_row=1, max_row=4, values_only=True)]
    assert "held out by lot" in told[3]
    effects = list(book["Did calls help"].iter_rows(min_row=5, values_only=True))
    assert effects[1][:4] == ("All", "By lot: to call, against held out", 40, 39)
    assert effects[1][-1] == "calls helped"


@pytest.mark.slow
def test_the_headline_counts_whom_to_call(tmp_path: Path) -> None:
    data_of(tmp_path, [])
    with reading(tmp_path / "w.duckdb") as database:
        found = headline(DuckDBWarehouse(database, NOVACRM.name), NOVACRM, AS_OF)
    assert {figure.label: figure.text for figure in found.figures}["Accounts to call"] == "2"
    assert list(found.call_first["account_name"]) == ["Ada", "Berta"]
