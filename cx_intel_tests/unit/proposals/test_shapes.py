"""Exports as people shape them: a column or a file for each month, totals below, several reports in one folder, no accounts."""

from datetime import date, timedelta
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from cx_intel.proposals.folders import SAMPLE_ROWS, FoundFiles
from cx_intel.proposals.last_rows import last_rows
from cx_intel.proposals.shapes import month_of
from cx_intel_tests.helpers.proposed import delivered, drafted

pytestmark = pytest.mark.slow  # drafts of whole folders


def test_a_column_for_each_month_and_a_total_below(tmp_path: Path) -> None:
    text = drafted(
        tmp_path,
        {
            "mrr_by_customer.csv": "Customer,Segment,Sep-26,Oct-26\nAlder,SMB,100,120\nBirch,ENT,1000,0\nTotal,,1100,120\n"
        },
    )

    assert "# The last row, Total, adds up the others and is left out." in text
    assert "# A month that is added later is read once its column is named here." in text
    assert delivered(tmp_path, text) == {
        "accounts": [{"account_id": "Alder", "segment": "SMB"}, {"account_id": "Birch", "segment": "ENT"}],
        "mrr_history": [
            {"account_id": "Alder", "month": "2026-09", "mrr": "100"},
            {"account_id": "Alder", "month": "2026-10", "mrr": "120"},
            {"account_id": "Birch", "month": "2026-09", "mrr": "1000"},
            {"account_id": "Birch", "month": "2026-10", "mrr": "0"},
        ],
    }


def test_a_file_for_each_month(tmp_path: Path) -> None:
    files = {f"mrr/{month}.csv": f"customer_id,mrr\nA,{mrr}\n" for month, mrr in (("2026-09", 100), ("2026-10", 120))}

    text = drafted(tmp_path, {"customers.csv": "customer_id,name\nA,Alder\n", **files})

    assert "# Each file of mrr/*.csv is taken for the MRR of the month in its name." in text
    assert delivered(tmp_path, text)["mrr_history"] == [
        {"account_id": "A", "month": "2026-09", "mrr": "100"},
        {"account_id": "A", "month": "2026-10", "mrr": "120"},
    ]


def test_files_called_by_their_digits_do_not_take_others_with_them(tmp_path: Path) -> None:
    files = {f"{month}.csv": f"customer_id,month,mrr\nA,{month},100\n" for month in ("2026-09", "2026-10")}

    text = drafted(tmp_path, {"customers.csv": "customer_id,name\nA,Alder\n", **files})

    assert [row["month"] for row in delivered(tmp_path, text)["mrr_history"]] == ["2026-09", "2026-10"]


def test_reports_that_differ_in_their_number_alone_are_no_files_of_one_table(tmp_path: Path) -> None:
    text = drafted(
        tmp_path,
        {
            "report1732.csv": '"Account ID","Account Name","Account Owner"\n"001A","Alder","Ann"\n',
            "report1799.csv": '"Opportunity ID","Account ID","Amount","Stage","Contract Start Date","Contract End Date"\n'
            '"006A","001A","12000.00","Closed Won","1/1/2026","12/31/2026"\n"006B","001A","5.00","Lost","",""\n',
        },
    )

    assert "# Amount is taken for a year: state its months as `billing_period_months`" in text
    assert "# Only deals that are won count: `where` says which Stage they have." in text
    assert "means: term" in text
    assert "is: last_day_in_force" in text
    assert {table: len(rows) for table, rows in delivered(tmp_path, text).items()} == {
        "accounts": 1,
        "subscriptions": 1,
    }


def test_a_title_above_the_header(tmp_path: Path) -> None:
    title = "Acme SaaS, Inc.\nContracts as of 25.11.2026\n\n"
    contracts = "Vertrag;Kunde;MRR;Beginn\nC1;A;100,50;01.01.2026\nC2;B;200,00;01.02.2026\nSumme;;300,50;\n"

    text = drafted(tmp_path, {"contracts.csv": title + contracts, "customers.csv": "Kunde,Owner\nA,Ann\nB,Ben\n"})

    assert "delimiter: ;\n    header_row: 4\n" in text
    assert [(row["subscription_id"], row["amount"]) for row in delivered(tmp_path, text)["subscriptions"]] == [
        ("C1", "100.50"),
        ("C2", "200.00"),
    ]


def test_a_file_without_rows_gives_no_accounts(tmp_path: Path) -> None:
    text = drafted(tmp_path, {"accounts.csv": "", "subscriptions.csv": "subscription_id,account_id,mrr,start_date\n"})

    assert "# Nothing seems to hold the accounts" in text
    assert "# subscriptions.csv has no rows: only the names of its columns were looked at." in text
    assert "# Not used: accounts.csv (accounts.csv: is empty, without even a header row; fetch it again.)" in text


def test_a_number_that_may_be_meant_either_way_is_read_as_in_the_other_files(tmp_path: Path) -> None:
    text = drafted(
        tmp_path,
        {
            "Kunden.csv": "Kundennr.;Firma;Mitarbeiter\n1;Alder;1.400\n",
            "Verträge.csv": "Vertragsnr.;Kundennr.;Jahresgebühr netto;Vertragsbeginn;Status\n"
            "V-1;1;1.200,00 €;01.03.2022;gekündigt\n",
        },
    )

    assert '# Numbers such as 1,234 are read with `decimal: ","`, as in the other files.' in text
    assert text.count("decimal: ','") == 2
    assert "gekündigt: cancelled" in text
    assert "billing_period_months: 12" in text


def test_a_trial_by_a_column_of_its_own_and_the_newest_day_of_files_that_are_not_used(tmp_path: Path) -> None:
    text = drafted(
        tmp_path,
        {
            "accounts.csv": "account_id,account_name,signup_date\nA,Alder,2024-01-05\n",
            "subscriptions.csv": "subscription_id,account_id,start_date,mrr_amount,is_trial\nS1,A,2024-01-05,99.5,True\n",
            "feature_usage.csv": "usage_id,licence,usage_date,feature_name\nU1,S1,2024-12-07,export\n",
            "tickets.csv": "ticket_id,account_id,submitted_at\nT1,A,2024-07-27\n",
        },
    )

    assert "# Trials by is_trial count with their amount: leave them out with `where` if they pay nothing yet." in text
    assert "as_of: {default: 2024-12-07, " in text
    assert "# feature_usage.csv seems to be usage_events, which needs account_id: say which column it is." in text
    assert "created_at: submitted_at" in text


def test_the_newest_day_stands_at_the_end_of_an_export(tmp_path: Path) -> None:
    first, last = date(2023, 1, 1), date(2026, 3, 9)
    days = [first + timedelta(days=n) for n in range((last - first).days + 1)]
    rows = "".join(f"{n},A,{day}\n" for n, day in enumerate(days))
    tickets = {"accounts.csv": "account_id,name\nA,Alder\n", "tickets.csv": f"ticket_id,account_id,created_at\n{rows}"}
    assert len(days) > SAMPLE_ROWS

    assert "as_of: {default: 2026-03-09, " in drafted(tmp_path, tickets)
    found = FoundFiles("tickets.parquet", (tmp_path / "tickets.parquet",))
    pq.write_table(pa.table({"created_at": days}), found.paths[0], row_group_size=500)
    assert last_rows(found.paths[0], {}, ())[-1] == {"created_at": "2026-03-09"}
    pq.write_table(pa.table({"created_at": pa.array([], pa.date32())}), found.paths[0])
    assert last_rows(found.paths[0], {}, ()) == []


@pytest.mark.parametrize("name", ["a.csv.gz", "a.jsonl", "a.json"])
def test_the_end_of_some_formats_is_not_looked_at(tmp_path: Path, name: str) -> None:
    assert last_rows(tmp_path / name, {}, ("a",)) == []


def test_accounts_that_say_what_they_pay_have_contracts(tmp_path: Path) -> None:
    header = "customer_id,company_name,status,monthly_recurring_revenue,contract_start_date\n"
    text = drafted(tmp_path, {"customers.csv": f"{header}C1,Alder,active,99.5,2025-02-09\n"})

    assert "taken for a contract since contract_start_date. What an account paid before is not known." in text.replace(
        "\n  # ", " "
    )
    (contract,) = delivered(tmp_path, text)["subscriptions"]
    told = {"subscription_id": "C1", "account_id": "C1", "amount": "99.5", "start_date": "2025-02-09"}
    assert contract == {**told, "status": "active"}  # one that is churned pays no longer


@pytest.mark.parametrize(
    ("columns", "is_contract"),
    [
        ("arr,signup_date", True),
        ("arr,city", False),
        ("amount,signup_date", False),
        ("annual_revenue,signup_date", False),
    ],
)
def test_not_every_amount_of_an_account_is_what_it_pays(tmp_path: Path, columns: str, is_contract: bool) -> None:
    text = drafted(tmp_path, {"accounts.csv": f"account_id,account_name,{columns}\nA,Alder,1200,2025-02-09\n"})

    assert ("table: subscriptions" in text) is is_contract


def test_contracts_of_accounts_are_not_sought_where_others_deliver_them(tmp_path: Path) -> None:
    files = {
        "accounts.csv": "account_id,account_name,arr,signup_date\nA,Alder,1200,2025-02-09\n",
        "subscriptions.csv": "subscription_id,account_id,mrr\nS1,A,100\n",  # since when is not told
    }

    assert "No file holds contracts" not in drafted(tmp_path, files)


def test_figures_of_two_files_have_names_of_their_own(tmp_path: Path) -> None:
    text = "customer_id,week_start,sessions,api_calls,seats\nA,2025-02-03,3,4,5\n"
    files = {"accounts.csv": "customer_id,name\nA,Alder\n", "web/usage.csv": text, "app_usage.csv": text}
    made = drafted(tmp_path, files)

    assert made.count("table: metrics") == 2
    assert ("name: web_usage" in made, "name: app_usage" in made) == (True, True)


def test_ids_that_became_decimal_numbers(tmp_path: Path) -> None:
    files = {
        "accounts.csv": "account_id,name\n1001.0,Alder\n1002.0,Birch\n",
        "tickets.csv": "ticket_id,account_id,created_at\n1,1001,2026-11-20\n2,1002,2026-11-20\n",
    }

    assert "# The ids of accounts are decimal numbers in one file and none in the other, such as 1001:" in drafted(
        tmp_path, files
    )


@pytest.mark.parametrize(
    ("name", "month"),
    [
        ("2026-07", "2026-07"),
        ("Jul-26", "2026-07"),
        ("July 2026", "2026-07"),
        ("MRR Jul 2026", "2026-07"),
        ("07/2026", "2026-07"),
        ("2026-07-31", "2026-07"),
        ("Segment", ""),
        ("Q3 2026", ""),
    ],
)
def test_a_column_named_after_a_month(name: str, month: str) -> None:
    assert month_of(name) == month
