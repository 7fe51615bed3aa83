"""Salesforce as its documentation describes it: tokens that end, queries with locators, query jobs, and a daily quota.

SOQL is read as far as clients write it: SELECT of fields, FROM, WHERE SystemModstamp >=, LIMIT. Whatever is deleted stays
in the recycle bin, which `queryAll` shows, until it is emptied.
"""

import base64
import csv
import io
import json
import re
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qsl

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.hashes import SHA256

from cx_intel_tests.helpers.vendor_server import Asked, Reply, StandIn, values

CLIENT, SECRET, USER = "3MVG9.cx_intel", "sfsecret0123456789abcdef", "reader@example.com"
API = "/services/data/v62.0"
LIFETIME = 7200
OWN = {
    "Account": {"Name": "string", "OwnerId": "reference", "ParentId": "reference", "MasterRecordId": "reference",
                "Type": "picklist", "Website": "url", "BillingAddress": "address", "BillingCountry": "string",
                "NumberOfEmployees": "int", "Customer_Segment__c": "picklist", "CSM_Owner__c": "reference"},
    "Contract": {"AccountId": "reference", "Status": "picklist", "StartDate": "date", "EndDate": "date",
                 "ContractTerm": "int", "Annual_Contract_Value__c": "currency"},
    "Opportunity": {"AccountId": "reference", "Name": "string", "CloseDate": "date", "StageName": "picklist",
                    "Amount": "currency", "Type": "picklist", "IsWon": "boolean", "IsClosed": "boolean",
                    "ContractId": "reference"},
    "Task": {"AccountId": "reference", "Subject": "combobox", "Status": "picklist", "ActivityDate": "date",
             "CompletedDateTime": "datetime", "IsClosed": "boolean", "TaskSubtype": "picklist"},
    "Contact": {"AccountId": "reference", "FirstName": "string", "LastName": "string", "Email": "email", "Phone": "phone",
                "Title": "string", "LastActivityDate": "date"},
    "AccountContactRole": {"AccountId": "reference", "ContactId": "reference", "Role": "picklist"},
    "User": {"Name": "string", "Email": "email"},
}  # fmt: skip
SOQL = re.compile(
    r"SELECT (?P<fields>[\w, ]+) FROM (?P<object>\w+)(?: WHERE SystemModstamp >= (?P<since>\S+))?(?: LIMIT (?P<limit>\d+))?"
)


class SalesforceStandIn(StandIn):
    """One organisation.

    Attributes:
        now: Its clock, in seconds since 1970; `sleep` moves it.
        kept: Object: its records by id.
        fields: Object: its fields and their types, without those that all have.
        page, job_page: Records of a page of a query, and of a job's results, at most.
        quota: Requests that may come until the day's are used up.
        polls: Looks at a job until it is done.
        public_key: Of the certificate that the app has.
    """

    def __init__(self, now: int):
        super().__init__()
        self.now = float(now)
        self.kept: dict[str, dict[str, dict[str, Any]]] = {name: {} for name in OWN}
        self.fields = {name: dict(fields) for name, fields in OWN.items()}
        self.page, self.job_page, self.polls = 200, 400, 2
        self.quota = 10**9
        self.secret = SECRET
        self.may_read = set(OWN)
        self.public_key: rsa.RSAPublicKey | None = None
        self.tokens: dict[str, float] = {}
        self.cursors: dict[str, list[dict[str, Any]]] = {}
        self.jobs: dict[str, dict[str, Any]] = {}

    def sleep(self, seconds: float) -> None:
        self.now += seconds

    def put(self, name: str, **given: Any) -> None:
        """Makes or changes a record, and notes when."""
        new = {"IsDeleted": False, "CreatedDate": self._moment()} if name != "User" else {"CreatedDate": self._moment()}
        before = self.kept[name].get(given["Id"], new)
        self.kept[name][given["Id"]] = before | given | {"SystemModstamp": self._moment()}

    def delete(self, name: str, id_: str) -> None:
        """Puts a record into the recycle bin."""
        self.put(name, Id=id_, IsDeleted=True)

    def expire(self) -> None:
        """Ends all sessions."""
        self.tokens.clear()

    def error(self, status: int, message: str, **more: Any) -> Reply:
        headers = {"Sforce-Limit-Info": more["used"]} if "used" in more else {}
        return Reply([{"message": message, "errorCode": more.get("code", "UNKNOWN_EXCEPTION")}], status, headers)

    def answer(self, asked: Asked, fault: str) -> Reply:
        if (asked.method, asked.path) == ("POST", "/services/oauth2/token"):
            return self._token(dict(parse_qsl(asked.body)))
        token = asked.headers.get("Authorization", "").removeprefix("Bearer ")
        if fault == "expired":
            self.expire()
        if self.tokens.get(token, 0) <= self.now:
            return self.error(401, f"Session expired or invalid: {token}", code="INVALID_SESSION_ID")
        if self.quota <= 0:
            text = "TotalRequests Limit exceeded."
            return self.error(403, text, code="REQUEST_LIMIT_EXCEEDED", used="api-usage=15000/15000")
        self.quota -= 1
        if fault == "concurrent":
            return self.error(
                403, "ConcurrentRequests (Concurrent API Requests) Limit exceeded.", code="REQUEST_LIMIT_EXCEEDED"
            )
        if len(asked.path) + sum(len(v) + len(k) + 2 for k, v in asked.query) > 16_000:
            return Reply("", 414)
        return self._of(asked)

    def _of(self, asked: Asked) -> Reply:
        parts = asked.path.removeprefix(API).strip("/").split("/")
        if not asked.path.startswith(f"{API}/"):
            return self.error(404, "The requested resource does not exist", code="NOT_FOUND")
        match asked.method, parts:
            case "GET", ["sobjects", name, "describe"]:
                return self._described(name)
            case "GET", ["query" | "queryAll" as how]:
                found = self._found(values(asked.query, "q")[0], how == "queryAll")
                return found if isinstance(found, Reply) else self._page(found, len(found))
            case "GET", ["query", locator]:
                if locator not in self.cursors:
                    return self.error(400, "invalid query locator", code="INVALID_QUERY_LOCATOR")
                return self._page(self.cursors[locator], int(locator.split("-")[2]))
            case "POST", ["jobs", "query"]:
                return self._job(json.loads(asked.body))
            case "GET", ["jobs", "query", id_] if id_ in self.jobs:
                return self._state(self.jobs[id_])
            case "GET", ["jobs", "query", id_, "results"] if id_ in self.jobs:
                accepts = asked.headers.get("Accept", "*/*")
                return self._results(self.jobs[id_], dict(asked.query), "*/*" in accepts or "text/csv" in accepts)
        return self.error(404, "The requested resource does not exist", code="NOT_FOUND")

    def _token(self, asked: dict[str, str]) -> Reply:
        if asked.get("grant_type") == "client_credentials":
            is_known = (asked.get("client_id"), asked.get("client_secret")) == (CLIENT, self.secret)
        else:
            is_known = self._is_signed(asked.get("assertion", ""))
        if not is_known:
            said = f"invalid client credentials {asked.get('client_secret')}"
            return Reply({"error": "invalid_client", "error_description": said}, 400)
        token = f"00Dx!{len(self.asked):06}{'y' * 24}"
        self.tokens[token] = self.now + LIFETIME
        return Reply({"access_token": token, "instance_url": self.host, "token_type": "Bearer", "issued_at": "1"})

    def _is_signed(self, assertion: str) -> bool:
        unsigned, _, signature = assertion.rpartition(".")
        try:
            assert self.public_key
            self.public_key.verify(_decoded(signature), unsigned.encode(), padding.PKCS1v15(), SHA256())
            claims = json.loads(_decoded(unsigned.split(".")[1]))
        except (InvalidSignature, ValueError):
            return False
        stated = (claims["iss"], claims["sub"], claims["aud"])
        return stated == (CLIENT, USER, "https://login.salesforce.com") and self.now < claims["exp"] <= self.now + 300

    def _described(self, name: str) -> Reply:
        if name not in self.may_read:
            return self.error(404, "The requested resource does not exist", code="NOT_FOUND")
        return Reply({"name": name, "fields": [{"name": n, "type": t} for n, t in self._all_fields(name).items()]})

    def _all_fields(self, name: str) -> dict[str, str]:
        common = {"Id": "id", "CreatedDate": "datetime", "SystemModstamp": "datetime"}
        return common | ({} if name == "User" else {"IsDeleted": "boolean"}) | self.fields[name]

    def _found(self, soql: str, with_deleted: bool) -> list[dict[str, Any]] | Reply:
        parsed = SOQL.fullmatch(soql)
        if not parsed:
            return self.error(400, "unexpected token", code="MALFORMED_QUERY")
        name, fields = parsed["object"], parsed["fields"].split(", ")
        if name not in self.may_read:
            return self.error(400, f"sObject type '{name}' is not supported.", code="INVALID_TYPE")
        if unknown := [field for field in fields if field not in self._all_fields(name)]:
            return self.error(400, f"No such column '{unknown[0]}' on entity '{name}'", code="INVALID_FIELD")
        since = datetime.fromisoformat(parsed["since"]) if parsed["since"] else None
        return [
            {"attributes": {"type": name, "url": f"{API}/sobjects/{name}/{one['Id']}"}}
            | {f: one.get(f) for f in fields}
            for one in self.kept[name].values()
            if (with_deleted or not one.get("IsDeleted"))
            and (since is None or datetime.fromisoformat(one["SystemModstamp"]) >= since)
        ][: int(parsed["limit"] or 10**9)]

    def _page(self, rest: list[dict[str, Any]], total: int) -> Reply:
        body: dict[str, Any] = {"totalSize": total, "done": len(rest) <= self.page, "records": rest[: self.page]}
        if not body["done"]:
            locator = f"01g-{len(self.cursors)}-{total}"
            self.cursors[locator] = rest[self.page :]
            body["nextRecordsUrl"] = f"{API}/query/{locator}"
        return Reply(body)

    def _job(self, asked: dict[str, str]) -> Reply:
        if asked.get("operation") not in ("query", "queryAll") or asked.get("contentType") != "CSV":
            return self.error(400, "unsupported operation", code="INVALIDJOB")
        found = self._found(asked["query"], asked["operation"] == "queryAll")
        if isinstance(found, Reply):
            return found
        id_ = f"750{len(self.jobs):06}"
        name = asked["query"].split(" FROM ")[1].split(" ")[0]
        self.jobs[id_] = {"id": id_, "polls": self.polls, "found": found, "types": self._all_fields(name)}
        return Reply({"id": id_, "state": "UploadComplete", "apiVersion": 62.0})

    def _state(self, job: dict[str, Any]) -> Reply:
        job["polls"] -= 1
        if job["polls"] > 0:
            return Reply({"id": job["id"], "state": "InProgress", "numberRecordsProcessed": 0})
        if failure := job.get("failure"):
            return Reply({"id": job["id"], "state": "Failed", "errorMessage": failure})
        return Reply({"id": job["id"], "state": "JobComplete", "numberRecordsProcessed": len(job["found"])})

    def _results(self, job: dict[str, Any], query: dict[str, str], accepts_csv: bool) -> Reply:
        if not accepts_csv:
            return self.error(406, "The results of a job are CSV", code="NOT_ACCEPTABLE")
        if job["polls"] > 0:
            return self.error(409, "Job has not completed", code="INVALIDJOBSTATE")
        start = int(base64.b64decode(query.get("locator", "") or base64.b64encode(b"0")))
        end = start + min(self.job_page, int(query.get("maxRecords", 10**6)))
        rows, text = job["found"][start:end], io.StringIO()
        names = [name for name in (job["found"] or [{}])[0] if name != "attributes"]
        writer = csv.writer(text, quoting=csv.QUOTE_ALL, lineterminator="\n")
        writer.writerow(names)
        writer.writerows([_csv_cell(row[name], job["types"][name]) for name in names] for row in rows)
        more = base64.b64encode(str(end).encode()).decode() if end < len(job["found"]) else "null"
        return Reply(text.getvalue(), 200, {"Sforce-Locator": more, "Sforce-NumberOfRecords": str(len(rows))})

    def _moment(self) -> str:
        return f"{datetime.fromtimestamp(self.now, UTC):%Y-%m-%dT%H:%M:%S}.000+0000"


def _csv_cell(value: Any, type_: str) -> str:
    """As a job writes it: times with Z, an amount with a decimal point, large ones with an exponent."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    if type_ == "datetime":
        return str(value).replace("+0000", "Z")
    if type_ in ("currency", "double"):
        return f"{float(value):E}" if float(value) >= 10_000_000 else str(float(value))
    return str(value)


def _decoded(part: str) -> bytes:
    return base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))


def company(now: int) -> SalesforceStandIn:
    """Two users, 500 accounts, of which a merged one and one that was deleted, contracts, opportunities and tasks."""
    stand_in = SalesforceStandIn(now - 3 * 86_400)
    for id_, name in (("005A", "Ann"), ("005B", "Ben")):
        stand_in.put("User", Id=id_, Name=name)
    for n in range(500):
        stand_in.put("Account", Id=f"001{n:04}", Name=f"Company {n}", OwnerId="005A", Type="Customer", CSM_Owner__c="005B",
                     BillingCountry="Germany", NumberOfEmployees=n, Customer_Segment__c="Enterprise")  # fmt: skip
    for n in range(20):
        stand_in.put("Contract", Id=f"800{n:04}", AccountId=f"001{n:04}", Status="Activated", StartDate="2025-01-01",
                     ContractTerm=12, Annual_Contract_Value__c=1200.5 + n)  # fmt: skip
        stand_in.put("Opportunity", Id=f"006{n:04}", AccountId=f"001{n:04}", CloseDate="2025-12-01", IsClosed=False, IsWon=False,
                     Type="Existing Business - Renewal", Amount=12_000_000.0)  # fmt: skip
        stand_in.put("Task", Id=f"00T{n:04}", AccountId=f"001{n:04}", Subject='QBR: "Q2",\nagreed', Status="Completed",
                     ActivityDate="2025-05-20", IsClosed=True)  # fmt: skip
    stand_in.put("Account", Id="0010007", IsDeleted=True, MasterRecordId="0010008")
    stand_in.delete("Account", "0010009")
    stand_in.now = float(now)
    return stand_in
