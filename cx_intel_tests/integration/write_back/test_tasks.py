"""One task for each event, at either vendor: never two, whatever became of it, and taken back only while it is open."""

from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from cx_intel.sync.audit import Audit
from cx_intel_tests.helpers.planhat_writing import PlanhatWritingStandIn
from cx_intel_tests.helpers.salesforce_writing import CLIENT, SECRET, SalesforceWritingStandIn, account_id
from cx_intel_tests.helpers.vendor_server import StandIn, serving
from cx_intel_tests.helpers.written_back import AS_OF, VARIABLES, Book, account

pytestmark = pytest.mark.slow  # many syncs; those of Planhat's companies are in each run

RENEWALS = """
renewals:
  risk: [{if: {health_tier: Red}, risk: High}]
  probability: {Critical: 0.3, High: 0.5, Medium: 0.75, Low: 0.9}
playbooks:
  - {risk: Critical, action: Escalate, due_in_days: 3}
  - {risk: High, action: Call, due_in_days: 10}
  - {risk: Medium, action: Write, due_in_days: 21}
  - {risk: Low, action: Renew, due_in_days: 60}
lifecycle: {watched_signals: {mrr: 0.15}}
"""


def event(key: str, account: str, kind: str, before: str, now: str, **more: Any) -> dict[str, Any]:
    told = {"event_id": key, "as_of": AS_OF, "account_id": account, "event_type": kind, "signal": None}
    return told | {"from_value": before, "to_value": now, "reason": f"{before} to {now}", "playbook": None} | more


class Case:
    """A vendor, and what it is asked for."""

    def __init__(self, folder: Path, stand_in: StandIn, account_of: Callable[[int], str], settings: str):
        self.stand_in = stand_in
        self.name = "planhat" if isinstance(stand_in, PlanhatWritingStandIn) else "salesforce"
        self.book = Book(folder, settings, stand_in, more=RENEWALS)
        self.book.accounts = [account(account_of(n), 50.0, "Amber") for n in (1, 2, 3)]
        first, second, third = (account_of(n) for n in (1, 2, 3))
        drop = {"signal": "mrr", "reason": "GPS adoption fell 20 % in 7 days, from 50 to 40", "playbook": "Call"}
        self.book.events = [
            event("fall", first, "tier_change", "Green", "Amber"),
            event("rise", second, "tier_change", "Red", "Amber"),
            event("to_unknown", second, "tier_change", "Green", "unknown"),
            event("drop", second, "signal_drop", "50", "40", **drop),
            event("cancelled", third, "cancellation_announced", "in force", "2025-03-31"),
            event("old", third, "tier_change", "Green", "Red", as_of=date(2025, 1, 24)),
        ]

    def tasks(self) -> dict[str, dict[str, Any]]:
        """Our key: the task."""
        if isinstance(self.stand_in, SalesforceWritingStandIn):
            return {task["CX_Intel_Key__c"]: task for task in self.stand_in.records["Task"].values()}
        assert isinstance(self.stand_in, PlanhatWritingStandIn)
        return {task["sourceId"]: task for task in self.stand_in.tasks.values()}

    def count(self) -> int:
        of = self.stand_in
        return len(of.records["Task"]) if isinstance(of, SalesforceWritingStandIn) else len(of.tasks)  # type: ignore[attr-defined]


@pytest.fixture(params=["planhat", pytest.param("salesforce", marks=pytest.mark.slow)])
def case(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Case]:
    if request.param == "planhat":
        with serving(PlanhatWritingStandIn(count=3)) as planhat:
            block = f"planhat: {{token: '${{PLANHAT_TOKEN}}', host: '{planhat.host}'}}"
            made = Case(tmp_path, planhat, lambda n: f"A0{n}", f"write_back:\n  {block}\n  tasks: {{to: planhat}}\n")
            made.book.variables = VARIABLES
            yield made
        return
    with serving(SalesforceWritingStandIn(accounts=3)) as salesforce:
        secrets = "client_id: '${SALESFORCE_CLIENT_ID}', client_secret: '${SALESFORCE_CLIENT_SECRET}'"
        block = f"salesforce: {{host: '{salesforce.host}', {secrets}}}"
        made = Case(tmp_path, salesforce, account_id, f"write_back:\n  {block}\n  tasks: {{to: salesforce}}\n")
        made.book.variables = {"SALESFORCE_CLIENT_ID": CLIENT, "SALESFORCE_CLIENT_SECRET": SECRET}
        yield made


def test_one_task_for_each_event_that_is_to_have_one(case: Case) -> None:
    assert case.book.sync(is_dry=True).planned[case.name, "Task", "send"] == 3
    assert case.count() == 0
    case.book.sync()
    tasks = case.tasks()
    assert set(tasks) == {"fall", "drop", "cancelled"}
    said = {key: task.get("action") or task.get("Subject") for key, task in tasks.items()}
    assert said == {
        "fall": "Health fell from Green to Amber",
        "drop": "GPS adoption fell 20 %",
        "cancelled": "Cancellation announced for 2025-03-31",
    }
    due = {key: task.get("startTime") or task.get("ActivityDate") for key, task in tasks.items()}
    assert due == {"fall": "2025-02-07", "drop": "2025-02-10", "cancelled": "2025-02-07"}
    owners = {task.get("ownerId") or task.get("OwnerId") for task in tasks.values()}
    assert owners in ({"u" * 24}, {"005000000000001AAA"})


def test_an_account_that_is_held_out_has_no_task(case: Case) -> None:
    case.book.settings = case.book.settings.replace("renewals:\n", "renewals:\n  hold_out: {share_pct: 5}\n")
    held = case.book.events[0]["account_id"]
    lot = {"assigned_on": date(2025, 1, 20), "is_held_out": True}
    case.book.drawn = [
        lot | {"account_id": held},
        lot | {"account_id": case.book.events[4]["account_id"], "is_held_out": False},
    ]
    case.book.sync()
    assert set(case.tasks()) == {"drop", "cancelled"}


def test_none_is_created_twice_not_even_one_that_was_done_or_deleted(case: Case) -> None:
    case.book.sync()
    done, deleted = case.tasks()["fall"], case.tasks()["drop"]
    done |= {"isArchived": True, "IsClosed": True}
    of = case.stand_in.tasks if hasattr(case.stand_in, "tasks") else case.stand_in.records["Task"]  # type: ignore[attr-defined]
    of.pop(deleted.get("_id") or deleted["Id"])
    assert case.book.sync().sent == 0
    assert case.count() == 2


def test_a_sync_that_is_killed_before_it_notes_creates_none_again(case: Case, monkeypatch: pytest.MonkeyPatch) -> None:
    note = Audit.note

    def dying(self: Audit, rows: Any, *given: Any, **more: Any) -> None:
        if rows[0]["object"] == "Task":
            raise KeyboardInterrupt
        note(self, rows, *given, **more)

    with monkeypatch.context() as killing:
        killing.setattr(Audit, "note", dying)
        with pytest.raises(KeyboardInterrupt):
            case.book.sync()
    assert case.count() == 3
    case.book.sync()
    assert case.count() == 3
    rows = case.book.rows("write_back_audit", "object", "record_key", "outcome")
    assert {(key, outcome) for name, key, outcome in rows if name == "Task"} == {
        ("fall", "confirmed"),
        ("drop", "confirmed"),
        ("cancelled", "confirmed"),
    }
    assert case.book.sync().planned == {}


def test_undo_takes_back_what_is_open_and_leaves_what_was_done(case: Case) -> None:
    case.book.sync()
    case.tasks()["fall"].update({"isArchived": True, "IsClosed": True})
    outcome = case.book.sync("undo")
    assert outcome.count("edited") == 1
    assert set(case.tasks()) == {"fall"}


def test_only_the_events_that_are_named_have_one(case: Case) -> None:
    case.book.settings = case.book.settings.replace("{to: ", "{events: [cancellation_announced], to: ")
    case.book.sync()
    assert set(case.tasks()) == {"cancelled"}


def test_an_event_of_an_account_without_a_record_is_told(case: Case) -> None:
    case.book.events.append(event("nobody", "Z99", "tier_change", "Green", "Red"))
    assert case.book.sync().count("no_record") == 1
    assert case.count() == 3


def test_a_task_that_is_done_at_the_vendor_is_an_action_once(case: Case) -> None:
    """The first and the third account have a renewal in the pipeline, the second has none."""
    first, third = (case.book.accounts[n]["account_id"] for n in (0, 2))
    renewals = [
        {"as_of": AS_OF, "account_id": name, "renewal_date": day}
        for name, day in ((first, date(2025, 3, 1)), (third, date(2025, 3, 31)))
    ]
    with case.book.warehouse() as warehouse:
        warehouse.stage("renewal_pipeline", [pd.DataFrame(renewals)])
        warehouse.swap("renewal_pipeline")
    assert case.book.sync().tasks_done == 0
    for key in ("fall", "drop"):
        case.tasks()[key].update({"isArchived": True, "IsClosed": True})
    assert [case.book.sync().tasks_done for _ in range(2)] == [1, 0]
    given = case.book.rows("given_actions", "action_id", "account_id", "renewal_date", "status", "acted_by", "reason")
    told = "Health fell from Green to Amber"
    assert given == [(f"{case.name}:fall", first, date(2025, 3, 1), "done", case.name, told)]
    case.tasks()["cancelled"].update({"isArchived": True, "IsClosed": True})
    assert case.book.sync(is_dry=True).tasks_done == 0
    assert case.book.sync().tasks_done == 1
