"""Tables that are laid out otherwise: a column or a file for each month, totals below, accounts that only others name.

What a column is called is decided in `tables.py`; how the query of a source is worded in
`cx_intel.warehouse.duckdb.queries.drafted_queries`.
"""

import re
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import replace
from datetime import datetime

from cx_intel.proposals.columns.mapping import is_number
from cx_intel.proposals.columns.meanings import is_recurring
from cx_intel.proposals.folders import FoundFiles
from cx_intel.proposals.tables import TableProposal, guessed, is_named
from cx_intel.settings.portfolio import Portfolio
from cx_intel.warehouse.duckdb.queries.drafted_queries import accounts_of, by_month_of_file

_MONTHS = (
    "%Y-%m",
    "%Y/%m",
    "%m/%Y",
    "%b-%y",
    "%b %y",
    "%b-%Y",
    "%b %Y",
    "%B %Y",
    "%Y-%m-%d",
    "%Y%m",
    "%Y-%m-%d %H:%M:%S",
)
_NAME_OF_MONTH = re.compile(r"20\d\d[-_.]?[01]\d")
_TOTAL = re.compile(r"^(grand )?(totals?|summe|gesamt|gesamtsumme|sum)(:? *\d*)$", re.IGNORECASE)
LEAST_MONTHS = 2
OF_ACCOUNTS = ("account_id", "account_name", "segment", "industry", "country", "region", "employee_count", "owner")
"""What other tables may tell of accounts."""
OF_CONTRACTS = (
    *("subscription_id", "account_id", "amount", "currency", "start_date", "end_date", "renewal_date", "plan_tier"),
    *("billing_interval", "billing_period_months", "term_months"),
)
"""What a file of accounts may tell of their contracts; its status and its ids are those of accounts."""
ACCOUNTS_FROM = ("subscriptions", "mrr_history", "invoices", "usage_events", "support_tickets")
"""The tables that accounts are taken from where nothing else holds them, the likeliest first."""


def month_of(name: str) -> str:
    """The month that a column is named after, as 2026-01; empty where it is none."""
    text = re.sub(r"^(mrr|arr|revenue|umsatz)\W+|\W+(mrr|arr|revenue|umsatz)$", "", name.strip(), flags=re.IGNORECASE)
    for months in _MONTHS:
        with suppress(ValueError):
            return f"{datetime.strptime(text, months):%Y-%m}"
    return ""


def wide_months(found: FoundFiles, portfolio: Portfolio) -> TableProposal | None:
    """The MRR of accounts with a column for each month; None where files have no such columns."""
    months = {name: month for name in found.columns if (month := month_of(name))}
    filled = [values for name in months if (values := found.values(name))]
    if len(months) < LEAST_MONTHS or not filled or not all(is_number(value) for values in filled for value in values):
        return None
    account = guessed("mrr_history", found, portfolio).columns.get("account_id")
    if account is None:
        return None
    unpivot = {"columns": months, "name_to": "month", "value_to": "mrr"}
    doubts = ["A month that is added later is read once its column is named here."]
    if "mrr" not in found.plain_name:
        doubts.insert(
            0, f"{found.title} is taken for the MRR of each month; a year's figures (ARR) are to be divided by 12."
        )
    return TableProposal("mrr_history", found, {"account_id": account}, {"unpivot": unpivot}, doubts=tuple(doubts))


def months_of_files(found: FoundFiles, portfolio: Portfolio) -> TableProposal | None:
    """The MRR of accounts with a file for each month, in whose name it stands; None where files are none."""
    guess = guessed("mrr_history", found, portfolio)
    if (
        not is_named(found, "mrr_history")
        or guess.missing != ("month",)
        or not all(_NAME_OF_MONTH.search(path.name) for path in found.paths)
    ):
        return None
    doubt = f"Each file of {found.title} is taken for the MRR of the month in its name."
    return replace(guess, missing=(), doubts=(doubt, *guess.doubts), query=by_month_of_file([*guess.columns]))


def without_totals(table: TableProposal) -> TableProposal:
    """The proposal without a last row that adds up the others, as reports have it."""
    read = dict.fromkeys([*table.columns.values(), *table.found.columns[:1]])
    column, total = next(((name, total) for name in read if (total := _total(table.found, name))), ("", ""))
    if not column:
        return table
    doubts = (*table.doubts, f"The last row, {total}, adds up the others and is left out.")
    if table.query:
        is_account = column == table.columns.get("account_id")
        return replace(table, query=by_month_of_file([*table.columns], total), doubts=doubts) if is_account else table
    return replace(table, more={**table.more, "where": {column: {"not": total}}}, doubts=doubts)


def _total(found: FoundFiles, column: str) -> str:
    """What the last row says in a column, where that says that it adds up the others."""
    last = (found.rows[-1].get(column) or "").strip() if found.rows else ""
    return last if _TOTAL.match(last) else ""


def contracts_of_accounts(accounts: TableProposal, portfolio: Portfolio) -> TableProposal | None:
    """The contracts of a file of accounts that says what each pays and since when; None where it does not."""
    guess = guessed("subscriptions", accounts.found, portfolio)
    account, amount = accounts.columns["account_id"], guess.columns.get("amount", "")
    if not is_recurring(amount) or accounts.query or not guess.columns.keys() >= {"amount", "start_date"}:
        signup = accounts.columns.get("signup_date")
        if not is_recurring(amount) or accounts.query or signup is None:
            return None
        guess.columns["start_date"] = signup
    columns = {"subscription_id": account, **guess.columns, "account_id": account}
    columns = {name: column for name, column in columns.items() if name in OF_CONTRACTS}
    columns["subscription_id"] = account
    doubt = (
        f"No file holds contracts; {accounts.found.title} says what each account pays, by {amount}, and each is taken for a "
        f"contract since {columns['start_date']}. What an account paid before is not known."
    )
    return replace(guess, columns=columns, missing=(), doubts=(doubt, *guess.doubts))


def accounts_from(tables: Iterable[TableProposal], portfolio: Portfolio) -> TableProposal | None:
    """The accounts that another table names; None where there is none with their own ids."""
    given = {table.table: table for table in tables if "account_id" in table.columns and "system" not in table.more}
    given = {name: table for name, table in given.items() if table.found.rows}
    source = next((given[name] for name in ACCOUNTS_FROM if name in given), None)
    if source is None:
        return None
    account = source.columns["account_id"]
    told = guessed("accounts", source.found, portfolio).columns
    columns = {n: c for n, c in told.items() if n in OF_ACCOUNTS and c not in source.columns.values()}
    columns = {"account_id": account} | columns
    doubt = f"No file holds the accounts; they are those of {source.found.title}, with what it says of them."
    query = accounts_of([*columns], _total(source.found, account))
    return TableProposal("accounts", source.found, columns, doubts=(doubt,), query=query)
