"""Rows of a raw table typed by their contract, each with the reason why it is not valid, or none.

What all canonical tables share belongs here: reading cells, currencies, duplicates; what is wrong with a cell by its column is
in `faults.py` beside this module. The columns
that one table derives are in `cx_intel.models.staging.columns`, the staged tables themselves in
`cx_intel.models.staging.tables`, the spellings of values in `cx_intel.models.staging.parsing`.
"""

from datetime import date

import ibis
import ibis.expr.types as ir

from cx_intel.contracts.contract import COUNT, DATE, MONEY, PRICE, TEXT, TIME, Column, Contract
from cx_intel.contracts.delivered import (
    DELIVERED_DAY,
    ROW_MARKS,
    delivered_columns,
    narrowed,
)
from cx_intel.contracts.staging.tables import STAGING
from cx_intel.contracts.staging.values import PERIOD_MONTHS_LIMIT
from cx_intel.models.expressions.money import amount, converted, in_major_units
from cx_intel.models.staging import parsing
from cx_intel.models.staging.aliases import under_surviving_ids, with_survivors
from cx_intel.models.staging.columns.derivations import derivations, faults
from cx_intel.models.staging.columns.invoices import billed
from cx_intel.models.staging.columns.prices import priced
from cx_intel.models.staging.columns.subscriptions import with_seen
from cx_intel.models.staging.faults import with_reasons
from cx_intel.models.staging.given_rows import GIVEN, file_names, row_as_json
from cx_intel.models.staging.identity import under_account_ids
from cx_intel.models.staging.parsing import Written
from cx_intel.models.staging.repeated_rows import without_contradictions, without_duplicates
from cx_intel.models.staging.signed_amounts import sign_of, stated_currency, without_sign
from cx_intel.settings.portfolio import Portfolio
from cx_intel.settings.sources.base import TableSource

MARKS = {
    "_reason": TEXT,
    "_reason_parts": TEXT,
    "_source_file": TEXT,
    "_row_number": COUNT,
    "_raw_row": TEXT,
    DELIVERED_DAY: DATE,
}
"""What a judged row carries besides its contract's columns; `_raw_row` only where it has a reason."""
CODES = (
    "status",
    "plan_tier",
    "priority",
    "category",
    "event_name",
    "product_name",
    "activity_type",
    "contact_role",
    "metric",
    "billing_interval",
    "discount_duration",
    "source_status",
    "field",
    "value",
    "invoice_type",
    "line_type",
    "usage_type",
    "proration",
    "system",
    "linked_system",
)
"""Columns kept in lower case."""


def judged(
    raw: ir.Table,
    *,
    table: str,
    portfolio: Portfolio,
    as_of: date,
    accounts: ir.Table | None = None,
    seen: ir.Table | None = None,
    aliases: ir.Table | None = None,
    identity: ir.Table | None = None,
    finds_repeats: bool = True,
) -> ir.Table:
    """Every row of a raw table, typed, with `_reason`: null where the row is valid.

    Args:
        raw: Text columns from files or typed ones; may lack optional columns and the marks.
        table: The canonical table.
        portfolio: Currency, zones, attributes, categories.
        as_of: The day that `is_active` and `duration_days` describe.
        accounts: stg_accounts, for tables of rows that belong to an account; for account_aliases the accounts delivered.
        aliases: stg_account_aliases, where accounts were merged.
        identity: identity_map, where a source names ids of another system.
        seen: subscription_id of the subscriptions that earlier loads had before they ended.
        finds_repeats: Rows of one key are looked for; else whoever asks has to.

    Where keys repeat, the one delivered last, by file name and row number, is kept; rows of a subscription with dates
    of their own are a history and all stay, while those of one file and day that differ are all quarantined. Tables kept by day
    compare keys within the day, so that a refresh reads the day only. Raw tables without row numbers (a
    source that is typed and keyed) are not searched for duplicates: the contract's check of the grain stops
    the run. Of a source that adds columns to rows of another one, only those are read, with the id and the account.
    """
    contract = contract_of_rows(table, portfolio)
    is_whole = contract.column_names == STAGING[table](portfolio).column_names
    given_names = file_names(table, portfolio.source_of(table), contract) if table in portfolio.tables else {}
    rows = _typed(_cells(raw, contract, tuple(given_names)), contract, portfolio, table)
    if table == "account_aliases" and accounts is not None:
        rows = with_survivors(rows, accounts)
    if identity is not None and "account_id" in rows.columns:
        rows = under_account_ids(rows, identity, table=table, portfolio=portfolio)
    if aliases is not None and "account_id" in rows.columns:
        rows = under_surviving_ids(rows, aliases, contract)
    for derive in derivations(table, portfolio) if is_whole else ():
        rows = rows.mutate(**derive(rows, portfolio, as_of))
    if accounts is not None:
        rows = _with_account(rows, accounts)
    if "amount" in rows.columns or "mrr" in rows.columns:
        rows = _in_reporting_currency(rows, table, portfolio)
    if table == "subscriptions" and is_whole:
        rows = with_seen(rows, seen, portfolio)
    rows = with_reasons(rows, contract, portfolio, faults(rows, table, portfolio) if is_whole else ())
    if finds_repeats and "_row_number" in raw.columns:
        rows = without_duplicates(without_contradictions(rows, contract), contract)
    given = ibis.coalesce(rows["_raw_row"], row_as_json(rows, given_names)) if given_names else rows["_raw_row"]
    raw_row = ibis.ifelse(rows["_reason"].notnull(), given, ibis.null(TEXT))
    return rows.mutate(_raw_row=raw_row).select(*contract.column_names, *MARKS)


def contract_of_rows(table: str, portfolio: Portfolio) -> Contract:
    """The contract of what the source of a table delivers: the table's, or of what it adds to rows of another source."""
    contract = STAGING[table](portfolio)
    source = portfolio.source_of(table) if table in portfolio.tables else None
    added = source.added_columns if isinstance(source, TableSource) else ()
    return narrowed(contract, added) if added else contract


def _cells(raw: ir.Table, contract: Contract, as_given: tuple[str, ...] = ()) -> ir.Table:
    """The delivered columns and marks: text trimmed, empty text null, absent columns null; some as given besides."""

    def cell(column: Column) -> ir.Value:
        if column.name not in raw.columns or raw[column.name].type().is_null():
            return ibis.null(column.type)
        value = raw[column.name]
        return parsing.text(value) if column.type == TEXT or value.type().is_string() else value

    def mark(name: str, kind: str) -> ir.Value:
        return raw[name].cast(kind) if name in raw.columns else ibis.null(kind)

    return raw.select(
        **{column.name: cell(column) for column in delivered_columns(contract)},
        **{name: mark(name, kind) for name, kind in ROW_MARKS.items()},
        **{GIVEN + name: raw[name] if name in raw.columns else ibis.null(TEXT) for name in as_given},
    )


def _typed(cells: ir.Table, contract: Contract, portfolio: Portfolio, table: str) -> ir.Table:
    """The cells as values; `_text_<column>` keeps the text of those that had to be parsed."""
    columns = delivered_columns(contract)
    times = [c.name for c in columns if c.type in (DATE, TIME)]
    first: dict[str, ir.Value] = {n: cells[n] for n in cells.columns if n in ROW_MARKS or n.startswith(GIVEN)}
    for column in columns:
        name, cell = column.name, cells[column.name]
        if column.type != TEXT and cell.type().is_string():
            first[f"_text_{name}"] = cell
        if name in times:
            read = parsing.written(_first_of_month(cell) if name == "month" else cell)
            first |= {f"_local_{name}": read.local, f"_offset_{name}": read.offset_minutes}
        elif column.type in (MONEY, PRICE) and cell.type().is_string():
            first |= {f"_currency_sign_{name}": sign_of(cell), name: amount(without_sign(cell))}
        else:
            first[name] = _value(column, cell)
    rows = cells.select(**first)
    zone = portfolio.source_of(table).time_zone if table in portfolio.tables else "UTC"
    stated_times = {n: Written(rows[f"_local_{n}"], rows[f"_offset_{n}"]) for n in times}
    # A date written in the portfolio's own zone needs an instant only where it states an offset.
    zones = {n: "UTC" if contract[n].type == DATE and zone == portfolio.time_zone else zone for n in times}
    rows = rows.mutate(**{f"_at_{n}": parsing.instant(time, zones[n]) for n, time in stated_times.items()})
    values = {}
    for name in times:
        at = rows[f"_at_{name}"]
        if contract[name].type == TIME:
            values[name] = at
            continue
        stated = Written(rows[f"_local_{name}"], rows[f"_offset_{name}"])
        day = parsing.day(stated, at, portfolio.time_zone, zone)
        values[name] = day.truncate("M").cast("date") if name == "month" else day
    kept = [n for n in rows.columns if not n.startswith(("_local_", "_offset_", "_at_"))]
    return rows.select(*kept, **values) if times else rows


def _first_of_month(cell: ir.Value) -> ir.Value:
    if not cell.type().is_string():
        return cell
    return ibis.ifelse(cell.re_search(parsing.MONTH_PATTERN), cell + "-01", cell)


def _value(column: Column, cell: ir.Value) -> ir.Value:
    if column.name == "country":
        return parsing.country(cell)
    if column.name == "currency":
        return parsing.currency(cell)
    if column.type == TEXT:
        return cell.lower() if column.name in CODES else cell
    if column.type in (MONEY, PRICE):
        return amount(cell)
    if column.type == COUNT:
        return parsing.whole(cell)
    return parsing.number(cell, flags=column.name == "value")


def _with_account(rows: ir.Table, accounts: ir.Table) -> ir.Table:
    """Adds `_is_known` and `_account_currency`."""
    known = accounts.select(
        _known_id=accounts.account_id, _is_known=ibis.literal(True), _account_currency=accounts.currency
    )
    rows = rows.left_join(known, rows.account_id == known["_known_id"]).drop("_known_id")
    if "_old_currency" not in rows.columns:
        return rows
    return rows.mutate(_account_currency=ibis.coalesce(rows["_old_currency"], rows["_account_currency"]))


def _in_reporting_currency(rows: ir.Table, table: str, portfolio: Portfolio) -> ir.Table:
    """Amounts converted once each, from the delivered amount. A row's currency is its own, else that of the amount's
    sign, else its account's, else the reporting currency; its billing period is a month unless stated.
    """
    reporting = ibis.literal(portfolio.currency.reporting)
    delivered = [c.name for c in delivered_columns(STAGING[table](portfolio)) if c.type in (MONEY, PRICE)]
    stated = stated_currency(rows, delivered)
    rows = rows.mutate(
        _own_currency=rows.currency,
        _stated_currency=stated,
        currency=ibis.coalesce(rows.currency, stated, rows["_account_currency"], reporting),
    )
    rows = rows.mutate(**{f"_has_{name}": rows[name].notnull() for name in delivered})
    if portfolio.source_of(table).in_minor_units:
        digits = portfolio.source_of(table).digits_of(portfolio.currency.rate_of())
        rows = rows.mutate(**{name: in_major_units(rows[name], rows.currency, digits) for name in delivered})
    if "mrr" in rows.columns:
        return converted(rows, {"mrr": ("mrr", None)}, portfolio=portfolio)
    # A period that was stated and cannot be read stays null: the row is quarantined for it.
    is_stated = (
        rows["_text_billing_period_months"].notnull() if "_text_billing_period_months" in rows.columns else False
    )
    months = ibis.coalesce(rows.billing_period_months, ibis.ifelse(is_stated, ibis.null("int64"), 1))
    rows = rows.mutate(
        billing_period_months=months,
        _months=ibis.ifelse(months.between(1, PERIOD_MONTHS_LIMIT), months, ibis.null("int64")),
    )
    if table == "subscriptions":
        return priced(rows, portfolio)
    if table == "invoices":
        return billed(rows, portfolio)
    amounts = {"amount": ("amount", None), "mrr_amount": ("amount", "_months")}
    return converted(rows, amounts, portfolio=portfolio)
