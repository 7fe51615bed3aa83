"""The day on which something was known is a day to the engine too, not only to Ibis; and how new a source is."""

from datetime import date, datetime
from typing import Any

import ibis
import pytest

from cx_intel.contracts.staging.tables import STAGING
from cx_intel.models.staging.dated_facts import UNDATED, dated_facts, newest_row
from cx_intel_tests.helpers.builders import portfolio, rows, shipped


def test_the_figure_of_a_month_is_known_on_the_last_day_of_it():
    of = shipped("fleet")
    given = [{"account_id": "c0", "month": date(2024, 2, 1), "mrr": 100}]
    con = ibis.duckdb.connect()
    staged = con.create_table("staged", rows(STAGING["mrr_history"](of), given).to_pyarrow())
    found = dated_facts({"mrr_history": staged}, portfolio=of)
    assert found is not None
    assert con.con.execute(f"SELECT typeof(day), day FROM ({con.compile(found)})").fetchall() == [
        ("DATE", date(2024, 2, 29))
    ]
    con.disconnect()


AS_OF = date(2025, 1, 31)
LATE = datetime(2025, 1, 31, 23, 30)  # half past midnight of 1 February in Berlin


@pytest.mark.parametrize(
    ("table", "given", "expected"),
    [
        ("accounts", [{"signup_date": date(2024, 5, 1)}, {"signup_date": None}], date(2024, 5, 1)),
        ("accounts", [{"signup_date": date(2025, 2, 1)}], None),  # not known yet
        ("accounts", [], None),
        ("subscriptions", [{"start_date": date(2024, 5, 1), "end_date": date(2025, 1, 9)}], date(2025, 1, 9)),
        ("subscriptions", [{"start_date": date(2024, 5, 1), "end_date": date(2026, 1, 9)}], date(2024, 5, 1)),
        ("invoices", [{"invoice_date": date(2025, 1, 3)}, {"invoice_date": date(2025, 1, 2)}], date(2025, 1, 3)),
        ("mrr_history", [{"month": date(2024, 12, 1)}], date(2024, 12, 31)),
        ("mrr_history", [{"month": date(2024, 11, 1)}, {"month": date(2025, 2, 1)}], date(2024, 11, 30)),
        (
            "support_tickets",
            [{"created_date": date(2025, 1, 2), "resolved_at": datetime(2025, 1, 8)}],
            date(2025, 1, 8),
        ),
        ("nps_responses", [{"responded_at": LATE}, {"responded_at": datetime(2025, 1, 7)}], date(2025, 1, 7)),
        ("usage_events", [{"event_date": date(2025, 1, 30)}], date(2025, 1, 30)),
        ("ticket_status_history", [{"changed_at": datetime(2025, 1, 30, 23, 30)}], date(2025, 1, 31)),
    ],
)
def test_the_newest_row_that_is_known_by_the_day(table: str, given: list[dict[str, Any]], expected: date | None):
    of = portfolio([table] if table not in ("accounts", "subscriptions") else [], time_zone="Europe/Berlin")
    found = newest_row(table, rows(STAGING[table](of), given), portfolio=of, as_of=AS_OF)
    assert found.to_pyarrow().to_pylist() == [{"newest": expected}]


def test_every_source_has_a_newest_row():
    of = portfolio(sorted({*STAGING} - {"accounts", "subscriptions"}))
    dated = {table: make(of) for table, make in STAGING.items() if table not in UNDATED}
    empty = {table: newest_row(table, rows(made, []), portfolio=of, as_of=AS_OF) for table, made in dated.items()}
    assert [t.to_pyarrow().to_pylist() for t in empty.values()] == [[{"newest": None}]] * (len(STAGING) - 1)
