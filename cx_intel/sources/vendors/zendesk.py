"""Reads Zendesk's objects by its incremental exports, which give what changed since a cursor or a moment.

An export has deleted tickets too, and leaves out the last minute. It may be asked ten times a minute, which the reader
keeps to by itself. How requests are sent and tried again: `http.py`.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from cx_intel.sources.errors import SourceError
from cx_intel.sources.vendors.answers import BAD, RequestRefused, refusals_of
from cx_intel.sources.vendors.drift import Fields
from cx_intel.sources.vendors.http import ApiClient, Clock
from cx_intel.sources.vendors.objects import Objects, row_of
from cx_intel.sources.vendors.pace import Pace
from cx_intel.sources.vendors.sign_in import ClientCredentials

DAY = 86_400
PAGE = 1000
ASKED_A_MINUTE = 10
STILL = 3
"""How often an export may stand still before it is given up."""
ALWAYS = {
    "organizations": ("name", "external_id", "domain_names", "deleted_at"),
    "users": ("organization_id",),
    "tickets": ("status", "priority", "type", "created_at", "organization_id", "requester_id", "metric_set", "tags"),
}
"""Kind: the fields that its table has even without any object."""


def zendesk_client(host: str, secrets: tuple[str, ...], variables: tuple[str, ...], clock: Clock) -> ApiClient:
    """A client of Zendesk; `secrets` are the OAuth client and its secret, `variables` hold them."""
    client_id, client_secret = secrets
    signs = ClientCredentials(
        path="/oauth/tokens", client_id=client_id, client_secret=client_secret, variables=variables, scope="read"
    )
    return ApiClient("Zendesk", host, signs, {"Accept": "application/json"}, clock, pace=Pace(ASKED_A_MINUTE))


@dataclass
class ZendeskReader:
    """What changed at Zendesk since the state that was remembered.

    Attributes:
        client: Of Zendesk.
        kinds: What is wanted.
        full_pass_days: After so many days all organizations are read again, which finds those that are gone.
        state: Kind: how far it was read; brought up to date as objects are given.
        fields: Kind: the fields of the objects that were given.
    """

    client: ApiClient
    kinds: Sequence[str]
    full_pass_days: int
    state: dict[str, str]
    fields: dict[str, Fields] = field(default_factory=dict)

    def always(self, kind: str) -> tuple[str, ...]:
        return ALWAYS[kind]

    def refusals(self) -> list[str]:
        since = int(self.client.clock.now()) - DAY
        return refusals_of(self.kinds, lambda kind: self._asked(kind, {"start_time": since, "per_page": 1}))

    def read(self) -> Iterator[Objects]:
        for kind in self.kinds:
            yield from self._by_time(kind) if kind == "organizations" else self._by_cursor(kind)

    def _by_cursor(self, kind: str) -> Iterator[Objects]:
        """Pages behind a cursor, which stays where the export ended until the next run."""
        cursor = self.state.get(kind, "")
        still = 0
        while True:
            try:
                page = self._asked(kind, {"cursor": cursor} if cursor else {"start_time": 0})
            except RequestRefused as error:
                if not cursor or error.refused.status != BAD:
                    raise
                cursor = ""  # one that is no longer known: all is read again
                continue
            yield Objects(kind, self._rows(page, kind))
            after = page.get("after_cursor")
            still = still + 1 if after == cursor else 0
            cursor = str(after) if after else cursor
            if page.get("end_of_stream") is True:
                break
            if not after or still >= STILL:
                raise SourceError(f"Zendesk's export of {kind} does not go on; refresh again later.")
        if cursor:
            self.state[kind] = cursor

    def _by_time(self, kind: str) -> Iterator[Objects]:
        """Pages since a moment; now and then since the beginning, so that what is gone is noticed."""
        now = int(self.client.clock.now())
        state = json.loads(self.state.get(kind, "{}"))
        is_full = now - state.get("full_pass", 0) >= self.full_pass_days * DAY
        since = 0 if is_full else int(state["since"])
        while True:
            page = self._asked(kind, {"start_time": since})
            yield Objects(kind, self._rows(page, kind), self._gone(page, kind))
            until = int(page.get("end_time") or since)
            ends = page.get("end_of_stream") is True or int(page.get("count") or 0) < PAGE
            is_still, since = until == since, max(since, until)
            if ends:
                break
            if is_still:
                raise SourceError(f"Zendesk's export of {kind} does not go on; refresh again later.")
        if is_full:
            yield Objects(kind, ends_pass=True)
        self.state[kind] = json.dumps({"since": since, "full_pass": now if is_full else state["full_pass"]})

    def _asked(self, kind: str, parameters: Mapping[str, str | int]) -> Mapping[str, Any]:
        """A page of an export."""
        path = (
            f"/api/v2/incremental/{kind}.json" if kind == "organizations" else f"/api/v2/incremental/{kind}/cursor.json"
        )
        more = {"include": "metric_sets"} if kind == "tickets" else {}
        page = self.client.get(path, {"per_page": PAGE, **more, **parameters})
        if not isinstance(page, dict) or not isinstance(page.get(kind), list):
            raise SourceError(f"Zendesk's answer to {path} has no {kind}; nothing was changed.")
        return page

    def _rows(self, page: Mapping[str, Any], kind: str) -> list[dict[str, str | None]]:
        """The objects of a page; times of a ticket that are given beside it are put into it."""
        measured = {str(one.get("ticket_id")): one for one in page.get("metric_sets") or ()}
        found = []
        for given in page[kind]:
            beside = measured.get(str(given.get("id")))
            if kind != "organizations" or not given.get("deleted_at"):
                found.append(row_of({**({"metric_set": beside} if beside else {}), **given}, kind, self.fields))
        return found

    def _gone(self, page: Mapping[str, Any], kind: str) -> list[str]:
        return [str(given.get("id")) for given in page[kind] if given.get("deleted_at")]
