"""What tests of components share."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from cx_intel.warehouse.duckdb_warehouse import DuckDBWarehouse
from cx_intel.warehouse.opening import close_warehouse, open_warehouse


@pytest.fixture
def warehouse(tmp_path: Path) -> Iterator[DuckDBWarehouse]:
    """A new one."""
    yield open_warehouse(tmp_path / "warehouse.duckdb")
    close_warehouse(tmp_path / "warehouse.duckdb")
