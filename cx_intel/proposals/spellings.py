"""How the days and numbers of files are written, as far as their first rows tell.

Which column holds which is decided in `tables.py`; how spellings are read in `cx_intel.warehouse.duckdb.files.local_spellings`.
"""

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import suppress
from datetime import date, datetime

from cx_intel.contracts.contract import DATE, MONEY, NUMBER, PRICE, TIME, Column
from cx_intel.proposals.folders import FoundFiles

_LOCAL_DAY = re.compile(r"^(\d\d?)([./])(\d\d?)\2(\d{4})(.*)$")
_COMMA = re.compile(r"^-?[\d.' ]*\d,\d{1,2}$")
_NEITHER = re.compile(r"^-?\d{1,3}[.,]\d{3}$")


def day_of(value: str, formats: Iterable[str] = ()) -> date | None:
    """The day that a cell begins with in ISO form, or says in one of the formats; None where it does neither."""
    with suppress(ValueError):
        return date.fromisoformat(value[:10])
    for text in formats:
        with suppress(ValueError):
            return datetime.strptime(value, text).date()
    return None


def spellings(
    columns: dict[str, str], found: FoundFiles, kinds: dict[str, Column]
) -> tuple[dict[str, object], list[str]]:
    """How days and numbers are written, where they are not written as everywhere."""
    more: dict[str, object] = {}
    doubts: list[str] = []
    days = [v for n, c in columns.items() if kinds[n].type in (DATE, TIME) for v in found.values(c)]
    numbers = [v for n, c in columns.items() if kinds[n].type in (MONEY, PRICE, NUMBER) for v in found.values(c)]
    local = [match for value in days if (match := _LOCAL_DAY.match(value))]
    if local:
        more["date_formats"], said = _day_formats(local)
        doubts += said
    if any(_COMMA.match(value) for value in numbers):
        more["decimal"] = ","
    elif any(_NEITHER.match(value) for value in numbers):
        if any("." in v and not _NEITHER.match(v) for v in numbers):
            more["decimal"] = "."
        else:
            doubts.append('A number such as 1,234 may be meant either way: state `decimal: "."` or `decimal: ","`.')
    return more, doubts


def _day_formats(local: Iterable[re.Match[str]]) -> tuple[list[str], list[str]]:
    found = list(local)
    sign = Counter(match[2] for match in found).most_common(1)[0][0]
    first, second = ({int(match[place]) for match in found} for place in (1, 3))
    day_first = next((match for match in found if int(match[1]) > 12), None)
    month_first = next((match for match in found if int(match[3]) > 12), None)
    doubts = []
    if day_first and month_first:
        doubts.append(
            f"Days are written both as {day_first[0]} and as {month_first[0]}: one source can read but one way."
        )
    is_day_first = bool(day_first) or (not month_first and (sign == "." or (first == {1} and len(second) > 1)))
    if sign != "." and not day_first and not month_first:
        taken = "day" if is_day_first else "month"
        doubts.append(
            f"Whether {found[0][0]} begins with the day or the month is not told: `date_formats` says the {taken}."
        )
    day = f"%d{sign}%m{sign}%Y" if is_day_first else f"%m{sign}%d{sign}%Y"
    return list(dict.fromkeys(f"{day}{clock}" for clock in sorted(set(_clocks(found))))), doubts


def _clocks(found: Iterable[re.Match[str]]) -> Iterator[str]:
    for match in found:
        rest = match[5]
        if not rest.strip():
            yield ""
            continue
        hour = "%I" if rest.rstrip().upper().endswith("M") else "%H"
        lead = re.match(r"^[, T]*", rest)
        colons = rest.count(":")
        clock = f"{lead[0] if lead else ' '}{hour}" + (":%M" if colons else "") + (":%S" if colons > 1 else "")
        yield clock + (" %p" if hour == "%I" else "")
