"""Opens the tables of a portfolio for writing while no run writes: for commands that write a little themselves.

Runs open the warehouse as a resource of Dagster's (`cx_intel.warehouse.resource`). What can be read meanwhile is decided in
`readable.py`.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from cx_intel.warehouse.duckdb.access.opening import writing
from cx_intel.warehouse.duckdb.warehouse import DuckDBWarehouse
from cx_intel.warehouse.processes.lock import LOCK_FILE, WriterLock
from cx_intel.warehouse.protocol import Warehouse


@contextmanager
def writable(
    file: Path,
    portfolio: str,
    *,
    holder: str,
    wait_seconds: float,
    on_wait: Callable[[str], None] = lambda _: None,
) -> Iterator[Warehouse]:
    """The tables of a portfolio; a run, and other commands that write, are waited for and wait.

    Args:
        file: The warehouse.
        portfolio: Whose tables.
        holder: Who asks, in words for those who wait.
        wait_seconds: How long a run is waited for.
        on_wait: Called once, with who writes, when there is one.

    Raises:
        WarehouseError: A run goes on for longer, or the file cannot be written.
    """
    lock = WriterLock(file.with_name(LOCK_FILE))
    lock.acquire(holder, wait_seconds=wait_seconds, on_wait=on_wait)
    try:
        with writing(file) as database:
            yield DuckDBWarehouse(database, portfolio)
    finally:
        lock.release()
