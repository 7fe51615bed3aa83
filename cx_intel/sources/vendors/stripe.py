"""Reads Stripe's objects: all of them at first and now and then, between that those that its events name.

No list can be filtered by what changed, and an event is written in the version of the API of its day: so an event only
says which object is to be asked for. How requests are sent and tried again: `http.py`; the source's settings:
`cx_intel.settings.sources.vendors`.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from cx_intel.sources.errors import SourceError
from cx_intel.sources.vendors.answers import refusals_of
from cx_intel.sources.vendors.drift import Fields
from cx_intel.sources.vendors.http import ApiClient, Clock
from cx_intel.sources.vendors.objects import Objects, row_of
from cx_intel.sources.vendors.sign_in import Bearer

API_VERSION = "2025-03-31.basil"
"""Objects have the shape of this version, whatever the account's default is."""
PAGE = 100
ITEMS = "/v1/subscription_items"
"""The list of a subscription's items, of which the first are given with it."""
DAY = 86_400
EVENTS_KEPT_DAYS = 25
"""Stripe keeps events for 30 days."""
OVERLAP_SECONDS = 600
"""Events of the last minutes before the newest one that was read are read again, since some come late."""
STILL = 5
"""How often a list may give a page that it gave before."""


@dataclass(frozen=True)
class Kind:
    """One kind of objects.

    Attributes:
        object: What an object calls itself.
        events: The types of events that tell of a change.
        always: The fields that a table has even without any object.
        asked: Parameters of its list.
        expanded: What is to be given whole and not as an id.
    """

    object: str
    events: tuple[str, ...]
    always: tuple[str, ...]
    asked: Mapping[str, str] = field(default_factory=dict)
    expanded: tuple[str, ...] = ()


KINDS = {
    "customers": Kind(
        "customer",
        ("customer.*", "customer.discount.*"),
        ("name", "email", "created", "currency", "discount", "metadata"),
        {},
        ("discount.coupon.applies_to",),
    ),
    "products": Kind("product", ("product.*",), ("name",)),
    "prices": Kind(
        "price",
        ("price.*",),
        ("product", "currency", "unit_amount", "unit_amount_decimal", "recurring"),
        {},
        ("tiers", "currency_options"),
    ),
    "coupons": Kind("coupon", ("coupon.*",), ("percent_off", "amount_off", "duration"), {}, ("applies_to",)),
    "subscriptions": Kind(
        "subscription",
        ("customer.subscription.*", "customer.discount.*"),
        ("customer", "status", "currency", "created", "start_date", "items", "discounts"),
        {"status": "all"},
        ("discounts.coupon.applies_to", "items.data.discounts"),
    ),
    "invoices": Kind(
        "invoice", ("invoice.*",), ("customer", "created", "status", "currency", "lines", "total"), {}, ("discounts",)
    ),
    "credit_notes": Kind("credit_note", ("credit_note.*",), ("invoice", "amount", "status", "created")),
}
"""Name of the list and of its table: the kind."""
RIGHTS = (
    "read access to " + ", ".join(name.replace("_", " ") for name in KINDS) + " and events, as far as they are read"
)


@dataclass(frozen=True)
class _Until:
    """How far the objects of a kind were read.

    Attributes:
        event: When the newest event happened, in seconds since 1970.
        full_pass: When all objects were read last.
        read: The ids of the events that were read of the overlap.
    """

    event: int
    full_pass: int
    read: list[str]

    def packed(self) -> str:
        return json.dumps(vars(self))


@dataclass(frozen=True)
class _Event:
    """An event about an object of a kind."""

    id: str
    created: int
    about: str


def stripe_client(host: str, key: str, variable: str, clock: Clock) -> ApiClient:
    """A client of Stripe; `variable` holds the key, for messages."""
    return ApiClient("Stripe", host, Bearer(key, variable, RIGHTS), {"Stripe-Version": API_VERSION}, clock)


@dataclass
class StripeReader:
    """What changed at Stripe since the state that was remembered.

    Attributes:
        client: Of Stripe.
        kinds: The names of the lists that are wanted.
        full_pass_days: After so many days all objects are read again, which finds what no event told.
        known: How many objects of a kind are there already: where events name so many of them that all are read sooner,
            all are read.
        state: Kind: how far it was read; brought up to date as objects are given.
        fields: Kind: the fields of the objects that were given.
    """

    client: ApiClient
    kinds: Sequence[str]
    full_pass_days: int
    known: Mapping[str, int]
    state: dict[str, str]
    fields: dict[str, Fields] = field(default_factory=dict)

    def always(self, kind: str) -> tuple[str, ...]:
        """The fields that the table of a kind has even without any object."""
        return KINDS[kind].always

    def refusals(self) -> list[str]:
        """What the key may not read of what is wanted; raises SourceError where Stripe is not reached."""
        return refusals_of(("events", *self.kinds), lambda name: self.client.get(f"/v1/{name}", {"limit": 1}))

    def read(self) -> Iterator[Objects]:
        """The objects that are new or changed, and those that are gone; raises SourceError as `ApiClient.get` does."""
        newest = self._newest_event()
        now = int(self.client.clock.now())
        for name in self.kinds:
            until = _Until(**json.loads(self.state[name])) if name in self.state else None
            newest = max(newest, until.event if until else 0)
            is_full = until is None or self._is_due(until, now)
            since = newest if until is None or is_full else until.event
            events = self._events(name, since - OVERLAP_SECONDS)
            ids = {e.about: None for e in events if until is None or e.id not in until.read}
            if until is None or is_full or len(ids) > max(PAGE, self.known.get(name, 0) // PAGE):
                yield from self._all(name)
                full_pass = now
            else:
                yield from self._some(name, list(ids))
                full_pass = until.full_pass
            read = [e.id for e in events if e.created >= newest - OVERLAP_SECONDS]
            self.state[name] = _Until(newest, full_pass, read).packed()

    def _newest_event(self) -> int:
        page = self.client.get("/v1/events", {"limit": 1})
        return max((int(event["created"]) for event in _data(page, "/v1/events")), default=0)

    def _is_due(self, until: _Until, now: int) -> bool:
        """Whether all objects are to be read: some events may be gone, or it is time."""
        return now - until.event > EVENTS_KEPT_DAYS * DAY or now - until.full_pass >= self.full_pass_days * DAY

    def _events(self, name: str, since: int) -> list[_Event]:
        """The events about objects of a kind since a moment, each once."""
        kind, found = KINDS[name], dict[str, _Event]()
        fields = {kind.object: "id", "discount": kind.object}  # a discount names its customer and subscription
        for type_ in kind.events:
            for event in self._list("/v1/events", {"type": type_, "created[gte]": max(0, since)}):
                given = event.get("data", {}).get("object", {})
                if id_ := given.get(fields.get(given.get("object"), "")):
                    found[event["id"]] = _Event(event["id"], int(event["created"]), str(id_))
        return list(found.values())

    def _all(self, name: str) -> Iterator[Objects]:
        kind = KINDS[name]
        asked: dict[str, Any] = {**kind.asked}
        if kind.expanded:
            asked["expand[]"] = [f"data.{field}" for field in kind.expanded]
        for page in self._pages(f"/v1/{name}", asked):
            yield Objects(name, [self._row(given, name) for given in page])
        yield Objects(name, ends_pass=True)

    def _some(self, name: str, ids: Sequence[str]) -> Iterator[Objects]:
        expanded = {"expand[]": list(KINDS[name].expanded)} if KINDS[name].expanded else {}
        rows, gone = [], []
        for id_ in ids:
            given = self.client.get(f"/v1/{name}/{id_}", expanded, absent=True)
            if given is None or given.get("deleted") is True:
                gone.append(id_)
            else:
                rows.append(self._row(given, name))
        yield Objects(name, rows, gone)

    def _row(self, given: Mapping[str, Any], name: str) -> dict[str, str | None]:
        return row_of({field: self._whole(value) for field, value in given.items()}, name, self.fields)

    def _whole(self, value: Any) -> Any:
        """A list within an object, of which only the first entries are given with it."""
        if not (isinstance(value, dict) and value.get("object") == "list" and value.get("has_more") is True):
            return value
        url, _, query = str(value.get("url", "")).partition("?")
        if not url.startswith("/v1/") or ".." in url:
            raise SourceError(f"Stripe names a list at {url!r}, which is not one of its API.")
        asked: dict[str, Any] = dict(part.split("=", 1) for part in query.split("&") if "=" in part)
        if url == ITEMS:
            asked["expand[]"] = ["data.discounts"]
        return value | {"data": list(self._list(url, asked)), "has_more": False}

    def _list(self, path: str, asked: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
        for page in self._pages(path, asked):
            yield from page

    def _pages(self, path: str, asked: Mapping[str, Any]) -> Iterator[list[dict[str, Any]]]:
        """The pages of a list, newest objects first; one that comes again is asked past."""
        after: str | None = None
        seen: set[str] = set()
        still = 0
        while True:
            page = self.client.get(path, {**asked, "limit": PAGE, **({"starting_after": after} if after else {})})
            data = _data(page, path)
            ids = [str(given.get("id")) for given in data]
            still = still + 1 if ids and seen.issuperset(ids) else 0
            seen.update(ids)
            yield data
            if page.get("has_more") is not True:
                return
            if not ids or still >= STILL:
                raise SourceError(f"Stripe gives the same page of {path} again and again; refresh again later.")
            after = ids[-1] if not still else after


def _data(page: Any, path: str) -> list[dict[str, Any]]:
    data = page.get("data") if isinstance(page, dict) else None
    if not isinstance(data, list) or not all(isinstance(given, dict) for given in data):
        raise SourceError(f"Stripe's answer to {path} is no list; nothing was changed.")
    return data
