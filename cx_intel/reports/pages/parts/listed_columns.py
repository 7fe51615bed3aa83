"""Columns of the accounts page that a reader may choose beside the usual ones: of the renewal, of the account, its attributes.

A column stands there only where its accounts differ in it. The usual ones and the rows are in `accounts.py`.
"""

from dataclasses import dataclass
from typing import Any, NamedTuple

import pandas as pd

from cx_intel.reports.data.report_data import ReportData
from cx_intel.reports.words.catalogue import term
from cx_intel.reports.words.language import iso
from cx_intel.reports.words.rounding import is_missing


class ListColumn(NamedTuple):
    """A column of the list; scripts and the template read it by place.

    Attributes:
        name: Of the field that is shown.
        label: The heading.
        kind: `text` or `number`.
        sorts_by: The field that it is ordered by.
        is_usual: Whether it is shown before anybody chooses columns.
        written: `text`, `number`, `money`, `score`, `change` or `level`.
    """

    name: str
    label: str
    kind: str
    sorts_by: str
    is_usual: bool
    written: str


OF_RENEWAL = (
    ("renewal_date", term("Renews on"), "day"),
    ("exposed_arr", term("Exposed"), "money"),
    ("expected_arr_loss", term("Expected loss"), "money"),
    ("recommended_playbook", term("Playbook"), "text"),
)
OF_ACCOUNT = (
    ("signup_date", term("Customer since"), "day"),
    ("plan_tier", term("Plan"), "text"),
    ("industry", term("Industry"), "text"),
    ("region", term("Region"), "text"),
    ("employee_count", term("Employees"), "number"),
    ("open_tickets", term("Unresolved tickets"), "number"),
)
USUAL = ("segment", "country", "owner")
ATTRIBUTES = 6
"""Of the portfolio's own attributes, the first ones."""


@dataclass(frozen=True)
class MoreColumns:
    """The rows with what the columns show, the field of each in the page, and the columns."""

    frame: pd.DataFrame
    fields: dict[str, str]
    columns: list[ListColumn]


def more_columns(data: ReportData, listed: pd.DataFrame) -> MoreColumns:
    """The columns that can be chosen, with their values for the accounts that are listed."""
    f, ids = data.language, listed["account_id"]
    of_account = dict.fromkeys(name for name, _, _ in OF_ACCOUNT)
    own = [
        (name, data.labels.attribute(name), "")
        for name in data.portfolio.account_attributes
        if name not in of_account and name not in USUAL
    ]
    found = MoreColumns(listed.copy(), {}, [])
    for table, named in (
        ("renewal_pipeline", [(n, f.say(label), kind) for n, label, kind in OF_RENEWAL]),
        ("dim_account", [(n, f.say(label), kind) for n, label, kind in OF_ACCOUNT] + own[:ATTRIBUTES]),
    ):
        rows = data[table].drop_duplicates("account_id").set_index("account_id")
        for name, label, kind in named:
            if name in rows.columns:
                _add(found, data, f"more_{name}", label, kind, ids.map(rows[name].astype(object)))
    return found


def _add(found: MoreColumns, data: ReportData, name: str, label: str, kind: str, values: pd.Series) -> None:
    """Adds a column of values, unless all are the same."""
    known = [value for value in values if not is_missing(value)]
    if len(set(map(str, known))) < 2:
        return
    written = kind or ("number" if all(_is_number(value) for value in known) else "text")
    shown, sort = values, name
    if written == "day":
        sort = f"{name}_at"
        found.frame[sort] = [None if is_missing(value) else iso(value) for value in values]
        found.fields[sort] = sort
        shown = values.map(lambda day: None if is_missing(day) else data.language.day(day))
    elif written == "text":
        shown = values.map(lambda value: None if is_missing(value) else str(value).replace("|", ", "))
    found.frame[name] = shown.to_list()
    found.fields[name] = name
    look = "number" if written in ("day", "money", "number") else "text"
    found.columns.append(ListColumn(name, label, look, sort, False, "text" if written == "day" else written))


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
