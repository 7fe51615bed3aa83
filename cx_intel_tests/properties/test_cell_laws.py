"""Laws of how the warehouse reads cells: quick ways for what is usual give what the long ones give."""

from collections.abc import Callable
from datetime import datetime
from functools import cache

import duckdb
import ibis
import ibis.expr.types as ir
import pyarrow as pa
from hypothesis import given, settings
from hypothesis import strategies as st

from cx_intel.models.staging.parsing import text, written
from cx_intel.warehouse.duckdb.database import SelectsAsWritten

BLANKS = " \t\n\r\v\f"
TIMES = st.datetimes(min_value=datetime(1000, 1, 1), max_value=datetime(2999, 12, 31))


def evaluated(cells: list[str], model: Callable[[ir.StringColumn], ir.Value]) -> list[object]:
    with duckdb.connect() as connection:
        connection.register("cells", pa.table({"cell": pa.array(cells, pa.string())}))
        return [value for (value,) in connection.execute(query_of(model)).fetchall()]


@cache
def query_of(model: Callable[[ir.StringColumn], ir.Value]) -> str:
    cells = ibis.table({"cell": "string"}, name="cells")
    return SelectsAsWritten().compile(cells.select(x=model(cells.cell)))


def told(cell: ir.StringColumn) -> ir.StructValue:
    """The local time, and the offset that is stated beside it."""
    return ibis.struct(written(cell)._asdict())


@settings(max_examples=60, deadline=None, derandomize=True)
@given(st.lists(st.text("\0\x01\x1f a\u00a0\u0301é\U0001f600" + BLANKS, max_size=6), min_size=1))
def test_texts_lose_the_blanks_around_them_and_no_other_letter(cells: list[str]) -> None:
    assert evaluated(cells, text) == [cell.strip(BLANKS) or None for cell in cells]


@settings(max_examples=20, deadline=None, derandomize=True)
@given(st.lists(TIMES, min_size=1))
def test_usual_spellings_of_a_time_are_read_as_the_others_are(times: list[datetime]) -> None:
    """Which have a blank before their zone, a seventh digit, no seconds, or one digit of hours."""
    local = [f"{at:%Y-%m-%dT%H:%M:%S.%f}" for at in times]
    pairs = [
        *((cell + "Z", cell.replace("T", " ") + " UTC") for cell in local),
        *((cell, cell + "9") for cell in local),
        *((cell[:16] + ":00", cell[:16]) for cell in local),
        *((cell[:10], cell[:10] + " 0:00") for cell in local),
    ]
    assert evaluated([usual for usual, _ in pairs], told) == evaluated([other for _, other in pairs], told)
    read = evaluated(local + [cell + "Z" for cell in local], told)
    assert read == [{"local": at, "offset_minutes": offset} for offset in (None, 0) for at in times]


def test_days_that_no_calendar_has_are_no_times() -> None:
    cells = ["2025-02-29", "2025-02-29T10:00:00", "2025-02-29T10:00:00Z", "2025-04-31 10:00", "2024-02-29T10:00:00Z"]
    read = evaluated(cells, lambda cell: written(cell).local)
    assert read == [None, None, None, None, datetime(2024, 2, 29, 10)]
