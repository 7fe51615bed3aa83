"""Ends of subscriptions: an ended one without a day is quarantined unless it was seen in force; ends with a time are told."""

from datetime import date
from typing import Any

import ibis
import ibis.expr.types as ir
import pytest

from cx_intel.contracts.staging.tables import STAGING
from cx_intel.contracts.subscriptions import subscription_periods
from cx_intel.models.staging import rows as staging
from cx_intel.models.subscriptions.history import seen_before
from cx_intel.settings.portfolio import Portfolio
from cx_intel_tests.helpers.builders import portfolio, rows
from cx_intel_tests.helpers.staged_rows import AS_OF, CON, SMALL, accounts, raw

SUBSCRIPTION = {
    "subscription_id": "s1",
    "account_id": "A1",
    "amount": "100",
    "currency": "EUR",
    "start_date": "2024-03-01",
}
WHAT_TO_WRITE = (
    "status: 'canceled' says that it has ended, nothing says when, and no load showed it in force: map the day to end_date, "
    "or state {canceled: never} under revenue.subscription_statuses if such ones never count"
)


def reasons(*given: dict[str, str], seen: list[str] | None = None, of: Portfolio = SMALL) -> list[str | None]:
    known = None if seen is None else ibis.memtable({"subscription_id": seen}, schema={"subscription_id": "string"})
    judged = staging.judged(
        raw([SUBSCRIPTION | row for row in given]),
        table="subscriptions",
        portfolio=of,
        as_of=AS_OF,
        accounts=accounts(of),
        seen=known,
    )
    found = sorted(CON.to_pyarrow(judged).to_pylist(), key=lambda row: row["_row_number"])
    return [row["_reason"] for row in found]


class TestEndedWithoutADay:
    @pytest.mark.slow
    def test_one_that_was_never_seen_is_quarantined_with_what_to_write(self) -> None:
        assert reasons({"status": "Canceled"}) == [WHAT_TO_WRITE]
        assert reasons({"status": "canceled"}, seen=["s2"]) == [WHAT_TO_WRITE]
        assert reasons({"status": "canceled", "end_date": "9999-12-31"}) == [WHAT_TO_WRITE]

    def test_one_that_was_seen_in_force_is_kept(self) -> None:
        assert reasons({"status": "canceled"}, seen=["s1"]) == [None]

    @pytest.mark.slow
    @pytest.mark.parametrize("column", ["end_date", "cancel_at", "valid_to"])
    def test_one_with_a_day_is_kept(self, column: str) -> None:
        assert reasons({"status": "canceled", column: "2024-12-01"}) == [None]

    def test_a_day_that_cannot_be_read_is_told_alone(self) -> None:
        assert reasons({"status": "canceled", "end_date": "soon"}) == [
            "end_date: 'soon' is not a date (YYYY-MM-DD, or as date_formats say)"
        ]

    @pytest.mark.slow
    def test_a_row_of_its_own_history_shows_it_in_force(self) -> None:
        active = {"status": "active", "valid_from": "2024-03-01"}
        assert reasons(active, {"status": "canceled", "valid_from": "2024-12-01"}) == [None, None]

    def test_a_word_that_is_stated_to_never_count_is_kept(self) -> None:
        revenue = SMALL.revenue.model_copy(update={"subscription_statuses": {"canceled": "never"}})
        assert reasons({"status": "canceled"}, of=SMALL.model_copy(update={"revenue": revenue})) == [None]

    def test_what_earlier_loads_had_before_it_ended(self) -> None:
        contract, day = subscription_periods(SMALL), date(2024, 12, 31)

        def period(name: str, known: date, status: str | None, is_counting: bool) -> dict[str, Any]:
            return {"subscription_id": name, "known_from": known, "status": status, "is_counting": is_counting}

        periods = [
            period("active", day, "active", True),
            period("no status", day, None, True),
            period("trial", day, "trialing", False),
            period("ended on a day", day, "canceled", True),
            period("ended without a day", day, "canceled", False),
            period("of this load", AS_OF, "active", True),
        ]
        found = seen_before(rows(contract, periods), SMALL, AS_OF).to_pyarrow().to_pylist()
        seen = {row["subscription_id"] for row in found}
        assert seen == {"active", "no status", "trial", "ended on a day"}


def book(table: str, zone: str = "UTC", **source: Any) -> Portfolio:
    files = [{"kind": "files", "table": t, "path": f"{t}.csv"} for t in ("accounts", "subscriptions", "invoices")]
    files = [f | source if f["table"] == table else f for f in files]
    return portfolio(sources=files, time_zone=zone)


def told(table: str, column: str, end: str, of: Portfolio) -> int:
    """How many of these raw rows the rule names; 0 without the rule."""
    given: ir.Table = raw([{column: end}, {column: "2025-03-31"}, {column: None}])
    rules = [rule for rule in STAGING[table](of).cross_invariants if rule.name == "ends_are_days"]
    return sum(rule.broken({f"raw_{table}": given}).count().execute() for rule in rules)


class TestEndsWithATime:
    @pytest.mark.parametrize(
        ("end", "expected"),
        [
            ("2025-03-31T23:59:59", 1),
            ("2025-03-31 23:59", 1),
            ("2025-03-31T23:59:59.999Z", 1),
            ("2025-03-31T23:59:59+00:00", 1),
            ("2025-03-31T00:00:00", 0),
            ("2025-03-31T12:00:00Z", 0),
            ("2025-03-31", 0),
        ],
    )
    def test_the_last_minute_of_a_day_is_told(self, end: str, expected: int) -> None:
        assert told("subscriptions", "end_date", end, book("subscriptions")) == expected

    @pytest.mark.parametrize(("table", "column"), [("subscriptions", "valid_to"), ("invoices", "period_end")])
    def test_every_end_is_looked_at(self, table: str, column: str) -> None:
        assert told(table, column, "2025-03-31T23:59:59", book(table)) == 1

    def test_it_is_not_told_where_ends_are_stated_to_be_last_days(self) -> None:
        stated = book("subscriptions", end_date={"is": "last_day_in_force"})
        assert told("subscriptions", "end_date", "2025-03-31T23:59:59", stated) == 0

    def test_an_end_that_lies_on_the_next_day_in_the_zone_of_the_portfolio_is_right_as_it_is(self) -> None:
        berlin = "Europe/Berlin"
        assert told("subscriptions", "end_date", "2025-03-31T23:59:59", book("subscriptions", berlin)) == 0
        own = book("subscriptions", berlin, time_zone=berlin)
        assert told("subscriptions", "end_date", "2025-03-31T23:59:59", own) == 1
        assert told("subscriptions", "end_date", "2025-03-31T23:59:59Z", own) == 0

    def test_a_source_without_ends_has_nothing_to_tell(self) -> None:
        assert told("invoices", "invoice_date", "2025-03-31T23:59:59", book("invoices")) == 0

    def test_what_to_write_is_named(self) -> None:
        (rule,) = [r for r in STAGING["invoices"](book("invoices")).cross_invariants if r.name == "ends_are_days"]
        assert "`end_date: {is: last_day_in_force}` on the source of invoices" in rule.recovery
        assert rule.severity == "warn"
