"""Quantiles as NumPy computes them, on any data."""

import ibis
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cx_intel.models.expressions.statistics import quantiles

POINTS = {"lowest": 0.0, "p10": 0.1, "median": 0.5, "p90": 0.9, "highest": 1.0}
VALUES = st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=30)


def computed(groups: dict[str, list[float | None]]) -> dict[str, dict[str, float]]:
    rows = [(name, value) for name, values in groups.items() for value in values]
    frame = pd.DataFrame(rows, columns=["name", "hours"])
    table = ibis.memtable(frame, schema={"name": "string", "hours": "float64"})
    found = quantiles(table, by=["name"], value="hours", points=POINTS).execute()
    return {row.pop("name"): row for row in found.to_dict("records")}


@settings(max_examples=25, deadline=None)
@given(VALUES, VALUES)
def test_they_equal_numpy_group_by_group(left: list[float], right: list[float]) -> None:
    found = computed({"left": [*left], "right": [*right]})
    for name, values in (("left", left), ("right", right)):
        expected = np.quantile(values, list(POINTS.values()))
        assert list(found[name].values()) == pytest.approx(list(expected), rel=1e-9, abs=1e-6)


def test_by_hand_between_two_values() -> None:
    # 0.9 of the way along 1, 2, 3, 4 is at position 2.7: 3 + 0.7
    found = computed({"a": [4.0, 1.0, 3.0, 2.0]})["a"]
    assert found == pytest.approx({"lowest": 1, "p10": 1.3, "median": 2.5, "p90": 3.7, "highest": 4})


def test_missing_values_do_not_count_and_a_group_without_any_has_no_row() -> None:
    found = computed({"a": [None, 5.0], "b": [None]})
    assert found == {"a": dict.fromkeys(POINTS, 5.0)}
