"""Writes to Salesforce: fields of accounts and renewal opportunities by the Bulk API 2.0, and tasks.

Facts are from Salesforce's documentation: a job is created, filled once, closed and looked at until it ends; an empty cell
leaves a field as it is and `#N/A` empties it. What is sent is decided in `plan.py`.
"""

import csv
import io
import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import pandas as pd

from cx_intel.settings.outputs.write_back import SalesforceWriting
from cx_intel.sources.errors import SourceError
from cx_intel.sources.vendors.answers import BAD, Answer, Refused, refusals_of
from cx_intel.sources.vendors.http import ApiClient, Clock
from cx_intel.sources.vendors.salesforce_api import API, QUOTA, ended_job, pages, salesforce_client
from cx_intel.sources.vendors.sign_in import SignIn
from cx_intel.sync.values import canonical
from cx_intel.sync.writers.writer import (
    ACCOUNT,
    CLOSES_ON,
    OF_ACCOUNT,
    OPPORTUNITY,
    OWNER,
    PRESENT,
    Record,
    TaskDraft,
    Written,
)

KEY_LENGTH = 15
"""An id is its first 15 characters; the others only tell its capitals."""
OF_AN_ACCOUNT = re.compile(r"^001[A-Za-z0-9]{1,15}$")
"""Ids of others are not asked for: one that is none makes Salesforce refuse all that are asked for with it."""
MOST_RECORDS = 10_000
"""Of one job, which may have 150 MB: some of these have a hundredth of it."""
MOST_IDS, MOST_TASKS = 300, 200
"""Of one query, which stands in an address, and of one request that creates or removes."""
LONGEST_JOB = 3_600.0
"""Seconds after which a sync gives a job up."""
UPLOADS, READINGS = 3, 3
"""How often a job is begun anew, and its results are asked for, where a part of them was lost."""
EMPTIED = "#N/A"
FORECAST = "ForecastCategoryName"
LOCKED = "UNABLE_TO_LOCK_ROW"
"""Why a record is refused that somebody else is writing to: it is sent once more."""
TO_DO = "What was sent stays; the next sync goes on from there."


def salesforce_write_client(host: str, sign_in: SignIn, clock: Clock) -> ApiClient:
    """A client of Salesforce that writes."""
    client = salesforce_client(host, sign_in, clock)
    client.to_do, client.advice = TO_DO, _advice
    return client


def _advice(refused: Refused) -> str:
    if refused.code == QUOTA:
        used = refused.headers.get("Sforce-Limit-Info", "")
        return f"The requests of 24 hours are used up{f' ({used})' if used else ''}. {TO_DO}"
    if refused.code in ("INVALID_FIELD", "INVALID_TYPE", "INVALID_FIELD_FOR_INSERT_UPDATE"):
        return "Create the field, or give the user of the client the right to read and edit it."
    return ""


class SalesforceWriter:
    """A `VendorWriter` for Salesforce."""

    name = "salesforce"
    parent = ACCOUNT

    def __init__(self, writing: SalesforceWriting, api: ApiClient):
        self.writing, self.api = writing, api
        self.clients: Sequence[ApiClient] = (api,)
        self.objects: tuple[str, ...] = (ACCOUNT, OPPORTUNITY) if writing.opportunities else (ACCOUNT,)

    def key_of(self, external_id: str) -> str:
        return external_id[:KEY_LENGTH]

    def refusals(self) -> list[str]:
        opportunities = self.writing.opportunities
        read = {
            ACCOUNT: [*self.writing.fields.values(), self.writing.owner_field],
            **({OPPORTUNITY: [opportunities.risk_flag]} if opportunities else {}),
        }

        def ask(name: str) -> object:
            query = f"SELECT Id, {', '.join(dict.fromkeys(read[name]))} FROM {name} LIMIT 1"
            return self.api.get(f"{API}/query", {"q": query})

        return refusals_of(read, ask)

    def most(self, name: str) -> int:
        return MOST_RECORDS

    def present(self, keys: Sequence[str]) -> Iterator[pd.DataFrame]:
        ids = [key for key in keys if OF_AN_ACCOUNT.match(key)]
        fields = dict.fromkeys([*self.writing.fields.values(), self.writing.owner_field])
        for some in _parts(ids, MOST_IDS):
            query = f"SELECT Id, {', '.join(fields)} FROM Account WHERE Id IN ({_listed(some)})"
            yield from self._frames(ACCOUNT, query, {name: name for name in self.writing.fields.values()} | {
                OWNER: self.writing.owner_field
            })  # fmt: skip
            if self.writing.opportunities:
                yield from self._opportunities(some)

    def _opportunities(self, accounts: Sequence[str]) -> Iterator[pd.DataFrame]:
        opportunities = self.writing.opportunities
        assert opportunities is not None
        written = [opportunities.risk_flag, *([FORECAST] if opportunities.forecast_category else [])]
        query = (
            f"SELECT Id, AccountId, CloseDate, {', '.join(written)} FROM Opportunity WHERE IsClosed = false "
            f"AND Type = {_quoted(opportunities.type)} AND AccountId IN ({_listed(accounts)})"
        )
        read = {name: name for name in written} | {OF_ACCOUNT: "AccountId", CLOSES_ON: "CloseDate"}
        yield from self._frames(OPPORTUNITY, query, read)

    def _frames(self, name: str, query: str, read: Mapping[str, str]) -> Iterator[pd.DataFrame]:
        for page in self._query(query):
            rows = []
            for record in page:
                key = self.key_of(str(record["Id"]))
                for field, of in read.items():
                    value = canonical(record.get(of))
                    told = self.key_of(value) if field == OF_ACCOUNT and value else value
                    rows.append((name, key, str(record["Id"]), field, told))
            yield pd.DataFrame(rows, columns=list(PRESENT), dtype=object)

    def _query(self, query: str) -> Iterator[list[Mapping[str, Any]]]:
        path = f"{API}/query"
        yield from pages(self.api, self.api.get(path, {"q": query}), path)

    def write(self, name: str, records: Sequence[Record]) -> Mapping[str, Written]:
        written = self._by_job(name, records)
        locked = [record for record in records if written[record.key].reason.startswith(LOCKED)]
        return {**written, **(self._by_job(name, locked) if locked else {})}

    def _by_job(self, name: str, records: Sequence[Record]) -> dict[str, Written]:
        """What became of the records of one job.

        Raises:
            SourceError: The job itself failed, and no record was refused: what it did not come to is sent again.
        """
        job = self._uploaded(name, _csv(records))
        ended = ended_job(self.api, f"{API}/jobs/ingest/{job}", LONGEST_JOB)
        told, reason = f"job {job}", self._said(str(ended.get("errorMessage") or f"the job ended as {ended['state']}"))
        if ended["state"] != "JobComplete":
            raise SourceError(f"Salesforce did not do the job {job} of {name}: {reason}. {TO_DO}")
        for _ in range(READINGS):
            written = self._results(job, told)
            if all(record.key in written for record in records):
                break  # else an answer was cut
        return {record.key: written.get(record.key, Written(reason, told)) for record in records}

    def _results(self, job: str, told: str) -> dict[str, Written]:
        """What became of the records of a job, by their keys."""
        taken = (row.get("sf__Id") or row.get("Id") or "" for row in self._rows(job, "successfulResults"))
        written = {self.key_of(one): Written("", told) for one in taken}
        for row in self._rows(job, "failedResults"):
            if error := row.get("sf__Error"):
                written[self.key_of(row.get("Id") or row.get("sf__Id") or "")] = Written(self._said(error), told)
        return written

    def _said(self, text: str) -> str:
        return self.api.without_secrets(text)[:500] or "refused"

    def _uploaded(self, name: str, content: bytes) -> str:
        """A job that was filled and closed; one that may have been filled half is given up, and another is begun."""
        asked = {"object": name, "operation": "update", "contentType": "CSV", "lineEnding": "LF"}
        path = f"{API}/jobs/ingest"
        for attempt in range(UPLOADS):
            made = self.api.send("POST", path, content=json.dumps(asked).encode(), whole=Answer.json).json()
            job = str(made["id"])
            try:
                batches = f"{path}/{job}/batches"
                self.api.send("PUT", batches, content=content, content_type="text/csv; charset=UTF-8", repeats=False)
            except SourceError:
                self._set_state(job, "Aborted")
                if attempt == UPLOADS - 1:
                    raise
            else:
                self._set_state(job, "UploadComplete")
                return job
        raise AssertionError("the last attempt returns or raises")

    def _set_state(self, job: str, state: str) -> None:
        """Sets the state of a job; one that has it already says so by a refusal."""
        content = json.dumps({"state": state}).encode()
        self.api.send("PATCH", f"{API}/jobs/ingest/{job}", content=content, accepts=(BAD,))

    def _rows(self, job: str, which: str) -> Iterator[dict[str, str]]:
        answer = self.api.send("GET", f"{API}/jobs/ingest/{job}/{which}/", whole=Answer.text)
        yield from csv.DictReader(io.StringIO(answer.text()))

    def tasks_there(self, keys: Sequence[str]) -> Mapping[str, tuple[str, bool]]:
        field, found = self.writing.task_key, {}
        for some in _parts(keys, MOST_IDS // 3):
            query = f"SELECT Id, {field}, IsClosed FROM Task WHERE {field} IN ({_listed(some)})"
            for page in self._query(query):
                found.update({str(task[field]): (str(task["Id"]), not task["IsClosed"]) for task in page})
        return found

    def create_tasks(self, drafts: Sequence[TaskDraft]) -> Mapping[str, Written]:
        written: dict[str, Written] = {}
        for some in _parts(drafts, MOST_TASKS):
            content = {"allOrNone": False, "records": [self._task(draft) for draft in some]}
            answer = self.api.send(
                "POST", f"{API}/composite/sobjects", content=json.dumps(content).encode(), repeats=False
            )
            for draft, told in zip(some, answer.json(), strict=True):
                reason = "; ".join(str(error.get("message")) for error in told.get("errors") or ())
                refused = "" if told.get("success") else self._said(reason)
                written[draft.key] = Written(refused, str(answer.status), told.get("id"))
        return written

    def _task(self, draft: TaskDraft) -> dict[str, Any]:
        task = {"WhatId": draft.record_id, "Subject": draft.subject, "Description": draft.text}
        task |= {
            "ActivityDate": draft.due,
            "Status": "Not Started",
            "Priority": "High",
            self.writing.task_key: draft.key,
        }
        return {"attributes": {"type": "Task"}} | task | ({"OwnerId": draft.owner} if draft.owner else {})

    def remove_tasks(self, ids: Sequence[str]) -> Mapping[str, Written]:
        written: dict[str, Written] = {}
        for some in _parts(ids, MOST_TASKS):
            parameters = {"ids": ",".join(some), "allOrNone": "false"}
            answer = self.api.send("DELETE", f"{API}/composite/sobjects", parameters=parameters, whole=Answer.json)
            for one, told in zip(some, answer.json(), strict=True):
                reason = "; ".join(str(error.get("message")) for error in told.get("errors") or ())
                written[one] = Written("" if told.get("success") else self._said(reason), str(answer.status))
        return written


def _csv(records: Sequence[Record]) -> bytes:
    """The records as a job takes them."""
    fields = list(dict.fromkeys(name for record in records for name in record.values))
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["Id", *fields])
    for record in records:
        cells = [_cell(record.values[name]) if name in record.values else "" for name in fields]
        writer.writerow([record.record_id, *cells])
    return text.getvalue().encode()


def _cell(value: str | None) -> str:
    return EMPTIED if value is None else value


def _parts(listed: Sequence[Any], most: int) -> Iterator[Sequence[Any]]:
    yield from (listed[at : at + most] for at in range(0, len(listed), most))


def _listed(values: Iterable[str]) -> str:
    return ", ".join(map(_quoted, values))


def _quoted(value: str) -> str:
    return "'" + value.replace("\\", "\\\\").replace("'", "\\'") + "'"
