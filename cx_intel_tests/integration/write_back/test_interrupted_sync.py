"""A sync that ends anywhere, with a vendor that fails anyhow: nothing is lost, nothing is sent twice, no secret is told."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from cx_intel.sync.audit import Audit
from cx_intel.sync.writers import planhat as planhat_module
from cx_intel_tests.helpers.planhat_writing import TENANT, TOKEN, PlanhatWritingStandIn
from cx_intel_tests.helpers.salesforce_writing import SalesforceWritingStandIn, account_id
from cx_intel_tests.helpers.vendor_server import Faults, serving
from cx_intel_tests.helpers.written_back import Book, account

pytestmark = pytest.mark.slow  # many syncs; those with Planhat are in each run


@pytest.fixture
def planhat() -> Iterator[PlanhatWritingStandIn]:
    stand_in = PlanhatWritingStandIn(count=9)
    with serving(stand_in):
        yield stand_in


@pytest.fixture
def book(tmp_path: Path, planhat: PlanhatWritingStandIn, monkeypatch: pytest.MonkeyPatch) -> Book:
    hosts = f"host: '{planhat.host}', analytics_host: '{planhat.host}'"
    settings = "write_back:\n  planhat: {token: '${PLANHAT_TOKEN}', tenant: '${PLANHAT_TENANT}', " + hosts + "}\n"
    made = Book(tmp_path, settings, planhat)
    made.accounts = [account(f"A0{n}", 10.0 * n, "Red" if n < 4 else "Amber") for n in range(1, 10)]
    monkeypatch.setattr(planhat_module, "MOST_ITEMS", 4)  # three batches
    return made


class Killed(BaseException):
    """Stands in for the end of the process."""


@pytest.mark.parametrize("batch", [2, *(pytest.param(batch, marks=pytest.mark.slow) for batch in (1, 3))])
@pytest.mark.parametrize(
    "is_noted",
    [False, pytest.param(True, marks=pytest.mark.slow)],
    ids=["before it is noted", "after it is noted"],
)
def test_a_sync_that_is_killed_goes_on_where_it_was(
    book: Book, planhat: PlanhatWritingStandIn, monkeypatch: pytest.MonkeyPatch, batch: int, is_noted: bool
) -> None:
    noted, calls = Audit.note, [0]

    def dying(self: Audit, *given: Any, **more: Any) -> None:
        calls[0] += 1
        if calls[0] == batch and not is_noted:
            raise Killed
        noted(self, *given, **more)

    def told(what: str, done: int, of: int) -> None:
        if is_noted and what.endswith("company") and calls[0] == batch:
            raise Killed

    with monkeypatch.context() as killing:
        killing.setattr(Audit, "note", dying)
        with book.opened() as sync:
            sync.on_progress = told
            planned = sync.plan()
            with pytest.raises(Killed):
                sync.run(*planned)
    outcome = book.sync()
    assert (outcome.count("edited"), outcome.rejected) == (0, 0)
    sent = 12 if batch < 3 else 3
    assert outcome.confirmed == (0 if is_noted else sent)  # what was sent and not noted is found at the vendor
    assert outcome.sent == 45 - 12 * (batch - 1) - sent
    assert [planhat.field(f"A0{n}", "cx Health Score") for n in range(1, 10)] == [10 * n for n in range(1, 10)]
    rows = book.rows("write_back_audit", "record_key", "field")
    assert len(rows) == len(set(rows)) == 9 * 5
    assert book.sync().planned == {}


@pytest.mark.parametrize("seed", [0, *(pytest.param(n, marks=pytest.mark.slow) for n in (1, 2))])
def test_every_fault_is_survived_and_no_secret_is_left(book: Book, planhat: PlanhatWritingStandIn, seed: int) -> None:
    planhat.faults = Faults(seed, 0.4)
    book.sync()
    planhat.faults = Faults()
    assert book.sync().count("edited") == 0
    assert [planhat.field(f"A0{n}", "cx Health Score") for n in range(1, 10)] == [10 * n for n in range(1, 10)]
    assert len(planhat.metrics) == 18
    left = b"".join(path.read_bytes() for path in book.folder.rglob("*") if path.is_file())
    assert TOKEN.encode() not in left
    assert TENANT.encode() not in left


@pytest.mark.parametrize("status", [401, *(pytest.param(n, marks=pytest.mark.slow) for n in (403, 500))])
def test_a_vendor_that_refuses_everything_is_told_without_its_secrets(
    book: Book, planhat: PlanhatWritingStandIn, monkeypatch: pytest.MonkeyPatch, status: int
) -> None:
    def answer(asked: Any, fault: str) -> Any:
        if asked.path.startswith("/dimensiondata"):
            return planhat.error(status, f"no right for {TOKEN} in {asked.path}")
        return PlanhatWritingStandIn.answer(planhat, asked, fault)

    monkeypatch.setattr(planhat, "answer", answer)
    outcome = book.sync()
    (told,) = outcome.failures
    assert f"answers {status} to /dimensiondata" in told
    assert TOKEN not in told
    assert TENANT not in told
    assert outcome.sent == 27  # companies were written before


@pytest.mark.slow
def test_an_undo_that_is_killed_is_ended_by_the_next(
    book: Book, planhat: PlanhatWritingStandIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    book.sync()
    noted, calls = Audit.note, [0]

    def dying(self: Audit, *given: Any, **more: Any) -> None:
        calls[0] += 1
        if calls[0] == 2:
            raise Killed
        noted(self, *given, **more)

    with monkeypatch.context() as killing:
        killing.setattr(Audit, "note", dying)
        with pytest.raises(Killed):
            book.sync("undo")
    left = sum(planhat.field(f"A0{n}", "cx Health Score") is not None for n in range(1, 10))
    assert left == 1
    book.sync("undo")
    assert [planhat.field(f"A0{n}", "cx Health Score") for n in range(1, 10)] == [None] * 9


@pytest.mark.slow
def test_a_vendor_that_cannot_be_read_stops_not_the_other(tmp_path: Path, planhat: PlanhatWritingStandIn) -> None:
    with serving(SalesforceWritingStandIn(accounts=2)) as salesforce:
        secrets = "client_id: '${SALESFORCE_CLIENT_ID}', client_secret: '${SALESFORCE_CLIENT_SECRET}'"
        blocks = f"  salesforce: {{host: '{salesforce.host}', {secrets}}}\n"
        blocks += f"  planhat: {{token: '${{PLANHAT_TOKEN}}', host: '{planhat.host}'}}\n"
        book = Book(tmp_path, f"write_back:\n{blocks}", planhat)
        wrong = {"SALESFORCE_CLIENT_ID": "nobody", "SALESFORCE_CLIENT_SECRET": "a-secret-that-is-told-back"}
        book.variables = {"PLANHAT_TOKEN": TOKEN, **wrong}
        planhat.put(account_id(1))
        book.accounts = [account(account_id(1), 50.0, "Amber")]
        outcome = book.sync()
    (told,) = outcome.failures
    assert "Salesforce gives no token" in told
    assert wrong["SALESFORCE_CLIENT_SECRET"] not in told
    assert planhat.field(account_id(1), "cx Health Score") == 50
    assert {target for target, _, _ in outcome.planned} == {"planhat"}
