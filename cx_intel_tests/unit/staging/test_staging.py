"""Staging: what each raw row becomes, and the reason of each that is turned away. Values worked by hand."""

from datetime import date
from decimal import Decimal

import pytest

from cx_intel.models.staging import tables as staging
from cx_intel_tests.helpers.builders import shipped
from cx_intel_tests.helpers.staged_rows import AS_OF, BERLIN, CON, SMALL, judged, raw, reasons


def test_accounts_are_trimmed_typed_and_segmented() -> None:
    (row, empty) = judged(
        "accounts",
        [
            {
                "account_id": " A1 ",
                "account_name": "Ada  ",
                "country": "deutschland",
                "employee_count": "501.0",
                "plan_tier": " Growth",
                "status": "ACTIVE",
                "signup_date": "2024-06-03T23:30:00",
                "currency": "eur",
                "vehicle_count": "7",
                "segment": "the rules win",
            },
            {"account_id": "A2"},
        ],
        BERLIN,
    )
    assert {k: v for k, v in row.items() if v is not None} == {
        "account_id": "A1",
        "account_name": "Ada",
        "segment": "large",
        "country": "DE",
        "employee_count": 501,
        "plan_tier": "growth",
        "status": "active",
        "signup_date": date(2024, 6, 4),  # half past one in Berlin
        "currency": "EUR",
        "vehicle_count": 7,
        "size": "XL",
        "_source_file": "x.csv",
        "_row_number": 1,
    }
    assert (empty["segment"], empty["size"], empty["_reason"]) == ("small", "S", None)


def subscription(**more: str | None) -> dict[str, str | None]:
    base = {"subscription_id": "S1", "account_id": "A1", "amount": "120", "start_date": "2024-01-01"}
    return base | more


@pytest.mark.slow
def test_days_beyond_any_calendar_are_turned_away_and_never_is_an_open_end() -> None:
    turned_away = [subscription(start_date=day) for day in ("0204-01-01", "0001-01-01", "10000-01-01")]
    assert reasons("subscriptions", turned_away) == [
        f"start_date: '{row['start_date']}' is not a date (YYYY-MM-DD, or as date_formats say)" for row in turned_away
    ]
    rows = judged(
        "subscriptions", [subscription(), subscription(subscription_id="S2", end_date="9999-12-31T23:59:59-05:00")]
    )
    assert [(row["_reason"], row["is_active"], row["duration_days"]) for row in rows] == [(None, True, 397)] * 2


@pytest.mark.slow
def test_subscriptions_in_force_and_their_days() -> None:
    cases = [
        ({}, True, 397),  # 2024 has 366 days; until the end of 31 January
        ({"end_date": "2025-01-31"}, False, 396),
        ({"end_date": "2025-02-01"}, True, 397),
        ({"end_date": "2025-12-31"}, True, 397),
        ({"status": "Trial"}, False, 397),
        ({"start_date": "2025-01-31"}, True, 1),
        ({"start_date": "2025-02-01"}, False, 0),
        ({"end_date": "2023-12-22"}, False, -10),
        ({"end_date": "2024-01-01"}, False, 0),
    ]
    rows = judged("subscriptions", [subscription(subscription_id=f"S{n}", **c[0]) for n, c in enumerate(cases)])
    assert [row["_reason"] for row in rows] == [None] * len(cases)
    assert [(row["is_active"], row["duration_days"]) for row in rows] == [c[1:] for c in cases]


def test_currency_is_the_rows_then_the_accounts_then_the_reporting_one() -> None:
    rows = judged(
        "subscriptions",
        [
            subscription(subscription_id="S1"),
            subscription(subscription_id="S2", account_id="A2"),
            subscription(subscription_id="S3", account_id="A2", currency="Eur"),
            subscription(subscription_id="S4", currency="CHF", billing_period_months="12"),
            subscription(subscription_id="S5", amount="1.39", currency="CHF", billing_period_months="2"),
        ],
    )
    found = [(row["currency"], row["amount"], row["billing_period_months"], row["mrr_amount"]) for row in rows]
    assert found == [
        ("EUR", Decimal("120.00"), 1, Decimal("120.00")),
        ("CHF", Decimal("126.00"), 1, Decimal("126.00")),
        ("EUR", Decimal("120.00"), 1, Decimal("120.00")),
        ("CHF", Decimal("126.00"), 12, Decimal("10.50")),
        ("CHF", Decimal("1.46"), 2, Decimal("0.729750")),
    ]


@pytest.mark.slow
def test_every_reason_of_a_subscription() -> None:
    cases: list[tuple[dict[str, str | None], str | None]] = [
        ({"subscription_id": "  "}, "subscription_id is missing"),
        ({"account_id": None}, "account_id is missing"),
        ({"account_id": "A9"}, "account_id 'A9' is not among the accounts"),
        ({"amount": ""}, "amount is missing"),
        ({"amount": "1,200"}, "amount: '1,200' is not a number (write 1234.50)"),
        ({"amount": "1e13"}, "amount: '1e13' is beyond the limit of 1,000,000,000,000"),
        ({"amount": "999999999999", "currency": "CHF"}, "amount: '999999999999' is above 1,000,000,000,000"),
        ({"amount": "-1"}, None),  # a discount
        ({"start_date": "31/12/2024"}, "start_date: '31/12/2024' is not a date (YYYY-MM-DD, or as date_formats say)"),
        ({"start_date": None}, "start_date is missing"),
        ({"end_date": "soon"}, "end_date: 'soon' is not a date (YYYY-MM-DD, or as date_formats say)"),
        ({"billing_period_months": "0"}, "billing_period_months: '0' is below 1"),
        ({"billing_period_months": "999"}, "billing_period_months: '999' is above 120"),
        ({"billing_period_months": "120"}, None),
        (
            {"start_date": "45231"},
            "start_date: '45231' may be a day as Excel counts them: save the column as dates (YYYY-MM-DD), or state "
            "date_formats: [excel]",
        ),
        ({"currency": "€"}, None),
        (
            {"currency": "$"},
            "currency: '$' is the sign of several currencies: write the code, or state under values which it means",
        ),
        ({"currency": "US$"}, "currency: 'USD' has no rate under currency.rates"),
        ({"billing_period_months": "1.5"}, "billing_period_months: '1.5' is not a whole number (write 1234)"),
        ({"billing_period_months": "5000"}, "billing_period_months: '5000' is above 120"),
        ({"currency": "GBP"}, "currency: 'GBP' has no rate under currency.rates"),
        (
            {"account_id": "A9", "end_date": "x" * 100},
            f"end_date: '{'x' * 60}' is not a date (YYYY-MM-DD, or as date_formats say); "
            "account_id 'A9' is not among the accounts",
        ),
        ({"product_name": "?"}, None),
        (
            {"status": "anything"},
            "status: 'anything' is no known status: state under revenue.subscription_statuses what it means: counting, "
            "ended, never, trial or paused",
        ),
    ]
    rows = [subscription(**{"subscription_id": f"S{n}", **case[0]}) for n, case in enumerate(cases)]
    assert reasons("subscriptions", rows) == [case[1] for case in cases]


def test_the_last_of_equal_keys_is_kept() -> None:
    rows = [{"account_id": "A1", "account_name": n} for n in ("first", "second")]
    rows += [{"account_id": "A2"}, {"account_id": "A1", "employee_count": "many"}]
    assert reasons("accounts", rows) == [
        "duplicate of row 2 of x.csv: the same account_id",
        None,
        None,
        "employee_count: 'many' is not a whole number (write 1234)",
    ]


def test_a_later_file_wins_over_an_earlier_one() -> None:
    old = raw([{"account_id": "A1", "account_name": "old"}], "2024.csv")
    new = raw([{"account_id": "A1", "account_name": "new"}], "2025.csv")
    valid = staging.stg_accounts(new.union(old), portfolio=SMALL, as_of=AS_OF)
    assert CON.to_pyarrow(valid)["account_name"].to_pylist() == ["new"]


def test_invoices() -> None:
    base = {"account_id": "A1", "invoice_date": "2025-01-15", "amount": "-12.345", "status": "PAID"}
    cases = [{}, {"status": "open", "billing_period_months": "3"}, {"status": "strange"}, {"status": None}]
    rows = judged("invoices", [base | {"invoice_id": f"I{n}"} | case for n, case in enumerate(cases)])
    assert [row["_reason"] for row in rows] == [None, None, None, "status is missing"]
    assert [row["is_paid"] for row in rows[:3]] == [True, False, False]
    assert [(row["amount"], row["mrr_amount"]) for row in rows[:2]] == [
        (Decimal("-12.35"), Decimal("-12.345")),
        (Decimal("-12.35"), Decimal("-4.115")),
    ]
    assert rows[0]["invoice_month"] == date(2025, 1, 1)


def test_lines_under_one_invoice_are_told_what_to_map() -> None:
    line = {"invoice_id": "I1", "account_id": "A1", "invoice_date": "2025-01-15", "status": "paid"}
    line |= {"billing_period_months": "1"}
    assert reasons("invoices", [line | {"amount": "10"}, line | {"amount": "20"}]) == [
        "duplicate of row 2 of x.csv: the same invoice_id. If these are lines of one invoice, map what numbers the lines to "
        "invoice_id, or make an id of invoice and line in a query",
        None,
    ]


def test_months_of_the_mrr_history() -> None:
    months = ["2024-02", "2024-03-01", "2024-04-30T00:00:00", "2024-13"]
    rows = judged("mrr_history", [{"account_id": "A2", "month": month, "mrr": "100"} for month in months])
    assert [row["month"] for row in rows] == [date(2024, 2, 1), date(2024, 3, 1), date(2024, 4, 1), None]
    assert [row["mrr"] for row in rows[:3]] == [Decimal("105.00")] * 3
    assert rows[3]["_reason"] == "month: '2024-13' is not a date (YYYY-MM-DD, or as date_formats say)"


def test_shipped_segments_of_novacrm() -> None:
    rows = [
        {"account_id": "A1", "plan_tier": "Enterprise", "employee_count": "5"},
        {"account_id": "A2", "plan_tier": "starter", "employee_count": "501"},
        {"account_id": "A3", "plan_tier": "starter", "employee_count": "51"},
        {"account_id": "A4", "plan_tier": "growth"},
        {"account_id": "A5", "plan_tier": "starter"},
    ]
    found = [row["segment"] for row in judged("accounts", rows, shipped("novacrm"))]
    assert found == ["enterprise", "enterprise", "mid_market", "mid_market", "smb"]


@pytest.mark.slow
def test_several_dated_rows_of_a_subscription_all_stay_the_newest_first_in_any_order() -> None:
    given = [
        subscription(amount="120", updated_at="2025-01-11"),
        subscription(amount="100", updated_at="2024-12-11"),
        subscription(amount="90"),
    ]
    for listed in (given, given[::-1]):
        kept = [row for row in judged("subscriptions", listed) if row["_reason"] is None]
        assert {row["occurrence"]: row["amount"] for row in kept} == {1: 120, 2: 100, 3: 90}


@pytest.mark.slow
def test_differing_rows_of_a_subscription_from_one_day_are_quarantined_and_the_others_stay() -> None:
    same_day = [subscription(amount=amount, valid_from="2025-01-11") for amount in ("120", "130")]
    found = reasons("subscriptions", [*same_day, subscription(amount="100", valid_from="2024-12-11")])
    assert [text is None for text in found] == [False, False, True]


@pytest.mark.slow
def test_differing_rows_of_a_subscription_without_a_date_are_all_quarantined() -> None:
    found = reasons(
        "subscriptions", [subscription(amount="120"), subscription(amount="100"), subscription(subscription_id="S9")]
    )
    assert [text is None for text in found] == [False, False, True]
    assert "deliver one of them" in str(found[0])
    same = reasons("subscriptions", [subscription(), subscription()])
    assert same == ["duplicate of row 2 of x.csv: the same subscription_id", None]
