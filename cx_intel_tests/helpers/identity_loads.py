"""Loads of links, one after the other: what `identity_map` makes of them, for tests of identity.

Rows of whole companies are in `small_company.py`.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from typing import Any

import ibis
import ibis.expr.types as ir
import pyarrow as pa

from cx_intel.contracts.identity import identity_map as contract_of_map
from cx_intel.contracts.staging.accounts import stg_account_aliases
from cx_intel.contracts.staging.identity import stg_identity_links
from cx_intel.models.identity.identity_map import identity_map
from cx_intel.settings.portfolio import Portfolio
from cx_intel_tests.helpers.builders import portfolio, rows
from cx_intel_tests.helpers.made_once import made

DELIVERED = (
    "subscriptions",
    "invoices",
    "mrr_history",
    "usage_events",
    "support_tickets",
    "nps_responses",
    "csm_activities",
    "contacts",
    "metrics",
)
"""The tables whose rows may name ids of other systems, in the order of the model's parameters."""
SYSTEMS = {
    "subscriptions": "stripe",
    "support_tickets": "zendesk",
    "usage_events": "segment",
    "nps_responses": "domain",
}


def book(**blocks: Any) -> Portfolio:
    """Contracts of stripe, tickets of zendesk, events of segment, answers by e-mail address; accounts of their own."""
    sources = [{"kind": "files", "table": table, "path": f"{table}.csv"} for table in ("accounts", "identity_links")]
    sources += [
        {"kind": "files", "table": table, "path": f"{table}.csv", "system": system} for table, system in SYSTEMS.items()
    ]
    return portfolio(sources=sources, **blocks)


BOOK = book()


def link(system: str, external_id: str, to: str = "", **more: Any) -> dict[str, Any]:
    """A link of an id, `to` written as system:id, without a system an account; without any the id has no link."""
    system_to, _, id_to = to.rpartition(":")
    target = {"linked_system": system_to or "account", "linked_id": id_to} if to else {}
    none = {"linked_system": "(none)", "linked_id": "(none)"}
    return {"system": system, "external_id": external_id, "occurrence": 1} | (target or none) | more


def ids(values: Iterable[str]) -> ir.Table:
    return ibis.memtable(pa.table({"account_id": pa.array(list(values), pa.string())}))


def load(
    links: Sequence[Mapping[str, Any]],
    *,
    named: Mapping[str, Sequence[str]] | None = None,
    accounts: Iterable[str] = "AB",
    merged: Mapping[str, str] | None = None,
    before: Sequence[Mapping[str, Any]] = (),
    as_of: date = date(2025, 1, 31),
    of: Portfolio = BOOK,
) -> list[dict[str, Any]]:
    """The rows of identity_map after a load.

    Args:
        links: The links that it delivers.
        named: Canonical table: the ids in its rows.
        accounts: The accounts that it delivers.
        merged: Old account: the one that survives.
        before: identity_map as the load before left it.
        as_of: Its day.
        of: The portfolio.
    """
    given = named or {}
    aliases = [{"old_account_id": old, "account_id": new} for old, new in (merged or {}).items()]
    known = made(
        identity_map,
        rows(stg_identity_links(of), links),
        ids(accounts),
        rows(stg_account_aliases(of), aliases),
        *(ids(given.get(table, ())) for table in DELIVERED),
        portfolio=of,
        as_of=as_of,
        previous=rows(contract_of_map(of), before),
    )
    return sorted(known.to_pylist(), key=lambda r: (r["system"], r["external_id"], r["valid_from"]))


def found(loaded: Iterable[Mapping[str, Any]]) -> dict[str, tuple[str | None, str | None]]:
    """Id, written as system:id: its account now, and the rule, else the reason. Ids of accounts are left out."""
    return {
        f"{row['system']}:{row['external_id']}": (row["account_id"], row["rule"] or row["reason"])
        for row in loaded
        if row["valid_to"] is None and row["system"] != "account"
    }
