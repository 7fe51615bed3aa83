"""Dates and numbers as a country writes them, `31.12.2025` and `24.000,50`, turned into ISO 8601 and plain decimals.

Expressions over the text cells of a file, in DuckDB's SQL; a cell that fits in no way stays as it is, and staging
turns it away. Which columns are read so: `columns.py`; the formats: `cx_intel.settings.sources.date_formats`.
"""

import re
from collections.abc import Mapping, Sequence

from cx_intel.contracts.contract import COUNT, DATE, MONEY, NUMBER, PRICE, TIME
from cx_intel.settings.sources.base import TableSource
from cx_intel.settings.sources.date_formats import EXCEL, parts_of

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

_BLANK_GROUPS = (" ", r"[\x{00A0}\x{202F}]", "['\u2019]")
_EXPONENT = "(?:[eE][+-]?[0-9]{1,3})?"


def _number_pattern(decimal: str) -> str:
    """Digits, or groups of three that one mark parts; the decimal sign and a fraction; an exponent."""
    other = "[.]" if decimal == "," else ","
    groups = "|".join(f"[1-9][0-9]{{0,2}}(?:{mark}[0-9]{{3}})+" for mark in (other, *_BLANK_GROUPS))
    if decimal == ".":
        groups += "|[1-9][0-9]?(?:,[0-9]{2})+,[0-9]{3}"  # 12,34,567 as in India
    return rf"^(?:{groups}|[0-9]+)?(?:[{decimal}][0-9]*)?{_EXPONENT}$"


_SIGN = r"(?:[A-Z]{0,2}[$]|[\x{20AC}\x{00A3}\x{00A5}\x{20B9}])"
"""Signs of currencies: $, US$, €, £, ¥, ₹."""
_SIGN_OR_CODE = rf"(?:[A-Z]{{3}}|{_SIGN}|kr|zł)"
"""Of amounts: also the code of a currency, as in 12.50 EUR."""
_GAP = r"[\s\x{00A0}\x{202F}]*"


def _cell_pattern(sign: str) -> str:
    """An opening bracket, a sign before or after that of the currency, the digits, a closing bracket."""
    return (
        rf"^{_GAP}(\(?){_GAP}([+-]?){_GAP}({sign}?){_GAP}([+-]?)"
        rf"([0-9.,][0-9.,'\x{{2019}} \x{{00A0}}\x{{202F}}]*?{_EXPONENT}){_GAP}({sign}?){_GAP}(\)?){_GAP}$"
    )


def localised(cell: str, kind: str, source: TableSource) -> str:
    """The expression of a text cell of a column of this type, in the spelling that staging reads."""
    if kind in (DATE, TIME) and source.date_formats:
        return iso_time(cell, source.date_formats)
    if kind in (COUNT, NUMBER, MONEY, PRICE):
        return plain_number(cell, source.decimal, keeps_currency=kind in (MONEY, PRICE))
    return cell


def respelt(cell: str, read: str, values: Mapping[str, str]) -> str:
    """The canonical value for a cell in one of the source's spellings; others as they are read."""
    if not values:
        return read
    cases = " ".join(f"WHEN {literal(old.strip().lower())} THEN {literal(new)}" for old, new in values.items())
    return f"CASE lower(trim({cell})) {cases} ELSE {read} END"


def iso_time(cell: str, formats: Sequence[str]) -> str:
    """By the first format that fits the whole cell and names a day that exists; else the cell."""
    cases = []
    for date_format in formats:
        if date_format == EXCEL:
            day = f"TIMESTAMP '1899-12-30' + to_seconds(round(try_cast({cell} AS DOUBLE) * 86400)::BIGINT)"
            is_day = rf"regexp_matches({cell}, '^\s*[2-7][0-9]{{4}}([.][0-9]+)?\s*$')"
            cases.append(f"WHEN {is_day} THEN strftime({day}, '%Y-%m-%dT%H:%M:%S')")
            continue
        iso, exists = _iso(cell, date_format)
        cases.append(f"WHEN regexp_matches({cell}, {literal(pattern_of(date_format))}) AND {exists} THEN {iso}")
    return f"CASE {' '.join(cases)} ELSE {cell} END"


def plain_number(cell: str, decimal: str | None, *, keeps_currency: bool = False) -> str:
    """$1,234.56, (50.00) or 24.000,50 as 1234.56, -50.00 and 24000.50; a cell that is no number stays as it is.

    Groups of three digits are all parted by one mark; brackets mean a negative number. With a decimal sign stated, a
    number of the other spelling gets a note, so that it is quarantined. Without one, a number is read as it can only be
    meant: 1,234 and 1.234, which can be meant either way, get a note too; one with an exponent has a decimal point.
    With `keeps_currency` the sign or code of a currency follows the number: 99 EUR, 12.50 $.
    """
    names = "['opening', 'before', 'sign', 'after', 'digits', 'behind', 'closing']"
    pattern = literal(_cell_pattern(_SIGN_OR_CODE if keeps_currency else _SIGN))
    part = f"regexp_extract({cell}, {pattern}, {names})"
    body = f"{part}['digits']"
    is_negative = f"({part}['opening'] = '(' OR {part}['before'] = '-' OR {part}['after'] = '-')"
    is_one_sign = (
        f"({part}['opening'] = '') = ({part}['closing'] = '') AND "
        f"length({part}['opening'] || {part}['before'] || {part}['after']) <= 1"
    )
    is_number = f"regexp_matches({cell}, {pattern}) AND regexp_matches({body}, '[0-9]') AND {is_one_sign}"
    is_code = f"({part}['behind'] <> '' AND ({part}['sign'] = '' OR regexp_matches({part}['behind'], '^[A-Z]{{3}}$')))"
    sign = f"CASE WHEN {is_code} THEN ' ' || {part}['behind'] WHEN {part}['sign'] <> '' THEN ' ' || {part}['sign'] ELSE '' END"
    behind = f" || {sign}" if keeps_currency else ""
    fits = {sign: f"regexp_matches({body}, {literal(_number_pattern(sign))})" for sign in (".", ",")}

    def read(sign: str) -> str:
        other = "," if sign == "." else "."
        bare = rf"regexp_replace({body}, '[{other}\s''\x{{2019}}\x{{00A0}}\x{{202F}}]', '', 'g')"
        return f"(CASE WHEN {is_negative} THEN '-' ELSE '' END || replace({bare}, ',', '.'){behind})"

    if decimal:
        note = literal(f' (decimal: "{decimal}")')
        other = fits["," if decimal == "." else "."]
        cases = f"WHEN {fits[decimal]} THEN {read(decimal)} WHEN {other} THEN trim({cell}) || {note}"
    else:
        note = literal(' (state decimal: "." or ",")')
        either = f"{fits['.']} AND {fits[',']} AND regexp_matches({body}, '^[^eE]*[.,][^eE]*$')"
        cases = (
            f"WHEN {either} THEN trim({cell}) || {note} WHEN {fits['.']} THEN {read('.')} "
            f"WHEN {fits[',']} THEN {read(',')}"
        )
    return f"CASE WHEN {is_number} THEN CASE {cases} ELSE {cell} END ELSE {cell} END"


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


def identifier(name: str) -> str:
    """The name of a column as it stands in SQL."""
    return '"' + name.replace('"', '""') + '"'
