"""Scores: dimensions and composite, coverage, tiers and the confirmed tier; worked by hand."""

from collections.abc import Iterable
from datetime import date, timedelta
from typing import Any

import pytest
from pydantic import ValidationError

from cx_intel.contracts.health.drivers import health_score_drivers
from cx_intel.contracts.health.scores import customer_health_scores as scores_contract
from cx_intel.models.health.scores import customer_health_scores
from cx_intel.settings.portfolio import Portfolio
from cx_intel_tests.helpers.builders import AS_OF, accounts, health, portfolio, rows, shipped, values
from cx_intel_tests.helpers.made_once import kept_once

YESTERDAY = AS_OF - timedelta(days=1)


def driver(signal: str, weight: float, score: float | None, dimension: str = "all", **more: Any) -> dict[str, Any]:
    """A driver of account A: measured when it has a score, of nominal weight as effective."""
    return {
        "as_of": AS_OF,
        "account_id": "A",
        "model_version": "1",
        "dimension": dimension,
        "signal": signal,
        "signal_score": score,
        "nominal_weight": weight,
        "weight": weight if score is not None else 0,
        "points": weight * (score or 0),
        "is_applicable": True,
        "is_measured": score is not None,
        "is_stale": False,
    } | more


def book(**more: Any) -> Portfolio:
    return portfolio(("metrics",), health=health({s: {"kind": "metric", "metric": s} for s in "ab"}, **more))


def score(
    drivers: Iterable[dict[str, Any]],
    *columns: str,
    of: Portfolio | None = None,
    previous: Iterable[dict[str, Any]] = (),
    as_of: date = AS_OF,
    **attributes: Any,
) -> Any:
    """The columns of account A's row."""
    of = of or book()
    earlier = [{"account_id": "A", "is_frozen": False, "model_version": "1"} | row for row in previous]
    table = kept_once(
        customer_health_scores,
        rows(health_score_drivers(of), drivers),
        accounts(of, [{"account_id": "A", **attributes}], as_of),
        portfolio=of,
        as_of=as_of,
        previous=rows(scores_contract(of), earlier),
    )
    return values(table, *columns)["A"]


def alone(points: float, **more: Any) -> list[dict[str, Any]]:
    return [driver("a", 1, points, **more)]


def test_the_score_is_the_sum_of_points_rounded_once_half_up() -> None:
    half = [driver("a", 0.35, 47), driver("b", 0.65, 82.3)]  # 16.45 + 53.495 = 69.945
    assert score(half, "unrounded_score", "health_score", "health_tier") == (
        pytest.approx(69.945),
        69.9,
        "fair",
    )
    more = [driver("a", 0.5, 60), driver("b", 0.5, 79.9)]  # 69.95
    assert score(more, "health_score", "health_tier") == (70.0, "good")


def test_a_dimension_is_the_weighted_mean_of_its_signals() -> None:
    of = shipped("novacrm")
    given = [driver("events_per_day_30d", 0.6, 25, "usage"), driver("net_mrr_change", 0.4, 100, "revenue")]
    versioned = [row | {"model_version": "novacrm-1"} for row in given]
    columns = ("usage_score", "revenue_score", "support_score", "health_score", "health_tier")
    assert score(versioned, *columns, of=of) == (25, 100, None, 55, "neutral")


@pytest.mark.parametrize(
    ("points", "tier", "is_healthy"),
    [
        (100, "good", True),
        (70, "good", True),
        (69.9, "fair", False),
        (40, "fair", False),
        (39.9, "poor", False),
        (0, "poor", False),
    ],
)
def test_the_tier_is_the_first_whose_bound_the_score_reaches(points: float, tier: str, is_healthy: bool) -> None:
    assert score(alone(points), "health_tier", "is_healthy") == (tier, is_healthy)


def test_coverage_is_the_measured_share_of_what_applies() -> None:
    out = {"is_applicable": False, "is_measured": False}
    given = [
        driver("a", 0.3, 80),
        driver("b", 0.1, None),
        driver("c", 0.1, 50, is_measured=False),  # neutral
        driver("d", 0.5, None, **out),
    ]
    assert score(given, "coverage_pct") == pytest.approx(60)


@pytest.mark.parametrize(("measured", "tier"), [(0.5, "good"), (0.49, "unknown")])
def test_below_the_least_coverage_the_tier_is_unknown_and_the_score_shown(measured: float, tier: str) -> None:
    given = [driver("a", measured, 80), driver("b", 1 - measured, 80, is_measured=False)]
    shown = score(given, "health_score", "health_tier", "confirmed_tier", "is_healthy")
    assert shown == (80, tier, tier, True if tier == "good" else None)


def test_without_any_score_the_health_score_is_missing() -> None:
    given = [driver("a", 1, None)]
    assert score(given, "health_score", "health_tier", "coverage_pct", "all_score") == (
        None,
        "unknown",
        0,
        None,
    )


def test_attributes_are_carried() -> None:
    columns = ("segment", "country", "owner", "current_arr", "model_version")
    given = {"segment": "SMB", "country": "DE", "owner": "Ann", "current_mrr": 10}
    assert score(alone(80), *columns, **given) == ("SMB", "DE", "Ann", 120, "1")


def tiers(**more: Any) -> dict[str, Any]:
    return health({"a": {"kind": "constant", "value": 1}})["tiers"] | more


def was(tier: str, day: date = YESTERDAY, **more: Any) -> dict[str, Any]:
    return {"as_of": day, "confirmed_tier": tier} | more


def test_without_margin_and_dwelling_the_confirmed_tier_is_the_tier() -> None:
    for points, tier in ((70, "good"), (69.9, "fair"), (10, "poor")):
        assert score(alone(points), "confirmed_tier", previous=[was("good")]) == tier


@pytest.mark.parametrize(
    ("before", "points", "confirmed"),
    [
        ("good", 66, "good"),  # the bound of good is 70, less the margin 65
        ("good", 65, "good"),
        ("good", 64.9, "fair"),
        ("fair", 74.9, "fair"),
        ("fair", 75, "good"),
        ("fair", 35, "fair"),
        ("fair", 34.9, "poor"),
        ("good", 10, "poor"),
        ("poor", 44, "poor"),
        ("poor", 90, "good"),
        ("unknown", 66, "fair"),
        ("renamed", 66, "fair"),
    ],
)
def test_the_confirmed_tier_changes_beyond_the_exit_margin(before: str, points: float, confirmed: str) -> None:
    of = book(tiers=tiers(exit_margin=5))
    assert score(alone(points), "confirmed_tier", of=of, previous=[was(before)]) == confirmed


def test_a_tier_that_becomes_unknown_is_confirmed_whatever_the_margin() -> None:
    given = [driver("a", 0.4, 68), driver("b", 0.6, 68, is_measured=False)]
    assert score(given, "confirmed_tier", of=book(tiers=tiers(exit_margin=5)), previous=[was("good")]) == "unknown"


DWELLING = ("confirmed_tier", "pending_tier", "pending_since")


def test_a_new_tier_must_hold_for_the_dwelling_days() -> None:
    of = book(tiers=tiers(min_dwell_days=3))
    first = score(alone(50), *DWELLING, of=of, previous=[was("good")])
    assert first == ("good", "fair", AS_OF)
    since = AS_OF - timedelta(days=2)
    waiting = was("good", pending_tier="fair", pending_since=since)
    assert score(alone(50), *DWELLING, of=of, previous=[waiting]) == ("good", "fair", since)
    long = was("good", pending_tier="fair", pending_since=AS_OF - timedelta(days=3))
    assert score(alone(50), *DWELLING, of=of, previous=[long]) == ("fair", None, None)


def test_another_tier_starts_the_dwelling_anew_and_a_return_ends_it() -> None:
    of = book(tiers=tiers(min_dwell_days=3))
    waiting = was("good", pending_tier="fair", pending_since=date(2025, 1, 1))
    assert score(alone(10), *DWELLING, of=of, previous=[waiting]) == ("good", "poor", AS_OF)
    assert score(alone(80), *DWELLING, of=of, previous=[waiting]) == ("good", None, None)


def test_the_newest_earlier_snapshot_counts() -> None:
    of = book(tiers=tiers(exit_margin=5))
    earlier = [was("good", date(2025, 1, 1)), was("fair", date(2025, 1, 20))]
    assert score(alone(72), "confirmed_tier", of=of, previous=earlier) == "fair"


def test_a_stale_source_holds_the_confirmed_tier() -> None:
    stale = alone(10, is_stale=True)
    columns = ("health_tier", "confirmed_tier", "is_frozen")
    assert score(stale, *columns, previous=[was("good")]) == ("poor", "good", True)
    assert score(stale, *columns) == ("poor", "poor", True)
    waiting = was("good", pending_tier="fair", pending_since=date(2025, 1, 1))
    assert score(stale, *DWELLING, previous=[waiting]) == ("good", "fair", date(2025, 1, 1))


def test_each_model_has_its_own_tiers() -> None:
    strict = [
        {"name": "good", "at_least": 90, "is_healthy": True},
        {"name": "fair", "at_least": 60, "is_healthy": True},
        {"name": "poor", "at_least": 0, "is_healthy": False},
    ]
    own = {"version": "strict", "applies_to": {"segment": "SMB"}, "tiers": {"levels": strict}}
    of = book(models=[own])
    assert score(alone(70), "health_tier", "is_healthy", of=of) == ("good", True)
    found = score(alone(70, model_version="strict"), "health_tier", "is_healthy", of=of)
    assert found == ("fair", True)


@pytest.mark.parametrize("margin", [31, 40])
def test_a_margin_that_no_score_can_pass_is_refused(margin: float) -> None:
    with pytest.raises(ValidationError, match="some tier could never be entered or left"):
        book(tiers=tiers(exit_margin=margin))
