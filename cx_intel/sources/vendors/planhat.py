"""Reads Planhat's objects: all of them each time, since no list tells what changed or what is gone.

Lists are paged by a limit and an offset without a total, and end with an empty page. How requests are sent and tried
again: `http.py`; what is written to Planhat: `cx_intel.sync`.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from cx_intel.sources.errors import SourceError
from cx_intel.sources.vendors.answers import refusals_of
from cx_intel.sources.vendors.drift import Fields
from cx_intel.sources.vendors.http import ApiClient, Clock
from cx_intel.sources.vendors.objects import ID, Objects, row_of
from cx_intel.sources.vendors.pace import Pace
from cx_intel.sources.vendors.sign_in import Bearer

ASKED_A_MINUTE = 180
"""Planhat takes 200 a minute, of all clients of a tenant."""
OVERLAP = 20
"""So many objects are asked for again with the next page: those behind move up when one before them is deleted."""
STILL = 5
"""How often a list may give a page that it gave before."""


@dataclass(frozen=True)
class Kind:
    """One kind of objects.

    Attributes:
        page: How many a page has at most.
        always: The fields that a table has even without any object.
        lists: Parameters of each of its lists: what is archived stands in one of its own.
    """

    page: int
    always: tuple[str, ...]
    lists: tuple[Mapping[str, str], ...] = ({},)


KINDS = {
    "users": Kind(10_000, ("firstName", "lastName", "nickName", "email")),
    "companies": Kind(5_000, ("name", "externalId", "sourceId", "owner", "status", "custom")),
    "endusers": Kind(2_000, ("companyId", "email")),
    "licenses": Kind(
        2_000, ("companyId", "product", "_currency", "value", "mrr", "fixedPeriod", "fromDate", "toDate", "status")
    ),
    "nps": Kind(10_000, ("cId", "email", "score", "dateSent", "dateAnswered")),
    "tasks": Kind(
        10_000, ("companyId", "mainType", "type", "action", "status", "dateDone"), ({}, {"isArchived": "true"})
    ),
    "churn": Kind(1_000, ("companyId",)),
}
"""Name of the list and of its table: the kind."""


def planhat_client(host: str, token: str, variable: str, clock: Clock) -> ApiClient:
    """A client of Planhat; `variable` holds the token, for messages."""
    rights = "the right to view " + ", ".join(KINDS)
    return ApiClient("Planhat", host, Bearer(token, variable, rights), {}, clock, pace=Pace(ASKED_A_MINUTE))


@dataclass
class PlanhatReader:
    """All that Planhat has.

    Attributes:
        client: Of Planhat.
        kinds: The names of the lists that are wanted.
        state: Kind: when it was read last, in seconds since 1970.
        fields: Kind: the fields of the objects that were given.
    """

    client: ApiClient
    kinds: Sequence[str]
    state: dict[str, str]
    fields: dict[str, Fields] = field(default_factory=dict)

    def always(self, kind: str) -> tuple[str, ...]:
        return KINDS[kind].always

    def refusals(self) -> list[str]:
        return refusals_of(self.kinds, lambda kind: _page(self.client, kind, {}, 0, 1))

    def read(self) -> Iterator[Objects]:
        for kind in self.kinds:
            for listed in KINDS[kind].lists:
                for page in pages(self.client, kind, listed):
                    yield Objects(kind, [self._row(given, kind) for given in page])
            yield Objects(kind, ends_pass=True)
            self.state[kind] = str(int(self.client.clock.now()))

    def _row(self, given: Mapping[str, Any], kind: str) -> dict[str, str | None]:
        """An object as text; its custom fields are noted too, which stand within one."""
        named = {ID: given.get("_id"), **{name: value for name, value in given.items() if name != "_id"}}
        row = row_of(named, kind, self.fields)
        if isinstance(custom := given.get("custom"), dict):
            self.fields[kind].note(custom, "custom.")
        return row


def pages(client: ApiClient, kind: str, listed: Mapping[str, str]) -> Iterator[list[dict[str, Any]]]:
    """The pages of a list until an empty one; where a page has nothing new, it is asked for again.

    Args:
        client: Of Planhat.
        kind: Of objects.
        listed: Parameters of the list.

    Raises:
        SourceError: Planhat does not go on, or answers no list.
    """
    seen: set[str] = set()
    overlap, still = 0, 0
    while still < STILL:
        page = _page(client, kind, listed, max(0, len(seen) - overlap), KINDS[kind].page)
        if not page and not overlap:
            return
        new = {str(given.get("_id")) for given in page} - seen
        if new:
            yield page
            seen |= new
        still = 0 if new else still + 1
        overlap = OVERLAP if new else 0
    raise SourceError(f"Planhat gives the same page of {kind} again and again. {client.to_do}")


def _page(client: ApiClient, kind: str, listed: Mapping[str, str], offset: int, limit: int) -> list[dict[str, Any]]:
    page = client.get(f"/{kind}", {**listed, "limit": limit, "offset": offset})
    if not isinstance(page, list) or not all(isinstance(given, dict) for given in page):
        raise SourceError(f"Planhat's answer to /{kind} is no list. {client.to_do}")
    return page
