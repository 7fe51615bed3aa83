"""What is written to Salesforce: accounts by jobs, the flag and forecast of renewals, within its rules."""

from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from cx_intel.sources.errors import SourceError
from cx_intel.sync.opening import sync_refusals
from cx_intel_tests.helpers.salesforce_writing import CLIENT, SECRET, SalesforceWritingStandIn, account_id
from cx_intel_tests.helpers.vendor_server import Faults, serving
from cx_intel_tests.helpers.written_back import Book, account

pytestmark = pytest.mark.slow  # many syncs; those with Planhat are in each run

OMITTED = "opportunities: {forecast_category: Omitted}"


@pytest.fixture
def salesforce() -> Iterator[SalesforceWritingStandIn]:
    stand_in = SalesforceWritingStandIn(accounts=5)
    with serving(stand_in):
        yield stand_in


def book_of(folder: Path, salesforce: SalesforceWritingStandIn, more: str = OMITTED) -> Book:
    secrets = "client_id: '${SALESFORCE_CLIENT_ID}', client_secret: '${SALESFORCE_CLIENT_SECRET}'"
    settings = f"write_back:\n  salesforce: {{host: '{salesforce.host}', {secrets}, {more}}}\n"
    book = Book(folder, settings, salesforce)
    book.variables = {"SALESFORCE_CLIENT_ID": CLIENT, "SALESFORCE_CLIENT_SECRET": SECRET}
    book.accounts = [
        account(account_id(1), 82.5, "Green"),
        account(account_id(2)[:15], 55.0, "Amber"),  # an export of the short id
        account(account_id(3), 12.0, "Red"),
    ]
    return book


@pytest.fixture
def book(tmp_path: Path, salesforce: SalesforceWritingStandIn) -> Book:
    return book_of(tmp_path, salesforce)


def of(salesforce: SalesforceWritingStandIn, n: int) -> tuple[object, ...]:
    one = salesforce.records["Account"][account_id(n)]
    return tuple(one.get(f"{name}__c") for name in ("Planhat_Health_Score", "Planhat_Health_Tier", "Churn_Risk_Flag"))


def renewal(salesforce: SalesforceWritingStandIn, n: int, of_account: int, closes_on: str, **more: object) -> str:
    given = {"AccountId": account_id(of_account), "CloseDate": closes_on, "Type": "Existing Business - Renewal"}
    fresh = {"IsClosed": False, "Renewal_Risk__c": False, "ForecastCategoryName": "Pipeline"}
    salesforce.put("Opportunity", f"006A{n:011d}AAA", **(fresh | given | more))
    return f"006A{n:011d}AAA"


def test_accounts_are_written_by_one_job_and_only_once(book: Book, salesforce: SalesforceWritingStandIn) -> None:
    outcome = book.sync()
    assert (outcome.sent, outcome.rejected, outcome.failures) == (7, 0, [])  # a flag that is not set is so already
    assert [of(salesforce, n) for n in (1, 2, 3)] == [
        (82.5, "Green", False),
        (55, "Amber", False),
        (12, "Red", True),
    ]
    assert len(salesforce.jobs) == 1
    assert book.sync().planned == {}
    assert len(salesforce.jobs) == 1


def test_a_renewal_within_90_days_of_an_account_at_risk_is_flagged_and_left_again(
    book: Book, salesforce: SalesforceWritingStandIn
) -> None:
    due = renewal(salesforce, 1, 3, "2025-05-01")
    later = renewal(salesforce, 2, 3, "2025-05-02")
    healthy = renewal(salesforce, 3, 1, "2025-02-15")
    closed = renewal(salesforce, 4, 3, "2025-02-15", IsClosed=True)
    new_business = renewal(salesforce, 5, 3, "2025-02-15", Type="New Business")
    book.sync()
    found = salesforce.records["Opportunity"]
    told = {key: (found[key]["Renewal_Risk__c"], found[key]["ForecastCategoryName"]) for key in found}
    assert told == {due: (True, "Omitted")} | dict.fromkeys([later, healthy, closed, new_business], (False, "Pipeline"))
    book.accounts[2] |= {"health_score": 75.0, "confirmed_tier": "Green", "health_tier": "Green"}
    book.sync()
    assert (found[due]["Renewal_Risk__c"], found[due]["ForecastCategoryName"]) == (False, "Pipeline")
    assert book.sync().planned == {}


def test_the_forecast_is_touched_only_where_a_setting_asks(
    tmp_path: Path, salesforce: SalesforceWritingStandIn
) -> None:
    due = renewal(salesforce, 1, 3, "2025-02-15")
    book_of(tmp_path, salesforce, "opportunities: {}").sync()
    found = salesforce.records["Opportunity"][due]
    assert (found["Renewal_Risk__c"], found["ForecastCategoryName"]) == (True, "Pipeline")


def test_a_refused_record_and_a_field_that_is_missing(book: Book, salesforce: SalesforceWritingStandIn) -> None:
    salesforce.refused[account_id(1)] = "FIELD_CUSTOM_VALIDATION_EXCEPTION:Owner is on leave:--"
    outcome = book.sync()
    assert (outcome.sent, outcome.rejected) == (5, 2)
    assert {row[0] for row in book.rows("write_back_rejected", "reason")} == {salesforce.refused[account_id(1)]}
    salesforce.refused.clear()
    assert book.sync("retry").sent == 2
    assert of(salesforce, 1) == (82.5, "Green", False)


def test_of_a_job_that_fails_nothing_is_refused_and_the_next_sync_sends_it_again(
    book: Book, salesforce: SalesforceWritingStandIn
) -> None:
    salesforce.failing_jobs = 1
    outcome = book.sync()
    assert (outcome.sent, outcome.rejected) == (0, 0)
    (told,) = outcome.failures
    assert "InternalServerError : Job retries exhausted" in told
    assert book.sync().sent == 7
    assert of(salesforce, 1) == (82.5, "Green", False)


def test_a_record_that_somebody_else_writes_to_is_sent_once_more(
    book: Book, salesforce: SalesforceWritingStandIn
) -> None:
    salesforce.locked = {account_id(1): 1, account_id(3): 2}
    outcome = book.sync()
    assert (outcome.sent, outcome.rejected) == (4, 3)
    assert [len(job["content"].splitlines()) - 1 for job in salesforce.jobs.values()] == [3, 2]
    assert of(salesforce, 1) == (82.5, "Green", False)


def test_a_field_that_is_not_there_is_told_before_anything_is_sent(
    book: Book, salesforce: SalesforceWritingStandIn
) -> None:
    del salesforce.writable["Account"]["Planhat_Health_Tier__c"]
    (told,) = book.sync().failures
    assert "No such column 'Planhat_Health_Tier__c'" in told
    assert "Create the field" in told
    assert salesforce.jobs == {}


def test_the_doctor_names_what_is_missing(book: Book, salesforce: SalesforceWritingStandIn) -> None:
    assert sync_refusals(book.portfolio, book.variables) == []
    del salesforce.writable["Opportunity"]["Renewal_Risk__c"]
    (told,) = sync_refusals(book.portfolio, book.variables)
    assert "No such column 'Renewal_Risk__c' on entity 'Opportunity'" in told
    (told,) = sync_refusals(book.portfolio, book.variables | {"SALESFORCE_CLIENT_SECRET": "not-it"})
    assert "Salesforce gives no token" in told
    assert "not-it" not in told


def test_the_end_of_the_days_requests_is_told_and_the_next_sync_goes_on(
    book: Book, salesforce: SalesforceWritingStandIn
) -> None:
    salesforce.quota = 4  # two queries, the job, its content
    outcome = book.sync()
    (told,) = outcome.failures
    assert "REQUEST_LIMIT_EXCEEDED" in told or "TotalRequests Limit exceeded" in told
    assert "api-usage=100000/100000" in told
    salesforce.quota = 1_000
    assert book.sync().sent == 7


def test_undo_empties_what_was_empty(book: Book, salesforce: SalesforceWritingStandIn) -> None:
    salesforce.put("Account", account_id(2), Planhat_Health_Tier__c="old")
    due = renewal(salesforce, 1, 3, "2025-02-15")
    book.sync()
    book.sync("undo")
    assert [of(salesforce, n) for n in (1, 2, 3)] == [(None, None, False), (None, "old", False), (None, None, False)]
    found = salesforce.records["Opportunity"][due]
    assert (found["Renewal_Risk__c"], found["ForecastCategoryName"]) == (False, "Pipeline")


@pytest.mark.parametrize("seed", [0, *(pytest.param(n, marks=pytest.mark.slow) for n in (1, 2, 3))])
def test_every_fault_is_survived(book: Book, salesforce: SalesforceWritingStandIn, seed: int) -> None:
    salesforce.faults = Faults(seed, 0.4)
    told = []
    for _ in range(4):
        with suppress(SourceError):
            told += book.sync().failures
    assert SECRET not in " ".join(told)
    assert book.rows("write_back_rejected", "record_key") == []
    salesforce.faults = Faults()
    assert book.sync().count("edited") == 0
    assert [of(salesforce, n) for n in (1, 2, 3)] == [(82.5, "Green", False), (55, "Amber", False), (12, "Red", True)]
    left = b"".join(path.read_bytes() for path in book.folder.rglob("*") if path.is_file())
    assert SECRET.encode() not in left
