"""Rows that come into being month by month, such as invoices and tickets, and are numbered as they do.

A block of a month is made once and kept; it depends on its month alone, so a row's number is the same for
whoever asks later. What a block holds is the business of the module that makes it, such as `tickets`.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from cx_intel.demo_data.timeline import day_of, month_number

Block = dict[str, NDArray]
"""Columns of equal length; `day` is the day on which a row is first known, ascending within the month."""


class MonthlyLog:
    """The blocks from `first_month` on, made by `make(month)`."""

    def __init__(self, first_month: int, make: Callable[[int], Block]) -> None:
        self._first_month = first_month
        self._make = make
        self._blocks: list[Block] = []

    def known_on(self, day: int) -> Block:
        """The rows first known on or before `day`, in order, with `number` counting from 1."""
        count = max(0, month_number(day_of(day)) - self._first_month + 1)
        while len(self._blocks) < max(count, 1):
            self._blocks.append(self._make(self._first_month + len(self._blocks)))
        blocks = self._blocks[: max(count, 1)]
        rows = {name: np.concatenate([block[name] for block in blocks]) for name in blocks[0]}
        known = int(np.searchsorted(rows["day"], day, side="right")) if count else 0
        return {"number": np.arange(1, known + 1), **{name: values[:known] for name, values in rows.items()}}


def in_order(block: Block, *keys: str) -> Block:
    """The block sorted by `day`, then by `keys`."""
    order = np.lexsort([block[key] for key in (*reversed(keys), "day")])
    return {name: values[order] for name, values in block.items()}
