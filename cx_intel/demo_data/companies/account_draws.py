"""Draws that both worlds make for their accounts: a category by its share, and who belongs to whom.

The shares, and who counts as large, are the worlds' own: see `novacrm_accounts` and `fleet_accounts`.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from cx_intel.demo_data.timeline import Bools, Floats, Ints

_HAS_PARENT = 0.2


def choice(uniform: Floats, shares: Sequence[float]) -> Ints:
    """The category of each uniform number; `shares` sum to 1."""
    return np.searchsorted(np.cumsum(shares)[:-1], uniform, side="right")


def parents(draws: Floats, is_large: Bools) -> Ints:
    """The parent of each account, always an earlier large one, or -1; a subsidiary has no subsidiaries.

    `draws` holds two uniform numbers per account. About one account in thirty has a parent where one in six
    is large.
    """
    numbers = np.arange(len(is_large))
    candidate = np.minimum((draws[:, 1] * numbers).astype(np.int64), np.maximum(numbers - 1, 0))
    may_have = draws[:, 0] < _HAS_PARENT
    has = may_have & (candidate < numbers) & is_large[candidate] & ~(may_have & is_large)[candidate]
    return np.where(has, candidate, -1)
