"""The headline retention of a month: NRR and GRR over the longest span that there is, always labelled.

The rates themselves are those of `nrr_summary`; which of them is shown is decided here alone, for pages, summary and
messages.
"""

from dataclasses import dataclass
from typing import Any

import pandas as pd

from cx_intel.reports.words.catalogue import term
from cx_intel.reports.words.rounding import is_missing

LABELS = {
    "ttm_pct": term("trailing 12 months"),
    "trailing_3m_pct": term("trailing 3 months"),
    "pct": term("monthly"),
}
"""Ending of the columns: what they are the rates of."""
HEADLINES = ("ttm_pct", "trailing_3m_pct")
"""The first of these that a month has is its headline."""


@dataclass(frozen=True)
class Retention:
    """NRR and GRR of a month, 0 to 100 and above; `suffix` is the ending of the columns they are from."""

    suffix: str
    nrr: float
    grr: float

    @property
    def label(self) -> str:
        """In English, to be said."""
        return LABELS[self.suffix]


def retention(month: "pd.Series[Any]") -> Retention | None:
    """The headline of a row of `nrr_summary`: trailing 12 months, else trailing 3 months, else none."""
    for suffix in HEADLINES:
        nrr, grr = month[f"nrr_{suffix}"], month[f"grr_{suffix}"]
        if not is_missing(nrr):
            return Retention(suffix, float(nrr), float(grr))
    return None
