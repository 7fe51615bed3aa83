"""Laws of freshness: the order of rows does not matter, later rows make no source older, silence makes none newer."""

from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cx_intel.contracts.core import account_history
from cx_intel.contracts.freshness import days_of_sources
from cx_intel.contracts.freshness import source_freshness as contract
from cx_intel.contracts.staging.tables import STAGING
from cx_intel.contracts.subscriptions import subscription_periods
from cx_intel.models.core.freshness import source_freshness
from cx_intel_tests.helpers.builders import portfolio, rows
from cx_intel_tests.helpers.made_once import made

pytestmark = pytest.mark.slow

AS_OF = date(2025, 1, 31)
OF = portfolio(["usage_events"])
OTHERS = ("support_tickets", "ticket_status_history", "nps_responses", "csm_activities", "metrics")
AGO = st.lists(st.integers(-5, 200), max_size=60)
LAW = settings(max_examples=6, deadline=None)


def usage(ago: list[int], as_of: date = AS_OF) -> dict[str, Any]:
    """What is known of usage events that happened so many days before AS_OF."""
    empty = {name: rows(STAGING[name](OF), []) for name in ("invoices", "mrr_history", *OTHERS)}
    happened = [{"event_date": AS_OF - timedelta(days=n)} for n in ago]
    found = made(
        source_freshness,
        rows(account_history(OF), []),
        rows(subscription_periods(OF), []),
        empty["invoices"],
        empty["mrr_history"],
        rows(STAGING["usage_events"](OF), happened),
        *(empty[name] for name in OTHERS),
        rows(days_of_sources(OF), []),
        portfolio=OF,
        as_of=as_of,
        previous=rows(contract(OF), []),
    )
    return next(row for row in found.to_pylist() if row["source_table"] == "usage_events")


@LAW
@given(AGO, st.randoms(use_true_random=False))
def test_the_order_of_rows_does_not_matter(ago: list[int], random: Any) -> None:
    assert usage(random.sample(ago, len(ago))) == usage(ago)


@LAW
@given(AGO, st.integers(0, 200))
def test_a_row_more_makes_no_source_older_and_one_dated_later_changes_nothing(ago: list[int], more: int) -> None:
    before, after = usage(ago), usage([*ago, more])
    assert after["age_days"] <= (more if before["age_days"] is None else before["age_days"])
    assert usage([*ago, -1 - more]) == before


@LAW
@given(st.lists(st.integers(0, 200), min_size=11, max_size=60, unique=True), st.integers(1, 400))
def test_silence_takes_no_rhythm_away_and_whoever_is_late_stays_so(ago: list[int], silence: int) -> None:
    now, then = usage(ago), usage(ago, AS_OF + timedelta(days=silence))
    assert (then["rhythm_days"], then["age_days"]) == (now["rhythm_days"], now["age_days"] + silence)
    assert then["is_late"] >= now["is_late"]
    assert then["is_frozen"] >= now["is_frozen"]
    assert then["is_late"] >= then["is_frozen"]
