"""The row of a file as it stood there, told from its canonical cells: what the quarantine shows of rows that keep no text.

Rows of event files and those that are read by a cursor do without a text of their own, of which there are many; which do,
is decided where they are read (`cx_intel.warehouse.duckdb.files`). How rows are judged: `rows.py`.
"""

from collections.abc import Mapping
from functools import reduce

import ibis
import ibis.expr.types as ir

from cx_intel.contracts.contract import Contract
from cx_intel.contracts.delivered import delivered_columns
from cx_intel.models.staging.event_days import is_kept_by_row_day
from cx_intel.settings.sources.files import FilesSource
from cx_intel.settings.sources.sources import Source
from cx_intel.settings.sources.sql import SqlSource

GIVEN = "_given_"
"""Begins the name of a column that holds a cell as it was delivered."""
_ESCAPED = (("\\", "\\\\"), ('"', '\\"'), ("\n", "\\n"), ("\r", "\\r"), ("\t", "\\t"))


def file_names(table: str, source: Source, contract: Contract) -> dict[str, str]:
    """Canonical column: what the files or the query call it; nothing of a source whose rows keep their text."""
    if isinstance(source, SqlSource) and (
        source.cursor or (source.is_at_cluster and is_kept_by_row_day(table, source))
    ):
        return {column.name: column.name for column in delivered_columns(contract)}
    if not is_kept_by_row_day(table, source) or not isinstance(source, FilesSource):
        return {}
    return {column.name: source.columns.get(column.name, column.name) for column in delivered_columns(contract)}


def row_as_json(rows: ir.Table, names: Mapping[str, str]) -> ir.StringValue:
    """The row as a JSON object; cells that are missing are left out.

    Args:
        rows: Rows with their cells as given.
        names: Canonical column: what the file calls it.
    """
    parts = [_pair(name, rows[GIVEN + column]) for column, name in names.items()]
    return ibis.literal("{") + reduce(lambda a, b: a + b, parts).substr(1) + "}"


def _pair(name: str, cell: ir.Value) -> ir.StringValue:
    text = reduce(lambda value, pair: value.replace(*pair), _ESCAPED, cell.cast("string"))
    given = ibis.literal(',"' + reduce(lambda value, pair: value.replace(*pair), _ESCAPED, name) + '":"') + text + '"'
    return ibis.coalesce(given, "")
