"""Which table a file is taken for, which column for which, and what is said where that is not told."""

from datetime import date
from pathlib import Path

import pytest

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
        "Betrag is taken for a month: state `constants: {billing_period_months: 12}` where it is a year's.",
    )


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


def test_a_date_that_may_be_either_is_said(tmp_path: Path) -> None:
    made = proposal(tmp_path, "invoices.csv", "number,customer,total,date,status\n1,A,10.50,05/06/2024,paid\n")

    assert made.more == {"date_formats": ["%m/%d/%Y"]}
    assert made.doubts == ("Whether 05/06/2025 is a day in June or in May is not told: May is in `date_formats`.",)


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
