"""The file is the unit of events: only new and changed files are read, and only days that they touch are judged again."""

import os
import shutil
from datetime import date, timedelta
from pathlib import Path

import ibis
import pytest

from cx_intel_tests.helpers.event_files import EventFiles, event_files

pytestmark = pytest.mark.slow  # loads from real files

MONDAY = date(2025, 1, 6)
TUESDAY, WEDNESDAY, THURSDAY = (MONDAY + timedelta(days=n) for n in (1, 2, 3))


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
        ("tue.csv", 2): "event_timestamp: 'yesterday' is not a time (YYYY-MM-DDTHH:MM:SS, or as date_formats say)",
        ("notes.csv", 1): "event_timestamp: 'soon' is not a time (YYYY-MM-DDTHH:MM:SS, or as date_formats say)",
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


def test_files_are_read_again_where_the_table_was_kept_whole_meanwhile(events: EventFiles) -> None:
    events.refresh(TUESDAY)
    events.warehouse.stage("raw_usage_events", [ibis.memtable({"event_id": ["E0"], "account_id": ["A"]})])
    events.warehouse.swap("raw_usage_events", stands_at=TUESDAY)  # several sources delivered it
    events.refresh(TUESDAY)
    assert events.staged() == {"E1": MONDAY, "E2": MONDAY, "E3": TUESDAY}


def test_of_a_file_that_grows_only_the_days_that_changed_are_told(events: EventFiles) -> None:
    """One export to which each day is added."""
    earlier = (["E5", "B", "2025-01-06T10:00:00"], ["E3", "A", "2025-01-07T08:00:00"])
    events.write("tue", *earlier)
    events.refresh(TUESDAY)
    events.write("tue", *earlier, ["E4", "A", "2025-01-08T08:00:00"])
    assert events.deliver(WEDNESDAY) == (WEDNESDAY,)


def test_a_staged_table_that_was_dropped_is_made_again_with_all_its_days(events: EventFiles) -> None:
    events.refresh(TUESDAY)
    database = events.warehouse.database
    database.connection.execute("DROP TABLE small.stg_usage_events")
    database.forget("small", "stg_usage_events")
    assert events.refresh(WEDNESDAY) == (MONDAY, TUESDAY, WEDNESDAY)
    assert events.staged() == {"E1": MONDAY, "E2": MONDAY, "E3": TUESDAY}


def test_a_rejected_row_is_shown_with_the_column_that_made_it_count(events: EventFiles) -> None:
    events.source["where"] = {"kind": "track"}
    for name in ("mon", "tue"):
        (events.folder / f"{name}.csv").write_text(
            "event_id,account_id,event_timestamp,event_name,kind\n"
            f"{name},C,2025-01-07T08:00:00,login,Track\n{name}2,A,2025-01-07T08:00:00,login,page\n"
        )
    events.refresh(TUESDAY)
    stood = '{"event_id":"mon","account_id":"C","event_timestamp":"2025-01-07T08:00:00","event_name":"login","kind":"Track"}'
    assert events.raw_rows()[("mon.csv", 1)] == stood
    assert events.told["rows_left_out"] == 2
