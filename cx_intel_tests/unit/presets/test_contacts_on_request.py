"""Contacts on request: the same people as HubSpot's and Salesforce's exports have them and as Fivetran lands them."""

from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from cx_intel.settings.portfolio import Portfolio
from cx_intel.sources.errors import SourceError
from cx_intel_tests.helpers.landed_tables import land_in_sqlite, landed, staged
from cx_intel_tests.helpers.vendor_files import delivered, judged, taking, write_lines, write_table

REQUESTED = "{contacts: {}}"
ACCOUNTS = ("1", "2")
FIELDS = ("id", "first", "last", "email", "title", "role", "at", "company")
EXPECTED = {
    "p1": ("1", "Ann", "Bell", "ann@one.example", "Head of IT", True, False, datetime(2026, 3, 1)),
    "p2": ("1", "Bo", None, "bo@one.example", None, False, True, None),
    "p3": ("2", None, "Cruz", None, None, False, False, None),
}
"""Person: account, names, address, title, champion, decision maker, last activity; p4 is at no company, p5 is deleted."""


def read(found: list[dict[str, Any]]) -> dict[str, tuple[Any, ...]]:
    assert {row["_reason"] for row in found} == {None}
    columns = ("account_id", "first_name", "last_name", "email", "job_title", "is_champion", "is_decision_maker")
    return {r["contact_id"]: (*(r[name] for name in columns), r["last_activity_at"]) for r in found}


def table(
    names: dict[str, str], roles: dict[str, str | None], companies: dict[str, str | None]
) -> list[dict[str, Any]]:
    """The people with a vendor's names of columns, words of roles and ids of companies."""
    people = [
        {
            "id": "p1",
            "first": "Ann",
            "last": "Bell",
            "email": "Ann@One.example",
            "title": "Head of IT",
            "at": "2026-03-01",
        },
        {"id": "p2", "first": "Bo", "email": "bo@one.example"},
        {"id": "p3", "last": "Cruz"},
        {"id": "p4", "last": "Dow", "email": "dow@nowhere.example"},
    ]
    rows = [person | {"role": roles.get(person["id"]), "company": companies.get(person["id"])} for person in people]
    return [{column: row.get(ours) for ours, column in names.items()} for row in rows]


@pytest.mark.parametrize(
    ("company", "champion"), [("Associated Company IDs (Primary)", "Champion"), ("Associated Company IDs", "CHAMPION")]
)
def test_an_export_of_hubspot(tmp_path: Path, company: str, champion: str) -> None:
    names = dict(
        zip(
            FIELDS,
            (
                "Record ID",
                "First Name",
                "Last Name",
                "Email",
                "Job Title",
                "Buying Role",
                "Last Activity Date",
                company,
            ),
            strict=True,
        )
    )
    listed = table(names, {"p1": champion, "p2": "DECISION_MAKER;END_USER"}, {"p1": "1;7", "p2": "1", "p3": "2"})
    write_table(tmp_path / "contacts.csv", listed)
    book = taking("hubspot_export", tables=REQUESTED, folder=str(tmp_path))
    assert read(judged(book, "contacts", ACCOUNTS)) == EXPECTED


@pytest.mark.slow
def test_hubspot_landed_by_fivetran(tmp_path: Path) -> None:
    names = dict(
        zip(
            FIELDS,
            (
                "id",
                "property_firstname",
                "property_lastname",
                "property_email",
                "property_jobtitle",
                "property_hs_buying_role",
                "property_notes_last_updated",
                "property_associatedcompanyid",
            ),
            strict=True,
        )
    )
    listed = table(names, {"p1": "CHAMPION", "p2": "DECISION_MAKER"}, {"p1": "1", "p2": "1"})
    gone = {"id": "p5", "property_associatedcompanyid": "1", "property_email": "e@one.example", "is_deleted": 1}
    tables = {
        "contact": [*({"is_deleted": 0} | row for row in listed), gone],
        "contact_company": [
            {"contact_id": "p3", "company_id": "9", "type_id": 279},
            {"contact_id": "p3", "company_id": "2", "type_id": 1},
        ],
    }
    address = land_in_sqlite(tmp_path / "landed.db", tables)
    assert read(staged(in_sqlite("fivetran_hubspot"), "contacts", address, ACCOUNTS)) == EXPECTED


def test_planhats_people(tmp_path: Path) -> None:
    """Two times in milliseconds and in words are 1 March 2026; one is archived, one at no company, one deleted."""
    listed = [
        {"_id": "p1", "companyId": "1", "firstName": "Ann", "lastName": "Bell", "email": "Ann@One.example",
         "position": "Head of IT", "custom": {"Role": "Champion"}, "lastActive": 1772323200000},
        {"_id": "p2", "companyId": "1", "firstName": "Bo", "email": "bo@one.example", "custom": {"Role": "Economic buyer"}},
        {"_id": "p3", "companyId": "2", "lastName": "Cruz", "archived": True},
        {"_id": "p4", "lastName": "Dow", "email": "dow@nowhere.example"},
        {"_id": "p5", "companyId": "1", "lastName": "Gone", "deleted": True},
    ]  # fmt: skip
    write_lines(tmp_path / "endusers.jsonl", listed)
    found = judged(taking("planhat_export", tables=REQUESTED, folder=str(tmp_path)), "contacts", ACCOUNTS)
    assert read(found) == EXPECTED
    assert {row["contact_id"] for row in found if not row["is_active"]} == {"p3"}


def test_an_export_of_salesforce(tmp_path: Path) -> None:
    names = dict(
        zip(
            FIELDS,
            ("Id", "FirstName", "LastName", "Email", "Title", "Role", "LastActivityDate", "AccountId"),
            strict=True,
        )
    )
    listed = table(names, {}, {"p1": "1", "p2": "1", "p3": "2"})
    gone = {"Id": "p5", "LastName": "Gone", "AccountId": "1", "IsDeleted": "true"}
    write_table(tmp_path / "Contact.csv", [*({"IsDeleted": "false"} | row for row in listed), gone])
    roles = [
        {"AccountId": "1", "ContactId": "p1", "Role": "Executive Sponsor"},
        {"AccountId": "1", "ContactId": "p2", "Role": "Economic Buyer"},
        {"AccountId": "1", "ContactId": "p2", "Role": "Evaluator"},
        {"AccountId": "2", "ContactId": "p2", "Role": "Executive Sponsor"},
    ]
    write_table(tmp_path / "AccountContactRole.csv", roles)
    book = taking("salesforce_export", tables=REQUESTED, folder=str(tmp_path))
    assert read(judged(book, "contacts", ACCOUNTS)) == EXPECTED


@pytest.mark.slow
def test_salesforce_landed_by_fivetran(tmp_path: Path) -> None:
    names = dict(
        zip(
            FIELDS,
            ("id", "first_name", "last_name", "email", "title", "role", "last_activity_date", "account_id"),
            strict=True,
        )
    )
    listed = table(names, {}, {"p1": "1", "p2": "1", "p3": "2"})
    gone = {"id": "p5", "last_name": "Gone", "account_id": "1", "is_deleted": 1}
    before = {"id": "p1", "last_name": "Before", "account_id": "2", "_fivetran_active": 0}
    tables = {
        "contact": [*({"is_deleted": 0, "_fivetran_active": 1} | row for row in listed), gone, before],
        "account_contact_role": [
            {"account_id": "1", "contact_id": "p1", "role": "Executive Sponsor"},
            {"account_id": "1", "contact_id": "p2", "role": "Decision Maker"},
        ],
    }
    address = land_in_sqlite(tmp_path / "landed.db", tables)
    assert read(staged(in_sqlite("fivetran_salesforce"), "contacts", address, ACCOUNTS)) == EXPECTED


def in_sqlite(preset: str) -> Portfolio:
    return landed(preset, "main", tables=REQUESTED)


@pytest.mark.parametrize(
    ("preset", "file", "column"),
    [("hubspot_export", "contacts", "ompan"), ("salesforce_export", "Contact", "AccountId")],
)
def test_without_a_column_of_companies_nobody_is_left_out_in_silence(
    tmp_path: Path, preset: str, file: str, column: str
) -> None:
    write_table(tmp_path / f"{file}.csv", [{"Record ID": "p1", "Id": "p1", "Email": "ann@one.example"}])
    with pytest.raises(SourceError, match=column):
        delivered(taking(preset, tables=REQUESTED, folder=str(tmp_path)), "contacts")


@pytest.mark.parametrize("preset", ["hubspot_export", "salesforce_export"])
def test_without_a_request_people_are_not_read(tmp_path: Path, preset: str) -> None:
    assert "contacts" not in taking(preset, folder=str(tmp_path)).tables
