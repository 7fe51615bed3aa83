"""What an account did on a day, counted by hand."""

from datetime import date, datetime
from typing import Any

from cx_intel.contracts import core
from cx_intel.contracts.staging.tables import STAGING
from cx_intel.models.core.usage import fct_usage
from cx_intel.settings.portfolio import Portfolio
from cx_intel_tests.helpers.builders import portfolio, rows, values

CATEGORIES = {"reporting": ["report_viewed", "export"], "core": ["note_added"]}
BOOK = portfolio(
    ["usage_events"],
    usage={
        "categories": CATEGORIES,
        "counted_events": {"exports": "export"},
        "power_usage_events": 4,
        "power_usage_features": 3,
    },
)
MONDAY, TUESDAY = date(2025, 1, 6), date(2025, 1, 7)


def event(name: str, hour: int, user: str | None = "U1", account: str = "A", day: date = MONDAY) -> dict[str, Any]:
    known = {e: c for c, names in CATEGORIES.items() for e in names}
    return {
        "account_id": account,
        "user_id": user,
        "event_name": name,
        "event_timestamp": datetime(day.year, day.month, day.day, hour, 30),
        "event_date": day,
        "event_hour": hour,
        "event_category": known.get(name, "other"),
    }


def usage(*events: dict[str, Any], of: Portfolio = BOOK) -> Any:
    given = [{"event_id": f"E{n}"} | e for n, e in enumerate(events)]
    return fct_usage(rows(STAGING["usage_events"](of), given), portfolio=of)


DAY = (
    event("report_viewed", 9),
    event("report_viewed", 9, "U2"),
    event("export", 10),
    event("note_added", 10, None),
    event("odd", 23, "U2"),
)


def test_counts_of_a_day() -> None:
    columns = ("total_events", "active_users", "distinct_features_used", "distinct_categories_used", "active_hours")
    assert values(usage(*DAY), *columns) == {"A": (5, 2, 4, 2, 3)}


def test_events_by_category_and_those_counted_by_name() -> None:
    columns = ("reporting_events", "core_events", "other_events", "exports")
    assert values(usage(*DAY), *columns) == {"A": (3, 1, 1, 1)}


def test_the_first_and_the_last_event() -> None:
    found = values(usage(*DAY), "first_event_at", "last_event_at")["A"]
    assert found == (datetime(2025, 1, 6, 9, 30), datetime(2025, 1, 6, 23, 30))


def test_breadth_is_the_share_of_named_categories() -> None:
    assert values(usage(*DAY), "feature_breadth_pct") == {"A": 100.0}
    assert values(usage(event("export", 9), event("odd", 9)), "feature_breadth_pct") == {"A": 50.0}
    assert values(usage(event("odd", 9)), "feature_breadth_pct") == {"A": 0.0}


def test_a_portfolio_without_categories_has_no_breadth() -> None:
    of = portfolio(["usage_events"])
    found = usage(event("export", 9) | {"event_category": "other"}, of=of)
    assert values(found, "feature_breadth_pct", "other_events", "total_events") == {"A": (None, 1, 1)}


def test_a_power_day_needs_both_events_and_features() -> None:
    many = [event("export", hour) for hour in range(8)]
    broad = [event("export", 9), event("note_added", 9), event("odd", 9)]
    assert values(usage(*many), "is_power_usage_day") == {"A": False}
    assert values(usage(*broad), "is_power_usage_day") == {"A": False}
    assert values(usage(*broad, event("odd", 10)), "is_power_usage_day") == {"A": True}


def test_days_and_accounts_stand_apart_and_idle_days_are_not_there() -> None:
    given = [event("odd", 1), event("odd", 2, day=TUESDAY), event("odd", 3, account="B", day=TUESDAY)]
    found = values(usage(*given), "total_events", by=("account_id", "event_date"))
    assert found == {("A", MONDAY): 1, ("A", TUESDAY): 1, ("B", TUESDAY): 1}


def test_contract_and_output_agree() -> None:
    assert usage(*DAY).schema() == core.fct_usage(BOOK).schema()
