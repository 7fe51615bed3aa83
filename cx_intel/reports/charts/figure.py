"""What a chart is to a page: its specification, its rows by name, and what it says in words.

A specification names its rows and does not hold them, so that a page may change them by its filters and a picture may
take the same rows. The charts themselves stand in the modules beside this one, a subject each.
"""

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import altair as alt
import pandas as pd
from altair.utils.schemapi import debug_mode

from cx_intel.reports.formats import THOUSAND_MILLION, Formats, is_missing
from cx_intel.reports.palette import Mark

CONTAINER = "container"
SEPARATORS = str.maketrans("\u2028\u2029", "  ")
Width = int | str
Rows = list[dict[str, Any]]


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
    """

    key: str
    title: str
    describes: str
    build: Callable[[Width], alt.TopLevelMixin]
    data: Mapping[str, Rows]
    note: str = ""
    left_out: str = ""
    is_empty: bool = False
    is_wide: bool = False
    legend: Sequence[Mark] = ()
    opens_accounts: bool = False

    def spec(self, width: Width) -> dict[str, Any]:
        """Vega-Lite, without rows and theme."""
        return plain_spec(self.build(width))


def plain_spec(chart: alt.TopLevelMixin) -> dict[str, Any]:
    """The chart as Vega-Lite, without Altair's theme; what the tests check is not checked again at each refresh."""
    with alt.theme.enable("none"), debug_mode(False):
        spec: dict[str, Any] = chart.to_dict(validate=False)
    spec.pop("config", None)
    return spec


def rows_of(frame: pd.DataFrame, columns: Mapping[str, str]) -> Rows:
    """The rows of a frame under short names; missing values as None.

    Args:
        frame: The rows.
        columns: Column of the frame: its name in the chart.
    """
    chosen = frame[list(columns)].rename(columns=dict(columns)).astype(object)
    return [
        {name: plain_value(value) for name, value in zip(chosen.columns, row, strict=True)}
        for row in chosen.itertuples(index=False)
    ]


def plain_value(value: Any) -> Any:
    """A value as JSON knows it; line separators, at which Vega's expressions break off, are spaces."""
    if is_missing(value):
        return None
    if isinstance(value, str):
        return value.translate(SEPARATORS)
    if isinstance(value, bool | int | float):
        return round(value, 6) if isinstance(value, float) else value
    return value.item() if hasattr(value, "item") else str(value)


def named(name: str) -> alt.Chart:
    """A chart over the rows of that name."""
    return alt.Chart(alt.NamedData(name))


def money_labels(f: Formats) -> str:
    """Vega's expression of a short amount on an axis: $20K, 20 Tsd. €."""
    thousand, million = THOUSAND_MILLION[f.language]

    symbol = f.symbol if f.language == "en" else f"\u00a0{f.symbol}"
    before, after = (symbol, "") if f.language == "en" else ("", symbol)
    steps = ((1e6, million), (1e3, thousand), (1, ""))
    size = " : ".join(
        (f"abs(datum.value) >= {step:g} ? " if unit else "")
        + f"format(abs(datum.value) / {step:g}, ',~g') + {json.dumps(unit + after)}"
        for step, unit in steps
    )
    return f"datum.value == 0 ? '0' : (datum.value < 0 ? '−' : '') + {json.dumps(before)} + ({size})"


def money_axis(f: Formats, title: str | None = None, **options: Any) -> alt.Axis:
    return alt.Axis(
        **{
            "title": title,
            "labelExpr": money_labels(f),
            "tickCount": 4,
            "labelOverlap": True,
            "labelSeparation": 8,
            **options,
        }
    )


def legend_at(width: Width, labels: str = "") -> alt.Legend | None:
    """A legend in pictures; pages write their own."""
    if width == CONTAINER:
        return None
    return alt.Legend(title=None, orient="top", columns=3, **({"labelExpr": labels} if labels else {}))


def mark_scale(marks: Sequence[Mark]) -> alt.Scale:
    """The colours of levels."""
    return alt.Scale(domain=[m.name for m in marks], range=[m.colour for m in marks])


def shape_scale(marks: Sequence[Mark]) -> alt.Scale:
    return alt.Scale(domain=[m.name for m in marks], range=[m.shape for m in marks])


def glyph_labels(marks: Iterable[Mark], value: str = "datum.value") -> str:
    """Vega's expression of a level with its glyph in front."""
    return f"({json.dumps({m.name: f'{m.glyph} {m.name}' for m in marks}, ensure_ascii=False)})[{value}]"


def text_on(marks: Iterable[Mark], name: str) -> Any:
    """White or dark text, whichever reads on the fill of the level in the field `name`."""
    dark = [m.name for m in marks if m.takes_dark_text]
    return (
        alt.when(alt.FieldOneOfPredicate(field=name, oneOf=dark))
        .then(alt.value("#1f2328"))
        .otherwise(alt.value("#ffffff"))
    )
