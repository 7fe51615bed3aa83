"""The one HTTP client: signs in, retries what passes, and says in one sentence what does not.

Only here are httpx and tenacity imported, which come with `pip install 'cx-intel[connected]'`. What a vendor's answers
mean stands beside this module, one file a vendor; how one signs in, in `sign_in.py`.
"""

import random
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import httpx
import tenacity

from cx_intel.sources.errors import SourceError
from cx_intel.sources.vendors.answers import (
    ABSENT,
    BAD,
    UNSIGNED,
    Answer,
    Passing,
    Refused,
    RequestRefused,
    said_in,
    seconds_stated,
)
from cx_intel.sources.vendors.pace import Pace
from cx_intel.sources.vendors.sign_in import SignIn

TIMEOUT = httpx.Timeout(60, connect=30)
TRIES = 7
FIRST_WAIT, LONGEST_WAIT = 1.0, 60.0
"""Seconds between tries: they double, with jitter, unless the vendor states how long."""
LONGEST_RETRY_AFTER = 900.0
"""A vendor that asks for a longer wait, in seconds, is given up for this run."""
MOST_BYTES = 256_000_000
"""No answer is longer; what is, is not read to its end."""
MOST_REDIRECTS = 3
MOST_SAID = 500
PASSING = (408, 409, 423, 425, 429, 500, 502, 503, 504, 520, 522, 524, 529)
"""Statuses that may be another at the next try."""
Parameters = Mapping[str, str | int | Sequence[str]]


@dataclass(frozen=True)
class Clock:
    """The time, which tests move by hand.

    Attributes:
        now: Seconds since 1970.
        sleep: Waits for some seconds.
    """

    now: Callable[[], float] = time.time
    sleep: Callable[[float], None] = time.sleep


def passes(refused: Refused) -> bool:
    """Whether a refusal may be none at the next try, by its status."""
    return refused.status in PASSING


@dataclass(frozen=True)
class _Asked:
    """A request, whatever its path."""

    method: str
    parameters: Parameters
    content: bytes | None
    content_type: str
    accepts: Collection[int]
    whole: Callable[[Answer], object] | None


@dataclass
class ApiClient:
    """Requests to one host of one vendor, one after the other.

    Attributes:
        vendor: What messages call it.
        host: Where its paths begin, such as https://api.stripe.com.
        sign_in: How requests prove whose they are.
        headers: Sent with each request.
        clock: The time.
        passes: Whether a refusal may be none at the next try.
        advice: What to do about a refusal; where it says nothing, the sign-in does.
        pace: How many requests the vendor takes; None: as many as come one after the other.
        tries: How often a request is sent that fails in a way that passes.
        requests: How many were sent.
        to_do: What to do when the vendor fails for long, and what has become of what was begun.
    """

    vendor: str
    host: str
    sign_in: SignIn
    headers: Mapping[str, str] = field(default_factory=dict)
    clock: Clock = field(default_factory=Clock)
    passes: Callable[[Refused], bool] = passes
    advice: Callable[[Refused], str] = lambda refused: ""
    pace: Pace | None = None
    tries: int = TRIES
    requests: int = 0
    to_do: str = "Nothing was changed; refresh again later."

    def __post_init__(self) -> None:
        is_local = httpx.URL(self.host).host in ("127.0.0.1", "localhost", "::1")
        self._client = httpx.Client(timeout=TIMEOUT, follow_redirects=False, trust_env=not is_local)
        self._jitter = random.Random()

    def __enter__(self) -> "ApiClient":
        return self

    def __exit__(self, *_: object) -> None:
        self._client.close()

    def get(self, path: str, parameters: Parameters | None = None, *, absent: bool = False) -> Any:
        """What the vendor answers: JSON, its numbers as they are spelled; None where `absent` and it is not there.

        Args:
            path: Below the host.
            parameters: Of the query; a list is sent as repeated keys.
            absent: A 404 is an answer.

        Raises:
            RequestRefused: The vendor refuses the request, and would refuse it again.
            SourceError: It is not reached, or gives nothing that can be read, however often it is tried.
        """
        answer = self.send("GET", path, parameters=parameters, accepts=(ABSENT,) if absent else (), whole=Answer.json)
        return None if answer.status == ABSENT else answer.json()

    def send(
        self,
        method: str,
        path: str,
        *,
        parameters: Parameters | None = None,
        content: bytes | None = None,
        content_type: str = "application/json",
        accepts: Collection[int] = (),
        whole: Callable[[Answer], object] | None = None,
        repeats: bool = True,
    ) -> Answer:
        """The answer to any request.

        Args:
            method: Of HTTP.
            path: Below the host.
            parameters: Of the query; a list is sent as repeated keys.
            content: What is sent.
            content_type: What that is.
            accepts: Statuses that are answers too, besides those of success.
            whole: Raises Passing where an answer of success is not whole, which has failed then, as `Answer.json`.
            repeats: A request that fails in a way that passes is sent again; not where it would be done twice.

        Raises:
            RequestRefused: The vendor refuses the request, and would refuse it again.
            SourceError: It is not reached, or gives nothing that can be read, however often it is tried.
        """
        asked = _Asked(method, dict(parameters or {}), content, content_type, accepts, whole)
        try:
            return self._retrying(self.tries if repeats else 1)(self._once, path, asked)
        except Passing as failure:
            tried = f", tried {self.tries} times" if repeats else ""
            raise SourceError(f"{self.vendor} at {self._at(path)} fails{tried}: {failure}. {self.to_do}") from None

    def _retrying(self, tries: int) -> tenacity.Retrying:
        return tenacity.Retrying(
            retry=tenacity.retry_if_exception_type(Passing),
            stop=tenacity.stop_after_attempt(tries),
            wait=self._wait,
            sleep=self.clock.sleep,
            reraise=True,
        )

    def _wait(self, state: tenacity.RetryCallState) -> float:
        failure = state.outcome.exception() if state.outcome else None
        stated = failure.retry_after if isinstance(failure, Passing) else None
        doubled = min(LONGEST_WAIT, FIRST_WAIT * 2 ** (state.attempt_number - 1))
        return (stated if stated is not None else doubled / 2) + self._jitter.uniform(0, doubled / 2)

    def _once(self, path: str, asked: _Asked) -> Answer:
        answer = self._sent(path, asked)
        if answer.status == UNSIGNED and self.sign_in.renew():
            answer = self._sent(path, asked)
        if not answer.is_success and answer.status not in asked.accepts:
            self.refuse(answer, path)
        if asked.whole and answer.is_success:
            asked.whole(answer)
        return answer

    def _sent(self, path: str, asked: _Asked) -> Answer:
        url, parameters = httpx.URL(self.host.rstrip("/") + path), asked.parameters
        for _ in range(MOST_REDIRECTS + 1):
            if self.pace:
                self.pace.keep(self.clock)
            self.requests += 1
            try:
                signed = self.sign_in.headers(self)
                headers = {**self.headers, **signed}
                if asked.content is not None:
                    headers["Content-Type"] = asked.content_type
                answer = self._read(
                    self._client.build_request(
                        asked.method, url, params=parameters or None, headers=headers, content=asked.content
                    )
                )
            except httpx.RequestError as error:
                raise self._failure(error) from None
            if not answer.redirects_to:
                return answer
            target = httpx.URL(answer.redirects_to)
            if (target.scheme, target.host, target.port) != (url.scheme, url.host, url.port):
                raise SourceError(
                    f"{self.vendor} at {self._at(path)} redirects to {target.host}, which is another host: the sign-in "
                    "is not sent there. State that host as `host` if it is the right one."
                )
            if asked.content is not None:
                raise SourceError(f"{self.vendor} at {self._at(path)} redirects what is sent. {self.to_do}")
            url, parameters = target, {}
        raise SourceError(f"{self.vendor} at {self._at(path)} redirects more than {MOST_REDIRECTS} times.")

    def token(self, path: str, asked: Mapping[str, str], *, is_form: bool = False) -> Mapping[str, Any]:
        """What the vendor answers to a request for a token, sent once and without a sign-in; raises as `get` does."""
        url = httpx.URL(self.host.rstrip("/") + path)
        body: dict[str, Any] = {"data" if is_form else "json": dict(asked)}
        self.requests += 1
        try:
            answer = self._read(self._client.build_request("POST", url, **body))
        except httpx.RequestError as error:
            raise self._failure(error) from None
        if answer.status in (BAD, UNSIGNED):  # how OAuth refuses a client
            said = self._refused(answer, path).said
            text = f"{self.vendor} gives no token: {said or answer.status}. {self.sign_in.advice(UNSIGNED)}"
            raise RequestRefused(text, Refused(UNSIGNED, path, ""))
        if not answer.is_success:
            self.refuse(answer, path)
        given = answer.json()
        if not isinstance(given, dict) or not given.get("access_token"):
            raise SourceError(f"{self.vendor} at {self._at(path)} gives no token.")
        return given

    def _failure(self, error: httpx.RequestError) -> Exception:
        """What failed, without secrets; a certificate that is not trusted will not be so at the next try."""
        said = self.without_secrets(f"{type(error).__name__}: {error}")
        if "CERTIFICATE" in said.upper():
            return SourceError(f"{self.vendor} at {self.host} has no certificate that is trusted: {said}.")
        return Passing(said)

    def _read(self, asked: httpx.Request) -> Answer:
        """The whole answer, unless it is longer than any is."""
        answer = self._client.send(asked, stream=True)
        try:
            parts, size = [], 0
            for part in answer.iter_bytes():
                size += len(part)
                if size > MOST_BYTES:
                    raise SourceError(
                        f"{self.vendor} answers {self.without_secrets(asked.url.path)} with more than {MOST_BYTES:,} bytes."
                    )
                parts.append(part)
        finally:
            answer.close()
        target = str(answer.next_request.url) if answer.next_request else ""
        return Answer(answer.status_code, answer.headers, b"".join(parts), target)

    def refuse(self, answer: Answer, path: str) -> None:
        """Raises what a refusal comes to, in one sentence."""
        refused = self._refused(answer, path)
        text = f"{self.vendor} answers {refused.status} to {refused.path}{': ' + refused.said if refused.said else ''}"
        if self.passes(refused):
            raise Passing(text, self._retry_after(answer, path))
        advice = self.advice(refused) or self.sign_in.advice(refused.status)
        raise RequestRefused(f"{text}. {advice}".rstrip(), refused)

    def _refused(self, answer: Answer, path: str) -> Refused:
        said, code = map(self.without_secrets, said_in(answer.content))
        return Refused(
            answer.status, self.without_secrets(path), said[:MOST_SAID].rstrip(". "), code[:MOST_SAID], answer.headers
        )

    def _retry_after(self, answer: Answer, path: str) -> float | None:
        seconds = seconds_stated(answer, self.clock.now())
        if seconds is not None and seconds > LONGEST_RETRY_AFTER:
            asked = self.without_secrets(path)
            raise SourceError(
                f"{self.vendor} asks to wait {seconds:,.0f} seconds before {asked} is tried again. {self.to_do}"
            )
        return seconds

    def _at(self, path: str) -> str:
        return f"{self.host}{self.without_secrets(path)}"

    def without_secrets(self, text: str) -> str:
        """A text in which no secret of the sign-in stands."""
        for secret in sorted(filter(None, self.sign_in.secrets()), key=len, reverse=True):
            text = text.replace(secret, "***")
        return text
