"""Accounts rolled up to their ultimate parents: what a group of companies pays, its health and its retention.

Which account belongs to which family is decided here alone; scores and exposure are read as they are. Roll-ups by an
attribute are in `cx_intel.models.health.rollups`.
"""

from datetime import date

import ibis
import ibis.expr.types as ir

from cx_intel.contracts.contract import MONEY, conform
from cx_intel.contracts.erased import is_erased
from cx_intel.contracts.health.drivers import UNKNOWN
from cx_intel.contracts.renewals import families as contracts
from cx_intel.contracts.renewals.families import CIRCLE, OWN_PARENT
from cx_intel.models.expressions.chains import ends_of_chains
from cx_intel.models.expressions.joins import beside
from cx_intel.models.expressions.months import month_index
from cx_intel.models.expressions.shares import share
from cx_intel.models.renewals.pipeline import is_in_book
from cx_intel.models.revenue.account_mrr import NO_MONEY
from cx_intel.settings.portfolio import Portfolio

DOUBLINGS = 4
"""Each doubles how many parents are followed: 16 levels, more than any group of companies has."""
WEIGHED = "decimal(38, 2)"
MILLIONTHS = 1_000_000
"""Scores are weighted as whole millionths, so that sums are exact on every engine."""


def parent_rollup(
    account_snapshot: ir.Table,
    customer_health_scores: ir.Table,
    renewal_pipeline: ir.Table,
    fct_revenue: ir.Table,
    *,
    portfolio: Portfolio,
    as_of: date,
) -> ir.Table:
    """The book by ultimate parent: accounts, ARR, health, exposure and NRR of each family, as if it were one customer.

    Grain: as_of, parent_account_id. Families that pay or paid twelve months before the horizon, accounts without a
    parent as families of one; no rows where no account names a parent. A parent may be no account itself. An account
    that names itself, or whose parents form a circle, stands alone and has a `parent_fault`. Because a family is one
    customer, a contract that moves within it neither churns nor expands. Erased accounts are left out.

    Always true: exposed_within_arr.
    """
    accounts = account_snapshot.filter(~is_erased(account_snapshot.account_id))
    members = ultimate_parents(accounts)
    scores = customer_health_scores.select("account_id", "health_score", "health_tier")
    due = renewal_pipeline.select("account_id", "exposed_arr")
    rows = accounts.mutate(_in_book=is_in_book(accounts, portfolio=portfolio))
    rows = rows.select("account_id", "current_arr", "horizon_month", "_in_book")
    for more in (members, scores, due, _mrr_of_a_year(fct_revenue, accounts)):
        rows = beside(rows, more, "account_id")
    is_known = ibis.coalesce(rows.health_tier != UNKNOWN, ibis.literal(False)) & rows["_in_book"]
    is_known &= rows.health_score.notnull()
    arr = rows.current_arr.cast(WEIGHED)
    millionths = (rows.health_score * MILLIONTHS).round().cast("int64")
    is_parent = rows.account_id == rows.parent_account_id
    summed = rows.group_by("parent_account_id").agg(
        accounts=rows.count(where=rows["_in_book"]),
        arr=_total(rows.current_arr, rows["_in_book"]),
        exposed_arr=_total(rows.exposed_arr, rows["_in_book"]),
        parent_fault=rows["_fault"].max(where=is_parent),
        _weighed=(millionths * arr).sum(where=is_known),
        _whole=(arr * (100 * MILLIONTHS)).sum(where=is_known),
        _then=_total(rows["_then"], ibis.literal(True)),
        _now=_total(rows["_now"], ibis.literal(True)),
    )
    summed = summed.filter((summed.accounts > 0) | (summed["_then"] > NO_MONEY) | summed.parent_fault.notnull())
    named = accounts.agg(_named=accounts.parent_account_id.count())
    summed = summed.cross_join(named)
    families = summed.filter(summed["_named"] > 0)
    families = families.mutate(
        as_of=ibis.literal(as_of),
        health_score=share(families["_weighed"], families["_whole"]),
        nrr_ttm_pct=share(families["_now"], families["_then"]),
    )
    return conform(families, contracts.parent_rollup(portfolio))


def ultimate_parents(accounts: ir.Table) -> ir.Table:
    """The ultimate parent of each account: `account_id`, `parent_account_id`, `_fault`.

    An account without a parent is its own, and so is one with a fault.
    """
    named = accounts.filter(accounts.parent_account_id.notnull())
    links = named.select(link_from="account_id", link_to="parent_account_id")
    chains = ends_of_chains(links, doublings=DOUBLINGS)
    rows = beside(accounts, chains.rename(account_id="link_from"), "account_id")
    names_itself = rows.parent_account_id.identical_to(rows.account_id)
    is_circle = ibis.coalesce(rows.is_endless, ibis.literal(False))
    return rows.select(
        "account_id",
        parent_account_id=ibis.ifelse(is_circle, rows.account_id, ibis.coalesce(rows.chain_end, rows.account_id)),
        _fault=ibis.cases((names_itself, OWN_PARENT), (is_circle, CIRCLE), else_=ibis.null("string")),
    )


def _mrr_of_a_year(fct_revenue: ir.Table, accounts: ir.Table) -> ir.Table:
    """The ledger's MRR of each account: `_now` in the horizon month, `_then` twelve months before."""
    ledger = fct_revenue.select("account_id", "revenue_month", "mrr")
    ledger = ledger.inner_join(accounts.select("account_id", "horizon_month"), "account_id")
    ago = month_index(ledger.horizon_month) - month_index(ledger.revenue_month)
    return ledger.group_by("account_id").agg(
        _now=ledger.mrr.sum(where=ago == 0).cast(MONEY), _then=ledger.mrr.sum(where=ago == 12).cast(MONEY)
    )


def _total(amount: ir.Value, where: ir.BooleanValue) -> ir.Value:
    return ibis.coalesce(amount.sum(where=where).cast(MONEY), NO_MONEY)
