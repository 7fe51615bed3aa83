"""A column's values for scripts: as each of them is by itself, whatever the type of the column."""

from datetime import date
from decimal import Decimal

import pandas as pd
import pytest

from cx_intel.reports.charts.drawing.figure import plain_value, plain_values
from cx_intel.reports.data.cubes.cube import Cube

COLUMNS = {
    "numbers": (pd.Series([1.23456789, float("nan"), -0.5, 2.0]), [1.234568, None, -0.5, 2.0]),
    "whole": (pd.Series([1, 2]), [1, 2]),
    "flags": (pd.Series([True, False]), [True, False]),
    "flags with gaps": (pd.Series([True, None], dtype=object), [True, None]),
    "whole with gaps": (pd.Series([1, None], dtype="Int64"), [1, None]),
    "texts": (pd.Series(["a", "Mü\u2028ller", None]), ["a", "Mü ller", None]),
    "days": (pd.Series([date(2025, 1, 31), None]), ["2025-01-31", None]),
    "amounts": (pd.Series([Decimal("1.50"), None]), ["1.50", None]),
    "nothing": (pd.Series([], dtype="float64"), []),
}


@pytest.mark.parametrize("name", COLUMNS)
def test_of_a_column_each_value_is_as_by_itself(name: str) -> None:
    column, expected = COLUMNS[name]
    found = plain_values(column)
    assert found == expected == [plain_value(value) for value in column]
    assert [type(value) for value in found] == [type(value) for value in expected]


def test_whole_numbers_of_a_cube_have_no_decimal_sign() -> None:
    rows = pd.DataFrame({"cell": [0, 1], "mrr": [20.0, 0.25], "month": [date(2025, 1, 1)] * 2})
    assert repr(Cube("c", rows, {}).columns()) == repr(
        {"cell": [0, 1], "mrr": [20, 0.25], "month": ["2025-01-01", "2025-01-01"]}
    )
