"""The YAML that is drafted can be loaded, names the folder by a variable, and says what could not be told."""

from datetime import date
from pathlib import Path

import pytest

from cx_intel.proposals.draft import draft_of
from cx_intel.proposals.finding import Proposal, proposal_for
from cx_intel.settings.portfolio import Portfolio
from cx_intel.settings.sources.base import TableSource
from cx_intel.settings.sources.files import FilesSource
from cx_intel.settings.yaml.loader import load_portfolio

pytestmark = pytest.mark.slow  # drafts of whole folders

TODAY = date(2026, 1, 15)
FILES = {
    "crm/customers.csv": "id,company,country\nP-1,Alder,DE\nP-2,Birch,AT\n",
    "billing/contracts.csv": "contract_id,customer_id,mrr,currency,start\nC-1,P-1,200,EUR,2024-03-01\nC-2,P-2,9,CHF,2024-05-01\n",
    "product/events-2025-06-01.csv": "id,customer_id,event,time\nE-1,P-1,login,2025-06-01T08:00:00Z\n",
    "product/events-2025-06-02.csv": "id,customer_id,event,time\nE-2,P-2,login,2025-06-02T08:00:00Z\n",
    "survey.csv": "email,nps_score,answered_at\na@alder.example,9,2025-06-01\n",
    "colors.csv": "color,shape\nred,round\n",
}
SALESFORCE = {
    "Account.csv": "Id,Name,Industry,BillingCountry,NumberOfEmployees,OwnerId,Type,ParentId,CreatedDate,MasterRecordId\n"
    "0011G1,Cedar,Retail,Germany,5,005A,Customer,,2024-01-01T00:00:00.000Z,\n",
    "Contract.csv": "Id,AccountId,Status,StartDate,EndDate,ContractTerm,Annual_Contract_Value__c\n"
    "8001,0011G1,Activated,2024-07-01,2025-06-30,12,12000\n",
}
STRIPE = {
    "stripe/customers.csv": "id,name,email,created,currency\ncus_1,Alder,a@alder.example,2024-01-01,usd\n",
    "stripe/subscriptions.csv": "id,customer_id,status,currency,start_date,cancel_at,"
    "canceled_at,ended_at,trial_end,cancel_at_period_end,current_period_end\nsub_1,cus_1,active,usd,2024-01-01,,,,,false,\n",
    "stripe/subscription_items.csv": "id,subscription_id,price_id,quantity\nsi_1,sub_1,price_1,2\n",
    "stripe/prices.csv": "id,product_id,unit_amount,currency,recurring_interval\nprice_1,prod_1,500,usd,month\n",
}


def drafted(folder: Path, files: dict[str, str]) -> tuple[Proposal, str]:
    data = folder / "data"
    for name, text in files.items():
        (data / name).parent.mkdir(parents=True, exist_ok=True)
        (data / name).write_text(text, encoding="utf-8")
    found = proposal_for(data, folder / "samples")
    return found, draft_of(found, "acme", TODAY, folder=data)


def loaded(folder: Path, text: str) -> Portfolio:
    file = folder / "acme.yaml"
    file.write_text(text, encoding="utf-8")
    return load_portfolio(file)


def test_files_of_a_company(tmp_path: Path) -> None:
    found, text = drafted(tmp_path, FILES)

    portfolio = loaded(tmp_path, text)
    sources = {s.table: s for s in portfolio.sources if isinstance(s, FilesSource)}
    assert {table: source.path for table, source in sources.items()} == {
        "accounts": "${ACME_DATA}/crm/customers.csv",
        "subscriptions": "${ACME_DATA}/billing/contracts.csv",
        "usage_events": "${ACME_DATA}/product/events-*.csv",
    }
    assert sources["subscriptions"].columns == {
        "subscription_id": "contract_id",
        "account_id": "customer_id",
        "amount": "mrr",
        "start_date": "start",
    }
    assert portfolio.revenue.basis == "subscriptions"
    assert portfolio.as_of.default == date(2025, 6, 2)
    assert [table.missing for table in found.incomplete] == [("account_id",)]
    assert [files.pattern for files in found.others] == ["colors.csv"]


def test_what_was_not_told_is_said_where_it_belongs(tmp_path: Path) -> None:
    _, text = drafted(tmp_path, FILES)

    assert "# Amounts in CHF need a rate, what one unit is worth in EUR: rates: {CHF: ...}" in text
    assert "# survey.csv seems to be nps_responses, which needs account_id: say which column it is." in text
    assert "# Not used: colors.csv" in text


def test_a_fresh_export_is_refreshed_for_yesterday(tmp_path: Path) -> None:
    files = {
        "accounts.csv": "id,name\nA,Alder\n",
        "invoices.csv": f"number,customer,total,date,status\n1,A,10.50,{date(2026, 1, 14)},paid\n",
    }

    portfolio = loaded(tmp_path, drafted(tmp_path, files)[1])

    assert portfolio.as_of.default == "yesterday"
    assert portfolio.revenue.basis == "invoices"


def test_a_preset_is_taken_where_its_sources_give_rows(tmp_path: Path) -> None:
    files = STRIPE | {
        "tickets.csv": "id,customer_id,created_at\n1,cus_1,2024-02-01T10:00:00Z\n",
    }

    found, text = drafted(tmp_path, files)

    portfolio = loaded(tmp_path, text)
    (preset,) = found.presets
    assert (preset.name, preset.folder) == ("stripe_export", "stripe")
    assert {"accounts", "subscriptions"} <= set(preset.tables)
    assert set(preset.accounts) == {"cus_1"}
    assert {"accounts", "subscriptions", "support_tickets"} <= set(portfolio.tables)
    assert "folder: ${ACME_DATA}/stripe" in text


COMPANIES = (
    "Record ID,Company name,Company Domain Name,Company owner,Lifecycle Stage,Country/Region,Number of Employees,Create Date\n"
    "1001,Alder,alder.example,Ida,customer,Germany,100,2024-01-01 09:07\n"
)
DEALS = (
    "Record ID,Deal Stage,Is Closed Won,Close Date,Monthly recurring revenue,Annual recurring revenue,Currency,"
    "Associated Company IDs\n1,Closed Won,true,2024-05-01 10:00,100,1200,EUR,1001\n"
)


def comments(text: str) -> str:
    """The comments of a draft as one line."""
    return " ".join(line.strip(" #") for line in text.splitlines() if line.lstrip().startswith("#"))


def presets_of(portfolio: Portfolio, table: str) -> list[str]:
    return [s.preset for s in portfolio.parts_of(table).values() if isinstance(s, TableSource)]


def test_contracts_of_a_crm_do_not_take_the_place_of_those_that_billing_delivers(tmp_path: Path) -> None:
    found, text = drafted(tmp_path, STRIPE | {"hubspot/companies.csv": COMPANIES, "hubspot/deals.csv": DEALS})

    assert [(preset.name, "subscriptions" in preset.tables) for preset in found.presets] == [
        ("hubspot_export", True),
        ("stripe_export", True),
    ]
    portfolio = loaded(tmp_path, text)
    assert presets_of(portfolio, "subscriptions") == ["stripe_export"]
    assert presets_of(portfolio, "accounts") == ["hubspot_export"]
    assert "# hubspot_export delivers accounts, account_aliases, identity_links;" in text
    assert "# Its subscriptions are left out, as stripe_export delivers that table too;" in text


def test_the_key_of_metadata_that_holds_accounts_and_calls_by_the_day(tmp_path: Path) -> None:
    """Segment's storage has a folder for each day, of which few have calls that tell of a group."""
    customers = [
        f'cus_{n},A,x@mail.example,2024-01-01,usd,"{{""crm"": ""100{n}"", ""tier"": ""1""}}"\n' for n in (1, 2)
    ]
    told = '"userId":"u","timestamp":"2025-06-0'
    track = '{"messageId":"m","type":"track","event":"Login","context":{"groupId":"w"},' + told
    group = '{"messageId":"g","type":"group","groupId":"w","traits":{"name":"A"},' + told
    files = STRIPE | {
        "stripe/customers.csv": "id,name,email,created,currency,metadata\n" + "".join(customers),
        "hubspot/companies.csv": COMPANIES + "1002,Birch,birch.example,Ida,customer,Germany,9,2024-01-01 09:07\n",
        "segment/src/1/1.jsonl": track + '1T08:00:00Z"}\n',
        "segment/src/2/2.jsonl": track + '2T08:00:00Z"}\n' + group + '2T08:00:00Z"}\n',
    }
    found, text = drafted(tmp_path, files)
    assert {(p.name, p.folder, p.account_key) for p in found.presets} == {
        ("hubspot_export", "hubspot", ""),
        ("segment_events", "segment", ""),
        ("stripe_export", "stripe", "crm"),
    }
    assert "    options: {account_key: crm} # where it keeps the ids of the accounts" in text
    assert "Not used" not in text
    assert presets_of(loaded(tmp_path, text), "usage_events") == ["segment_events"]


def test_of_two_presets_with_a_table_the_first_delivers_it_and_how_to_take_both_is_said(tmp_path: Path) -> None:
    _, text = drafted(tmp_path, SALESFORCE | {"companies.csv": COMPANIES, "deals.csv": DEALS})

    said = comments(text)
    assert "salesforce_export delivers csm_activities, identity_links;" in said
    for sentence in (
        "Its accounts are left out, as hubspot_export delivers that table too; `tables: {accounts: {name: ...}}` at each, "
        "with a name of its own, takes both. Rows that name accounts which hubspot_export does not have are quarantined.",
        "Its account_aliases are left out, as hubspot_export delivers that table too. ",
        "Its subscriptions are left out, as hubspot_export delivers that table too; `tables: {subscriptions: null}` there "
        "takes these instead.",
    ):
        assert sentence in said
    portfolio = loaded(tmp_path, text)
    assert presets_of(portfolio, "accounts") == ["hubspot_export"]
    assert presets_of(portfolio, "subscriptions") == ["hubspot_export"]
    assert presets_of(portfolio, "csm_activities") == ["salesforce_export"]


def test_files_that_would_take_the_place_of_what_a_preset_gives_alone(tmp_path: Path) -> None:
    own = {"customers.csv": "id,name\nP-1,Alder\n", "contracts.csv": "id,customer,mrr,start\n1,P-1,10.50,2024-01-13\n"}

    _, text = drafted(tmp_path, STRIPE | own)

    instead = "seems to be accounts too, which stripe_export delivers; a source of it would take its place"
    assert f"Not used: customers.csv ({instead})" in comments(text)
    assert "# Not used: contracts.csv (seems to be subscriptions too, which stripe_export delivers)" in text


def test_what_is_said_of_taking_both_is_so(tmp_path: Path) -> None:
    _, text = drafted(tmp_path, SALESFORCE | {"companies.csv": COMPANIES, "deals.csv": DEALS})

    named = text.replace("{accounts: null", "{accounts: {name: salesforce}")
    both = named.replace(
        "  - preset: hubspot_export\n", "  - preset: hubspot_export\n    tables: {accounts: {name: hubspot}}\n"
    )
    other = text.replace(
        "  - preset: hubspot_export\n", "  - preset: hubspot_export\n    tables: {subscriptions: null}\n"
    )

    assert presets_of(loaded(tmp_path, both), "accounts") == ["hubspot_export", "salesforce_export"]
    assert presets_of(loaded(tmp_path, other), "subscriptions") == ["salesforce_export"]


def test_accounts_that_are_missing_are_said(tmp_path: Path) -> None:
    _, text = drafted(tmp_path, {"invoices.csv": "number,total,date,status\n1,10.50,2025-01-14,paid\n"})

    assert "# Nothing seems to hold the accounts, which every portfolio needs" in text


def test_invoices_without_a_status_may_all_be_paid(tmp_path: Path) -> None:
    _, text = drafted(tmp_path, {"invoices.csv": "number,customer,net_amount,date,po\n1,A,10.50,2025-01-14,7\n"})

    assert (
        "invoices.csv seems to be invoices, which needs status: say which column it is, or state `constants: {status: paid}` "
        "where all are paid. There are po."
    ) in comments(text)


def test_the_day_of_an_old_export_is_read_as_its_days_are_written(tmp_path: Path) -> None:
    files = {
        "accounts.csv": "id,name\nA,Alder\n",
        "contracts.csv": "id,customer,betrag,start,ende\n1,A,€10.50,31.03.2024,31.12.2025\n",
        "contracts_us.csv": "id,customer,created,amount,start\n2,A,2024-01-13,10.50,2024-01-13\n",
        "tickets.csv": "1,2,3\n",
    }

    _, text = drafted(tmp_path, files)

    assert "as_of: {default: 2024-03-31, " in text
    assert "currency: {reporting: EUR} # by the sign of amounts" in text
    assert "# Not used: contracts_us.csv (seems to be subscriptions too, which other files are taken for)" in text
    assert "# Not used: tickets.csv (no column of it has a name that is known: is its first row a header?)" in text


def test_reports_are_in_the_currency_that_the_name_of_amounts_tells(tmp_path: Path) -> None:
    files = {
        "accounts.csv": "id,name\nA,Alder\n",
        "contracts.csv": "id,customer,amount_eur,currency,start\n1,A,10.50,JPY,2024-01-13\n2,A,9.50,JPY,2024-01-13\n",
    }

    portfolio = loaded(tmp_path, drafted(tmp_path, files)[1])

    assert (portfolio.currency.reporting, portfolio.currency.rates) == ("EUR", {})
    source = portfolio.source_of("subscriptions")
    assert isinstance(source, FilesSource)
    assert source.constants == {"currency": "EUR"}


def test_nothing_in_a_folder_is_nothing(tmp_path: Path) -> None:
    found, _ = drafted(tmp_path, {"colors.csv": "color,shape\nred,round\n"})

    assert found.is_empty


def test_landed_tables_of_a_schema(tmp_path: Path) -> None:
    zendesk = {
        "ticket": (
            "id",
            "organization_id",
            "requester_id",
            "created_at",
            "status",
            "type",
            "merged_ticket_ids",
            "priority",
        ),
        "users": ("id",),
    }
    stripe = {"subscription_history": ("id", "status"), "invoice": ("id",)}

    found = proposal_for(None, tmp_path / "samples", {"help_desk": zendesk, "stripe": stripe})

    assert [(landed.name, landed.schema) for landed in found.landed] == [("fivetran_zendesk", "help_desk")]
    assert "support_tickets" in found.landed[0].tables
    text = draft_of(found, "acme", TODAY, connection="LANDED")
    assert "  - preset: fivetran_zendesk\n    connection: ${LANDED}\n    schema: help_desk" in text
