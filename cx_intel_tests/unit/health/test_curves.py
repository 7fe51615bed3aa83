"""Curves: scores by hand at, below and above each bound, and the value that scores 100."""

from typing import Any

import ibis
import pandas as pd
import pytest
from pydantic import TypeAdapter, ValidationError

from cx_intel.models.expressions.literals import number
from cx_intel.models.health.curves import Judged, best_value, quartile_score, score, within
from cx_intel.models.health.tiers import round_half_up
from cx_intel.settings.health.curves import Curve

RULES = {
    "rules": [
        {"if": {"x": {"more_than": 0}, "other": {"is_missing": True}}, "score": 100},
        {"if": {"other": {"at_least": 4}}, "score": 75},
    ],
    "else": 10,
}


def curve(settings: dict[str, Any]) -> Curve:
    return TypeAdapter(Curve).validate_python(settings)


def judged(value: float | None, attribute: float | None = None, other: float | None = None) -> Judged:
    """One row with a value of signal x, one of signal other, and the attribute product_count."""
    frame = pd.DataFrame({"x": [value], "other": [other], "product_count": [attribute]}, dtype="float64")
    t = ibis.memtable(frame)
    return Judged(t.x, t.x, {"x": t.x, "other": t.other}, {"product_count": t.product_count})


def only(column: ibis.Value) -> float | None:
    """The value of a column of one row, or of a number."""
    return column.as_table().to_pyarrow().to_pylist()[0].popitem()[1]


@pytest.mark.parametrize(
    ("settings", "values", "expected"),
    [
        ({"linear": {"zero": 0, "full": 80}}, [-5, 0, 20, 80, 96, None], [0, 0, 25, 100, 100, None]),
        ({"linear": {"zero": 1, "full": 5}}, [1, 2, 4.6], [0, 25, 90]),
        ({"linear": {"zero": 10, "full": 0}}, [12, 10, 2.5, 0, -1], [0, 0, 75, 100, 100]),
        (
            {"steps": [[3, 100], [7, 90], [60, 20]], "else": 5},
            [-1, 3, 3.1, 7, 60, 61, None],
            [100, 100, 90, 90, 20, 5, None],
        ),
        ({"boolean": {"yes": 100, "no": 20}}, [1, 0, 3, None], [100, 20, 100, None]),
    ],
)
def test_a_curve_maps_values_to_scores(settings: dict, values: list, expected: list) -> None:
    assert [only(score(curve(settings), judged(v))) for v in values] == pytest.approx(expected)


def test_a_linear_bound_may_be_an_attribute() -> None:
    by_products = curve({"linear": {"zero": 0, "full": {"attribute": "product_count", "times": 3}}})
    assert only(score(by_products, judged(3, attribute=2))) == 50
    assert only(best_value(by_products, judged(3, attribute=2))) == 6
    assert only(score(by_products, judged(3, attribute=None))) is None
    assert only(score(by_products, judged(3, attribute=0))) is None


def test_an_attribute_that_accounts_do_not_have_is_an_error() -> None:
    with pytest.raises(KeyError, match="'fleet_size', which accounts do not have"):
        score(curve({"linear": {"zero": 0, "full": {"attribute": "fleet_size"}}}), judged(3))


@pytest.mark.parametrize(
    ("value", "other", "expected"), [(1, None, 100), (1, 4, 75), (0, None, 10), (0, 5, 75), (1, 3, 10)]
)
def test_the_first_rule_that_holds_gives_the_score(value: float, other: float | None, expected: float) -> None:
    assert only(score(curve(RULES), judged(value, other=other))) == expected


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ({"linear": {"zero": 1, "full": 5}}, 5),
        ({"steps": [[0, 100], [1, 100], [2, 50]], "else": 5}, 1),
        ({"steps": [[10, 0], [20, 60]], "else": 100}, 20),
        ({"steps": [[10, 90]], "else": 5}, None),
        ({"boolean": {"yes": 100, "no": 20}}, 1),
        ({"boolean": {"yes": 0, "no": 100}}, 0),
        ({"boolean": {"yes": 90, "no": 20}}, None),
        (RULES, None),
        ({"quartile": True}, None),
    ],
)
def test_the_value_that_scores_100(settings: dict, expected: float | None) -> None:
    assert only(best_value(curve(settings), judged(1))) == expected


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([1, 2, 3, 4], [25, 50, 75, 100]),  # p = 1/8, 3/8, 5/8, 7/8
        ([7], [50]),  # p = 1/2
        ([5, 5, 5], [50, 50, 50]),
        ([0, 0, 0, 9], [50, 50, 50, 100]),  # p = 3/8 and 7/8
        ([0, 0, 1, 2, 2, 2], [25, 25, 50, 75, 75, 75]),  # p = 1/6, 2.5/6, 4.5/6 = 3/4 exactly
    ],
)
def test_quartiles_score_equals_equal(values: list[float], expected: list[float]) -> None:
    t = ibis.memtable({"place": list(range(len(values))), "x": [float(v) for v in values]})
    ranked = t.mutate(score=quartile_score(t.x, [t.place >= 0])).order_by("place")
    assert ranked.score.execute().tolist() == expected


@pytest.mark.parametrize(
    ("exact", "rounded"),
    [
        (69.94, 69.9),
        (69.95, 70.0),
        (0.05, 0.1),
        (43.75, 43.8),
        (56.25, 56.3),
        (99.95, 100),
        (0, 0),
        (100, 100),
    ],
)
def test_scores_round_half_up(exact: float, rounded: float) -> None:
    assert only(round_half_up(number(exact))) == rounded


@pytest.mark.parametrize(
    ("noisy", "rounded"),
    [(59.949999999999996, 60.0), (100 * (0.1 + 0.2) - 0.05 + 4e-15, 30.0), (0.3 - 0.25, 0.1)],
)
def test_rounding_forgives_the_noise_of_sums(noisy: float, rounded: float) -> None:
    """Each is a half, as 59.95, short of it or beyond by the noise of binary sums."""
    assert only(round_half_up(number(noisy))) == rounded


def test_within_keeps_null() -> None:
    t = ibis.memtable({"x": [-1.0, 50.0, 101.0, None]})
    assert within(t.x, 0.0, 100.0).to_pyarrow().to_pylist() == [0, 50, 100, None]


@pytest.mark.parametrize(
    "bad",
    [
        {"linear": {"zero": 5, "full": 5}},
        {"steps": [[3, 100], [3, 90]], "else": 5},
        {"steps": [[3, 101]], "else": 5},
        {"sigmoid": True},
    ],
)
def test_a_curve_that_makes_no_sense_is_refused(bad: dict) -> None:
    with pytest.raises(ValidationError):
        curve(bad)
