"""Formats of dates and times in the manner of strptime, such as `%d.%m.%Y %H:%M`: taken apart and checked.

Which source states them: `files.py`, beside this module. Cells are read by them in
`cx_intel.warehouse.duckdb.files.local_spellings`.
"""

import re
from typing import NamedTuple

DIRECTIVES = {
    "d": "day",
    "m": "month",
    "b": "month",
    "B": "month",
    "Y": "year",
    "y": "year",
    "H": "hour",
    "I": "hour",
    "p": "half of the day",
    "M": "minute",
    "S": "second",
    "f": "fraction of a second",
    "z": "offset from UTC",
}
"""Directive: what it states. %b and %B are the English names, short or in full."""
EXCEL = "excel"
"""Days as Excel counts them, 45231 for 2023-11-01, of a sheet that was saved as text without its formats."""
_NEEDS = {"minute": "hour", "second": "minute", "fraction of a second": "second", "offset from UTC": "hour"}


class Part(NamedTuple):
    """A directive's letter, or a text that stands in the cell as it is."""

    text: str
    is_directive: bool


def parts_of(date_format: str) -> tuple[Part, ...]:
    """The format's directives and the texts between them, in order; `%%` is a percent sign."""
    found = []
    for directive, literal in re.findall(r"%(.|$)|([^%]+)", date_format, re.DOTALL):
        found.append(Part("%", False) if directive == "%" else Part(literal or directive, not literal))
    return tuple(found)


def check_date_format(date_format: str) -> None:
    """Raises ValueError, saying what to write, where a format does not tell which day a cell means."""
    if date_format == EXCEL:
        return
    letters = [part.text for part in parts_of(date_format) if part.is_directive]
    if unknown := [letter for letter in letters if letter not in DIRECTIVES]:
        known = ", ".join(f"%{letter}" for letter in DIRECTIVES)
        raise ValueError(f"{date_format!r}: %{unknown[0]} is not known; there are {known}")
    stated = [DIRECTIVES[letter] for letter in letters]
    for kind in ("day", "month", "year"):
        if kind not in stated:
            raise ValueError(f"{date_format!r} states no {kind}; write one such as '%d.%m.%Y' or '%d.%m.%Y %H:%M'")
    if twice := [kind for kind in stated if stated.count(kind) > 1]:
        raise ValueError(f"{date_format!r} states the {twice[0]} twice")
    for kind, needed in _NEEDS.items():
        if kind in stated and needed not in stated:
            raise ValueError(f"{date_format!r} states the {kind} and no {needed}")
    if ("I" in letters) != ("p" in letters):
        raise ValueError(f"{date_format!r}: %I, the hour from 1 to 12, and %p, AM or PM, go together")
