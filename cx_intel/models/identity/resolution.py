"""Follows the links of ids to accounts: over other systems and domains, the strongest link first.

Only the walk and its reasons belong here. What is remembered from load to load is in `identity_map.py` beside this module;
the links are staged in `cx_intel.models.staging`. Definitions: Identity in `docs/definitions.md`.
"""

import ibis
import ibis.expr.types as ir

from cx_intel.contracts.identity import plain_id
from cx_intel.models.expressions.chains import ends_of_chains
from cx_intel.models.expressions.joins import beside
from cx_intel.models.expressions.reasons import as_json, one_of, reason
from cx_intel.models.staging.columns.identity import is_shared
from cx_intel.settings.identity import ACCOUNT, DOMAIN
from cx_intel.settings.portfolio import Portfolio

DEPTH = 4
"""How many links are followed from an id to its account."""
DOUBLINGS = 2
"""Twice doubled, a link is followed as far."""
ID = ("system", "external_id")
LINKED = ("linked_system", "linked_id")
SEPARATOR = "\x1f"
"""Between system and id where both make one key."""


def default_priority(linked_system: ir.StringValue) -> ir.IntegerValue:
    """A link to an account is stronger than one to another system, and that stronger than one by domain."""
    return ibis.cases((linked_system == ACCOUNT, 1), (linked_system == DOMAIN, 3), else_=2).cast("int64")


def resolved(links: ir.Table, accounts: ir.Table, *, portfolio: Portfolio) -> ir.Table:
    """One row an id that has links: its `account_id`, the `rule`, link and `priority` that decided, else the `reason`
    and `reason_part`, what it is made of.

    Of several links of an id, that of the lowest `rank` which leads to an account counts; where links of equal rank lead
    to several accounts, none does.

    Args:
        links: system, external_id, linked_system, linked_id, rank, priority, and rule, shown_system, shown_id: what is
            said of the link.
        accounts: system (`account`), external_id, account_id.
        portfolio: Says which domains several companies share.
    """
    found = accounts.select(*ID, "account_id")
    for _ in range(DEPTH - 1):
        leading = _strongest(links, found)
        agreed = leading.filter(leading["_low"] == leading["_high"])
        found = accounts.select(*ID, "account_id").union(agreed.select(*ID, account_id="_low"))
    leading = _strongest(links, found)
    rows = _first(links).select(*ID, *LINKED)
    decided = leading.select(
        *ID, "rule", "shown_system", "shown_id", "priority", _low=leading["_low"], _high=leading["_high"]
    )
    rows = beside(rows, decided, *ID)
    is_one = ibis.coalesce(rows["_low"] == rows["_high"], ibis.literal(False))
    rows = rows.mutate(_is_one=is_one, account_id=ibis.ifelse(is_one, rows["_low"], ibis.null("string")))
    rows = _with_reason(rows, leading, accounts, portfolio)
    kept = {"rule": "string", "shown_system": "string", "shown_id": "string", "priority": "int64"}
    return rows.select(
        *ID,
        "account_id",
        "reason",
        "reason_part",
        **{name: ibis.ifelse(rows["_is_one"], rows[name], ibis.null(kind)) for name, kind in kept.items()},
    )


def _strongest(links: ir.Table, found: ir.Table) -> ir.Table:
    """Of each id the first of its strongest links that lead anywhere, with the accounts of all these: `_low`, `_high`."""
    targets = found.select(linked_system="system", linked_id="external_id", _account="account_id")
    rows = links.inner_join(targets, [*LINKED])
    rows = rows.mutate(_best=rows["rank"].min().over(ibis.window(group_by=[*ID])))
    rows = rows.filter(rows["rank"] == rows["_best"])
    together = ibis.window(group_by=[*ID])
    rows = rows.mutate(_low=rows["_account"].min().over(together), _high=rows["_account"].max().over(together))
    return _first(rows)


def _first(links: ir.Table) -> ir.Table:
    """The first link of each id by rank and target."""
    strongest_first = ibis.window(group_by=[*ID], order_by=["rank", *LINKED])
    ranked = links.mutate(_place=ibis.row_number().over(strongest_first))
    return ranked.filter(ranked["_place"] == 0).drop("_place")


def with_likeness(rows: ir.Table, system: str, external_id: str, known: ir.Table) -> ir.Table:
    """Adds `alike`: the one known id of the system that differs from the row's in how it is written; null without one.

    Args:
        rows: Rows with an id.
        system: The column with the system that it is of.
        external_id: The column with the id.
        known: system, external_id.
    """
    plain = known.select(_of="system", _plain=plain_id(known.external_id).lower(), _id="external_id")
    one = plain.group_by("_of", "_plain").agg(alike=plain["_id"].min(), _other=plain["_id"].max())
    one = one.filter(one.alike == one["_other"]).drop("_other")
    compared = rows.mutate(_of=rows[system], _plain=plain_id(rows[external_id]).lower())
    found = beside(compared, one, "_of", "_plain").drop("_of", "_plain")
    return found.mutate(alike=found.alike.nullif(found[external_id]))


def _with_reason(rows: ir.Table, leading: ir.Table, accounts: ir.Table, portfolio: Portfolio) -> ir.Table:
    """Adds `reason` and `reason_part`: why an id has no account, by its first link; null where it has one."""
    contested = leading.filter(leading["_low"] != leading["_high"])
    contested = contested.select(linked_system="system", linked_id="external_id", _is_contested=ibis.literal(True))
    lost = rows.filter(~rows["_is_one"])
    onwards = lost.select(link_from=_key(lost, *ID), link_to=_key(lost, *LINKED))
    chains = ends_of_chains(onwards, doublings=DOUBLINGS).select(_key="link_from", _is_endless="is_endless")
    told = beside(rows.mutate(_key=_key(rows, *ID)), chains, "_key")
    told = with_likeness(beside(told, contested, *LINKED), *LINKED, accounts)
    linked, alike = told.linked_id, told.alike
    several = ibis.coalesce(told["_is_contested"], ibis.literal(False))
    is_domain = told.linked_system == DOMAIN
    is_account = told.linked_system == ACCOUNT
    why = one_of(
        (told["_low"] != told["_high"], reason("several_accounts", value=told["_low"], other=told["_high"])),
        (is_account & alike.notnull(), reason("undelivered_but_alike", value=linked, other=alike)),
        (is_account, reason("undelivered_account", value=linked)),
        (is_domain & is_shared(linked, portfolio), reason("linked_to_shared_domain", value=linked)),
        (is_domain & several, reason("domain_of_several", value=linked)),
        (is_domain, reason("domain_of_none", value=linked)),
        (ibis.coalesce(told["_is_endless"], ibis.literal(False)), reason("linked_in_circle", limit=DEPTH)),
        otherwise=reason("linked_to_nothing", system=told.linked_system, value=linked),
    )
    nothing = ibis.null("string")
    return told.mutate(
        reason=ibis.ifelse(told["_is_one"], nothing, why.sentence),
        reason_part=ibis.ifelse(told["_is_one"], nothing, as_json(why.part)),
    )


def _key(rows: ir.Table, system: str, external_id: str) -> ir.StringValue:
    return rows[system] + ibis.literal(SEPARATOR) + rows[external_id]
