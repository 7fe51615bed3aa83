"""Merged accounts in staging: which account survives, and rows of the others under its id.

How a row is typed and judged is in `rows.py` beside this module; how what was published before moves to the surviving
account, in `cx_intel.models.core.merged_accounts`. Definitions: Merged accounts in `docs/definitions.md`.
"""

import ibis
import ibis.expr.types as ir

from cx_intel.contracts.contract import Contract
from cx_intel.models.expressions.chains import ends_of_chains
from cx_intel.models.expressions.joins import beside
from cx_intel.models.expressions.reasons import one_of, reason
from cx_intel.models.staging import parsing
from cx_intel.settings.sources.base import ID_OF

DOUBLINGS = 6
"""Each doubles how many merges in a row are followed: 64, more than any account has been through."""


def delivered_accounts(raw_accounts: ir.Table) -> ir.Table:
    """The accounts that the source delivers, each once: `account_id`, `currency`."""
    has_currency = "currency" in raw_accounts.columns and not raw_accounts.currency.type().is_null()
    currency = parsing.currency(parsing.text(raw_accounts.currency)) if has_currency else ibis.null("string")
    rows = raw_accounts.select(account_id=parsing.text(raw_accounts.account_id), currency=currency)
    rows = rows.filter(rows.account_id.notnull())
    return rows.group_by("account_id").agg(currency=rows.currency.max())


def with_survivors(rows: ir.Table, accounts: ir.Table) -> ir.Table:
    """Rows of account_aliases with the account at the end of the chain as `account_id`, and `_merge_fault`, `_merge_part`.

    Args:
        rows: Typed rows: old_account_id, account_id.
        accounts: The accounts delivered: account_id, currency.
    """
    named = rows.filter(rows.old_account_id.notnull() & rows.account_id.notnull())
    targets = named.group_by("old_account_id").agg(_targets=named.account_id.nunique(), _target=named.account_id.min())
    links = targets.filter((targets["_targets"] == 1) & (targets["_target"] != targets.old_account_id))
    chains = ends_of_chains(links.select(link_from="old_account_id", link_to="_target"), doublings=DOUBLINGS)
    rows = beside(rows, targets.select("old_account_id", "_targets"), "old_account_id")
    rows = beside(rows, chains.rename(old_account_id="link_from"), "old_account_id")
    rows = beside(rows, accounts.select(old_account_id="account_id", currency="currency"), "old_account_id")
    is_endless = ibis.coalesce(rows.is_endless, ibis.literal(False))
    is_several = ibis.coalesce(rows["_targets"] > 1, ibis.literal(False))
    old = rows.old_account_id
    fault = one_of(
        (rows.old_account_id.identical_to(rows.account_id), reason("merged_into_itself", value=old)),
        (is_several, reason("merged_into_several", value=old)),
        (is_endless, reason("merged_in_circle", value=old, limit=2**DOUBLINGS)),
    )
    survivor = ibis.ifelse(is_endless, rows.account_id, ibis.coalesce(rows.chain_end, rows.account_id))
    return rows.mutate(_merge_fault=fault.sentence, _merge_part=fault.part, account_id=survivor)


def under_surviving_ids(rows: ir.Table, aliases: ir.Table, contract: Contract) -> ir.Table:
    """Typed rows with the surviving `account_id`, and `_own_id`, `_is_moved`, `_old_currency`.

    Ids that are unique within an account only begin with the old id where a row moved. Rows of accounts keep their
    id: `_survivor` says into which account one was merged, and the survivor has the earliest `signup_date`.

    Args:
        rows: Rows with an account_id.
        aliases: stg_account_aliases.
        contract: Of the rows.
    """
    merged = aliases.select(account_id="old_account_id", _survivor="account_id", _old_currency="currency")
    rows = beside(rows, merged, "account_id")
    if contract.table == "stg_accounts":
        return _accounts(rows, aliases)
    moved = rows["_survivor"].notnull()
    row_id = ID_OF.get(contract.table.removeprefix("stg_"))
    own = {}
    if row_id and "account_id" in contract.grain:
        own[row_id] = ibis.ifelse(moved, rows.account_id + ibis.literal("-") + rows[row_id], rows[row_id])
    return rows.mutate(
        **own,
        _own_id=rows.account_id,
        _is_moved=moved,
        account_id=ibis.coalesce(rows["_survivor"], rows.account_id),
    ).drop("_survivor")


def _accounts(rows: ir.Table, aliases: ir.Table) -> ir.Table:
    parents = aliases.select(parent_account_id="old_account_id", _parent="account_id")
    rows = beside(rows, parents, "parent_account_id")
    rows = rows.mutate(_standing=ibis.coalesce(rows["_survivor"], rows.account_id))
    parent = ibis.coalesce(rows["_parent"], rows.parent_account_id)
    was_merged = rows["_parent"].notnull() & (parent == rows["_standing"])
    together = ibis.window(group_by="_standing")
    return rows.mutate(
        parent_account_id=ibis.ifelse(was_merged, ibis.null("string"), parent),
        signup_date=rows.signup_date.min().over(together),
    ).drop("_parent", "_standing", "_old_currency")
