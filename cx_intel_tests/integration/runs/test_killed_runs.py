"""Killed runs: marked as failed by whoever looks next and told once, while runs that wait or write are left alone."""

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import dagster as dg
import pytest
from dagster import DagsterRunStatus as Status

from cx_intel.orchestration.alerts.dispatcher import Dispatcher
from cx_intel.orchestration.alerts.messages import PROBLEMS
from cx_intel.orchestration.build import load_portfolios
from cx_intel.orchestration.sensors.killed_runs import (
    COUNTED,
    SILENT_SECONDS,
    cause_of_death,
    fail_killed,
    killed_runs_sensor,
)
from cx_intel.warehouse.processes.lock import WriterLock
from cx_intel.warehouse.processes.machine import HERE, Moment, booted_at, has_gone, moment, saw_here
from cx_intel.warehouse.processes.running import FOLDER, RunMark, forget, state_of
from cx_intel_tests.helpers.builders import portfolio
from cx_intel_tests.helpers.listener import listening
from cx_intel_tests.helpers.processes import Hardship, refreshing
from cx_intel_tests.helpers.small_company import AS_OF, SmallCompany

PATIENCE_SECONDS = 90


@pytest.fixture
def company(tmp_path: Path) -> SmallCompany:
    made = SmallCompany(tmp_path)
    made.only("accounts", "subscriptions")
    made.settings |= {"reports": {"exports": []}, "automation": {"daily_refresh": {"enabled": False}}}
    made.write()
    return made


def ends(instance: dg.DagsterInstance) -> list[Status]:
    """How the runs stand, the oldest first."""
    return [run.status for run in reversed(instance.get_runs())]


@pytest.mark.slow  # refreshes in processes of their own
def test_a_killed_refresh_is_failed_by_the_next_one_and_told_once(company: SmallCompany) -> None:
    with refreshing(company, AS_OF) as process:
        assert process.step()
        process.kill()
    with dg.DagsterInstance.from_config(str(company.home)) as instance:
        assert ends(instance) == [Status.STARTED], "nobody has noticed"
    with listening() as listener:
        company.variables["CX_ALERT_URLS"] = listener.url()
        dispatcher = Dispatcher(load_portfolios(company.portfolios)["small"], company.environment)
        with company.instance() as instance:
            assert ends(instance) == [Status.FAILURE]
            for _ in range(2):
                dispatcher.look(instance, PROBLEMS)
        assert listener.titles == ["[small] small_refresh for 2025-01-31 failed"]
        assert "of this run was killed (SIGKILL" in listener.taken[0]["message"]
        assert company.refresh(AS_OF).succeeded
        with company.instance() as instance:
            assert ends(instance) == [Status.FAILURE, Status.SUCCESS]
            assert instance.get_runs_count(dg.RunsFilter(statuses=COUNTED)) == 0, "the queue is free"
            dispatcher.look(instance, PROBLEMS)
        assert listener.titles[1:] == ["[small] Resolved: small_refresh for 2025-01-31 failed"]
    assert list((company.home / FOLDER).glob("[!.]*")) == []


@pytest.mark.slow  # refreshes in processes of their own
def test_a_run_that_waits_or_writes_is_left_alone_until_it_is_killed(company: SmallCompany) -> None:
    patient = Hardship(lock_wait_seconds=PATIENCE_SECONDS)
    with company.instance() as instance, refreshing(company, AS_OF, patient) as writing:
        assert writing.step()
        with refreshing(company, AS_OF, patient) as waiting:
            _until(lambda: ends(instance) == [Status.STARTED] * 2)
            _until(lambda: len(list((company.home / FOLDER).glob("[!.]*"))) == 2)
            assert fail_killed(instance, company.home, now=time.time() + 7200) == []
            waiting.kill()
            (killed,) = fail_killed(instance, company.home)
            assert ends(instance) == [Status.STARTED, Status.FAILURE]
            assert instance.get_runs()[0].run_id == killed
        outcome = writing.outcome()
        assert outcome is not None
        assert outcome.succeeded
        assert ends(instance) == [Status.SUCCESS, Status.FAILURE]


def test_a_run_that_was_being_canceled_is_canceled(tmp_path: Path) -> None:
    with dg.DagsterInstance.ephemeral() as instance:
        run = _started(instance)
        instance.report_run_canceling(run)
        _killed_mark(tmp_path / FOLDER, run.run_id)
        assert fail_killed(instance, tmp_path) == [run.run_id]
        assert ends(instance) == [Status.CANCELED]


def test_a_run_that_dagster_has_marked_is_not_marked_again(tmp_path: Path) -> None:
    with dg.DagsterInstance.ephemeral() as instance:
        run = _started(instance)
        instance.report_run_failed(run, "the code server noticed")
        _killed_mark(tmp_path / FOLDER, run.run_id)
        assert fail_killed(instance, tmp_path) == []
        assert state_of(tmp_path / FOLDER, run.run_id) == "unknown"


def test_a_run_of_ours_without_a_file_is_over_when_it_was_silent_for_five_minutes(tmp_path: Path) -> None:
    with dg.DagsterInstance.ephemeral() as instance:
        ours, other = _started(instance), _started(instance, tags={})
        assert fail_killed(instance, tmp_path, now=time.time() + 250) == []
        assert fail_killed(instance, tmp_path, now=time.time() + 310) == [ours.run_id]
        assert instance.get_run_by_id(other.run_id).status == Status.STARTED  # type: ignore[union-attr]


def test_a_run_whose_process_has_gone_from_this_machine_is_over_at_once(tmp_path: Path) -> None:
    """Launched, and killed before it had a file: Dagster alone has said something of its process."""
    saw_here(tmp_path / FOLDER)
    with dg.DagsterInstance.ephemeral() as instance, subprocess.Popen(["sleep", "60"]) as process:
        run, alive = (_started(instance) for _ in range(2))
        instance.report_engine_event(f"Started process for run (pid: {process.pid}).", run)
        instance.report_engine_event(f"Started process for run (pid: {os.getpid()}).", alive)
        assert fail_killed(instance, tmp_path) == []
        process.kill()
        assert fail_killed(instance, tmp_path) == [run.run_id], "a zombie is over too"
        (tmp_path / FOLDER / f"{HERE}{moment().boot}-1").touch()  # a container beside this one
        process.wait()
        other = _started(instance)
        instance.report_engine_event(f"Started process for run (pid: {process.pid}).", other)
        assert fail_killed(instance, tmp_path) == [], "its number means nothing here"


def test_a_number_that_another_process_has_since_is_that_of_a_process_that_has_gone() -> None:
    assert not has_gone(os.getpid(), time.time())
    assert has_gone(os.getpid(), booted_at() + 1)


def test_what_ended_a_process_is_told_as_far_as_it_shows() -> None:
    then = Moment(77, "boot-1", 2)
    assert "OOM killer has ended 1 process on this machine" in cause_of_death(then, Moment(1, "boot-1", 3))
    assert "(SIGKILL: `kill -9`" in cause_of_death(then, Moment(1, "boot-1", 2))
    assert "The machine went down while process 77" in cause_of_death(then, Moment(1, "boot-2", 0))
    assert "ended before it had begun" in cause_of_death(None, then)


def test_the_sensor_says_what_it_marked(tmp_path: Path) -> None:
    sensor = killed_runs_sensor(portfolio(), tmp_path)
    with dg.DagsterInstance.ephemeral() as instance:
        run = _started(instance)
        _killed_mark(tmp_path / FOLDER, run.run_id)
        said = [sensor(dg.build_sensor_context(instance=instance)).skip_message for _ in range(2)]
        assert said == [f"Marked as failed: {run.run_id[:8]}.", "Every run that has begun is alive."]
        (failure,) = instance.all_logs(run.run_id, of_type=dg.DagsterEventType.RUN_FAILURE)
        assert failure.dagster_event is not None
        assert "ended before it had begun" in str(failure.dagster_event.message)


def test_a_mark_tells_of_its_run_and_no_other(tmp_path: Path) -> None:
    first, second = RunMark(tmp_path, "run-1"), RunMark(tmp_path, "run-1")
    assert state_of(tmp_path, "run-1") == "unknown"
    first.hold()
    assert state_of(tmp_path, "run-1") == "alive"
    second.hold()  # a second process of the same run
    first.release()
    assert state_of(tmp_path, "run-1") == "alive"
    second.release()
    second.release()
    assert state_of(tmp_path, "run-1") == "unknown"
    (tmp_path / "run-1").touch()
    assert state_of(tmp_path, "run-1") == "killed"
    forget(tmp_path, "run-1")
    assert state_of(tmp_path, "run-1") == "unknown"


@pytest.mark.slow
def test_after_a_power_cut_the_daemon_goes_on_with_its_queue(company: SmallCompany) -> None:
    """Everything is killed at once: daemon, code server, run. A daemon started anew makes the run that is queued."""
    guard = WriterLock(company.home / "warehouse.lock")
    company.variables["CX_LOCK_WAIT_SECONDS"] = str(PATIENCE_SECONDS)
    with company.instance() as instance:
        guard.acquire("a test", wait_seconds=0)
        with daemon(company) as first:
            _launch(company)
            _until(lambda: ends(instance) == [Status.STARTED])
            _until(lambda: _worker(instance) > 0)
            _until(lambda: any((company.home / FOLDER).glob("[!.]*")))  # it holds its mark, and waits for the lock
            worker = _worker(instance)
            os.killpg(first.pid, signal.SIGKILL)
            _until(lambda: not Path(f"/proc/{worker}").exists())
        guard.release()
        _launch(company)
        assert ends(instance) == [Status.STARTED, Status.QUEUED]
        with daemon(company):
            _until(lambda: ends(instance) == [Status.FAILURE, Status.SUCCESS])


@pytest.mark.slow  # a daemon, and its processes
def test_a_run_killed_between_launch_and_start_frees_the_queue_when_the_daemon_starts(company: SmallCompany) -> None:
    with company.instance() as instance:
        with daemon(company) as first:
            _launch(company)
            _until(lambda: ends(instance) == [Status.STARTING])
            os.killpg(first.pid, signal.SIGKILL)
        _launch(company)
        assert not list((company.home / FOLDER).glob("[!.]*"))
        begun = time.monotonic()
        with daemon(company):
            _until(lambda: ends(instance) == [Status.FAILURE, Status.SUCCESS])
        assert time.monotonic() - begun < SILENT_SECONDS / 2


@contextmanager
def daemon(company: SmallCompany) -> Iterator[subprocess.Popen[bytes]]:
    """The daemon as deploy/systemd starts it, in a process group of its own."""
    command = [str(Path(sys.executable).with_name("dagster-daemon")), "run", "-m", "cx_intel.definitions"]
    with (
        (company.folder / "daemon.log").open("ab") as log,
        subprocess.Popen(command, env=_variables(company), stdout=log, stderr=log, start_new_session=True) as process,
    ):
        try:
            yield process
        finally:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)


def _variables(company: SmallCompany) -> dict[str, str]:
    return {**os.environ, **company.variables, "DAGSTER_HOME": str(company.home)}


def _launch(company: SmallCompany) -> None:
    """Queues a refresh, as a schedule does."""
    tags = f'{{"dagster/partition": "{AS_OF}"}}'
    command = [sys.executable, "-m", "dagster", "job", "launch", "-m", "cx_intel.definitions", "-j", "small_refresh"]
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}  # a pipe would wait for servers that it leaves
    subprocess.run([*command, "--tags", tags], env=_variables(company), check=True, timeout=PATIENCE_SECONDS, **quiet)


def _worker(instance: dg.DagsterInstance) -> int:
    """The process of the newest run; 0 when it has not told."""
    told = " ".join(entry.message for entry in instance.all_logs(instance.get_runs()[0].run_id))
    found = re.search(r"pid: (\d+)", told)
    return int(found[1]) if found else 0


def _until(happened: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not happened():
        assert time.monotonic() < deadline, "it did not happen"
        time.sleep(0.1)


def _started(instance: dg.DagsterInstance, tags: dict[str, str] | None = None) -> dg.DagsterRun:
    """A run whose process has gone without a word."""

    @dg.job
    def small_refresh() -> None: ...

    run = instance.create_run_for_job(small_refresh, tags={"portfolio": "small"} if tags is None else tags)
    instance.report_dagster_event(
        dg.DagsterEvent(dg.DagsterEventType.RUN_START.value, small_refresh.name, message="begun"), run.run_id
    )
    return instance.get_run_by_id(run.run_id)  # type: ignore[return-value]


def _killed_mark(folder: Path, run_id: str) -> None:
    folder.mkdir(exist_ok=True)
    (folder / run_id).touch()
