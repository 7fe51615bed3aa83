"""The errors of the warehouse: each one sentence on what is wrong and one on what to do."""

from pathlib import Path


class WarehouseError(RuntimeError):
    """The warehouse cannot be used as it is; the tables are as they were before."""


class WarehouseBusy(WarehouseError):
    """Another run holds the warehouse, and went on for longer than this one would wait."""


class WarehouseLocked(WarehouseError):
    """Another program has the file open in a way that keeps this one out."""


def refuse_if_in_use(file: Path, error: Exception) -> None:
    """Raises WarehouseLocked where DuckDB's error says that another program has the file open."""
    if "lock" in str(error).lower():
        raise WarehouseLocked(f"{file} is open in another program: close it there, and try again.") from error
