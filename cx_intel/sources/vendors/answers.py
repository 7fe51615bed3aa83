"""What an answer of a vendor is, and what it says: its message, how long to wait, what was refused.

Nothing is sent here (`http.py`), and what a refusal means for one vendor stands in the module of that vendor.
"""

import json
import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime
from typing import Any

from cx_intel.sources.errors import SourceError

BAD, UNSIGNED, ABSENT = 400, 401, 404


class Number(str):
    """A number of JSON, as it is spelled."""

    __slots__ = ()


@dataclass(frozen=True)
class Answer:
    """An answer that was read to its end.

    Attributes:
        status: Of HTTP.
        headers: By name, whatever their case.
        content: All of it.
        redirects_to: Where it leads instead; empty where it does not.
    """

    status: int
    headers: Mapping[str, str]
    content: bytes
    redirects_to: str = ""

    @property
    def is_success(self) -> bool:
        return 200 <= self.status < 300

    def json(self) -> Any:
        """Its JSON, numbers as they are spelled. Raises Passing where it is none, as of an answer that was cut."""
        try:
            return json.loads(self.content, parse_int=Number, parse_float=Number, parse_constant=lambda _: None)
        except (ValueError, RecursionError):
            raise Passing("its answer is no whole JSON") from None

    def text(self) -> str:
        """Its text. Raises Passing where it is none."""
        try:
            return self.content.decode("utf-8-sig")
        except UnicodeDecodeError:
            raise Passing("its answer is no whole text") from None


@dataclass(frozen=True)
class Refused:
    """What the answer to a refused request says, for the vendor's reader to tell what it means.

    Attributes:
        status: Of the answer.
        path: That was asked for.
        said: The vendor's own words, without secrets.
        code: The vendor's name of the error, such as REQUEST_LIMIT_EXCEEDED.
        headers: Of the answer.
    """

    status: int
    path: str
    said: str
    code: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)


class RequestRefused(SourceError):
    """A request that the vendor refused and that no further try will change."""

    def __init__(self, text: str, refused: Refused):
        super().__init__(text)
        self.refused = refused


class Passing(Exception):
    """A failure that may pass, and the seconds that the vendor asks to wait for."""

    def __init__(self, text: str, retry_after: float | None = None):
        super().__init__(text)
        self.retry_after = retry_after


def refusals_of(names: Iterable[str], ask: Callable[[str], object]) -> list[str]:
    """What is refused of some lists that are asked for, in words; after a sign-in that is refused, no further one."""
    found = []
    for name in names:
        try:
            ask(name)
        except RequestRefused as error:
            found.append(str(error))
            if error.refused.status == UNSIGNED:  # the others say the same
                break
    return found


def said_in(content: bytes) -> tuple[str, str]:
    """The vendor's message and its name of the error, wherever they stand in its answer; empty where it says nothing."""
    try:
        body = json.loads(content)
    except (ValueError, RecursionError):
        return "", ""
    first = body[0] if isinstance(body, list) and body else body
    given = first if isinstance(first, dict) else {}
    error = given.get("error")
    found = {**given, **(error if isinstance(error, dict) else {})}
    message = _first_text(found, ("message", "error_description", "description", "title", "error"))
    return message, _first_text(found, ("errorCode", "code", "error"))


def _first_text(found: Mapping[str, Any], places: Iterable[str]) -> str:
    return next((found[place] for place in places if isinstance(found.get(place), str)), "")


def seconds_stated(answer: Answer, now: float) -> float | None:
    """The seconds that an answer asks to wait for, which it may state as a moment; None where it states none."""
    stated = answer.headers.get("Retry-After", "").strip()
    if not stated:
        return None
    try:
        seconds = float(stated)
    except ValueError:
        try:
            seconds = parsedate_to_datetime(stated).timestamp() - now
        except ValueError:
            return None
    return max(0.0, seconds) if math.isfinite(seconds) else None
