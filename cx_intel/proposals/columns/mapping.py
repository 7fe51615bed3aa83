"""Which column of a file is which of a table, by their names and by what the first rows say in them.

The names are in `cx_intel.proposals.words`. What the columns then mean: `meanings.py`.
"""

import re
from collections.abc import Container, Sequence

from cx_intel.contracts.contract import COUNT, DATE, MONEY, NUMBER, PRICE, TIME, Column
from cx_intel.proposals.columns.load_days import loaded_at
from cx_intel.proposals.columns.meanings import FIGURE
from cx_intel.proposals.columns.spellings import is_day
from cx_intel.proposals.folders import FoundFiles
from cx_intel.proposals.words.columns import COLUMN_WORDS
from cx_intel.proposals.words.names import bare_names, plain
from cx_intel.proposals.words.values import STATES

_NUMBER = re.compile(r"^[^\d(-]{0,4}\(?-?[\d.,' ]*\d\)?[^\d]{0,4}$")
_TYPED = {DATE: "day", TIME: "time", **dict.fromkeys((MONEY, PRICE, NUMBER, COUNT), "number")}
_MONTH = re.compile(r"^\d{4}-\d\d$")
FITTING_SHARE = 0.8
"""Of the cells looked at, the share that has to be a day or a number for a column to be taken for one."""


def mapping(table: str, found: FoundFiles, kinds: dict[str, Column], needed: Container[str]) -> dict[str, str]:
    """Canonical name: the column that is most likely it. Each column is one thing, the likeliest name first."""
    by_name = COLUMN_WORDS[table] | {name: (name,) for name in kinds if name not in COLUMN_WORDS[table]}
    wanted = [(place, name, word) for name, words in by_name.items() for place, word in enumerate(words)]
    columns: dict[str, str] = {}
    loaded = loaded_at(found)
    for given in _names(table, found):
        for _, name, word in sorted(wanted, key=lambda entry: (entry[2] != entry[1], entry[1] not in needed, entry[0])):
            free = word in given and given[word] not in columns.values()
            if not free or name in columns or name not in kinds or given[word] in loaded:
                continue
            values = found.values(given[word])
            if _fits(values, kinds[name]) and not _is_homonym(name, word, values):
                columns[name] = given[word]
    order = list(by_name)
    return dict(sorted(columns.items(), key=lambda entry: order.index(entry[0])))


def misread(table: str, columns: dict[str, str], found: FoundFiles, kinds: dict[str, Column]) -> dict[str, str]:
    """Columns that have the very name of a canonical one, and whose cells are none: what is said of each."""
    given, *_ = _names(table, found)
    doubts = {}
    for name, column in kinds.items():
        there = given.get(name)
        if name in columns or there is None or there in columns.values() or column.type not in _TYPED:
            continue
        if wrong := [value for value in found.values(there) if not _is_one(value, column)]:
            doubts[there] = f"{there} says {wrong[0][:40]!r}, which is read as no {_TYPED[column.type]}."
    return doubts


def is_number(value: str) -> bool:
    """Whether a cell is a number, with the signs that people write about it."""
    return bool(_NUMBER.match(value))


def _is_homonym(name: str, word: str, values: Sequence[str]) -> bool:
    """Whether a column has the name and another meaning: a size in numbers is no segment, a State no status."""
    if name == "segment":
        return bool(values) and all(FIGURE.match(value) for value in values)
    return name == "status" and word == "state" and not any(s in v.lower() for v in values for s in STATES)


def _names(table: str, found: FoundFiles) -> list[dict[str, str]]:
    """The columns by their names as names are compared; then by what is left without words that tell nothing."""
    exact = {plain(name): name for name in reversed(found.columns)}
    bare = {short: name for name in reversed(found.columns) for short in bare_names(name, table)}
    return [exact, bare]


def _fits(values: Sequence[str], column: Column) -> bool:
    return sum(_is_one(value, column) for value in values) >= FITTING_SHARE * len(values)


def _is_one(value: str, column: Column) -> bool:
    """Whether a cell can be one of the column."""
    if column.type in (DATE, TIME):
        return is_day(value) or (column.name == "month" and bool(_MONTH.match(value)))
    return column.type not in _TYPED or is_number(value)
