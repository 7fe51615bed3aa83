"""The parts that synthetic worlds are made of, each with figures worked by hand."""

from __future__ import annotations

from datetime import date

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cx_intel.demo_data.companies.account_draws import choice, parents
from cx_intel.demo_data.contract_lines import ContractBook, StateHistory
from cx_intel.demo_data.draws import generator
from cx_intel.demo_data.monthly_log import MonthlyLog
from cx_intel.demo_data.signups import SignupSchedule
from cx_intel.demo_data.text_columns import Counter, blank, identifiers, picked
from cx_intel.demo_data.timeline import (
    FAR,
    dates,
    day_number,
    day_of,
    day_of_month,
    first_day,
    is_weekend,
    month_number,
    months_of,
    working_weight,
)
from cx_intel.demo_data.trajectories import Stints, stints, trajectories


def ints(*values: int) -> np.ndarray:
    return np.array(values, dtype=np.int64)


def test_ids_are_padded_and_longer_numbers_take_the_digits_they_need() -> None:
    ids = identifiers("ACC-", Counter(ints(7, 9999, 10000, 42, 1234567), 4), "-U", Counter(ints(1, 22, 3, 100, 5), 2))
    assert list(ids) == ["ACC-0007-U01", "ACC-9999-U22", "ACC-10000-U03", "ACC-0042-U100", "ACC-1234567-U05"]


@settings(derandomize=True, max_examples=50)
@given(st.lists(st.integers(0, 10**7), max_size=30), st.integers(1, 6))
def test_ids_are_what_python_would_format(numbers: list[int], width: int) -> None:
    ids = identifiers("X-", Counter(ints(*numbers), width))
    assert list(ids) == [f"X-{number:0{width}d}" for number in numbers]


def test_picked_and_blank_leave_gaps_where_told() -> None:
    assert picked(["a", None, "c"], ints(2, 1, 0), np.array([False, False, True])).tolist() == [
        "c",
        pd.NA,
        pd.NA,
    ]
    column = blank(identifiers("A", Counter(ints(1, 2), 1)), np.array([True, False]))
    assert column.tolist() == [pd.NA, "A2"]


@settings(derandomize=True, max_examples=50)
@given(st.dates(date(1950, 1, 1), date(2100, 1, 1)))
def test_day_and_month_numbers_go_there_and_back(day: date) -> None:
    number = day_number(day)
    assert day_of(number) == day
    assert months_of(ints(number))[0] == month_number(day)
    assert day_of(first_day(month_number(day))) == day.replace(day=1)
    assert day_of_month(ints(number))[0] == day.day
    assert is_weekend(ints(number))[0] == (day.weekday() >= 5)


def test_a_far_day_is_no_date() -> None:
    stamps = dates(ints(day_number(date(2026, 11, 1)), FAR))
    assert stamps[0] == np.datetime64("2026-11-01")
    assert np.isnat(stamps[1])


def test_weekends_and_holidays_are_quiet() -> None:
    tuesday, saturday, christmas = (
        working_weight(day_number(day), weekend=0.3)
        for day in (date(2026, 11, 3), date(2026, 11, 7), date(2026, 12, 24))
    )
    assert tuesday == 1.3
    assert saturday == 0.3
    assert christmas == pytest.approx(0.48)


def test_a_generator_depends_on_its_arguments_alone() -> None:
    first = generator(7, "tickets", 3).random(5)
    np.testing.assert_array_equal(first, generator(7, "tickets", 3).random(9)[:5])
    for other in (generator(8, "tickets", 3), generator(7, "usage", 3), generator(7, "tickets", 4)):
        assert not np.array_equal(first, other.random(5))


def test_founders_sign_up_before_the_start_and_the_rest_within_three_years() -> None:
    start = day_number(date(2023, 1, 1))
    schedule = SignupSchedule(1, 10, start, 0.5, start - 500, start)
    days = schedule.days(start + 1095)
    assert len(days) == 10
    assert (days[:5] < start).all()
    assert (days[5:] >= start).all()
    assert (np.diff(days) >= 0).all()
    np.testing.assert_array_equal(schedule.days(start + 3000)[:10], days)
    assert schedule.days(start - 501).size == 0


def test_choice_and_parents() -> None:
    assert choice(np.array([0.0, 0.29, 0.31, 0.999]), (0.3, 0.7)).tolist() == [0, 0, 1, 1]
    draws = np.array([[0.9, 0.0], [0.1, 0.0], [0.1, 0.9], [0.5, 0.0], [0.0, 0.99]])
    large = np.array([True, False, False, False, False])
    assert parents(draws, large).tolist() == [-1, 0, -1, -1, -1]  # the third would belong to a small one


def test_the_book_writes_a_line_for_each_change_and_only_for_changes() -> None:
    book = ContractBook(products=2, accounts=2)
    both = ints(0, 1)
    book.amend(both, ints(100, 101), np.array([[49.0, 149.0], [0.0, 29.0]]), ints(0, 1))
    book.amend(both, ints(130, 131), np.array([[149.0, 49.0], [29.0, 29.0]]), ints(1, 0))
    book.amend(ints(1), ints(160), np.zeros((2, 1)), ints(0))
    lines = book.lines()
    rows = zip(lines.account, lines.product, lines.monthly, lines.start, lines.end, lines.closing, strict=True)
    assert [tuple(map(int, row)) for row in rows] == [
        (0, 0, 49, 100, 130, 2),  # upgraded
        (1, 0, 149, 101, 131, 1),  # cut down
        (1, 1, 29, 101, 160, 1),
        (0, 0, 149, 130, FAR, 0),
        (0, 1, 29, 130, FAR, 0),
        (1, 0, 49, 131, 160, 1),
    ]
    assert lines.known_on(130) == 5


def test_a_state_lasts_until_the_next_one() -> None:
    history = StateHistory.of([(ints(0, 1), ints(10, 12), ints(5, 6)), (ints(0), ints(20), ints(7))])
    assert [history.on(day, 2).tolist() for day in (9, 10, 12, 19, 20)] == [
        [0, 0],
        [5, 0],
        [5, 6],
        [5, 6],
        [7, 6],
    ]
    assert history.on(20, 1).tolist() == [7]


def test_a_monthly_log_numbers_rows_as_they_become_known() -> None:
    made: list[int] = []

    def make(month: int) -> dict[str, np.ndarray]:
        made.append(month)
        return {"day": first_day(month) + ints(0, 9)}

    january = month_number(date(2026, 1, 1))
    log = MonthlyLog(january, make)
    assert log.known_on(first_day(january) - 1)["number"].tolist() == []
    assert log.known_on(first_day(january) + 5)["number"].tolist() == [1]
    assert log.known_on(first_day(january + 1) + 9)["number"].tolist() == [1, 2, 3, 4]
    assert log.known_on(first_day(january) + 9)["number"].tolist() == [1, 2]
    assert made == [january, january + 1]


def test_stints_contain_their_start_and_not_their_end() -> None:
    spells = stints([(ints(1, 0), ints(5, 1), ints(9, 4)), (ints(0, 2), ints(6, 7), ints(FAR, 7))])
    assert spells.account.tolist() == [0, 0, 1]
    assert [spells.on(day).tolist() for day in (0, 1, 4, 6, 8, 9)] == [[], [0], [], [1, 2], [1, 2], [1]]
    assert spells.meeting(4, 6).tolist() == [2]
    assert isinstance(spells, Stints)


def test_vigour_fades_over_the_last_two_to_four_months() -> None:
    january = month_number(date(2026, 1, 1))
    paths = trajectories(3, np.full(50, first_day(january)), january, january + 12)
    everyone = np.arange(50)
    end = np.full(50, first_day(january + 10))
    np.testing.assert_array_equal(paths.vigour(end - 120, everyone, end), 1.0)
    assert (paths.vigour(end - 59, everyone, end) < 1.0).all()
    assert (paths.vigour(end - 1, everyone, end) < 0.5).all()
    assert ((paths.mood(end - 1, everyone, end) >= 0) & (paths.mood(end - 1, everyone, end) <= 1)).all()


def test_a_path_does_not_depend_on_how_far_it_is_planned() -> None:
    january = month_number(date(2026, 1, 1))
    signup = np.sort(generator(1, "test").integers(first_day(january), first_day(january + 12), 40))
    short = trajectories(3, signup[:20], january, january + 5)
    long = trajectories(3, signup, january, january + 12)
    known = int(np.searchsorted(signup, first_day(january + 5)))
    np.testing.assert_array_equal(short.satisfaction[5, :known], long.satisfaction[5, :known])
