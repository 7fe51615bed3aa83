"""Laws of the statuses of subscriptions: a word means what is stated, and one without a meaning never counts silently."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cx_intel.settings.revenue.subscription_statuses import STATUSES
from cx_intel_tests.helpers.builders import portfolio
from cx_intel_tests.helpers.staged_rows import judged

pytestmark = pytest.mark.slow  # many examples


@settings(max_examples=3, deadline=None)
@given(words=st.lists(st.from_regex(r"[a-z]{3,12}", fullmatch=True), min_size=12, max_size=12, unique=True))
def test_a_status_means_what_is_stated_and_one_that_means_nothing_never_counts_silently(words: list[str]) -> None:
    roles = ("counting", "ended", "never", "trial", "paused")
    stated = {word: roles[n % len(roles)] for n, word in enumerate(words) if word not in STATUSES}
    known = {"counting": "active", "ended": "canceled", "never": "draft", "trial": "trialing", "paused": "paused"}
    row = {"account_id": "A1", "amount": "100", "start_date": "2025-01-01", "end_date": "2025-02-01"}
    given = [row | {"subscription_id": word, "status": word} for word in stated]
    alike = [row | {"subscription_id": word, "status": known[role]} for word, role in stated.items()]
    unknown = judged("subscriptions", given, portfolio())
    assert all("is no known status: state under revenue.subscription_statuses" in found["_reason"] for found in unknown)
    mapped = portfolio(revenue={"basis": "subscriptions", "subscription_statuses": stated})
    told = ("_reason", "mrr_amount", "is_active", "start_date", "end_date")
    found, expected = judged("subscriptions", given, mapped), judged("subscriptions", alike, mapped)
    assert [[r[name] for name in told] for r in found] == [[r[name] for name in told] for r in expected]
