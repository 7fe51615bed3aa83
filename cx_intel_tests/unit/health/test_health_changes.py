"""Changes: which snapshots are compared, and by how much scores differ."""

from datetime import date
from typing import Any

from cx_intel.contracts.health.scores import customer_health_scores
from cx_intel.models.health.changes import health_score_changes
from cx_intel_tests.helpers.builders import AS_OF, health, portfolio, rows, values

BOOK = portfolio(("metrics",), health=health({s: {"kind": "metric", "metric": s} for s in "ab"}, version="v2"))


def score(day: date, points: float | None, account: str = "A", version: str = "v2", tier: str = "fair") -> dict:
    return {
        "as_of": day,
        "account_id": account,
        "health_score": points,
        "unrounded_score": points,
        "health_tier": tier,
        "model_version": version,
    }


def changes(*scores: dict[str, Any]) -> Any:
    history = rows(customer_health_scores(BOOK), scores)
    return health_score_changes(history, portfolio=BOOK, as_of=AS_OF)


def compared(*days: int) -> set[date]:
    """The days of January (0: December 31) that are compared with the 31st, of those that have snapshots."""
    earlier = [date(2025, 1, d) if d > 0 else date(2024, 12, 31 + d) for d in days]
    return set(values(changes(*(score(d, 50) for d in [*earlier, AS_OF])), "account_id", by="compared_as_of"))


def test_every_day_is_compared_with_the_day_before_a_week_and_a_month_ago() -> None:
    assert compared(*range(-20, 31)) == {date(2025, 1, 30), date(2025, 1, 24), date(2025, 1, 1)}


def test_without_a_snapshot_on_that_very_day_the_newest_within_three_days_before_is_taken() -> None:
    assert compared(22, 21) == {date(2025, 1, 22)}  # 9 days back: the snapshot before, and the week's
    assert compared(30, 20, 23) == {date(2025, 1, 30), date(2025, 1, 23)}
    assert compared(30, 20) == {date(2025, 1, 30)}  # 11 days back is too far for a week
    assert compared(30, -2) == {date(2025, 1, 30), date(2024, 12, 29)}  # 33 days back
    assert compared(30, -3) == {date(2025, 1, 30)}


def test_the_snapshot_before_may_be_long_ago_and_the_first_has_none() -> None:
    assert compared(-20) == {date(2024, 12, 11)}
    assert compared() == set()


def test_a_change_is_now_less_then() -> None:
    found = changes(
        score(date(2025, 1, 30), 71.5, tier="good"),
        score(AS_OF, 60.25),
        score(date(2025, 1, 30), 10, "left"),
        score(AS_OF, 10, "new"),
        score(date(2025, 1, 30), None, "unscored"),
        score(AS_OF, 10, "unscored"),
    )
    columns = ("health_score_change", "tier_from", "tier_to", "score_from", "score_to")
    assert values(found, *columns) == {"A": (-11.25, "good", "fair", 71.5, 60.25)}
