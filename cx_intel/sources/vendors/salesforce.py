"""Reads Salesforce's objects: all of them at first and now and then, between that those changed since the last refresh.

A few are asked for by a query, many by a query job of the Bulk API 2.0; both with the deleted ones and with every field
that the user may see. Pages, jobs and signing in: `salesforce_api.py`.
"""

import csv
import hashlib
import io
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal, InvalidOperation
from typing import Any

from cx_intel.sources.errors import SourceError
from cx_intel.sources.files.content import as_text
from cx_intel.sources.vendors.answers import Answer, Passing, RequestRefused, refusals_of
from cx_intel.sources.vendors.drift import Fields
from cx_intel.sources.vendors.http import ApiClient
from cx_intel.sources.vendors.objects import DELETED, ID, Objects, row_of
from cx_intel.sources.vendors.salesforce_api import API, ended_job, pages

DAY = 86_400
OVERLAP = timedelta(hours=1)
"""Objects of the last hour before the newest one that was read are read again, since a transaction may end late."""
FEW = 2_000
"""So many objects at most come by a query; more by a job."""
LONGEST_QUERY = 8_000
"""A query of more signs goes by a job, whose text is in no address."""
JOB_PAGE, JOB_CELLS = 10_000, 500_000
"""A page of a job's results has so many records at most, and of objects with many fields so many cells."""
LONGEST_JOB = 7_200.0
"""Seconds after which a query job is given up."""
ATTEMPTS = 3
"""How often a query is begun anew whose place is forgotten, or which gives fewer objects than it counts."""
RESTARTS = ("INVALID_QUERY_LOCATOR", "QUERY_TIMEOUT")
MODIFIED, IS_DELETED = "SystemModstamp", "IsDeleted"
COMPOUND = ("address", "location", "base64", "complexvalue")
"""Types of fields that are made of others, or are files: no job gives them."""
NUMERIC = ("double", "currency", "percent", "int", "long")
MOST_IN_A_CELL = 10_000_000


@dataclass(frozen=True)
class Kind:
    """One kind of objects: what Salesforce calls it, and the fields that its table has even without any object."""

    name: str
    always: tuple[str, ...]


KINDS = {
    "user": Kind("User", ("Name",)),
    "account": Kind("Account", ("Name", "OwnerId", "ParentId", "MasterRecordId", "Type", "Website")),
    "contract": Kind("Contract", ("AccountId", "Status", "StartDate", "EndDate", "ContractTerm")),
    "opportunity": Kind("Opportunity", ("AccountId", "CloseDate", "StageName", "Amount", "Type", "IsWon", "IsClosed")),
    "task": Kind("Task", ("AccountId", "Subject", "Status", "ActivityDate", "IsClosed")),
    "contact": Kind("Contact", ("AccountId", "FirstName", "LastName", "Email", "Phone", "Title", "LastActivityDate")),
    "accountcontactrole": Kind("AccountContactRole", ("AccountId", "ContactId", "Role")),
}


@dataclass
class SalesforceReader:
    """What changed at Salesforce since the state that was remembered.

    Attributes:
        client: Of Salesforce.
        kinds: What is wanted.
        full_pass_days: After so many days all objects are read again, which finds what is gone for good.
        state: Kind: how far it was read; brought up to date as objects are given.
        fields: Kind: the fields that Salesforce describes.
    """

    client: ApiClient
    kinds: Sequence[str]
    full_pass_days: int
    state: dict[str, str]
    fields: dict[str, Fields] = field(default_factory=dict)

    def always(self, kind: str) -> tuple[str, ...]:
        return (*KINDS[kind].always, MODIFIED)

    def refusals(self) -> list[str]:
        def ask(kind: str) -> None:
            self._fields(kind)
            self.client.get(f"{API}/query", {"q": f"SELECT Id FROM {KINDS[kind].name} LIMIT 1"})

        return refusals_of(self.kinds, ask)

    def read(self) -> Iterator[Objects]:
        now = int(self.client.clock.now())
        for kind in self.kinds:
            fields = self._fields(kind)
            self.fields[kind] = Fields({name: {type_} for name, type_ in fields.items()}, is_whole=True)
            digest = hashlib.sha256(json.dumps(sorted(fields)).encode()).hexdigest()[:16]
            state = json.loads(self.state.get(kind, "{}"))
            is_full = state.get("fields") != digest or now - state["full_pass"] >= self.full_pass_days * DAY
            since = "" if is_full else state["since"]
            newest = state.get("since", "")
            for rows in self._rows(kind, fields, since):
                newest = max([newest, *(str(row[MODIFIED]) for row in rows if row.get(MODIFIED))])
                yield Objects(kind, rows)
            if is_full:
                yield Objects(kind, ends_pass=True)
            full_pass = now if is_full or not newest else state["full_pass"]
            self.state[kind] = json.dumps({"since": newest, "fields": digest, "full_pass": full_pass})

    def _fields(self, kind: str) -> dict[str, str]:
        """The fields of a kind that can be asked for, with their types."""
        path = f"{API}/sobjects/{KINDS[kind].name}/describe"
        described = self.client.get(path)
        listed = described.get("fields") if isinstance(described, dict) else None
        fields = {str(one["name"]): str(one["type"]) for one in listed or () if one.get("type") not in COMPOUND}
        if "Id" not in fields or MODIFIED not in fields:
            raise SourceError(f"Salesforce's answer to {path} describes no fields; nothing was changed.")
        return fields

    def _rows(self, kind: str, fields: Mapping[str, str], since: str) -> Iterator[list[dict[str, str | None]]]:
        """The objects since a moment, as pages; those of a query that was begun anew come again."""
        soql = f"SELECT {', '.join(fields)} FROM {KINDS[kind].name}"
        if since:
            bound = datetime.fromisoformat(since) - OVERLAP
            soql += f" WHERE {MODIFIED} >= {bound:%Y-%m-%dT%H:%M:%S}Z"
        for _ in range(ATTEMPTS):
            given = _Given()
            try:
                for page in self._pages(soql, given):
                    rows = [_row(one, fields, kind) for one in page]
                    given.ids.update(str(row[ID]) for row in rows)
                    yield rows
            except RequestRefused as error:
                if error.refused.code not in RESTARTS:
                    raise
                continue
            if len(given.ids) >= given.counted:
                return
        raise SourceError(
            f"Salesforce's query of {KINDS[kind].name} does not end, or gives fewer objects than it counts, begun {ATTEMPTS} "
            "times; nothing was changed. Refresh again later."
        )

    def _pages(self, soql: str, given: "_Given") -> Iterator[list[Mapping[str, Any]]]:
        if len(soql) <= LONGEST_QUERY:
            path, asked = f"{API}/queryAll", {"q": soql}
            page = self.client.get(path, asked)
            given.counted = int(page["totalSize"])
            if given.counted <= FEW:
                yield from pages(self.client, page, path)
                return
        yield from self._by_job(soql, given)

    def _by_job(self, soql: str, given: "_Given") -> Iterator[list[Mapping[str, Any]]]:
        wanted = {
            "operation": "queryAll",
            "query": soql,
            "contentType": "CSV",
            "columnDelimiter": "COMMA",
            "lineEnding": "LF",
        }
        content = json.dumps(wanted).encode()
        job = self.client.send("POST", f"{API}/jobs/query", content=content, whole=Answer.json).json()
        path = f"{API}/jobs/query/{job['id']}"
        given.counted = self._completed(path)
        most = max(1, min(JOB_PAGE, JOB_CELLS // (soql.count(",") + 1)))
        locator, seen = "", set()
        while locator not in seen:
            seen.add(locator)
            asked: dict[str, str | int] = {"maxRecords": most, **({"locator": locator} if locator else {})}
            answer = self.client.send("GET", f"{path}/results", parameters=asked, whole=_records)
            yield _records(answer)
            locator = answer.headers.get("Sforce-Locator", "null")
            if locator == "null":
                return
        raise SourceError("Salesforce gives the same results of a job again and again; nothing was changed.")

    def _completed(self, path: str) -> int:
        """Waits until a job is done; how many records it found."""
        job = ended_job(self.client, path, LONGEST_JOB)
        if job["state"] != "JobComplete":
            why = self.client.without_secrets(str(job.get("errorMessage") or "no reason is given"))
            raise SourceError(f"Salesforce's query job {job['state'].lower()}: {why}. Nothing was changed.")
        return int(job.get("numberRecordsProcessed") or 0)


@dataclass
class _Given:
    """What a query counts, and the ids of what it gave."""

    counted: int = 0
    ids: set[str] = field(default_factory=set)


def _records(answer: Answer) -> list[Mapping[str, Any]]:
    """The records of a page of a job's results. Raises Passing where there are fewer than it says."""
    most_before = csv.field_size_limit(MOST_IN_A_CELL)  # of the whole process
    try:
        rows: list[Mapping[str, Any]] = list(
            csv.DictReader(io.StringIO(answer.text(), newline=""), restval=_MISSING, strict=True)
        )
    except csv.Error:
        raise Passing("its answer is no whole CSV") from None
    finally:
        csv.field_size_limit(most_before)
    stated = answer.headers.get("Sforce-NumberOfRecords", "")
    if (stated.isdigit() and int(stated) != len(rows)) or any(_MISSING in row.values() or None in row for row in rows):
        raise Passing("its answer has fewer records than it states")
    return rows


_MISSING = "\0"


def _row(given: Mapping[str, Any], fields: Mapping[str, str], kind: str) -> dict[str, str | None]:
    cells = {name: _cell(as_text(given.get(name)), type_) for name, type_ in fields.items()}
    is_deleted = cells.get(IS_DELETED) == "true"
    return row_of({ID: cells.pop("Id"), DELETED: "true" if is_deleted else None, **cells}, kind, {})


def _cell(text: str | None, type_: str) -> str | None:
    """A value in one spelling, whichever way it came: queries and jobs write numbers and times each in its own."""
    if not text:
        return None
    if type_ == "datetime":
        return text.removesuffix("+0000") + "Z" if text.endswith("+0000") else text
    if type_ in NUMERIC:
        try:
            plain = format(Decimal(text), "f")
        except InvalidOperation:
            return text
        return plain.rstrip("0").rstrip(".") if "." in plain else plain
    return text
