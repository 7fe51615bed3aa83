"""Laws of what is published: restatements add up, closed months stand, the order of rows is nothing, shares end at 100."""

from datetime import date
from decimal import Decimal
from typing import Any

import ibis
import ibis.expr.types as ir
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cx_intel.contracts import core
from cx_intel.contracts.revenue import published as contracts
from cx_intel.contracts.revenue.published import ALL_ACCOUNTS
from cx_intel.contracts.staging.tables import STAGING
from cx_intel.contracts.subscriptions import subscription_periods
from cx_intel.models.expressions.shares import share
from cx_intel.models.revenue.published import restatements, revenue_ledger
from cx_intel_tests.helpers.builders import portfolio, rows
from cx_intel_tests.helpers.renewal_tables import kept

MONTHS = tuple(date(2025, month, 1) for month in (1, 2, 3))
FIRST, SECOND, CLOSED = date(2025, 4, 3), date(2025, 4, 4), date(2025, 2, 28)
CENTS = st.integers(0, 10**7).map(lambda n: Decimal(n) / 100)
FIGURES = st.dictionaries(st.tuples(st.sampled_from("ABC"), st.sampled_from(MONTHS)), CENTS, min_size=1)
FEW = settings(max_examples=3, deadline=None)


@settings(max_examples=20, deadline=None)
@given(pairs=st.lists(st.tuples(CENTS, CENTS), min_size=1, max_size=200))
def test_a_part_is_never_more_than_all_of_it(pairs: list[tuple[Decimal, Decimal]]) -> None:
    given_pairs = {"part": [min(pair) for pair in pairs], "whole": [max(pair) for pair in pairs]}
    money = {"part": "decimal(18, 2)", "whole": "decimal(18, 2)"}
    table = ibis.memtable(given_pairs, schema=money)
    found = table.select("part", "whole", pct=share(table.part, table.whole)).to_pyarrow().to_pylist()
    for row in found:
        assert row["pct"] is None if not row["whole"] else 0 <= row["pct"] <= 100
        assert row["part"] != row["whole"] or not row["whole"] or row["pct"] == 100


def published(
    figures: dict[tuple[str, date], Decimal], as_of: date, before: ir.Table, *, backwards: bool = False, **more: Any
) -> ir.Table:
    """The ledger after a refresh with these figures."""
    of = portfolio(["mrr_history"], revenue={"basis": "mrr_history", "delivered_through": MONTHS[-1], **more})
    listed = [
        {"account_id": account, "month": month, "mrr": mrr, "currency": "EUR", "occurrence": 1}
        for (account, month), mrr in sorted(figures.items(), reverse=backwards)
    ]
    tables = (subscription_periods(of), STAGING["invoices"](of))
    nothing = (rows(contract, []) for contract in (core.account_history(of), *tables))
    history = rows(STAGING["mrr_history"](of), listed)
    return kept(revenue_ledger(*nothing, history, portfolio=of, as_of=as_of, previous=before))


def mrr(ledger: ir.Table) -> dict[tuple[str, date], Decimal]:
    listed = ledger.select("account_id", "revenue_month", "mrr").to_pyarrow().to_pylist()
    return {(row["account_id"], row["revenue_month"]): row["mrr"] for row in listed if row["mrr"]}


@pytest.mark.slow
@FEW
@given(first=FIGURES, second=FIGURES)
def test_restatements_add_up_closed_months_stand_and_order_is_nothing(
    first: dict[tuple[str, date], Decimal], second: dict[tuple[str, date], Decimal]
) -> None:
    of = portfolio(["mrr_history"], revenue={"basis": "mrr_history"})
    every_month = {("Z", month): Decimal(1) for month in MONTHS}  # both publish the same months
    first, second = first | every_month, second | every_month
    one = published(first, FIRST, contracts.revenue_ledger(of).no_rows())
    two, again = (published(second, SECOND, one, backwards=turned) for turned in (False, True))
    assert mrr(two) == mrr(again) == {key: amount for key, amount in second.items() if amount}
    told = restatements(two, portfolio=of, as_of=SECOND, previous=contracts.restatements(of).no_rows())
    found = {
        (row["account_id"], row["revenue_month"]): row["difference"]
        for row in told.to_pyarrow().to_pylist()
        if row["figure"] in ("mrr", "ending_mrr")
    }
    before, now = mrr(one), mrr(two)
    changed = {key: now.get(key, 0) - before.get(key, 0) for key in before.keys() | now.keys()}
    totals = {(ALL_ACCOUNTS, m): sum(x for (_, month), x in changed.items() if month == m) for m in MONTHS}
    assert found == {key: difference for key, difference in (changed | totals).items() if difference}
    closed = mrr(published(second, SECOND, one, closed_through=CLOSED))
    for month in MONTHS[:2]:
        assert {k: v for k, v in closed.items() if k[1] == month} == {k: v for k, v in before.items() if k[1] == month}
