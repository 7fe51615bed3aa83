"""What an assistant is answered from a published copy: bounded, by name, without a path, and what there is instead."""

import json
from datetime import date
from pathlib import Path

import pytest

from cx_intel.assistants import definitions
from cx_intel.assistants.published import MOST_CHARACTERS, MOST_ROWS, PublishedAnswers
from cx_intel.reports.ask.answer import NoAnswer
from cx_intel_tests.helpers.builders import AS_OF, shipped
from cx_intel_tests.helpers.published_home import published_home
from cx_intel_tests.helpers.report_books import book_tables
from cx_intel_tests.helpers.report_tables import listed

FLEET = shipped("fleet")
NAMES = [f"Company {n}" for n in range(60)]


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("a-secret-place")


@pytest.fixture(scope="module")
def answers(home: Path) -> PublishedAnswers:
    """Sixty accounts, all on the list; the first has a name as long as a page."""
    tables = book_tables(FLEET, ["x" * 4000, *NAMES[1:]])
    tables["cs_intervention_list"] = listed(NAMES, primary_risk_signal="y" * 4000)
    return PublishedAnswers(published_home(home, FLEET, tables), {"fleet": FLEET, "novacrm": shipped("novacrm")})


def test_tables_come_with_their_contracts(answers: PublishedAnswers) -> None:
    found = answers.tables(None)
    assert (found["portfolio"], found["as_of"]) == ("fleet", str(AS_OF))
    named = {row["table"]: row for row in found["tables"]}
    assert named["nrr_summary"]["one_row_for_each"] == ["revenue_month"]
    assert "Whom to call first" in named["cs_intervention_list"]["answers"]
    assert not {"quarantine", "check_results", "publication", "cs_intervention_list_latest"} & set(named)
    table = answers.table("customer_health_scores", "fleet")
    (score,) = [column for column in table["columns"] if column["column"] == "health_score"]
    assert (score["unit"], "null_means" in score) == ("points", True)
    assert table["always_true"]


def test_rows_are_bounded_in_number_and_length(answers: PublishedAnswers) -> None:
    found = answers.rows("dim_account", None, {}, 10_000)
    assert len(found["rows"]) == MOST_ROWS
    assert max(len(value or "") for row in found["rows"] for value in row.values()) == MOST_CHARACTERS
    one = answers.rows("dim_account", None, {"account_id": "c7"}, 5)["rows"]
    assert [row["account_name"] for row in one] == ["Company 7"]
    assert answers.rows("dim_account", None, {"account_id": "' OR true --"}, 5)["rows"] == []


def test_the_list_is_by_rank_and_by_owner(answers: PublishedAnswers) -> None:
    found = answers.calls(None, None, 2)
    assert (found["accounts"], found["expected_arr_loss"], found["currency"]) == (60, 60 * 540.0, "EUR")
    assert [call["account_name"] for call in found["calls"]] == ["Company 0", "Company 1"]
    assert found["calls"][0]["due_date"] == "2025-02-07"
    assert len(found["calls"][0]["primary_risk_signal"]) == MOST_CHARACTERS
    assert [call["account_id"] for call in answers.calls(None, "company 3", 50)["calls"]] == ["c3"]
    with pytest.raises(NoAnswer, match="'Kim' has nobody to call; on the list are accounts of Company 0"):
        answers.calls(None, "Kim", 5)


@pytest.mark.slow
def test_an_account_is_explained_from_the_copy(answers: PublishedAnswers) -> None:
    found = answers.account("company 7", None)
    assert found["title"] == "Company 7, c7 as of 31 Jan 2025 (fleet)"
    with pytest.raises(NoAnswer, match="There is no account 'Kompany 77'; spelt alike are"):
        answers.account("Kompany 77", None)


@pytest.mark.slow
def test_what_changed_is_told_as_far_as_the_copy_goes(answers: PublishedAnswers, tmp_path: Path) -> None:
    titles = [section["title"] for section in answers.changed(None, 7)["sections"]]
    assert titles == ["Scores that fell most since 24 Jan 2025", "MRR in Jan 2025"]
    tables = book_tables(FLEET, NAMES[:3])
    for row in tables["customer_health_scores"]:
        row["unrounded_score"] = row["health_score"]
    kept = PublishedAnswers(published_home(tmp_path, FLEET, tables, days=8), {"fleet": FLEET})
    assert kept.changed(None, 7)["title"] == "fleet: from 24 Jan 2025 to 31 Jan 2025"


@pytest.mark.slow
def test_figures_come_under_each_definition(answers: PublishedAnswers) -> None:
    headline = answers.metric(None, None, None)
    assert headline["figures"]["Accounts to call"] == "60"
    assert "nrr_ttm_pct" in headline["may_be_asked_for"]
    rate = answers.metric("nrr_pct", None, date(2024, 12, 1))
    assert (rate["month"], rate["value"]) == ("2024-12", 91.7)
    assert {row["definition"] for row in rate["definitions"]} >= {"monthly", "closed cohort"}
    assert answers.metric("arpa", None, None)["parts"] == {"ending_mrr": 1200.0, "paying_accounts": 12}


def test_what_is_not_there_is_told_with_what_there_is(answers: PublishedAnswers, home: Path) -> None:
    for ask, told in (
        (lambda: answers.tables("acme"), "There is no portfolio 'acme'; there are fleet, novacrm."),
        (lambda: answers.tables("novacrm"), "novacrm is not published yet"),
        (lambda: answers.table("raw_accounts", None), "There is no table 'raw_accounts'; there are account_snapshot"),
        (lambda: answers.rows("publication", None, {}, 1), "There is no table 'publication'"),
        (lambda: answers.rows("dim_account", None, {"secret": "x"}, 1), "has no column 'secret'"),
        (lambda: answers.metric("happiness", None, None), "There is no definition of 'happiness'"),
        (lambda: answers.metric("arpa", None, date(2031, 1, 1)), "no month 2031-01"),
    ):
        with pytest.raises(NoAnswer, match=told) as raised:
            ask()
        assert str(home) not in str(raised.value)


def test_a_damaged_copy_is_told_without_where_it_lies(tmp_path: Path) -> None:
    environment = published_home(tmp_path, FLEET, {"dim_account": []})
    file = environment.published("fleet")
    file.chmod(0o600)
    file.write_bytes(b"not a database" * 1000)
    with pytest.raises(NoAnswer, match="cannot be") as raised:
        PublishedAnswers(environment, {"fleet": FLEET}).tables(None)
    assert str(tmp_path) not in str(raised.value)


def test_answers_hold_neither_paths_nor_whole_tables(answers: PublishedAnswers, home: Path) -> None:
    for found in (answers.tables(None), answers.calls(None, None, 50)):
        text = json.dumps(found)
        assert str(home) not in text
        assert len(text) < 60_000


def test_every_definition_is_found_by_its_heading() -> None:
    found = definitions.sections()
    assert {"Retention", "Horizon", "Freshness"} <= set(found)
    assert all(definitions.section(heading).startswith(heading) for heading in ("Retention", "Horizon"))
    assert "S-13" in definitions.section("waited for the customer")
    assert "grace_days" in definitions.section("grace_days")
    assert max(map(len, found.values())) < 12_000
    with pytest.raises(NoAnswer, match="No definition is about 'zebra'; there are What counts as MRR"):
        definitions.section("zebra")
