"""Rows under the accounts that the ids of other systems belong to, and accounts that no source of accounts delivers.

What `identity_map` is made of is in `cx_intel.models.identity`; how a row is typed and judged, in `rows.py` beside this
module. Definitions: Identity in `docs/definitions.md`.
"""

import ibis
import ibis.expr.types as ir

from cx_intel.contracts.delivered import delivered_columns
from cx_intel.contracts.erased import is_erased
from cx_intel.contracts.staging.accounts import stg_accounts
from cx_intel.contracts.staging.tables import STAGING
from cx_intel.models.expressions.joins import beside
from cx_intel.models.expressions.reasons import SHOWN, Reason, as_json, one_of, reason, reason_within
from cx_intel.models.staging import parsing
from cx_intel.models.staging.columns.identity import domain_of
from cx_intel.settings.identity import ACCOUNT, DOMAIN
from cx_intel.settings.portfolio import BASIS_TABLE, Portfolio

OWN = "own"
"""The rule by which an id that no link leads to an account is an account itself."""


def current(identity_map: ir.Table) -> ir.Table:
    """The rows that hold at the newest load: one an id."""
    return identity_map.filter(identity_map.valid_to.isnull())


def compared_id(external_id: ir.StringValue, system: str) -> ir.StringValue:
    """The id as links name it: of domains and e-mail addresses the domain."""
    return domain_of(external_id) if system == DOMAIN else external_id


def under_account_ids(rows: ir.Table, identity_map: ir.Table, *, table: str, portfolio: Portfolio) -> ir.Table:
    """Typed rows with the account that their id belongs to, `_external_id`, and why there is none: `_unmatched`,
    `_unmatched_part`.

    Args:
        rows: Rows with an account_id as the source has it.
        identity_map: Which account each id belongs to.
        table: The canonical table.
        portfolio: Says of which system the ids are; where of none, the rows stay.
    """
    system = portfolio.system_of(table)
    if system is None:
        return rows
    known = current(identity_map)
    known = known.filter(known.system == system)
    known = known.select(_compared="external_id", _account="account_id", _why="reason", _why_part="reason_part")
    rows = rows.mutate(_external_id=rows.account_id, _compared=compared_id(rows.account_id, system))
    rows = beside(rows, known, "_compared")
    account = ibis.ifelse(is_erased(rows["_external_id"]), rows["_external_id"], rows["_account"])
    is_about_people = bool(STAGING[table](portfolio).personal_columns)
    quoted = rows["_compared"] if is_about_people else rows["_external_id"]  # an address names a person
    not_in_map = reason("not_in_map")
    why = Reason(
        ibis.coalesce(rows["_why"], not_in_map.sentence),
        ibis.ifelse(rows["_why"].notnull(), ibis.coalesce(rows["_why_part"], ""), as_json(not_in_map.part)),
    )
    unnamed = (
        reason("missing", column="account_id") if table in BASIS_TABLE else reason("no_id_of_system", system=system)
    )
    fault = one_of(
        (rows["_external_id"].isnull(), unnamed),
        (account.isnull(), reason_within("no_account", why, system=system, value=quoted.substr(0, SHOWN))),
    )
    rows = rows.mutate(account_id=account, _unmatched=fault.sentence, _unmatched_part=fault.part)
    return rows.drop("_compared", "_account", "_why", "_why_part")


def linked_since(identity_map: ir.Table) -> ir.Table:
    """Ids that were accounts themselves until a link led to another: `old_account_id`, `account_id`."""
    once = identity_map.filter((identity_map.rule == OWN) & identity_map.valid_to.notnull())
    once = once.select("system", "external_id").distinct()
    now = current(identity_map).inner_join(once, ["system", "external_id"])
    own = now.system + ibis.literal(":") + now.external_id
    return now.select(old_account_id=own, account_id="account_id").filter(
        lambda t: t.account_id.notnull() & (t.account_id != t.old_account_id)
    )


def further_accounts(
    identity_map: ir.Table, account_history: ir.Table, raw_accounts: ir.Table, *, portfolio: Portfolio
) -> ir.Table:
    """Accounts that the newest delivery lacks and that ids of other systems belong to, in the columns of a source.

    These are ids that are accounts themselves, under the name that their system has for them, and accounts that an
    earlier load delivered, as it did last.

    Args:
        identity_map: Which account each id belongs to.
        account_history: What earlier loads delivered of accounts.
        raw_accounts: What this one delivers.
        portfolio: The attributes of accounts.
    """
    columns = delivered_columns(stg_accounts(portfolio))
    rows = current(identity_map)
    rows = rows.filter(rows.account_id.notnull() & (rows.system != ACCOUNT))
    owned = rows.filter(rows.rule == OWN)
    given = {"account_id": owned.account_id, "account_name": owned.external_name}
    own = owned.select(**{c.name: given.get(c.name, ibis.null(c.type)).cast(c.type) for c in columns})
    delivered = raw_accounts.select(account_id=parsing.text(raw_accounts.account_id))
    linked = rows.filter((rows.rule != OWN) & rows.named_in.notnull()).select("account_id").distinct()
    missing = linked.anti_join(delivered, "account_id")
    newest_first = ibis.window(group_by="account_id", order_by=account_history.valid_from.desc())
    ranked = account_history.mutate(_place=ibis.row_number().over(newest_first))
    known = ranked.filter(ranked["_place"] == 0).semi_join(missing, "account_id")
    return own.union(known.select(**{c.name: known[c.name].cast(c.type) for c in columns}))
