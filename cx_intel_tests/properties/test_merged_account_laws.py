"""Laws of merged accounts: a renamed account is the same account, and a merge moves money without making or losing any."""

from datetime import date
from decimal import Decimal

import ibis.expr.types as ir
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cx_intel.contracts import core
from cx_intel.contracts.revenue import published as contracts
from cx_intel.contracts.staging.accounts import stg_account_aliases
from cx_intel.contracts.staging.tables import STAGING
from cx_intel.contracts.subscriptions import subscription_periods
from cx_intel.models.core.merged_accounts import under_surviving_ids
from cx_intel.models.revenue.ledger import fct_revenue
from cx_intel.models.revenue.published import restatements, revenue_ledger
from cx_intel.models.staging.aliases import delivered_accounts
from cx_intel.models.staging.rows import judged
from cx_intel.models.staging.tables import valid_rows
from cx_intel_tests.helpers.builders import portfolio, rows
from cx_intel_tests.helpers.renewal_tables import kept
from cx_intel_tests.helpers.staged_rows import raw

pytestmark = pytest.mark.slow  # many examples

MONTHS = tuple(date(2025, month, 1) for month in (1, 2, 3))
FIRST, SECOND, CLOSED = date(2025, 4, 3), date(2025, 4, 4), date(2025, 2, 28)
CENTS = st.integers(0, 10**7).map(lambda n: Decimal(n) / 100)
Figures = dict[tuple[str, date], Decimal]
FIGURES = st.dictionaries(st.tuples(st.sampled_from("ABC"), st.sampled_from(MONTHS)), CENTS, min_size=1)
FEW = settings(max_examples=3, deadline=None)
Published = tuple[ir.Table, ir.Table]


def load(figures: Figures, as_of: date, before: Published | None, merged: dict[str, str], **more: object) -> Published:
    """The ledger and its restatements after a load of raw rows, with these accounts merged into others."""
    of = portfolio(["mrr_history"], revenue={"basis": "mrr_history", "delivered_through": MONTHS[-1], **more})
    listed = [{"account_id": a, "month": m.isoformat(), "mrr": str(x)} for (a, m), x in sorted(figures.items())]
    known = delivered_accounts(raw([{"account_id": name} for name in "ABCN"]))
    aliases = rows(stg_account_aliases(of), [{"old_account_id": o, "account_id": n} for o, n in merged.items()])
    staged = judged(raw(listed), table="mrr_history", portfolio=of, as_of=as_of, accounts=known, aliases=aliases)
    staged = kept(valid_rows(staged, "mrr_history", of))
    made = (contracts.revenue_ledger(of), contracts.restatements(of))
    old = before or tuple(contract.no_rows() for contract in made)
    ledger_before, restated_before = (
        kept(under_surviving_ids(rows_, aliases, contract)) for rows_, contract in zip(old, made, strict=True)
    )
    nothing = (
        rows(contract, []) for contract in (core.account_history(of), subscription_periods(of), STAGING["invoices"](of))
    )
    ledger = kept(revenue_ledger(*nothing, staged, portfolio=of, as_of=as_of, previous=ledger_before))
    return ledger, kept(restatements(ledger, portfolio=of, as_of=as_of, previous=restated_before))


def rows_of(table: ir.Table, *columns: str) -> list[tuple[object, ...]]:
    """The rows in any order, N called A."""
    found = table.select("account_id", *columns).to_pyarrow().to_pylist()
    return sorted(
        (("A" if r["account_id"] == "N" else r["account_id"], *(r[c] for c in columns)) for r in found), key=str
    )


@FEW
@given(first=FIGURES, second=FIGURES, moved=st.sets(st.sampled_from(MONTHS)), closed=st.booleans())
def test_a_renamed_account_with_its_alias_is_the_same_account(
    first: Figures, second: Figures, moved: set[date], closed: bool
) -> None:
    more = {"closed_through": CLOSED} if closed else {}
    before = load(first, FIRST, None, {})
    same = load(second, SECOND, before, {}, **more)
    under_either_id = {("N" if (a, m in moved) == ("A", True) else a, m): x for (a, m), x in second.items()}
    renamed = load(under_either_id, SECOND, before, {"A": "N"}, **more)
    columns = ("revenue_month", "mrr", "arr", "computed_mrr", "restated_mrr", "first_published_mrr", "is_closed")
    assert rows_of(renamed[0], *columns) == rows_of(same[0], *columns)
    columns = ("revenue_month", "figure", "published", "now", "difference")
    assert rows_of(renamed[1], *columns) == rows_of(same[1], *columns)
    of = portfolio(["mrr_history"], revenue={"basis": "mrr_history", **more})
    columns = ("revenue_month", "mrr", "revenue_movement", "net_mrr_change")
    movements = [rows_of(fct_revenue(ledger, portfolio=of), *columns) for ledger, _ in (renamed, same)]
    assert movements[0] == movements[1]


@pytest.mark.parametrize("closed", [False, True])
@FEW
@given(figures=FIGURES)
def test_a_merge_alone_moves_every_cent_and_restates_nothing(closed: bool, figures: Figures) -> None:
    more = {"closed_through": CLOSED} if closed else {}
    before = load(figures, FIRST, None, {})
    ledger, restated = load(figures, SECOND, before, {"A": "B"}, **more)
    totals = [
        {
            r["revenue_month"]: r["mrr"]
            for r in of.group_by("revenue_month").agg(mrr=of.mrr.sum()).to_pyarrow().to_pylist()
        }
        for of in (before[0], ledger)
    ]
    assert totals[0] == totals[1]
    assert restated.count().execute() == 0
    assert "A" not in ledger.account_id.to_pyarrow().to_pylist()
