"""The process that serves reports and exports: its address, its end, and the one that the UI has beside it.

What it answers is in `app.py`; the command that starts it, in `cx_intel.cli.commands.serving`.
"""

import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from urllib.parse import urlsplit

import uvicorn

from cx_intel.reports.serving.app import LOOPBACK, application
from cx_intel.settings.environment import Environment

PORT = 3030
PARENT_LOOK_SECONDS = 1.0


def default_port(environment: Environment) -> int:
    """The port of CX_REPORTS_URL where that is on loopback, else 3030: what a proxy is in front of."""
    url = urlsplit(environment.reports_url)
    return (url.port if url.hostname in LOOPBACK else None) or PORT


def listening(host: str, port: int) -> socket.socket:
    """A socket that has the address; raises OSError where another program has it."""
    found = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    try:
        found.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        found.bind((host, port))
        found.listen(128)
    except OSError:
        found.close()
        raise
    return found


class _Server(uvicorn.Server):
    """Says when it serves: from then on an interrupt is an end in good order."""

    def __init__(self, config: uvicorn.Config, on_start: Callable[[], None]) -> None:
        super().__init__(config)
        self.on_start = on_start

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.on_start()


def serve(
    environment: Environment, taken: socket.socket, on_start: Callable[[], None], *, parent: int | None = None
) -> None:
    """Serves until it is stopped, or until the process that started it has ended.

    Args:
        environment: Whose home, and where its reports are opened.
        taken: The socket to listen on.
        on_start: Called when it serves.
        parent: The process with which this one ends.

    Raises:
        KeyboardInterrupt: Somebody stopped it.
    """
    if parent is not None:
        threading.Thread(target=_end_with, args=(parent,), daemon=True).start()
    config = uvicorn.Config(
        application(environment.home, environment.reports_url),
        log_level="warning",
        access_log=False,
        lifespan="off",
        server_header=False,
        proxy_headers=False,
        timeout_graceful_shutdown=5,
    )
    _Server(config, on_start).run(sockets=[taken])


def start_beside(variables: Mapping[str, str]) -> "subprocess.Popen[bytes]":
    """Starts a server of the reports that ends with this process, also where this process becomes another program."""
    command = [sys.executable, "-m", "cx_intel", "reports", "--ends-with", str(os.getpid())]
    return subprocess.Popen(command, env=dict(variables), stdin=subprocess.DEVNULL)


def _end_with(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(PARENT_LOOK_SECONDS)
    with suppress(OSError):
        os.kill(os.getpid(), signal.SIGTERM)
