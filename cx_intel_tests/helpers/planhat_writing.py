"""Planhat as its documentation describes what writes to it: bulk upserts, dimension data, tasks, and their limits.

Bulk upserts create what they do not find, take 5,000 items, and may refuse a part (206); custom fields have to be there
before. 200 requests a minute of its own clock.
"""

import json
import re
from typing import Any

from cx_intel_tests.helpers.vendor_server import Asked, Query, Reply, StandIn, values

TOKEN, TENANT = "phtoken0123456789abcdef", "tenant-0123-secret"
A_MINUTE = 200
LARGEST = {"companies": 5_000, "tasks": 10_000}
CUSTOM = {"cx Health Score": float, "cx Health Tier": str, "cx Churn Risk": bool}
DIMENSION = re.compile(r"^[A-Za-z0-9_]+$")


class PlanhatWritingStandIn(StandIn):
    """One tenant.

    Attributes:
        now: Its clock; `sleep` moves it.
        companies: By externalId.
        metrics: External id, dimension and day: the value.
        tasks: By `_id`.
        refused: External id: why a change of the company is refused.
        custom: Custom fields that are there, with their types.
    """

    def __init__(self, count: int = 0, now: float = 1_750_000_000):
        super().__init__()
        self.now = now
        self.companies: dict[str, dict[str, Any]] = {}
        self.metrics: dict[tuple[str, str, str], float] = {}
        self.tasks: dict[str, dict[str, Any]] = {}
        self.refused: dict[str, str] = {}
        self.custom = dict(CUSTOM)
        self.token = TOKEN
        self.times: list[float] = []
        self.busiest = 0
        for n in range(1, count + 1):
            self.put(f"A{n:02}")

    def put(self, external_id: str, **given: Any) -> dict[str, Any]:
        """Makes a company, or changes it by hand."""
        n = len(self.companies)
        new = {"_id": f"{n:024x}", "name": external_id, "externalId": external_id, "owner": "u" * 24, "custom": {}}
        company = self.companies.setdefault(external_id, new)
        custom = company["custom"] | given.pop("custom", {})
        company.update(given | {"custom": custom})
        return company

    def field(self, external_id: str, name: str) -> Any:
        return self.companies[external_id]["custom"].get(name)

    def sleep(self, seconds: float) -> None:
        self.now += seconds

    def error(self, status: int, message: str, **more: Any) -> Reply:
        headers = {"Retry-After": str(more["retry_after"])} if "retry_after" in more else {}
        return Reply({"message": message}, status, headers)

    def answer(self, asked: Asked, fault: str) -> Reply:
        if asked.headers.get("Authorization") != f"Bearer {self.token}":
            return self.error(401, f"Unauthorized: {asked.headers.get('Authorization')}")
        self.times = [at for at in self.times if at > self.now - 60] + [self.now]
        self.busiest = max(self.busiest, len(self.times))
        if len(self.times) > A_MINUTE:
            return self.error(429, "Too many requests", retry_after=10)
        parts = asked.path.strip("/").split("/")
        if parts[0] == "dimensiondata" and asked.method == "POST":
            return self._dimensions(parts[1], asked.body)
        if parts[0] in LARGEST and asked.method == "GET" and len(parts) == 1:
            return self._list(parts[0], asked.query)
        if parts == ["companies"] and asked.method == "PUT":
            return self._upsert(json.loads(asked.body), self._company)
        if parts == ["tasks"] and asked.method == "PUT":
            return self._upsert(json.loads(asked.body), self._task)
        if parts[0] == "tasks" and asked.method == "DELETE":
            return Reply({"n": 1}) if self.tasks.pop(parts[1], None) else self.error(404, "No such task")
        return self.error(404, f"Cannot {asked.method} {asked.path}")

    def _list(self, kind: str, query: Query) -> Reply:
        known = {"limit", "offset", "select", "isArchived", "companyId"}
        if unknown := [name for name, _ in query if name not in known]:
            return self.error(400, f"Unknown parameter {unknown[0]}")
        limit, offset = (
            int((values(query, name) or [default])[0]) for name, default in (("limit", "100"), ("offset", "0"))
        )
        if limit > LARGEST[kind]:
            return self.error(400, f"limit cannot exceed {LARGEST[kind]}")
        listed = list((self.companies if kind == "companies" else self.tasks).values())
        if kind == "tasks":
            is_archived = values(query, "isArchived") == ["true"]
            listed = [task for task in listed if bool(task.get("isArchived")) == is_archived]
        chosen = set((values(query, "select") or [""])[0].split(",")) - {""}
        shown = [{k: v for k, v in one.items() if not chosen or k in chosen} for one in listed]
        return Reply(shown[offset : offset + limit])

    def _upsert(self, items: list[dict[str, Any]], one: Any) -> Reply:
        if len(items) > 5_000:
            return self.error(400, "Too many items in bulk operation, max 5000")
        done: dict[str, Any] = {"created": 0, "updated": 0, "insertsKeys": [], "updatesKeys": [], "nonupdates": 0}
        done |= {"createdErrors": [], "updatedErrors": [], "permissionErrors": [], "modified": [], "upsertedIds": []}
        for item in items:
            one(item, done)
        failed = len(done["createdErrors"]) + len(done["updatedErrors"])
        status = 200 if not failed else 400 if failed == len(items) else 206
        return Reply(done, status)

    def _company(self, item: dict[str, Any], done: dict[str, Any]) -> None:
        own = (c["externalId"] for c in self.companies.values() if item.get("_id") and c["_id"] == item["_id"])
        key = str(item.get("externalId") or next(own, ""))
        wrong = self.refused.get(key) or next(
            (
                f'"{name}" is not a custom field' if name not in self.custom else f'"{name}" has the wrong type'
                for name, value in item.get("custom", {}).items()
                if name not in self.custom or (value is not None and not _is(value, self.custom[name]))
            ),
            "",
        )
        if wrong:
            done["updatedErrors"].append({"item": {"externalId": key}, "message": wrong})
        elif key in self.companies:
            self.put(key, custom=dict(item.get("custom", {}).items()))
            custom = self.companies[key]["custom"]
            self.companies[key]["custom"] = {n: v for n, v in custom.items() if v is not None}
            done["updated"] += 1
            done["updatesKeys"].append({"_id": self.companies[key]["_id"], "externalId": key})
        else:
            self.put(key, custom=item.get("custom", {}))
            done["created"] += 1

    def _task(self, item: dict[str, Any], done: dict[str, Any]) -> None:
        if item.get("companyId") not in {company["_id"] for company in self.companies.values()}:
            done["createdErrors"].append({"sourceId": item.get("sourceId"), "message": "companyId is not valid"})
            return
        there = next((task for task in self.tasks.values() if task["sourceId"] == item["sourceId"]), None)
        task = there or {"_id": f"t{len(self.tasks):023x}", "isArchived": False}
        self.tasks[task["_id"]] = task | item
        done["updated" if there else "created"] += 1

    def _dimensions(self, tenant: str, body: str) -> Reply:
        if tenant != TENANT:
            return self.error(403, f"Unknown tenant {tenant}")
        if len(body.encode()) > 32_000_000:
            return Reply("request entity too large", 413)
        errors = []
        for at, one in enumerate(json.loads(body)):
            if not DIMENSION.match(one.get("dimensionId", "")) or not _is(one.get("value"), float):
                errors.append({"index": at, "error": "Invalid dimensionId or value"})
            elif one.get("externalId") not in self.companies or one.get("model", "Company") != "Company":
                errors.append({"index": at, "error": "No such company"})
            else:
                self.metrics[one["externalId"], one["dimensionId"], one["date"]] = one["value"]
        return Reply({"processed": len(json.loads(body)) - len(errors), "errors": errors})


def _is(value: Any, kind: type) -> bool:
    if kind is float:
        return isinstance(value, int | float) and not isinstance(value, bool)
    return isinstance(value, kind)
