"""What is landed of Salesforce: by queries and by jobs, with custom fields and deletions, whatever goes wrong on the way."""

from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from cx_intel.settings.sources.vendors import SalesforceSource
from cx_intel.settings.yaml.loader import parse_portfolio
from cx_intel.sources.errors import SourceError
from cx_intel.sources.vendors import salesforce as reader
from cx_intel.sources.vendors.readers import refusals
from cx_intel_tests.helpers.landing_home import LandingHome, canonical
from cx_intel_tests.helpers.salesforce_stand_in import CLIENT, SECRET, USER, SalesforceStandIn, company
from cx_intel_tests.helpers.vendor_server import Faults, serving

pytestmark = pytest.mark.slow  # many landings; a whole portfolio on Stripe is in each run

NOW = 1_750_000_000  # 2025-06-15
DAY = 86_400
KINDS = ("user", "account", "contract", "opportunity", "task")
VARIABLES = {"SALESFORCE_CLIENT_ID": CLIENT, "SALESFORCE_CLIENT_SECRET": SECRET}
BY_SECRET = {"client_id": "${SALESFORCE_CLIENT_ID}", "client_secret": "${SALESFORCE_CLIENT_SECRET}"}
FAULTS = ("500", "429", "dropped", "truncated", "expired", "concurrent")


@pytest.fixture
def salesforce() -> Iterator[SalesforceStandIn]:
    stand_in = company(NOW)
    with serving(stand_in):
        yield stand_in


def source(salesforce: SalesforceStandIn, **changes: Any) -> SalesforceSource:
    return SalesforceSource(**({"kind": "salesforce", "host": salesforce.host} | BY_SECRET | changes))


@pytest.fixture
def home(tmp_path: Path, salesforce: SalesforceStandIn) -> LandingHome:
    return LandingHome(tmp_path / "warehouse.duckdb", salesforce, source(salesforce), KINDS, VARIABLES)


def jobs(salesforce: SalesforceStandIn) -> int:
    return sum(asked.method == "POST" and asked.path.endswith("/jobs/query") for asked in salesforce.asked)


def test_everything_is_landed_with_custom_fields_and_what_was_deleted(
    home: LandingHome, salesforce: SalesforceStandIn
) -> None:
    home.land()
    accounts = home.table("account")
    assert len(accounts) == 500
    assert (accounts["0010003"]["CSM_Owner__c"], accounts["0010003"]["NumberOfEmployees"]) == ("005B", "3")
    assert home.gone("account") == ["0010007", "0010009"]
    assert accounts["0010007"]["MasterRecordId"] == "0010008"
    assert "BillingAddress" not in accounts["0010003"]
    assert home.table("contract")["8000002"]["Annual_Contract_Value__c"] == "1202.5"
    assert home.table("opportunity")["0060001"]["Amount"] == "12000000"
    assert home.table("task")["00T0001"]["Subject"] == 'QBR: "Q2",\nagreed'
    assert jobs(salesforce) == 0


def test_by_a_job_comes_what_comes_by_a_query(
    home: LandingHome, salesforce: SalesforceStandIn, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home.land()
    monkeypatch.setattr(reader, "FEW", 10)
    by_job = LandingHome(tmp_path / "other.duckdb", salesforce, home.source, KINDS, VARIABLES)
    before = salesforce.now
    by_job.land()
    assert jobs(salesforce) == 4  # there are two users
    assert salesforce.now - before >= 4
    assert by_job.tables() == home.tables()


def test_a_query_that_is_too_long_for_an_address_goes_by_a_job(
    home: LandingHome, salesforce: SalesforceStandIn
) -> None:
    salesforce.fields["Account"] |= {f"A_custom_field_with_a_long_name_{n}__c": "string" for n in range(400)}
    salesforce.put("Account", Id="0010001", A_custom_field_with_a_long_name_399__c="here")
    home.land()
    assert home.table("account")["0010001"]["A_custom_field_with_a_long_name_399__c"] == "here"
    assert jobs(salesforce) == 1
    first = next(dict(asked.query) for asked in salesforce.asked if asked.path.endswith("/results"))
    assert first == {
        "maxRecords": str(500_000 // (4 + 10 + 400))
    }  # those of all objects, its own but the address, ours


def test_the_next_day_has_what_changed_since_an_hour_before_the_newest(
    home: LandingHome, salesforce: SalesforceStandIn
) -> None:
    home.land()
    salesforce.now += DAY
    salesforce.put("Account", Id="0010001", Name="Renamed")
    late = salesforce.now
    salesforce.delete("Task", "00T0003")
    salesforce.asked.clear()
    home.land()
    assert home.table("account")["0010001"]["Name"] == "Renamed"
    assert home.gone("task") == ["00T0003"]
    assert "| account | 500 | 0 | 1 | 0 |" in home.told
    salesforce.now = late - 1800  # a transaction that ended after the refresh has an earlier time
    salesforce.put("Account", Id="0010002", Name="Late")
    salesforce.now = late + DAY
    home.land()
    assert home.table("account")["0010002"]["Name"] == "Late"


def test_a_new_field_is_told_and_read_of_all_records(home: LandingHome, salesforce: SalesforceStandIn) -> None:
    salesforce.put("Account", Id="0010001", Fleet_Size__c=40)  # a formula, or a field that was not to be seen
    home.land()
    salesforce.now += DAY
    salesforce.fields["Account"]["Fleet_Size__c"] = "double"
    home.land()
    assert home.table("account")["0010001"]["Fleet_Size__c"] == "40"
    assert home.drift() == {"account.Fleet_Size__c": "new"}


def test_a_field_that_is_gone_and_one_of_another_type_are_told_once(
    home: LandingHome, salesforce: SalesforceStandIn
) -> None:
    home.land()
    assert home.drift() == {}
    salesforce.now += DAY
    del salesforce.fields["Account"]["Customer_Segment__c"]
    salesforce.fields["Account"]["NumberOfEmployees"] = "string"
    home.land()
    assert home.drift() == {"account.Customer_Segment__c": "gone", "account.NumberOfEmployees": "was int, is string"}
    assert home.table("account")["0010003"]["Customer_Segment__c"] is None
    home.land()
    assert home.drift() == {}


def test_what_is_gone_for_good_is_noted_by_a_full_pass(home: LandingHome, salesforce: SalesforceStandIn) -> None:
    home.land()
    del salesforce.kept["Account"]["0010011"]  # the recycle bin was emptied
    salesforce.now += DAY
    home.land()
    assert "0010011" not in home.gone("account")
    salesforce.now += 7 * DAY
    home.land()
    assert home.gone("account") == ["0010007", "0010009", "0010011"]
    for n in range(100, 200):
        del salesforce.kept["Account"][f"001{n:04}"]
    salesforce.now += 7 * DAY
    with pytest.raises(SourceError, match="100 of 497 account that salesforce had"):
        home.land()


@pytest.mark.parametrize("seed", [0, *(pytest.param(n, marks=pytest.mark.slow) for n in (1, 2, 3))])
def test_faults_neither_lose_nor_double_anything(
    home: LandingHome, salesforce: SalesforceStandIn, tmp_path: Path, seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    if seed % 2:
        monkeypatch.setattr(reader, "FEW", 10)
    salesforce.faults = Faults(seed, 0.3, FAULTS)
    home.land()
    salesforce.now += DAY
    salesforce.put("Account", Id="0010001", Name="Renamed")
    home.land()
    assert len(salesforce.faults.happened) > 3
    salesforce.faults = Faults()
    faultless = LandingHome(tmp_path / "other.duckdb", salesforce, home.source, KINDS, VARIABLES)
    faultless.land()
    assert home.tables() == faultless.tables()


def test_a_session_that_ends_on_the_way_is_begun_anew(home: LandingHome, salesforce: SalesforceStandIn) -> None:
    answer = salesforce.answer

    def ending(asked, fault):  # type: ignore[no-untyped-def]
        return answer(asked, "expired" if len(salesforce.asked) % 4 == 0 else fault)

    salesforce.answer = ending  # type: ignore[method-assign]
    home.land()
    assert len(home.table("account")) == 500
    assert sum(asked.path.endswith("/token") for asked in salesforce.asked) >= 3


def test_a_query_whose_place_is_forgotten_is_begun_anew(home: LandingHome, salesforce: SalesforceStandIn) -> None:
    answer = salesforce.answer

    def forgetting(asked, fault):  # type: ignore[no-untyped-def]
        if len(salesforce.asked) == 6:
            salesforce.cursors.clear()
        return answer(asked, fault)

    salesforce.answer = forgetting  # type: ignore[method-assign]
    home.land()
    assert len(home.table("account")) == 500
    salesforce.answer = lambda asked, fault: (salesforce.cursors.clear(), answer(asked, fault))[1]  # type: ignore[method-assign]
    salesforce.now += 8 * DAY
    with pytest.raises(SourceError, match=r"query of Account does not end.*begun 3 times; nothing was changed"):
        home.land()


def test_the_end_of_the_quota_is_told_and_changes_nothing(home: LandingHome, salesforce: SalesforceStandIn) -> None:
    home.land()
    before = home.tables()
    salesforce.put("User", Id="005A", Name="Another")
    salesforce.now += DAY
    salesforce.quota = 4
    asked = len(salesforce.asked)
    with pytest.raises(SourceError, match=r"for 24 hours are used up \(api-usage=15000/15000\): nothing was changed"):
        home.land()
    assert len(salesforce.asked) - asked == 6  # with the one for a token; what is used up is not asked for again
    assert home.tables() == before
    salesforce.quota = 1000
    home.land()
    assert home.table("user")["005A"]["Name"] == "Another"


def test_a_job_that_fails_is_told(
    home: LandingHome, salesforce: SalesforceStandIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reader, "FEW", 10)
    make = salesforce._job

    def failing(asked: dict[str, str]) -> Any:
        reply = make(asked)
        salesforce.jobs[reply.body["id"]]["failure"] = "InternalServerError : Retried more than fifteen times"
        return reply

    salesforce._job = failing  # type: ignore[method-assign]
    with pytest.raises(
        SourceError, match=r"job failed: InternalServerError : Retried more than fifteen times\. Nothing was"
    ):
        home.land()


def test_a_refused_client_is_told_without_its_secret(home: LandingHome, salesforce: SalesforceStandIn) -> None:
    salesforce.secret = "another"
    told = r"gives no token: invalid client credentials \*\*\*.* SALESFORCE_CLIENT_ID and SALESFORCE_CLIENT_SECRET"
    with pytest.raises(SourceError, match=told) as raised:
        home.land()
    assert SECRET not in str(raised.value)


@cache
def key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


@pytest.mark.parametrize("in_one_line", [True, False])
def test_a_user_signs_in_by_a_claim(home: LandingHome, salesforce: SalesforceStandIn, in_one_line: bool) -> None:
    salesforce.public_key = key().public_key()
    pem = key().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
    signs = {"client_secret": None, "username": "${USERNAME}", "private_key": "${PRIVATE_KEY}"}
    home.source, home.kinds = source(salesforce, **signs), ("user",)
    home.variables |= {"USERNAME": USER, "PRIVATE_KEY": pem.replace("\n", "\\n") if in_one_line else pem}
    home.land()
    assert len(home.table("user")) == 2
    home.variables["PRIVATE_KEY"] = "-----BEGIN PRIVATE KEY-----\nqqqq\n-----END PRIVATE KEY-----"
    with pytest.raises(SourceError, match="PRIVATE_KEY holds no private key of RSA") as raised:
        home.land()
    assert "qqqq" not in str(raised.value)


BOOK = """
currency: {reporting: USD}
revenue: {basis: subscriptions}
sources:
  - {kind: salesforce, host: "https://example.my.salesforce.com", client_id: "${A}", client_secret: "${B}"}
  - {preset: salesforce_export, landed: salesforce}
"""


def test_the_preset_of_the_exports_reads_what_is_landed(home: LandingHome) -> None:
    home.land()
    book = parse_portfolio(BOOK, Path("book.yaml"))
    assert book.landed_objects("salesforce") == KINDS
    read = {
        table: canonical(home.file, book, table)
        for table in ("accounts", "account_aliases", "subscriptions", "csm_activities")
    }
    accounts = {row["account_id"]: row for row in read["accounts"]}
    assert len(accounts) == 498
    first = accounts["0010001"]
    assert (first["owner"], first["country"], first["segment"], first["employee_count"]) == (
        "Ben",
        "Germany",
        "Enterprise",
        "1",
    )
    (alias,) = read["account_aliases"]
    assert (alias["old_account_id"], alias["account_id"]) == ("0010007", "0010008")
    contracts = {row["subscription_id"]: row for row in read["subscriptions"]}
    assert (contracts["8000002"]["amount"], contracts["8000002"]["renewal_date"]) == ("1202.5", "2025-12-01")
    assert (contracts["8000002"]["end_date"], len(contracts)) == ("2025-12-31", 20)
    activities = read["csm_activities"]
    assert {(row["activity_type"], row["completed_at"]) for row in activities} == {("qbr", "2025-05-20")}


def test_the_doctor_names_what_may_not_be_read(home: LandingHome, salesforce: SalesforceStandIn) -> None:
    salesforce.now = 1.0  # that of this machine lies after
    assert refusals(home.source, KINDS, VARIABLES) == []
    salesforce.may_read.remove("Contract")
    (told,) = refusals(home.source, KINDS, VARIABLES)
    assert "answers 404 to /services/data/v62.0/sobjects/Contract/describe" in told
    assert "the right to read these objects" in told
