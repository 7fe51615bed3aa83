"""When a back-test is made anew: for another month end and for each block that a past score or its outcome depends on."""

from datetime import date
from typing import Any

import pytest

from cx_intel.orchestration.assets.unchanged import NOT_JUDGING, fingerprint
from cx_intel.settings.portfolio import Portfolio
from cx_intel_tests.helpers.builders import shipped

FLEET = shipped("fleet")
DAY = date(2025, 1, 15)


def changed(block: str, **values: Any) -> Portfolio:
    return FLEET.model_copy(update={block: getattr(FLEET, block).model_copy(update=values)})


@pytest.mark.parametrize(
    "other",
    [
        changed("lifecycle", watched_signals={}),
        changed("as_of", earliest=date(2024, 6, 1)),
        changed("currency", rates={}),
        changed("backtest", months=6),
        FLEET.model_copy(update={"sources": FLEET.sources[:-1]}),
    ],
)
def test_what_scores_and_outcomes_depend_on_makes_another(other: Portfolio) -> None:
    assert fingerprint(other, DAY) != fingerprint(FLEET, DAY)


def test_what_is_shown_and_sent_makes_none() -> None:
    other = changed("reports", language="en").model_copy(update={"description": "another", "playbooks": []})
    assert fingerprint(other, DAY) == fingerprint(FLEET, DAY)
    assert set(Portfolio.model_fields) > NOT_JUDGING


def test_another_day_of_the_month_makes_none_and_a_new_month_end_does() -> None:
    assert fingerprint(FLEET, DAY) == fingerprint(FLEET, date(2025, 1, 30))
    assert fingerprint(FLEET, date(2025, 1, 31)) != fingerprint(FLEET, date(2025, 1, 30))
    assert fingerprint(FLEET, date(2025, 1, 31)) == fingerprint(FLEET, date(2025, 2, 1))
