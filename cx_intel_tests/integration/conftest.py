"""What tests of components share."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from cx_intel.warehouse.duckdb.access.opening import close_warehouse, open_warehouse
from cx_intel.warehouse.duckdb.warehouse import DuckDBWarehouse


@pytest.fixture
def warehouse(tmp_path: Path) -> Iterator[DuckDBWarehouse]:
    """A new one."""
    yield DuckDBWarehouse(open_warehouse(tmp_path / "warehouse.duckdb"), "small")
    close_warehouse(tmp_path / "warehouse.duckdb")
