"""Files written for a test, and the rows that the files source reads of them."""

import gzip
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from cx_intel.contracts.staging.tables import STAGING
from cx_intel.settings.sources.files import FilesSource
from cx_intel.warehouse.duckdb.files.reading import FilesRead, read_files
from cx_intel_tests.helpers.builders import portfolio


def read(path: Path | str, *, table: str = "accounts", environment: Mapping[str, str] | None = None, **keys: Any):
    source = FilesSource.model_validate({"kind": "files", "table": table, "path": str(path), **keys})
    return read_files(source, contract=STAGING[table](portfolio()), environment=environment or {})


def write(path: Path, content: str | bytes) -> Path:
    data = content.encode() if isinstance(content, str) else content
    path.write_bytes(gzip.compress(data) if path.suffix == ".gz" else data)
    return path


def rows(result: FilesRead, *columns: str) -> list[tuple[Any, ...]]:
    taken = result.table.select(list(columns or ("account_id", "account_name"))).to_pylist()
    return [tuple(row.values()) for row in taken]
