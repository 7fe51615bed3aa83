"""What a chart is to a page: its specification, its rows by name, and what it says in words.

A specification names its rows and does not hold them, so that a page may change them by its filters and a picture may
take the same rows. It is written in Vega-Lite itself, as a dictionary, its texts in the reader's language; here are the
parts that recur. The charts stand in the modules beside this one, a subject each.
"""

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from dataclasses import field as dataclass_field
from math import isnan
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from cx_intel.reports.charts.drawing.palette import Mark
from cx_intel.reports.words.language import Language
from cx_intel.reports.words.rounding import is_missing

if TYPE_CHECKING:
    from cx_intel.reports.data.cubes.cube import Cube, Follows

CONTAINER = "container"
DIGITS = 6
"""Of a number: as exact as the tables' decimals."""
SEPARATORS = str.maketrans("\u2028\u2029", "  ")
KINDS = {"N": "nominal", "O": "ordinal", "Q": "quantitative", "T": "temporal"}
BARE = {"ticks": False, "domain": False}
"""An axis of names alone, without line and ticks."""
LARGE = BARE | {"labelFontSize": 12}
"""The same for few names, a row each."""
LOG = {"type": "log", "nice": True}
Width = int | str
Rows = list[dict[str, Any]]
Spec = dict[str, Any]
"""Vega-Lite, or a part of it."""


@dataclass(frozen=True)
class Figure:
    """One chart with its heading.

    Attributes:
        key: Unique on its page.
        title: Heading.
        describes: What it shows, for those who cannot see it.
        build: The specification at a width.
        data: Name of rows in the specification: the rows.
        note: A line beneath the heading.
        left_out: What is not shown, in words.
        is_empty: There is nothing to draw; `describes` says why.
        is_wide: It takes the whole width of the page.
        legend: What the colours mean; a page writes it as text, a picture as a legend of the chart.
        opens_accounts: A click on a mark opens its account (field `id`).
        lists: What a click on a mark lists: `by` names the fields of the table `accounts` that the mark shares with its
            accounts; `cube` one of single accounts, `keys` the field of the mark by the column of the cube, and `columns`
            headings with figures and how they are written; `month` the field that holds a month, and `movements` the
            movement of MRR by the words of the field `step`: it picks them on the page of revenue.
        follows: What it takes from a cube for chosen accounts; its first rows are those of the whole company.
        listed_from: The cube that `lists` names.
    """

    key: str
    title: str
    describes: str
    build: Callable[[Width], Spec]
    data: Mapping[str, Rows]
    note: str = ""
    left_out: str = ""
    is_empty: bool = False
    is_wide: bool = False
    legend: Sequence[Mark] = ()
    opens_accounts: bool = False
    lists: Mapping[str, Any] = dataclass_field(default_factory=dict)
    follows: "Follows | None" = None
    listed_from: "Cube | None" = None


def rows_of(frame: pd.DataFrame, columns: Mapping[str, str]) -> Rows:
    """The rows of a frame under short names; missing values as None.

    Args:
        frame: The rows.
        columns: Column of the frame: its name in the chart.
    """
    names = list(columns.values())
    values = [plain_values(frame[column]) for column in columns]
    return [dict(zip(names, row, strict=True)) for row in zip(*values, strict=True)]


def plain_value(value: Any) -> Any:
    """A value as JSON knows it; line separators, at which Vega's expressions break off, are spaces."""
    if is_missing(value):
        return None
    if isinstance(value, str):
        return value if value.isascii() else value.translate(SEPARATORS)
    if isinstance(value, (bool, int, float)):
        return round(value, DIGITS) if isinstance(value, float) else value
    return value.item() if hasattr(value, "item") else str(value)


def plain_values(values: pd.Series) -> list[Any]:
    """A column's values as `plain_value` gives them, numbers all at once."""
    if isinstance(values.dtype, np.dtype):  # those of extensions have a missing value of their own
        if values.dtype == "float64":
            return [None if isnan(value) else value for value in values.round(DIGITS).tolist()]
        if values.dtype.kind in "biu":
            return list(values.tolist())
    as_they_are = values.astype(object).tolist()
    return [v if type(v) is str and v.isascii() else plain_value(v) for v in as_they_are]


def field(name: str, kind: str, **options: Any) -> Spec:
    """A field in a channel, with its options; its kind by its first letter."""
    return {"field": name, "type": KINDS[kind], **options}


def tip(name: str, title: str, number: str = "") -> Spec:
    """A line of a tooltip: a text, or a number in that format."""
    return field(name, "Q", title=title, format=number) if number else field(name, "N", title=title)


def when(test: str | Spec, value: Any, otherwise: Any) -> Spec:
    """A channel with one value where the test holds, and another where it does not."""
    return {"condition": [{"test": test, "value": value}], "value": otherwise}


def mark(kind: str, encoding: Spec, transform: Sequence[Spec] = (), **look: Any) -> Spec:
    """Marks of one kind: what they show of the rows, after the transformations, and how they look."""
    drawn = {"mark": {"type": kind, **look}, "encoding": encoding}
    return drawn | {"transform": [*transform]} if transform else drawn


def over(rows: Rows, marks: Spec) -> Spec:
    """Marks over rows of their own, which stand in the specification."""
    return {"data": {"values": rows}, **marks}


def chart(rows: str, *layers: Spec, width: Width, height: int | Spec) -> Spec:
    """Marks over the rows of that name, the first at the bottom."""
    drawn = {"layer": [*layers]} if len(layers) > 1 else layers[0]
    return {"data": {"name": rows}, "width": width, "height": height, **drawn}


def counted(name: str) -> Spec:
    """In an aggregate: the number of rows, under that name."""
    return {"op": "count", "as": name}


def summed(name: str, total: str = "") -> Spec:
    """In an aggregate: the sum of a field, under its own name or another."""
    return {"op": "sum", "field": name, "as": total or name}


def money_labels(f: Language) -> str:
    """Vega's expression of a short amount on an axis: $20K, 20 Tsd. €."""
    formats, (before, after) = f.script_formats(), f.vega_locale()["currency"]
    steps = ((1e6, formats["million"]), (1e3, formats["thousand"]), (1, ""))
    size = " : ".join(
        (f"abs(datum.value) >= {step:g} ? " if unit else "")
        + f"format(abs(datum.value) / {step:g}, ',~g') + {json.dumps(unit + after)}"
        for step, unit in steps
    )
    return f"datum.value == 0 ? '0' : (datum.value < 0 ? '−' : '') + {json.dumps(before)} + ({size})"


def short_money(f: Language, value: str) -> str:
    """Vega's expression of a short amount that is not negative, as `Language.short_money` writes it."""
    formats, (before, after) = f.script_formats(), f.vega_locale()["currency"]
    million, thousand = json.dumps(formats["million"]), json.dumps(formats["thousand"])
    digits = (
        f"({value} >= 999500 ? format({value} / 1e6, {value} < 9995000 ? ',.2f' : ',.1f') + {million} : "
        f"{value} >= 9999.5 ? format({value} / 1e3, {value} < 99950 ? ',.1f' : ',.0f') + {thousand} : format({value}, ',.0f'))"
    )
    return f"({json.dumps(before)} + {digits} + {json.dumps(after)})"


def money_axis(f: Language, title: str | None = None, **options: Any) -> Spec:
    labels = {"labelExpr": money_labels(f), "labelOverlap": True, "labelSeparation": 8}
    return {"title": title, "tickCount": 4, **labels, **options}


def legend_at(width: Width, marks: Sequence[Mark] | None = None) -> Spec | None:
    """A legend in pictures, with the glyphs of these levels; pages write their own."""
    if width == CONTAINER:
        return None
    labels = {} if marks is None else {"labelExpr": glyph_labels(marks, "datum.label")}
    return {"title": None, "orient": "top", "columns": 3, **labels}


def coloured(name: str, marks: Sequence[Mark], legend: Spec | None = None) -> Spec:
    """The colour of the level in a field."""
    scale = {"domain": [m.label for m in marks], "range": [m.colour for m in marks]}
    return field(name, "N", scale=scale, legend=legend)


def shaped(name: str, marks: Sequence[Mark], legend: Spec | None = None) -> Spec:
    """The shape of the level in a field."""
    scale = {"domain": [m.label for m in marks], "range": [m.shape for m in marks]}
    return field(name, "N", scale=scale, legend=legend)


def glyph_labels(marks: Iterable[Mark], value: str = "datum.value") -> str:
    """Vega's expression of a level with its glyph in front."""
    return f"({json.dumps({m.label: f'{m.glyph} {m.label}' for m in marks}, ensure_ascii=False)})[{value}]"


def text_on(marks: Iterable[Mark], name: str) -> Spec:
    """White or dark text, whichever reads on the fill of the level in the field `name`."""
    dark = [m.label for m in marks if m.takes_dark_text]
    return when({"field": name, "oneOf": dark}, "#1f2328", "#ffffff")
