"""One writer at a time: a second process waits, is let in when the first ends in whatever way, or gives up with a name."""

import subprocess
import sys
import threading
import time
from pathlib import Path

import dagster as dg
import pytest

from cx_intel.warehouse.errors import WarehouseBusy
from cx_intel.warehouse.processes.lock import LOCK_FILE, WriterLock, describe_holder
from cx_intel.warehouse.resource import WarehouseResource

HOLDER = """
import sys, time
from pathlib import Path
from cx_intel.warehouse.processes.lock import WriterLock

lock = WriterLock(Path(sys.argv[1]))
lock.acquire("run 1234 of novacrm_refresh", wait_seconds=0)
print("ready", flush=True)
sys.stdin.readline()
lock.release()
print("released", flush=True)
time.sleep(60)
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "home" / "warehouse.lock"


@pytest.fixture
def holder(path: Path):  # type: ignore[no-untyped-def]
    with subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        yield process
        process.kill()


def test_a_second_process_gives_up_after_its_time_and_names_the_holder(path: Path, holder: subprocess.Popen) -> None:
    with pytest.raises(WarehouseBusy) as error:
        WriterLock(path).acquire("run 5678", wait_seconds=0.3)
    text = str(error.value)
    assert f"run 1234 of novacrm_refresh (process {holder.pid}, since " in text
    assert "longer than the 0.3 seconds that this run waits (CX_LOCK_WAIT_SECONDS)" in text
    assert "Wait for that run to end, or cancel it" in text


def test_a_second_process_waits_and_says_for_whom(path: Path, holder: subprocess.Popen) -> None:
    told: list[str] = []

    def let_go(other: str) -> None:
        told.append(other)
        assert holder.stdin is not None
        holder.stdin.write("\n")
        holder.stdin.flush()

    lock = WriterLock(path)
    lock.acquire("run 5678", wait_seconds=30, on_wait=let_go)
    assert len(told) == 1
    assert told[0].startswith("run 1234 of novacrm_refresh (process ")
    assert describe_holder(path).startswith("run 5678 (process ")
    lock.release()


def test_the_kernel_frees_the_lock_of_a_killed_holder(path: Path, holder: subprocess.Popen) -> None:
    lock = WriterLock(path)
    lock.acquire("run 5678", wait_seconds=30, on_wait=lambda _: holder.kill())
    assert describe_holder(path).startswith("run 5678 (process ")
    lock.release()


def test_a_lock_given_back_is_free_and_names_nobody(path: Path) -> None:
    one, two = WriterLock(path), WriterLock(path)
    one.acquire("first", wait_seconds=0)
    one.release()
    one.release()
    assert describe_holder(path) == "another run"
    two.acquire("second", wait_seconds=0)
    two.release()


def test_two_locks_of_one_process_exclude_each_other(path: Path) -> None:
    one, two = WriterLock(path), WriterLock(path)
    one.acquire("first", wait_seconds=0)
    with pytest.raises(WarehouseBusy, match="first"):
        two.acquire("second", wait_seconds=0)
    one.release()


def test_a_torn_note_names_no_holder(path: Path) -> None:
    path.parent.mkdir()
    path.write_text('{"holder": "ru')
    assert describe_holder(path) == "another run"


def test_a_run_holds_the_lock_from_its_first_step_to_its_last(tmp_path: Path) -> None:
    database = tmp_path / "warehouse.duckdb"
    seen: list[str] = []

    @dg.op(required_resource_keys={"warehouse"})
    def look(context: dg.OpExecutionContext) -> None:
        seen.append(describe_holder(tmp_path / LOCK_FILE).split(" (")[0].split(" of ")[-1])
        with pytest.raises(WarehouseBusy):
            WriterLock(tmp_path / LOCK_FILE).acquire("another", wait_seconds=0)

    @dg.job(resource_defs={"warehouse": WarehouseResource(database=str(database), wait_seconds=0)})
    def novacrm_refresh() -> None:
        look()

    with dg.DagsterInstance.ephemeral() as instance:
        assert novacrm_refresh.execute_in_process(instance=instance).success
    assert seen == ["novacrm_refresh"]
    WriterLock(tmp_path / LOCK_FILE).acquire("another", wait_seconds=0)


@pytest.mark.slow  # refreshes in processes of their own
def test_a_run_waits_for_the_run_before_it(tmp_path: Path) -> None:
    database = tmp_path / "warehouse.duckdb"
    held = WriterLock(tmp_path / LOCK_FILE)
    held.acquire("the run before", wait_seconds=0)
    freed: list[float] = []

    def free() -> None:
        freed.append(time.monotonic())
        held.release()

    @dg.op(required_resource_keys={"warehouse"})
    def begin() -> None:
        freed.append(time.monotonic())

    @dg.job(resource_defs={"warehouse": WarehouseResource(database=str(database), wait_seconds=30)})
    def novacrm_refresh() -> None:
        begin()

    timer = threading.Timer(0.5, free)
    timer.start()
    with dg.DagsterInstance.ephemeral() as instance:
        assert novacrm_refresh.execute_in_process(instance=instance).success
    timer.join()
    assert len(freed) == 2
    assert freed[0] < freed[1]
