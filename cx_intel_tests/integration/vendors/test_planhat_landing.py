"""What is landed of Planhat: all of it by pages without a total, within 200 calls a minute, and what is gone."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from cx_intel.settings.sources.vendors import PlanhatSource
from cx_intel.sources.errors import SourceError
from cx_intel.sources.vendors.readers import refusals
from cx_intel_tests.helpers.landing_home import LandingHome
from cx_intel_tests.helpers.planhat_stand_in import TOKEN, PlanhatStandIn
from cx_intel_tests.helpers.vendor_server import Asked, Faults, Reply, serving

pytestmark = pytest.mark.slow  # many landings; a whole portfolio on Stripe is in each run

NOW = 1_750_000_000
DAY = 86_400
KINDS = ("users", "companies", "endusers", "licenses", "nps", "tasks", "churn")
VARIABLES = {"PLANHAT_TOKEN": TOKEN}


@pytest.fixture
def planhat() -> Iterator[PlanhatStandIn]:
    """130 companies in pages of 30, each with an answer, every other task done and archived."""
    stand_in = PlanhatStandIn(NOW)
    stand_in.page = 30
    stand_in.put("users", _id="u1", firstName="Ann", lastName="Lee")
    for n in range(130):
        stand_in.put(
            "companies", _id=f"c{n:03}", name=f"Company {n}", externalId=f"A{n}", custom={"Segment": "SMB"}, mrr=0
        )
        stand_in.put("nps", _id=f"n{n:03}", cId=f"c{n:03}", email=f"a@c{n}.example", score=n % 11)
        stand_in.put("tasks", _id=f"t{n:03}", companyId=f"c{n:03}", mainType="task", isArchived=n % 2 == 0)
    with serving(stand_in):
        yield stand_in


@pytest.fixture
def home(tmp_path: Path, planhat: PlanhatStandIn) -> LandingHome:
    source = PlanhatSource(kind="planhat", host=planhat.host, token="${PLANHAT_TOKEN}")
    return LandingHome(tmp_path / "warehouse.duckdb", planhat, source, KINDS, VARIABLES)


def test_everything_is_landed_with_what_is_archived(home: LandingHome) -> None:
    home.land()
    companies, tasks = home.table("companies"), home.table("tasks")
    assert (len(companies), len(tasks), len(home.table("nps"))) == (130, 130, 130)
    assert json.loads(companies["c007"]["custom"]) == {"Segment": "SMB"}
    assert (companies["c007"]["mrr"], companies["c007"]["externalId"]) == ("0", "A7")
    assert sum(task["isArchived"] == "true" for task in tasks.values()) == 65
    assert home.table("licenses") == {}


def test_a_page_of_its_largest_size_is_asked_for(home: LandingHome, planhat: PlanhatStandIn) -> None:
    planhat.page = 10_000
    home.land()
    asked = [(a.path, dict(a.query)["limit"], dict(a.query)["offset"]) for a in planhat.asked if a.path == "/companies"]
    assert asked == [("/companies", "5000", "0"), ("/companies", "5000", "110"), ("/companies", "5000", "130")]


def test_what_is_gone_is_noted_and_what_comes_back_too(home: LandingHome, planhat: PlanhatStandIn) -> None:
    home.land()
    gone = planhat.kept["companies"].pop("c003")
    planhat.put("tasks", _id="t001", isArchived=True)
    home.land()
    assert home.gone("companies") == ["c003"]
    assert (home.table("tasks")["t001"]["isArchived"], home.gone("tasks")) == ("true", [])
    planhat.put("companies", **gone)
    home.land()
    assert home.gone("companies") == []
    planhat.kept["nps"].clear()
    with pytest.raises(SourceError, match="130 of 130 nps that planhat had"):
        home.land()


def test_fields_that_are_otherwise_are_told_custom_ones_too(home: LandingHome, planhat: PlanhatStandIn) -> None:
    home.land()
    assert home.drift() == {}
    for n in range(130):
        planhat.put("companies", _id=f"c{n:03}", custom={"Tier": "Gold"}, mrr="0 EUR", externalId=None)
    planhat.put("nps", _id="n000", comment="Good")
    home.land()
    assert home.drift() == {
        "companies.custom.Tier": "new",
        "companies.mrr": "was number, is text",
        "companies.custom.Segment": "gone",
        "nps.comment": "new",
    }
    home.land()
    assert home.drift() == {}


def test_what_is_deleted_between_two_pages_hides_nothing(home: LandingHome, planhat: PlanhatStandIn) -> None:
    answer = planhat.answer

    def deleting(asked: Asked, fault: str) -> Reply:
        reply = answer(asked, fault)
        if asked.path == "/companies" and "c002" in planhat.kept["companies"]:
            for id_ in ("c000", "c001", "c002"):
                del planhat.kept["companies"][id_]
        return reply

    planhat.answer = deleting  # type: ignore[method-assign]
    home.land()
    assert len(home.table("companies")) == 130


@pytest.mark.parametrize("seed", [0, *(pytest.param(n, marks=pytest.mark.slow) for n in (1, 2, 3))])
def test_faults_neither_lose_nor_double_anything(
    home: LandingHome, planhat: PlanhatStandIn, tmp_path: Path, seed: int
) -> None:
    planhat.faults = Faults(seed, 0.3, ("500", "429", "dropped", "truncated", "repeated"))
    home.land()
    assert len(planhat.faults.happened) > 3
    planhat.faults = Faults()
    faultless = LandingHome(tmp_path / "other.duckdb", planhat, home.source, KINDS, VARIABLES)
    faultless.land()
    assert home.tables() == faultless.tables()


def test_two_hundred_calls_a_minute_are_kept_to(home: LandingHome, planhat: PlanhatStandIn) -> None:
    planhat.page = 1
    before = planhat.now
    home.land()
    assert len(home.table("companies")) == 130
    assert planhat.busiest <= 200
    assert planhat.now - before >= (len(planhat.asked) // 200) * 60 > 0


def test_a_list_that_does_not_go_on_is_given_up(home: LandingHome, planhat: PlanhatStandIn) -> None:
    planhat.answer = lambda asked, fault: Reply([{"_id": "c1"}])  # type: ignore[method-assign]
    with pytest.raises(SourceError, match=r"the same page of users again and again\. Nothing was changed"):
        home.land()


def test_a_refused_token_is_told_without_it(home: LandingHome, planhat: PlanhatStandIn) -> None:
    planhat.token = "another"
    with pytest.raises(SourceError, match=r"401 .*\*\*\*\. See to the key in PLANHAT_TOKEN") as raised:
        home.land()
    assert TOKEN not in str(raised.value)


def test_the_doctor_names_what_may_not_be_read(home: LandingHome, planhat: PlanhatStandIn) -> None:
    planhat.may_read.remove("nps")
    (told,) = refusals(home.source, KINDS, VARIABLES)
    assert "answers 403 to /nps: You may not view nps. See to the key in PLANHAT_TOKEN" in told
