"""A deployment as docs/deploy.md sets one up, in a folder: files of `deploy/` at other paths and ports, services by hand.

Where systemd would start a unit, its very `ExecStart` is started with its environment; what systemd shuts in is judged
elsewhere (`test_units.py`).
"""

import os
import pwd
import re
import shlex
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

ROOT = Path(__file__).parents[2]
DEPLOY = ROOT / "deploy"
PATIENCE_SECONDS = 240
PORTS = {"web": "3000", "reports": "3030", "https": "443", "http": "80"}
"""What listens where, in the files of `deploy/`."""


def free_ports(count: int) -> list[int]:
    held = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    found = [one.getsockname()[1] for one in held]
    for one in held:
        one.close()
    return found


class Deployment:
    """The files and processes of one deployment.

    Attributes:
        folder: Everything lies in it.
        ports: Service: its port.
    """

    def __init__(self, folder: Path):
        self.folder = folder
        self.ports = dict(zip(PORTS, map(str, free_ports(len(PORTS))), strict=True))
        self.started: dict[str, subprocess.Popen[bytes]] = {}
        for name in ("home", "etc", "run", "log"):
            (folder / name).mkdir()
        shutil.copytree(DEPLOY, folder / "deploy")

    def placed(self, text: str) -> str:
        """A text of `deploy/` with the paths and ports of this deployment."""
        places = {
            "/opt/cx-intel/.venv/bin": Path(sys.executable).parent,
            "/opt/cx-intel/deploy": self.folder / "deploy",
            "/opt/cx-intel": ROOT,
            "/var/lib/cx-intel": self.folder / "home",
            "/run/cx-intel": self.folder / "run",
            "/etc/": f"{self.folder / 'etc'}/",
            **{f"127.0.0.1:{PORTS[name]}": f"127.0.0.1:{port}" for name, port in self.ports.items()},
            **{f"-p {PORTS[name]}": f"-p {port}" for name, port in self.ports.items()},
            **{f"listen {PORTS[name]}": f"listen 127.0.0.1:{port}" for name, port in self.ports.items()},
        }
        pattern = re.compile("|".join(rf"{re.escape(key)}(?!\d)" for key in sorted(places, key=len, reverse=True)))
        return pattern.sub(lambda found: str(places[found[0]]), text)

    def place(self, file: str, target: str | None = None) -> Path:
        """Puts a file of `deploy/` in its place."""
        placed = self.folder / (target or f"deploy/{file}")
        placed.parent.mkdir(parents=True, exist_ok=True)
        placed.write_text(self.placed((DEPLOY / file).read_text()))
        return placed

    def environment(self) -> dict[str, str]:
        """The environment of every unit: the file of the deployment, and what the units add."""
        own = {k: v for k, v in os.environ.items() if not k.startswith(("CX_", "DAGSTER_"))}
        lines = (self.folder / "etc/cx-intel/environment").read_text().splitlines()
        stated = dict(line.split("=", 1) for line in lines if line and not line.startswith("#"))
        common = self.placed((DEPLOY / "systemd/cx-intel-.service.d/common.conf").read_text())
        added = dict(part.split("=", 1) for part in _value(common, "Environment").split())
        return own | stated | added

    def run(self, *words: str) -> subprocess.CompletedProcess[str]:
        """A command of `cx-intel` by the script of `deploy/`, whose user is the one that runs the tests."""
        script = self.place("cx-intel", "bin/cx-intel")
        user = pwd.getpwuid(os.getuid()).pw_name
        script.write_text(script.read_text().replace('" = cx-intel ]', f'" = {user} ]'))
        own = {k: v for k, v in os.environ.items() if not k.startswith(("CX_", "DAGSTER_"))}
        command = ["sh", str(script), *words]
        return subprocess.run(
            command, check=False, capture_output=True, text=True, env=own, cwd=self.folder, timeout=PATIENCE_SECONDS
        )

    def unit(self, name: str) -> list[str]:
        """The command of a unit."""
        text = self.placed((DEPLOY / "systemd" / f"cx-intel-{name}.service").read_text())
        return shlex.split(_value(text, "ExecStart"))

    def start(self, name: str) -> None:
        """Starts a unit, as systemd would."""
        with (self.folder / "log" / name).open("wb") as log:
            self.started[name] = subprocess.Popen(
                self.unit(name),
                env=self.environment(),
                cwd=ROOT,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def log(self, name: str) -> str:
        return (self.folder / "log" / name).read_text(errors="replace")

    def stop(self) -> None:
        """Stops all that was started."""
        for process in self.started.values():
            process.terminate()
        for process in self.started.values():
            with suppress(subprocess.TimeoutExpired):
                process.wait(5)
            with suppress(ProcessLookupError):  # as systemd does with what is left of a unit
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def _value(text: str, key: str) -> str:
    (found,) = re.findall(rf"^{key}=(.*)$", text, re.MULTILINE)
    return str(found)


@contextmanager
def deployment(folder: Path) -> Iterator[Deployment]:
    """A deployment whose processes end with the block."""
    made = Deployment(folder)
    try:
        yield made
    finally:
        made.stop()


def wait_until(is_so: Callable[[], object], what: str, seconds: float = PATIENCE_SECONDS) -> None:
    """Returns once it is so; raises TimeoutError after a while."""
    until = time.monotonic() + seconds
    while not is_so():
        if time.monotonic() > until:
            raise TimeoutError(f"not within {seconds} seconds: {what}")
        time.sleep(0.5)
