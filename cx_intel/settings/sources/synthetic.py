"""A source that makes a company up: for trying the program, and for its tests. The worlds: `cx_intel.demo_data`."""

from datetime import date
from typing import Literal

from pydantic import Field

from cx_intel.settings.sources.base import CanonicalTable, SourceBase


class SyntheticSource(SourceBase):
    """A made-up company: a deterministic function of seed and calendar day."""

    kind: Literal["synthetic"]
    world: Literal["novacrm", "fleet", "planted"]
    """Which company is made up; `planted` is one whose causes of churn are known, for the back-test to find."""
    seed: int = Field(default=1, ge=0)
    """Another seed is another company."""
    accounts: int = Field(default=150, ge=1, le=1_000_000)
    """Its size: about how many customers it has at a time."""
    starts_on: date = date(2023, 1, 1)
    """Its first day."""
    events_from: date = date(2023, 1, 1)
    """First day with usage events; later than `starts_on` keeps the first load quick."""
    exclude: list[CanonicalTable] = []
    """Tables of the world that this portfolio leaves out."""
