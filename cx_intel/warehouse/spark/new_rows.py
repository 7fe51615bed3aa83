"""Of the rows that a query at the cluster gave those that are new, and the keys whose earlier rows go.

What `duckdb/files/by_cursor.py` does of rows in the DuckDB file, for Spark; where the rows come from and go to is in
`fetching.py`.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import reduce
from operator import and_
from typing import TYPE_CHECKING

from cx_intel.contracts.delivered import DELIVERED_DAY
from cx_intel.warehouse.duckdb.queries.queries import QUERY

if TYPE_CHECKING:
    from pyspark.sql import Column, DataFrame

BLANKS = " \t\n\r\x0b\x0c"
"""Around a cell they are no part of it, to staging."""


def newest(fetched: DataFrame, key: Sequence[str]) -> DataFrame:
    """Of several rows of one key those with the newest cursor; rows without a key all of them."""
    from pyspark.sql import Window
    from pyspark.sql import functions as f

    of_key = Window.partitionBy(*key_cells(key)).orderBy(f.desc_nulls_last("_cursor"), f.desc("_is_deleted"))
    ranked = fetched.distinct().withColumn("_place", f.rank().over(of_key))
    return ranked.filter(~_is_keyed(key) | (ranked["_place"] == 1)).drop("_place")


def not_there(rows: DataFrame, old: DataFrame, cells: Sequence[str], key: Sequence[str]) -> DataFrame:
    """The rows that the table does not have as they are. Rows of one key come and go together.

    Args:
        rows: One or several of each key.
        old: The rows of the table, of the days of those.
        cells: The columns that are delivered.
        key: The columns that tell rows apart.
    """
    from pyspark.sql import Window
    from pyspark.sql import functions as f

    known = old.select(*(f.col(cell).alias(f"_old_{cell}") for cell in cells)).distinct().withColumn("_there", f.lit(1))
    same = [rows[cell].eqNullSafe(known[f"_old_{cell}"]) for cell in cells]
    looked = rows.join(known, same, "left").withColumn("_is_new", f.col("_there").isNull())
    of_key = f.max("_is_new").over(Window.partitionBy(*key_cells(key)))
    is_wanted = f.when(_is_keyed(key), of_key).otherwise(f.col("_is_new"))
    return looked.withColumn("_is_wanted", is_wanted).filter("_is_wanted").select(*rows.columns)


def raw_rows(rows: DataFrame, old: DataFrame | None, cells: Sequence[str]) -> DataFrame:
    """The rows as they stand in the raw table, numbered by their cursor behind those that their day has already.

    Args:
        rows: The rows, with their cursor and their day.
        old: The rows of the table, of their days; None where all of them go.
        cells: The columns that are delivered.
    """
    from pyspark.sql import Window
    from pyspark.sql import functions as f

    in_order = Window.partitionBy(DELIVERED_DAY).orderBy(f.asc_nulls_first("_cursor"), *cells)
    number: Column = f.row_number().over(in_order).cast("bigint")
    if old is not None:
        last = old.groupBy(DELIVERED_DAY).agg(f.max("_row_number").alias("_last"))
        rows = rows.join(last, DELIVERED_DAY, "left")
        number = number + f.coalesce("_last", f.lit(0))
    marks = {"_source_file": f.lit(QUERY), "_row_number": number, "_reject": f.lit(None).cast("string")}
    return rows.withColumns(marks)


def keys_of(rows: DataFrame, key: Sequence[str]) -> DataFrame:
    """The keys of rows that have one."""
    return rows.filter(_is_keyed(key)).select(*(cell.alias(f"_key_{n}") for n, cell in enumerate(key_cells(key))))


def with_keys(rows: DataFrame, keys: DataFrame, key: Sequence[str], how: str) -> DataFrame:
    """The rows whose keys are among these (`left_semi`), or are not (`left_anti`)."""
    same = [cell == keys[f"_key_{n}"] for n, cell in enumerate(key_cells(key))]
    return rows.join(keys, reduce(and_, same), how)


def key_cells(key: Sequence[str]) -> list[Column]:
    """The cells of a key as staging reads them: without blanks around them, null when nothing is left."""
    from pyspark.sql import functions as f

    return [f.nullif(f.btrim(f.col(f"`{column}`"), f.lit(BLANKS)), f.lit("")) for column in key]


def _is_keyed(key: Sequence[str]) -> Column:
    return reduce(and_, (cell.isNotNull() for cell in key_cells(key)))
