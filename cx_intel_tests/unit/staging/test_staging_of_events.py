"""Staging of what happens to accounts: events, tickets, figures, responses. Values worked by hand."""

from datetime import date, datetime

from cx_intel_tests.helpers.staged_rows import BERLIN, judged, reasons


def test_events_get_the_day_and_hour_of_the_portfolios_zone() -> None:
    times = ["2025-01-15T23:30:00", "2025-01-15T23:30:00+01:00", "1736983800000", "yesterday"]
    rows = judged(
        "usage_events",
        [
            {"event_id": f"E{n}", "account_id": "A1", "event_name": "GPS_ping", "event_timestamp": time}
            for n, time in enumerate(times)
        ]
        + [{"event_id": "E9", "account_id": "A1", "event_name": "x", "event_timestamp": times[0]}],
        BERLIN,
    )
    assert [(row["event_date"], row["event_hour"], row["event_category"]) for row in rows] == [
        (date(2025, 1, 16), 0, "tracking"),
        (date(2025, 1, 15), 23, "tracking"),
        (date(2025, 1, 16), 0, "tracking"),
        (None, None, "tracking"),
        (date(2025, 1, 16), 0, "other"),
    ]
    assert rows[0]["event_timestamp"] == datetime(2025, 1, 15, 23, 30)
    assert (
        rows[3]["_reason"] == "event_timestamp: 'yesterday' is not a time (YYYY-MM-DDTHH:MM:SS, or as date_formats say)"
    )


def test_equal_keys_of_events_are_compared_within_the_day() -> None:
    base = {"event_id": "E1", "account_id": "A1", "event_name": "x"}
    times = ["2025-01-15T10:00:00", "2025-01-15T11:00:00", "2025-01-16T10:00:00"]
    found = reasons("usage_events", [base | {"event_timestamp": time} for time in times])
    assert found == ["duplicate of row 2 of x.csv: the same event_id", None, None]


def test_measured_figures_may_be_yes_or_no() -> None:
    base = {"account_id": "A1", "measured_on": "2025-01-31"}
    values = ["Yes", "0", "37.5", "many", None]
    rows = judged("metrics", [base | {"metric": f"QBR_{n}", "value": v} for n, v in enumerate(values)])
    assert [(row["metric"], row["value"]) for row in rows[:3]] == [
        ("qbr_0", 1),
        ("qbr_1", 0),
        ("qbr_2", 37.5),
    ]
    assert [row["_reason"] for row in rows[3:]] == [
        "value: 'many' is not a number (write 1234.5)",
        "value is missing",
    ]


def test_activities() -> None:
    activity = {"activity_id": "C1", "account_id": "A1", "activity_type": "QBR", "status": "Done"}
    (row,) = judged("csm_activities", [activity])
    assert (row["activity_type"], row["status"], row["completed_at"], row["_reason"]) == (
        "qbr",
        "done",
        None,
        None,
    )
