"""How the days and words of a file are proposed to be read."""

from pathlib import Path

import pytest

from cx_intel_tests.helpers.proposed import proposal


def test_american_dates_with_a_clock_of_twelve_hours(tmp_path: Path) -> None:
    text = "id,customer,rating,date\n1,A,9,09/13/2024 6:58 PM\n2,B,3,09/07/2024 5:06 AM\n"

    made = proposal(tmp_path, "nps_survey.csv", text)

    assert made.table == "nps_responses"
    assert made.more == {"date_formats": ["%m/%d/%Y %I:%M %p"]}
    assert not made.doubts


@pytest.mark.parametrize(
    ("days", "stated", "said"),
    [
        (
            ["05/06/2024"],
            "%m/%d/%Y",
            ["Whether 05/06/2024 begins with the day or the month is not told: `date_formats` says the month."],
        ),
        (
            ["01/02/2024", "01/03/2024"],  # contracts begin on the first
            "%d/%m/%Y",
            ["Whether 01/02/2024 begins with the day or the month is not told: `date_formats` says the day."],
        ),
        (["13/06/2024", "05/06/2024"], "%d/%m/%Y", []),
        (["06/13/2024", "05/06/2024"], "%m/%d/%Y", []),
        (["05.06.2024"], "%d.%m.%Y", []),
        (
            ["13/06/2024", "06/13/2024"],
            "%d/%m/%Y",
            ["Days are written both as 13/06/2024 and as 06/13/2024: one source can read but one way."],
        ),
    ],
)
def test_which_of_day_and_month_comes_first_is_told_or_said(
    tmp_path: Path, days: list[str], stated: str, said: list[str]
) -> None:
    lines = [f"{n},A,10.50,{day}" for n, day in enumerate(days)]

    made = proposal(tmp_path, "contracts.csv", "\n".join(["id,customer,mrr,start", *lines, ""]))

    assert made.more == {"date_formats": [stated]}
    assert list(made.doubts) == said


def test_words_of_priorities_become_ours_and_an_unknown_one_is_said(tmp_path: Path) -> None:
    text = "id,org_id,created_at,priority\n1,A,2024-01-01,Urgent\n2,A,2024-01-01,low\n3,A,2024-01-01,VIP\n"

    made = proposal(tmp_path, "tickets.csv", text)

    assert made.more == {"values": {"priority": {"low": "p4", "urgent": "p1"}}}
    assert made.doubts == ("Which priority vip is, is not told: add it to `values`.",)


def test_tickets_with_days_before_their_names(tmp_path: Path) -> None:
    text = (
        "ticket_id,account_id,date_received,date_closed,severity,current_status\n1,A,2026-01-02,2026-01-05,Med,closed\n"
    )
    made = proposal(tmp_path, "support_tickets.csv", text)

    assert (made.table, made.missing, made.unread) == ("support_tickets", (), ())
    assert made.columns | {"created_at": "date_received", "resolved_at": "date_closed", "status": "current_status"} == (
        made.columns
    )
    assert made.more["values"] == {"priority": {"med": "p3"}}


def test_the_worst_priority_is_rare_and_may_come_yet(tmp_path: Path) -> None:
    text = "ticket_id,customer_id,created_at,priority\n1,A,2026-01-02,High\n2,A,2026-01-02,Low\n"
    made = proposal(tmp_path, "tickets.csv", text)

    assert made.more["values"] == {"priority": {"critical": "p1", "high": "p2", "low": "p4", "urgent": "p1"}}


def test_a_column_of_words_is_no_date_and_no_amount(tmp_path: Path) -> None:
    made = proposal(tmp_path, "contracts.csv", "id,customer,amount,start,fee\n1,A,on request,soon,12\n")

    assert made.columns == {"subscription_id": "id", "account_id": "customer", "amount": "fee"}
    assert made.missing == ("start_date",)


def test_the_day_of_creation_is_a_start_for_want_of_another(tmp_path: Path) -> None:
    text = "sub_id,customer_id,status,mrr,created_at\nS1,A,active,99.5,2024-03-29\n"
    made = proposal(tmp_path, "subscriptions.csv", text)

    assert (made.table, made.missing) == ("subscriptions", ())
    assert (made.columns["subscription_id"], made.columns["start_date"]) == ("sub_id", "created_at")
    assert made.doubts == ("created_at is taken for the start of a subscription, for want of another.",)


@pytest.mark.parametrize(
    ("day", "stated"),
    [
        ("12/31/25", "%m/%d/%y"),
        ("31.12.25 9:05", "%d.%m.%y %H:%M"),
        ("31-12-2025", "%d-%m-%Y"),
        ("31-Dec-25", "%d-%b-%y"),
        ("Dec 31, 2025", "%b %d, %Y"),
        ("2025/12/31", "%Y/%m/%d"),
        ("12/31/2025 9:05AM", "%m/%d/%Y %I:%M%p"),
    ],
)
def test_days_as_people_write_them(tmp_path: Path, day: str, stated: str) -> None:
    made = proposal(tmp_path, "contracts.csv", f'id,customer,mrr,start\n1,A,10.50,"{day}"\n')

    assert made.columns["start_date"] == "start"
    assert made.more == {"date_formats": [stated]}
