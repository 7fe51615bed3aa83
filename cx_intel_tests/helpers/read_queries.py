"""Queries of sources over files of a test, and the rows that they give."""

from pathlib import Path
from typing import Any

from cx_intel.contracts.staging.tables import STAGING
from cx_intel.settings.sources.sql import SqlSource
from cx_intel.sources.files.content import FilesRead
from cx_intel.warehouse.duckdb.queries.queries import read_query
from cx_intel_tests.helpers.builders import portfolio


def read(files: dict[str, Any], query: str, table: str = "accounts", **keys: Any) -> FilesRead:
    given = {name: str(path) if isinstance(path, Path) else path for name, path in files.items()}
    source = SqlSource.model_validate({"kind": "sql", "table": table, "files": given, "query": query, **keys})
    return read_query(source, contract=STAGING[table](portfolio()), environment={"EXPORT": "/nowhere"})


def rows(found: FilesRead) -> list[dict[str, Any]]:
    return [{name: value for name, value in row.items() if not name.startswith("_")} for row in found.table.to_pylist()]
