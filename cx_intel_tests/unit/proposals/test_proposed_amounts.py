"""What an amount in a file is proposed to be: of which currency, for how long, in which unit."""

from pathlib import Path

import pytest

from cx_intel_tests.helpers.proposed import proposal


@pytest.mark.parametrize(("name", "months"), [("MRR", None), ("ARR", 12)])
def test_an_amount_that_says_what_it_is_for_is_not_read_by_the_interval_of_billing(
    tmp_path: Path, name: str, months: int | None
) -> None:
    text = f"id,customer_id,{name},billing_frequency,start\n1,A,99.50,annual,2024-01-01\n2,A,40.25,monthly,2024-01-01\n"

    made = proposal(tmp_path, "contracts.csv", text)

    assert made.more.get("constants") == ({"billing_period_months": months} if months else None)
    assert made.unread == ("billing_frequency",)
    assert made.doubts == (f"{name} is taken for what its name tells, whatever billing_frequency says.",)


def test_an_amount_for_each_interval_of_billing_is_said(tmp_path: Path) -> None:
    text = "id,customer_id,price,billing_frequency,start\n1,A,99.50,annual,2024-01-01\n"

    made = proposal(tmp_path, "contracts.csv", text)

    assert made.columns["billing_interval"] == "billing_frequency"
    assert made.doubts == ("price is taken for as long as billing_frequency says.",)


def test_words_of_billing_that_no_interval_has_are_read_as_months(tmp_path: Path) -> None:
    words = ("Quarterly", "per year", "monthly", "halbjährlich", "fortnightly")
    lines = [f"{n},A,99.50,{word},2024-01-01" for n, word in enumerate(words)]

    made = proposal(tmp_path, "contracts.csv", "\n".join(["id,customer_id,price,billing_period,start", *lines, ""]))

    assert made.columns["billing_period_months"] == "billing_period"
    assert "billing_interval" not in made.columns
    months = {"quarterly": "3", "per year": "12", "monthly": "1", "halbjährlich": "6"}
    assert made.more == {"values": {"billing_period_months": months}}
    assert made.doubts == (
        "price is taken for as long as billing_period says.",
        "How many months fortnightly is, is not told: add it to `values`.",
    )


@pytest.mark.parametrize(
    ("header", "columns", "currency", "said"),
    [
        ("amount_usd", {"amount": "amount_usd"}, "USD", ""),
        (
            "amount,amount_usd",
            {"amount": "amount_usd"},
            "USD",
            "amount_usd is taken, and amount is not, which seems to be the same in another currency.",
        ),
        ("MRR (EUR),currency", {"amount": "MRR (EUR)"}, "EUR", "MRR (EUR) is taken for EUR, whatever currency says."),
        ("amount_chf,currency", {"amount": "amount_chf", "currency": "currency"}, None, ""),
        ("amount", {"amount": "amount"}, None, ""),
        (
            "amount,amount_usd,currency",
            {"amount": "amount", "currency": "currency"},
            None,
            "amount is taken, and amount_usd is not, which seems to be the same in another currency.",
        ),
    ],
)
def test_the_currency_of_an_amount_by_its_name(
    tmp_path: Path, header: str, columns: dict[str, str], currency: str | None, said: str
) -> None:
    cells = ",".join("CHF" if name == "currency" else "10.50" for name in header.split(","))

    made = proposal(tmp_path, "contracts.csv", f"id,customer,start,{header}\n1,A,2024-01-01,{cells}\n")

    assert {n: c for n, c in made.columns.items() if n in ("amount", "currency")} == columns
    assert made.constants.get("currency") == currency
    assert [doubt for doubt in made.doubts if "for a month" not in doubt] == ([said] if said else [])


def test_a_yearly_amount_in_a_currency_of_its_own_has_both_constants(tmp_path: Path) -> None:
    made = proposal(tmp_path, "contracts.csv", "id,customer,start,annual_amount_gbp\n1,A,2024-01-01,120.50\n")

    assert made.constants == {"currency": "GBP", "billing_period_months": 12}


def test_a_price_of_a_unit_is_for_a_month_unless_it_is_said_otherwise(tmp_path: Path) -> None:
    made = proposal(tmp_path, "contracts.csv", "id,customer,seats,unit_price,start\n1,A,3,9.50,2024-01-01\n")

    assert made.doubts == (
        "unit_price is taken for a month: state `constants: {billing_period_months: 12}` where it is a year's.",
    )


@pytest.mark.parametrize(
    ("name", "values", "is_minor", "is_said"),
    [
        ("amount_cents", ("9900", "12000"), True, False),
        ("mrr", ("9900", "12000"), False, True),
        ("mrr", ("9900", "99"), False, False),
        ("mrr", ("9900", "120.50"), False, False),
        ("mrr", ("9900", "0"), False, True),  # a free plan tells nothing
    ],
)
def test_amounts_that_may_be_cents(
    tmp_path: Path, name: str, values: tuple[str, str], is_minor: bool, is_said: bool
) -> None:
    lines = [f"{n},A,{value},2024-01-01" for n, value in enumerate(values)]

    made = proposal(tmp_path, "contracts.csv", "\n".join([f"id,customer,{name},start", *lines, ""]))

    assert made.more.get("in_minor_units") == (True if is_minor else None)
    said = f"{name} is taken for whole units: state `in_minor_units: true` where it is in cents."
    assert (said in made.doubts) == is_said


def test_what_invoices_are_for_is_said(tmp_path: Path) -> None:
    made = proposal(tmp_path, "invoices.csv", "number,customer,total,date,status\n1,A,10.50,2024-06-13,paid\n")

    assert made.doubts == (
        "Each invoice is taken for one month: state `constants: {billing_period_months: 12}` where it is for a year.",
        "total may hold tax, which is no MRR.",
    )


def test_an_arr_by_month_is_said(tmp_path: Path) -> None:
    made = proposal(tmp_path, "arr_by_month.csv", "customer,month,amount\nA,2024-01,1200.50\n")

    assert (made.table, made.columns["mrr"]) == ("mrr_history", "amount")
    assert made.doubts == ("amount is taken for a month's MRR, not for a year's.",)


def test_scales_and_discounts_are_said(tmp_path: Path) -> None:
    tickets = "id,org_id,created_at,csat\n1,A,2024-01-01,95\n2,A,2024-01-01,4\n"
    contracts = "id,customer,monthly_fee,discount,start\n1,A,10.50,0.1,2024-01-01\n"
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()

    assert proposal(tmp_path / "a", "tickets.csv", tickets).doubts == (
        "csat goes up to 95 here and is taken for a scale that ends at 5.",
    )
    assert proposal(tmp_path / "b", "contracts.csv", contracts).doubts == (
        "discount is taken for per cent, 0 to 100, not for an amount or a share.",
    )


def test_an_annual_amount_counts_for_twelve_months(tmp_path: Path) -> None:
    made = proposal(tmp_path, "contracts.csv", "id,customer_id,annualAmount,start\n1,A,1200,2024-01-01\n")

    assert made.columns["amount"] == "annualAmount"
    assert made.more == {"constants": {"billing_period_months": 12}}


@pytest.mark.parametrize(
    ("header", "columns", "constants"),
    [
        ("id,customer,Contract Value,Term (Months),start", {"billing_period_months": "Term (Months)"}, None),
        ("id,customer,Contract Value,start", {}, {"billing_period_months": 12}),
    ],
)
def test_the_value_of_a_contract_is_for_its_term_or_a_year(
    tmp_path: Path, header: str, columns: dict[str, str], constants: dict[str, int] | None
) -> None:
    cells = {"Contract Value": "7200.50", "Term (Months)": "36", "start": "2024-01-01"}
    line = ",".join(cells.get(name, "1") for name in header.split(","))

    made = proposal(tmp_path, "contracts.csv", f"{header}\n{line}\n")

    assert columns.items() <= made.columns.items()
    assert made.more.get("constants") == constants
    assert any(doubt.startswith("Contract Value is taken for") for doubt in made.doubts)


@pytest.mark.parametrize(
    ("subscription", "is_stripe"),
    [("sub_1PxKq2RtWvYz8AbC", True), ("sub_PxKq2RtW", True), ("sub_000123", False), ("sub_cust_0001", False)],
)
def test_whole_amounts_beside_ids_of_stripe_are_cents(tmp_path: Path, subscription: str, is_stripe: bool) -> None:
    made = proposal(tmp_path, "subscriptions.csv", f"id,customer,amount,start\n{subscription},C1,9900,2024-01-01\n")

    assert made.more.get("in_minor_units", False) is is_stripe
    assert ("amount is taken for cents, as Stripe writes amounts." in made.doubts) is is_stripe


def test_periods_of_invoices_that_end_on_their_last_day(tmp_path: Path) -> None:
    text = "invoice_id,customer_id,amount_usd,invoice_date,billing_start_date,billing_end_date,payment_status\n"
    rows = "1,A,30,2024-01-15,2024-01-15,2024-04-14,Paid\n2,B,120,2024-02-01,2024-02-01,2025-01-31,Paid\n"
    made = proposal(tmp_path, "invoices.csv", text + rows)

    periods = {"period_start": "billing_start_date", "period_end": "billing_end_date", "status": "payment_status"}
    assert periods.items() <= made.columns.items()
    assert made.more == {"end_date": {"is": "last_day_in_force"}, "constants": {"currency": "USD"}}
    assert made.doubts == (
        "billing_end_date is a day before whole months after billing_start_date in most rows and is taken for the last day in "
        "force.",
    )


def test_products_of_invoices_are_told_apart_by_their_plan_or_id(tmp_path: Path) -> None:
    text = "invoice_id,customer_id,date,amount,status,product_id\n1,A,2024-01-15,30,paid,P6\n"

    assert proposal(tmp_path, "invoices.csv", text).columns["product_name"] == "product_id"


def test_periods_of_invoices_that_end_where_the_next_begins(tmp_path: Path) -> None:
    text = "invoice_id,customer_id,amount,date,period_start,period_end,status\n1,A,30,2024-01-15,2024-01-15,2024-04-15,paid\n"

    assert proposal(tmp_path, "invoices.csv", text).more == {}
