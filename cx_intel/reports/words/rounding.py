"""How a figure is rounded for people: half up, from its decimal value, once and everywhere alike.

What the figure means does not belong here, nor how it is written: that is `language.py`. Models round money themselves
(`cx_intel.models.expressions.money`), by the same rule.
"""

import math
from datetime import date
from decimal import ROUND_HALF_UP, Decimal
from functools import lru_cache
from typing import Any

import numpy as np
import pandas as pd

NEVER_MISSING = frozenset((int, bool, date))
NEAR_HALF = 1e-9
"""So near to a half a binary number counts as the half that it stands for."""


def is_missing(value: Any) -> bool:
    """None, NaN and NaT: nothing to show."""
    if value is None or isinstance(value, str):
        return value is None
    if type(value) in NEVER_MISSING:
        return False
    return math.isnan(value) if isinstance(value, float) else bool(pd.isna(value))


@lru_cache(maxsize=1 << 16)
def rounded(value: Any, digits: int = 0) -> Decimal:
    """The number with so many decimals, half up away from zero: 0.125 is 0.13, and 2.675 is 2.68.

    A binary number counts as the shortest decimal that stands for it, which is what a reader takes it for. Zero has no
    sign.
    """
    exact = value if isinstance(value, Decimal) else Decimal(repr(float(value)))
    return exact.quantize(Decimal(1).scaleb(-digits), ROUND_HALF_UP) + 0


def rounded_all(values: pd.Series, digits: int | pd.Series = 0) -> pd.Series:
    """The same for a column of floats; missing values stay so. Each may have its own number of decimals."""
    amounts = values.astype(float)
    scale = 10.0**digits
    found = np.sign(amounts) * np.floor(amounts.abs() * scale + 0.5 + NEAR_HALF) / scale
    return pd.Series(found + 0.0, values.index)
