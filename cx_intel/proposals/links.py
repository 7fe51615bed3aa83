"""Rows of which a part stands elsewhere: the price in a file of plans, the account in the file of another table.

Which column is which within one file is decided in `tables.py`; how the query is worded in
`cx_intel.warehouse.duckdb.queries.drafted_queries`.
"""

import re
from collections.abc import Collection, Iterator, Sequence
from dataclasses import replace
from typing import cast

from cx_intel.proposals.columns.meanings import BILLED, is_recurring, meanings, without_billing
from cx_intel.proposals.folders import FoundFiles
from cx_intel.proposals.tables import TableProposal, guessed, taken_off
from cx_intel.proposals.words.names import plain
from cx_intel.settings.portfolio import Portfolio
from cx_intel.settings.yaml.presets import merged
from cx_intel.warehouse.duckdb.queries.drafted_queries import KEY, joined

OF_PRICES = ("amount", "unit_amount", "currency", "billing_interval", "billing_period_months")
"""What a table of prices may tell of subscriptions."""
IDS = ("subscription_id", "invoice_id", "ticket_id", "user_id", "contact_id")
"""The columns of a table that say which row it is, or who, and so may lead to its account."""
_LABELS = ("name", "plan_name", "product_name")
_PERSON = "user_id"


def targets(found: FoundFiles, names: Collection[str]) -> Iterator[tuple[str, str]]:
    """The columns that lead to another table by their names, as plan_id does to plans, and the name of that table."""
    for column in found.columns:
        if match := re.match(r"^(.+)_id$", plain(column)):
            of = match[1]
            there = next(
                (n for n in names if n in (f"{of}s", of, f"{of}es") or n.endswith((f"_{of}s", f"_{of}"))), None
            )
            if there and there != _stem(found):
                yield column, there


def priced_by(table: TableProposal, key: str, prices: FoundFiles, portfolio: Portfolio) -> TableProposal | None:
    """Subscriptions with the prices of the files or table that a column leads to; None where these have none."""
    target = next((column for column in prices.columns if plain(column) in ("id", plain(key))), None)
    is_by_account = key == table.columns.get("account_id")
    if target is None or _repeats(prices, target) or (is_by_account and _repeats(table.found, key)):
        return None
    told = guessed("subscriptions", prices, portfolio).columns
    of_prices = {n: c for n, c in told.items() if n in OF_PRICES and n not in table.columns}
    if not {"amount", "unit_amount"} & set(of_prices):
        return None
    more, doubts = meanings("subscriptions", of_prices, prices)
    columns, before = dict(table.columns), dict(table.more)
    if "amount" in of_prices:
        billed = {name: columns[name] for name in BILLED if name in columns} | of_prices
        if said := without_billing(billed):
            doubts = [*said, *doubts]
            columns = {n: c for n, c in columns.items() if n not in BILLED}
            stated = {
                n: words for n, words in cast(dict[str, object], before.pop("values", {})).items() if n in columns
            }
            before |= {"values": stated} if stated else {}
    if "discount_pct" in columns and is_recurring(of_prices.get("amount", "")):
        doubts.append(taken_off(of_prices["amount"], columns.pop("discount_pct")))
    if "quantity" in columns and "amount" in of_prices:
        of_prices["unit_amount"] = price = of_prices.pop("amount")
        doubts.append(f"{price} of {prices.title} is taken for one of {columns['quantity']}, not for all.")
    if label := next((column for column in prices.columns if plain(column) in _LABELS), None):
        of_prices.setdefault("product_name", label)
    doubts.insert(0, f"Prices are those of {prices.title} by {key}: a price of today also for the past.")
    constants = cast(dict[str, object], more.get("constants", {}))
    return replace(
        table,
        columns={**{n: c for n, c in columns.items() if n not in (*of_prices, *constants)}, KEY: key},
        more=merged(before, more),
        missing=(),
        doubts=(*table.doubts, *doubts),
        joined=prices,
        of_joined={KEY: target, **of_prices},
    )


def from_other_files(
    incomplete: Sequence[TableProposal],
    tables: Sequence[TableProposal],
    others: Sequence[FoundFiles],
    portfolio: Portfolio,
) -> list[TableProposal]:
    """The proposals that are whole with what another file of the folder has: prices of plans, accounts of subscriptions."""
    every = {_stem(files): files for files in (*(table.found for table in tables), *others)}
    return [_with_query(whole) for table in incomplete if (whole := _whole(table, tables, every, portfolio))]


def _whole(
    table: TableProposal, tables: Sequence[TableProposal], every: dict[str, FoundFiles], portfolio: Portfolio
) -> TableProposal | None:
    if table.query:
        return None
    if table.table == "subscriptions" and table.missing == ("amount",):
        priced = (priced_by(table, key, every[name], portfolio) for key, name in targets(table.found, every))
        return next((found for found in priced if found), None)
    if table.missing == ("account_id",):
        return next((found for other in tables if (found := _accounts_by(table, other))), None)
    return None


def _accounts_by(table: TableProposal, other: TableProposal) -> TableProposal | None:
    """The rows with the account of those that they name, as an invoice its subscription."""
    account = other.columns.get("account_id")
    own = (other.columns.get(name) for name in IDS)  # a plan or a product belongs to many, however few rows there are
    key = next(
        (c for c in own if c and c in table.found.columns and c != account and not _repeats(other.found, c)), None
    )
    if account is None or key is None or other.query:
        return None
    return replace(
        table,
        columns={**table.columns, KEY: key},
        missing=(),
        doubts=(*table.doubts, f"The account of each row is that of its {key} in {other.found.title}."),
        joined=other.found,
        of_joined={KEY: key, "account_id": account},
    )


def people_as_accounts(
    incomplete: Sequence[TableProposal], others: Sequence[FoundFiles], portfolio: Portfolio
) -> list[TableProposal]:
    """Where no file names accounts, and people subscribe: each of them as an account, first the file of all of them."""
    by_people = [t for t in incomplete if t.missing == ("account_id",) and _column(t.found, _PERSON) and not t.query]
    if not any(table.table in ("subscriptions", "invoices", "mrr_history") for table in by_people):
        return []
    people = [files for files in others if (person := _column(files, _PERSON)) and not _repeats(files, person)]
    people.sort(key=lambda files: "user" not in files.plain_name)
    found = []
    if people:
        told = guessed("accounts", people[0], portfolio).columns
        columns = {"account_id": _column(people[0], _PERSON), **{n: c for n, c in told.items() if n != "account_id"}}
        doubt = f"No file names accounts: each {_PERSON} is taken for one."
        found = [TableProposal("accounts", people[0], columns, doubts=(doubt,))]
    for table in by_people:
        columns = {
            "account_id": _column(table.found, _PERSON),
            **{n: c for n, c in table.columns.items() if n != _PERSON},
        }
        found.append(replace(table, columns=columns, missing=()))
    return found


def _stem(found: FoundFiles) -> str:
    """What a file or table is called, without its folder and ending."""
    name = found.pattern.rsplit(".", 1)[-1] if found.is_landed else found.pattern.rsplit("/", 1)[-1].split(".")[0]
    return plain(name)


def _column(found: FoundFiles, name: str) -> str:
    return next((column for column in found.columns if plain(column) == name), "")


def _repeats(found: FoundFiles, column: str) -> bool:
    """Whether a column says the same twice, and so is no key."""
    values = found.values(column)
    return len(set(values)) < len(values)


def _with_query(table: TableProposal) -> TableProposal:
    return replace(table, query=query_of(table))


def query_of(table: TableProposal) -> str:
    """The query of a table with what it is joined with."""
    columns = [name for name in table.columns if name != KEY]
    return joined(columns, [name for name in table.of_joined if name != KEY], table.constants, table.joined_as)
