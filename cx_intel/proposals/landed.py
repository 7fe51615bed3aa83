"""Which tables of a company's own database are which canonical table: by their names, their columns and their first rows.

Presets of landed tables come first (`presets.py`); which column is which is decided in `tables.py`.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from cx_intel.proposals.folders import FoundFiles
from cx_intel.proposals.links import priced_by, query_of, targets
from cx_intel.proposals.tables import TableProposal, is_named, proposed
from cx_intel.proposals.words.names import plain
from cx_intel.settings.portfolio import Portfolio
from cx_intel.sources.errors import SourceError
from cx_intel.warehouse.duckdb.queries.drafted_queries import of_table

FirstRows = Callable[[str, Sequence[str]], list[dict[str, str | None]]]
"""Takes schema and name of a table, and the columns wanted; raises SourceError."""

SYSTEM_SCHEMAS = ("information_schema", "pg_catalog", "pg_toast")
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
    names = {plain(name): name for name in tables}
    for key, name in targets(table.found, names):
        prices = _with_rows(_found(schema, names[name], tables[names[name]]), first_rows)
        if prices and (priced := priced_by(table, key, prices, portfolio)):
            return priced
    return table


def _worded(table: TableProposal) -> TableProposal:
    """The proposal with its query, and with what is to be known of rows that the database keeps."""
    query = query_of(table) if table.joined else of_table([*table.columns], table.constants)
    doubts = [
        f"Rows with a value in {name} are taken too; leave them out with `where` in the query if they are none."
        for name in table.found.columns
        if plain(name) in _DELETED
    ]
    if table.table == "usage_events":
        doubts.append("All its rows are read at each refresh.")
    return replace(table, query=query, doubts=(*table.doubts, *doubts))
