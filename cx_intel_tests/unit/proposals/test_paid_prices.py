"""Files that tell of each other: a price by what was paid, ids that are nobody's, contracts later than all other rows."""

from pathlib import Path

import pytest

from cx_intel_tests.helpers.proposed import delivered, drafted

pytestmark = pytest.mark.slow  # drafts of whole folders

CUSTOMERS = "customer_id,company_name,signup_date\n" + "".join(f"{n},Firm {n},2024-01-0{n}\n" for n in range(1, 9))
CONTRACTS = "customer_id,plan,start_date,end_date,monthly_price,seats\n" + "".join(
    f"{n},Pro,2024-01-0{n},,39,{n + 20}\n" for n in range(1, 9)
)


def payments(of_each: int | None) -> str:
    """One of each customer: of so much, or of the price of all seats."""
    paid = ((n, of_each or 39 * (n + 20)) for n in range(1, 9))
    return "customer_id,payment_date,amount,status\n" + "".join(
        f"{n},2024-02-0{n},{amount},paid\n" for n, amount in paid
    )


def test_a_price_is_one_seats_where_payments_are_of_all(tmp_path: Path) -> None:
    files = {"customers.csv": CUSTOMERS, "subscriptions.csv": CONTRACTS, "payments.csv": payments(None)}

    text = drafted(tmp_path, files)

    assert "unit_amount: monthly_price" in text
    assert "amount_is" not in text
    assert (
        "monthly_price is taken for one of seats, as 8 of 8 amounts of payments.csv are monthly_price times seats."
        in text
    )


def test_a_price_is_all_seats_where_payments_are_of_it_alone(tmp_path: Path) -> None:
    text = drafted(tmp_path, {"customers.csv": CUSTOMERS, "subscriptions.csv": CONTRACTS, "payments.csv": payments(39)})

    assert "amount_is: total" in text
    assert "monthly_price is taken for all of seats, as 8 of 8 amounts of payments.csv are monthly_price alone." in text


def test_payments_of_something_else_tell_nothing(tmp_path: Path) -> None:
    text = drafted(
        tmp_path, {"customers.csv": CUSTOMERS, "subscriptions.csv": CONTRACTS, "payments.csv": payments(100)}
    )

    assert "Whether monthly_price is for all of seats or for one is not told; it is taken for all." in text


def test_files_whose_accounts_are_all_unknown_are_not_read(tmp_path: Path) -> None:
    tickets = "ticket_id,customer_id,created_at,priority\n"
    some = tickets + "".join(f"T{n},{n},2024-03-0{n} 10:00:00,High\n" for n in range(4, 10))
    none = tickets + "".join(f"T{n},usr_{n},2024-03-0{n} 10:00:00,High\n" for n in range(1, 7))
    files = {"customers.csv": CUSTOMERS, "subscriptions.csv": CONTRACTS}

    read = drafted(tmp_path / "some", {**files, "support_tickets.csv": some})
    left = drafted(tmp_path / "none", {**files, "support_tickets.csv": none})

    assert "\n    table: support_tickets" in read
    assert "\n    table: support_tickets" not in left
    assert "#   table: support_tickets" in left
    assert "is not read: 6 of 6 ids" in left


def test_contracts_that_begin_after_all_other_rows_tell_the_day_of_the_export(tmp_path: Path) -> None:
    contracts = "subscription_id,customer_id,start_date,mrr\n"
    later = contracts + "".join(f"S{n},{n},2025-0{n}-01,100\n" for n in range(1, 9))
    one = contracts + "".join(f"S{n},{n},2024-01-0{n},100\n" for n in range(1, 9))
    tickets = "ticket_id,customer_id,created_at,priority\n"
    tickets += "".join(f"T{n},{n},2024-03-0{n} 10:00:00,High\n" for n in range(1, 9))
    files = {"customers.csv": CUSTOMERS, "support_tickets.csv": tickets}

    assert "default: 2025-08-01" in drafted(tmp_path / "later", {**files, "subscriptions.csv": later})
    assert "default: 2024-03-08" in drafted(tmp_path / "one", {**files, "subscriptions.csv": one})


DISCOUNTED = "subscription_id,customer_id,start_date,mrr,discount_pct\n" + "".join(
    f"S{n},{n},2024-01-0{n},100,{10 * (n % 2)}\n" for n in range(1, 11)
)


def invoices(discounted: int) -> str:
    """One of each contract, of so much where it has a discount."""
    paid = ((n, discounted if n % 2 else 100) for n in range(1, 11))
    rows = "".join(f"I{n},S{n},{n},2024-02-0{n % 9 + 1},{amount},paid\n" for n, amount in paid)
    return "invoice_id,subscription_id,customer_id,invoice_date,amount_due,status\n" + rows


def test_a_discount_is_taken_off_where_invoices_are_without_it(tmp_path: Path) -> None:
    files = {"customers.csv": CUSTOMERS, "subscriptions.csv": DISCOUNTED, "invoices.csv": invoices(90)}

    text = drafted(tmp_path, files)

    assert "discount_pct is taken off mrr, as 5 of 5 amounts of invoices.csv are what is left of it." in text
    assert {row["discount_pct"] for row in delivered(tmp_path, text)["subscriptions"]} == {"0", "10"}


def test_a_discount_that_is_taken_off_already_is_not_read_by_its_name(tmp_path: Path) -> None:
    files = {"customers.csv": CUSTOMERS, "subscriptions.csv": DISCOUNTED}

    told = drafted(tmp_path / "told", {**files, "invoices.csv": invoices(100)})
    taken = drafted(tmp_path / "taken", files)

    said = "mrr is taken for what is paid, discount_pct taken off already"
    assert f"{said}, as 5 of 5 amounts of invoices.csv are mrr alone." in told
    assert f"{said}.\n" in taken
    for folder, text in (("told", told), ("taken", taken)):
        assert {row["discount_pct"] for row in delivered(tmp_path / folder, text)["subscriptions"]} == {""}
