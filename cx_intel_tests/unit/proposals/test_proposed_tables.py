"""Which table a file is taken for, which column for which, and what is said where that is not told."""

from datetime import date
from pathlib import Path

import pytest
from openpyxl import Workbook

from cx_intel.proposals.agreement import with_strangers
from cx_intel.proposals.finding import known_contracts, proposal_for
from cx_intel.proposals.folders import look_into
from cx_intel.proposals.tables import proposed
from cx_intel_tests.helpers.proposed import found_in, proposal

KNOWN = known_contracts()


def test_contracts_of_a_german_crm(tmp_path: Path) -> None:
    text = "Vertrag Id;Kunde;Betrag;Start;Ende\nV-1;K-1;1.200,50;01.03.2024;\nV-2;K-2;90,00;15.10.2024;31.12.2024\n"

    made = proposal(tmp_path, "vertraege.csv", text.replace("Vertrag Id", "Contract Id"))

    assert made.table == "subscriptions"
    assert made.columns == {
        "subscription_id": "Contract Id",
        "account_id": "Kunde",
        "amount": "Betrag",
        "start_date": "Start",
        "end_date": "Ende",
    }
    assert made.found.layout == {"delimiter": ";"}
    assert made.more == {"date_formats": ["%d.%m.%Y"], "decimal": ","}
    assert made.doubts == (
        "Whether Ende is the end of a term or a cancellation is not told: state `end_date: {means: term}` or "
        "`{means: cancellation}` where many lie in the future.",
        "Betrag is taken for a month: state `constants: {billing_period_months: 12}` where it is a year's.",
    )


def test_german_headers_with_umlauts(tmp_path: Path) -> None:
    text = "Vertragsnummer;Kundennummer;Jahresbetrag;Währung;Vertragsbeginn\nV-1;K-1;1.200,00;EUR;31.01.2024\n"

    made = proposal(tmp_path, "Verträge.csv", text)

    assert (made.table, made.missing, made.unread) == ("subscriptions", (), ())
    assert made.columns["currency"] == "Währung"
    assert made.more["constants"] == {"billing_period_months": 12}


def test_a_file_whose_name_does_not_tell_is_said(tmp_path: Path) -> None:
    made = proposal(tmp_path, "data.csv", "id,company_id,created_at,action\nU1,A,2024-01-01,login\n")

    assert "is taken for usage_events by its columns alone: its name does not tell." in made.doubts[0]


@pytest.mark.parametrize("name", ["coupon_redemption", "article", "contact_list"])
def test_an_id_an_account_a_day_and_a_type_make_no_table(tmp_path: Path, name: str) -> None:
    text = "id,company_id,created_at,type,state\n1,A,2024-01-01,x,done\n"

    assert proposed(found_in(tmp_path, f"{name}.csv", text), KNOWN, {"accounts"}) is None


def test_files_whose_name_tells_come_before_those_whose_columns_do(tmp_path: Path) -> None:
    data = tmp_path / "data"
    data.mkdir()
    (data / "accounts.csv").write_text("account_id,name\nA,Alder\n")
    (data / "subscriptions.csv").write_text("id,account_id,amount,started_at\nS1,A,99.5,2024-01-01\n")
    lines = "id,account_id,amount,currency,start_date,end_date,product\nL1,A,5,USD,2024-01-01,2024-02-01,Seats\n"
    (data / "line_items.csv").write_text(lines)

    tables = {table.table: table.found.title for table in proposal_for(data, tmp_path / "samples").tables}

    assert tables == {"accounts": "accounts.csv", "subscriptions": "subscriptions.csv"}


def test_a_second_file_of_a_table_is_not_made_another(tmp_path: Path) -> None:
    text = "id,customer,created,mrr,start\n1,A,2024-01-13,10.50,2024-01-13\n"
    found = found_in(tmp_path, "contracts_us.csv", text.replace("mrr", "amount"))

    assert proposed(found, KNOWN, {"subscriptions"}) is None


def test_sheets_of_a_workbook_are_looked_at_one_by_one(tmp_path: Path) -> None:
    data, book = tmp_path / "data", Workbook()
    data.mkdir()
    assert book.active is not None
    book.active.title = "Customers"
    book.active.append(["id", "name"])
    book.active.append(["A", "Alder"])
    contracts = book.create_sheet("Contracts")
    contracts.append(["contract", "customer", "mrr", "start"])
    contracts.append(["C1", "A", 10.5, date(2024, 1, 13)])
    book.create_sheet("Notes")
    book.save(data / "export.xlsx")

    customers, contracts_found, notes = look_into(data, tmp_path / "samples")

    assert "is empty" in notes.fault
    made = [proposed(found, KNOWN) for found in (customers, contracts_found)]
    assert [(m.table, m.found.layout) for m in made if m] == [
        ("accounts", {"sheet": "Customers"}),
        ("subscriptions", {"sheet": "Contracts"}),
    ]


def test_answers_have_the_id_of_their_survey(tmp_path: Path) -> None:
    made = proposal(tmp_path, "nps.csv", "survey_id,account_id,score,survey_date\nN1,A,9,2026-01-02\n")

    assert made.columns["response_id"] == "survey_id"


def test_measured_figures_a_column_each_become_rows(tmp_path: Path) -> None:
    text = "customer_id,kind,adoption,logins,nps,measured\nA,gold,96.0,3,,2024-12-31\nB,,61.5,10,9,2024-12-31\n"

    made = proposal(tmp_path, "customer_figures.csv", text)

    assert (made.table, made.columns) == ("metrics", {"account_id": "customer_id", "measured_on": "measured"})
    assert made.more == {
        "unpivot": {"columns": ["adoption", "logins", "nps"], "name_to": "metric", "value_to": "value"}
    }
    assert made.unread == ("kind",)


def test_ids_of_another_system_are_said(tmp_path: Path) -> None:
    made = proposal(
        tmp_path, "events.csv", "id,workspace_id,event,time\n1,ws_1,login,2024-01-01\n2,A,login,2024-01-01\n"
    )

    assert with_strangers(made, {"A", "B"}).doubts == ()
    assert with_strangers(made, {"C"}).doubts == (
        "2 of 2 ids in workspace_id are no ids of the accounts, such as A: where they are another system's, state its "
        "`system` and its links under `identity`.",
    )


@pytest.mark.parametrize(("is_linked", "left_out"), [(False, True), (True, False)])
def test_files_of_strangers_are_left_out_unless_links_may_lead_to_accounts(
    tmp_path: Path, is_linked: bool, left_out: bool
) -> None:
    rows = "".join(f"{n},ws_{n},login,2024-01-01\n" for n in range(5))
    made = with_strangers(
        proposal(tmp_path, "events.csv", f"id,workspace_id,event,time\n{rows}"), {"A"}, is_linked=is_linked
    )

    assert (bool(made.left_out), bool(made.doubts)) == (left_out, not left_out)


@pytest.mark.parametrize("name", ["revenue_events", "contract_events", "subscription_activity"])
def test_what_happened_to_contracts_and_money_is_no_usage(tmp_path: Path, name: str) -> None:
    text = "event_id,account_id,type,event_date\nE1,A,expansion,2024-03-01\n"

    assert proposed(found_in(tmp_path, f"{name}.csv", text), KNOWN, {"accounts", "subscriptions"}) is None


def test_payments_are_invoices_and_no_mrr_of_months(tmp_path: Path) -> None:
    text = "payment_id,customer_id,date,amount,payment_status\n1,A,2024-01-15,199,Paid\n2,A,2024-01-28,79,Failed\n"
    made = proposal(tmp_path, "payments.csv", text)

    assert (made.table, made.missing) == ("invoices", ())
    assert made.columns["status"] == "payment_status"


def test_contracts_without_an_amount_are_not_taken_for_accounts(tmp_path: Path) -> None:
    text = "id,business_id,created_at,status\nS1,B1,2024-03-29,active\n"
    found = found_in(tmp_path, "raw_subscriptions.csv", text)

    assert proposed(found, KNOWN, {"subscriptions"}) is None


@pytest.mark.parametrize("text", ["color,shape\nred,round\n", "a\n"])
def test_a_file_of_something_else_is_no_table(tmp_path: Path, text: str) -> None:
    assert proposed(found_in(tmp_path, "shapes.csv", text), KNOWN) is None


def test_files_of_days_belong_together(tmp_path: Path) -> None:
    data = tmp_path / "data"
    (data / "product").mkdir(parents=True)
    for day in (date(2024, 5, 1), date(2024, 5, 2), date(2024, 5, 3)):
        line = f'{{"event_id": "{day}", "account_id": "A", "event_name": "login", "timestamp": "{day}T08:00:00Z"}}\n'
        (data / "product" / f"events-{day}.jsonl").write_text(line)
    (data / ".hidden.csv").write_text("a\n")
    (data / "readme.md").write_text("text")

    (found,) = look_into(data, tmp_path / "samples")

    assert found.pattern == "product/events-*.jsonl"
    assert len(found.paths) == 3
    assert found.values("event_id") == ["2024-05-01", "2024-05-03"]


def test_a_damaged_file_is_told_and_the_others_are_looked_at(tmp_path: Path) -> None:
    data = tmp_path / "data"
    data.mkdir()
    (data / "accounts.csv").write_text("id,name\n1,Alder\n")
    (data / "events.parquet").write_bytes(b"not parquet")

    accounts, events = look_into(data, tmp_path / "samples")

    assert accounts.columns == ("id", "name")
    assert (events.pattern, events.columns) == ("events.parquet", ())
    assert "not a parquet file" in events.fault


def test_other_encodings_are_noticed(tmp_path: Path) -> None:
    found = found_in(tmp_path, "kunden.csv", "id,name\n1,Müller\n", encoding="cp1252")

    assert found.layout == {"encoding": "cp1252"}
    assert found.values("name") == ["Müller"]


def test_a_column_of_the_right_name_with_other_cells_is_said(tmp_path: Path) -> None:
    made = proposal(tmp_path, "contracts.csv", "id,customer,mrr,start_date\n1,A,10.50,last spring\n")

    assert made.missing == ("start_date",)
    assert "start_date says 'last spring', which is read as no day." in made.doubts


@pytest.mark.parametrize(
    ("header", "columns"),
    [
        ("Contract ID,Account ID,Amount (EUR),Start", {"amount": "Amount (EUR)"}),
        ("id,customer,plan_amount,plan_interval,start", {"amount": "plan_amount", "billing_interval": "plan_interval"}),
        ("id,customer,plan_id,mrr__c,start", {"subscription_id": "id", "amount": "mrr__c"}),
    ],
)
def test_words_about_a_name_that_tell_nothing(tmp_path: Path, header: str, columns: dict[str, str]) -> None:
    cells = ",".join("2024-01-01" if name in {"Start", "start"} else "99.5" for name in header.split(","))

    made = proposal(tmp_path, "contracts.csv", f"{header}\n{cells}\n")

    assert made.missing == ()
    assert columns.items() <= made.columns.items()
