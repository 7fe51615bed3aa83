"""The limit of calls within calls is raised for a deep query and is then as it was, also with threads beside each other."""

import sys
from threading import Barrier, Thread

import pytest

from cx_intel.warehouse.deep_calls import CALLS, deep_calls


def depth(calls: int) -> int:
    """As many calls within each other."""
    return 1 if calls == 1 else 1 + depth(calls - 1)


def test_a_walk_may_be_deep_and_the_limit_is_then_as_it_was() -> None:
    before = sys.getrecursionlimit()
    with deep_calls():
        assert depth(before + 100) == before + 100
    assert sys.getrecursionlimit() == before


def test_it_is_as_it_was_after_an_error() -> None:
    before = sys.getrecursionlimit()
    with pytest.raises(ValueError, match="of a model"), deep_calls():
        raise ValueError("of a model")
    assert sys.getrecursionlimit() == before


def test_who_leaves_first_takes_nothing_from_a_thread_that_is_within() -> None:
    before = sys.getrecursionlimit()
    entered, left = Barrier(2), Barrier(2)
    limits: list[int] = []

    def other() -> None:
        with deep_calls():
            entered.wait(5)
            left.wait(5)
            limits.append(sys.getrecursionlimit())

    thread = Thread(target=other)
    with deep_calls():
        thread.start()
        entered.wait(5)
    left.wait(5)
    thread.join()
    assert limits == [max(before, CALLS)]
    assert sys.getrecursionlimit() == before
