"""Planhat as its documentation describes what reads it: lists by limit and offset, and 200 calls a minute of its clock.

A list has no total and ends with an empty page; what is archived is listed only by `isArchived=true`. What writes to
Planhat is in `planhat_writing.py`.
"""

from typing import Any

from cx_intel_tests.helpers.vendor_server import Asked, Reply, StandIn

TOKEN = "phtoken0123456789abcdef"
A_MINUTE = 200
LARGEST = {"companies": 5_000, "endusers": 2_000, "licenses": 2_000, "churn": 1_000, "nps": 10_000, "tasks": 10_000,
           "users": 10_000}  # fmt: skip
PARAMETERS = ("limit", "offset", "sort", "select", "isArchived")


class PlanhatStandIn(StandIn):
    """One tenant.

    Attributes:
        now: Its clock, in seconds since 1970; `sleep` moves it.
        kept: List: its objects by id.
        page: Objects of a page at most, fewer than Planhat's, so that tests need not many.
        busiest: The most calls of any minute.
    """

    def __init__(self, now: float):
        super().__init__()
        self.now = float(now)
        self.kept: dict[str, dict[str, dict[str, Any]]] = {name: {} for name in LARGEST}
        self.page = 10_000
        self.token = TOKEN
        self.may_read = set(LARGEST)
        self.calls: list[float] = []
        self.busiest = 0

    def sleep(self, seconds: float) -> None:
        self.now += seconds

    def put(self, listed: str, /, **given: Any) -> None:
        """Makes an object, or changes one."""
        self.kept[listed][given["_id"]] = self.kept[listed].get(given["_id"], {}) | given

    def error(self, status: int, message: str, **more: Any) -> Reply:
        return Reply({"error": message}, status)

    def answer(self, asked: Asked, fault: str) -> Reply:
        self.calls = [at for at in self.calls if at > self.now - 60] + [self.now]
        self.busiest = max(self.busiest, len(self.calls))
        if len(self.calls) > A_MINUTE:
            return self.error(429, "Too many requests")
        if asked.headers.get("Authorization") != f"Bearer {self.token}":
            return self.error(401, f"Unknown token {asked.headers.get('Authorization')}")
        name, query = asked.path.strip("/"), dict(asked.query)
        if asked.method != "GET" or name not in LARGEST:
            return self.error(404, "Not found")
        if name not in self.may_read:
            return self.error(403, f"You may not view {name}")
        if unknown := [key for key in query if key not in PARAMETERS]:
            return self.error(400, f"Unknown parameter {unknown[0]}")
        limit, offset = int(query.get("limit", 100)), int(query.get("offset", 0))
        if limit > LARGEST[name] or offset < 0:
            return self.error(400, f"limit is at most {LARGEST[name]}")
        archived = query.get("isArchived") == "true"
        found = [one for one in self.kept[name].values() if name != "tasks" or bool(one.get("isArchived")) == archived]
        if fault == "repeated":
            offset = max(0, offset - min(limit, self.page))
        return Reply(found[offset : offset + min(limit, self.page)])
