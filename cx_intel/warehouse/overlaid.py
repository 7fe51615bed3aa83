"""A warehouse with other tables in the place of some of its own, for those who only read.

What the tables are, and where they come from, is known to whoever lays them over it (`cx_intel.orchestration.preview`). What
a warehouse is asked for stands in `protocol.py`.
"""

from collections.abc import Mapping
from typing import Any, cast

import ibis.expr.types as ir

from cx_intel.warehouse.protocol import Warehouse


def overlaid(warehouse: Warehouse, tables: Mapping[str, ir.Table]) -> Warehouse:
    """The warehouse with these tables in the place of its own; everything else is as it stands there."""
    return cast("Warehouse", _Overlaid(warehouse, tables))


class _Overlaid:
    def __init__(self, warehouse: Warehouse, tables: Mapping[str, ir.Table]):
        self._warehouse, self._tables = warehouse, tables

    def __getattr__(self, name: str) -> Any:
        return getattr(self._warehouse, name)

    def exists(self, table: str) -> bool:
        return table in self._tables or self._warehouse.exists(table)

    def table(self, table: str) -> ir.Table:
        return self._tables[table] if table in self._tables else self._warehouse.table(table)
