"""Single settings set by `KEY=VALUE`: what becomes of the others of a level, and what is said of a wrong key."""

from copy import deepcopy
from typing import Any

import pytest

from cx_intel.reports.preview.scope import JUDGED, LOADED, WITHOUT_FIGURES
from cx_intel.settings.portfolio import Portfolio
from cx_intel.settings.yaml.changes import Change, ChangeMisuse, change

VALUES: dict[str, Any] = {
    "name": "small",
    "currency": {"reporting": "EUR"},
    "health": {
        "dimensions": {
            "usage": {"weight": 0.5, "signals": {"logins": {"weight": 1}}},
            "support": {"weight": 0.3, "signals": {"tickets": {"weight": 0.75}, "csat": {"weight": 0.25}}},
            "money": {"weight": 0.2, "signals": {"change": {"weight": 1}}},
        },
        "tiers": {"levels": [{"name": "good", "at_least": 70}, {"name": "poor", "at_least": 0}]},
    },
    "renewals": {"probability": {"High": 0.5}},
}


def changed(*stated: str) -> tuple[dict[str, Any], tuple[Change, ...]]:
    values = deepcopy(VALUES)
    return values, change(values, stated)


def test_other_weights_of_the_level_keep_their_proportion_and_sum_to_one() -> None:
    values, told = changed("health.dimensions.usage.weight=0.6")
    weights = {name: block["weight"] for name, block in values["health"]["dimensions"].items()}
    assert weights == {"usage": 0.6, "support": 0.24, "money": 0.16}  # 0.4 left for 3 : 2
    assert told == (
        Change("health.dimensions.usage.weight", 0.5, 0.6),
        Change("health.dimensions.support.weight", 0.3, 0.24, is_stated=False),
        Change("health.dimensions.money.weight", 0.2, 0.16, is_stated=False),
    )


def test_two_weights_of_a_level_stay_as_set() -> None:
    values, _ = changed("health.dimensions.usage.weight=0.6", "health.dimensions.support.weight=0.3")
    assert values["health"]["dimensions"]["money"]["weight"] == pytest.approx(0.1, abs=1e-12)


def test_weights_of_signals_are_a_level_of_their_own() -> None:
    values, _ = changed("health.dimensions.support.signals.csat.weight=0.5")
    assert values["health"]["dimensions"]["support"]["signals"]["tickets"]["weight"] == 0.5
    assert values["health"]["dimensions"]["usage"]["weight"] == 0.5


@pytest.mark.parametrize(
    ("stated", "place", "value"),
    [
        ("health.tiers.levels.good.at_least=80", ("health", "tiers", "levels", 0, "at_least"), 80),
        ("health.tiers.levels.1.at_least=5", ("health", "tiers", "levels", 1, "at_least"), 5),
        ("renewals.probability.High=0.4", ("renewals", "probability", "High"), 0.4),
        ("renewals.capacity_per_owner=", ("renewals", "capacity_per_owner"), None),
        ("revenue.basis=invoices", ("revenue", "basis"), "invoices"),
    ],
    ids=["by name", "by position", "of a map", "not stated before", "of a block that is left out"],
)
def test_any_single_value_may_be_set(stated: str, place: tuple[Any, ...], value: object) -> None:
    found, told = changed(stated)
    for part in place:
        found = found[part]
    assert (found, told[0].after) == (value, value)


@pytest.mark.parametrize(
    ("stated", "said"),
    [
        ("health.dimensions.usage.weight", "is no change: write KEY=VALUE"),
        ("helth.version=2", "has no key 'helth' (did you mean 'health'?)"),
        ("health.dimensions.usge.weight=0.4", "health.dimensions has no key 'usge' (did you mean 'usage'?)"),
        ("renewals.term_month=24", "renewals has no key 'term_month' (did you mean 'term_months'?)"),
        (
            "health.tiers.levels.god.at_least=80",
            "has no item 'god' (did you mean 'good'?); there are good, poor, or 0 to 1",
        ),
        ("health.dimensions.usage=0.4", "is a block; set one of its keys: weight, signals"),
        ("currency.reporting.code=USD", "currency.reporting is a value ('EUR') and has no keys below it"),
        ("currency.reporting=[EUR, USD]", "is set to several values"),
        ("health.dimensions.usage.weight=1", "these leave nothing for support, money"),
        ("name=other", "cannot be set"),
    ],
)
def test_what_cannot_be_set_says_why(stated: str, said: str) -> None:
    with pytest.raises(ChangeMisuse) as error:
        changed(stated)
    assert said in str(error.value)


def test_every_block_of_a_portfolio_is_in_a_preview_or_said_not_to_be() -> None:
    assert {*JUDGED, *LOADED, *WITHOUT_FIGURES, "name"} == set(Portfolio.model_fields)
