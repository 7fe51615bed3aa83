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
from cx_intel_tests.helpers.made_once import made
from cx_intel_tests.helpers.staged_rows import AS_OF, SMALL, accounts, raw

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
    found = made(
        staging.judged,
        raw([SUBSCRIPTION | row for row in given]),
        table="subscriptions",
        portfolio=of,
        as_of=AS_OF,
        accounts=accounts(of),
        seen=known,
    ).to_pylist()
    return [row["_reason"] for row in sorted(found, key=lambda row: row["_row_number"])]


ENDED: dict[str, tuple[dict[str, str], str | None]] = {
    "never seen": ({}, WHAT_TO_WRITE),
    "never seen, in capitals": ({"status": "Canceled"}, WHAT_TO_WRITE),
    "ends never": ({"end_date": "9999-12-31"}, WHAT_TO_WRITE),
    "was seen in force": ({}, None),
    "with end_date": ({"end_date": "2024-12-01"}, None),
    "with cancel_at": ({"cancel_at": "2024-12-01"}, None),
    "with valid_to": ({"valid_to": "2024-12-01"}, None),
    "a day that cannot be read is told alone": (
        {"end_date": "soon"},
        "end_date: 'soon' is not a date (YYYY-MM-DD, or as date_formats say)",
    ),
    "an earlier row shows it in force": ({"valid_from": "2024-12-01"}, None),
}


@pytest.fixture(scope="module")
def ended() -> dict[str, str | None]:
    """The reason of each case of ENDED, of which one was seen before and one has an earlier row."""
    given = [{"subscription_id": case, "status": "canceled"} | cells for case, (cells, _) in ENDED.items()]
    earlier = {
        "subscription_id": "an earlier row shows it in force",
        "status": "active",
        "valid_from": "2024-03-01",
    }
    *told, of_earlier = reasons(*given, earlier, seen=["was seen in force"])
    assert of_earlier is None
    return dict(zip(ENDED, told, strict=True))


class TestEndedWithoutADay:
    @pytest.mark.parametrize("case", ENDED)
    def test_it_is_quarantined_unless_something_shows_when_or_that_it_was_in_force(
        self, case: str, ended: dict[str, str | None]
    ) -> None:
        assert ended[case] == ENDED[case][1]

    @pytest.mark.slow
    def test_before_anything_was_loaded_it_is_quarantined_too(self) -> None:
        assert reasons({"status": "Canceled"}) == [WHAT_TO_WRITE]

    @pytest.mark.slow
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
