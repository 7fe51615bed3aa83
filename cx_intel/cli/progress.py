"""What a long command says while it works: at once what it does, and nothing stays silent for more than a few seconds.

At a terminal it is one line in place; in a pipe, such as a CI log, plain lines. What came of the work is said by the command
itself; of a refresh in `summary.py`.
"""

import os
import sys
import threading
import time
from collections.abc import Mapping
from contextlib import suppress
from io import UnsupportedOperation
from typing import TextIO

from rich.console import Console
from rich.markup import escape
from rich.text import Text

EVERY_SECONDS = 4.0
"""After how long a silence a line is printed where there is no terminal."""
LOOK_SECONDS = 0.25


class Progress:
    """Says what is going on, for as long as it is entered: `doing` and `step` say what, a thread of its own for how long.

    Args:
        console: Where it is said.
        verbose: Print a line for each table that is made.
    """

    def __init__(self, console: Console, *, verbose: bool = False) -> None:
        self._console, self._verbose = console, verbose
        self._begun = self._since = self._said = time.monotonic()
        self._what = ""
        self._layers: Mapping[str, str] = {}
        self._steps = 0
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._speak, name="progress", daemon=True)
        self._own: TextIO | None = None
        self._status = console.status(_Line(self)) if console.is_terminal else None

    def __enter__(self) -> "Progress":
        self._keep_apart()
        if self._status:
            self._status.start()
        else:
            self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        if self._status:
            self._status.stop()
        else:
            self._thread.join()
        if self._own:
            self._console.file = sys.stdout
            self._own.close()

    def _keep_apart(self) -> None:
        """Writes to the terminal or pipe itself: while a step goes on, Dagster takes what is printed into its log."""
        with suppress(UnsupportedOperation):
            self._own = os.fdopen(os.dup(sys.stdout.fileno()), "w", encoding="utf-8")
            self._console.file = self._own

    def say(self, text: str) -> None:
        """Prints a line that stays."""
        self._said = time.monotonic()
        self._console.print(escape(text), highlight=False)

    def title(self, text: str) -> None:
        """Prints a heading."""
        self._said = time.monotonic()
        self._console.rule(f"[bold]{escape(text)}[/]")

    def doing(self, what: str) -> None:
        """What is going on from now on."""
        self._what, self._since = what, time.monotonic()

    def plan(self, layers: Mapping[str, str]) -> None:
        """The steps to come: each with its layer; they are counted from here on."""
        self._layers, self._steps, self._begun = layers, 0, time.monotonic()

    def step(self, table: str, rows: int | None) -> None:
        """A step has begun, or its table is made and has so many rows."""
        if rows is None:
            self._steps += 1
            layer = self._layers.get(table, "")
            self.doing(f"{layer}: {table}" if layer else table.replace("_", " "))
        elif self._verbose:
            self.say(f"  {time.monotonic() - self._begun:6.1f} s  {table:<32} {rows:>12,} rows")

    @property
    def line(self) -> str:
        """What is going on, for how long, and how much of it is begun."""
        now = time.monotonic()
        lasting = f", for {now - self._since:.0f} s" if now - self._since >= 1 else ""
        count = f"  step {self._steps} of {len(self._layers)}" if self._steps else ""
        return f"  {now - self._begun:4.0f} s{count}  {self._what}{lasting}"

    def _speak(self) -> None:
        while not self._ended.wait(LOOK_SECONDS):
            if time.monotonic() - self._said >= EVERY_SECONDS:
                self.say(self.line)


class _Line:
    """The line as it is whenever it is drawn."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress

    def __rich__(self) -> Text:
        return Text(self._progress.line.strip(), no_wrap=True, overflow="ellipsis")
