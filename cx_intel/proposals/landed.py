"""Which tables of a company's own database are which canonical table: by their names, their columns and their first rows.

Presets of landed tables come first (`presets.py`); which column is which is decided in `tables.py`.
"""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import cast

from cx_intel.proposals.folders import FoundFiles
from cx_intel.proposals.meanings import meanings
from cx_intel.proposals.tables import TableProposal, guessed, is_named, proposed
from cx_intel.proposals.words.names import plain
from cx_intel.settings.portfolio import Portfolio
from cx_intel.settings.yaml.presets import merged
from cx_intel.sources.errors import SourceError
from cx_intel.warehouse.duckdb.queries.drafted_queries import PRICE_KEY, of_table, with_prices

FirstRows = Callable[[str, Sequence[str]], list[dict[str, str | None]]]
"""Takes schema and name of a table, and the columns wanted; raises SourceError."""

SYSTEM_SCHEMAS = ("information_schema", "pg_catalog", "pg_toast")
OF_PRICES = ("amount", "unit_amount", "currency", "billing_interval", "billing_period_months")
"""What a table of prices may tell of subscriptions."""
_DELETED = ("deleted_at", "is_deleted", "deleted", "archived_at")


def landed_tables(
    schemas: Mapping[str, Mapping[str, Sequence[str]]],
    delivered: set[str],
    portfolio: Portfolio,
    first_rows: FirstRows,
) -> list[TableProposal]:
    """The tables of a database that are named after a canonical one, each with what its columns seem to be.

    Args:
        schemas: Schema: its tables, each with its columns.
        delivered: Canonical tables that are there already.
        portfolio: Gives the contracts of the tables.
        first_rows: Gives the first rows of a table.
    """
    taken = {*delivered, "metrics"}  # figures in columns need a query that names them
    proposals: list[TableProposal] = []
    for schema, tables in sorted(schemas.items()):
        if schema in SYSTEM_SCHEMAS:
            continue
        looked_at = [_found(schema, name, columns) for name, columns in tables.items()]
        named = [found for found in looked_at if is_named(found)]
        for found in sorted(named, key=lambda each: _order(each, portfolio)):
            if (filled := _with_rows(found, first_rows)) is None:
                continue
            guess = proposed(filled, portfolio, taken)
            if guess is None or not is_named(filled, guess.table):
                continue
            if guess.missing == ("amount",):
                guess = _priced(guess, schema, tables, portfolio, first_rows)
            if not guess.missing:
                taken.add(guess.table)
            proposals.append(_worded(guess))
    return [table for table in proposals if not table.missing or table.table not in taken]


def _order(found: FoundFiles, portfolio: Portfolio) -> tuple[int, int, str]:
    """Names of one word first, then those with more columns that are known."""
    guess = proposed(found, portfolio)
    return len(found.plain_name.split("_")), -len(guess.columns) if guess else 0, found.pattern


def _found(schema: str, name: str, columns: Sequence[str]) -> FoundFiles:
    return FoundFiles(f"{schema}.{name}" if schema else name, (), columns=tuple(columns))


def _with_rows(found: FoundFiles, first_rows: FirstRows) -> FoundFiles | None:
    """The table with its first rows; None where it may not be read."""
    try:
        return replace(found, rows=tuple(first_rows(found.pattern, found.columns)))
    except SourceError:
        return None


def _priced(
    table: TableProposal,
    schema: str,
    tables: Mapping[str, Sequence[str]],
    portfolio: Portfolio,
    first_rows: FirstRows,
) -> TableProposal:
    """Subscriptions with the prices of the table that a column leads to, such as plan_id to plans."""
    for key, name in _keys(table.found, tables):
        prices = _with_rows(_found(schema, name, tables[name]), first_rows)
        target = next((column for column in tables[name] if plain(column) in ("id", plain(key))), None)
        if prices is None or target is None:
            continue
        told = guessed("subscriptions", prices, portfolio).columns
        of_prices = {n: c for n, c in told.items() if n in OF_PRICES and n not in table.columns}
        if not {"amount", "unit_amount"} & set(of_prices):
            continue
        more, doubts = meanings("subscriptions", of_prices, prices)
        if "quantity" in table.columns and "amount" in of_prices:
            of_prices["unit_amount"] = price = of_prices.pop("amount")
            doubts.append(f"{price} of {prices.pattern} is taken for one of {table.columns['quantity']}, not for all.")
        if label := next((column for column in prices.columns if plain(column) == "name"), None):
            of_prices.setdefault("product_name", label)
        constants = cast(dict[str, object], more.get("constants", {}))
        return replace(
            table,
            columns={**{n: c for n, c in table.columns.items() if n not in (*of_prices, *constants)}, PRICE_KEY: key},
            more=merged(table.more, more),
            missing=(),
            doubts=(*table.doubts, *doubts),
            prices=prices,
            of_prices={PRICE_KEY: target, **of_prices},
        )
    return table


def _keys(found: FoundFiles, tables: Mapping[str, Sequence[str]]) -> Iterator[tuple[str, str]]:
    """The columns that lead to another table, and that table."""
    names = {plain(name): name for name in tables}
    for column in found.columns:
        if match := re.match(r"^(.+)_id$", plain(column)):
            there = next((names[n] for n in (f"{match[1]}s", match[1], f"{match[1]}es") if n in names), None)
            if there and there != found.pattern.rsplit(".", 1)[-1]:
                yield column, there


def _worded(table: TableProposal) -> TableProposal:
    """The proposal with its query, and with what is to be known of rows that the database keeps."""
    constants = table.constants
    columns = [name for name in table.columns if name != PRICE_KEY]
    of_prices = [name for name in table.of_prices if name != PRICE_KEY]
    query = with_prices(columns, of_prices, constants) if table.prices else of_table(columns, constants)
    doubts = [
        f"Rows with a value in {name} are taken too; leave them out with `where` in the query if they are none."
        for name in table.found.columns
        if plain(name) in _DELETED
    ]
    if table.table == "usage_events":
        doubts.append("All its rows are read at each refresh.")
    return replace(table, query=query, doubts=(*table.doubts, *doubts))
