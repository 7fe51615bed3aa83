"""A name with dots leads into the JSON of a column, and `where` says which rows of a file count: both as DuckDB's SQL.

Which canonical column reads which name is decided in `columns.py`; what a file holds in `cx_intel.sources.files`.
"""

from collections.abc import Sequence
from typing import NamedTuple

import duckdb
import pyarrow as pa

from cx_intel.settings.sources.files import Scalar
from cx_intel.settings.sources.sql import QueryTable
from cx_intel.warehouse.duckdb.files.local_spellings import identifier, literal

NUMBERS = "('BIGINT', 'UBIGINT', 'HUGEINT', 'DOUBLE')"
"""What DuckDB calls the numbers of JSON."""


class Nested(NamedTuple):
    """A place in the JSON of a column."""

    column: str
    path: str
    """Below the column, as DuckDB writes paths after the `$`."""

    def of(self, cell: str) -> str:
        """The value there as text; null where the cell is no JSON, or has nothing there."""
        return f"json_extract_string(try_cast({cell} AS json), {literal('$' + self.path)})"

    def is_number(self, row: str) -> str:
        """Whether the value is a number in a row of JSON."""
        path = literal("$" + _step(self.column) + self.path)
        return f"coalesce(json_type(try_cast({row} AS json), {path}) IN {NUMBERS}, false)"


def nested(name: str, columns: Sequence[str]) -> Nested | None:
    """Where a name that is no column leads: below the longest beginning that is one; None where none is."""
    parts = name.split(".")
    for length in range(len(parts) - 1, 0, -1):
        if (head := ".".join(parts[:length])) in columns:
            return Nested(head, "".join(map(_step, parts[length:])))
    return None


def _step(part: str) -> str:
    return f"[{part}]" if part.isdigit() else f".{identifier(part)}"


def matches(cell: str, wanted: Sequence[Scalar], is_except: bool) -> str:
    """Whether a cell is one of the values, or none of them, in any case; a missing one is null."""
    words = [literal(str(value).strip().lower()) for value in wanted if value is not None]
    cases = [f"lower(trim({cell})) IN ({', '.join(words)})"] if words else []
    cases += [f"{cell} IS NULL"] if None in wanted else []
    return f"{'NOT ' if is_except else ''}coalesce({' OR '.join(cases)}, false)"


def opened(table: pa.Table, files: QueryTable) -> pa.Table:
    """The table with a column for each name with dots that leads into the JSON of one of its columns.

    Of several such names of a column only those that lead to anything, as JSON leaves out what is empty.
    """
    columns = table.column_names
    wanted = dict.fromkeys([*files.columns, *files.optional])
    stated = {name: [s for s in files.names_of(name) if s not in columns] for name in wanted}
    there = {s: place for names in stated.values() for s in names if (place := nested(s, columns))}
    if not there:
        return table
    with duckdb.connect() as con:
        con.register("content", table)
        cells = (f"{place.of(identifier(place.column))} AS {identifier(s)}" for s, place in there.items())
        found = con.sql(f"SELECT {', '.join(cells)} FROM content").to_arrow_table()
    for names in stated.values():
        leading = [s for s in names if s in there]
        for s in [s for s in leading if found[s].null_count < len(found)] or leading[:1]:
            table = table if s in table.column_names else table.append_column(s, found[s])
    return table
