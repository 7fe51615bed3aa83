"""Salesforce's API, as reading and writing use it: signing in, what a refusal means, pages of a query, jobs that end.

What is read is in `salesforce.py`, what is written in `cx_intel.sync.writers.salesforce`; requests are sent by `http.py`.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from cx_intel.sources.errors import SourceError
from cx_intel.sources.vendors.answers import Refused
from cx_intel.sources.vendors.http import ApiClient, Clock, passes
from cx_intel.sources.vendors.sign_in import ClientCredentials, JwtBearer, SignIn

TOKENS = "/services/oauth2/token"
API = "/services/data/v62.0"
FIRST_POLL, LONGEST_POLL = 1.0, 30.0
"""Seconds between two looks at a job."""
ENDED = ("JobComplete", "Failed", "Aborted")
QUOTA = "REQUEST_LIMIT_EXCEEDED"
UNREADABLE = ("INVALID_TYPE", "NOT_FOUND", "INSUFFICIENT_ACCESS")
NO_API = ("API_DISABLED_FOR_ORG", "API_CURRENTLY_DISABLED", "FUNCTIONALITY_NOT_ENABLED")


def salesforce_client(host: str, sign_in: SignIn, clock: Clock) -> ApiClient:
    """A client of Salesforce."""
    return ApiClient("Salesforce", host, sign_in, {}, clock, _passes, _advice)


def by_secret(secrets: Sequence[str], variables: Sequence[str]) -> SignIn:
    """Signs in by a client and its secret; `variables` hold them."""
    id_, secret = secrets
    return ClientCredentials(path=TOKENS, is_form=True, variables=tuple(variables), client_id=id_, client_secret=secret)


def by_claim(secrets: Sequence[str], variables: Sequence[str], audience: str) -> SignIn:
    """Signs in by a client, a user and the key that signs for it; `variables` hold them."""
    id_, user, key = secrets
    return JwtBearer(
        path=TOKENS,
        is_form=True,
        variables=tuple(variables),
        audience=audience,
        client_id=id_,
        username=user,
        private_key=key,
    )


def _passes(refused: Refused) -> bool:
    """Too many requests at once pass, those of a day do not within a run: both have one code."""
    return passes(refused) or (refused.code == QUOTA and "concurrent" in refused.said.lower())


def _advice(refused: Refused) -> str:
    if refused.code == QUOTA:
        used = refused.headers.get("Sforce-Limit-Info", "")
        return (
            f"The requests that the organisation has for 24 hours are used up{f' ({used})' if used else ''}: nothing was "
            "changed. Refresh again when they are free, and see under Setup, Company Information who uses them."
        )
    if refused.code in UNREADABLE:
        return "Give the user of the client the right to read these objects, and all of their records."
    no_api = "The organisation, or the user of the client, has no API: give the user the right API Enabled."
    return no_api if refused.code in NO_API else ""


def pages(client: ApiClient, page: Any, path: str) -> Iterator[list[Mapping[str, Any]]]:
    """The records of a query, page by page.

    Args:
        client: Of Salesforce.
        page: The answer to the query, which has the first of them.
        path: Where that was asked for.

    Raises:
        SourceError: An answer has no records, or names no place of the next ones.
    """
    seen = set()
    while True:
        if not isinstance(page, dict) or not isinstance(page.get("records"), list):
            raise SourceError(f"Salesforce's answer to {path} has no records. {client.to_do}")
        yield page["records"]
        if page.get("done") is not False:
            return
        path = str(page.get("nextRecordsUrl"))
        if not path.startswith("/services/data/") or path in seen:
            raise SourceError(f"Salesforce names {path!r} as the next records of a query. {client.to_do}")
        seen.add(path)
        page = client.get(path)


def ended_job(client: ApiClient, path: str, longest: float) -> Mapping[str, Any]:
    """What Salesforce tells of a job once it has ended, in whichever state.

    Args:
        client: Of Salesforce.
        path: Of the job.
        longest: Seconds after which it is given up.

    Raises:
        SourceError: It has not ended by then.
    """
    clock, poll = client.clock, FIRST_POLL
    until = clock.now() + longest
    while True:
        job: Mapping[str, Any] = client.get(path)
        if job.get("state") in ENDED:
            return job
        if clock.now() >= until:
            raise SourceError(
                f"Salesforce's job at {path} is {job.get('state')} after {longest / 3600:g} hours. {client.to_do}"
            )
        clock.sleep(poll)
        poll = min(LONGEST_POLL, poll * 2)
