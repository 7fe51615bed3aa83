"""Which account each id of a system belongs to, kept from load to load: `identity_map`.

How links are followed is in `resolution.py` beside this module; how rows get the account of their id, in
`cx_intel.models.staging.identity`. Definitions: Identity in `docs/definitions.md`.
"""

from collections.abc import Mapping
from datetime import date
from functools import reduce
from operator import add

import ibis
import ibis.expr.types as ir

from cx_intel.contracts import identity as contracts
from cx_intel.contracts.contract import conform
from cx_intel.contracts.delivered import PART
from cx_intel.contracts.erased import is_erased
from cx_intel.contracts.staging.values import NO_VALUE
from cx_intel.models.expressions.joins import beside
from cx_intel.models.expressions.reasons import as_json, one_of, reason
from cx_intel.models.identity.resolution import ID, default_priority, resolved, with_likeness
from cx_intel.models.staging import parsing
from cx_intel.models.staging.aliases import delivered_accounts
from cx_intel.models.staging.columns.identity import is_shared
from cx_intel.models.staging.identity import OWN, compared_id
from cx_intel.settings.identity import ACCOUNT, DOMAIN
from cx_intel.settings.portfolio import Portfolio

NO_DAY, NO_TEXT = ibis.null("date"), ibis.null("string")
FOLLOWED = ("direct", "chain", "domain")
"""The rules of ids that a link led to an account."""
SAME = ("account_id", "rule", "linked_system", "linked_id")
"""What makes a new row of an id where it changes."""


def identity_map(
    stg_identity_links: ir.Table,
    raw_accounts: ir.Table,
    stg_account_aliases: ir.Table,
    raw_subscriptions: ir.Table,
    raw_invoices: ir.Table,
    raw_mrr_history: ir.Table,
    raw_usage_events: ir.Table,
    raw_support_tickets: ir.Table,
    raw_nps_responses: ir.Table,
    raw_csm_activities: ir.Table,
    raw_contacts: ir.Table,
    raw_metrics: ir.Table,
    *,
    portfolio: Portfolio,
    as_of: date,
    previous: ir.Table,
) -> ir.Table:
    """The account of every id that a link or a row ever named: `previous` carried on by the load of `as_of`.

    Grain: system, external_id, valid_from. A link that an earlier load had stays, also to an account that is no longer
    delivered; one of this load counts before it, unless it is weaker. What an earlier run of the same day wrote is undone
    first. Always true: validity_in_order.
    """
    contract = contracts.identity_map(portfolio)
    day = ibis.literal(as_of)
    before = previous.filter(previous.valid_from < day)
    before = before.mutate(valid_to=ibis.ifelse(before.valid_to >= day, NO_DAY, before.valid_to))
    known, closed = before.filter(before.valid_to.isnull()), before.filter(before.valid_to.notnull())
    delivered = {
        "subscriptions": raw_subscriptions,
        "invoices": raw_invoices,
        "mrr_history": raw_mrr_history,
        "usage_events": raw_usage_events,
        "support_tickets": raw_support_tickets,
        "nps_responses": raw_nps_responses,
        "csm_activities": raw_csm_activities,
        "contacts": raw_contacts,
        "metrics": raw_metrics,
    }
    named = named_ids(delivered, portfolio)
    accounts = _accounts(raw_accounts, stg_account_aliases, known)
    rows = _now(stg_identity_links, named, accounts, known, portfolio)
    rows = rows.filter(~is_erased(rows.external_id))
    was = known.select(*ID, _from="valid_from", **{f"_was_{name}": known[name] for name in SAME})
    rows = beside(rows, was, *ID)
    is_same = ibis.and_(*(rows[name].identical_to(rows[f"_was_{name}"]) for name in SAME))
    first = before.group_by(list(ID)).agg(_first_seen_on=before.first_seen_on.min())
    rows = beside(rows, first, *ID)
    is_seen = rows.named_in.notnull() | rows.is_delivered
    now = rows.mutate(
        valid_from=ibis.ifelse(is_same & rows["_from"].notnull(), rows["_from"], day),
        valid_to=NO_DAY,
        first_seen_on=ibis.coalesce(rows["_first_seen_on"], day),
        last_seen_on=ibis.ifelse(is_seen, day, ibis.coalesce(rows["_last_seen_on"], day)),
    )
    begun = now.filter(now.valid_from == day).select(*ID)
    ended = known.semi_join(begun, list(ID)).mutate(valid_to=day, named_in=NO_TEXT, is_delivered=False)
    return ibis.union(*(conform(part, contract) for part in (closed, ended, now)))


def named_ids(delivered: Mapping[str, ir.Table], portfolio: Portfolio) -> ir.Table:
    """The ids of other systems that rows name, a row each time: `system`, `external_id`, `table_name`.

    Args:
        delivered: The raw tables by canonical name.
        portfolio: Says which of them name ids of which system.
    """
    parts = []
    for table in delivered:
        for part, source in portfolio.parts_of(table).items() if table in portfolio.tables else ():
            system = portfolio.only(table, source).system_of(table)
            if system is None:
                continue
            raw = delivered[table]
            if portfolio.has_several(table):
                raw = raw.filter(raw[PART] == part)
            named = raw.select(external_id=compared_id(parsing.text(raw.account_id), system))
            named = named.filter(named.external_id.notnull() & ~is_erased(named.external_id))
            parts.append(named.mutate(system=ibis.literal(system), table_name=ibis.literal(part)))
    columns = (*ID, "table_name")
    if not parts:
        nothing = next(iter(delivered.values()))
        empty = nothing.select(**{name: ibis.null("string") for name in columns})
        return empty.filter(ibis.literal(False))
    return ibis.union(*(part.select(*columns) for part in parts)) if len(parts) > 1 else parts[0].select(*columns)


def _named_in(named: ir.Table, portfolio: Portfolio) -> ir.Table:
    """Each id that rows name, with the tables that do."""
    tables = [part for t in dict.fromkeys(sum(portfolio.systems.values(), ())) for part in portfolio.parts_of(t)]
    found = named.group_by(list(ID)).agg(**{f"_in_{t}": (named.table_name == t).any() for t in tables})
    texts = (ibis.ifelse(found[f"_in_{table}"], f" {table}", "") for table in tables)
    joined = reduce(add, texts) if tables else NO_TEXT
    return found.select(*ID, named_in=joined.substr(1))


def _accounts(raw_accounts: ir.Table, aliases: ir.Table, known: ir.Table) -> ir.Table:
    """Every id of an account that this load or an earlier one delivered, with the account that survives."""
    ids = delivered_accounts(raw_accounts).select(external_id="account_id")
    ids = ids.filter(ids.external_id.notnull()).mutate(is_delivered=ibis.literal(True))
    once = known.filter(known.system == ACCOUNT).select("external_id", "account_id")
    old = aliases.select(external_id="old_account_id").distinct()
    more = once.select("external_id").union(old).distinct().anti_join(ids, "external_id")
    ids = ids.union(more.mutate(is_delivered=ibis.literal(False)))
    ids = beside(ids, once.rename(_once="account_id"), "external_id")
    ids = beside(ids, aliases.select(external_id="old_account_id", _survivor="account_id"), "external_id")
    own = ibis.ifelse(ids.is_delivered, ids.external_id, ibis.coalesce(ids["_once"], ids.external_id))
    account = ibis.coalesce(ids["_survivor"], own)
    return ids.select(
        "external_id",
        "is_delivered",
        system=ibis.literal(ACCOUNT),
        account_id=account,
        rule=ibis.ifelse(account == ids.external_id, "itself", "merged"),
    )


def _links(delivered: ir.Table, known: ir.Table, portfolio: Portfolio) -> ir.Table:
    """The links of this load, and those that an earlier one followed: they count after their like.

    One to an account or a domain leads to the account that it led to then, one to another system to the id there. What led
    over a domain that several companies share by now is forgotten.
    """
    links = delivered.filter(delivered.linked_system != NO_VALUE)
    links = links.filter((links.system != DOMAIN) | ~is_shared(links.external_id, portfolio))
    links = links.mutate(_priority=ibis.coalesce(links.priority, default_priority(links.linked_system)))
    links = links.group_by([*ID, "linked_system", "linked_id"]).agg(priority=links["_priority"].min())
    rule = ibis.cases(
        (links.linked_system == ACCOUNT, "direct"), (links.linked_system == DOMAIN, "domain"), else_="chain"
    )
    links = links.mutate(rank=links.priority * 2, rule=rule, shown_system=links.linked_system, shown_id=links.linked_id)
    once = _without_shared_domains(known.filter(known.rule.isin(FOLLOWED)), portfolio)
    is_chain = once.rule == "chain"
    remembered = once.select(
        *ID,
        linked_system=ibis.ifelse(is_chain, once.linked_system, ACCOUNT),
        linked_id=ibis.ifelse(is_chain, once.linked_id, once.account_id),
        priority=once.priority,
        rank=once.priority * 2 + 1,
        rule=once.rule,
        shown_system=once.linked_system,
        shown_id=once.linked_id,
    )
    return links.union(remembered.select(*links.columns))


def _without_shared_domains(known: ir.Table, portfolio: Portfolio) -> ir.Table:
    """The ids that are known without leading over a domain that several companies share."""
    is_domain = (known.system == DOMAIN) & is_shared(known.external_id, portfolio)
    leads_over = (known.linked_system == DOMAIN) & is_shared(known.linked_id, portfolio)
    return known.filter(~ibis.coalesce(is_domain | leads_over, ibis.literal(False)))


def _now(delivered: ir.Table, named: ir.Table, accounts: ir.Table, known: ir.Table, portfolio: Portfolio) -> ir.Table:
    """Every id with its account as this load and those before tell it."""
    of_rows = _named_in(named, portfolio)
    of_links = delivered.group_by(list(ID)).agg(_name=delivered.external_name.max(), _is_delivered=ibis.literal(True))
    once = known.filter(known.system != ACCOUNT)
    ids = ibis.union(of_rows.select(*ID), of_links.select(*ID), once.select(*ID)).distinct()
    found = resolved(_links(delivered, known, portfolio), accounts, portfolio=portfolio)
    rows = beside(ids, found, *ID)
    rows = beside(rows, of_rows, *ID)
    rows = beside(rows, of_links, *ID)
    remembered = once.select(*ID, _was_name="external_name", _was_rule="rule")
    rows = beside(rows, remembered, *ID)
    makers = [system for system in portfolio.systems if portfolio.makes_accounts_of(system)]
    is_own = (
        rows.account_id.isnull() & rows.system.isin(makers) & (rows.named_in.notnull() | (rows["_was_rule"] == OWN))
    )
    is_own = ibis.coalesce(is_own, ibis.literal(False))
    rows = with_likeness(rows, *ID, delivered.filter(delivered.linked_system != NO_VALUE))
    without_link = one_of(
        ((rows.system == DOMAIN) & is_shared(rows.external_id, portfolio), reason("shared_domain")),
        (rows.alike.notnull(), reason("no_link_but_alike", other=rows.alike)),
        otherwise=reason("no_link"),
    )
    without_part = ibis.ifelse(rows.reason.notnull(), rows.reason_part, as_json(without_link.part))
    of_systems = rows.select(
        *ID,
        account_id=ibis.ifelse(is_own, rows.system + ibis.literal(":") + rows.external_id, rows.account_id),
        rule=ibis.ifelse(is_own, OWN, rows.rule),
        linked_system="shown_system",
        linked_id="shown_id",
        priority="priority",
        reason=ibis.ifelse(rows.rule.isnull(), ibis.coalesce(rows.reason, without_link.sentence), NO_TEXT),
        reason_part=ibis.ifelse(rows.rule.isnull(), without_part, NO_TEXT),
        external_name=ibis.coalesce(rows["_name"], rows["_was_name"]),
        named_in="named_in",
        is_delivered=ibis.coalesce(rows["_is_delivered"], ibis.literal(False)),
    )
    nothing = ("linked_system", "linked_id", "reason", "reason_part", "external_name", "named_in")
    of_accounts = accounts.select(
        *ID,
        "account_id",
        "rule",
        "is_delivered",
        priority=ibis.null("int64"),
        **dict.fromkeys(nothing, NO_TEXT),
    )
    rows = of_systems.union(of_accounts.select(*of_systems.columns))
    return beside(rows, known.select(*ID, _last_seen_on="last_seen_on"), *ID)
