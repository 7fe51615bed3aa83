"""Exports whose rows have a part elsewhere, or a column that misleads, as analysts' folders on the web have them."""

from datetime import date, timedelta
from pathlib import Path

import pytest

from cx_intel_tests.helpers.proposed import delivered, drafted, proposal

pytestmark = pytest.mark.slow  # drafts of whole folders

CUSTOMERS = "customer_id,company_name,created_at\n1,Alder,2026-07-25\n2,Birch,2026-07-25\n"
PLANS = "plan_id,plan_name,monthly_price,max_users\n10,Starter,29,5\n20,Business,199,100\n"


def test_prices_that_stand_in_a_file_of_plans(tmp_path: Path) -> None:
    bought = "subscription_id,customer_id,plan_id,billing_cycle,subscription_start,subscription_end,discount_percent\n"
    bought += "S1,1,20,Annual,2023-05-25,,10\nS2,2,10,Monthly,2025-01-17,2025-11-30,0\n"

    text = drafted(tmp_path, {"customers.csv": CUSTOMERS, "plans.csv": PLANS, "subscriptions.csv": bought})

    assert "# Prices are those of plans.csv by plan_id: a price of today also for the past." in text
    assert "# monthly_price is taken for what its name tells, whatever billing_cycle says." in text
    assert "Not used: plans.csv" not in text
    first, second = delivered(tmp_path, text)["subscriptions"]
    assert first == {
        "subscription_id": "S1",
        "account_id": "1",
        "product_name": "Business",
        "amount": "199",
        "discount_pct": "10",
        "start_date": "2023-05-25",
        "end_date": None,
    }
    assert (second["amount"], second["end_date"]) == ("29", "2025-11-30")


def test_a_price_of_each_customer_is_one_contracts_and_not_each_ones(tmp_path: Path) -> None:
    customers = "customer_id,mrr,contract_start\n1,100,2024-01-01\n2,50,2024-02-01\n"
    once = "sub_id,customer_id,plan,start_date,end_date\nS1,1,pro,2024-01-01,\nS2,2,pro,2024-02-01,\n"
    twice = once + "S3,1,addon,2024-03-01,\n"

    joined = delivered(
        tmp_path / "once", drafted(tmp_path / "once", {"customers.csv": customers, "subscriptions.csv": once})
    )
    apart = delivered(
        tmp_path / "twice", drafted(tmp_path / "twice", {"customers.csv": customers, "subscriptions.csv": twice})
    )

    assert [(row["subscription_id"], row["amount"]) for row in joined["subscriptions"]] == [("S1", "100"), ("S2", "50")]
    assert [(row["subscription_id"], row["amount"]) for row in apart["subscriptions"]] == [("1", "100"), ("2", "50")]


def test_where_nobody_names_accounts_people_who_subscribe_are_them(tmp_path: Path) -> None:
    text = drafted(
        tmp_path,
        {
            "raw_users.csv": "user_id,name,signup_date\n7,Kai,2026-05-20\n8,Zoe,2026-05-21\n",
            "raw_subscriptions.csv": "subscription_id,user_id,status,mrr_amount,created_at\n1,7,active,99.0,2026-05-20\n",
            "raw_invoices.csv": "invoice_id,subscription_id,amount,invoice_date,status\n5,1,99.0,2026-05-20,paid\n",
        },
    )

    assert "# No file names accounts: each user_id is taken for one." in text
    assert "# The account of each row is that of its subscription_id in raw_subscriptions.csv." in text
    rows = delivered(tmp_path, text)
    assert [(row["account_id"], row["account_name"]) for row in rows["accounts"]] == [("7", "Kai"), ("8", "Zoe")]
    assert [(row["account_id"], row["amount"]) for row in rows["subscriptions"]] == [("7", "99.0")]
    assert [(row["invoice_id"], row["account_id"], row["amount"]) for row in rows["invoices"]] == [("5", "7", "99.0")]


def test_the_day_on_which_rows_were_written_is_no_day_of_theirs(tmp_path: Path) -> None:
    head = "ticket_id,customer_id,ticket_created_date,ticket_resolved_date,created_at\n"
    rows = [f"{n},1,2025-0{n}-10,2025-0{n}-11,2026-07-25 00:18:3{n}\n" for n in range(1, 6)]

    made = proposal(tmp_path, "tickets.csv", head + "".join(rows))
    few = proposal(tmp_path / "few", "tickets.csv", head + "".join(rows[:4]))

    assert (made.columns["created_at"], made.columns["resolved_at"]) == ("ticket_created_date", "ticket_resolved_date")
    assert made.doubts[0] == "created_at is one day in all rows, on which they were written: it tells no other day."
    assert few.columns["created_at"] == "created_at"


def test_figures_of_a_month_beside_that_day_are_measured_ones(tmp_path: Path) -> None:
    head = "usage_id,customer_id,usage_month,active_users,api_requests,login_count,created_at\n"
    rows = "".join(f"{n},1,2025-0{n}-01,18,127233,310,2026-07-25\n" for n in range(1, 7))

    made = proposal(tmp_path, "usage_logs.csv", head + rows)

    assert (made.table, made.columns) == ("metrics", {"account_id": "customer_id", "measured_on": "usage_month"})


@pytest.mark.parametrize("end", ["cancel_date", "cancelled_at", "churn_date"])
def test_the_day_of_a_cancellation_ends_a_contract_without_another_end(tmp_path: Path, end: str) -> None:
    text = f"subscription_id,customer_id,start_date,{end},status,mrr_usd\n1,5,2023-01-02,2023-12-02,cancelled,24.92\n"

    made = proposal(tmp_path, "subscriptions.csv", text)

    assert made.columns["end_date"] == end
    assert f"{end} is taken for the day from which a contract is no longer in force." in made.doubts


def test_with_another_end_it_is_the_day_of_the_notice(tmp_path: Path) -> None:
    text = (
        "subscription_id,customer_id,start_date,end_date,cancel_date,mrr\n1,5,2023-01-02,2023-12-31,2023-10-02,24.92\n"
    )

    made = proposal(tmp_path, "subscriptions.csv", text)

    assert (made.columns["end_date"], made.columns["canceled_at"]) == ("end_date", "cancel_date")


def test_a_discount_beside_an_mrr_is_taken_off_already(tmp_path: Path) -> None:
    text = "subscription_id,customer_id,start_date,mrr,discount_pct\n1,5,2023-01-02,79.2,20\n"

    of_mrr = proposal(tmp_path, "subscriptions.csv", text)
    of_price = proposal(tmp_path / "price", "subscriptions.csv", text.replace("mrr", "price"))

    assert "discount_pct" not in of_mrr.columns
    assert of_mrr.doubts[0] == "mrr is taken for what is paid, discount_pct taken off already."
    assert of_price.columns["discount_pct"] == "discount_pct"


def test_contracts_without_an_id_are_those_of_their_customers_where_each_has_one(tmp_path: Path) -> None:
    text = "customer_id,plan_type,start_date,monthly_price\n5,pro,2023-01-02,24.92\n6,pro,2023-01-02,24.92\n"

    made = proposal(tmp_path, "subscriptions.csv", text)
    again = proposal(tmp_path / "again", "subscriptions.csv", text + "5,addon,2023-02-02,3\n")

    assert (made.columns["subscription_id"], made.missing) == ("customer_id", ())
    assert "No column has an id of contracts: each customer_id is taken for one, as it stands once." in made.doubts
    assert again.missing == ("subscription_id",)


def test_a_size_in_numbers_is_no_segment(tmp_path: Path) -> None:
    numbers = proposal(tmp_path, "customers.csv", "customer_id,company_size\n1,32\n2,91\n")
    words = proposal(tmp_path / "words", "customers.csv", "customer_id,company_size\n1,SMB\n2,1-10\n")

    assert numbers.columns == {"account_id": "customer_id", "employee_count": "company_size"}
    assert words.columns == {"account_id": "customer_id", "segment": "company_size"}


def test_ids_written_like_none_of_many_accounts_are_told(tmp_path: Path) -> None:
    accounts = "account_id\n" + "".join(f"ACC-{n}\n" for n in range(1200))
    contracts = "subscription_id,customer_id,start_date,mrr\nS1,CUST-2,2024-01-01,100\nS2,CUST-3,2024-01-01,100\n"

    text = " ".join(drafted(tmp_path, {"accounts.csv": accounts, "subscriptions.csv": contracts}).split())

    assert "2 of 2 ids in customer_id are no ids of the accounts, such as CUST-2" in text
    known = drafted(
        tmp_path / "known", {"accounts.csv": accounts, "subscriptions.csv": contracts.replace("CUST", "ACC")}
    )
    assert "no ids of the accounts" not in known


@pytest.mark.parametrize(("every", "day"), [(7, "as_of: {default: 2026-06-04"), (60, "as_of: {default: yesterday")])
def test_an_export_is_old_where_contracts_begin_often_and_none_has_for_long(
    tmp_path: Path, every: int, day: str
) -> None:
    begun = [date(2026, 6, 4) - timedelta(days=every * n) for n in range(12)]
    rows = "".join(f"S{n},A,100,{start}\n" for n, start in enumerate(begun))

    assert day in drafted(tmp_path, {"subscriptions.csv": f"subscription_id,account_id,mrr,start_date\n{rows}"})


def test_who_left_on_no_day_pays_no_more(tmp_path: Path) -> None:
    head = "client_id,company_name,signup_date,is_active,mrr_eur,state\n"
    text = f"{head}1,Alder,2023-01-02,True,49,TX\n2,Birch,2023-02-03,False,99,CA\n"

    made = drafted(tmp_path, {"clients.csv": text})

    assert "# is_active says that some have ended and no column when: they are left out, in the past too." in made
    rows = delivered(tmp_path, made)
    assert [(row["account_id"], row["amount"]) for row in rows["subscriptions"]] == [("1", "49")]
    assert rows["accounts"][0] == {"account_id": "1", "account_name": "Alder", "signup_date": "2023-01-02"}


def test_contracts_of_customers_beside_events_of_contracts(tmp_path: Path) -> None:
    customers = "customer_id,monthly_recurring_revenue,contract_start_date\n1,100,2024-01-01\n"
    events = "event_id,customer_id,event_date,event_type\nE1,1,2024-02-01,Renewal\n"

    made = drafted(tmp_path, {"customers.csv": customers, "contract_events.csv": events})

    assert [row["amount"] for row in delivered(tmp_path, made)["subscriptions"]] == ["100"]
    assert "# Not used: contract_events.csv" in made


def test_a_plan_leads_to_no_account_even_where_each_has_one_of_its_own(tmp_path: Path) -> None:
    bought = "subscription_id,customer_id,plan_id,start_date,mrr\nS1,1,20,2023-05-25,100\nS2,2,10,2025-01-17,50\n"
    events = "event_id,plan_id,event_name,event_timestamp\nE1,20,login,2025-01-01T10:00:00\n"

    text = drafted(tmp_path, {"customers.csv": CUSTOMERS, "subscriptions.csv": bought, "events.csv": events})

    assert "# events.csv seems to be usage_events, which needs account_id: say which column it is." in text
    assert "usage_events" not in delivered(tmp_path, text)


def test_words_of_a_billing_that_a_price_makes_needless_go(tmp_path: Path) -> None:
    bought = "subscription_id,customer_id,plan_id,billing_cycle,start_date\nS1,1,20,Half-Yearly,2023-05-25\n"
    bought += "S2,2,10,Monthly,2025-01-17\n"

    text = drafted(tmp_path, {"customers.csv": CUSTOMERS, "plans.csv": PLANS, "subscriptions.csv": bought})

    assert "billing_period_months" not in text
    assert [row["amount"] for row in delivered(tmp_path, text)["subscriptions"]] == ["199", "29"]


def test_statuses_that_a_refresh_will_not_take_are_told(tmp_path: Path) -> None:
    contracts = "subscription_id,customer_id,start_date,mrr,status\n"
    contracts += "S1,1,2024-01-01,100,Active\nS2,2,2024-02-01,50,At Risk\nS3,1,2024-03-01,20,Cancelled\n"

    text = " ".join(
        drafted(tmp_path, {"customers.csv": CUSTOMERS, "subscriptions.csv": contracts}).replace("#", "").split()
    )

    assert "status says At Risk, which is not known: state under `revenue.subscription_statuses`" in text
    assert (
        "No column says when those ended that are Cancelled: map the day to end_date, or state {Cancelled: never}"
        in text
    )


def test_tickets_that_say_how_long_they_took_are_resolved_then(tmp_path: Path) -> None:
    tickets = "ticket_id,customer_id,created_at,resolution_hours,first_response_minutes,priority\n"
    tickets += "T1,1,2024-03-01 10:00:00,10.5,90,High\nT2,2,2024-03-02,,,Low\n"

    contracts = "subscription_id,customer_id,start_date,mrr\nS1,1,2024-01-01,100\nS2,2,2024-02-01,50\n"
    files = {"customers.csv": CUSTOMERS, "subscriptions.csv": contracts, "support_tickets.csv": tickets}
    text = drafted(tmp_path, files)

    assert "# resolved_at is created_at and resolution_hours later." in text
    first, second = delivered(tmp_path, text)["support_tickets"]
    assert (first["resolved_at"], first["first_reply_at"]) == ("2024-03-01T20:30:00", "2024-03-01T11:30:00")
    assert (second["resolved_at"], second["first_reply_at"]) == (None, None)


TRIALS = "subscription_id,customer_id,conversion_date,monthly_recurring_revenue,status\n"


def test_trials_that_came_to_nothing_are_left_out_by_their_status(tmp_path: Path) -> None:
    seen = TRIALS + "S1,1,,0,trial_expired\nS2,2,2024-02-15,49,active\n"

    text = drafted(tmp_path, {"customers.csv": CUSTOMERS, "subscriptions.csv": seen})

    said = "Rows that are trial_expired have no conversion_date and no monthly_recurring_revenue: they never began"
    assert said in " ".join(text.replace("#", "").split())
    assert "which is not known" not in text
    assert [row["subscription_id"] for row in delivered(tmp_path, text)["subscriptions"]] == ["S2"]


@pytest.mark.parametrize("without", ["S1,1,,0,active\n", "S1,1,,0,\n", "S1,1,,20,trial_expired\n"])
def test_other_contracts_without_a_start_are_read_and_told(tmp_path: Path, without: str) -> None:
    files = {"customers.csv": CUSTOMERS, "subscriptions.csv": TRIALS + without + "S2,2,2024-02-15,49,active\n"}

    text = drafted(tmp_path, files)

    assert "conversion_date is empty in 1 of 2 rows: without a start they are quarantined." in text
    assert [row["subscription_id"] for row in delivered(tmp_path, text)["subscriptions"]] == ["S1", "S2"]


def test_columns_that_have_canonical_names_are_read_and_said_to_be(tmp_path: Path) -> None:
    contracts = (
        "subscription_id,customer_id,start_date,amount,discount_amount,billing_interval,billing_interval_count\n"
    )
    files = {"customers.csv": CUSTOMERS, "subscriptions.csv": contracts + "S1,1,2024-01-01,300,30,month,3\n"}

    text = drafted(tmp_path, files)

    (row,) = delivered(tmp_path, text)["subscriptions"]
    assert (row["amount"], row["discount_amount"], row["billing_interval_count"]) == ("300", "30", "3")
    assert "Not read" not in text.partition("subscriptions.csv")[2].partition("- kind")[0]


def test_an_mrr_is_not_divided_by_the_interval_that_stands_beside_it(tmp_path: Path) -> None:
    contracts = "subscription_id,customer_id,start_date,mrr,billing_interval,billing_interval_count\n"
    files = {"customers.csv": CUSTOMERS, "subscriptions.csv": contracts + "S1,1,2024-01-01,100,year,1\n"}

    (row,) = delivered(tmp_path, drafted(tmp_path, files))["subscriptions"]

    assert (row["amount"], row["billing_interval"], row["billing_interval_count"]) == ("100", "", "")


def test_a_sample_beside_whole_files_is_not_taken(tmp_path: Path) -> None:
    contracts = "subscription_id,customer_id,start_date,mrr\nS1,1,2024-01-01,100\nS2,2,2024-02-01,50\n"
    events = "event_id,customer_id,event_name,event_timestamp\nE1,1,login,2024-03-01T10:00:00\n"
    files = {"customers.csv": CUSTOMERS, "subscriptions.csv": contracts, "events_sample.csv": events}

    assert "Not used: events_sample.csv (its name says that it is a sample)" in drafted(tmp_path, files)


def test_a_day_of_the_next_century_is_no_end(tmp_path: Path) -> None:
    contracts = "subscription_id,customer_id,start_date,end_date,mrr\n"
    contracts += "S1,1,2024-01-01,2099-12-31,100\nS2,2,2024-02-01,2025-01-31,50\n"

    text = drafted(tmp_path, {"customers.csv": CUSTOMERS, "subscriptions.csv": contracts})

    assert "# 2099-12-31 of end_date is taken for no end." in text
    assert [row["end_date"] for row in delivered(tmp_path, text)["subscriptions"]] == ["", "2025-01-31"]


def test_intervals_under_another_name_are_told(tmp_path: Path) -> None:
    contracts = "subscription_id,customer_id,start_date,plan_type,plan_value\n"
    files = {"customers.csv": CUSTOMERS, "subscriptions.csv": contracts + "S1,1,2024-01-01,Annual,6.99\n"}
    files["subscriptions.csv"] += "S2,2,2024-01-01,Monthly,9.99\n"

    said = "plan_type says Annual and Monthly: map it to billing_interval where plan_value is for as long as that."

    assert said in " ".join(drafted(tmp_path, files).replace("#", "").split())
