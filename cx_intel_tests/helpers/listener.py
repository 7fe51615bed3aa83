"""A web server on this machine that keeps what is posted to it: stands in for a chat service in tests of deliveries."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread
from typing import Any

MOST_BYTES = 1_000_000


class Listener:
    """What was posted, and whether posts are taken.

    Attributes:
        taken: The messages, as JSON objects.
        refusing: Posts are answered with an error and not kept.
        refused: How many were.
    """

    def __init__(self, port: int):
        self.port = port
        self.taken: list[dict[str, Any]] = []
        self.refusing = False
        self.refused = 0

    def url(self, path: str = "hooks/very-secret-token") -> str:
        """The address of Apprise that leads here."""
        return f"json://127.0.0.1:{self.port}/{path}"

    @property
    def titles(self) -> list[str]:
        return [message["title"] for message in self.taken]


@contextmanager
def listening() -> Iterator[Listener]:
    """A listener for the length of a test; it stops by itself."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(min(int(self.headers.get("Content-Length", 0)), MOST_BYTES))
            if listener.refusing:
                listener.refused += 1
            else:
                listener.taken.append(json.loads(body) | {"path": self.path})
            self.send_response(503 if listener.refusing else 200)
            self.end_headers()

        def log_message(self, format: str, *args: Any) -> None:
            """Says nothing."""

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        listener = Listener(server.server_address[1])
        with running(server):
            yield listener


@contextmanager
def running(server: HTTPServer) -> Iterator[None]:
    """A server that answers in a thread of its own until the block ends."""
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield
    finally:
        server.shutdown()
        thread.join(timeout=5)
