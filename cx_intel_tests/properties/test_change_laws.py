"""Laws of what made a score move: over any model, any two days and any change between them, the causes sum to the change."""

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cx_intel.contracts.health.changes import CAUSES
from cx_intel.settings.portfolio import Portfolio
from cx_intel_tests.helpers.builders import fetched, health, portfolio, shipped
from cx_intel_tests.helpers.compared_days import Day, compared

pytestmark = pytest.mark.slow

SIGNALS, ACCOUNTS = "abcde", "ABCDEFG"
CURVES: list[dict[str, Any]] = [
    {"linear": {"zero": 0, "full": 100}},
    {"linear": {"zero": 90, "full": 10}},
    {"linear": {"zero": 0, "full": {"attribute": "employee_count", "times": 2}}},
    {"steps": [[20, 0], [60, 40]], "else": 100},
    {"boolean": {"yes": 100, "no": 0}},
    {"quartile": True},
    {"rules": [{"if": {"a": {"at_least": 50}, "b": {"is_missing": True}}, "score": 100}], "else": 20},
]
MISSING = [{"redistribute": "proportional"}, {"neutral_score": 50}, {"redistribute_to": "other"}]


@st.composite
def dimensions(draw: st.DrawFn) -> dict[str, Any]:
    """Five signals in one or two dimensions, with any weights, curves, conditions and ways of being missing."""
    cut = draw(st.sampled_from([2, 3, 5]))
    groups = {f"d{n}": names for n, names in enumerate((SIGNALS[:cut], SIGNALS[cut:])) if names}
    outer = _shares(draw, len(groups))
    found = {}
    for weight, (name, members) in zip(outer, groups.items(), strict=True):
        scored = {}
        for share, signal in zip(_shares(draw, len(members)), members, strict=True):
            missing = dict(draw(st.sampled_from(MISSING)))
            if "redistribute_to" in missing:
                missing["redistribute_to"] = members[(members.index(signal) + 1) % len(members)]
            scored[signal] = {"weight": share, "curve": draw(st.sampled_from(CURVES)), "when_missing": missing}
            if draw(st.integers(0, 4)) == 0:
                scored[signal]["applies_if"] = {"segment": "SMB"}
        found[name] = {"weight": weight, "signals": scored}
    return found


def _shares(draw: st.DrawFn, parts: int) -> list[float]:
    """Weights in hundredths that sum to 1."""
    cuts = sorted(draw(st.sets(st.integers(1, 99), min_size=parts - 1, max_size=parts - 1)))
    return [(high - low) / 100 for low, high in zip([0, *cuts], [*cuts, 100], strict=True)]


def book(version: str, base: dict[str, Any], own: dict[str, Any] | None) -> Portfolio:
    """A portfolio with these dimensions, and with dimensions of their own for enterprises."""
    block = health({name: {"kind": "metric", "metric": name} for name in SIGNALS}, version=version)
    block |= {"dimensions": base, "models": []}
    if own:
        weights = {d: {"signals": {s: {"weight": p["weight"]} for s, p in own[d]["signals"].items()}} for d in own}
        block["models"] = [{"version": "own", "applies_to": {"segment": "Enterprise"}, "dimensions": weights}]
    return portfolio(("metrics",), health=block)


def values_of(signals: Any) -> st.SearchStrategy[dict[str, dict[str, float | None]]]:
    value = st.one_of(st.none(), st.integers(0, 100).map(float), st.floats(0, 100))
    return st.dictionaries(st.sampled_from(ACCOUNTS), st.fixed_dictionaries(dict.fromkeys(signals, value)), min_size=3)


ATTRIBUTES = st.fixed_dictionaries(
    dict.fromkeys(
        ACCOUNTS,
        st.fixed_dictionaries(
            {"segment": st.sampled_from(["SMB", "Enterprise"]), "employee_count": st.sampled_from([None, 0, 10, 40])}
        ),
    )
)


@st.composite
def two_days(draw: st.DrawFn) -> tuple[Day, Day]:
    base = draw(dimensions())
    then_of = book("1", base, base if draw(st.booleans()) else None)
    now_of = draw(st.sampled_from(["same", "edited", "new"]))
    now_base = base if now_of == "same" else draw(dimensions())
    now_portfolio = then_of if now_of == "same" else book("1" if now_of == "edited" else "2", now_base, None)
    attributes = draw(ATTRIBUTES)
    now_attributes = attributes if draw(st.booleans()) else draw(ATTRIBUTES)
    values = draw(values_of(SIGNALS))
    now_values = draw(values_of(SIGNALS))
    still = draw(st.sets(st.sampled_from(ACCOUNTS)))
    now_values = {a: values[a] if a in still and a in values else found for a, found in now_values.items()}
    return Day(then_of, values, attributes), Day(now_portfolio, now_values, now_attributes)


def assert_laws(then: Day, now: Day, of: Portfolio | None = None) -> None:
    """The causes sum to the change; without another scorecard none is told, and of who stood still only others moved."""
    changes, drivers = compared(then, now, of)
    sums = {row["account_id"]: 0.0 for row in fetched(changes)}
    is_same = then.portfolio == now.portfolio and then.attributes == now.attributes
    for row in fetched(drivers):
        account = row["account_id"]
        assert row["cause"] in CAUSES
        assert not is_same or row["cause"] in ("measure", "missing_evidence", "population")
        is_still = is_same and of is None and then.values[account] == now.values[account]
        assert not is_still or row["cause"] == "population"
        sums[account] += row["points_change"]
    assert sums == pytest.approx({r["account_id"]: r["health_score_change"] for r in fetched(changes)}, abs=1e-6)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(two_days(), st.booleans())
def test_causes_sum_to_the_change_of_the_score(days: tuple[Day, Day], are_past: bool) -> None:
    then, now = days
    base = then.portfolio.model_dump(by_alias=True, exclude_unset=True)["health"]["dimensions"]
    assert_laws(then, now, book("9", base, None) if are_past else None)


@settings(max_examples=1, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(values_of(shipped("novacrm").health.signals), values_of(shipped("novacrm").health.signals))
def test_causes_of_a_shipped_model_sum_to_the_change_of_the_score(then: Any, now: Any) -> None:
    of = shipped("novacrm")
    assert_laws(Day(of, then), Day(of, now))
