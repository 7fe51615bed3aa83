"""People at customers from files to the reports, in nothing that is not asked for, and erased with their account or alone."""

from datetime import date
from pathlib import Path

import duckdb
import pytest

from cx_intel.privacy.erase import Erasure, erase
from cx_intel.privacy.places import Home
from cx_intel.privacy.subject import Kind
from cx_intel_tests.helpers.small_company import AS_OF, SmallCompany

pytestmark = pytest.mark.slow  # a refresh with reports, and erasures

ADA, BO, CY = "ada.lind@acme.example", "bo.berg@acme.example", "cy.dahl@acme.example"
PEOPLE = [
    {"account_id": "A02", "email": ADA.upper(), "contact_name": "Ada Lind", "job_title": "COO", "user_id": "U02"},
    {"account_id": "A02", "email": BO, "contact_name": "Bo Berg", "contact_role": "Billing", "phone": "+46 1"},
    {"account_id": "A03", "email": CY, "contact_name": "Cy Dahl", "contact_role": "Champion"},
    {"account_id": "A03", "email": "nobody", "contact_name": "Dora Nohl"},
]


@pytest.fixture(scope="module")
def refreshed(tmp_path_factory: pytest.TempPathFactory) -> SmallCompany:
    made = SmallCompany(tmp_path_factory.mktemp("contacts"))
    made.tables["contacts"] = PEOPLE
    source = {"kind": "files", "table": "contacts", "path": "${SMALL_DATA}/contacts.csv", "max_quarantined_pct": 50}
    made.settings["sources"] = [*made.settings["sources"], source]
    assert made.refresh(AS_OF, reports=True).failures == []
    return made


@pytest.fixture
def company(refreshed: SmallCompany, tmp_path: Path) -> SmallCompany:
    return refreshed.copied(tmp_path / "copy")


def test_who_is_called_first_is_by_role_else_by_activity(refreshed: SmallCompany) -> None:
    assert refreshed.values("dim_contact", "call_order", "call_reason", by="email") == {
        ADA: (1, "latest_activity"),
        BO: (2, "billing_contact"),
        CY: (1, "champion"),
    }
    last = refreshed.values("dim_contact", "CAST(last_used_at AS DATE)", by="email", where="last_used_at IS NOT NULL")
    assert last == {ADA: date(2025, 1, 29)}


def test_names_stand_in_no_log_no_copy_and_no_export(refreshed: SmallCompany) -> None:
    listed = {file.name for file in refreshed.home.rglob("*") if file.is_file() and _mentions(file)}
    assert {name for name in listed if not name.endswith((".html", ".xlsx"))} == {"warehouse.duckdb"}
    assert refreshed.query("SELECT raw_row, reason FROM quarantine WHERE source_table = 'contacts'") == [
        (None, "email is no address (write name@company.com)")
    ]
    with duckdb.connect(str(refreshed.home / "published" / "small.duckdb"), read_only=True) as copy:
        assert ("dim_contact",) not in copy.execute("SELECT table_name FROM duckdb_tables()").fetchall()


def test_a_person_is_erased_by_the_address_and_does_not_come_back(company: SmallCompany) -> None:
    done = _erase(company, "user", ADA)
    assert (done.remains, done.searched >= 2) == ((), True)
    assert _left(company, b"ada.lind@acme", b"Ada Lind") == set()
    assert company.query("SELECT count(*) FROM stg_usage_events WHERE user_id = 'U02'") == [(0,)]
    assert company.refresh(AS_OF, write=False).failures == []
    assert sorted(company.values("dim_contact", "contact_name", by="email")) == [BO, CY]
    assert company.query("SELECT count(*) FROM raw_usage_events WHERE user_id = 'U02'") == [(0,)]
    assert _left(company, b"ada.lind@acme", b"Ada Lind", b"ADA.LIND@ACME") == set()


def test_an_account_takes_its_people_along(company: SmallCompany) -> None:
    assert _erase(company, "account", "A02").remains == ()
    assert _left(company, b"ada.lind@acme", b"Ada Lind", b"ADA.LIND@ACME", b"bo.berg@", b"Bo Berg") == set()
    assert list(company.values("dim_contact", "contact_name", by="email")) == [CY]


def _erase(company: SmallCompany, kind: Kind, subject: str) -> Erasure:
    home = Home(company.home, company.warehouse, company.home / "warehouse.lock", company.variables)
    return erase(home, "small", kind, subject)


def _mentions(file: Path, *words: bytes) -> bool:
    content = file.read_bytes()
    return any(word in content for word in words or (b"Ada Lind", b"ada.lind@", b"Cy Dahl", b"Dora Nohl"))


def _left(company: SmallCompany, *words: bytes) -> set[str]:
    return {file.name for file in company.home.rglob("*") if file.is_file() and _mentions(file, *words)}
