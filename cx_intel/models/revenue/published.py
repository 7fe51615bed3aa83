"""What is published of each account and month, and how it differs from what was published before.

`revenue_ledger` remembers: closed months stand in it as they were, and each row keeps what it was first published with.
`restatements` lists the differences. How MRR moves is in `ledger.py`. Definitions: Changes in place in `docs/definitions.md`.
"""

from datetime import date

import ibis
import ibis.expr.types as ir

from cx_intel.contracts.contract import MONEY, conform
from cx_intel.contracts.revenue import published as contracts
from cx_intel.contracts.revenue.published import ALL_ACCOUNTS, CAUSE_MERGED, SEVERAL
from cx_intel.contracts.staging.values import NO_VALUE
from cx_intel.models.core.accounts import attributes_on
from cx_intel.models.expressions.joins import beside
from cx_intel.models.expressions.months import first_day, month_index
from cx_intel.models.revenue.account_mrr import NO_MONEY, account_months
from cx_intel.models.revenue.horizon import horizon_of, with_horizon
from cx_intel.settings.portfolio import Portfolio

DEFINITION = 2
"""Counts up whenever the definition of MRR changes in this package, so that restatements name it as their cause."""


def revenue_ledger(
    account_history: ir.Table,
    subscription_periods: ir.Table,
    stg_invoices: ir.Table,
    stg_mrr_history: ir.Table,
    *,
    portfolio: Portfolio,
    as_of: date,
    previous: ir.Table,
) -> ir.Table:
    """The MRR of each account and month as published: today's figure, or that of the close for closed months.

    Grain: account_id, revenue_month, for months with MRR or after one with MRR. A month is closed up to
    `revenue.closed_through`, once it has been published; it then keeps MRR and segment, and `computed_mrr` says what
    today's data would give. Rows of earlier refreshes stay, at 0 where nothing is left of them. Always true:
    open_months_are_computed.
    """
    tables = (subscription_periods, stg_invoices, stg_mrr_history)
    horizon = horizon_of(*tables, portfolio=portfolio, as_of=as_of)
    months = account_months(*tables, portfolio=portfolio, as_of=as_of)
    now = with_horizon(months, horizon)
    now = now.filter(now.month <= now["_horizon"])
    now = now.select(
        "account_id",
        revenue_month=first_day(now.month),
        _mrr=now.mrr,
        _arr=now.arr,
        _credit=now.unapplied_credit,
        _credited=now.is_credited,
    )
    now = beside(now, _between_paying_months(now), "account_id", "revenue_month")
    before = previous.select(
        "account_id",
        "revenue_month",
        _was=previous.mrr,
        _was_arr=previous.arr,
        _was_credit=previous.unapplied_credit,
        _was_credited=previous.is_credited,
        _was_restated=previous.restated_mrr,
        _was_computed=previous.computed_mrr,
        _was_segment=previous.segment,
        _was_first=previous.first_published_mrr,
        _was_cause=previous.cause,
        _was_settings=previous.settings,
        _was_definition=previous.definition,
    )
    keys = ["account_id", "revenue_month"]
    through = previous.agg(_h=previous.horizon_month.max(), _m=previous.revenue_month.max())
    through = through.select(_through=ibis.greatest(ibis.coalesce(through["_h"], through["_m"]), through["_m"]))
    segments = attributes_on(account_history, as_of).select("account_id", _segment="segment")
    paid = (
        now.filter(now["_mrr"] > NO_MONEY).select(*keys).union(before.filter(before["_was"] > NO_MONEY).select(*keys))
    )
    after = with_horizon(paid, horizon)
    after = after.filter(month_index(after.revenue_month) < after["_horizon"])
    after = after.select("account_id", revenue_month=first_day(month_index(after.revenue_month) + 1))
    every = ibis.union(now.select(*keys), before.select(*keys), after, distinct=True)
    rows = beside(beside(every, now, *keys), before, *keys)
    rows = beside(rows, segments, "account_id").cross_join(through)
    rows = _rows(with_horizon(rows, horizon), portfolio, as_of)
    closed = rows.filter(rows.is_closed)
    restated = closed.select(
        "account_id",
        revenue_month=first_day(month_index(closed.revenue_month) + 1),
        _restated=(closed.computed_mrr - closed.mrr).cast(MONEY),
    )
    rows = beside(rows, restated, *keys)
    kept = ibis.ifelse(rows["_keeps"], rows["_was_restated"], rows["_restated"])
    rows = rows.mutate(restated_mrr=ibis.coalesce(kept, NO_MONEY))
    return conform(rows, contracts.revenue_ledger(portfolio))


def _rows(rows: ir.Table, portfolio: Portfolio, as_of: date) -> ir.Table:
    closed_through, settings = portfolio.revenue.closed_through, portfolio.ledger_fingerprint
    is_published = ibis.coalesce(rows.revenue_month <= rows["_through"], ibis.literal(False))
    segment = ibis.coalesce(rows["_segment"], NO_VALUE)
    is_beyond = ibis.coalesce(month_index(rows.revenue_month) > rows["_horizon"], ibis.literal(True))
    is_closed = (
        is_published & (rows.revenue_month <= ibis.literal(closed_through)) if closed_through else ibis.literal(False)
    )
    computed = ibis.coalesce(rows["_mrr"], NO_MONEY)
    was, was_computed = ibis.coalesce(rows["_was"], NO_MONEY), ibis.coalesce(rows["_was_computed"], NO_MONEY)
    keeps = is_closed | is_beyond
    rows = rows.mutate(
        as_of=ibis.literal(as_of),
        horizon_month=first_day(rows["_horizon"]),
        is_closed=is_closed,
        segment=ibis.ifelse(is_closed, ibis.coalesce(rows["_was_segment"], segment), segment),
        computed_mrr=ibis.ifelse(is_beyond, was_computed, computed),
        mrr=ibis.ifelse(keeps, was, computed),
        arr=ibis.ifelse(keeps, ibis.coalesce(rows["_was_arr"], NO_MONEY), ibis.coalesce(rows["_arr"], NO_MONEY)),
        unapplied_credit=ibis.coalesce(ibis.ifelse(keeps, rows["_was_credit"], rows["_credit"]), NO_MONEY),
        is_credited=ibis.coalesce(ibis.ifelse(keeps, rows["_was_credited"], rows["_is_between"]), ibis.literal(False)),
        first_published_mrr=ibis.coalesce(rows["_was_first"], ibis.ifelse(is_published, NO_MONEY, computed)),
        settings=ibis.literal(settings),
        definition=ibis.literal(DEFINITION, "int64"),
        _is_published=is_published,
        _keeps=keeps,
    )
    cause = ibis.cases(
        (~rows["_is_published"], ibis.null("string")),
        ((rows.computed_mrr == was_computed) & (rows.mrr == was), rows["_was_cause"]),
        (rows.computed_mrr == was_computed, "mapping or setting"),
        (rows["_was_definition"] != DEFINITION, "definition"),
        (rows["_was_settings"] == CAUSE_MERGED, CAUSE_MERGED),
        (rows["_was_settings"] != settings, "mapping or setting"),
        (was_computed == NO_MONEY, "late row"),
        (rows.computed_mrr == NO_MONEY, "missing row"),
        else_="changed amount",
    )
    return rows.mutate(cause=cause)


def _between_paying_months(now: ir.Table) -> ir.Table:
    """The months that credit notes brought to 0, with an unbroken way to paying ones on both sides: `_is_between`."""
    active = now.filter((now["_mrr"] > NO_MONEY) | now["_credited"])
    month = month_index(active.revenue_month)
    active = active.select("account_id", "revenue_month", "_credited", _month=month)
    in_order = ibis.window(group_by="account_id", order_by="_month")
    active = active.mutate(_place=ibis.row_number().over(in_order))
    active = active.mutate(_island=active["_month"] - active["_place"])
    paid_month = ibis.ifelse(active["_credited"], ibis.null("int64"), active["_month"])
    island = ibis.window(group_by=["account_id", "_island"])
    active = active.mutate(_from=paid_month.min().over(island), _to=paid_month.max().over(island))
    is_between = active["_credited"] & (active["_month"] > active["_from"]) & (active["_month"] < active["_to"])
    return active.filter(ibis.coalesce(is_between, ibis.literal(False))).select(
        "account_id", "revenue_month", _is_between=ibis.literal(True)
    )


def restatements(revenue_ledger: ir.Table, *, portfolio: Portfolio, as_of: date, previous: ir.Table) -> ir.Table:
    """What each refresh published otherwise than the ones before: differences only, by account and in total.

    Grain: refresh_at, revenue_month, account_id, figure. `mrr` of accounts and `ending_mrr` of all of them say what was
    published; `unpublished_mrr` what today's data give beyond a closed month. The differences of a figure add up to what
    it is now less what it was first published with. A repeated day replaces what it wrote.
    """
    contract = contracts.restatements(portfolio)
    before = previous.filter(previous.refresh_at < ibis.literal(as_of))
    told = before.group_by(["revenue_month", "account_id", "figure"]).agg(_told=before["difference"].sum().cast(MONEY))
    ledger = revenue_ledger
    waiting = ibis.ifelse(ledger.is_closed, ledger.computed_mrr - ledger.mrr, NO_MONEY)
    totals = ledger.group_by("revenue_month").agg(
        base=ledger.first_published_mrr.sum().cast(MONEY), now=ledger.mrr.sum().cast(MONEY)
    )
    every = ledger.filter(ledger.cause.notnull())
    causes = every.group_by("revenue_month").agg(_causes=every.cause.nunique(), _cause=every.cause.min())
    totals = beside(totals, causes, "revenue_month")
    columns = ("revenue_month", "account_id", "figure", "base", "now", "cause")
    figures = ibis.union(
        ledger.mutate(figure=ibis.literal("mrr"), base=ledger.first_published_mrr, now=ledger.mrr).select(*columns),
        ledger.mutate(figure=ibis.literal("unpublished_mrr"), base=NO_MONEY, now=waiting.cast(MONEY)).select(*columns),
        totals.mutate(
            account_id=ibis.literal(ALL_ACCOUNTS),
            figure=ibis.literal("ending_mrr"),
            cause=ibis.ifelse(totals["_causes"] == 1, totals["_cause"], ibis.literal(SEVERAL)),
        ).select(*columns),
    )
    rows = beside(figures, told, "revenue_month", "account_id", "figure")
    rows = rows.mutate(published=(rows.base + ibis.coalesce(rows["_told"], NO_MONEY)).cast(MONEY))
    rows = rows.mutate(refresh_at=ibis.literal(as_of), difference=(rows.now - rows.published).cast(MONEY))
    changed = rows.filter(rows["difference"] != NO_MONEY)
    return conform(before, contract).union(conform(changed, contract))
