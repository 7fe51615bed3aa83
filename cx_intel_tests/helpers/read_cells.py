"""Cells of files, one row each, and what an expression makes of them."""

from typing import Any

import ibis
import ibis.expr.types as ir
import pyarrow as pa

CON = ibis.duckdb.connect()


def texts(values: list[str | None]) -> ir.Table:
    """One row a text, in a column `cell`, numbered by `n`."""
    return ibis.memtable(pa.table({"n": range(len(values)), "cell": pa.array(values, pa.string())}))


def evaluated(rows: ir.Table, value: ir.Value) -> list[Any]:
    return CON.to_pyarrow(rows.select("n", value=value).order_by("n"))["value"].to_pylist()
