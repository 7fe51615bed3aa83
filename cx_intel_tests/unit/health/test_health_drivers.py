"""Drivers: what applies, what is measured, where the weight of missing signals goes; worked by hand."""

from typing import Any

import pytest

from cx_intel.contracts.health.drivers import account_signals
from cx_intel.models.health.drivers import health_score_drivers
from cx_intel.settings.portfolio import Portfolio
from cx_intel_tests.helpers.builders import AS_OF, accounts, health, portfolio, rows, values

LINEAR = {"linear": {"zero": 0, "full": 100}}
METRIC = {"kind": "metric", "metric": "m"}


def book(dimensions: dict[str, Any], *, signals: dict[str, Any] | None = None, **more: Any) -> Portfolio:
    """A portfolio with {dimension: (weight, {signal: part})}; curves are linear 0..100 unless said."""
    named = [name for _, parts in dimensions.values() for name in parts]
    block = health(dict.fromkeys([*named, *(signals or {})], METRIC), **more)
    for name, settings in (signals or {}).items():
        block["signals"][name] |= settings
    block["dimensions"] = {
        name: {
            "weight": weight,
            "signals": {signal: {"curve": LINEAR} | part for signal, part in parts.items()},
        }
        for name, (weight, parts) in dimensions.items()
    }
    attributes = {
        "products": {"description": "Products."},
        "seats": {"type": "integer", "description": "Seats."},
    }
    return portfolio(("metrics",), health=block, account_attributes=attributes)


def drivers(of: Portfolio, given: dict[str, float | None], *columns: str, **attributes: Any) -> dict[str, Any]:
    """The drivers of account A with these values, by signal."""
    signals = [
        {"as_of": AS_OF, "account_id": "A", "signal": s, "value": v, "is_stale": False} for s, v in given.items()
    ]
    snapshot = accounts(of, [{"account_id": "A", **attributes}])
    table = health_score_drivers(rows(account_signals(of), signals), snapshot, portfolio=of, as_of=AS_OF)
    return values(table, *columns, by="signal")


TWO_DIMENSIONS = {
    "use": (0.6, {"a": {"weight": 0.5}, "b": {"weight": 0.25}, "c": {"weight": 0.25}}),
    "care": (0.4, {"d": {"weight": 1}}),
}


def test_points_are_weight_times_score_and_the_rest_is_lost() -> None:
    found = drivers(book(TWO_DIMENSIONS), {"a": 80, "b": 40, "c": 0, "d": 100}, "weight", "points", "points_lost")
    assert found == {
        "a": pytest.approx((0.3, 24, 6)),
        "b": pytest.approx((0.15, 6, 9)),
        "c": pytest.approx((0.15, 0, 15)),
        "d": pytest.approx((0.4, 40, 0)),
    }


def test_the_weight_of_a_missing_signal_goes_to_the_others_of_its_dimension_in_proportion() -> None:
    found = drivers(book(TWO_DIMENSIONS), {"a": 80, "b": None, "c": 0, "d": 100}, "weight")
    assert found == pytest.approx({"a": 0.4, "b": 0, "c": 0.2, "d": 0.4})


def test_a_missing_signal_has_no_score_and_no_points() -> None:
    found = drivers(book(TWO_DIMENSIONS), {"a": 80, "b": None, "c": 0, "d": 1}, "signal_score", "points", "points_lost")
    assert found["b"] == (None, 0, 0)


def test_a_dimension_without_any_score_leaves_its_weight_to_the_others() -> None:
    found = drivers(book(TWO_DIMENSIONS), {"a": 80, "b": 40, "c": 0, "d": None}, "weight")
    assert found == pytest.approx({"a": 0.5, "b": 0.25, "c": 0.25, "d": 0})


def test_without_any_value_all_weights_are_zero() -> None:
    found = drivers(book(TWO_DIMENSIONS), dict.fromkeys("abcd"), "weight", "points")
    assert set(found.values()) == {(0, 0)}


HEIRS = {
    "use": (
        1,
        {
            "a": {"weight": 0.5},
            "b": {"weight": 0.25, "when_missing": {"redistribute_to": "a"}},
            "c": {"weight": 0.25},
        },
    )
}


def test_the_weight_goes_to_the_named_signal() -> None:
    assert drivers(book(HEIRS), {"a": 1, "b": None, "c": 1}, "weight") == {"a": 0.75, "b": 0, "c": 0.25}


def test_and_to_all_others_in_proportion_when_that_one_is_missing_too() -> None:
    assert drivers(book(HEIRS), {"a": None, "b": None, "c": 1}, "weight") == {"a": 0, "b": 0, "c": 1}


def test_a_third_missing_signal_is_spread_over_what_the_heir_has_then() -> None:
    """b gives 0.25 to a; c's 0.25 goes to a alone, because nobody else is left."""
    assert drivers(book(HEIRS), {"a": 1, "b": None, "c": None}, "weight") == {"a": 1, "b": 0, "c": 0}


NEUTRAL = {
    "use": (1, {"a": {"weight": 0.75}, "b": {"weight": 0.25, "when_missing": {"neutral_score": 50}}}),
}


def test_a_neutral_score_keeps_its_weight_and_is_not_measured() -> None:
    found = drivers(book(NEUTRAL), {"a": 100, "b": None}, "weight", "signal_score", "points", "is_measured")
    assert found == {"a": (0.75, 100, 75, True), "b": (0.25, 50, 12.5, False)}


@pytest.mark.parametrize("missing", [{}, {"when_missing": {"neutral_score": 50}}])
def test_a_signal_that_does_not_apply_is_taken_out(missing: dict[str, Any]) -> None:
    only_owners = {"weight": 0.5, "applies_if": {"products": {"contains": "Logbook"}}} | missing
    of = book({"use": (1, {"a": {"weight": 0.5}, "b": only_owners})})
    columns = ("weight", "value", "is_applicable", "is_measured")
    assert drivers(of, {"a": 1, "b": 9}, *columns, products="GPS|Logbook")["b"] == (0.5, 9, True, True)
    without = drivers(of, {"a": 1, "b": 9}, *columns, products="GPS|Logbook Plus")
    assert without == {"a": (1, 1, True, True), "b": (0, None, False, False)}


def test_a_curve_that_cannot_be_drawn_leaves_the_signal_unmeasured() -> None:
    by_seats = {"weight": 0.5, "curve": {"linear": {"zero": 0, "full": {"attribute": "seats", "times": 2}}}}
    of = book({"use": (1, {"a": {"weight": 0.5}, "b": by_seats})})
    assert drivers(of, {"a": 1, "b": 2}, "signal_score", "benchmark", seats=4)["b"] == (25, 8)
    assert drivers(of, {"a": 1, "b": 2}, "weight", "is_measured", seats=None)["b"] == (0, False)


def test_rules_read_signals_that_are_not_scored() -> None:
    rules = {
        "rules": [
            {"if": {"a": 0, "mood": {"at_least": 4}}, "score": 100},
            {"if": {"a": 0, "mood": {"is_missing": True}}, "score": 90},
        ],
        "else": 10,
    }
    of = book({"use": (1, {"a": {"weight": 1, "curve": rules}})}, signals={"mood": {}})
    assert drivers(of, {"a": 0, "mood": 4}, "signal_score") == {"a": 100}
    assert drivers(of, {"a": 0, "mood": None}, "signal_score") == {"a": 90}
    assert drivers(of, {"a": 0, "mood": 3}, "signal_score") == {"a": 10}
    assert drivers(of, {"a": None, "mood": 4}, "signal_score") == {"a": None}


def test_words_and_benchmark_come_from_the_signal() -> None:
    stated = {"a": {"label": "Logins", "unit": "days", "benchmark": 3}}
    of = book({"use": (1, {"a": {"weight": 0.5}, "b": {"weight": 0.5}})}, signals=stated)
    found = drivers(of, {"a": 1, "b": 1}, "label", "unit", "benchmark", "signal_order", "dimension")
    assert found == {"a": ("Logins", "days", 3, 0, "use"), "b": ("b", "", 100, 1, "use")}


OWN_MODEL = [
    {
        "version": "vimcar",
        "applies_to": {"products": "Vimcar"},
        "dimensions": {"use": {"signals": {"a": {"curve": {"linear": {"zero": 0, "full": 50}}}}}},
    },
    {
        "version": "rest",
        "applies_to": {"products": ["Vimcar", "Avrios"]},
        "dimensions": {"use": {"signals": {"a": {"weight": 0.9}, "b": {"weight": 0.1}}}},
    },
]


@pytest.mark.parametrize(
    ("products", "expected"),
    [
        ("Vimcar", {"a": ("vimcar", 0.5, 50), "b": ("vimcar", 0.5, 25)}),
        ("Avrios", {"a": ("rest", 0.9, 25), "b": ("rest", 0.1, 25)}),
        (None, {"a": ("1", 0.5, 25), "b": ("1", 0.5, 25)}),
    ],
)
def test_an_account_is_judged_by_the_first_model_that_applies(products: str | None, expected: dict) -> None:
    of = book({"use": (1, {"a": {"weight": 0.5}, "b": {"weight": 0.5}})}, models=OWN_MODEL)
    found = drivers(of, {"a": 25, "b": 25}, "model_version", "weight", "signal_score", products=products)
    assert found == expected


def test_ranks_are_among_those_that_have_a_value() -> None:
    of = book({"use": (1, {"a": {"weight": 1, "curve": {"quartile": True}}})})
    given = {"A": 1.0, "B": 2.0, "C": 3.0, "D": 4.0, "E": None}
    signals = [
        {"as_of": AS_OF, "account_id": a, "signal": "a", "value": v, "is_stale": False} for a, v in given.items()
    ]
    snapshot = accounts(of, [{"account_id": a} for a in given])
    table = health_score_drivers(rows(account_signals(of), signals), snapshot, portfolio=of, as_of=AS_OF)
    assert values(table, "signal_score") == {"A": 25, "B": 50, "C": 75, "D": 100, "E": None}
