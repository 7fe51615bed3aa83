"""The staged tables: the canonical source tables typed and checked, and the quarantine of the rows that are
not valid.

One function a table, named after it. How a row is typed and judged stands in `cx_intel.models.staging.rows`; a
refresh judges each source once and splits the rows by `valid_rows` and `rejected_rows`. What the columns mean:
`cx_intel.contracts.staging`. Everything loaded is kept here, whatever `as_of` is: what was known by then is cut
by the tables that read these.
"""

from collections.abc import Callable
from datetime import date, timedelta
from functools import partial

import ibis
import ibis.expr.types as ir

from cx_intel.contracts import operations
from cx_intel.contracts.contract import conform
from cx_intel.contracts.delivered import DELIVERED_DAY
from cx_intel.contracts.staging.tables import STAGING
from cx_intel.models.staging.aliases import delivered_accounts
from cx_intel.models.staging.identity import further_accounts
from cx_intel.models.staging.rows import judged
from cx_intel.settings.portfolio import Portfolio

RECENT = timedelta(days=7)
"""How far back the quarantine of a day looks into sources that deliver days."""


def stg_account_aliases(
    raw_account_aliases: ir.Table, raw_accounts: ir.Table, *, portfolio: Portfolio, as_of: date
) -> ir.Table:
    """The accounts that were merged into others, each with the one that survives in the end.

    Grain: old_account_id. Chains are followed over 64 merges; circles, accounts that are merged into several and
    survivors that are not delivered are quarantined. Default in the other staged tables: no account was merged.
    """
    accounts = delivered_accounts(raw_accounts)
    return _valid(raw_account_aliases, accounts, None, "account_aliases", portfolio, as_of)


def stg_identity_links(raw_identity_links: ir.Table, *, portfolio: Portfolio, as_of: date) -> ir.Table:
    """The links between ids of systems and accounts that this load delivers; equal ones are counted, not refused.

    Grain: system, external_id, linked_system, linked_id, occurrence.
    """
    return _valid(raw_identity_links, None, None, "identity_links", portfolio, as_of)


def stg_accounts(
    raw_accounts: ir.Table,
    stg_account_aliases: ir.Table | None = None,
    identity_map: ir.Table | None = None,
    *,
    portfolio: Portfolio,
    as_of: date,
    remembered: ir.Table | None = None,
) -> ir.Table:
    """The customers, with the attributes that the portfolio adds, delivered or derived by rules.

    Grain: account_id. One that was merged into another is quarantined, saying so; the other has the earlier signup. Where
    ids of other systems are led to accounts, those ids that are accounts themselves are among them, and accounts that only
    an earlier load delivered (`remembered`: account_history) while such ids still belong to them.
    """
    judge = partial(judged, table="accounts", portfolio=portfolio, as_of=as_of, aliases=stg_account_aliases)
    further = None
    if identity_map is not None and remembered is not None:
        further = further_accounts(identity_map, remembered, raw_accounts, portfolio=portfolio)
    return valid_rows(with_further(judge(raw_accounts), further, judge), "accounts", portfolio)


def with_further(rows: ir.Table, further: ir.Table | None, judge: Callable[[ir.Table], ir.Table]) -> ir.Table:
    """The judged accounts of a source, and judged likewise those that no source delivers."""
    return rows if further is None else rows.union(judge(further))


def stg_subscriptions(
    raw_subscriptions: ir.Table,
    stg_accounts: ir.Table,
    stg_account_aliases: ir.Table | None = None,
    identity_map: ir.Table | None = None,
    *,
    portfolio: Portfolio,
    as_of: date,
) -> ir.Table:
    """The subscriptions in the reporting currency; `is_active` and `duration_days` are as of `as_of`.

    Grain: subscription_id, occurrence: several rows of a subscription are its history, by their own dates.
    """
    return _valid(raw_subscriptions, stg_accounts, stg_account_aliases, "subscriptions", portfolio, as_of, identity_map)


def stg_invoices(
    raw_invoices: ir.Table,
    stg_accounts: ir.Table,
    stg_account_aliases: ir.Table | None = None,
    identity_map: ir.Table | None = None,
    *,
    portfolio: Portfolio,
    as_of: date,
) -> ir.Table:
    """The invoices in the reporting currency; credit notes are negative.

    Grain: invoice_id.
    """
    return _valid(raw_invoices, stg_accounts, stg_account_aliases, "invoices", portfolio, as_of, identity_map)


def stg_mrr_history(
    raw_mrr_history: ir.Table,
    stg_accounts: ir.Table,
    stg_account_aliases: ir.Table | None = None,
    identity_map: ir.Table | None = None,
    *,
    portfolio: Portfolio,
    as_of: date,
) -> ir.Table:
    """The monthly recurring revenue that the billing system gives, in the reporting currency.

    Grain: account_id, month.
    """
    return _valid(raw_mrr_history, stg_accounts, stg_account_aliases, "mrr_history", portfolio, as_of, identity_map)


def stg_usage_events(
    raw_usage_events: ir.Table,
    stg_accounts: ir.Table,
    stg_account_aliases: ir.Table | None = None,
    identity_map: ir.Table | None = None,
    *,
    portfolio: Portfolio,
    as_of: date,
) -> ir.Table:
    """The product events with their day in the portfolio's zone and their category.

    Grain: event_id, compared within event_date. A filter on event_date reaches the raw rows.
    """
    return _valid(raw_usage_events, stg_accounts, stg_account_aliases, "usage_events", portfolio, as_of, identity_map)


def stg_support_tickets(
    raw_support_tickets: ir.Table,
    stg_accounts: ir.Table,
    stg_account_aliases: ir.Table | None = None,
    identity_map: ir.Table | None = None,
    *,
    portfolio: Portfolio,
    as_of: date,
) -> ir.Table:
    """The tickets as the help desk knows them now, their words and ratings read.

    Grain: ticket_id.
    """
    return _valid(
        raw_support_tickets, stg_accounts, stg_account_aliases, "support_tickets", portfolio, as_of, identity_map
    )


def stg_ticket_status_history(raw_ticket_status_history: ir.Table, *, portfolio: Portfolio, as_of: date) -> ir.Table:
    """When tickets changed their status or priority, in the words of the help desk.

    Grain: ticket_id, field, changed_at.
    """
    return _valid(raw_ticket_status_history, None, None, "ticket_status_history", portfolio, as_of)


def stg_nps_responses(
    raw_nps_responses: ir.Table,
    stg_accounts: ir.Table,
    stg_account_aliases: ir.Table | None = None,
    identity_map: ir.Table | None = None,
    *,
    portfolio: Portfolio,
    as_of: date,
) -> ir.Table:
    """The answers to the NPS survey.

    Grain: response_id.
    """
    return _valid(raw_nps_responses, stg_accounts, stg_account_aliases, "nps_responses", portfolio, as_of, identity_map)


def stg_csm_activities(
    raw_csm_activities: ir.Table,
    stg_accounts: ir.Table,
    stg_account_aliases: ir.Table | None = None,
    identity_map: ir.Table | None = None,
    *,
    portfolio: Portfolio,
    as_of: date,
) -> ir.Table:
    """What customer success did with the accounts.

    Grain: activity_id.
    """
    return _valid(
        raw_csm_activities, stg_accounts, stg_account_aliases, "csm_activities", portfolio, as_of, identity_map
    )


def stg_contacts(
    raw_contacts: ir.Table,
    stg_accounts: ir.Table,
    stg_account_aliases: ir.Table | None = None,
    identity_map: ir.Table | None = None,
    *,
    portfolio: Portfolio,
    as_of: date,
) -> ir.Table:
    """The people at the customers, with the roles that words say; those of one address are merged in dim_contact.

    Grain: contact_id.
    """
    return _valid(raw_contacts, stg_accounts, stg_account_aliases, "contacts", portfolio, as_of, identity_map)


def stg_metrics(
    raw_metrics: ir.Table,
    stg_accounts: ir.Table,
    stg_account_aliases: ir.Table | None = None,
    identity_map: ir.Table | None = None,
    *,
    portfolio: Portfolio,
    as_of: date,
) -> ir.Table:
    """The figures that another system measured; yes and no count as 1 and 0.

    Grain: account_id, metric, measured_on.
    """
    return _valid(raw_metrics, stg_accounts, stg_account_aliases, "metrics", portfolio, as_of, identity_map)


def stg_actions(
    raw_actions: ir.Table,
    stg_accounts: ir.Table,
    stg_account_aliases: ir.Table | None = None,
    *,
    portfolio: Portfolio,
    as_of: date,
) -> ir.Table:
    """What was done with entries of the intervention list; a row without a status is open.

    Grain: action_id.
    """
    return _valid(raw_actions, stg_accounts, stg_account_aliases, "actions", portfolio, as_of)


def valid_rows(judged: ir.Table, table: str, portfolio: Portfolio) -> ir.Table:
    """The rows of a judged table that are valid: what stands in the staged table."""
    return conform(judged.filter(judged["_reason"].isnull()), STAGING[table](portfolio))


def rejected_rows(judged: ir.Table, *, table: str, portfolio: Portfolio) -> ir.Table:
    """The rows of a judged table that are not valid, as they are kept until the source is staged again.

    Grain: source_table, source_file, row_number, and several rows where a wide row gave several. The text of rows about people is
    not kept: the source has it.
    """
    rows = judged.filter(judged["_reason"].notnull())
    day_column = STAGING[table](portfolio).day_column
    found = rows.select(
        source_table=ibis.literal(table),
        day=rows[day_column] if day_column else ibis.null("date"),
        delivered_day=rows[DELIVERED_DAY],
        source_file=ibis.coalesce(rows["_source_file"], ""),
        row_number=ibis.coalesce(rows["_row_number"], 0),
        account_id=rows.account_id if "account_id" in rows.columns else ibis.null("string"),
        reason=rows["_reason"],
        reason_parts=rows["_reason_parts"],
        raw_row=ibis.null("string") if STAGING[table](portfolio).personal_columns else rows["_raw_row"],
    )
    return conform(found, operations.rejected_rows(portfolio))


def quarantine(rejected_rows: ir.Table, *, portfolio: Portfolio, as_of: date) -> ir.Table:
    """Every delivered row that is not valid, with the reason and the row as delivered.

    Grain: as_of, source_table, source_file, row_number, occurrence. Every raw row is either here or in its
    staged table, once. Of a source that delivers days and no files, the rows are those of the newest days, so that a
    day does not repeat the history.
    """
    day = rejected_rows.delivered_day
    is_recent = day.between(ibis.literal(as_of - RECENT), ibis.literal(as_of))
    rows = rejected_rows.filter(day.isnull() | is_recent | (rejected_rows.source_file != ""))
    within_row = ibis.window(
        group_by=[rows.source_table, rows.source_file, rows.row_number], order_by=[rows.reason, rows.raw_row]
    )
    rows = rows.mutate(as_of=ibis.literal(as_of), occurrence=ibis.row_number().over(within_row) + 1)
    return conform(rows, operations.quarantine(portfolio))


def _valid(
    raw: ir.Table,
    accounts: ir.Table | None,
    aliases: ir.Table | None,
    table: str,
    portfolio: Portfolio,
    as_of: date,
    identity: ir.Table | None = None,
) -> ir.Table:
    rows = judged(
        raw, table=table, portfolio=portfolio, as_of=as_of, accounts=accounts, aliases=aliases, identity=identity
    )
    return valid_rows(rows, table, portfolio)
