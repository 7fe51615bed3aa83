"""What was kept of merged accounts before, under the ids that survive: the past that models carry on from.

Every table that reads its own earlier rows, and every reader of earlier snapshots, gets them from here, so that a merge
is neither new nor churn, and what was published of two accounts is their sum. What a source delivers of merged accounts
is in `cx_intel.models.staging.aliases`. Definitions: Merged accounts in `docs/definitions.md`.
"""

import ibis
import ibis.expr.types as ir

from cx_intel.contracts.contract import MONEY, Contract, conform
from cx_intel.contracts.revenue.published import CAUSE_MERGED, SEVERAL
from cx_intel.models.expressions.joins import beside
from cx_intel.models.revenue.account_mrr import NO_MONEY

LEDGER_AMOUNTS = (
    "mrr",
    "arr",
    "computed_mrr",
    "restated_mrr",
    "first_published_mrr",
    "unapplied_credit",
)
RESTATED_AMOUNTS = ("published", "now", "difference")


def under_surviving_ids(rows: ir.Table, stg_account_aliases: ir.Table, contract: Contract) -> ir.Table:
    """Earlier rows of a table as if each merged account had always had the surviving id.

    Periods change their account. Months of the ledger and restatements are summed, account by account. Of the history
    of accounts, of snapshots of a day, and of who is held out by lot, the survivor's own row holds; where it has none,
    that of the account that was merged into it. A table without account_id is left as it is.

    Args:
        rows: All columns of the table.
        stg_account_aliases: The merged accounts.
        contract: Of the table.
    """
    if "account_id" not in contract.column_names:
        return rows
    merged = stg_account_aliases.select(account_id="old_account_id", _survivor="account_id")
    named = beside(rows, merged, "account_id")
    named = named.mutate(_own_id=named.account_id, account_id=ibis.coalesce(named["_survivor"], named.account_id))
    named = named.mutate(_is_moved=named["_survivor"].notnull())
    if contract.table == "revenue_ledger":
        return _ledger(named, contract)
    if contract.table == "restatements":
        return _restatements(named, contract)
    if contract.table == "account_history":
        return _account_history(named, stg_account_aliases, contract)
    if contract.kind == "snapshot":
        return _snapshots(named, contract)
    if contract.table == "hold_out_assignments":
        return _assignments(named, contract)
    return conform(named, contract)


def _ledger(named: ir.Table, contract: Contract) -> ir.Table:
    """Amounts summed; the segment is the survivor's own where it was published with one."""
    summed = named.group_by(["account_id", "revenue_month"]).agg(
        **{name: named[name].sum().cast(MONEY) for name in LEDGER_AMOUNTS},
        as_of=named.as_of.max(),
        horizon_month=named.horizon_month.max(),
        segment=ibis.coalesce(named.segment.min(where=~named["_is_moved"]), named.segment.min()),
        _is_credited=named.is_credited.any(),
        is_closed=named.is_closed.any(),
        cause=_cause(named),
        settings=ibis.ifelse(named["_is_moved"].any(), CAUSE_MERGED, named["settings"].max()),
        definition=named.definition.min(),
    )
    return conform(summed.mutate(is_credited=summed["_is_credited"] & (summed.mrr == NO_MONEY)), contract)


def _restatements(named: ir.Table, contract: Contract) -> ir.Table:
    """Differences summed; what only moved between merged accounts is none."""
    summed = named.group_by(["refresh_at", "revenue_month", "account_id", "figure"]).agg(
        **{name: named[name].sum().cast(MONEY) for name in RESTATED_AMOUNTS}, cause=_cause(named)
    )
    return conform(summed.filter(summed["difference"] != NO_MONEY), contract)


def _cause(rows: ir.Table) -> ir.StringValue:
    return ibis.ifelse(rows.cause.nunique() > 1, SEVERAL, rows.cause.min())


def _account_history(named: ir.Table, aliases: ir.Table, contract: Contract) -> ir.Table:
    """The survivor's own rows, before them those of the account merged into it that was known first; earliest signup."""
    together = ibis.window(group_by="account_id")
    own_from = ibis.ifelse(named["_is_moved"], ibis.null("date"), named.valid_from)
    rows = named.mutate(
        signup_date=named.signup_date.min().over(together),
        _first=named.valid_from.min().over(ibis.window(group_by=["account_id", "_own_id"])),
        _own_from=own_from.min().over(together),
    )
    oldest_first = ibis.window(
        group_by="account_id", order_by=[ibis.ifelse(rows["_is_moved"], 0, 1), rows["_first"], rows["_own_id"]]
    )
    rows = rows.mutate(_before_it=rows["_own_id"].first().over(oldest_first))
    is_before = rows["_own_from"].isnull() | (rows.valid_from < rows["_own_from"])
    rows = rows.filter(~rows["_is_moved"] | ((rows["_own_id"] == rows["_before_it"]) & is_before))
    until = ibis.least(ibis.coalesce(rows.valid_to, rows["_own_from"]), ibis.coalesce(rows["_own_from"], rows.valid_to))
    rows = rows.mutate(valid_to=ibis.ifelse(rows["_is_moved"], until, rows.valid_to))
    parents = aliases.select(parent_account_id="old_account_id", _parent="account_id")
    rows = beside(rows, parents, "parent_account_id")
    parent = ibis.coalesce(rows["_parent"], rows.parent_account_id)
    is_itself = rows["_parent"].notnull() & (parent == rows.account_id)
    return conform(rows.mutate(parent_account_id=ibis.ifelse(is_itself, ibis.null("string"), parent)), contract)


def _snapshots(named: ir.Table, contract: Contract) -> ir.Table:
    """Of each day the survivor's own rows, else those of one of the accounts merged into it."""
    of_day = ibis.window(group_by=["as_of", "account_id"])
    own_id = ibis.ifelse(named["_is_moved"], ibis.null("string"), named["_own_id"])
    rows = named.mutate(_holds=ibis.coalesce(own_id.max().over(of_day), named["_own_id"].min().over(of_day)))
    return conform(rows.filter(rows["_own_id"] == rows["_holds"]), contract)


def _assignments(named: ir.Table, contract: Contract) -> ir.Table:
    """The survivor's own lot, else that of the account drawn first; where both lots were drawn, it is not compared."""
    together = ibis.window(group_by="account_id")
    first = ibis.window(
        group_by="account_id",
        order_by=[ibis.ifelse(named["_is_moved"], 1, 0), named.assigned_on, named["_own_id"]],
    )
    is_held = named.is_held_out.cast("int64")
    is_one_lot = is_held.min().over(together) == is_held.max().over(together)
    rows = named.mutate(_place=ibis.row_number().over(first), is_compared=named.is_compared & is_one_lot)
    return conform(rows.filter(rows["_place"] == 0), contract)


def earliest_signups(account_history: ir.Table, stg_account_aliases: ir.Table) -> ir.Table:
    """The earliest day of signing up that was ever known of accounts that others were merged into."""
    survivors = stg_account_aliases.select("account_id").distinct()
    rows = account_history.semi_join(survivors, "account_id")
    return rows.group_by("account_id").agg(_signed_up=rows.signup_date.min())
