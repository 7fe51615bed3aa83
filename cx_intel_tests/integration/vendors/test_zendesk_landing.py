"""What is landed of Zendesk: by cursors, within ten requests a minute, with tokens that expire on the way."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from cx_intel.orchestration.assets.delivery.landed import Landing
from cx_intel.settings.sources.vendors import ZendeskSource
from cx_intel.settings.yaml.loader import parse_portfolio
from cx_intel.sources.errors import SourceError
from cx_intel.sources.vendors.readers import refusals
from cx_intel.warehouse.duckdb.access.opening import writing
from cx_intel_tests.helpers.landing_home import LandingHome, canonical
from cx_intel_tests.helpers.vendor_server import Faults, serving
from cx_intel_tests.helpers.zendesk_stand_in import CLIENT, SECRET, ZendeskStandIn

pytestmark = pytest.mark.slow  # many landings; a whole portfolio on Stripe is in each run

NOW = 1_750_000_000
DAY = 86_400
KINDS = ("organizations", "users", "tickets")
VARIABLES = {"ZENDESK_CLIENT_ID": CLIENT, "ZENDESK_CLIENT_SECRET": SECRET}


@pytest.fixture
def zendesk() -> Iterator[ZendeskStandIn]:
    stand_in = ZendeskStandIn(NOW - DAY)
    for n in range(5):
        stand_in.put("organizations", id=n, name=f"Company {n}", external_id=f"A{n}", domain_names=[f"c{n}.example"])
        stand_in.put("users", id=100 + n, organization_id=n)
    for n in range(130):
        more = (
            {"_metrics": {"solved_at": "2025-06-14T10:00:00Z", "reply_time_in_minutes": {"calendar": 30}}}
            if n % 2
            else {}
        )
        opened = "2025-06-14T09:00:00Z"
        stand_in.put("tickets", id=1000 + n, status="open", organization_id=n % 5, created_at=opened, **more)
    stand_in.now = float(NOW)
    with serving(stand_in):
        yield stand_in


class Home(LandingHome):
    """The stand-in is landed into it."""

    def __init__(self, file: Path, zendesk: ZendeskStandIn):
        ids = {"client_id": "${ZENDESK_CLIENT_ID}", "client_secret": "${ZENDESK_CLIENT_SECRET}"}
        super().__init__(file, zendesk, ZendeskSource(kind="zendesk", host=zendesk.host, **ids), KINDS, VARIABLES)

    def land(self, variables: dict[str, str] = VARIABLES) -> Landing:
        self.variables = variables
        return super().land()


@pytest.fixture
def home(tmp_path: Path, zendesk: ZendeskStandIn) -> Home:
    return Home(tmp_path / "warehouse.duckdb", zendesk)


def test_everything_is_landed_with_the_times_of_tickets(home: Home) -> None:
    home.land()
    tickets = home.table("tickets")
    assert len(tickets) == 130
    assert json.loads(tickets["1001"]["metric_set"])["reply_time_in_minutes"] == {"calendar": "30"}
    assert tickets["1002"]["metric_set"] is None
    assert home.table("organizations")["3"]["domain_names"] == '["c3.example"]'
    assert home.table("users")["104"]["organization_id"] == "4"


def test_the_next_day_has_what_changed_since_the_cursor(home: Home, zendesk: ZendeskStandIn) -> None:
    home.land()
    zendesk.now += DAY
    zendesk.put("tickets", id=1007, status="deleted")
    zendesk.put("organizations", id=2, deleted_at="2025-06-16T00:00:00Z")
    zendesk.put("tickets", id=2000, status="new", organization_id=1)
    zendesk.asked.clear()
    home.land()
    assert "2000" not in home.table("tickets")  # the last minute is left out
    zendesk.now += 120
    home.land()
    tickets = home.table("tickets")
    assert (tickets["1007"]["status"], tickets["2000"]["status"], len(tickets)) == ("deleted", "new", 131)
    assert home.table("organizations")["2"]["deleted"] == "true"
    assert sum("/tickets/" in asked.path for asked in zendesk.asked) == 2


def test_ten_requests_a_minute_are_kept_to(home: Home, zendesk: ZendeskStandIn) -> None:
    zendesk.page = 4
    answer, refused = zendesk.answer, []

    def watched(asked, fault):  # type: ignore[no-untyped-def]
        reply = answer(asked, fault)
        refused.append(reply.status) if reply.status == 429 else None
        return reply

    zendesk.answer = watched  # type: ignore[method-assign]
    before = zendesk.now
    home.land()
    assert len(home.table("tickets")) == 130
    assert refused == []
    assert zendesk.now - before >= 3 * 60


def test_a_token_that_expires_on_the_way_is_renewed(home: Home, zendesk: ZendeskStandIn) -> None:
    zendesk.page = 4
    answer = zendesk.answer

    def revoking(asked, fault):  # type: ignore[no-untyped-def]
        if len(zendesk.asked) % 7 == 0:
            zendesk.tokens = dict.fromkeys(zendesk.tokens, 0.0)
        return answer(asked, fault)

    zendesk.answer = revoking  # type: ignore[method-assign]
    home.land()
    assert len(home.table("tickets")) == 130
    assert len(zendesk.tokens) > 3


@pytest.mark.parametrize("seed", [0, *(pytest.param(n, marks=pytest.mark.slow) for n in (1, 2))])
def test_faults_neither_lose_nor_double_anything(
    home: Home, zendesk: ZendeskStandIn, tmp_path: Path, seed: int
) -> None:
    zendesk.faults = Faults(seed, 0.3)
    home.land()
    assert zendesk.faults.happened
    zendesk.faults = Faults()
    faultless = Home(tmp_path / "other.duckdb", zendesk)
    faultless.land()
    assert [home.table(kind) for kind in KINDS] == [faultless.table(kind) for kind in KINDS]


def test_a_cursor_that_is_no_longer_known_reads_all_again(home: Home, zendesk: ZendeskStandIn) -> None:
    home.land()
    with writing(home.file) as database:
        database.connection.execute("UPDATE cx_state.landing_cursors SET cursor = 'gone' WHERE kind = 'tickets'")
    zendesk.put("tickets", id=1000, status="solved")
    zendesk.now += DAY
    home.land()
    assert home.table("tickets")["1000"]["status"] == "solved"


def test_a_refused_client_is_told_without_its_secret(home: Home, zendesk: ZendeskStandIn) -> None:
    zendesk.secret = "another"
    told = r"gives no token: No client \*\*\*.* ZENDESK_CLIENT_ID and ZENDESK_CLIENT_SECRET"
    with pytest.raises(SourceError, match=told) as raised:
        home.land()
    assert SECRET not in str(raised.value)


BOOK = """
currency: {reporting: USD}
revenue: {basis: subscriptions}
sources:
  - {kind: files, table: accounts, path: accounts.csv}
  - {kind: files, table: subscriptions, path: subscriptions.csv}
  - {kind: zendesk, host: "https://example.zendesk.com", client_id: "${A}", client_secret: "${B}"}
  - {preset: zendesk_export, landed: zendesk}
"""


def test_the_preset_of_the_exports_reads_what_is_landed(home: Home, zendesk: ZendeskStandIn) -> None:
    zendesk.put("tickets", id=3000, status="solved", priority="urgent", requester_id=103, satisfaction_rating={"score": "good"},
                created_at="2025-06-14T09:00:00Z", tags=["a", "closed_by_merge"], organization_id=None)  # fmt: skip
    zendesk.now += 120
    home.land()
    book = parse_portfolio(BOOK, Path("book.yaml"))
    read = {table: canonical(home.file, book, table) for table in ("support_tickets", "identity_links")}
    tickets = {row["ticket_id"]: row for row in read["support_tickets"]}
    assert len(tickets) == 131
    assert tickets["1001"]["first_reply_at"].startswith("2025-06-14T09:30:00")
    assert tickets["1001"]["resolved_at"] == "2025-06-14T10:00:00Z"
    merged = tickets["3000"]
    assert (merged["account_id"], merged["priority"], merged["status"]) == ("3", "p1", "merged")
    assert merged["satisfaction_score"] == "good"
    links = {(row["external_id"], row["linked_system"], row["linked_id"]) for row in read["identity_links"]}
    assert {("2", "account", "A2"), ("2", "domain", "c2.example")} <= links


def test_the_doctor_names_what_may_not_be_read(
    home: Home, zendesk: ZendeskStandIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    zendesk.now = 4_000_000_000.0  # that of this machine lies before
    assert refusals(home.source, KINDS, VARIABLES) == []
    zendesk.may_read.remove("users")
    (told,) = refusals(home.source, KINDS, VARIABLES)
    assert "answers 403 to /api/v2/incremental/users/cursor.json" in told
    assert "scope read" in told
