"""Laws of local spellings: what a country writes is read as what was meant, and nothing as another number."""

from collections.abc import Callable
from datetime import datetime
from decimal import Decimal, InvalidOperation

import duckdb
import pyarrow as pa
from hypothesis import given, settings
from hypothesis import strategies as st

from cx_intel.warehouse.duckdb.files.local_spellings import iso_time, plain_number

CON = duckdb.connect()
MARKS = (".", " ", "\u00a0", "\u202f", "'", "\u2019", "")
AMOUNTS = st.decimals(min_value=-(10**12), max_value=10**12, places=2, allow_nan=False)
FORMATS = ("%d.%m.%Y %H:%M:%S", "%m/%d/%Y %I:%M:%S %p", "%Y%m%d%H%M%S", "%d-%b-%Y %H:%M:%S", "%B %d, %Y %H:%M:%S")
TIMES = st.datetimes(min_value=datetime(1000, 1, 1), max_value=datetime(9999, 12, 31)).map(
    lambda at: at.replace(microsecond=0)
)


def evaluated(expression: Callable[[str], str], cells: list[str]) -> list[str]:
    CON.register("cells", pa.table({"n": range(len(cells)), "cell": pa.array(cells, pa.string())}))
    return [value for (value,) in CON.execute(f"SELECT {expression('cell')} FROM cells ORDER BY n").fetchall()]


def with_comma(cell: str) -> str:
    return plain_number(cell, ",")


@settings(max_examples=30, deadline=None, derandomize=True)
@given(st.lists(AMOUNTS, min_size=1), st.booleans())
def test_any_amount_with_cents_is_read_without_a_stated_decimal(amounts: list[Decimal], has_comma: bool) -> None:
    swapped = str.maketrans(",.", ".,") if has_comma else {}
    cells = [f"{amount:,.2f}".translate(swapped) for amount in amounts]
    assert [Decimal(cell) for cell in evaluated(lambda cell: plain_number(cell, None), cells)] == amounts


@settings(max_examples=30, deadline=None, derandomize=True)
@given(st.lists(st.tuples(AMOUNTS, st.sampled_from(MARKS)), min_size=1))
def test_any_amount_with_a_decimal_comma_is_read_as_it_is(given_amounts: list[tuple[Decimal, str]]) -> None:
    cells = [f"{amount:,.2f}".replace(",", "_").replace(".", ",").replace("_", mark) for amount, mark in given_amounts]
    assert [Decimal(cell) for cell in evaluated(with_comma, cells)] == [amount for amount, _ in given_amounts]


@settings(max_examples=30, deadline=None, derandomize=True)
@given(st.lists(st.text("0123456789.,' +-e", max_size=12), min_size=1))
def test_what_is_read_has_the_digits_that_were_written(cells: list[str]) -> None:
    """A cell that comes out as a number has one comma at most, its fraction behind it, and nothing but marks before."""
    for cell, read in zip(cells, evaluated(with_comma, cells), strict=True):
        try:
            value = Decimal(read)
        except InvalidOperation:
            continue
        whole, comma, fraction = cell.strip().partition(",")
        assert not {",", "."} & set(fraction)
        bare = "".join(letter for letter in whole if letter not in ".' ")
        assert value == Decimal(f"{bare}.{fraction}" if comma else bare)


@settings(max_examples=30, deadline=None, derandomize=True)
@given(st.lists(TIMES, min_size=1), st.sampled_from(FORMATS))
def test_any_time_is_read_by_the_format_that_wrote_it(times: list[datetime], date_format: str) -> None:
    cells = [at.strftime(date_format) for at in times]
    read = evaluated(lambda cell: iso_time(cell, [date_format]), cells)
    assert [datetime.fromisoformat(text) for text in read] == times
