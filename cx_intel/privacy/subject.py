"""Who is to be erased, and by which words they are found: ids and names, in every spelling that a file may hold.

A word counts where it stands by itself, so that `A1` is not found in `A10`. Where it is looked for is decided in
`tables.py`, `storage.py` and `proof.py`.
"""

import html
import json
import re
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

Kind = Literal["account", "user"]
REDACTED = "(erased)"
_BOUND = "A-Za-z0-9_"
SHORT, LONG = 3, 6
EMAIL = "email"
USER_COLUMNS = ("user_id", EMAIL)


@dataclass(frozen=True)
class Subject:
    """An account or a user of a portfolio.

    Attributes:
        portfolio: Its name.
        kind: Account or user.
        id: As the source knows it.
        names: What an account was called, at any time, and the people there; what a user is called.
        pseudonym: What stands in its place in the ledger.
        system: Of an id of another system that belongs to an erased account: the system.
        named_in: Of such an id: the canonical tables whose rows name it.
        is_shared: Somebody else has the same text as an id: it is not looked for by itself.
    """

    portfolio: str
    kind: Kind
    id: str
    names: tuple[str, ...]
    pseudonym: str
    system: str = ""
    named_in: tuple[str, ...] = ()
    is_shared: bool = False

    @property
    def column(self) -> str:
        """The column that holds the id."""
        return f"{self.kind}_id"

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns that may hold the id: a user is known by the id in the product or by the address of e-mail."""
        return USER_COLUMNS if self.kind == "user" else (self.column,)

    @cached_property
    def words(self) -> tuple[str, ...]:
        """The words to look for: those that mean nothing else."""
        ids = () if self.is_shared else (self.id,)
        return tuple(dict.fromkeys(word for word in (*ids, *self.names) if is_telling(word)))

    @cached_property
    def spellings(self) -> tuple[str, ...]:
        """The words as text, in HTML and in JSON."""
        found: list[str] = []
        for word in self.words:
            for text in (word, html.escape(word), html.escape(word, quote=False)):
                once = json.dumps(text)[1:-1]
                found += [text, once, json.dumps(text, ensure_ascii=False)[1:-1], json.dumps(once)[1:-1]]
        return tuple(dict.fromkeys(found))

    @cached_property
    def pattern(self) -> re.Pattern[str]:
        """Finds any spelling, where it stands by itself."""
        return re.compile(pattern_of(self.spellings))

    @cached_property
    def byte_pattern(self) -> re.Pattern[bytes]:
        """The same in the bytes of a file."""
        return re.compile(pattern_of(self.spellings).encode())


def pattern_of(words: tuple[str, ...]) -> str:
    """A regular expression that finds the words where they stand by themselves; nothing where there is none."""
    if not words:
        return r"(?!)"
    listed = "|".join(re.escape(word) for word in sorted(words, key=len, reverse=True))
    return rf"(?<![{_BOUND}])(?:{listed})(?![{_BOUND}])"


def pattern_of_words(words: tuple[str, ...]) -> str:
    """As `pattern_of`, for DuckDB's regular expressions, which know no look-around."""
    inner = pattern_of(words)
    if not words:
        return "$^"
    body = inner[inner.index("(?:", 1) : inner.rindex("(?!")]
    return f"(^|[^A-Za-z0-9_]){body}($|[^A-Za-z0-9_])"


def is_telling(word: str) -> bool:
    """Whether a word is likely to mean the subject wherever it stands: not `7`, `42` or `EU`."""
    has_letter, has_digit = any(c.isalpha() for c in word), any(c.isdigit() for c in word)
    return len(word) >= LONG or (len(word) >= SHORT and has_letter and has_digit)
