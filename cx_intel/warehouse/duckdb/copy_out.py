"""Writes rows to CSV and Parquet files by DuckDB's own COPY: in one pass, in bounded memory, whatever their number.

Which rows, what is done to their text and where the files belong is decided by the callers: `cx_intel.reports.exports.tables`.
The tables that they come from are kept by `duckdb_warehouse.py`.
"""

from pathlib import Path

import ibis.expr.types as ir

from cx_intel.warehouse.duckdb.publish import escaped
from cx_intel.warehouse.duckdb.warehouse import DuckDBWarehouse


def copy_to_csv(rows: ir.Table, file: Path, warehouse: DuckDBWarehouse) -> int:
    """Writes rows as CSV by RFC 4180 (UTF-8, CRLF, a header); null is empty, an empty text is `""`. How many rows.

    Args:
        rows: What to write; its order is kept.
        file: Where to.
        warehouse: Where it is executed.
    """
    return _copy(rows, file, "FORMAT csv, HEADER, DELIMITER ',', QUOTE '\"', ESCAPE '\"', NEW_LINE '\\r\\n'", warehouse)


def copy_to_parquet(rows: ir.Table, file: Path, warehouse: DuckDBWarehouse) -> int:
    """Writes rows as Parquet, types and values unchanged, compressed with Zstandard. How many rows.

    Args:
        rows: What to write; its order is kept.
        file: Where to.
        warehouse: Where it is executed.
    """
    return _copy(rows, file, "FORMAT parquet, COMPRESSION zstd", warehouse)


def _copy(rows: ir.Table, file: Path, options: str, warehouse: DuckDBWarehouse) -> int:
    query = warehouse.backend.compile(rows)
    ((count,),) = warehouse.backend.con.execute(f"COPY ({query}) TO '{escaped(file)}' ({options})").fetchall()
    return int(count)
