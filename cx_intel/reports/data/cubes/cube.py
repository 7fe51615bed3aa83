"""What a table or chart that follows the filters is made of: rows to sum, and how each figure comes from them.

A page embeds the rows packed; `templates/sums.js` sums those of the chosen cells of accounts and writes the figures over
the published ones. Of all accounts it finds what the table of the warehouse holds. The cubes stand beside this module.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import pandas as pd

from cx_intel.reports.charts.drawing.figure import plain_value, plain_values

Made = Mapping[str, Any]
"""How a figure is made of the rows that share their keys, as `sums.js` reads it."""
Condition = tuple[str, str, Any]
"""Column, comparison (`=`, `<=`, `>=`), and a value, or the name of a key after an @."""
_PLAIN = (str, int, float, type(None))
ROWS = "#"
"""In a sum: the number of rows."""


def total(*columns: str, where: Sequence[Condition] = ()) -> dict[str, Any]:
    """The sum of columns, one with - in front being taken away."""
    return {"of": [*columns], "where": [*where]}


def level(column: str, end: Literal["first", "last"]) -> Made:
    """The sum of a column that is a level: of the first or the last month, where several are picked."""
    return total(column) | {"at": end}


def ratio(of: Sequence[str], per: Sequence[str], *, times: float = 100, where: Sequence[Condition] = ()) -> Made:
    """A sum divided by another; missing where that is 0."""
    return {"of": [*of], "per": [*per], "times": times, "where": [*where]}


def quantile(column: str, point: float, *, per: float, where: Sequence[Condition] = ()) -> Made:
    """A quantile of the values that are there, with linear interpolation; so many of them to one of the figure."""
    return {"quantile": point, "in": column, "unit": per, "where": [*where]}


def least(column: str) -> Made:
    """The smallest value."""
    return {"least": column, "where": []}


@dataclass(frozen=True)
class Cube:
    """Rows to sum, and the figures made of them.

    Attributes:
        name: Unique on its page.
        rows: Columns: cell, of accounts (`cells.py`); keys; and what is summed, in which a missing value adds nothing. One
            of single accounts has id and name too, so that a click lists them.
        figures: Name: how it is made.
    """

    name: str
    rows: pd.DataFrame
    figures: Mapping[str, Made]

    def columns(self) -> dict[str, list[Any]]:
        """The rows as JSON knows them, column by column."""
        return {str(name): [_plain(value) for value in plain_values(values)] for name, values in self.rows.items()}


@dataclass(frozen=True)
class Follows:
    """What a table or chart takes from a cube.

    Attributes:
        cube: Which.
        by: Key of the cube: the column of the table, or the field of the chart's rows, that holds it.
        values: Field of the chart's rows: the figure that it shows, or, after an @, the field that names the figure.
        texts: Field: figure, and how it is written (kind and digits).
        drops: Fields that no figure has for chosen accounts.
        by_month: It is of the month that is picked.
    """

    cube: Cube
    by: Mapping[str, str]
    values: Mapping[str, str] = field(default_factory=dict)
    texts: Mapping[str, tuple[str, str, int]] = field(default_factory=dict)
    drops: Sequence[str] = ()
    by_month: bool = False

    def keys(self, row: Mapping[str, Any]) -> list[Any]:
        """Those of a row of the table."""
        return [key_of(row[column]) for column in self.by.values()]

    def for_script(self) -> dict[str, Any]:
        """As `sums.js` reads it."""
        told = {"cube": self.cube.name, "by": dict(self.by), "values": dict(self.values), "texts": dict(self.texts)}
        return told | {"drops": list(self.drops), "byMonth": self.by_month}


def key_of(value: Any) -> Any:
    """A key as both sides compare it: days as text."""
    plain = plain_value(value)
    return plain if isinstance(plain, _PLAIN) else str(plain)


def _plain(value: Any) -> Any:
    """Of a plain value a key, whole numbers without a decimal sign, which is shorter."""
    if isinstance(value, float):
        return int(value) if value.is_integer() else value
    return value if isinstance(value, _PLAIN) else str(value)
