"""What is asked of rows about to be written, by checks and for what Dagster shows: by name, so that the answer may come
from SQL that was compiled ahead (`compiled.py`).
"""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, TypeAlias

import ibis.expr.types as ir

from cx_intel.warehouse.duckdb.database import Query
from cx_intel.warehouse.duckdb.warehouse import DuckDBWarehouse

Questions: TypeAlias = Mapping[str, Callable[[], ir.Table]]
"""The name of a question: what makes the expression that asks it."""
NOTHING: Mapping[str, str] = MappingProxyType({})


def answers(
    questions: Questions, warehouse: DuckDBWarehouse, ready: Mapping[str, str] = NOTHING
) -> dict[str, list[dict[str, Any]]]:
    """The name of each question: the rows that answer it.

    Args:
        questions: What is asked.
        warehouse: Where it is executed.
        ready: Of the questions, the SQL of those that are compiled already.
    """
    return {name: warehouse.rows(Query(ready[name]) if name in ready else ask()) for name, ask in questions.items()}
