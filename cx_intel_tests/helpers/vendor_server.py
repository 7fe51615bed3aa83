"""A web server on this machine that stands in for a vendor: loopback only, bounded, with faults by seed.

What a vendor answers stands in the stand-in of that vendor (`stripe_stand_in.py`); chat services are in `listener.py`.
"""

import json
import random
import socket
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Lock
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from cx_intel_tests.helpers.listener import running

MOST_REQUESTS = 200_000
Query = list[tuple[str, str]]


@dataclass(frozen=True)
class Asked:
    """A request as it came."""

    method: str
    path: str
    query: Query
    headers: Mapping[str, str]
    body: str = ""


@dataclass(frozen=True)
class Reply:
    """An answer: JSON, or a text as it is."""

    body: Any
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass
class Faults:
    """What goes wrong now and then, as drawn by a seed: a share (0 to 1) of the requests, never twice in a row too often.

    Attributes:
        kinds: Of 500, 429, dropped, truncated; vendors have others of their own.
        happened: How often each did.
    """

    seed: int = 0
    share: float = 0.0
    kinds: tuple[str, ...] = ("500", "429", "dropped", "truncated")
    happened: dict[str, int] = field(default_factory=dict)
    _in_a_row: int = 0

    def __post_init__(self) -> None:
        self._draw = random.Random(self.seed)

    def drawn(self) -> str:
        """The fault of the next request; empty: none."""
        if self._in_a_row >= 3 or self._draw.random() >= self.share:
            self._in_a_row = 0
            return ""
        self._in_a_row += 1
        kind = self._draw.choice(self.kinds)
        self.happened[kind] = self.happened.get(kind, 0) + 1
        return kind


class StandIn(ABC):
    """What every stand-in has: the requests that came, faults, and where it is reached.

    Attributes:
        asked: All requests.
        faults: What goes wrong.
        host: Where it is reached, while it serves.
    """

    def __init__(self) -> None:
        self.asked: list[Asked] = []
        self.faults = Faults()
        self.host = ""

    @abstractmethod
    def answer(self, asked: Asked, fault: str) -> Reply:
        """The vendor's answer; a fault that the server does not make itself is given on."""

    @abstractmethod
    def error(self, status: int, message: str, **more: Any) -> Reply:
        """An error as the vendor writes it."""


@contextmanager
def serving(stand_in: StandIn) -> Iterator[StandIn]:
    """A stand-in for the length of a test; it stops by itself."""
    lock = Lock()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        timeout = 20
        wbufsize = -1  # an answer in one piece

        def _serve(self) -> None:
            parts = urlsplit(self.path)
            size = int(self.headers.get("Content-Length") or 0)
            body = self.rfile.read(min(size, 200_000_000)).decode() if size else ""
            asked = Asked(self.command, parts.path, parse_qsl(parts.query, True), dict(self.headers.items()), body)
            with lock:
                stand_in.asked.append(asked)
                assert len(stand_in.asked) < MOST_REQUESTS, "a client that asks without end"
                fault = stand_in.faults.drawn()
                if fault == "500":
                    reply = stand_in.error(500, "Something went wrong on our side.")
                elif fault == "429":
                    reply = stand_in.error(429, "Too many requests.", retry_after=2)
                else:
                    reply = stand_in.answer(asked, fault)
            if fault == "dropped":
                self.connection.shutdown(socket.SHUT_RDWR)
                self.close_connection = True
                return
            content = reply.body if isinstance(reply.body, str) else json.dumps(reply.body)
            self._write(reply, content.encode(), fault)

        def _write(self, reply: Reply, content: bytes, fault: str) -> None:
            if fault == "truncated":  # half of it, in both ways that this happens
                content = content[: len(content) // 2]
            self.send_response(reply.status)
            for name, value in reply.headers.items():
                self.send_header(name, value)
            self.send_header("Content-Type", "application/json")
            lies = fault == "truncated" and len(content) % 2
            self.send_header("Content-Length", str(len(content) * (2 if lies else 1)))
            self.end_headers()
            self.wfile.write(content)
            if lies:
                self.close_connection = True

        do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = _serve

        def log_message(self, format: str, *args: Any) -> None:
            """Says nothing."""

    class Server(ThreadingHTTPServer):
        daemon_threads = True
        block_on_close = False

        def handle_error(self, request: Any, client_address: Any) -> None:
            """Says nothing of clients that hung up."""

    with Server(("127.0.0.1", 0), Handler) as server:
        stand_in.host = f"http://127.0.0.1:{server.server_address[1]}"
        with running(server):
            yield stand_in


def values(query: Query, name: str) -> list[str]:
    """All values of a parameter."""
    return [value for key, value in query if key == name]
