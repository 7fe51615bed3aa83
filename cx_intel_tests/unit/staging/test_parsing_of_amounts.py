"""Amounts: what is read of a cell, and how it is converted and rounded; other cells: `test_parsing.py`."""

from decimal import Decimal
from fractions import Fraction

import ibis
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cx_intel.models.expressions import money
from cx_intel_tests.helpers.builders import portfolio
from cx_intel_tests.helpers.read_cells import evaluated, texts

EUR = portfolio(currency={"reporting": "EUR", "rates": {"CHF": 1.05, "JPY": 0.0061, "USD": 0.9234567}})


def test_amounts_are_read_exactly_or_not_at_all() -> None:
    cells = [
        "12.345",
        "-0.5",
        "1e3",
        "999999999999.999999999",
        "1000000000001",
        "1e13",
        "12,50",
        "five",
        None,
    ]
    rows = texts(cells)
    assert evaluated(rows, money.amount(rows.cell)) == [
        Decimal("12.345"),
        Decimal("-0.5"),
        Decimal(1000),
        Decimal("999999999999.999999999"),
        *[None] * 5,
    ]


def test_typed_amounts_are_read_at_nine_decimals() -> None:
    rows = ibis.memtable(pa.table({"n": range(3), "cell": [0.1 + 0.2, 12.345, 1e15]}))
    assert evaluated(rows, money.amount(rows.cell)) == [Decimal("0.3"), Decimal("12.345"), None]


def convert(rows: list[tuple[str, str, int]]) -> list[Decimal | None]:
    amounts, currencies, months = zip(*rows, strict=True)
    table = ibis.memtable(
        pa.table(
            {
                "n": range(len(rows)),
                "amount": pa.array([Decimal(a) for a in amounts], pa.decimal128(22, 9)),
                "currency": currencies,
                "months": months,
            }
        )
    )
    result = money.converted(table, {"mrr": ("amount", "months")}, portfolio=EUR)
    return evaluated(result, result.mrr)


@pytest.mark.parametrize(
    ("amount", "currency", "months", "expected"),
    [
        ("12.345", "EUR", 1, "12.35"),
        ("12.344999999", "EUR", 1, "12.34"),
        ("0.125", "EUR", 1, "0.13"),
        ("0.115", "EUR", 1, "0.12"),  # as a float 0.11499999999999999
        ("1.005", "EUR", 1, "1.01"),
        ("-12.345", "EUR", 1, "-12.35"),  # a credit note mirrors its invoice
        ("1", "EUR", 3, "0.33"),
        ("2", "EUR", 3, "0.67"),
        ("0.06", "EUR", 12, "0.01"),  # half a cent a month
        ("10", "CHF", 1, "10.50"),
        ("0.10", "CHF", 1, "0.11"),  # 0.105
        ("100", "CHF", 12, "8.75"),
        ("4.38", "CHF", 12, "0.38"),  # 0.38325; of the rounded 4.60 too
        ("1.39", "CHF", 2, "0.73"),  # 0.72975; the amount alone would be 1.46
        ("1000", "JPY", 1, "6.10"),
        ("999999999999.995", "CHF", 1, "1049999999999.99"),
        ("0", "EUR", 1, "0.00"),
        ("5", "GBP", 1, None),
    ],
)
def test_amounts_are_converted_and_rounded_half_up_once(
    amount: str, currency: str, months: int, expected: str | None
) -> None:
    assert convert([(amount, currency, months)]) == [None if expected is None else Decimal(expected)]


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    st.lists(
        st.tuples(
            st.decimals(min_value=-(10**11), max_value=10**11, places=5).map(str),
            st.sampled_from(["EUR", "CHF", "JPY", "USD"]),
            st.integers(1, 1200),
        ),
        min_size=1,
        max_size=30,
    )
)
def test_conversion_agrees_with_exact_fractions(rows: list[tuple[str, str, int]]) -> None:
    rates = EUR.currency.rate_of()
    for (amount, currency, months), result in zip(rows, convert(rows), strict=True):
        exact = Fraction(amount) * Fraction(rates[currency]) / months
        cents = int((abs(exact) * 200 + 1) // 2)
        assert result == Decimal(cents if exact >= 0 else -cents) / 100


def test_rates_beyond_exact_arithmetic_are_refused() -> None:
    rates = {"AAA": "1.0000000000001", "BBB": 1000}
    too_fine = portfolio(currency={"reporting": "EUR", "rates": rates})
    with pytest.raises(ValueError, match=r"currency\.rates: with 13 decimals"):
        money.whole_rates(too_fine)
