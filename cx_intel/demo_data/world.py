"""What every synthetic world offers, and what both share: planning lives ahead of the day asked for.

A plan reaches a good half year beyond that day, because an account that will leave already shows it; it is
made once and remade, with the same past, when a later day is asked for. What the plans hold is up to
`novacrm` and `fleet`.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from datetime import date
from typing import Protocol

import pandas as pd

from cx_intel.demo_data.timeline import day_number, month_number

MAX_ACCOUNTS = 1_000_000
_MONTHS_AHEAD = 7
_STEP_MONTHS = 12


class World(Protocol):
    """A company's systems as they stood at the end of any day (UTC).

    Columns carry the canonical names. Text is pandas `string[pyarrow]`, dates are midnights and times UTC,
    both datetime64[us]; counts int64, amounts float64 rounded to cents; missing is NA, NaT or NaN.
    """

    @property
    def tables(self) -> tuple[str, ...]:
        """The tables that come whole."""
        ...

    @property
    def event_tables(self) -> tuple[str, ...]:
        """The tables that come day by day."""
        ...

    def table(self, name: str, as_of: date) -> pd.DataFrame:
        """Everything known at the end of `as_of`; nothing dated later, nothing that gives the future away."""
        ...

    def day(self, name: str, day: date) -> pd.DataFrame:
        """The rows of one calendar day, in order of time; none, but all columns, before the events begin."""
        ...

    def departures(self, as_of: date) -> pd.DataFrame:
        """The truth that no table tells: who had left by `as_of`, `left_on` which day, and the `cause`."""
        ...


class WorldPlan(Protocol):
    """A world's past and near future; days are day numbers."""

    def table(self, name: str, as_of: int) -> pd.DataFrame: ...

    def day(self, name: str, day: int) -> pd.DataFrame: ...

    def departures(self, as_of: int) -> pd.DataFrame: ...


class PlannedWorld(ABC):
    """A world that plans its accounts' lives up to a month and tells only what lies behind the day asked."""

    tables: tuple[str, ...]
    event_tables: tuple[str, ...] = ("usage_events",)

    def __init__(self, *, seed: int, accounts: int, starts_on: date, events_from: date) -> None:
        if not 1 <= accounts <= MAX_ACCOUNTS:
            raise ValueError(f"accounts must be between 1 and {MAX_ACCOUNTS:,}, not {accounts:,}")
        if seed < 0:
            raise ValueError(f"seed must not be negative, not {seed}")
        self.seed = seed
        self.accounts = accounts
        self.starts_on = day_number(starts_on)
        self.events_from = day_number(events_from)
        self._first_month = month_number(starts_on)
        self._until_month = self._first_month - 1
        self._plan: WorldPlan | None = None

    def table(self, name: str, as_of: date) -> pd.DataFrame:
        if name not in self.tables:
            raise KeyError(f"no table {name!r} here; there are {', '.join(self.tables)}")
        return self._plan_for(as_of).table(name, day_number(as_of))

    def day(self, name: str, day: date) -> pd.DataFrame:
        if name not in self.event_tables:
            raise KeyError(f"no event table {name!r} here; there are {', '.join(self.event_tables)}")
        return self._plan_for(day).day(name, day_number(day))

    def departures(self, as_of: date) -> pd.DataFrame:
        return self._plan_for(as_of).departures(day_number(as_of))

    def _plan_for(self, day: date) -> WorldPlan:
        needed = max(month_number(day), self._first_month) + _MONTHS_AHEAD
        if self._plan is None or needed > self._until_month:
            steps = -(-(needed - self._first_month + 1) // _STEP_MONTHS)
            self._until_month = self._first_month + steps * _STEP_MONTHS - 1
            self._plan = self.plan(self._first_month, self._until_month)
        return self._plan

    @abstractmethod
    def plan(self, first_month: int, until_month: int) -> WorldPlan:
        """The plan for the months from `first_month` up to and including `until_month`."""
