"""Dates and numbers as a country writes them, `31.12.2025` and `24.000,50`, turned into ISO 8601 and plain decimals.

Expressions over the text cells of a file, in DuckDB's SQL; a cell that fits in no way stays as it is, and staging
turns it away. Which columns are read so: `columns.py`; the formats: `cx_intel.settings.sources.date_formats`.
"""

import re
from collections.abc import Sequence

from cx_intel.contracts.contract import COUNT, DATE, MONEY, NUMBER, TIME
from cx_intel.settings.sources.date_formats import parts_of
from cx_intel.settings.sources.files import FilesSource

_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_MONTH_NAMES = (
    "(?i:jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?|sep(?:t(?:ember)?)?|oct(?:ober)?"
    "|nov(?:ember)?|dec(?:ember)?)"
)
_DIGITS = {
    "d": "0?[1-9]|[12][0-9]|3[01]",
    "m": "0?[1-9]|1[0-2]",
    "y": "[0-9]{2}",
    "Y": "[1-9][0-9]{3}",
    "H": "[01]?[0-9]|2[0-3]",
    "I": "0?[1-9]|1[0-2]",
    "M": "[0-5][0-9]",
    "S": "[0-5][0-9]",
    "f": "[0-9]{1,9}",
}
_WORDS = {
    "b": _MONTH_NAMES,
    "B": _MONTH_NAMES,
    "p": "(?i:[ap][.]?m[.]?)",
    "z": "Z|UTC|[+-](?:[01][0-9]|2[0-3])(?::?[0-5][0-9])?",
}
_BLANKS = r"[ \x{00A0}\x{202F}]+"
_LAST_YEAR_OF_2000 = 68
"""Two digits up to it are a year of 2000, those above of 1900, as POSIX has it."""

_THOUSANDS = ("[.]", " ", r"[\x{00A0}\x{202F}]", "['\u2019]")
_GROUPED = "|".join(f"[1-9][0-9]{{0,2}}(?:{mark}[0-9]{{3}})+" for mark in _THOUSANDS)
COMMA_NUMBER = rf"^\s*[+-]?(?:{_GROUPED}|[0-9]+)?(?:,[0-9]*)?(?:[eE][+-]?[0-9]{{1,3}})?\s*$"
_PLAIN_WITH_DOT = r"^\s*[+-]?[0-9]*[.][0-9]*(?:[eE][+-]?[0-9]+)?\s*$"


def localised(cell: str, kind: str, source: FilesSource) -> str:
    """The expression of a text cell of a column of this type, in the spelling that staging reads."""
    if kind in (DATE, TIME) and source.date_formats:
        return iso_time(cell, source.date_formats)
    if kind in (COUNT, NUMBER, MONEY) and source.decimal == ",":
        return plain_number(cell)
    return cell


def iso_time(cell: str, formats: Sequence[str]) -> str:
    """By the first format that fits the whole cell and names a day that exists; else the cell."""
    cases = []
    for date_format in formats:
        iso, exists = _iso(cell, date_format)
        cases.append(f"WHEN regexp_matches({cell}, {literal(pattern_of(date_format))}) AND {exists} THEN {iso}")
    return f"CASE {' '.join(cases)} ELSE {cell} END"


def plain_number(cell: str) -> str:
    """24.000,50 as 24000.50: after the comma the fraction, before it groups of three digits, all apart by one mark.

    A number with a dot that is no such group, 24.5, is told apart from a plain decimal by a note, so that it is
    turned away: whoever writes it means another spelling.
    """
    bare = rf"regexp_replace({cell}, '[.\s''\x{{2019}}\x{{00A0}}\x{{202F}}]', '', 'g')"
    fits = f"regexp_matches({cell}, {literal(COMMA_NUMBER)}) AND regexp_matches({cell}, '[0-9]')"
    noted = f"trim({cell}) || ' (decimal: \",\")'"
    is_plain = f"regexp_matches({cell}, {literal(_PLAIN_WITH_DOT)}) AND regexp_matches({cell}, '[0-9]')"
    return f"CASE WHEN {fits} THEN replace({bare}, ',', '.') WHEN {is_plain} THEN {noted} ELSE {cell} END"


def pattern_of(date_format: str) -> str:
    """What fits the whole of a cell, blanks around it left aside; a group for each directive.

    Days, months and hours may lack their leading zero, unless another figure follows without anything between.
    """
    parts = parts_of(date_format)
    is_digits = [False, *(part.is_directive and part.text in _DIGITS for part in parts), False]
    written = []
    for n, part in enumerate(parts):
        if not part.is_directive:
            written.append(_BLANKS.join(re.escape(word) for word in part.text.replace("\u00a0", " ").split(" ")))
            continue
        figures = (_DIGITS | _WORDS)[part.text]
        if part.text in _DIGITS and (is_digits[n] or is_digits[n + 2]):  # nothing parts it from its neighbour
            figures = figures.replace("0?", "0").replace("[01]?", "[01]")
        written.append(f"({figures})")
    return rf"^\s*{''.join(written)}\s*$"


def _iso(cell: str, date_format: str) -> tuple[str, str]:
    """The cell in ISO 8601, and whether its day is one of the calendar."""
    letters = [part.text for part in parts_of(date_format) if part.is_directive]
    names = ", ".join(f"'part{n}'" for n in range(len(letters)))
    fields = f"regexp_extract({cell}, {literal(pattern_of(date_format))}, [{names}])"
    found = {"b" if letter == "B" else letter: f"{fields}['part{n}']" for n, letter in enumerate(letters)}
    day = f"({_year(found)} || '-' || {_month(found)} || '-' || lpad({found['d']}, 2, '0'))"
    exists = f"try_cast({day} AS DATE) IS NOT NULL"
    if not {"H", "I"} & set(found):
        return day, exists
    clock = f"{_hour(found)} || ':' || {found.get('M', literal('00'))} || ':' || {found.get('S', literal('00'))}"
    fraction = f" || '.' || {found['f']}" if "f" in found else ""
    offset = f" || {found['z']}" if "z" in found else ""
    return f"({day} || 'T' || {clock}{fraction}{offset})", exists


def _year(found: dict[str, str]) -> str:
    if "Y" in found:
        return found["Y"]
    century = f"CASE WHEN {found['y']} <= '{_LAST_YEAR_OF_2000}' THEN '20' ELSE '19' END"
    return f"({century} || {found['y']})"


def _month(found: dict[str, str]) -> str:
    if "m" in found:
        return f"lpad({found['m']}, 2, '0')"
    names = ", ".join(literal(name) for name in _MONTHS)
    return f"lpad(list_position([{names}], lower({found['b']}[:3]))::varchar, 2, '0')"


def _hour(found: dict[str, str]) -> str:
    if "H" in found:
        return f"lpad({found['H']}, 2, '0')"
    afternoon = f"CASE WHEN lower({found['p']}[1]) = 'p' THEN 12 ELSE 0 END"
    return f"lpad(((try_cast({found['I']} AS INTEGER) % 12) + {afternoon})::varchar, 2, '0')"


def literal(text: str) -> str:
    """The text as a constant of SQL."""
    return "'" + text.replace("'", "''") + "'"
