"""Stripe as its documentation describes it: objects with state, lists by pages, events, and refusals of what it does not know.

It knows a secret key, checks the version that is asked for, and forgets events after 30 days of its own clock.
"""

from copy import deepcopy
from fnmatch import fnmatchcase
from typing import Any

from cx_intel_tests.helpers.vendor_server import Asked, Query, Reply, StandIn, values

KEY = "rk_live_51HhIdlyVerySecretKey"
VERSION = "2025-03-31.basil"
DAY = 86_400
LISTS = {
    "customers": "customer",
    "products": "product",
    "prices": "price",
    "coupons": "coupon",
    "subscriptions": "subscription",
    "invoices": "invoice",
    "credit_notes": "credit_note",
}
PREFIX = {"subscription": "customer.subscription"}
EXPANDABLE = {
    "customers": ("discount.coupon.applies_to",),
    "prices": ("tiers", "currency_options", "product"),
    "coupons": ("applies_to",),
    "subscriptions": ("customer", "discounts", "discounts.coupon.applies_to", "items.data.discounts"),
    "subscription_items": ("discounts",),
    "invoices": ("customer", "discounts"),
}
DEEPEST = 4
PARAMETERS = {
    "subscriptions": ("status", "customer", "price"),
    "invoices": ("status", "customer", "subscription"),
    "events": ("type", "created[gte]", "created[lte]"),
}
PAGING = ("limit", "starting_after", "ending_before")
NESTED = 10
"""Entries of a list within an object that are given with it."""


class StripeStandIn(StandIn):
    """One account.

    Attributes:
        now: Its clock, in seconds since 1970.
        kept: List: its objects by id, the oldest first.
        events: What happened, the oldest first.
        may_read: The lists that the key may read.
    """

    def __init__(self, now: int):
        super().__init__()
        self.now = now
        self.slept: list[float] = []
        self.kept: dict[str, dict[str, dict[str, Any]]] = {name: {} for name in LISTS}
        self.deleted: set[str] = set()
        self.events: list[dict[str, Any]] = []
        self.may_read = {*LISTS, "events"}
        self.key = KEY

    def sleep(self, seconds: float) -> None:
        """Notes a wait, which takes no time."""
        self.slept.append(seconds)

    def put(self, listed: str, given: dict[str, Any], event: str = "") -> dict[str, Any]:
        """Makes or changes an object; an event tells of it."""
        kind = LISTS[listed]
        before = self.kept[listed].get(given["id"])
        whole = {"object": kind, "created": self.now, "livemode": True, "metadata": {}} | (before or {}) | given
        self.kept[listed][given["id"]] = whole
        self.tell(f"{PREFIX.get(kind, kind)}.{event or ('updated' if before else 'created')}", whole)
        return whole

    def delete(self, listed: str, id_: str) -> None:
        """Deletes an object; an event tells of it."""
        gone = self.kept[listed].pop(id_)
        self.deleted.add(id_)
        self.tell(f"{LISTS[listed]}.deleted", gone)

    def tell(self, type_: str, about: dict[str, Any]) -> None:
        """An event, written in the version of an older API, as many accounts have it."""
        number = len(self.events) + 1
        self.events.append(
            {
                "id": f"evt_{number:06}",
                "object": "event",
                "api_version": "2019-02-19",
                "created": self.now,
                "type": type_,
                "data": {"object": {"id": about.get("id"), "object": about["object"]} | _old(about)},
            }
        )

    def error(self, status: int, message: str, **more: Any) -> Reply:
        kind = {429: "rate_limit_error", 500: "api_error"}.get(status, "invalid_request_error")
        headers = {"Retry-After": str(more["retry_after"])} if "retry_after" in more else {}
        return Reply({"error": {"type": kind, "message": message}}, status, headers)

    def answer(self, asked: Asked, fault: str) -> Reply:
        given = asked.headers.get("Authorization", "")
        if given != f"Bearer {self.key}":
            return self.error(401, f"Invalid API Key provided: {given.removeprefix('Bearer ')}")
        if asked.headers.get("Stripe-Version") != VERSION or asked.method != "GET":
            return self.error(400, "This is not how this account is read.")
        parts = asked.path.strip("/").split("/")
        if parts[0] != "v1" or len(parts) not in (2, 3, 4):
            return self.error(404, f"Unrecognized request URL (GET: {asked.path}).")
        listed = parts[1]
        if fault_of := self._fault_of_expansion(listed, values(asked.query, "expand[]"), is_list=len(parts) == 2):
            return self.error(400, fault_of)
        if listed in LISTS and listed not in self.may_read:
            return self.error(
                403, f"The provided key does not have the required permissions for this endpoint: {listed}."
            )
        if len(parts) == 4:
            return self._lines(parts, asked.query)
        if listed == "subscription_items":
            of = values(asked.query, "subscription")
            found = self.kept["subscriptions"].get(of[0]) if of else None
            return (
                self._page(found["items"]["data"], asked.query, "/v1/subscription_items", ("subscription",))
                if found
                else self.error(400, "Missing required param: subscription.")
            )
        if len(parts) == 3:
            return self._one(listed, parts[2], asked.query)
        if listed == "events":
            return self._events(asked.query)
        if listed not in LISTS:
            return self.error(404, f"Unrecognized request URL (GET: {asked.path}).")
        newest_first = list(reversed(self.kept[listed].values()))
        if listed == "subscriptions" and values(asked.query, "status") != ["all"]:
            newest_first = [s for s in newest_first if s["status"] != "canceled"]
        allowed = PARAMETERS.get(listed, ())
        return self._page(newest_first, asked.query, f"/v1/{listed}", allowed, repeats=fault == "repeated")

    def _fault_of_expansion(self, listed: str, expanded: list[str], *, is_list: bool) -> str:
        for path in expanded:
            if len(path.split(".")) > DEEPEST:
                return f"You cannot expand more than {DEEPEST} levels of a property. Property: {path}"
            if is_list and not path.startswith("data."):
                return (
                    f"This property cannot be expanded ({path}). You may want to try expanding 'data.{path}' instead."
                )
            if path.removeprefix("data.") not in EXPANDABLE.get(listed, ()):
                return f"This property cannot be expanded ({path})."
        return ""

    def _events(self, query: Query) -> Reply:
        types, since = values(query, "type"), values(query, "created[gte]")
        found = [
            event
            for event in reversed(self.events)
            if event["created"] > self.now - 30 * DAY
            and (not since or event["created"] >= int(since[0]))
            and (not types or fnmatchcase(event["type"], types[0]))
        ]
        return self._page(found, query, "/v1/events", PARAMETERS["events"])

    def _one(self, listed: str, id_: str, query: Query) -> Reply:
        if listed == "customers" and id_ in self.deleted:
            return Reply({"id": id_, "object": "customer", "deleted": True})
        found = self.kept.get(listed, {}).get(id_)
        if found is None:
            return self.error(404, f"No such {LISTS.get(listed, listed)}: '{id_}'")
        if unknown := [name for name, _ in query if name != "expand[]"]:
            return self.error(400, f"Received unknown parameter: {unknown[0]}")
        return Reply(_shown(found, values(query, "expand[]")))

    def _lines(self, parts: list[str], query: Query) -> Reply:
        found = self.kept["invoices"].get(parts[2]) if parts[1::2] == ["invoices", "lines"] else None
        if found is None:
            return self.error(404, "No such invoice.")
        return self._page(found["lines"]["data"], query, f"/v1/invoices/{parts[2]}/lines", ())

    def _page(
        self, found: list[dict[str, Any]], query: Query, url: str, allowed: tuple[str, ...], *, repeats: bool = False
    ) -> Reply:
        if unknown := [name for name, _ in query if name not in (*PAGING, "expand[]", *allowed)]:
            return self.error(400, f"Received unknown parameter: {unknown[0]}")
        limit = int((values(query, "limit") or ["10"])[0])
        if not 1 <= limit <= 100:
            return self.error(400, "This value must be less than or equal to 100.")
        after = values(query, "starting_after")
        start = 0
        if after:
            places = [n for n, given in enumerate(found) if given["id"] == after[0]]
            if not places:
                return self.error(400, f"No such object: '{after[0]}'")
            start = places[0] + 1
            if repeats:  # the page that was given before comes again
                start = max(0, start - limit)
        page = found[start : start + limit]
        wanted = [name.removeprefix("data.") for name in values(query, "expand[]") if name.startswith("data.")]
        shown = [_shown(given, wanted) for given in page]
        return Reply({"object": "list", "url": url, "has_more": start + limit < len(found), "data": shown})


def _old(about: dict[str, Any]) -> dict[str, Any]:
    """What older versions of the API had of an object, where it matters: a discount names what it is on."""
    return {name: about[name] for name in ("customer", "subscription") if name in about}


def _shown(given: dict[str, Any], expanded: list[str]) -> dict[str, Any]:
    """An object as it is given: lists within it cut, discounts as ids unless they are wanted whole."""
    shown = deepcopy(given)
    for name, value in shown.items():
        if isinstance(value, dict) and value.get("object") == "list":
            value["has_more"] = len(value["data"]) > NESTED
            value["data"] = value["data"][:NESTED]
        if name == "discounts" and not any(path.startswith("discounts") for path in expanded):
            shown[name] = [discount["id"] for discount in value]
        if name == "items" and "items.data.discounts" not in expanded:
            for one in value["data"]:
                one["discounts"] = [discount["id"] for discount in one["discounts"]]
    for name in ("tiers", "currency_options"):
        if name not in expanded:
            shown.pop(name, None)
    if shown.get("discount") and "discount.coupon.applies_to" not in expanded:
        shown["discount"]["coupon"].pop("applies_to", None)
    return shown


def item(id_: str, price: dict[str, Any], quantity: int | None = 1, until: int = 1_760_000_000) -> dict[str, Any]:
    """An item of a subscription."""
    more = {} if quantity is None else {"quantity": quantity}
    return {
        "id": id_,
        "object": "subscription_item",
        "price": price,
        "current_period_end": until,
        "discounts": [],
    } | more


def items(subscription: str, listed: list[dict[str, Any]]) -> dict[str, Any]:
    """The items of a subscription as a list."""
    return {"object": "list", "url": f"/v1/subscription_items?subscription={subscription}", "data": listed}


def price(
    id_: str,
    unit_amount: int | None,
    currency: str = "usd",
    interval: str = "month",
    count: int = 1,
    usage: str = "licensed",
) -> dict[str, Any]:
    """A price in minor units."""
    recurring = {"interval": interval, "interval_count": count, "usage_type": usage}
    decimal = None if unit_amount is None else str(unit_amount)
    return {
        "id": id_,
        "object": "price",
        "product": "prod_suite",
        "currency": currency,
        "unit_amount": unit_amount,
        "unit_amount_decimal": decimal,
        "recurring": recurring,
        "transform_quantity": None,
    }


def coupon(percent: float | None = None, amount: int | None = None, duration: str = "forever") -> dict[str, Any]:
    """What a discount takes off."""
    return {"id": "co", "object": "coupon", "percent_off": percent, "amount_off": amount, "duration": duration}
