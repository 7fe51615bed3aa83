"""Where messages go: addresses of Apprise from the environment, which are secrets and are never shown.

An address is known by a digest of it, in what is kept on disk, and by its scheme in what is shown. Which variables hold
them is said in the portfolio (`automation.alerts`).
"""

import hashlib
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from urllib.parse import unquote, urlsplit

from cx_intel.settings.automation import REFERENCE, Alerts

_BETWEEN = re.compile(r"[,\s]+(?=[A-Za-z][A-Za-z0-9+.-]*://)")
_PARTS = re.compile(r"[/:@?&=#,;]+")
SHORTEST_PART, SHORTEST_TOKEN = 4, 12
HIDDEN = "***"


@dataclass(frozen=True)
class Address:
    """An address; only its scheme is shown."""

    url: str = field(repr=False)

    @property
    def digest(self) -> str:
        return hashlib.sha256(self.url.encode()).hexdigest()[:16]

    @property
    def shown(self) -> str:
        return f"{urlsplit(self.url).scheme or 'address'}://{HIDDEN}"


def addresses(references: Iterable[str], variables: Mapping[str, str]) -> tuple[Address, ...]:
    """The addresses that the references lead to, each once; none for a variable that is not set."""
    found: dict[str, Address] = {}
    for reference in references:
        match = REFERENCE.match(reference)
        text = variables.get(match[1], "") if match else ""
        for url in _BETWEEN.split(text.strip()):
            if url.strip(", \t\n"):
                found.setdefault(url.strip(", \t\n"), Address(url.strip(", \t\n")))
    return tuple(found.values())


def addresses_of(audience: str, rules: Alerts, variables: Mapping[str, str]) -> tuple[Address, ...]:
    """The addresses of an owner, or of everybody where that owner has none."""
    return addresses(rules.owners.get(audience, []), variables) or addresses(rules.urls, variables)


def redacted(text: str, hidden: Iterable[Address], shortest: int = SHORTEST_PART) -> str:
    """The text without any part of the addresses but their schemes.

    Args:
        text: Text of others.
        hidden: The addresses.
        shortest: Parts of fewer characters stay; in what people are to read, common words should.
    """
    secrets: set[str] = set()
    for address in hidden:
        rest = address.url.partition("://")[2] or address.url
        parts = _PARTS.split(rest)
        secrets |= {address.url, rest, unquote(rest), *parts, *(unquote(part) for part in parts)}
    for secret in sorted((s for s in secrets if len(s) >= shortest), key=len, reverse=True):
        text = text.replace(secret, HIDDEN)
    return text
