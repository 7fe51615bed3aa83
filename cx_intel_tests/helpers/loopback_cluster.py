"""A Spark cluster of a master and two workers, as processes of their own on 127.0.0.1: they end with the block, or by themselves.

Sessions on it, and what its tests need besides, are in `on_spark.py`.
"""

import os
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

BOUND_SECONDS = 1500
"""After which a process of the cluster ends by itself, whatever became of the tests."""
START_SECONDS = 240
POLL_SECONDS = 0.1


@dataclass
class LoopbackCluster:
    """A running cluster.

    Attributes:
        master: Its address, for a portfolio's YAML.
        workers: The processes of its workers, each the head of its own group, to which its executors belong.
    """

    master: str
    workers: list[subprocess.Popen[bytes]] = field(default_factory=list)

    def kill_worker(self) -> None:
        """Kills a worker and its executors at once."""
        kill(self.workers.pop(0))


@contextmanager
def loopback_cluster(folder: Path) -> Iterator[LoopbackCluster]:
    """The cluster, for as long as the block lasts.

    Args:
        folder: For the logs, and for what the workers put aside.
    """
    port = free_port()
    address = f"spark://127.0.0.1:{port}"
    with ExitStack() as stack:
        log = _start(stack, folder, "Master", "--port", str(port), "--webui-port", str(free_port()))[1]
        _wait(log, f"Starting Spark master at {address}")
        cluster = LoopbackCluster(address)
        for n in range(2):
            ports = ("--port", str(free_port()), "--webui-port", str(free_port()))
            work = ("-c", "1", "-m", "1g", "-d", str(folder / f"work{n}"))
            process, log = _start(stack, folder, "Worker", *ports, *work, address, number=n)
            cluster.workers.append(process)
            _wait(log, "Successfully registered with master")
        yield cluster


@contextmanager
def killing_in_mid_stage(cluster: LoopbackCluster) -> Iterator[list[str]]:
    """Kills a worker as soon as a stage of the block's session has a task at work; what was at work then."""
    from pyspark import SparkContext

    seen: list[str] = []
    ended = threading.Event()

    def watch() -> None:
        while not ended.wait(POLL_SECONDS):
            context: Any = SparkContext._active_spark_context
            tracker = context.statusTracker() if context else None
            for stage in tracker.getActiveStageIds() if tracker else ():
                told = tracker.getStageInfo(stage)
                if told and told.numActiveTasks:
                    cluster.kill_worker()
                    seen.append(told.name)
                    return

    watching = threading.Thread(target=watch)
    watching.start()
    try:
        yield seen
    finally:
        ended.set()
        watching.join()


def _start(
    stack: ExitStack, folder: Path, kind: str, *words: str, number: int = 0
) -> tuple[subprocess.Popen[bytes], Path]:
    """A process of the cluster, which the stack kills, and its log."""
    import pyspark

    home, log = Path(pyspark.__file__).parent, folder / f"{kind}{number}.log"
    folder.mkdir(parents=True, exist_ok=True)
    own = {"SPARK_HOME": str(home), "SPARK_LOCAL_IP": "127.0.0.1", "SPARK_DAEMON_MEMORY": "256m"}
    program = f"org.apache.spark.deploy.{kind.lower()}.{kind}"
    command = ["timeout", str(BOUND_SECONDS), str(home / "bin/spark-class"), program, "--host", "127.0.0.1", *words]
    with log.open("wb") as output:
        process = subprocess.Popen(
            command, env=os.environ | own, stdout=output, stderr=output, start_new_session=True, cwd=folder
        )
    stack.callback(kill, process)
    return process, log


def _wait(log: Path, for_text: str) -> None:
    until = time.monotonic() + START_SECONDS
    while for_text not in (said := log.read_text(errors="replace")):
        if time.monotonic() > until:
            raise TimeoutError(f"{log.stem} did not say {for_text!r} in {START_SECONDS} s: {said[-2000:]}")
        time.sleep(POLL_SECONDS)


def kill(process: subprocess.Popen[bytes]) -> None:
    """Kills a process and all that it has started; it may have ended."""
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def free_port() -> int:
    """A port that nobody listens at now."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])
