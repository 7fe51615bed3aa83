"""How the days and numbers of files are written, as far as their first rows tell.

Which column holds which is decided in `tables.py`; how spellings are read in `cx_intel.warehouse.duckdb.files.local_spellings`.
"""

import re
from collections import Counter
from collections.abc import Iterable
from contextlib import suppress
from datetime import date, datetime

from cx_intel.contracts.contract import COUNT, DATE, MONEY, NUMBER, PRICE, TIME, Column
from cx_intel.proposals.folders import FoundFiles

_LOCAL_DAY = re.compile(r"^(\d\d?)([./-])(\d\d?)\2(\d{4}|\d\d)((?:[,T ].*)?)$")
_KNOWN_DAY = re.compile(r"^(\d{4}-\d\d-\d\d|\d{10}(\.\d+)?$|\d{13}$|\d{8}(T|$))")
_CLOCK = re.compile(r"^(.*?\d)([, T]+\d\d?:\d\d.*)?$")
EITHER_WAY = 'A number such as 1,234 may be meant either way: state `decimal: "."` or `decimal: ","`.'
_OTHER_DAYS = (
    *("%d-%b-%Y", "%d-%b-%y", "%d %b %Y", "%d %B %Y", "%b %d, %Y", "%B %d, %Y", "%b %d %Y", "%B %d %Y"),
    *("%Y/%m/%d", "%Y.%m.%d"),
)
"""Further ways to write a day that say by themselves which is the month."""
_COMMA = re.compile(r"^[^\d,.]*[\d.' ]*\d,\d{1,2}[^\d,.]*$")
_NEITHER = re.compile(r"^[^\d,.]*\d{1,3}[.,]\d{3}[^\d,.]*$")


def day_of(value: str, formats: Iterable[str] = ()) -> date | None:
    """The day that a cell begins with in ISO form, or says in one of the formats; None where it does neither."""
    with suppress(ValueError):
        return date.fromisoformat(value[:10])
    for text in formats:
        with suppress(ValueError):
            return datetime.strptime(value, text).date()
    return None


def is_day(value: str) -> bool:
    """Whether a cell is a day or a time, in ISO form, counted since 1970, or as people write one."""
    return bool(_KNOWN_DAY.match(value) or _LOCAL_DAY.match(value) or _other_format(value))


def _other_format(value: str) -> str:
    """The format of a day that is written with the name of its month or with the year first; empty where it is not."""
    if not (parts := _CLOCK.match(value)):
        return ""
    for text in _OTHER_DAYS:
        with suppress(ValueError):
            datetime.strptime(parts[1], text)
            return text + (_clock(parts[2]) if parts[2] else "")
    return ""


def spellings(
    columns: dict[str, str], found: FoundFiles, kinds: dict[str, Column]
) -> tuple[dict[str, object], list[str]]:
    """How days and numbers are written, where they are not written as everywhere."""
    more: dict[str, object] = {}
    doubts: list[str] = []
    days = [v for n, c in columns.items() if kinds[n].type in (DATE, TIME) for v in found.values(c)]
    numbers = [v for n, c in columns.items() if kinds[n].type in (MONEY, PRICE, NUMBER, COUNT) for v in found.values(c)]
    local = [match for value in days if (match := _LOCAL_DAY.match(value))]
    formats = sorted({text for v in days if not _KNOWN_DAY.match(v) and (text := _other_format(v))})
    if local:
        local_formats, said = _day_formats(local)
        formats = [*local_formats, *formats]
        doubts += said
    if formats:
        more["date_formats"] = formats
    if any(_COMMA.match(value) for value in numbers):
        more["decimal"] = ","
    elif any(_NEITHER.match(value) for value in numbers):
        if any("." in v and not _NEITHER.match(v) for v in numbers):
            more["decimal"] = "."
        else:
            doubts.append(EITHER_WAY)
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
    day = f"%d{sign}%m{sign}" if is_day_first else f"%m{sign}%d{sign}"
    ends = sorted({("%Y" if len(match[4]) > 2 else "%y") + _clock(match[5]) for match in found})
    return [f"{day}{end}" for end in ends], doubts


def _clock(rest: str) -> str:
    """The format of what stands after a day: a clock, or nothing."""
    if not rest.strip():
        return ""
    hour = "%I" if rest.rstrip().upper().endswith("M") else "%H"
    lead = re.match(r"^[, T]*", rest)
    colons = rest.count(":")
    clock = f"{lead[0] if lead else ' '}{hour}" + (":%M" if colons else "") + (":%S" if colons > 1 else "")
    blank = " " if re.search(r"\d +[AaPp]", rest) else ""
    return clock + (f"{blank}%p" if hour == "%I" else "")
