"""Retention under each definition: worked by hand, in plain SQL, and as laws on any ledger."""

from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Literal

import duckdb
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import cx_intel
from cx_intel.models.revenue.definitions import FORMULAS, Entry, Ledger, NamedFigure, retention

KINDS: tuple[Literal["nrr", "grr"], ...] = ("nrr", "grr")


def ledger(paid: dict[str, list[int]], contracts: dict[str, int] | None = None, term_months: int = 12) -> Ledger:
    """A ledger from what each account pays in months 0, 1, 2 ..."""
    entries = []
    for account, amounts in paid.items():
        has_paid = False
        for month, (previous, mrr) in enumerate(zip([0, *amounts], amounts, strict=False)):
            if previous or mrr:
                entries.append(
                    Entry(account, month, Decimal(mrr), Decimal(previous), movement(previous, mrr, has_paid))
                )
            has_paid = has_paid or mrr > 0
    return Ledger(entries, contracts or {}, term_months)


def movement(previous: int, mrr: int, has_paid: bool) -> str:
    if not previous:
        return "reactivation" if has_paid else "new"
    if not mrr:
        return "churn"
    return "flat" if mrr == previous else "expansion" if mrr > previous else "contraction"


def named(figures: tuple[NamedFigure, ...]) -> dict[str, NamedFigure]:
    return {figure.name: figure for figure in figures}


GROWN = [100] * 5 + [120] * 8
"""Grows by 20 in month 5."""
RETURNED = [100] * 7 + [0] * 3 + [80] * 3
"""Leaves in month 7, returns in month 10 with 80."""
JOINED = [0] * 3 + [50] * 5 + [70] * 5
"""New in month 3, grows by 20 in month 8."""
THREE = {"A": GROWN, "B": RETURNED, "C": JOINED}
CONTRACTS = {"A": -6, "B": -5, "C": 3}
"""Renewals in the year to month 12: A in month 6, B in month 7."""


@pytest.mark.parametrize(
    ("kind", "name", "expected"),
    [
        ("nrr", "closed cohort", 100),  # (120 + 80) / 200
        ("grr", "closed cohort", 90),  # (100 + 80) / 200
        ("nrr", "monthly", 100),  # nothing moves in month 12
        ("nrr", "compounded monthly", 76),  # 270 / 250 x 170 / 270 x 190 / 170
        ("nrr", "bridge", 70),  # (200 + 20 + 20 - 100) / 200
        ("grr", "bridge", 50),  # (200 - 100) / 200
        ("nrr", "renewal base", Fraction(12000, 220)),  # (120 + 0) / (120 + 100)
        ("grr", "renewal base", Fraction(12000, 220)),
    ],
)
def test_each_definition_by_hand(kind: Literal["nrr", "grr"], name: str, expected: int | Fraction) -> None:
    assert named(retention(ledger(THREE, CONTRACTS), 12, kind))[name].pct == expected


def test_what_makes_the_bridge_differ() -> None:
    bridge = named(retention(ledger(THREE), 12, "nrr"))["bridge"]
    assert [(part.cause, part.points) for part in bridge.differences] == [
        ("movements of accounts that did not pay twelve months ago", 10),  # C grew by 20
        ("returns after a churn, which the bridge leaves out", -40),  # B returned with 80
    ]


def test_what_makes_the_compounded_rate_differ() -> None:
    compounded = named(retention(ledger(THREE), 12, "nrr"))["compounded monthly"]
    # of the cohort alone: 220 / 200 x 120 / 220 = 60 %
    assert [part.points for part in compounded.differences] == [16, -40]


def test_without_a_year_only_the_monthly_figure_exists() -> None:
    figures = named(retention(ledger({"A": [100, 110]}), 1, "nrr"))
    assert figures["monthly"].pct == 110
    assert {name for name, figure in figures.items() if figure.pct is None} == set(FORMULAS) - {"monthly"}


def test_a_renewal_of_an_account_that_joined_since_has_one_part() -> None:
    young = ledger({"A": [100] * 13, "B": [0] * 2 + [50] * 4 + [40] * 7}, {"A": 0, "B": 2}, term_months=4)
    figures = named(
        retention(ledger({"A": [100] * 13, "B": [0] * 2 + [50] * 4 + [40] * 7}, {"A": 20, "B": 2}, 4), 12, "nrr")
    )
    assert figures["renewal base"].pct == Fraction(8000, 90)  # B renews in month 6 (50 to 40) and 10 (40 to 40)
    assert len(figures["renewal base"].differences) == 1
    assert len(named(retention(young, 12, "nrr"))["renewal base"].differences) == 2


def test_a_closed_month_that_was_restated_is_a_part_of_its_own() -> None:
    entries = [Entry("A", m, Decimal(100), Decimal(100 if m else 0), "flat" if m else "new") for m in range(12)]
    closed = [*entries, Entry("A", 12, Decimal(90), Decimal(90), "flat")]
    bridge = named(retention(Ledger(closed, {}, 12), 12, "nrr"))["bridge"]
    assert bridge.pct == 100
    assert [(part.cause, part.points) for part in bridge.differences][1:] == [("restated since it was closed", 10)]


amounts = st.lists(st.sampled_from([0, 0, 7, 10, 25, 100, 1029]), min_size=13, max_size=13)


@settings(deadline=None, max_examples=40)
@given(st.dictionaries(st.sampled_from("ABCDE"), amounts, min_size=1), st.sampled_from(KINDS), st.integers(1, 14))
def test_the_parts_sum_to_the_difference(paid: dict[str, list[int]], kind: Literal["nrr", "grr"], term: int) -> None:
    figures = named(retention(ledger(paid, term_months=term), 12, kind))
    closed = figures["closed cohort"].pct
    for figure in figures.values():
        if figure.pct is not None and closed is not None and figure.differences:
            assert sum(part.points for part in figure.differences) == figure.pct - closed
    for figure in figures.values():
        if kind == "grr" and figure.pct is not None and figure.name != "bridge":
            assert 0 <= figure.pct <= 100


@pytest.mark.slow
@settings(deadline=None, max_examples=40)
@given(st.dictionaries(st.sampled_from("ABCDE"), amounts, min_size=1))
def test_plain_sql_gives_the_same(paid: dict[str, list[int]]) -> None:
    book = ledger(paid)
    rows = pd.DataFrame(
        [(e.account_id, e.month, float(e.mrr), float(e.previous_mrr), e.revenue_movement) for e in book.entries],
        columns=["a", "m", "mrr", "prev", "move"],
    )
    if rows.empty:
        return
    connection = duckdb.connect()
    connection.register("l", rows)
    expected = connection.execute("""
        with cohort as (select a, mrr as "then" from l where m = 0 and mrr > 0),
             now as (select a, mrr as "now" from l where m = 12),
             pairs as (select a, "then", coalesce("now", 0) as "now" from cohort left join now using (a)),
             moves as (select sum(case when move = 'expansion' then mrr - prev when move in ('contraction', 'churn')
                                  then mrr - prev else 0 end) as net from l where m between 1 and 12)
        select sum("now") / sum("then"), sum(least("now", "then")) / sum("then"), 1 + max(net) / sum("then") from pairs, moves
    """).fetchone()
    assert expected is not None
    nrr, grr = named(retention(book, 12, "nrr")), named(retention(book, 12, "grr"))
    found = (nrr["closed cohort"].pct, grr["closed cohort"].pct, nrr["bridge"].pct)
    for ours, theirs in zip(found, expected, strict=True):
        assert (ours is None) == (theirs is None)
        if ours is not None:
            assert float(ours) == pytest.approx(100 * theirs)


def test_the_page_of_definitions_states_each_formula_as_the_code_does() -> None:
    page = (Path(cx_intel.__file__).parents[1] / "docs" / "definitions.md").read_text(encoding="utf-8")
    for name, formulas in FORMULAS.items():
        (row,) = [line for line in page.splitlines() if line.startswith(f"| {name} |")]
        assert [cell.strip() for cell in row.split("|")[2:4]] == [formulas["nrr"], formulas["grr"]]
