"""What made a score move: one case for each cause, worked by hand.

The book has signals a, b and c of a weight each in one dimension, scored by their own value unless a case says otherwise.
"""

from typing import Any

import pytest

from cx_intel.settings.portfolio import Portfolio
from cx_intel_tests.helpers.builders import AS_OF, health, portfolio, values
from cx_intel_tests.helpers.compared_days import YESTERDAY, Day, Values, causes, compared

pytestmark = pytest.mark.slow

LINE = {"linear": {"zero": 0, "full": 100}}
RANK = {"quartile": True}


def book(weights: dict[str, float] | None = None, version: str = "1", **signals: dict[str, Any]) -> Portfolio:
    """A book with these weights; what is said of a signal beside weight and curve."""
    weights = weights or {"a": 0.5, "b": 0.3, "c": 0.2}
    scored = {name: {"weight": w, "curve": LINE} | signals.get(name, {}) for name, w in weights.items()}
    block = health({name: {"kind": "metric", "metric": name} for name in "abc"}, version=version)
    return portfolio(("metrics",), health=block | {"dimensions": {"all": {"weight": 1, "signals": scored}}})


def day(of: Portfolio, a: float | None = 80, b: float | None = 60, c: float | None = 40, **others: Values) -> Day:
    return Day(of, {"A": {"a": a, "b": b, "c": c}, **others})


def approx(found: dict[tuple[str, str], float]) -> Any:
    return pytest.approx(found, abs=1e-9)


def test_where_nothing_moved_nothing_is_told() -> None:
    assert causes(day(book()), day(book())) == {}


def test_a_value_that_moved_is_its_measure() -> None:
    """a: 0.5 x (50 - 80)."""
    _, drivers = compared(day(book()), day(book(), a=50))
    columns = ("cause", "points_change", "value_from", "value_to", "as_of", "compared_as_of")
    assert values(drivers, *columns, by="signal") == {
        "a": ("measure", pytest.approx(-15), 80, 50, AS_OF, YESTERDAY),
    }


def test_a_signal_that_ceased_to_be_measured_is_missing_evidence() -> None:
    """66 becomes 52: b weighs 0.6 and c 0.4. a (80) took 0.5 x (80 - 66), b 0.3 x (60 - 66), c 0.2 x (40 - 66)."""
    assert causes(day(book()), day(book(), a=None)) == approx(
        {("missing_evidence", "a"): -7, ("missing_evidence", "b"): -1.8, ("missing_evidence", "c"): -5.2}
    )


def test_a_signal_newly_measured_is_missing_evidence_and_what_moved_besides_is_measure() -> None:
    """52 without a. With a at 100 and the rest as it was: 0.5 x 100 + 18 + 8 = 76. Then b moves by 0.3 x 20."""
    found = causes(day(book(), a=None), day(book(), a=100, b=80))
    assert found.pop(("measure", "b")) == pytest.approx(6)
    assert found == approx(
        {("missing_evidence", "a"): 24, ("missing_evidence", "b"): -2.4, ("missing_evidence", "c"): 2.4}
    )
    assert sum(found.values()) == pytest.approx(76 - 52)


def test_a_neutral_score_in_the_place_of_a_value_is_missing_evidence() -> None:
    """a keeps its weight and scores 50 for 80."""
    of = book(a={"when_missing": {"neutral_score": 50}})
    assert causes(day(of), day(of, a=None)) == approx({("missing_evidence", "a"): -15})


def test_weight_that_goes_to_one_signal_is_missing_evidence() -> None:
    """66 becomes 0.8 x 60 + 0.2 x 40 = 56."""
    of = book(a={"when_missing": {"redistribute_to": "b"}})
    assert causes(day(of), day(of, a=None)) == approx({("missing_evidence", "a"): -7, ("missing_evidence", "b"): -3})


@pytest.mark.parametrize("version", ["1", "2"])
def test_other_weights_in_the_settings_are_weight(version: str) -> None:
    """66 becomes 0.2 x 80 + 0.3 x 60 + 0.5 x 40 = 54, by a: -0.3 x (80 - 66), c: 0.3 x (40 - 66); then b moves by 0.3 x 10."""
    other = book({"a": 0.2, "b": 0.3, "c": 0.5}, version)
    assert causes(day(book()), day(other, b=70)) == approx(
        {("weight", "a"): -4.2, ("weight", "c"): -7.8, ("measure", "b"): 3}
    )


def test_another_curve_is_another_scorecard() -> None:
    """a: 80 scores 60 where 50 scores 0."""
    other = book(version="2", a={"curve": {"linear": {"zero": 50, "full": 100}}})
    assert causes(day(book()), day(other)) == approx({("scorecard", "a"): -10})


def test_a_signal_that_is_new_to_the_scorecard_is_no_newly_measured_one() -> None:
    """a 0.6 and b 0.4 made 72; with c: 66."""
    without = book({"a": 0.6, "b": 0.4})
    found = causes(day(without), day(book(version="2")))
    assert {cause for cause, _ in found} == {"scorecard"}
    assert sum(found.values()) == pytest.approx(66 - 72)


def test_an_account_that_another_model_judges_has_another_scorecard() -> None:
    """The model of SMB weighs a 0.2 and c 0.5: 54. Both are in the settings on both days: no weight was changed."""
    settings = book().model_dump(by_alias=True, exclude_unset=True)
    signals = {"a": {"weight": 0.2}, "c": {"weight": 0.5}}
    model = {"version": "smb", "applies_to": {"segment": "SMB"}, "dimensions": {"all": {"signals": signals}}}
    settings["health"]["models"] = [model]
    of = Portfolio.model_validate(settings)
    found = causes(day(of), Day(of, day(of).values, {"A": {"segment": "SMB"}}))
    assert found == approx({("scorecard", "a"): -4.2, ("scorecard", "c"): -7.8})


def test_an_attribute_that_takes_a_signal_out_is_another_scorecard() -> None:
    """c no longer applies: (0.5 x 80 + 0.3 x 60) / 0.8 = 72.5."""
    of = book(c={"applies_if": {"segment": "SMB"}})
    then = Day(of, day(of).values, {"A": {"segment": "SMB"}})
    found = causes(then, day(of))
    assert {cause for cause, _ in found} == {"scorecard"}
    assert sum(found.values()) == pytest.approx(72.5 - 66)


OTHERS = {"B": {"a": 10, "b": 1, "c": 1}, "C": {"a": 20, "b": 1, "c": 1}, "D": {"a": 30, "b": 1, "c": 1}}
OVERTAKEN = OTHERS | {"D": {"a": 90, "b": 1, "c": 1}}


def test_a_rank_that_others_moved_is_population() -> None:
    """A's 80 was the best of four and scored 100; behind D's 90 it scores 75."""
    of = book(a={"curve": RANK})
    assert causes(day(of, **OTHERS), day(of, **OVERTAKEN)) == approx({("population", "a"): -12.5})


def test_a_rank_moves_first_with_the_others_and_then_by_itself() -> None:
    """D overtakes A (100 to 75), and A falls from 80 to 15, above B alone (75 to 50)."""
    of = book(a={"curve": RANK})
    assert causes(day(of, **OTHERS), day(of, a=15, **OVERTAKEN)) == approx(
        {("population", "a"): -12.5, ("measure", "a"): -12.5}
    )


def test_who_left_or_came_moves_ranks_too() -> None:
    """C is second of three (2 x (2 x 1 + 1) / 3 = 2, rounded up: 50); with B gone it is first of two (25 x ceil(1) = 25)."""
    of = book(a={"curve": RANK})
    then = Day(of, {name: OTHERS[name] for name in "BCD"})
    now = Day(of, {name: OTHERS[name] for name in "CD"})
    assert causes(then, now, "C") == approx({("population", "a"): -12.5})


def test_rules_that_read_what_is_no_longer_measured_are_missing_evidence() -> None:
    """c scores 100 where b is measured, else 0; without b, a weighs 5/7 and c 2/7."""
    rules = {"rules": [{"if": {"b": {"is_missing": True}}, "score": 0}], "else": 100}
    of = book(c={"curve": rules})
    found = causes(day(of), day(of, b=None))
    assert {cause for cause, _ in found} == {"missing_evidence"}
    assert sum(found.values()) == pytest.approx(80 * 5 / 7 - (40 + 18 + 20))


def test_a_version_that_is_no_longer_in_the_settings_is_taken_as_it_was() -> None:
    """Two days of version 1, compared when version 2 is in force: the same scorecard judged on both."""
    newest = book({"a": 0.2, "b": 0.3, "c": 0.5}, "3")
    assert causes(day(book()), day(book(), a=50), settings=newest) == approx({("measure", "a"): -15})
    other = book({"a": 0.2, "b": 0.3, "c": 0.5}, "2")
    found = causes(day(book()), day(other, a=50), settings=newest)
    assert {cause for cause, _ in found} <= {"scorecard", "weight"}
    assert sum(found.values()) == pytest.approx(48 - 66)
