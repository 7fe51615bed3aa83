"""Events in files that name ids of another system: days are judged again where such an id gets another account."""

from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path

import pytest

from cx_intel_tests.helpers.event_files import EventFiles, event_files

MONDAY = date(2025, 1, 6)
TUESDAY, WEDNESDAY, THURSDAY = (MONDAY + timedelta(days=n) for n in (1, 2, 3))


@pytest.fixture
def events(tmp_path: Path) -> Iterator[EventFiles]:
    with event_files(tmp_path, system="product") as made:
        made.link("product", w1="A", w2="B", w3=None)
        made.write("mon", ["E1", " w1 ", "2025-01-06T08:00:00"], ["E2", "w3", "2025-01-06T09:00:00"])
        made.write("tue", ["E3", "w2", "2025-01-07T08:00:00"])
        yield made


def test_events_are_those_of_the_account_of_their_id(events: EventFiles) -> None:
    assert events.refresh(TUESDAY) == (MONDAY, TUESDAY)
    assert events.accounts() == {"E1": "A", "E3": "B"}
    assert events.quarantined(TUESDAY) == {("mon.csv", 2): "no account: product 'w3' has no link"}


@pytest.mark.slow
def test_days_of_an_id_that_gets_another_account_are_judged_again_and_no_others(events: EventFiles) -> None:
    events.refresh(TUESDAY)
    before = events.news()
    events.link("product", w1="A", w2="A", w3=None)
    assert events.refresh(WEDNESDAY) == (TUESDAY, WEDNESDAY)
    assert events.read == ()
    assert events.accounts() == {"E1": "A", "E3": "A"}
    assert events.news()[TUESDAY] != before[TUESDAY]
    assert events.refresh(WEDNESDAY) == (WEDNESDAY,)


def test_a_link_that_comes_later_makes_events_valid(events: EventFiles) -> None:
    events.refresh(TUESDAY)
    events.link("product", w1="A", w2="B", w3="B")
    assert events.refresh(WEDNESDAY) == (MONDAY, WEDNESDAY)
    assert events.accounts() == {"E1": "A", "E2": "B", "E3": "B"}
    assert events.quarantined(WEDNESDAY) == {}


@pytest.mark.slow
def test_an_account_that_leaves_takes_the_events_of_its_ids_along_and_brings_them_back(events: EventFiles) -> None:
    events.refresh(TUESDAY)
    events.know("A")
    assert events.refresh(WEDNESDAY) == (TUESDAY, WEDNESDAY)
    assert events.accounts() == {"E1": "A"}
    assert events.quarantined(WEDNESDAY)[("tue.csv", 1)] == "account_id 'B' is not among the accounts"
    events.know("A", "B")
    assert events.refresh(THURSDAY) == (TUESDAY, THURSDAY)
    assert events.accounts() == {"E1": "A", "E3": "B"}


@pytest.mark.slow
def test_an_email_address_counts_as_its_domain(tmp_path: Path) -> None:
    with event_files(tmp_path, system="domain") as events:
        events.link("domain", **{"a.example": "A"})
        events.write("mon", ["E1", "Eve@A.Example", "2025-01-06T08:00:00"], ["E2", "a.example", "2025-01-06T09:00:00"])
        events.refresh(MONDAY)
        assert events.accounts() == {"E1": "A", "E2": "A"}
        events.link("domain", **{"a.example": "B"})
        assert events.refresh(TUESDAY) == (MONDAY, TUESDAY)
        assert events.accounts() == {"E1": "B", "E2": "B"}
