"""Reads Parquet files by DuckDB, straight into the table that they are for, where their columns are plain ones.

Files with other columns (nested ones, numbers with fractions, bytes) are read as all formats are, by
`cx_intel.sources.files`; both give the same rows. Which files are read so is decided in `by_file.py`.
"""

import glob
from collections.abc import Sequence
from dataclasses import dataclass

import pyarrow as pa
import pyarrow.parquet as pq

from cx_intel.contracts.contract import TIME, Contract
from cx_intel.contracts.delivered import delivered_columns
from cx_intel.settings.sources.files import FilesSource
from cx_intel.sources.files.content import Content, rejects_table
from cx_intel.sources.files.formats.parquet import is_text
from cx_intel.sources.files.paths import SourceFile
from cx_intel.warehouse.duckdb.files.columns import Cells, canonical_query
from cx_intel.warehouse.duckdb.files.local_spellings import identifier, literal

OWN_COLUMNS = ("filename", "file_row_number")
"""What DuckDB adds to the columns of a file."""


@dataclass(frozen=True)
class ParquetGroup:
    """Parquet files of the same columns.

    Attributes:
        files: The files.
        schema: Their columns.
        rows: How many rows each has.
    """

    files: tuple[SourceFile, ...]
    schema: pa.Schema
    rows: tuple[int, ...]


def plain_groups(files: Sequence[SourceFile], source: FilesSource) -> list[ParquetGroup] | None:
    """The files by their columns, in order; None where one of them has to be read in another way."""
    if source.where or source.unpivot or any(file.format != "parquet" or file.is_gzip for file in files):
        return None
    groups: list[ParquetGroup] = []
    for file in files:
        try:
            footer = pq.ParquetFile(file.path)
            schema, rows = footer.schema_arrow.remove_metadata(), footer.metadata.num_rows
        except (pa.ArrowException, OSError):
            return None
        names = [name.lower() for name in schema.names]  # DuckDB tells columns apart by their names in any case
        if len({*names, *OWN_COLUMNS}) < len(names) + len(OWN_COLUMNS):
            return None
        if not all(_as_text(field.type, "c") for field in schema):
            return None
        if groups and groups[-1].schema == schema:
            groups[-1] = ParquetGroup((*groups[-1].files, file), schema, (*groups[-1].rows, rows))
        else:
            groups.append(ParquetGroup((file,), schema, (rows,)))
    return groups


def query_of(group: ParquetGroup, source: FilesSource, contract: Contract, *, keeps_times: bool) -> tuple[str, Content]:
    """The query that gives the canonical rows of the files, and what they are made of, without a row.

    Args:
        group: The files.
        source: The mapping of their columns.
        contract: Of the table.
        keeps_times: Times that are typed stay so; else they are text too.
    """
    names, first = tuple(name.strip() for name in group.schema.names), group.files[0]
    typed = {n for n, field in enumerate(group.schema) if not is_text(field.type)}
    marks = typed if source.has_local_spellings else set()
    columns = {
        **{f"c{n}": pa.array([], pa.string()) for n in range(len(names))},
        "row_number": pa.array([], pa.int64()),
    }
    content = Content(names, pa.table(columns | {f"t{n}": pa.array([], pa.bool_()) for n in marks}), rejects_table([]))
    times = {source.columns.get(c.name, c.name) for c in delivered_columns(contract) if c.type == TIME}
    cells = []
    for n, field in enumerate(group.schema):
        column = identifier(field.name)
        stays = keeps_times and names[n] in times and pa.types.is_timestamp(field.type)
        cells.append(f"{_as_time(field.type, column) if stays else _as_text(field.type, column)} AS c{n}")
    cells += [f"true AS t{n}" for n in sorted(marks)]
    root = len(str(first.path)) - len(first.name)
    paths = ", ".join(literal(glob.escape(str(file.path))) for file in group.files)
    read = (
        f"SELECT {', '.join(cells)}, file_row_number + 1 AS row_number, substr(filename, {root + 1}) AS _name "
        f"FROM read_parquet([{paths}], filename = true, file_row_number = true, hive_partitioning = false)"
    )
    cells_of = Cells(content, first, source, as_given=True)
    return f"WITH file AS ({read}) {canonical_query(cells_of, contract, '_name')}", content


def times_of(group: ParquetGroup, source: FilesSource, contract: Contract) -> tuple[str, ...]:
    """The types of the columns of times, as they stay where all files agree on them."""
    times = [source.columns.get(c.name, c.name) for c in delivered_columns(contract) if c.type == TIME]
    found = {name.strip(): kind for name, kind in zip(group.schema.names, group.schema.types, strict=True)}
    return tuple(_kind(found[name]) if name in found else "" for name in times)


def _kind(kind: pa.DataType) -> str:
    if not pa.types.is_timestamp(kind):
        return "string"
    return "timestamp(6)" if kind.tz is None else "timestamp('UTC', 6)"


def _as_text(kind: pa.DataType, column: str) -> str | None:
    """A column as text, spelt as by `cx_intel.sources.files.formats.parquet`; None for types that are not plain."""
    if is_text(kind):
        return column
    if pa.types.is_integer(kind) or pa.types.is_boolean(kind) or pa.types.is_date32(kind):
        return f"{column}::varchar"
    if pa.types.is_timestamp(kind):
        text = f"strftime({_as_time(kind, column)}, '%Y-%m-%d %H:%M:%S.%f')"
        return text if kind.tz is None else f"({text} || 'Z')"
    return None


def _as_time(kind: pa.DataType, column: str) -> str:
    return f"{column}::timestamp" if kind.tz is None else f"({column}::timestamptz)"
