"""What a sheet tells of the intervention list: the words and days that people write."""

from datetime import date, datetime

from cx_intel_tests.helpers.builders import portfolio
from cx_intel_tests.helpers.staged_rows import judged

BOOK = portfolio(["actions"])


def test_a_sheet_is_read_as_people_fill_it_in() -> None:
    found = judged(
        "actions",
        [
            {"account_id": "A1", "entry_id": "A1@2025-03-01", "status": "Done", "acted_at": "2025-01-20 14:30"},
            {"account_id": "A1", "entry_id": "A1@2026-03-01", "status": None},
            {"account_id": "A2", "status": "SNOOZED", "snoozed_until": "2025-02-10", "acted_by": "Kim Berg"},
            {"account_id": "A2", "status": "dismissed", "reason": "Sold", "acted_at": "2025-01-21", "action_id": "t7"},
        ],
        BOOK,
    )
    assert [row["_reason"] for row in found] == [None] * 4
    assert [row["status"] for row in found] == ["done", "open", "snoozed", "dismissed"]
    assert [row["renewal_date"] for row in found] == [date(2025, 3, 1), date(2026, 3, 1), None, None]
    assert [row["action_id"] for row in found] == ["A1@2025-03-01/1737383400", "A1@2026-03-01", "A2", "t7"]
    assert (found[0]["acted_at"].replace(tzinfo=None), found[2]["snoozed_until"]) == (
        datetime(2025, 1, 20, 14, 30),
        date(2025, 2, 10),
    )


def test_what_cannot_be_read_is_quarantined_with_what_to_write() -> None:
    found = judged(
        "actions",
        [
            {"account_id": "A1", "status": "called them"},
            {"account_id": "A1", "status": "snoozed", "action_id": "2"},
            {"account_id": "A1", "status": "dismissed", "action_id": "3"},
            {"account_id": "A1", "status": "done", "entry_id": "A1", "action_id": "4"},
            {"account_id": "A1", "status": "done", "entry_id": "A1@2025-02-30", "action_id": "5"},
            {"account_id": "A9", "status": "done", "action_id": "6"},
        ],
        BOOK,
    )
    assert [row["_reason"] for row in found] == [
        "status: 'called them' is none of open, done, snoozed, dismissed",
        "snoozed without snoozed_until (write the day)",
        "dismissed without a reason",
        "entry_id: 'A1' does not end in a renewal date (account@YYYY-MM-DD)",
        "entry_id: 'A1@2025-02-30' does not end in a renewal date (account@YYYY-MM-DD)",
        "account_id 'A9' is not among the accounts",
    ]
