"""Which table a file is taken for, which column for which, and what is said where that is not told."""

from datetime import date
from pathlib import Path

import pytest
from openpyxl import Workbook

from cx_intel.proposals.finding import known_contracts
from cx_intel.proposals.folders import FoundFiles, look_into
from cx_intel.proposals.tables import TableProposal, proposed, with_strangers

KNOWN = known_contracts()


def found_in(folder: Path, name: str, text: str, encoding: str = "utf-8") -> FoundFiles:
    data = folder / "data"
    data.mkdir()
    (data / name).write_text(text, encoding=encoding)
    (found,) = look_into(data, folder / "samples")
    return found


def proposal(folder: Path, name: str, text: str) -> TableProposal:
    made = proposed(found_in(folder, name, text), KNOWN)
    assert made is not None
    return made


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
    contracts = "id,customer,mrr,discount,start\n1,A,10.50,0.1,2024-01-01\n"
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()

    assert proposal(tmp_path / "a", "tickets.csv", tickets).doubts == (
        "csat goes up to 95 here and is taken for a scale that ends at 5.",
    )
    assert proposal(tmp_path / "b", "contracts.csv", contracts).doubts == (
        "discount is taken for per cent, 0 to 100, not for an amount or a share.",
    )


def test_a_file_whose_name_does_not_tell_is_said(tmp_path: Path) -> None:
    made = proposal(tmp_path, "users.csv", "id,company_id,created_at,name\nU1,A,2024-01-01,Ada\n")

    assert "is taken for usage_events by its columns alone: its name does not tell." in made.doubts[0]


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


def test_an_annual_amount_counts_for_twelve_months(tmp_path: Path) -> None:
    made = proposal(tmp_path, "contracts.csv", "id,customer_id,annualAmount,start\n1,A,1200,2024-01-01\n")

    assert made.columns["amount"] == "annualAmount"
    assert made.more == {"constants": {"billing_period_months": 12}}


def test_american_dates_with_a_clock_of_twelve_hours(tmp_path: Path) -> None:
    text = "id,customer,rating,date\n1,A,9,09/13/2024 6:58 PM\n2,B,3,09/07/2024 5:06 AM\n"

    made = proposal(tmp_path, "nps_survey.csv", text)

    assert made.table == "nps_responses"
    assert made.more == {"date_formats": ["%m/%d/%Y %I:%M %p"]}
    assert not made.doubts


@pytest.mark.parametrize(
    ("days", "stated", "said"),
    [
        (
            ["05/06/2024"],
            "%m/%d/%Y",
            ["Whether 05/06/2024 begins with the day or the month is not told: `date_formats` says the month."],
        ),
        (
            ["01/02/2024", "01/03/2024"],  # contracts begin on the first
            "%d/%m/%Y",
            ["Whether 01/02/2024 begins with the day or the month is not told: `date_formats` says the day."],
        ),
        (["13/06/2024", "05/06/2024"], "%d/%m/%Y", []),
        (["06/13/2024", "05/06/2024"], "%m/%d/%Y", []),
        (["05.06.2024"], "%d.%m.%Y", []),
        (
            ["13/06/2024", "06/13/2024"],
            "%d/%m/%Y",
            ["Days are written both as 13/06/2024 and as 06/13/2024: one source can read but one way."],
        ),
    ],
)
def test_which_of_day_and_month_comes_first_is_told_or_said(
    tmp_path: Path, days: list[str], stated: str, said: list[str]
) -> None:
    lines = [f"{n},A,10.50,{day}" for n, day in enumerate(days)]

    made = proposal(tmp_path, "contracts.csv", "\n".join(["id,customer,mrr,start", *lines, ""]))

    assert made.more == {"date_formats": [stated]}
    assert list(made.doubts) == said


def test_words_of_priorities_become_ours_and_an_unknown_one_is_said(tmp_path: Path) -> None:
    text = "id,org_id,created_at,priority\n1,A,2024-01-01,Urgent\n2,A,2024-01-01,low\n3,A,2024-01-01,VIP\n"

    made = proposal(tmp_path, "tickets.csv", text)

    assert made.more == {"values": {"priority": {"low": "p4", "urgent": "p1"}}}
    assert made.doubts == ("Which priority vip is, is not told: add it to `values`.",)


def test_a_column_of_words_is_no_date_and_no_amount(tmp_path: Path) -> None:
    made = proposal(tmp_path, "contracts.csv", "id,customer,amount,start,fee\n1,A,on request,soon,12\n")

    assert made.columns == {"subscription_id": "id", "account_id": "customer", "amount": "fee"}
    assert made.missing == ("start_date",)


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


@pytest.mark.parametrize(
    ("day", "stated"),
    [
        ("12/31/25", "%m/%d/%y"),
        ("31.12.25 9:05", "%d.%m.%y %H:%M"),
        ("31-12-2025", "%d-%m-%Y"),
        ("31-Dec-25", "%d-%b-%y"),
        ("Dec 31, 2025", "%b %d, %Y"),
        ("2025/12/31", "%Y/%m/%d"),
        ("12/31/2025 9:05AM", "%m/%d/%Y %I:%M%p"),
    ],
)
def test_days_as_people_write_them(tmp_path: Path, day: str, stated: str) -> None:
    made = proposal(tmp_path, "contracts.csv", f'id,customer,mrr,start\n1,A,10.50,"{day}"\n')

    assert made.columns["start_date"] == "start"
    assert made.more == {"date_formats": [stated]}


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


def test_whole_amounts_beside_ids_of_stripe_are_cents(tmp_path: Path) -> None:
    made = proposal(tmp_path, "subscriptions.csv", "id,customer,amount,start\nsub_1,cus_1,9900,2024-01-01\n")

    assert made.more["in_minor_units"] is True
    assert "amount is taken for cents, as Stripe writes amounts." in made.doubts
