"""The contracts of `identity_map` and `unmatched_accounts`, and which ids are the same but for how they are written.

What sources deliver of links is in `cx_intel.contracts.staging.identity`. The models are in `cx_intel.models.identity`;
how rows get the account of their id, in `cx_intel.models.staging.identity`.
"""

from collections.abc import Mapping

import ibis
import ibis.expr.types as ir

from cx_intel.contracts.contract import COUNT, DATE, FLAG, MONEY, TEXT, Column, Contract, CrossInvariant, Invariant
from cx_intel.settings.identity import ACCOUNT, UNSEEN
from cx_intel.settings.portfolio import Portfolio

RULES = ("direct", "chain", "domain", "own", "itself", "merged")
IDS_OF_A_DOMAIN = 5
"""So many ids of one system may find an account by its domain before that seems to be a mail provider's."""
LONG_ID = "^[a-zA-Z0-9]{15}[A-Z0-5]{3}$"
"""Salesforce writes one id with 15 characters or, with three more that only tell its capitals, with 18."""


def plain_id(value: ir.StringValue) -> ir.StringValue:
    """The id without what spreadsheets add or take (1042.0, 0077 as 77) and what is not seen; a long id of Salesforce short.

    For hints and warnings alone: ids are told apart by their text.
    """
    value = value.re_replace(UNSEEN, "")
    short = ibis.ifelse(value.re_search(LONG_ID), value.substr(0, 15), value)
    return short.re_replace("[.]0+$", "").re_replace("^0+", "")


def _written_alike(tables: Mapping[str, ir.Table]) -> ir.Table:
    """Accounts of which one is still delivered and another id is the same but for how it is written."""
    history = tables["self"]
    rows = history.group_by("account_id").agg(
        known_from=history.valid_from.min(), is_delivered=history.valid_to.isnull().any()
    )
    together = ibis.window(group_by=plain_id(rows.account_id))
    rows = rows.mutate(_ids=ibis._.count().over(together), _any=rows.is_delivered.any().over(together))
    return rows.filter((rows["_ids"] > 1) & rows["_any"]).drop("_ids", "_any")


WRITTEN_ALIKE = CrossInvariant(
    "ids_differ_by_more_than_spelling",
    "No two accounts have ids that differ only by zeros before it, by `.0` after it, by characters that are not seen such as "
    "a non-breaking space, or as the short and the long id of Salesforce.",
    (),
    _written_alike,
    "A spreadsheet or another export has probably written one account's id anew, so that it seems to have left and come. "
    "Mend the export and refresh the day again, or lead the old id to the new one by account_aliases.",
    "warn",
)


def _id_columns() -> tuple[Column, ...]:
    return (
        Column("system", TEXT, "The system that the id is of; `account` for ids of accounts.", nullable=False),
        Column("external_id", TEXT, "The id there; of `domain`, the domain.", nullable=False),
    )


def identity_map(portfolio: Portfolio) -> Contract:
    return Contract(
        "identity_map",
        "core",
        "Which account each id of a system (CRM, billing, help desk, product, e-mail domain) belongs to, by which link, and "
        "since when: what an earlier load knew stays known.",
        ("system", "external_id", "valid_from"),
        (
            *_id_columns(),
            Column("valid_from", DATE, "First as_of at which it belongs there.", nullable=False),
            Column("valid_to", DATE, "First as_of at which it belongs elsewhere.", null_means="it still belongs there"),
            Column("account_id", TEXT, "The account.", null_means="it belongs to none; reason says why"),
            Column(
                "rule",
                TEXT,
                "direct: a link to the account; chain: over another system; domain: by the e-mail domain; own: an account "
                "of its own, as no link leads to one; itself: an account's id; merged: that of a merged account.",
                null_means="it belongs to no account",
                accepted=RULES,
            ),
            Column("linked_system", TEXT, "Where the link that counts leads.", null_means="no link counts"),
            Column("linked_id", TEXT, "The id there.", null_means="no link counts"),
            Column("priority", COUNT, "That of the link; the lowest counts.", null_means="no link counts", minimum=1),
            Column("reason", TEXT, "Why no link leads to an account.", null_means="one does"),
            Column(
                "reason_part",
                TEXT,
                "What the reason is made of: a JSON object with its code and what it names.",
                null_means="one does",
            ),
            Column(
                "external_name", TEXT, "What the system calls it, as newest delivered.", null_means="it does not say"
            ),
            Column(
                "named_in",
                TEXT,
                "Tables whose rows of the newest load name the id, joined by a blank.",
                null_means="no row names it",
            ),
            Column("is_delivered", FLAG, "The newest load has the link; else it is remembered.", nullable=False),
            Column("first_seen_on", DATE, "as_of of the load that first had the id.", nullable=False),
            Column("last_seen_on", DATE, "as_of of the newest load that had the id.", nullable=False),
        ),
        invariants=(
            Invariant(
                "validity_in_order",
                "A row is valid for at least a day.",
                lambda t: t.valid_to.isnull() | (t.valid_from < t.valid_to),
                "Refresh the newest day again; the map of that day is made anew.",
            ),
        ),
        cross_invariants=(
            CrossInvariant(
                "accounts_of_ids_stay",
                "An id belongs to the account to which it belonged before.",
                (),
                _changed,
                "Its past moves with it, MRR included. If that is wrong, mend the link at its source; restatements say by how "
                "much published months moved.",
                "warn",
            ),
            CrossInvariant(
                "domains_are_of_one_company",
                f"An account finds at most {IDS_OF_A_DOMAIN} ids of a system by its e-mail domain.",
                (),
                _found_by_one_domain,
                "If the domain is a mail provider's or several companies have it, state it under identity.shared_domains; what "
                "was found by it is forgotten then. Else write the account at these ids in their system.",
                "warn",
            ),
        ),
        plots={"ids_without_account": lambda t: t.count(where=t.account_id.isnull() & t.valid_to.isnull())},
    )


def _changed(tables: Mapping[str, ir.Table]) -> ir.Table:
    """Ids that the newest load gives to another account than the load before."""
    rows = tables["self"]
    day = rows.agg(_day=rows.last_seen_on.max())
    now = rows.filter(rows.valid_to.isnull() & (rows.system != ACCOUNT)).cross_join(day)
    now = now.filter(now.valid_from == now["_day"])
    before = rows.filter(rows.account_id.notnull()).select(
        "system", "external_id", valid_from="valid_to", was_account_id="account_id"
    )
    pairs = now.inner_join(before, ["system", "external_id", "valid_from"])
    differs = ~pairs.account_id.identical_to(pairs.was_account_id)
    return pairs.filter(differs).select(
        "system", "external_id", "account_id", "was_account_id", "linked_system", "linked_id"
    )


def _found_by_one_domain(tables: Mapping[str, ir.Table]) -> ir.Table:
    """Domains that lead more ids of one system to an account than a company usually has there."""
    rows = tables["self"]
    rows = rows.filter(rows.valid_to.isnull() & (rows.rule == "domain"))
    domains = rows.group_by("linked_id", "account_id", "system").agg(ids=rows.count())
    return domains.filter(domains.ids > IDS_OF_A_DOMAIN)


def unmatched_accounts(portfolio: Portfolio) -> Contract:
    return Contract(
        "unmatched_accounts",
        "core",
        "Which ids of a system no link leads to an account, why, and what hangs on them: rows, events and MRR.",
        ("system", "external_id"),
        (
            *_id_columns(),
            Column("external_name", TEXT, "What the system calls it.", null_means="it does not say"),
            Column("reason", TEXT, "Why no link leads to an account.", nullable=False),
            Column(
                "reason_part",
                TEXT,
                "What the reason is made of: a JSON object with its code and what it names.",
                null_means="an earlier version of the program looked for it",
            ),
            Column(
                "account_id",
                TEXT,
                "The account that was made of it.",
                null_means="none, by identity.unmatched: its rows are in quarantine",
            ),
            Column(
                "row_count", COUNT, "Delivered rows that name it, events included.", "rows", nullable=False, minimum=0
            ),
            Column("event_count", COUNT, "Of these, usage events.", "events", nullable=False, minimum=0),
            Column(
                "mrr",
                MONEY,
                "MRR in force of the account that was made of it.",
                "reporting currency per month",
                null_means="no account was made of it, and what is in quarantine is not priced",
                minimum=0,
            ),
            Column("first_seen_on", DATE, "as_of of the load that first had the id.", nullable=False),
            Column("last_seen_on", DATE, "as_of of the newest load that had the id.", nullable=False),
        ),
        invariants=(
            Invariant(
                "ids_find_their_account",
                "Every id that rows name belongs to an account; the MRR told is that of accounts made of ids.",
                lambda t: t.reason.isnull(),
                "Write the account at the id in its system, or add a link to identity_links. What is to stay without an "
                "account is stated by identity.unmatched.",
                "warn",
                amount="mrr",
            ),
        ),
        plots={"mrr": lambda t: t.mrr.sum(), "rows": lambda t: t.row_count.sum()},
    )
