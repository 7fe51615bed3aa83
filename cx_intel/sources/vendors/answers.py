"""What an answer of a vendor is, and what it says: its message, how long to wait, what was refused.

Nothing is sent here (`http.py`), and what a refusal means for one vendor stands in the module of that vendor.
"""

import json
import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from email.utils import parsedate_to_datetime

from cx_intel.sources.errors import SourceError

BAD, UNSIGNED, ABSENT = 400, 401, 404


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


@dataclass(frozen=True)
class Refused:
    """What the answer to a refused request says, for the vendor's reader to tell what it means.

    Attributes:
        status: Of the answer.
        path: That was asked for.
        said: The vendor's own words, without secrets.
    """

    status: int
    path: str
    said: str


class RequestRefused(SourceError):
    """A request that the vendor refused and that no further try will change."""

    def __init__(self, text: str, refused: Refused):
        super().__init__(text)
        self.refused = refused


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


def said_in(content: bytes) -> str:
    """The vendor's message, wherever it stands in its answer; empty where it says nothing."""
    try:
        body = json.loads(content)
    except (ValueError, RecursionError):
        return ""
    first = body[0] if isinstance(body, list) and body else body
    given = first if isinstance(first, dict) else {}
    error = given.get("error")
    places = ("message", "error_description", "description", "title", "error")
    found = {**given, **(error if isinstance(error, dict) else {})}
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
