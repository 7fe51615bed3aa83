"""What is written to Planhat: differences only, never twice, and nothing that somebody edited there."""

from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest

from cx_intel.settings.outputs.write_back import PlanhatWriting
from cx_intel.sources.errors import SourceError
from cx_intel.sources.vendors.http import Clock
from cx_intel.sync.writers.planhat import PlanhatWriter, planhat_clients
from cx_intel.sync.writers.writer import Record
from cx_intel_tests.helpers.planhat_writing import TENANT, TOKEN, PlanhatWritingStandIn
from cx_intel_tests.helpers.vendor_server import Asked, Reply, serving
from cx_intel_tests.helpers.written_back import AS_OF, Book, account

pytestmark = pytest.mark.slow

SCORE, TIER, FLAG = "cx Health Score", "cx Health Tier", "cx Churn Risk"


@pytest.fixture
def planhat() -> Iterator[PlanhatWritingStandIn]:
    stand_in = PlanhatWritingStandIn(count=5)
    with serving(stand_in):
        yield stand_in


@pytest.fixture
def book(tmp_path: Path, planhat: PlanhatWritingStandIn) -> Book:
    hosts = f"host: '{planhat.host}', analytics_host: '{planhat.host}'"
    settings = "write_back:\n  planhat: {token: '${PLANHAT_TOKEN}', tenant: '${PLANHAT_TENANT}', " + hosts + "}\n"
    made = Book(tmp_path, settings, planhat)
    made.accounts = [account("A01", 82.5, "Green"), account("A02", 55.0, "Amber"), account("A03", 12.0, "Red")]
    return made


def of(stand_in: PlanhatWritingStandIn, company: str) -> tuple[object, ...]:
    return tuple(stand_in.field(company, name) for name in (SCORE, TIER, FLAG))


def writes(stand_in: PlanhatWritingStandIn) -> int:
    return sum(asked.method != "GET" for asked in stand_in.asked)


def test_a_dry_run_makes_the_plan_and_sends_nothing(book: Book, planhat: PlanhatWritingStandIn) -> None:
    outcome = book.sync(is_dry=True)
    assert outcome.planned == {("planhat", "company", "send"): 9, ("planhat", "dimension", "send"): 6}
    assert writes(planhat) == 0
    rows = book.rows("write_back_plan", "record_key", "field", "old_value", "new_value")
    assert ("A03", "custom.cx Churn Risk", None, "true") in rows
    assert ("A01", "custom.cx Health Score", None, "82.5") in rows


def test_scores_tiers_flags_and_dimensions_are_written(book: Book, planhat: PlanhatWritingStandIn) -> None:
    outcome = book.sync()
    assert (outcome.sent, outcome.rejected, outcome.failures) == (15, 0, [])
    assert [of(planhat, f"A0{n}") for n in (1, 2, 3)] == [
        (82.5, "Green", False),
        (55, "Amber", False),
        (12, "Red", True),
    ]
    assert planhat.metrics["A01", "cx_health_score", "2025-01-31"] == 82.5
    assert len(planhat.metrics) == 6
    assert of(planhat, "A04") == (None, None, None)


def test_a_second_sync_sends_nothing_and_a_change_only_itself(book: Book, planhat: PlanhatWritingStandIn) -> None:
    book.sync()
    before = writes(planhat)
    assert book.sync().planned == {}
    assert writes(planhat) == before
    book.accounts[0] |= {"health_score": 81.0}
    assert book.sync().sent == 2  # the company's field and the dimension
    assert of(planhat, "A01") == (81, "Green", False)


def test_a_company_that_planhat_has_not_is_told_and_not_created(book: Book, planhat: PlanhatWritingStandIn) -> None:
    book.accounts.append(account("A99", 50.0, "Amber"))
    outcome = book.sync()
    assert outcome.count("no_record") == 5
    assert "A99" not in planhat.companies


def test_of_a_customer_who_left_score_and_tier_are_emptied_once(book: Book, planhat: PlanhatWritingStandIn) -> None:
    book.sync()
    book.accounts[0] |= {"current_mrr": 0.0}
    assert book.sync().sent == 3  # the dimension stays: it cannot be emptied
    assert of(planhat, "A01") == (None, None, True)
    assert book.sync().planned == {}
    book.accounts[0] |= {"current_mrr": 50.0}
    book.sync()
    assert of(planhat, "A01")[1] == "Green"


def test_of_one_who_left_before_the_first_sync_nothing_is_touched(book: Book, planhat: PlanhatWritingStandIn) -> None:
    book.accounts[0] |= {"current_mrr": 0.0}
    planhat.companies["A01"]["custom"] = {"cx Health Tier": "by hand"}
    book.sync()
    assert of(planhat, "A01") == (None, "by hand", None)


@pytest.mark.parametrize(
    "given",
    [
        account("A04", None, "unknown"),
        account("A04", 30.0, "unknown"),
        account("A04", 30.0, "Red", is_frozen=True),
    ],
    ids=["no score", "unknown tier", "frozen"],
)
def test_without_evidence_nothing_is_sent(book: Book, planhat: PlanhatWritingStandIn, given: dict[str, object]) -> None:
    book.accounts.append(given)
    book.sync()
    assert of(planhat, "A04") == (None, None, None)


def test_the_tier_is_the_confirmed_one_and_cancelled_accounts_are_flagged(
    book: Book, planhat: PlanhatWritingStandIn
) -> None:
    book.accounts.append(account("A04", 75.0, "Green", confirmed_tier="Amber", is_cancelled=True))
    book.sync()
    assert of(planhat, "A04") == (75, "Amber", True)


def test_accounts_of_other_ids_are_found_by_their_links(book: Book, planhat: PlanhatWritingStandIn) -> None:
    def link(account_id: str, external_id: str, system: str, valid_to: date | None = None) -> dict[str, object]:
        return {"account_id": account_id, "external_id": external_id, "system": system, "valid_to": valid_to}

    book.links = [
        link("A01", "A05", "crm"),
        link("A01", "A04", "crm", valid_to=AS_OF),  # it belongs elsewhere since
        link("A02", "A04", "billing"),
    ]
    book.settings = book.settings.replace("planhat: {", "planhat: {system: crm, ")
    outcome = book.sync()
    assert (outcome.sent, outcome.count("no_record")) == (5, 0)
    assert of(planhat, "A05") == (82.5, "Green", False)
    assert all(of(planhat, f"A0{n}") == (None, None, None) for n in (1, 2, 3, 4))


def test_links_may_lead_to_planhats_own_ids(book: Book, planhat: PlanhatWritingStandIn) -> None:
    own = planhat.companies["A05"]["_id"]
    book.links = [{"account_id": "A01", "external_id": own, "system": "planhat", "valid_to": None}]
    book.settings = book.settings.replace("planhat: {", "planhat: {system: planhat, ")
    assert book.sync().sent == 5
    assert of(planhat, "A05") == (82.5, "Green", False)
    assert planhat.metrics["A05", "cx_health_score", "2025-01-31"] == 82.5
    assert len(planhat.companies) == 5
    assert book.sync().planned == {}


def test_what_somebody_edited_is_left_alone_and_told(book: Book, planhat: PlanhatWritingStandIn) -> None:
    book.sync()
    planhat.put("A02", custom={TIER: "Talked to them"})
    book.accounts[1] |= {"confirmed_tier": "Green", "health_tier": "Green", "health_score": 71.0}
    outcome = book.sync()
    assert outcome.count("edited") == 1
    assert of(planhat, "A02") == (71, "Talked to them", False)
    assert book.sync().count("edited") == 1  # told as long as it stands
    assert book.sync(overwrites=True).sent == 1
    assert of(planhat, "A02") == (71, "Green", False)


def test_a_refused_record_is_kept_with_its_reason_and_the_rest_goes_on(
    book: Book, planhat: PlanhatWritingStandIn
) -> None:
    planhat.refused["A02"] = "Company is locked"
    outcome = book.sync()
    assert (outcome.sent, outcome.rejected, outcome.rejected_records) == (12, 3, 1)
    dead = book.rows("write_back_rejected", "record_key", "field", "reason")
    assert [(key, reason) for key, _, reason in dead] == [("A02", "Company is locked")] * 3
    before = writes(planhat)
    again = book.sync()
    assert (again.count("rejected_before"), writes(planhat)) == (3, before)
    del planhat.refused["A02"]
    assert book.sync("retry").sent == 3
    assert of(planhat, "A02") == (55, "Amber", False)
    assert book.rows("write_back_rejected", "record_key") == []


def test_a_field_that_is_not_there_is_refused_in_the_vendors_words(book: Book, planhat: PlanhatWritingStandIn) -> None:
    del planhat.custom[TIER]
    outcome = book.sync()
    assert outcome.rejected_records == 3
    assert {row[1] for row in book.rows("write_back_rejected", "field", "reason")} == {
        f'"{TIER}" is not a custom field'
    }


def test_undo_brings_back_what_was_there(book: Book, planhat: PlanhatWritingStandIn) -> None:
    planhat.put("A01", custom={TIER: "by hand"})
    book.sync()
    book.accounts[0] |= {"health_score": 90.0}
    book.sync()
    assert of(planhat, "A01") == (90, "Green", False)
    assert book.sync("undo").count("cannot") == 0
    assert of(planhat, "A01") == (82.5, "Green", False)
    outcome = book.sync("undo")
    assert outcome.count("cannot") == 6  # of dimension data no value is taken back
    assert of(planhat, "A01") == (None, "by hand", None)
    with pytest.raises(SourceError, match="nothing to undo"):
        book.sync("undo")


def test_undo_leaves_alone_what_was_edited_since(book: Book, planhat: PlanhatWritingStandIn) -> None:
    book.sync()
    planhat.put("A03", custom={TIER: "edited"})
    assert book.sync("undo", undoes_all=True).count("edited") == 1
    assert of(planhat, "A03") == (None, "edited", None)


def test_the_audit_has_a_row_for_each_field(book: Book) -> None:
    book.sync()
    rows = book.rows("write_back_audit", "record_key", "field", "old_value", "new_value", "outcome", "response")
    assert ("A01", "custom.cx Health Score", None, "82.5", "sent", "200") in rows
    assert len(rows) == 15


REFUSALS = {
    "by our key": {"updatedErrors": [{"externalId": "A02", "error": "locked"}]},
    "by the vendor's id": {"updatedErrors": [{"_id": f"{1:024x}", "message": "locked"}]},
    "by the place": {"createdErrors": [], "updatedErrors": [{"index": 1, "reason": "locked"}]},
    "within": {"validationErrors": [{"item": {"externalId": "A02"}, "errmsg": "locked"}]},
}


@pytest.mark.parametrize("status", [206, 403])
@pytest.mark.parametrize("told", REFUSALS.values(), ids=REFUSALS)
def test_a_partial_refusal_is_of_the_record_that_it_names(
    status: int, told: dict[str, object], planhat: PlanhatWritingStandIn
) -> None:
    def answer(asked: Asked, fault: str) -> Reply:
        return Reply(told, status)

    planhat.answer = answer  # type: ignore[method-assign]
    assert written_to(planhat) == {"A01": "", "A02": "locked", "A03": ""}


@pytest.mark.parametrize(
    ("status", "body"),
    [(400, {"message": "no array"}), (413, "too large"), (206, {"updatedErrors": ["something"]})],
    ids=["bad request", "too large", "of nobody"],
)
def test_a_refusal_of_nobody_in_particular_is_of_all_that_was_sent(
    status: int, body: object, planhat: PlanhatWritingStandIn
) -> None:
    planhat.answer = lambda asked, fault: Reply(body, status)  # type: ignore[method-assign]
    assert all(written_to(planhat).values())


def written_to(planhat: PlanhatWritingStandIn) -> dict[str, str]:
    """What becomes of three companies: the reason why each is refused, by its key."""
    settings = PlanhatWriting(token="${T}", host=planhat.host, analytics_host=planhat.host)
    api, analytics = planhat_clients(settings, TOKEN, TENANT, ("T", "U"), Clock(lambda: planhat.now, planhat.sleep))
    with api, analytics:
        written = PlanhatWriter(settings, api, analytics, TENANT, AS_OF).write("company", RECORDS)
    return {key: one.reason for key, one in written.items()}


RECORDS = [Record(f"A0{n}", f"{n - 1:024x}", {f"custom.{TIER}": "Red"}, {f"custom.{TIER}": "text"}) for n in (1, 2, 3)]


def test_what_was_refused_and_taken_all_the_same_is_nobodys_edit(book: Book, planhat: PlanhatWritingStandIn) -> None:
    book.sync()
    book.accounts[1] |= {"health_score": 60.0}
    answer = planhat.answer

    def lying(asked: Asked, fault: str) -> Reply:
        told = answer(asked, fault)
        return Reply({"message": "no"}, 400) if asked.path == "/companies" and asked.method == "PUT" else told

    planhat.answer = lying  # type: ignore[method-assign]
    assert book.sync().rejected == 1
    planhat.answer = answer  # type: ignore[method-assign]
    assert planhat.field("A02", SCORE) == 60
    book.accounts[1] |= {"health_score": 65.0}
    outcome = book.sync()
    assert (outcome.count("edited"), planhat.field("A02", SCORE)) == (0, 65)
