"""A row whose date can only be a mistake, as 2062 for 2026, is told; rows that are later than a past day are not."""

from datetime import date
from pathlib import Path

import pytest

from cx_intel.contracts.catalog import contract_of
from cx_intel.orchestration.checks.check import CheckContext
from cx_intel.orchestration.checks.dated_ahead import DatedAhead, far_ahead
from cx_intel_tests.helpers.event_files import event_files

MONDAY, TUESDAY = date(2025, 1, 6), date(2025, 1, 7)


@pytest.mark.parametrize(
    ("days", "ahead"),
    [
        ([MONDAY, TUESDAY], []),
        ([MONDAY, date(2062, 1, 7)], [date(2062, 1, 7)]),
        ([MONDAY, TUESDAY, date(2062, 1, 7)], [date(2062, 1, 7)]),  # today's rows come before
        ([MONDAY, date(2025, 7, 5)], []),  # 180 days
        ([MONDAY, date(2025, 7, 6), date(2025, 7, 7)], [date(2025, 7, 6), date(2025, 7, 7)]),
        ([date(2024, 6, 1), TUESDAY], []),  # today's, the first in half a year
        ([date(2024, 6, 1), date(2025, 1, 8)], [date(2025, 1, 8)]),
        ([date(1926, 1, 6), MONDAY], []),  # the past is no news of the future
        ([date(2025, 3, day) for day in range(1, 31)], []),  # the source begins after the day that is refreshed
        ([], []),
    ],
)
def test_days_after_a_silence_of_half_a_year(days: list[date], ahead: list[date]) -> None:
    assert sorted(far_ahead(dict.fromkeys(days, 1), MONDAY)) == ahead


def test_events_that_no_day_has_staged_are_told(tmp_path: Path) -> None:
    with event_files(tmp_path) as events:
        events.write("mon", ["E1", "A", "2025-01-06T08:00:00"], ["E2", "B", "2062-01-06T09:00:00"])
        events.refresh(MONDAY)
        contract = contract_of("source_freshness", events.portfolio)
        context = CheckContext(contract.no_rows(), (), MONDAY, events.warehouse)

        (found,) = DatedAhead(contract, events.portfolio).run(context)

        assert events.staged() == {"E1": MONDAY}
        assert (found.passed, found.blocks, found.broken_count, found.total_count) == (False, False, 1, 2)
        assert found.rule.recovery == (
            "usage_events: 1 rows, the first of 2062-01-06. They count in no figure before that day: mend the date at the "
            "source."
        )
