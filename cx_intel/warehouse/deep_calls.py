"""More calls within calls than Python allows by default, for as long as a deep query is walked."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Lock

CALLS = 20_000
"""Expressions and SQL are walked step by step, as deep as a query is long; links of many ids make deep ones."""

_lock = Lock()
_before: list[int] = []
"""The limit that each of those within found, in order; threads of one process share it."""


@contextmanager
def deep_calls() -> Iterator[None]:
    """Raises the limit of calls within calls; when nobody is within any more, it is as it was."""
    with _lock:
        _before.append(sys.getrecursionlimit())
        sys.setrecursionlimit(max(_before[-1], CALLS))
    try:
        yield
    finally:
        with _lock:
            first = _before[0]
            _before.pop()
            if not _before:
                sys.setrecursionlimit(first)
