"""What becomes of events whose file is not there any more: they stay, unless the source says otherwise or the file came back."""

import gzip
import shutil
from datetime import date, timedelta
from pathlib import Path

import dagster as dg
import pytest

from cx_intel.contracts.catalog import contract_of
from cx_intel.orchestration.checks.check import CheckContext
from cx_intel.orchestration.checks.gone_files import GoneFiles
from cx_intel_tests.helpers.event_files import EventFiles, event_files

pytestmark = pytest.mark.slow  # loads from real files

MONDAY = date(2025, 1, 6)
TUESDAY, WEDNESDAY = (MONDAY + timedelta(days=n) for n in (1, 2))


def test_a_file_of_another_name_and_the_same_contents_gives_its_rows_once(events: EventFiles) -> None:
    events.refresh(TUESDAY)
    (events.folder / "mon.csv").rename(events.folder / "sent-mon.csv")
    events.refresh(TUESDAY)
    assert events.staged() == {"E1": MONDAY, "E2": MONDAY, "E3": TUESDAY}
    assert events.quarantined(TUESDAY) == {}
    assert list(events.warehouse.known_files("raw_usage_events")) == ["sent-mon.csv", "tue.csv"]


def compressed(file: Path) -> None:
    with gzip.open(f"{file}.gz", "wb") as packed:
        packed.write(file.read_bytes())
    file.unlink()


def test_a_file_that_is_compressed_gives_its_rows_once(events: EventFiles) -> None:
    events.refresh(TUESDAY)
    compressed(events.folder / "mon.csv")
    events.refresh(TUESDAY)
    assert events.staged() == {"E1": MONDAY, "E2": MONDAY, "E3": TUESDAY}
    assert events.quarantined(TUESDAY) == {}
    assert list(events.warehouse.known_files("raw_usage_events")) == ["mon.csv.gz", "tue.csv"]


def test_a_file_that_goes_after_its_copy_was_read_takes_its_rows_along(events: EventFiles) -> None:
    events.refresh(TUESDAY)
    shutil.copy(events.folder / "mon.csv", events.folder / "kept-mon.csv")
    events.refresh(TUESDAY)
    assert len(events.quarantined(TUESDAY)) == 2
    (events.folder / "mon.csv").unlink()
    events.refresh(TUESDAY)
    assert events.quarantined(TUESDAY) == {}
    assert events.staged() == {"E1": MONDAY, "E2": MONDAY, "E3": TUESDAY}


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


def test_rows_of_a_file_that_is_gone_follow_another_zone_of_the_portfolio(events: EventFiles) -> None:
    events.write("mon", ["E1", "A", "2025-01-07T05:00:00Z"], ["E9", "A", "soon"])
    events.refresh(TUESDAY)
    assert events.staged() == {"E1": TUESDAY, "E3": TUESDAY}
    (events.folder / "mon.csv").unlink()
    events.zone = "America/Los_Angeles"  # 21:00 on Monday there
    events.refresh(TUESDAY)
    assert events.staged() == {"E1": MONDAY, "E3": TUESDAY}
    events.write("late", ["E0", "A", "2025-01-06T20:00:00Z"])
    assert events.refresh(WEDNESDAY) == (MONDAY, WEDNESDAY)
    assert events.staged() == {"E0": MONDAY, "E1": MONDAY, "E3": TUESDAY}
    assert list(events.quarantined(WEDNESDAY)) == [("mon.csv", 2)]


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
