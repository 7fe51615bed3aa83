"""The engines that models compile for, and the SQL of an expression for each, without a connection.

Which models are compiled stands in the tests of `engines/`.
"""

import ibis
import ibis.expr.types as ir

from cx_intel.warehouse.deep_calls import deep_calls
from cx_intel.warehouse.spark.expressions import to_sql as to_spark

ENGINES = ("bigquery", "clickhouse", "duckdb", "pyspark", "snowflake", "trino", "postgres")


def to_sql(expression: ir.Table, engine: str) -> str:
    with deep_calls():
        if engine != "pyspark":
            return str(ibis.to_sql(expression, dialect=engine, pretty=False))
        return to_spark(expression.unbind())
