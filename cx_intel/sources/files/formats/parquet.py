"""Reads one Parquet file into text columns: typed values in ISO form.

What a file's content is: `cx_intel.sources.files.content`; which columns are wanted:
`cx_intel.warehouse.duckdb.files.columns`.
"""

from collections.abc import Iterator
from dataclasses import replace
from itertools import chain

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from cx_intel.settings.sources.files import FileSet
from cx_intel.sources.files.content import EXACT, Content, as_text, rejects_table
from cx_intel.sources.files.limits import held, refuse_long_cells, refuse_too_wide
from cx_intel.sources.files.paths import SourceFile

BLOCK_ROWS = 16_384


def read_parquet(file: SourceFile, source: FileSet) -> Content:
    """The content of a Parquet file, all at once."""
    blocks = list(held(parquet_blocks(file, source), file))
    return replace(blocks[-1], table=pa.concat_tables([block.table for block in blocks]))


def parquet_blocks(file: SourceFile, source: FileSet) -> Iterator[Content]:
    """The content of a Parquet file, a block of rows after the other; at least one."""
    after = 0
    with pq.ParquetFile(file.path) as opened:
        names = tuple(name.strip() for name in opened.schema_arrow.names)
        refuse_too_wide(len(names), file)
        tables = (pa.Table.from_batches([batch]) for batch in opened.iter_batches(BLOCK_ROWS))
        for typed in chain(tables, [opened.schema_arrow.empty_table()]):
            block = _content(typed, names, after, source)
            refuse_long_cells(block.table, names, file)
            yield block
            after += typed.num_rows


def _content(typed: pa.Table, names: tuple[str, ...], after: int, source: FileSet) -> Content:
    """Rows that follow so many others."""
    columns = {f"c{n}": _as_text(typed.column(n)) for n in range(typed.num_columns)}
    if source.has_local_spellings:
        columns |= {
            f"t{n}": pa.repeat(True, typed.num_rows)
            for n in range(typed.num_columns)
            if not is_text(typed.schema.field(n).type)
        }
    numbers = pa.array(range(after + 1, after + typed.num_rows + 1), pa.int64())
    return Content(names, pa.table({**columns, "row_number": numbers}), rejects_table([]))


def is_text(kind: pa.DataType) -> bool:
    """Whether a column of this type holds text."""
    kind = kind.value_type if pa.types.is_dictionary(kind) else kind
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind))


def without_nested(table: pa.Table) -> pa.Table:
    """The table with JSON text in the place of structs, maps and lists, and with text for durations."""
    for n, field in enumerate(table.schema):
        if _is_written_out(field.type):
            table = table.set_column(n, field.name, _as_text(table.column(n)))
    return table


def _is_written_out(kind: pa.DataType) -> bool:
    return bool(pa.types.is_nested(kind) or pa.types.is_duration(kind))


def _as_text(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """Values as text: times in ISO form, in UTC with a Z where they have a zone; NaN is missing; maps are objects of JSON."""
    kind = column.type
    if pa.types.is_dictionary(kind):
        column = column.cast(kind.value_type)
        kind = column.type
    if _is_written_out(kind):
        values = column.to_pylist(maps_as_pydicts="lossy")
        return pa.chunked_array([pa.array([as_text(v) for v in values], pa.string())])
    if pa.types.is_timestamp(kind):
        naive = column.cast(pa.timestamp("us", kind.tz), safe=False).cast(pa.timestamp("us")).cast(pa.string())
        return naive if kind.tz is None else pc.binary_join_element_wise(naive, "Z", "")
    if pa.types.is_floating(kind):
        column = pc.if_else(pc.is_nan(column), None, column)
        return pc.coalesce(_whole_as_text(column), column.cast(pa.string()))
    return column.cast(pa.string())


def _whole_as_text(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """Whole numbers without an exponent, which ids and unix times would have from 10^10 on; null for others."""
    numbers = column.cast(pa.float64())
    is_whole = pc.and_(pc.equal(pc.floor(numbers), numbers), pc.less_equal(pc.abs(numbers), EXACT))
    return pc.if_else(is_whole, numbers, None).cast(pa.int64()).cast(pa.string())
