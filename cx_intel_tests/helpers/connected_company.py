"""A company of four accounts on the stand-ins for Salesforce, Stripe, Zendesk and Planhat, for `examples/connected.yaml`.

What each vendor answers stands in its stand-in; the refreshes themselves are those of `small_company.py`.
"""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

from cx_intel_tests.helpers import planhat_stand_in, salesforce_stand_in, stripe_stand_in, zendesk_stand_in
from cx_intel_tests.helpers.planhat_stand_in import PlanhatStandIn
from cx_intel_tests.helpers.salesforce_stand_in import SalesforceStandIn
from cx_intel_tests.helpers.stripe_stand_in import StripeStandIn, item, items, price
from cx_intel_tests.helpers.vendor_server import serving
from cx_intel_tests.helpers.zendesk_stand_in import ZendeskStandIn

EXAMPLE = Path(__file__).parents[2] / "examples" / "connected.yaml"
ACME, BOLT, COVA, DYNE = "001A", "001B", "001C", "001D"
NAMES = {ACME: "Acme", BOLT: "Bolt", COVA: "Cova", DYNE: "Dyne"}
SECRETS = {
    "SALESFORCE_CLIENT_ID": salesforce_stand_in.CLIENT,
    "SALESFORCE_CLIENT_SECRET": salesforce_stand_in.SECRET,
    "STRIPE_API_KEY": stripe_stand_in.KEY,
    "ZENDESK_CLIENT_ID": zendesk_stand_in.CLIENT,
    "ZENDESK_CLIENT_SECRET": zendesk_stand_in.SECRET,
    "PLANHAT_TOKEN": planhat_stand_in.TOKEN,
}
SEAT, YEARLY, EURO = (
    price("price_seat", 1999),
    price("price_year", 120_000, "usd", "year"),
    price("price_eur", 5000, "eur"),
)


def at(day: date, hour: int = 10) -> int:
    return int(datetime(day.year, day.month, day.day, hour, tzinfo=UTC).timestamp())


@dataclass
class Vendors:
    """The four stand-ins."""

    salesforce: SalesforceStandIn
    stripe: StripeStandIn
    zendesk: ZendeskStandIn
    planhat: PlanhatStandIn

    def settings(self) -> dict[str, Any]:
        """The example, its hosts those of the stand-ins."""
        example: dict[str, Any] = YAML(typ="safe").load(EXAMPLE.read_text(encoding="utf-8"))
        for source in example["sources"]:
            if source.get("kind") in vars(self):
                source["host"] = vars(self)[source["kind"]].host
        return example

    def move_to(self, day: date) -> None:
        """Sets all clocks to a day."""
        for one in vars(self).values():
            one.now = at(day)

    def tokens(self) -> list[str]:
        """Every token that was given."""
        return [*self.salesforce.tokens, *self.zendesk.tokens]


@contextmanager
def connected_vendors(day: date) -> Iterator[Vendors]:
    """What the four have on a day.

    Acme pays for ten seats, has two tickets open, a review this quarter and answered 9. Bolt pays by the year, has no
    review and answered 3. Cova pays in EUR, has a review and did not answer. Dyne left at the end of May.
    """
    started = at(date(2025, 2, 3))
    vendors = Vendors(
        SalesforceStandIn(started), StripeStandIn(started), ZendeskStandIn(started), PlanhatStandIn(started)
    )
    _crm(vendors.salesforce)
    _billing(vendors.stripe)
    _support(vendors.zendesk)
    _success(vendors.planhat)
    vendors.move_to(day)
    with ExitStack() as stack:
        for one in vars(vendors).values():
            stack.enter_context(serving(one))
        yield vendors


def domain_of(account: str) -> str:
    return f"{NAMES[account].lower().replace(' ', '')}.example"


def _crm(salesforce: SalesforceStandIn) -> None:
    salesforce.put("User", Id="005A", Name="Ann Lee")
    salesforce.put("User", Id="005B", Name="Ben Ost")
    for id_, name in NAMES.items():
        owner = "005B" if id_ == BOLT else "005A"
        salesforce.put("Account", Id=id_, Name=name, OwnerId="005B", CSM_Owner__c=owner, Type="Customer",
                       Customer_Segment__c="Enterprise" if id_ == ACME else "SMB", BillingCountry="Germany",
                       Website=f"https://www.{domain_of(id_)}/en" if id_ == BOLT else None)  # fmt: skip
        salesforce.put("Opportunity", Id=f"006{id_}", AccountId=id_, Type="Existing Business - Renewal", IsClosed=False,
                       IsWon=False, CloseDate="2025-09-30" if id_ == ACME else "2026-02-02")  # fmt: skip
    salesforce.put("Account", Id="001E", Name="A mistake", OwnerId="005A")
    salesforce.delete("Account", "001E")


def _billing(stripe: StripeStandIn) -> None:
    stripe.put("products", {"id": "prod_suite", "name": "Suite"})
    for one in (SEAT, YEARLY, EURO):
        stripe.put("prices", one)
    for id_, name in NAMES.items():
        known = {} if id_ == BOLT else {"salesforce_account_id": id_}  # who that is, its domain says alone
        of = {"id": f"cus_{id_}", "name": name, "email": f"pay@{domain_of(id_)}", "metadata": known}
        stripe.put("customers", of | {"created": stripe.now})
    bill(stripe, ACME, item("si_a", SEAT, 10))
    bill(stripe, BOLT, item("si_b", YEARLY, 1, at(date(2026, 2, 3))))
    bill(stripe, COVA, item("si_c", EURO, 4), currency="eur")
    ended = at(date(2025, 5, 31))
    bill(stripe, DYNE, item("si_d", SEAT, 5), status="canceled", ended_at=ended, canceled_at=ended)


def bill(stripe: StripeStandIn, account: str, *listed: dict[str, Any], **more: Any) -> None:
    """Makes or changes the subscription of an account."""
    id_, started = f"sub_{account}", at(date(2025, 2, 3))
    of = {"id": id_, "customer": f"cus_{account}", "status": "active", "currency": "usd", "start_date": started}
    stripe.put("subscriptions", of | {"discounts": [], "items": items(id_, list(listed))} | more)


def _support(zendesk: ZendeskStandIn) -> None:
    for n, id_ in enumerate(NAMES, 1):
        zendesk.put("organizations", id=n, name=NAMES[id_], external_id=id_, domain_names=[])
        zendesk.put("users", id=100 + n, organization_id=n)
    for n, (organization, status) in enumerate(((1, "open"), (1, "pending"), (2, "solved"), (3, "closed"))):
        solved = {"_metrics": {"solved_at": "2025-06-21T09:00:00Z"}} if status in ("solved", "closed") else {}
        zendesk.put("tickets", id=1000 + n, status=status, priority="high", organization_id=organization,
                    requester_id=100 + organization, created_at="2025-06-20T09:00:00Z", **solved)  # fmt: skip


def _success(planhat: PlanhatStandIn) -> None:
    planhat.put("users", _id="u1", firstName="Ann", lastName="Lee")
    for id_, name in NAMES.items():
        planhat.put("companies", _id=f"c-{id_}", name=name, externalId=id_, owner="u1", status="customer", custom={})
    for id_, score in ((ACME, 9), (BOLT, 3)):
        planhat.put("nps", _id=f"n-{id_}", cId=f"c-{id_}", score=score, dateAnswered="2025-06-10T09:00:00.000Z")
    for id_ in (ACME, COVA):
        planhat.put("tasks", _id=f"t-{id_}", companyId=f"c-{id_}", mainType="event", type="QBR", isArchived=True,
                    dateDone="2025-05-20T10:00:00.000Z")  # fmt: skip
    planhat.put("tasks", _id=f"t-{BOLT}", companyId=f"c-{BOLT}", mainType="event", type="QBR", isArchived=False)
