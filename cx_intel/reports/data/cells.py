"""What the filters of pages choose accounts by, and what the chosen ones add to figures.

The accounts that share all the attributes of the filters are a cell: figures that are sums over accounts are embedded in a
page as sums by cell, so that a page stays small whatever the number of accounts, and a script adds up the chosen cells.
Each part is of the table that the figure is of; the figures stand in `figures/` and the charts.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from cx_intel.contracts.staging.values import NO_VALUE
from cx_intel.reports.charts.drawing.figure import DIGITS
from cx_intel.reports.data.report_data import ReportData, made_once
from cx_intel.reports.words.catalogue import term
from cx_intel.reports.words.rounding import is_missing
from cx_intel.settings.portfolio import Portfolio

ALWAYS = ("owner", "segment", "country")
LABELS = {"owner": term("Owner"), "segment": term("Segment"), "country": term("Country")}
MOST_CELLS = 2000
"""Of more combinations pages would grow too large: the last attributes are left out of the filters until there are fewer."""


@dataclass(frozen=True)
class Cells:
    """The combinations of attributes that accounts have.

    Attributes:
        columns: The attributes.
        rows: Of each cell, in order, the values of the attributes.
        of: Account: its cell. Attributes are those of the day; accounts of other days have the newest ones.
    """

    columns: tuple[str, ...]
    rows: Sequence[tuple[str, ...]]
    of: Mapping[str, int]

    def sums(self, frame: pd.DataFrame, column: str) -> list[float]:
        """The sum of a column by cell, of a frame with account_id."""
        amounts: list[list[float]] = [[] for _ in self.rows]
        for account, amount in zip(frame["account_id"], frame[column], strict=True):
            if not is_missing(amount):
                amounts[self.of[account]].append(float(amount))
        return [_plain(math.fsum(found)) for found in amounts]

    def grouped(self, frame: pd.DataFrame, by: str, columns: Sequence[str]) -> pd.DataFrame:
        """The sums of the columns by cell and another column, without the rows in which all are 0."""
        named = frame.assign(cell=[self.of[account] for account in frame["account_id"]])
        sums = named.groupby(["cell", by], as_index=False)[list(columns)].sum().round(DIGITS)
        return sums[(sums[list(columns)] != 0).any(axis=1)]

    def choices(self) -> dict[str, list[str]]:
        """Attribute: its values, of those that have several."""
        found = {name: sorted({row[i] for row in self.rows}, key=str.casefold) for i, name in enumerate(self.columns)}
        return {name: values for name, values in found.items() if len(values) > 1}


def filter_columns(portfolio: Portfolio) -> tuple[str, ...]:
    """What pages are filtered by: owner, segment, country, and the attributes that the portfolio rolls up by."""
    return tuple(dict.fromkeys((*ALWAYS, *portfolio.rollups)))


def filter_labels(data: ReportData) -> dict[str, str]:
    """Attribute: its heading."""
    say = data.language.say
    return {
        name: say(LABELS[name]) if name in LABELS else data.labels.attribute(name)
        for name in filter_columns(data.portfolio)
    }


@made_once
def cells(data: ReportData) -> Cells:
    """The cells of all accounts that any figure of the pages is of."""
    columns, nothing = filter_columns(data.portfolio), data.language.say(NO_VALUE)
    values: dict[str, tuple[str, ...]] = {}
    parts = (data.ledger_parts, data.cohort_parts, data.ticket_parts)
    for frame in (data["account_snapshot"], data["dim_account"], *parts, *data.compared.values()):
        known = frame.reindex(columns=["account_id", *columns]).drop_duplicates("account_id")
        for account, *row in known.itertuples(index=False):
            if account not in values:
                values[account] = tuple(nothing if is_missing(v) or v == NO_VALUE else str(v) for v in row)
    kept = len(columns)
    while kept > 1 and len({row[:kept] for row in values.values()}) > MOST_CELLS:
        kept -= 1
    numbers: dict[tuple[str, ...], int] = {}
    of = {account: numbers.setdefault(row[:kept], len(numbers)) for account, row in values.items()}
    return Cells(columns[:kept], list(numbers), of)


@made_once
def account_names(data: ReportData) -> dict[str, str]:
    """Account: its name, or its id where it has none."""
    known = data["dim_account"]
    named = zip(known["account_id"], known["account_name"], strict=True) if len(known) else ()
    return {str(account): str(account) if is_missing(name) else str(name) for account, name in named}


def filter_data(data: ReportData) -> dict[str, Any]:
    """What the script of the filters needs of every page."""
    found = cells(data)
    return {"columns": found.columns, "rows": found.rows, "labels": filter_labels(data)}


def _plain(amount: float) -> float:
    """Whole numbers without a decimal sign, which is shorter in JSON."""
    amount = round(amount, DIGITS)
    return int(amount) if amount == int(amount) else amount
