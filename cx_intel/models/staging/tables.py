"""The staged tables: the canonical source tables typed and checked, and the quarantine of the rows that do
not fit.

One function a table, named after it; how a row is typed and judged is the matter of
`cx_intel.models.staging.rows`. What the columns mean: `cx_intel.contracts.staging`. Everything loaded is kept
here, whatever `as_of` is: what was known by then is cut by the tables that read these.
"""

from collections.abc import Collection, Iterable
from datetime import date

import ibis
import ibis.expr.types as ir

from cx_intel.contracts.contract import conform
from cx_intel.contracts.operations import quarantine as quarantine_contract
from cx_intel.contracts.staging.tables import STAGING
from cx_intel.models.staging import parsing
from cx_intel.models.staging.rows import staged
from cx_intel.settings.portfolio import Portfolio

__all__ = [
    "quarantine",
    "staged",
    "stg_accounts",
    "stg_csm_activities",
    "stg_invoices",
    "stg_metrics",
    "stg_mrr_history",
    "stg_nps_responses",
    "stg_subscriptions",
    "stg_support_tickets",
    "stg_ticket_status_history",
    "stg_usage_events",
    "unknown_currencies",
    "unknown_currency_message",
]

WITHOUT_ACCOUNT = ("accounts", "ticket_status_history")
"""Canonical tables whose rows name no account that has to be known."""


def stg_accounts(raw_accounts: ir.Table, *, portfolio: Portfolio, as_of: date) -> ir.Table:
    """The customers, with the attributes that the portfolio adds, delivered or derived by rules.

    Grain: account_id.
    """
    return _fitting(raw_accounts, None, "accounts", portfolio, as_of)


def stg_subscriptions(
    raw_subscriptions: ir.Table, stg_accounts: ir.Table, *, portfolio: Portfolio, as_of: date
) -> ir.Table:
    """The subscriptions in the reporting currency; `is_active` and `duration_days` are as of `as_of`.

    Grain: subscription_id.
    """
    return _fitting(raw_subscriptions, stg_accounts, "subscriptions", portfolio, as_of)


def stg_invoices(raw_invoices: ir.Table, stg_accounts: ir.Table, *, portfolio: Portfolio, as_of: date) -> ir.Table:
    """The invoices in the reporting currency; credit notes are negative.

    Grain: invoice_id.
    """
    return _fitting(raw_invoices, stg_accounts, "invoices", portfolio, as_of)


def stg_mrr_history(
    raw_mrr_history: ir.Table, stg_accounts: ir.Table, *, portfolio: Portfolio, as_of: date
) -> ir.Table:
    """The monthly recurring revenue that the billing system gives, in the reporting currency.

    Grain: account_id, month.
    """
    return _fitting(raw_mrr_history, stg_accounts, "mrr_history", portfolio, as_of)


def stg_usage_events(
    raw_usage_events: ir.Table, stg_accounts: ir.Table, *, portfolio: Portfolio, as_of: date
) -> ir.Table:
    """The product events with their day in the portfolio's zone and their category.

    Grain: event_id, compared within event_date. A filter on event_date reaches the raw rows.
    """
    return _fitting(raw_usage_events, stg_accounts, "usage_events", portfolio, as_of)


def stg_support_tickets(
    raw_support_tickets: ir.Table, stg_accounts: ir.Table, *, portfolio: Portfolio, as_of: date
) -> ir.Table:
    """The tickets as the help desk knows them now, their words and ratings read.

    Grain: ticket_id.
    """
    return _fitting(raw_support_tickets, stg_accounts, "support_tickets", portfolio, as_of)


def stg_ticket_status_history(raw_ticket_status_history: ir.Table, *, portfolio: Portfolio, as_of: date) -> ir.Table:
    """When tickets changed their status or priority, in the words of the help desk.

    Grain: ticket_id, field, changed_at.
    """
    return _fitting(raw_ticket_status_history, None, "ticket_status_history", portfolio, as_of)


def stg_nps_responses(
    raw_nps_responses: ir.Table, stg_accounts: ir.Table, *, portfolio: Portfolio, as_of: date
) -> ir.Table:
    """The answers to the NPS survey.

    Grain: response_id.
    """
    return _fitting(raw_nps_responses, stg_accounts, "nps_responses", portfolio, as_of)


def stg_csm_activities(
    raw_csm_activities: ir.Table, stg_accounts: ir.Table, *, portfolio: Portfolio, as_of: date
) -> ir.Table:
    """What customer success did with the accounts.

    Grain: activity_id.
    """
    return _fitting(raw_csm_activities, stg_accounts, "csm_activities", portfolio, as_of)


def stg_metrics(raw_metrics: ir.Table, stg_accounts: ir.Table, *, portfolio: Portfolio, as_of: date) -> ir.Table:
    """The figures that another system measured; yes and no count as 1 and 0.

    Grain: account_id, metric, measured_on.
    """
    return _fitting(raw_metrics, stg_accounts, "metrics", portfolio, as_of)


def quarantine(
    raw_accounts: ir.Table,
    raw_subscriptions: ir.Table,
    raw_invoices: ir.Table,
    raw_mrr_history: ir.Table,
    raw_usage_events: ir.Table,
    raw_support_tickets: ir.Table,
    raw_nps_responses: ir.Table,
    raw_csm_activities: ir.Table,
    raw_metrics: ir.Table,
    raw_ticket_status_history: ir.Table,
    stg_accounts: ir.Table,
    *,
    portfolio: Portfolio,
    as_of: date,
    doubtful: Collection[str] | None = None,
) -> ir.Table:
    """Every delivered row that does not fit its contract, with the reason and the row as delivered.

    Grain: as_of, source_table, source_file, row_number, occurrence. Every raw row is either here or in its
    staged table, once. `doubtful` names the canonical tables that may have such rows, where the others are
    known to have none; default: all.
    """
    raws = {
        "accounts": raw_accounts,
        "subscriptions": raw_subscriptions,
        "invoices": raw_invoices,
        "mrr_history": raw_mrr_history,
        "usage_events": raw_usage_events,
        "support_tickets": raw_support_tickets,
        "nps_responses": raw_nps_responses,
        "csm_activities": raw_csm_activities,
        "metrics": raw_metrics,
        "ticket_status_history": raw_ticket_status_history,
    }
    turned_away = []
    for table in portfolio.tables if doubtful is None else doubtful:
        accounts = None if table in WITHOUT_ACCOUNT else stg_accounts
        rows = staged(raws[table], table=table, portfolio=portfolio, as_of=as_of, accounts=accounts)
        rows = rows.filter(rows["_reason"].notnull())
        turned_away.append(
            rows.select(
                as_of=ibis.literal(as_of),
                source_table=ibis.literal(table),
                source_file=ibis.coalesce(rows["_source_file"], ""),
                row_number=ibis.coalesce(rows["_row_number"], 0),
                reason=rows["_reason"],
                raw_row=rows["_raw_row"],
            )
        )
    if not turned_away:
        return quarantine_contract(portfolio).no_rows()
    rows = ibis.union(*turned_away)
    within_row = ibis.window(
        group_by=[rows.source_table, rows.source_file, rows.row_number], order_by=[rows.reason, rows.raw_row]
    )
    rows = rows.mutate(occurrence=ibis.row_number().over(within_row) + 1)
    return conform(rows, quarantine_contract(portfolio))


def unknown_currencies(raw: ir.Table, portfolio: Portfolio) -> ir.Table:
    """The currencies of a raw table that have no rate, with the rows they stand in: `currency`, `row_count`.

    To be read before anything is written; a table without a currency column has none.
    """
    named = raw.currency if "currency" in raw.columns else ibis.null("string")
    rows = raw.select(currency=parsing.text(named).upper())
    unknown = rows.filter(rows.currency.notnull() & ~rows.currency.isin(list(portfolio.currency.rate_of())))
    return unknown.group_by("currency").agg(row_count=unknown.count())


def unknown_currency_message(table: str, currencies: Iterable[str], portfolio: Portfolio) -> str:
    """What to tell the operator about currencies without a rate."""
    names = sorted(set(currencies))
    reporting = portfolio.currency.reporting
    return (
        f"portfolio {portfolio.name}: {table} has amounts in {', '.join(names)}, without a rate; nothing was "
        f"written. State how many {reporting} one unit is worth, under currency.rates: {{{names[0]}: 1.05}}"
    )


def _fitting(raw: ir.Table, accounts: ir.Table | None, table: str, portfolio: Portfolio, as_of: date) -> ir.Table:
    rows = staged(raw, table=table, portfolio=portfolio, as_of=as_of, accounts=accounts)
    return conform(rows.filter(rows["_reason"].isnull()), STAGING[table](portfolio))
