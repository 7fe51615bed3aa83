"""A landing that is killed leaves objects and cursors as they were; run again, they are as if nothing had happened."""

import os
import signal
from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from cx_intel.settings.sources.vendors import (
    OBJECTS,
    PlanhatSource,
    SalesforceSource,
    StripeSource,
    Vendor,
    ZendeskSource,
)
from cx_intel.warehouse.duckdb.access.opening import writing
from cx_intel_tests.helpers.connected_company import ACME, SEAT, SECRETS, Vendors, bill, connected_vendors
from cx_intel_tests.helpers.landing_home import LandingHome
from cx_intel_tests.helpers.stripe_stand_in import item
from cx_intel_tests.helpers.sudden_death import killed_before, run, steps_of
from cx_intel_tests.helpers.vendor_server import Asked, Reply

FIRST, SECOND = date(2025, 6, 30), date(2025, 7, 1)
LAST_STEPS = (1, 4, 20)
"""So many steps before the end of a landing it is killed: about its commit, and before."""
SOURCES: dict[str, Callable[[str], Vendor]] = {
    "salesforce": lambda host: SalesforceSource(
        kind="salesforce", host=host, client_id="${SALESFORCE_CLIENT_ID}", client_secret="${SALESFORCE_CLIENT_SECRET}"
    ),
    "stripe": lambda host: StripeSource(kind="stripe", host=host, api_key="${STRIPE_API_KEY}"),
    "zendesk": lambda host: ZendeskSource(
        kind="zendesk", host=host, client_id="${ZENDESK_CLIENT_ID}", client_secret="${ZENDESK_CLIENT_SECRET}"
    ),
    "planhat": lambda host: PlanhatSource(kind="planhat", host=host, token="${PLANHAT_TOKEN}"),
}

pytestmark = pytest.mark.slow  # processes of their own


class Still:
    """A clock that stands, in a process that cannot see that of the stand-in."""

    def __init__(self, now: float):
        self.now = now

    def sleep(self, seconds: float) -> None:
        self.now += seconds


def home_of(kind: str, host: str, file: str, now: float) -> LandingHome:
    return LandingHome(Path(file), Still(now), SOURCES[kind](host), OBJECTS[kind], SECRETS)


def land(kind: str, host: str, file: str, now: float) -> None:
    """Lands a source, in whatever process, and says in a file which one that is."""
    Path(f"{file}.pid").write_text(str(os.getpid()), encoding="utf-8")
    home_of(kind, host, file, now).land()


@pytest.fixture
def vendors() -> Iterator[Vendors]:
    with connected_vendors(FIRST) as found:
        for one in (found.salesforce, found.zendesk, found.planhat):
            one.page = 4
        yield found


class Killed:
    """Homes of one source whose first day is landed, and that have more to land."""

    def __init__(self, vendors: Vendors, kind: str, folder: Path):
        self.vendors, self.kind, self.folder = vendors, kind, folder
        self.stand_in = vars(vendors)[kind]
        self.first = folder / "first.duckdb"
        self.land(self.first)
        vendors.move_to(SECOND)
        bill(vendors.stripe, ACME, item("si_a", SEAT, 12))
        vendors.stripe.delete("customers", "cus_001D")
        for n in range(5):
            vendors.salesforce.put("Account", Id=f"001N{n}", Name=f"New {n}", OwnerId="005A")
            vendors.zendesk.put("tickets", id=2000 + n, status="new", organization_id=1, requester_id=101)
            vendors.planhat.put("companies", _id=f"c-new{n}", name=f"New {n}")
        vendors.salesforce.delete("Account", "001C")
        for one in vars(vendors).values():
            one.now += 120
        self.before = self.state(self.first)

    def args(self, file: Path) -> tuple[str, str, str, float]:
        """Of a landing, whose minute begins anew."""
        self.vendors.zendesk.exports.clear()
        self.vendors.planhat.calls.clear()
        return self.kind, self.stand_in.host, str(file), float(self.stand_in.now)

    def land(self, file: Path) -> None:
        land(*self.args(file))

    def copy(self, name: str) -> Path:
        file = self.folder / f"{name}.duckdb"
        file.write_bytes(self.first.read_bytes())
        return file

    def state(self, file: Path) -> Any:
        home = home_of(*self.args(file))
        with writing(file) as database:
            cursors = database.rows("SELECT * FROM cx_state.landing_cursors ORDER BY kind")
        return home.tables(), cursors


@pytest.mark.parametrize("kind", SOURCES)
def test_killed_between_two_pages_and_about_its_commit(vendors: Vendors, kind: str, tmp_path: Path) -> None:
    case = Killed(vendors, kind, tmp_path)
    whole = case.copy("whole")
    case.stand_in.asked.clear()
    count = steps_of(land, *case.args(whole))
    requests, after = len(case.stand_in.asked), case.state(whole)
    assert after != case.before
    for n in sorted({2, requests // 2, requests - 1, requests}):
        file = case.copy(f"request_{n}")
        answer, asked = case.stand_in.answer, len(case.stand_in.asked)

        def kill(request: Asked, fault: str, file: Path = file, last: int = asked + n, answer: Any = answer) -> Reply:
            if len(case.stand_in.asked) == last:
                os.kill(int(Path(f"{file}.pid").read_text(encoding="utf-8")), signal.SIGKILL)
            return answer(request, fault)  # type: ignore[no-any-return]

        case.stand_in.answer = kill
        assert run(land, *case.args(file)) is None, f"it is over after request {n} of {requests}"
        case.stand_in.answer = answer
        assert case.state(file) == case.before, f"killed at request {n} of {requests}"
        case.land(file)
        assert case.state(file) == after
    for last in LAST_STEPS:
        file = case.copy(f"step_{last}")
        killed_before(count - last, land, *case.args(file))
        assert case.state(file) in (case.before, after), f"killed {last} steps before the end"
        case.land(file)
        assert case.state(file) == after
