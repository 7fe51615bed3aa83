"""The `links` block: addresses of accounts in other systems, and how they are filled in."""

from datetime import date
from pathlib import Path

import pytest
from pydantic import TypeAdapter, ValidationError

from cx_intel.reports.data.account.links import account_links
from cx_intel.settings.outputs.links import Link, LinkSettings, fault_of, link_of
from cx_intel_tests.helpers.identity_loads import book
from cx_intel_tests.helpers.report_books import read_book
from cx_intel_tests.helpers.report_tables import fill

CRM = "https://crm.example.com/accounts/{account_id}?tab=1"
DESK = "https://help.example.com/orgs/{id}"


def test_an_address_alone_is_a_link() -> None:
    assert link_of(TypeAdapter(LinkSettings).validate_python(CRM)) == Link(url=CRM)


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("javascript:alert(1)//{account_id}", "is no address"),
        ("ftp://crm.example.com/{account_id}", "is no address"),
        ("https://{account_id}.example.com/", "is no address"),
        ("https://user:secret@crm.example.com/{account_id}", "is no address"),
        ("https://crm.example.com/a b/{account_id}", "is no address"),
        ("https://crm.example.com/accounts", "names no account"),
        ("https://crm.example.com/{account_name}", r"has \{account_name\}"),
        ("https://crm.example.com/{account_id.__class__}", r"has \{account_id.__class__\}"),
        ("https://crm.example.com/{account_id!r}", r"has \{account_id!r\}"),
        ("https://crm.example.com/{account_id", "braces"),
    ],
)
def test_other_addresses_are_refused(url: str, said: str) -> None:
    with pytest.raises(ValidationError, match=said):
        Link(url=url)


def test_the_id_of_a_system_and_the_system_are_stated_together() -> None:
    assert "without a `system`" in fault_of(Link(url=DESK), True)
    assert "without {id}" in fault_of(Link(url=CRM, system="zendesk"), True)
    assert "no id of another system is known" in fault_of(Link(url=DESK, system="zendesk"), False)
    assert fault_of(Link(url=DESK, system="zendesk"), True) == ""


def test_ids_are_encoded_and_an_account_without_an_id_there_has_no_link(tmp_path: Path) -> None:
    of = book().model_copy(update={"links": {"crm": CRM, "help_desk": Link(url=DESK, system="zendesk")}})
    known = {"system": "zendesk", "valid_from": date(2025, 1, 1), "rule": "direct", "account_id": "a/1&x"}
    rows = [
        known | {"external_id": "7"},
        known | {"external_id": "9 é"},
        known | {"external_id": "5", "valid_to": date(2025, 1, 2)},
        known | {"external_id": "3", "system": "stripe"},
    ]
    data = read_book(fill(tmp_path / "w.duckdb", of, {"identity_map": rows}), of)
    assert account_links(data, ["a/1&x", "b", "erased-1"]) == {
        "a/1&x": [
            ["CRM", "https://crm.example.com/accounts/a%2F1%26x?tab=1"],
            ["Help desk", "https://help.example.com/orgs/7"],
            ["Help desk 2", "https://help.example.com/orgs/9%20%C3%A9"],
        ],
        "b": [["CRM", "https://crm.example.com/accounts/b?tab=1"]],
    }


def test_without_the_block_there_are_none(tmp_path: Path) -> None:
    of = book()
    assert account_links(read_book(fill(tmp_path / "w.duckdb", of, {}), of), ["a"]) == {}
