"""Zendesk as its documentation describes it: OAuth clients, tokens that expire, and incremental exports with their limits.

Ten exports a minute of its own clock, the last minute left out, and cursors that say nothing to whoever reads them.
"""

import base64
import json
from typing import Any

from cx_intel_tests.helpers.vendor_server import Asked, Query, Reply, StandIn, values

CLIENT, SECRET = "cx_intel_reader", "zdsecret0123456789abcdef"
LIFETIME = 1800
A_MINUTE = 10
PARAMETERS = ("start_time", "cursor", "per_page", "include")
DETAILS = {"tickets": 1000, "users": 1000, "organizations": 1000}


class ZendeskStandIn(StandIn):
    """One account.

    Attributes:
        now: Its clock, in seconds since 1970; `sleep` moves it.
        kept: Kind: its objects by id, with `_changed`, when each changed.
        page: Objects of a page at most, fewer than Zendesk's, so that tests need not many.
    """

    def __init__(self, now: int):
        super().__init__()
        self.now = float(now)
        self.page = 40
        self.kept: dict[str, dict[int, dict[str, Any]]] = {kind: {} for kind in DETAILS}
        self.tokens: dict[str, float] = {}
        self.exports: list[float] = []
        self.secret = SECRET
        self.may_read = set(DETAILS)

    def sleep(self, seconds: float) -> None:
        self.now += seconds

    def put(self, kind: str, **given: Any) -> None:
        """Makes or changes an object, and notes when."""
        before = self.kept[kind].get(given["id"], {})
        self.kept[kind][given["id"]] = before | given | {"_changed": int(self.now)}

    def error(self, status: int, message: str, **more: Any) -> Reply:
        headers = {"Retry-After": str(more["retry_after"])} if "retry_after" in more else {}
        return Reply({"error": {"title": "Error", "message": message}}, status, headers)

    def answer(self, asked: Asked, fault: str) -> Reply:
        if (asked.method, asked.path) == ("POST", "/oauth/tokens"):
            return self._token(json.loads(asked.body))
        token = asked.headers.get("Authorization", "").removeprefix("Bearer ")
        if self.tokens.get(token, 0) <= self.now:
            body = {"error": "invalid_token", "error_description": "The access token provided is expired or unknown."}
            return Reply(body, 401)
        parts = asked.path.removesuffix(".json").strip("/").split("/")
        kind = parts[3] if parts[:3] == ["api", "v2", "incremental"] and len(parts) > 3 else ""
        if kind not in DETAILS or asked.method != "GET":
            return Reply({"error": "InvalidEndpoint", "description": "Not found"}, 404)
        if kind not in self.may_read:
            return Reply({"error": "Forbidden", "description": "You do not have access to this page."}, 403)
        if unknown := [name for name, _ in asked.query if name not in PARAMETERS]:
            return self.error(400, f"Unknown parameter {unknown[0]}")
        self.exports = [at for at in self.exports if at > self.now - 60]
        if len(self.exports) >= A_MINUTE:
            return self.error(
                429, "Number of allowed incremental ticket export API requests per minute exceeded", retry_after=30
            )
        self.exports.append(self.now)
        return self._by_cursor(kind, asked.query) if parts[4:] == ["cursor"] else self._by_time(kind, asked.query)

    def _token(self, asked: dict[str, str]) -> Reply:
        if asked.get("grant_type") != "client_credentials" or asked.get("scope") != "read":
            return Reply({"error": "invalid_request", "error_description": "Missing grant_type."}, 400)
        if (asked.get("client_id"), asked.get("client_secret")) != (CLIENT, self.secret):
            return Reply(
                {"error": "invalid_client", "error_description": f"No client {asked.get('client_secret')}"}, 401
            )
        token = f"tok-{len(self.tokens):04}-{'x' * 20}"
        self.tokens[token] = self.now + LIFETIME
        return Reply({"access_token": token, "token_type": "bearer", "scope": "read", "expires_in": LIFETIME})

    def _since(self, kind: str, place: tuple[int, int]) -> list[dict[str, Any]]:
        """What changed behind a place in time, in order; the last minute is left out."""
        found = [one for one in self.kept[kind].values() if (one["_changed"], one["id"]) > place]
        return sorted(
            (one for one in found if one["_changed"] < self.now - 60), key=lambda one: (one["_changed"], one["id"])
        )

    def _by_cursor(self, kind: str, query: Query) -> Reply:
        if kind == "organizations":
            return Reply({"error": "InvalidEndpoint", "description": "Not found"}, 404)
        if cursor := values(query, "cursor"):
            try:
                place = tuple(json.loads(base64.b64decode(cursor[0])))
            except ValueError:
                return self.error(400, "cursor is invalid")
        elif start := values(query, "start_time"):
            if int(start[0]) > self.now - 60:
                return self.error(422, "Too recent start_time. Use a start_time older than 1 minute")
            place = (int(start[0]), -1)
        else:
            return self.error(400, "Missing start_time")
        found = self._since(kind, (place[0], place[1]))
        page = found[: min(self.page, int((values(query, "per_page") or ["1000"])[0]))]
        last = (page[-1]["_changed"], page[-1]["id"]) if page else place
        body: dict[str, Any] = {
            kind: [_shown(one) for one in page],
            "after_cursor": base64.b64encode(json.dumps(last).encode()).decode(),
            "end_of_stream": len(page) == len(found),
        }
        if values(query, "include") == ["metric_sets"]:
            body["metric_sets"] = [
                {"id": 9, "ticket_id": one["id"]} | one["_metrics"] for one in page if "_metrics" in one
            ]
        return Reply(body)

    def _by_time(self, kind: str, query: Query) -> Reply:
        since = int(values(query, "start_time")[0])
        if since > self.now - 60:
            return self.error(422, "Too recent start_time. Use a start_time older than 1 minute")
        found = self._since(kind, (since, -1))
        until = found[-1]["_changed"] if found else since
        return Reply(
            {kind: [_shown(one) for one in found], "count": len(found), "end_time": until, "end_of_stream": True}
        )


def _shown(one: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in one.items() if not name.startswith("_")}
