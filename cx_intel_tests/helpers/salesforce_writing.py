"""Salesforce as its documentation describes what writes to it: client credentials, SOQL, jobs of the Bulk API 2.0, collections.

A job is filled once, closed, and ends some looks later; the requests of a day end with 403. Reading by jobs is in another
stand-in.
"""

import csv
import io
import json
import re
from typing import Any
from urllib.parse import parse_qsl

from cx_intel_tests.helpers.vendor_server import Asked, Reply, StandIn, values

CLIENT, SECRET = "sfclient0123456789", "sfsecret0123456789abcdef"
LIFETIME = 1800
API = "/services/data/v62.0"
PAGE = 2_000
WRITABLE = {
    "Account": {"Planhat_Health_Score__c": float, "Planhat_Health_Tier__c": str, "Churn_Risk_Flag__c": bool},
    "Opportunity": {"Renewal_Risk__c": bool, "ForecastCategoryName": str},
}
QUERY = re.compile(r"^SELECT (.+) FROM (\w+) (?:WHERE (.+)|LIMIT \d+)$")
CONDITION = re.compile(r"(\w+) (?:= ('(?:[^'\\]|\\.)*'|true|false)|IN \(([^)]*)\))")
TEXT = re.compile(r"'((?:[^'\\]|\\.)*)'")


def account_id(n: int) -> str:
    """The long id of an account."""
    return f"001A{n:011d}AAA"


class SalesforceWritingStandIn(StandIn):
    """One organisation.

    Attributes:
        now: Its clock; `sleep` moves it.
        records: Object: its records by their long id.
        refused: Id: why a change of the record is refused.
        quota: Requests that are left today.
        looks: How often a job is looked at before it ends.
        failing_jobs: How many of the next jobs fail as a whole.
        locked: Id of a record: how often a change of it is refused, since somebody else writes to it.
    """

    def __init__(self, accounts: int = 0, now: float = 1_750_000_000):
        super().__init__()
        self.now = now
        self.records: dict[str, dict[str, dict[str, Any]]] = {"Account": {}, "Opportunity": {}, "Task": {}}
        self.writable = {name: dict(fields) for name, fields in WRITABLE.items()}
        self.refused: dict[str, str] = {}
        self.quota = 100_000
        self.looks = 2
        self.failing_jobs = 0
        self.locked: dict[str, int] = {}
        self.tokens: dict[str, float] = {}
        self.jobs: dict[str, dict[str, Any]] = {}
        for n in range(1, accounts + 1):
            fresh = {"OwnerId": "005000000000001AAA", "Churn_Risk_Flag__c": False}
            self.put("Account", account_id(n), **fresh)

    def put(self, name: str, key: str, **given: Any) -> None:
        """Makes a record, or changes it by hand."""
        self.records[name].setdefault(key, {"Id": key}).update(given)

    def sleep(self, seconds: float) -> None:
        self.now += seconds

    def error(self, status: int, message: str, **more: Any) -> Reply:
        headers = {"Retry-After": str(more["retry_after"])} if "retry_after" in more else {}
        return Reply([{"message": message, "errorCode": more.get("code", "UNKNOWN_EXCEPTION")}], status, headers)

    def answer(self, asked: Asked, fault: str) -> Reply:
        if asked.path == "/services/oauth2/token":
            return self._token(dict(parse_qsl(asked.body)))
        token = asked.headers.get("Authorization", "").removeprefix("Bearer ")
        if self.tokens.get(token, 0) <= self.now:
            return self.error(401, "Session expired or invalid", code="INVALID_SESSION_ID")
        self.quota -= 1
        if self.quota < 0:
            limit = {"Sforce-Limit-Info": "api-usage=100000/100000"}
            body = [{"message": "TotalRequests Limit exceeded.", "errorCode": "REQUEST_LIMIT_EXCEEDED"}]
            return Reply(body, 403, limit)
        path = asked.path.removeprefix(API)
        if asked.method == "GET" and path.startswith("/query"):
            return self._query(asked, path)
        if path.startswith("/jobs/ingest"):
            return self._job(asked, [part for part in path.split("/") if part][2:])
        if path == "/composite/sobjects" and asked.method == "POST":
            return self._create(json.loads(asked.body))
        if path == "/composite/sobjects" and asked.method == "DELETE":
            ids = values(asked.query, "ids")[0].split(",")
            return Reply([self._deleted(one) for one in ids])
        return self.error(404, "The requested resource does not exist", code="NOT_FOUND")

    def _token(self, asked: dict[str, str]) -> Reply:
        if asked.get("grant_type") != "client_credentials":
            return Reply({"error": "unsupported_grant_type", "error_description": "grant type not supported"}, 400)
        if (asked.get("client_id"), asked.get("client_secret")) != (CLIENT, SECRET):
            told = f"invalid client credentials {asked.get('client_secret')}"
            return Reply({"error": "invalid_client", "error_description": told}, 400)
        token = f"00Dtoken{len(self.tokens):04}"
        self.tokens[token] = self.now + LIFETIME
        return Reply({"access_token": token, "instance_url": self.host, "token_type": "Bearer"})

    def _query(self, asked: Asked, path: str) -> Reply:
        if path.startswith("/query/"):
            name, offset = path.removeprefix("/query/").split("-")
            fields, found = self.cursors[name]
            return self._page(name, fields, found, int(offset))
        query = values(asked.query, "q")[0]
        if len(query) > 8_000 or not (parsed := QUERY.match(query)):
            return self.error(
                414 if len(query) > 8_000 else 400, f"unexpected token: {query[:40]}", code="MALFORMED_QUERY"
            )
        fields, name = [field.strip() for field in parsed[1].split(",")], parsed[2]
        known = {"Id", "AccountId", "CloseDate", "OwnerId", "CSM_Owner__c", "IsClosed", "CX_Intel_Key__c", "Type"}
        if unknown := [f for f in fields if f not in known | set(self.writable.get(name, {}))]:
            return self.error(400, f"No such column '{unknown[0]}' on entity '{name}'.", code="INVALID_FIELD")
        found = [
            one
            for one in self.records[name].values()
            if all(_holds(one, *c) for c in CONDITION.findall(parsed[3] or ""))
        ]
        cursor = f"01g{len(self.asked):06}"
        return self._page(cursor, fields, found, 0)

    @property
    def cursors(self) -> dict[str, tuple[list[str], list[dict[str, Any]]]]:
        return self.__dict__.setdefault("_cursors", {})

    def _page(self, cursor: str, fields: list[str], found: list[dict[str, Any]], offset: int) -> Reply:
        self.cursors[cursor] = (fields, found)
        page = [
            {"attributes": {"type": "x"}} | {f: one.get(f) for f in fields} for one in found[offset : offset + PAGE]
        ]
        is_done = offset + PAGE >= len(found)
        more = {} if is_done else {"nextRecordsUrl": f"{API}/query/{cursor}-{offset + PAGE}"}
        return Reply({"totalSize": len(found), "done": is_done, "records": page} | more)

    def _job(self, asked: Asked, parts: list[str]) -> Reply:
        if not parts:
            job = {"id": f"750{len(self.jobs):012}", "state": "Open", "looks": 0} | json.loads(asked.body)
            self.jobs[job["id"]] = job
            return Reply(_told(job))
        job = self.jobs[parts[0]]
        if parts[1:] == ["batches"]:
            if "content" in job or job["state"] != "Open":
                return self.error(400, "Found multiple contents for job", code="INVALIDJOBSTATE")
            if len(asked.body) > 150_000_000 or "text/csv" not in asked.headers.get("Content-Type", ""):
                return self.error(400, "Content is too large or no CSV", code="INVALIDJOB")
            job["content"] = asked.body
            return Reply("", 201)
        if asked.method == "PATCH":
            wanted = json.loads(asked.body)["state"]
            if job["state"] != "Open":
                return self.error(400, f"The job is in an invalid state: {job['state']}", code="INVALIDJOBSTATE")
            job["state"] = wanted
            if wanted == "UploadComplete":
                self._process(job)
            return Reply(_told(job))
        if parts[1:]:
            return Reply(job[parts[1]])
        job["looks"] += 1
        if job["state"] in ("UploadComplete", "InProgress"):
            job["state"] = job["end"] if job["looks"] > self.looks else "InProgress"
        return Reply(_told(job))

    def _process(self, job: dict[str, Any]) -> None:
        rows, fields = list(csv.DictReader(io.StringIO(job["content"]))), self.writable[job["object"]]
        header = job["content"].splitlines()[0]
        ok, failed = io.StringIO(), io.StringIO()
        columns = header.split(",")
        unknown = [name for name in columns if name != "Id" and name not in fields]
        job["end"] = "Failed" if unknown else "JobComplete"
        if unknown:
            job["errorMessage"] = f"InvalidBatch : Field name not found : {unknown[0]}"
            rows = []
        elif self.failing_jobs:
            self.failing_jobs -= 1
            job |= {"end": "Failed", "errorMessage": "InternalServerError : Job retries exhausted"}
            rows = []
        good = csv.writer(ok, lineterminator="\n")
        bad = csv.writer(failed, lineterminator="\n")
        good.writerow(["sf__Id", "sf__Created", *columns])
        bad.writerow(["sf__Id", "sf__Error", *columns])
        for row in rows:
            there = self.records[job["object"]].get(row["Id"])
            wrong = self.refused.get(row["Id"]) or ("" if there else "ENTITY_IS_DELETED:entity is deleted:--")
            if self.locked.get(row["Id"], 0) > 0:
                self.locked[row["Id"]] -= 1
                wrong = wrong or "UNABLE_TO_LOCK_ROW:unable to obtain exclusive access to this record:--"
            changes = {name: _typed(row[name], fields[name]) for name in columns if name != "Id" and row[name] != ""}
            wrong = wrong or next(
                (f"INVALID_TYPE_ON_FIELD_IN_RECORD:{n}:--" for n, v in changes.items() if v is ...), ""
            )
            if wrong or there is None:
                bad.writerow(["", wrong, *row.values()])
            else:
                there.update(changes)
                good.writerow([row["Id"], "false", *row.values()])
        job["successfulResults"], job["failedResults"] = ok.getvalue(), failed.getvalue()

    def _create(self, asked: dict[str, Any]) -> Reply:
        if len(asked["records"]) > 200:
            return self.error(400, "Maximum number of records is 200", code="EXCEEDED_ID_LIMIT")
        told = []
        for record in asked["records"]:
            given = {name: value for name, value in record.items() if name != "attributes"}
            if given.get("WhatId") not in self.records["Account"]:
                error = {
                    "statusCode": "FIELD_INTEGRITY_EXCEPTION",
                    "message": "Related To ID: id value of incorrect type",
                }
                told.append({"success": False, "errors": [error]})
                continue
            key = f"00T{len(self.records['Task']):012}AAA"
            self.put("Task", key, IsClosed=False, **given)
            told.append({"id": key, "success": True, "errors": []})
        return Reply(told)

    def _deleted(self, one: str) -> dict[str, Any]:
        gone = self.records["Task"].pop(one, None)
        missing = [{"statusCode": "ENTITY_IS_DELETED", "message": "entity is deleted"}]
        return {"id": one, "success": gone is not None, "errors": [] if gone else missing}


def _holds(record: dict[str, Any], field: str, equal: str, listed: str) -> bool:
    value = record.get(field)
    if listed:
        wanted = set(TEXT.findall(listed))
        return value is not None and (value in wanted or (field.endswith("Id") and str(value)[:15] in wanted))
    return value is (equal == "true") if equal in ("true", "false") else value == TEXT.findall(equal)[0]


def _typed(cell: str, kind: type) -> Any:
    if cell == "#N/A":
        return False if kind is bool else None
    if kind is bool:
        return {"true": True, "false": False}.get(cell, ...)
    try:
        return kind(cell)
    except ValueError:
        return ...


def _told(job: dict[str, Any]) -> dict[str, Any]:
    hidden = ("content", "successfulResults", "failedResults", "looks", "end")
    return {name: value for name, value in job.items() if name not in hidden}
