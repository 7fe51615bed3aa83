"""The file is the unit of events: only new and changed files are read, and only days that they touch are judged again."""

import os
import shutil
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path

import dagster as dg
import ibis
import pytest

from cx_intel.contracts.catalog import contract_of
from cx_intel.orchestration.checks.check import CheckContext
from cx_intel.orchestration.checks.gone_files import GoneFiles
from cx_intel_tests.helpers.event_files import EventFiles, event_files

MONDAY = date(2025, 1, 6)
TUESDAY, WEDNESDAY, THURSDAY = (MONDAY + timedelta(days=n) for n in (1, 2, 3))


@pytest.fixture
def events(tmp_path: Path) -> Iterator[EventFiles]:
    with event_files(tmp_path) as made:
        made.write("mon", ["E1", "A", "2025-01-06T08:00:00"], ["E2", "B", "2025-01-06T09:00:00"])
        made.write("tue", ["E3", "A", "2025-01-07T08:00:00"])
        yield made


def test_the_first_refresh_reads_every_file_and_judges_every_day(events: EventFiles) -> None:
    assert events.refresh(TUESDAY) == (MONDAY, TUESDAY)
    assert events.read == ("mon.csv", "tue.csv")
    assert events.staged() == {"E1": MONDAY, "E2": MONDAY, "E3": TUESDAY}


def test_of_many_files_only_the_new_one_is_opened(events: EventFiles) -> None:
    events.refresh(TUESDAY)
    events.write("wed", ["E4", "A", "2025-01-08T08:00:00"])
    for name in ("mon.csv", "tue.csv"):
        (events.folder / name).chmod(0)  # opening it would raise, unless it is root who does
    assert events.refresh(WEDNESDAY) == (WEDNESDAY,)
    assert events.read == ("wed.csv",)
    assert events.staged()["E4"] == WEDNESDAY


def test_nothing_is_read_and_one_day_is_judged_when_nothing_is_new(events: EventFiles) -> None:
    events.refresh(TUESDAY)
    assert events.deliver(TUESDAY) == ()
    assert events.read == ()
    assert events.stage(TUESDAY) == (TUESDAY,)


def test_a_late_event_has_its_day_judged_again_and_is_news_of_it(events: EventFiles) -> None:
    events.refresh(TUESDAY)
    before = events.news()
    events.write("wed", ["E4", "A", "2025-01-08T08:00:00"], ["E0", "A", "2025-01-06T07:00:00"])
    assert events.refresh(WEDNESDAY) == (MONDAY, WEDNESDAY)
    assert events.staged()["E0"] == MONDAY
    assert events.news()[MONDAY] != before[MONDAY]
    assert events.news()[TUESDAY] == before[TUESDAY]


def test_the_rows_of_a_changed_file_replace_those_that_it_gave_before(events: EventFiles) -> None:
    events.refresh(TUESDAY)
    events.write("tue", ["E3", "A", "2025-01-06T10:00:00"], ["E5", "B", "2025-01-07T11:00:00"])
    assert events.refresh(TUESDAY) == (MONDAY, TUESDAY)
    assert events.read == ("tue.csv",)
    assert events.staged() == {"E1": MONDAY, "E2": MONDAY, "E3": MONDAY, "E5": TUESDAY}


def test_a_day_that_a_changed_file_leaves_has_no_event_any_more(events: EventFiles) -> None:
    events.refresh(TUESDAY)
    events.write("tue", ["E3", "A", "2025-01-06T10:00:00"])
    assert events.refresh(WEDNESDAY) == (MONDAY, TUESDAY, WEDNESDAY)
    assert events.staged() == {"E1": MONDAY, "E2": MONDAY, "E3": MONDAY}


def test_a_file_that_was_only_touched_is_not_read(events: EventFiles) -> None:
    events.refresh(TUESDAY)
    os.utime(events.folder / "mon.csv", (1, 1))
    assert events.deliver(TUESDAY) == ()
    assert events.stage(TUESDAY) == (TUESDAY,)


def test_rows_in_another_order_are_no_news(events: EventFiles) -> None:
    events.refresh(TUESDAY)
    before = events.news()
    events.write("mon", ["E2", "B", "2025-01-06T09:00:00"], ["E1", "A", "2025-01-06T08:00:00"])
    assert events.refresh(TUESDAY) == (TUESDAY,)
    assert events.news() == before


def test_a_rejected_row_is_told_where_it_stands_now(events: EventFiles) -> None:
    known, unknown = ["E1", "A", "2025-01-06T08:00:00"], ["E2", "C", "2025-01-06T09:00:00"]
    events.write("mon", known, unknown)
    events.refresh(TUESDAY)
    before = events.news()
    events.write("mon", unknown, known)
    assert events.refresh(TUESDAY) == (MONDAY, TUESDAY)
    rejected = events.warehouse.table("rejected_rows")
    assert [row["row_number"] for row in events.warehouse.rows(rejected.select("row_number"))] == [1]
    assert events.news() == before


def test_what_was_rejected_of_a_refused_delivery_goes_when_the_file_is_whole_again(events: EventFiles) -> None:
    whole = (["E1", "A", "2025-01-06T08:00:00"], ["E2", "B", "2025-01-06T09:00:00"])
    events.refresh(TUESDAY)
    events.write("mon", whole[0], ["E2", "B", "2025-01-06T9h00:00"])
    events.refuse(TUESDAY)
    rejected = events.warehouse.table("rejected_rows").select("row_number")
    assert [row["row_number"] for row in events.warehouse.rows(rejected)] == [2]
    assert events.staged()["E2"] == MONDAY

    events.write("mon", *whole)
    assert events.refresh(TUESDAY) == (MONDAY, TUESDAY)
    assert events.warehouse.rows(rejected) == []
    assert events.refresh(TUESDAY) == (TUESDAY,)


def test_a_file_of_another_name_and_the_same_contents_gives_its_rows_once(events: EventFiles) -> None:
    events.refresh(TUESDAY)
    (events.folder / "mon.csv").rename(events.folder / "sent-mon.csv")
    events.refresh(TUESDAY)
    assert events.staged() == {"E1": MONDAY, "E2": MONDAY, "E3": TUESDAY}
    assert events.quarantined(TUESDAY) == {}
    assert list(events.warehouse.known_files("raw_usage_events")) == ["sent-mon.csv", "tue.csv"]


def test_rows_of_a_file_that_is_gone_stay_and_it_is_remembered_as_gone(events: EventFiles) -> None:
    events.refresh(TUESDAY)
    (events.folder / "mon.csv").unlink()
    events.refresh(TUESDAY)
    assert events.staged()["E1"] == MONDAY
    assert events.warehouse.known_files("raw_usage_events")["mon.csv"].is_gone


@pytest.mark.parametrize("source", [{"gone_files": "take_back"}, {"delivers": "all"}])
def test_rows_of_a_file_that_is_gone_are_taken_back_where_the_source_says_so(
    tmp_path: Path, source: dict[str, str]
) -> None:
    with event_files(tmp_path, **source) as events:
        events.write("mon", ["E1", "A", "2025-01-06T08:00:00"])
        events.write("tue", ["E3", "A", "2025-01-07T08:00:00"])
        events.refresh(TUESDAY)
        (events.folder / "mon.csv").unlink()
        assert events.refresh(TUESDAY) == (MONDAY, TUESDAY)
        assert events.staged() == {"E3": TUESDAY}


def test_an_account_that_comes_later_than_its_events_makes_them_valid(events: EventFiles) -> None:
    events.write("mon", ["E1", "A", "2025-01-06T08:00:00"], ["E2", "C", "2025-01-06T09:00:00"])
    events.refresh(TUESDAY)
    assert events.quarantined(TUESDAY) == {("mon.csv", 2): "account_id 'C' is not among the accounts"}
    before = events.news()
    events.know("A", "B", "C")
    assert events.refresh(WEDNESDAY) == (MONDAY, WEDNESDAY)
    assert events.read == ()
    assert events.staged()["E2"] == MONDAY
    assert events.quarantined(WEDNESDAY) == {}
    assert events.news()[MONDAY] != before[MONDAY]
    assert events.refresh(WEDNESDAY) == (WEDNESDAY,)


def test_an_account_that_leaves_takes_its_events_along(events: EventFiles) -> None:
    events.refresh(TUESDAY)
    events.know("A")
    assert events.refresh(WEDNESDAY) == (MONDAY, WEDNESDAY)
    assert events.staged() == {"E1": MONDAY, "E3": TUESDAY}
    assert events.quarantined(WEDNESDAY) == {("mon.csv", 2): "account_id 'B' is not among the accounts"}


def test_rows_without_a_time_are_quarantined_with_those_of_their_file(events: EventFiles) -> None:
    events.write("tue", ["E3", "A", "2025-01-07T08:00:00"], ["E4", "A", "yesterday"])
    events.write("notes", ["E9", "A", "soon"])
    events.refresh(TUESDAY)
    expected = {
        ("tue.csv", 2): "event_timestamp: 'yesterday' is not a time (YYYY-MM-DDTHH:MM:SS)",
        ("notes.csv", 1): "event_timestamp: 'soon' is not a time (YYYY-MM-DDTHH:MM:SS)",
    }
    assert events.quarantined(TUESDAY) == expected
    events.write("wed", ["E5", "A", "2025-01-08T08:00:00"])
    assert events.refresh(WEDNESDAY) == (WEDNESDAY,)
    assert events.quarantined(WEDNESDAY) == expected  # files long read are told as long as their rows are bad


def test_rows_that_cannot_be_split_are_quarantined_with_their_text(events: EventFiles) -> None:
    with (events.folder / "tue.csv").open("a") as file:
        file.write("E4,A\n")
    events.refresh(TUESDAY)
    assert events.quarantined(TUESDAY) == {("tue.csv", 2): "has 2 columns where the header has 4"}
    assert events.raw_rows() == {("tue.csv", 2): "E4,A"}


def test_a_rejected_row_is_shown_as_it_stood_under_the_names_of_its_file(events: EventFiles) -> None:
    (events.folder / "tue.csv").write_text(
        'event_id,customer,event_timestamp,event_name,user_id\n"E""3",C, 2025-01-07T08:00:00 ,"Log\nin",\n'
    )
    (events.folder / "mon.csv").unlink()
    events.source["columns"] = {"account_id": "customer"}
    events.refresh(TUESDAY)
    stood = '{"event_id":"E\\"3","customer":"C","user_id":"","event_name":"Log\\nin","event_timestamp":" 2025-01-07T08:00:00 "}'
    assert events.raw_rows() == {("tue.csv", 1): stood}


def test_a_rejected_row_is_shown_with_the_columns_that_nothing_reads(events: EventFiles) -> None:
    (events.folder / "tue.csv").write_text(
        "event_id,account_id,event_timestamp,event_name,ip\nE3,C,2025-01-07T08:00:00,login,::1\n"
    )
    events.refresh(TUESDAY)
    stood = '{"event_id":"E3","account_id":"C","event_timestamp":"2025-01-07T08:00:00","event_name":"login","ip":"::1"}'
    assert events.raw_rows() == {("tue.csv", 1): stood}


def test_of_an_event_in_several_files_the_last_file_holds_whichever_came_first(events: EventFiles) -> None:
    events.write("tue", ["E3", "A", "2025-01-07T08:00:00"], ["E9", "A", "2025-01-07T10:00:00"])
    events.refresh(TUESDAY)
    events.write("again", ["E3", "B", "2025-01-07T08:30:00"])
    events.refresh(TUESDAY)
    reason = "duplicate of row 1 of tue.csv: the same event_id"
    assert events.quarantined(TUESDAY) == {("again.csv", 1): reason}
    stood = '{"event_id":"E3","account_id":"B","event_name":"login","event_timestamp":"2025-01-07T08:30:00"}'
    assert events.raw_rows() == {("again.csv", 1): stood}
    assert events.staged() == {"E1": MONDAY, "E2": MONDAY, "E3": TUESDAY, "E9": TUESDAY}


def test_days_after_the_day_of_the_run_are_judged_when_they_are_over(events: EventFiles) -> None:
    events.write("later", ["E7", "A", "2025-01-09T08:00:00"], ["E8", "C", "2025-01-09T08:00:00"])
    assert events.refresh(TUESDAY) == (MONDAY, TUESDAY)
    assert "E7" not in events.staged()
    assert events.refresh(THURSDAY) == (THURSDAY,)
    assert events.staged()["E7"] == THURSDAY
    assert ("later.csv", 2) in events.quarantined(THURSDAY)


def test_days_are_those_of_the_portfolio(tmp_path: Path) -> None:
    with event_files(tmp_path, "America/Los_Angeles") as events:
        events.write("mon", ["E1", "A", "2025-01-07T05:00:00Z"], ["E2", "A", "2025-01-07T09:00:00Z"])
        events.refresh(TUESDAY)
        assert events.staged() == {"E1": MONDAY, "E2": TUESDAY}
        before = events.news()
        events.write("wed", ["E3", "A", "2025-01-08T09:00:00Z"])
        assert events.refresh(WEDNESDAY) == (WEDNESDAY,)
        assert events.news()[TUESDAY] == before[TUESDAY]


def test_other_settings_of_the_source_have_every_file_read_again(events: EventFiles) -> None:
    events.refresh(TUESDAY)
    events.source["time_zone"] = "America/New_York"
    assert events.refresh(TUESDAY) == (MONDAY, TUESDAY)
    assert events.read == ("mon.csv", "tue.csv")


def test_a_limit_on_what_may_be_bad_is_no_matter_of_reading(events: EventFiles) -> None:
    events.refresh(TUESDAY)
    events.source["max_quarantined_pct"] = 50
    assert events.deliver(TUESDAY) == ()
    assert events.read == ()


def test_a_folder_that_moves_is_not_read_again(events: EventFiles, tmp_path: Path) -> None:
    events.refresh(TUESDAY)
    shutil.move(events.folder, tmp_path / "moved")
    events.source["path"], events.folder = str(tmp_path / "moved"), tmp_path / "moved"
    assert events.deliver(TUESDAY) == ()
    assert events.read == ()


def test_a_warehouse_that_kept_the_raw_table_whole_goes_over_to_days(events: EventFiles) -> None:
    earlier = events.warehouse.database.connection.execute
    earlier("CREATE TABLE small.raw_usage_events (event_id VARCHAR, account_id VARCHAR)")
    earlier("INSERT INTO small.raw_usage_events VALUES ('E0', 'A')")
    events.warehouse.remember("raw_usage_events", {THURSDAY: "whole"})
    events.refresh(TUESDAY)
    assert events.staged() == {"E1": MONDAY, "E2": MONDAY, "E3": TUESDAY}
    assert set(events.warehouse.day_state("raw_usage_events")) == {MONDAY, TUESDAY}


def gone_files_told(events: EventFiles) -> list[tuple[bool, bool, str]]:
    """Whether the check passes and blocks, and what it says first."""
    contract = contract_of("stg_usage_events", events.portfolio)
    context = CheckContext(contract.no_rows(), (), WEDNESDAY, events.warehouse)
    found = GoneFiles(contract, events.portfolio).run(context)
    return [(result.passed, result.blocks, result.rule.recovery.split(". ")[0]) for result in found]


def test_a_file_that_is_gone_is_told_until_the_source_says_what_to_do(events: EventFiles) -> None:
    events.refresh(TUESDAY)
    assert gone_files_told(events) == [(True, False, "Not there any more: none")]
    (events.folder / "mon.csv").unlink()
    events.refresh(TUESDAY)
    assert gone_files_told(events) == [(False, False, "Not there any more: mon.csv")]
    events.source["gone_files"] = "keep"
    assert gone_files_told(events) == []


def test_other_tables_have_no_such_check(events: EventFiles) -> None:
    contract = contract_of("stg_accounts", events.portfolio)
    assert GoneFiles(contract, events.portfolio).specs(dg.AssetKey(["small", "stg_accounts"])) == []


def test_files_are_read_again_where_the_table_was_kept_whole_meanwhile(events: EventFiles) -> None:
    events.refresh(TUESDAY)
    events.warehouse.stage("raw_usage_events", [ibis.memtable({"event_id": ["E0"], "account_id": ["A"]})])
    events.warehouse.swap("raw_usage_events", stands_at=TUESDAY)  # several sources delivered it
    events.refresh(TUESDAY)
    assert events.staged() == {"E1": MONDAY, "E2": MONDAY, "E3": TUESDAY}
