"""Writes to Planhat: fields of companies in bulk, found by their externalId, dimension data, and tasks.

Facts are from Planhat's documentation: a bulk upsert creates what it does not find, so that only companies that were read
before are sent; a part of it may be refused, in lists whose names end in `Errors`. What is sent is decided in `plan.py`.
"""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Any
from urllib.parse import quote

import pandas as pd

from cx_intel.settings.outputs.write_back import PlanhatWriting
from cx_intel.sources.vendors.answers import ABSENT, BAD, Answer, Passing, refusals_of, said_in
from cx_intel.sources.vendors.http import MOST_SAID, ApiClient, Clock
from cx_intel.sources.vendors.pace import Pace
from cx_intel.sources.vendors.planhat import ASKED_A_MINUTE, pages
from cx_intel.sources.vendors.sign_in import FORBIDDEN, Bearer
from cx_intel.sync.values import NUMBER, canonical, typed
from cx_intel.sync.writers.writer import COMPANY, DIMENSION, OWNER, PRESENT, Record, TaskDraft, Written

MOST_ITEMS = 5_000
"""Of one bulk request."""
MOST_VALUES, MOST_BYTES = 100_000, 30_000_000
"""Of one post of dimension data, which may have 32 MB."""
PARTLY = (BAD, FORBIDDEN, 413, 422)
"""Statuses that may be about what was sent, and of a bulk request may tell which part was refused."""
TO_DO = "What was sent stays; the next sync goes on from there."
COMPANIES, TASKS = "companies", "tasks"


def planhat_clients(
    writing: PlanhatWriting, token: str, tenant: str, variables: tuple[str, str], clock: Clock
) -> tuple[ApiClient, ApiClient]:
    """The clients of the API and of the host that takes dimension data, which keep to one pace."""
    pace = Pace(ASKED_A_MINUTE)
    sign_in = Bearer(token, variables[0], "the right to read and update companies and tasks")
    with_tenant = _InPath(token, " and ".join(filter(None, variables)), "the right to write metrics", tenant)
    api = ApiClient("Planhat", writing.host, sign_in, clock=clock, pace=pace, to_do=TO_DO)
    return api, ApiClient("Planhat", writing.analytics_host, with_tenant, clock=clock, pace=pace, to_do=TO_DO)


@dataclass(frozen=True)
class _InPath(Bearer):
    """The sign-in of dimension data, for which the tenant's token stands in the path too."""

    tenant: str = field(default="", repr=False)

    def secrets(self) -> tuple[str, ...]:
        return (self.token, self.tenant, quote(self.tenant, safe=""))


class PlanhatWriter:
    """A `VendorWriter` for Planhat."""

    name = "planhat"
    objects: tuple[str, ...] = (COMPANY, DIMENSION)
    parent = COMPANY

    def __init__(self, writing: PlanhatWriting, api: ApiClient, analytics: ApiClient, tenant: str, as_of: date):
        self.writing, self.api, self.analytics, self.tenant, self.as_of = writing, api, analytics, tenant, as_of
        self.clients: Sequence[ApiClient] = (api, analytics)
        self._externals: dict[str, str] = {}

    def key_of(self, external_id: str) -> str:
        return external_id

    def refusals(self) -> list[str]:
        return refusals_of((COMPANIES,), lambda name: self.api.get(f"/{name}", {"limit": 1}))

    def most(self, name: str) -> int:
        return MOST_ITEMS

    def present(self, keys: Sequence[str]) -> Iterator[pd.DataFrame]:
        fields = dict.fromkeys(self.writing.fields.values())
        wanted = dict.fromkeys(["_id", "externalId", "owner", *(f.split(".", 1)[0] for f in fields)])
        for page in pages(self.api, COMPANIES, {"select": ",".join(wanted)}):
            rows = []
            for company in page:
                own, external = str(company["_id"]), str(company.get("externalId") or "")
                self._externals[own] = external
                values = {name: canonical(_value_at(company, name)) for name in fields}
                values[OWNER] = canonical(company.get("owner"))
                for key in filter(None, (external, own if self.writing.system else "")):
                    rows += [(COMPANY, key, own, name, value) for name, value in values.items()]
            yield pd.DataFrame(rows, columns=list(PRESENT), dtype=object)

    def write(self, name: str, records: Sequence[Record]) -> Mapping[str, Written]:
        return self._companies(records) if name == COMPANY else self._dimensions(records)

    def _companies(self, records: Sequence[Record]) -> Mapping[str, Written]:
        names = ("_id" if record.key == record.record_id else "externalId" for record in records)
        items = [{name: record.key, **_nested(record)} for name, record in zip(names, records, strict=True)]
        ids = {str(record.record_id): record.key for record in records}
        return self._upserted("/companies", items, [record.key for record in records], ids)

    def _upserted(
        self, path: str, items: Sequence[Mapping[str, Any]], keys: Sequence[str], ids: Mapping[str, str] | None = None
    ) -> dict[str, Written]:
        answer = self._send(self.api, "PUT", path, _json(items), accepts=PARTLY)
        reasons = _reasons(self.api, answer, path, keys, ids or {})
        return {key: Written(reasons.get(key, ""), str(answer.status)) for key in keys}

    def _dimensions(self, records: Sequence[Record]) -> Mapping[str, Written]:
        without = [record.key for record in records if not self._external(record)]
        written = {key: Written("the company has no externalId, by which dimension data are told") for key in without}
        for part in _within_bytes(self._values(records)):
            path = f"/dimensiondata/{quote(self.tenant, safe='')}"
            content = b"[" + b",".join(value for _, value in part) + b"]"
            answer = self._send(self.analytics, "POST", path, content, accepts=PARTLY)
            keys = [key for key, _ in part]
            reasons = _reasons(self.analytics, answer, path, keys, {})
            for key in keys:
                if key in reasons or key not in written:
                    written[key] = Written(reasons.get(key, ""), str(answer.status))
        return written

    def _values(self, records: Iterable[Record]) -> Iterator[tuple[str, bytes]]:
        shared = {"model": "Company", "date": self.as_of.isoformat()}
        for record in records:
            external = self._external(record)
            for dimension, value in record.values.items():
                if value is not None and external:
                    one = {"dimensionId": dimension, "value": typed(value, NUMBER), "externalId": external}
                    yield record.key, _json(one | shared)

    def _external(self, record: Record) -> str:
        """The externalId of a company; empty where it has none."""
        return self._externals.get(record.key, "") if record.key == record.record_id else record.key

    def tasks_there(self, keys: Sequence[str]) -> Mapping[str, tuple[str, bool]]:
        wanted, found = set(keys), {}
        for archived in ("false", "true"):
            for page in pages(self.api, TASKS, {"isArchived": archived}):
                for task in page:
                    if task.get("sourceId") in wanted:
                        is_open = archived == "false" and not task.get("dateDone")
                        found[str(task["sourceId"])] = (str(task["_id"]), is_open)
        return found

    def create_tasks(self, drafts: Sequence[TaskDraft]) -> Mapping[str, Written]:
        items = [
            {
                "sourceId": d.key,
                "mainType": "task",
                "companyId": d.record_id,
                "action": d.subject,
                "description": d.text,
            }
            | {"startTime": d.due, **({"ownerId": d.owner} if d.owner else {})}
            for d in drafts
        ]
        written = self._upserted("/tasks", items, [d.key for d in drafts])
        there = self.tasks_there([key for key, one in written.items() if not one.reason])
        return {key: replace(one, record_id=there.get(key, (None, True))[0]) for key, one in written.items()}

    def remove_tasks(self, ids: Sequence[str]) -> Mapping[str, Written]:
        done = {}
        for one in ids:
            answer = self._send(self.api, "DELETE", f"/tasks/{quote(one, safe='')}", None, accepts=(ABSENT,))
            done[one] = Written("", str(answer.status))
        return done

    def _send(self, client: ApiClient, method: str, path: str, content: bytes | None, **more: Any) -> Answer:
        return client.send(method, path, content=content, whole=None if method == "DELETE" else Answer.json, **more)


def _value_at(company: Mapping[str, Any], name: str) -> Any:
    of = company.get("custom") or {} if name.startswith("custom.") else company
    return of.get(name.removeprefix("custom."))


def _nested(record: Record) -> dict[str, Any]:
    item: dict[str, Any] = {}
    for name, value in record.values.items():
        one = typed(value, record.kinds[name])
        if name.startswith("custom."):
            item.setdefault("custom", {})[name.removeprefix("custom.")] = one
        else:
            item[name] = one
    return item


def _json(content: Any) -> bytes:
    return json.dumps(content, ensure_ascii=False, separators=(",", ":")).encode()


def _within_bytes(values: Iterable[tuple[str, bytes]]) -> Iterator[list[tuple[str, bytes]]]:
    part: list[tuple[str, bytes]] = []
    size = 2
    for value in values:
        if part and (len(part) >= MOST_VALUES or size + len(value[1]) + 1 > MOST_BYTES):
            yield part
            part, size = [], 2
        part.append(value)
        size += len(value[1]) + 1
    if part:
        yield part


def _reasons(
    client: ApiClient, answer: Answer, path: str, keys: Sequence[str], ids: Mapping[str, str]
) -> dict[str, str]:
    """Why records of a request were refused, by their keys; all of them where it does not say which.

    Raises RequestRefused where it is the sender who is refused, and not what is sent.
    """
    try:
        given = answer.json()
    except Passing:
        given = None
    errors = list(_errors(given)) if isinstance(given, dict) else []
    if not answer.is_success and not errors:
        if answer.status == FORBIDDEN:
            client.refuse(answer, path)
        said, _ = said_in(answer.content)
        return dict.fromkeys(keys, client.without_secrets(said)[:MOST_SAID] or f"refused with {answer.status}")
    places = {key: at for at, key in enumerate(keys)}
    found = {
        key: client.without_secrets(_words(error))[:MOST_SAID]
        for error in errors
        if (key := _key_of_error(error, keys, places, ids)) is not None
    }
    if errors and not found:
        return dict.fromkeys(keys, client.without_secrets(_words(errors[0]))[:MOST_SAID])
    return found


def _errors(given: Mapping[str, Any]) -> Iterator[Any]:
    for name, listed in given.items():
        if name.lower().endswith("errors") and isinstance(listed, list):
            yield from listed


def _words(error: Any) -> str:
    if isinstance(error, dict):
        found = next(
            (error[n] for n in ("message", "error", "msg", "errmsg", "reason") if isinstance(error.get(n), str)), ""
        )
        return found or json.dumps(error, ensure_ascii=False)
    return str(error)


def _key_of_error(error: Any, keys: Sequence[str], places: Mapping[str, int], ids: Mapping[str, str]) -> str | None:
    """Which record an error is about, wherever it says so: by our key, the vendor's id, or the place in what was sent."""
    if not isinstance(error, dict):
        return None
    nested = [value for value in error.values() if isinstance(value, dict)]
    for of in (error, *nested):
        for name in ("externalId", "sourceId"):
            if str(of.get(name)) in places:
                return str(of[name])
        if found := ids.get(str(of.get("_id"))) or ids.get(str(of.get("id"))):
            return found
    at = str(error.get("index"))
    return keys[int(at)] if at.isdigit() and int(at) < len(keys) else None
