"""An erasure where tickets come from Zendesk itself: all of an organization goes, and of nobody else."""

from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from cx_intel.privacy.erase import erase
from cx_intel.privacy.places import Home
from cx_intel_tests.helpers.small_company import SmallCompany
from cx_intel_tests.helpers.vendor_server import serving
from cx_intel_tests.helpers.zendesk_stand_in import CLIENT, SECRET, ZendeskStandIn

pytestmark = pytest.mark.slow

FIRST, SECOND = date(2025, 1, 30), date(2025, 1, 31)


def at(day: date) -> float:
    return datetime(day.year, day.month, day.day, 10, tzinfo=UTC).timestamp()


@pytest.fixture
def zendesk() -> Iterator[ZendeskStandIn]:
    """Organizations 1 and 2 of A01 and A02, each with a user and a ticket; a user of each has a ticket without one."""
    stand_in = ZendeskStandIn(int(at(FIRST)) - 3600)
    for n in (1, 2):
        stand_in.put("organizations", id=n, name=f"Company {n}", external_id=f"A0{n}", domain_names=[])
        stand_in.put("users", id=100 + n, organization_id=n)
        for id_, organization in ((1000 + n, n), (2000 + n, None)):
            stand_in.put("tickets", id=id_, status="open", organization_id=organization, requester_id=100 + n,
                         created_at="2025-01-20T09:00:00Z")  # fmt: skip
    with serving(stand_in):
        yield stand_in


@pytest.fixture
def company(tmp_path: Path, zendesk: ZendeskStandIn) -> SmallCompany:
    company = SmallCompany(tmp_path)
    company.only("accounts", "subscriptions")
    company.settings.pop("usage")
    signs = {"client_id": "${ZENDESK_CLIENT_ID}", "client_secret": "${ZENDESK_CLIENT_SECRET}"}
    company.settings["sources"] += [
        {"kind": "zendesk", "host": zendesk.host} | signs,
        {"preset": "zendesk_export", "landed": "zendesk"},
    ]
    company.variables |= {"ZENDESK_CLIENT_ID": CLIENT, "ZENDESK_CLIENT_SECRET": SECRET}
    company.write()
    return company


def test_all_of_an_organization_goes_and_does_not_come_back(company: SmallCompany, zendesk: ZendeskStandIn) -> None:
    zendesk.now = at(FIRST)
    outcome = company.refresh(FIRST, write=False)
    assert outcome.failures == []
    accounts = company.values("fct_tickets", "account_id", by="ticket_id")
    assert accounts == {"1001": "A01", "2001": "A01", "1002": "A02", "2002": "A02"}

    home = Home(company.home, company.warehouse, company.home / "warehouse.lock", company.variables)
    assert erase(home, company.name, "account", "A02").remains == ()
    left = {"organizations": ["1"], "users": ["101"], "tickets": ["1001", "2001"]}
    for kind, ids in left.items():
        assert company.query(f"SELECT id FROM landed_zendesk_{kind} ORDER BY 1") == [(id_,) for id_ in ids]

    for n in (1002, 2002):
        zendesk.put("tickets", id=n, status="solved")
    zendesk.now = at(SECOND)
    assert company.refresh(SECOND, write=False).failures == []
    for kind, ids in left.items():
        assert company.query(f"SELECT id FROM landed_zendesk_{kind} ORDER BY 1") == [(id_,) for id_ in ids]
