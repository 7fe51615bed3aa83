"""Text columns built by NumPy and Arrow rather than row by row: ids with counters, values from a pool.

Every text column of a synthetic table is pandas `string[pyarrow]` (missing = NA), which DuckDB and Arrow
read without a detour over Python strings. Names of companies and people come from `company_names`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
import pyarrow as pa
from numpy.typing import NDArray

from cx_intel.demo_data.timeline import Bools, Ints


@dataclass(frozen=True)
class Counter:
    """Numbers >= 0 padded with zeros to `width` digits; a longer number takes the digits it needs."""

    numbers: Ints
    width: int


def identifiers(*parts: str | Counter) -> pd.api.extensions.ExtensionArray:
    """One id per row from ASCII text and counters: `identifiers("ACC-", Counter(n, 4))` gives ACC-0001."""
    return _column(_joined(parts))


def picked(
    pool: Sequence[str | None], codes: NDArray[np.integer], missing: Bools | None = None
) -> pd.api.extensions.ExtensionArray:
    """`pool[code]` for each row; NA where `missing` or where the pool holds None."""
    indices = pa.array(codes.astype(np.int32), mask=missing)
    return _column(pa.array(pool, type=pa.large_string()).take(indices))


def texts(values: NDArray[np.object_]) -> pd.api.extensions.ExtensionArray:
    """A text column from an array of Python strings and None."""
    return _column(pa.array(values, type=pa.large_string()))


def blank(column: pd.api.extensions.ExtensionArray, where: Bools) -> pd.api.extensions.ExtensionArray:
    """The column with NA where `where`."""
    column[where] = pd.NA
    return column


def _column(array: pa.Array) -> pd.api.extensions.ExtensionArray:
    return pd.arrays.ArrowStringArray(pa.chunked_array([array]))


def _joined(parts: tuple[str | Counter, ...]) -> pa.Array:
    counters = [part for part in parts if isinstance(part, Counter)]
    rows = len(counters[0].numbers)
    if rows == 0:
        return pa.array([], type=pa.large_string())
    for position, part in enumerate(parts):
        if isinstance(part, Counter) and int(part.numbers.max()) >= 10**part.width:
            return _split_by_length(parts, position, part)
    return _fixed_width(parts, rows)


def _split_by_length(parts: tuple[str | Counter, ...], position: int, part: Counter) -> pa.Array:
    """Rows whose counter outgrew its width are built apart, one width wider, and put back in their places."""
    longer = part.numbers >= 10**part.width
    pieces, places = [], []
    for rows, width in ((np.flatnonzero(~longer), part.width), (np.flatnonzero(longer), part.width + 1)):
        subset = [Counter(p.numbers[rows], p.width) if isinstance(p, Counter) else p for p in parts]
        subset[position] = Counter(part.numbers[rows], width)
        pieces.append(_joined(tuple(subset)))
        places.append(rows)
    return pa.concat_arrays(pieces).take(pa.array(np.argsort(np.concatenate(places), kind="stable")))


def _fixed_width(parts: tuple[str | Counter, ...], rows: int) -> pa.Array:
    length = sum(part.width if isinstance(part, Counter) else len(part) for part in parts)
    letters = np.empty((rows, length), dtype=np.uint8)
    at = 0
    for part in parts:
        if isinstance(part, Counter):
            rest = part.numbers.astype(np.int32)
            for digit in range(part.width - 1, -1, -1):
                rest, last = np.divmod(rest, np.int32(10))
                letters[:, at + digit] = 48 + last
            at += part.width
        else:
            letters[:, at : at + len(part)] = np.frombuffer(part.encode("ascii"), dtype=np.uint8)
            at += len(part)
    offsets = np.arange(rows + 1, dtype=np.int64) * length
    return pa.LargeStringArray.from_buffers(rows, pa.py_buffer(offsets), pa.py_buffer(letters))
