"""A name with dots leads into the JSON of a column, and `where` says which rows of a file count: both as DuckDB's SQL.

Which canonical column reads which name is decided in `columns.py`; what a file holds in `cx_intel.sources.files`.
"""

from collections.abc import Sequence
from typing import NamedTuple

from cx_intel.settings.sources.files import Scalar
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
