"""Checks that tell of ids: one that moved to another account, and two that differ only in how they are written."""

from collections.abc import Sequence
from datetime import date

import pytest

from cx_intel.contracts.core import account_history
from cx_intel.contracts.identity import WRITTEN_ALIKE, identity_map
from cx_intel_tests.helpers.builders import portfolio, rows
from cx_intel_tests.helpers.identity_loads import BOOK, link, load

JANUARY, FEBRUARY = date(2025, 1, 31), date(2025, 2, 28)


def moved(*loads: Sequence[dict[str, object]]) -> list[tuple[str, str | None, str | None]]:
    """Ids that the check names after these loads, a month each: with the account now and the one before."""
    before: list[dict[str, object]] = []
    for as_of, links in zip((JANUARY, FEBRUARY), loads, strict=False):
        before = load(links, before=before, as_of=as_of)
    contract = identity_map(BOOK)
    check, _ = contract.cross_invariants
    found = check.broken({"self": rows(contract, before)}).to_pyarrow().to_pylist()
    return [(row["external_id"], row["account_id"], row["was_account_id"]) for row in found]


@pytest.mark.slow
def test_an_id_that_belongs_to_another_account_is_named():
    first = [link("stripe", "c1", "A"), link("stripe", "c2", "A")]
    assert moved(first) == []
    assert moved(first, first) == []
    assert moved(first, [link("stripe", "c1", "B"), link("stripe", "c3", "B")]) == [("c1", "B", "A")]


def test_an_id_that_is_linked_to_two_accounts_since_is_named_as_without_one():
    first = [link("stripe", "c1", "A")]
    assert moved(first, [*first, link("stripe", "c1", "B")]) == [("c1", None, "A")]


def test_a_domain_that_many_ids_of_one_system_have_is_named():
    contract = identity_map(BOOK)
    _, check = contract.cross_invariants
    links = [link("domain", "a.example", "A"), link("domain", "b.example", "B")]
    links += [link("stripe", f"a{n}", "domain:a.example") for n in range(6)]
    links += [link("stripe", f"b{n}", "domain:b.example") for n in range(5)] + [link("stripe", "b5", "B")]
    links += [link("segment", "b6", "domain:b.example")]
    found = check.broken({"self": rows(contract, load(links))}).to_pyarrow().to_pylist()
    assert found == [{"linked_id": "a.example", "account_id": "A", "system": "stripe", "ids": 6}]


def alike(**valid_to: date | None) -> list[str]:
    """Accounts that the check names, of some that are valid until a day or still are."""
    contract = account_history(portfolio())
    given = [{"account_id": name, "valid_from": JANUARY, "valid_to": day} for name, day in valid_to.items()]
    found = WRITTEN_ALIKE.broken({"self": rows(contract, given)}).to_pyarrow().to_pylist()
    return sorted(row["account_id"] for row in found)


def test_accounts_that_differ_only_in_how_their_ids_are_written_are_named():
    assert alike(**{"1042": FEBRUARY, "1042.0": None, "1043": None}) == ["1042", "1042.0"]
    assert alike(**{"0077": None, "77": None}) == ["0077", "77"]
    assert alike(**{"A1": None, "A1\u00a0": None}) == ["A1", "A1\u00a0"]
    assert alike(**{"0015g00000AbCdE": FEBRUARY, "0015g00000AbCdEAAW": None}) == [
        "0015g00000AbCdE",
        "0015g00000AbCdEAAW",
    ]


def test_capitals_and_other_digits_make_another_account_and_accounts_that_have_all_left_are_not_named():
    assert alike(**{"a1B": None, "a1b": None, "1042.5": None, "1042": None, "10420": None}) == []
    assert alike(**{"1042": FEBRUARY, "1042.0": FEBRUARY}) == []
