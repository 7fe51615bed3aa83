"""What all reports of a portfolio are made of: its tables at an `as_of`, as plain frames, read once for a refresh.

Pages, picture, brief, workbook and the summary at the terminal take everything from one `ReportData`; how it is read
stands in `reading.py`. Nothing is computed here that a table does not hold: the figures that reports share stand beside
this module, each in one of its own.
"""

import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from functools import cached_property, wraps
from typing import Any, TypeVar, cast

import pandas as pd

from cx_intel.contracts.catalog import tables_of
from cx_intel.models.renewals.pipeline import is_in_book
from cx_intel.reports.words.labels import Labels
from cx_intel.reports.words.language import Language
from cx_intel.settings.portfolio import Portfolio

Made = TypeVar("Made")
WEEK, MONTH, TOLERANCE = 7, 30, 3
"""Days back that changes are told against, and how much further back the newest snapshot may lie."""


@dataclass(frozen=True)
class ScoreHistory:
    """The score of each account on one day a week, the last one that has any.

    Attributes:
        days: Weeks before `as_of`: the day of that week.
        tiers: The names of tiers.
        lines: Account: the weeks in which it has a score, the oldest first; the scores (0 to 100); places in `tiers`.
    """

    days: Mapping[int, date] = field(default_factory=dict)
    tiers: tuple[str, ...] = ()
    lines: Mapping[str, tuple[list[int], list[float], list[int]]] = field(default_factory=dict)


@dataclass(frozen=True)
class ReportData:
    """What one portfolio's reports are made of.

    Attributes:
        portfolio: Its settings.
        as_of: The day that the reports are for.
        made_at: When they are made, aware.
        frames: Table: its rows at `as_of`; empty when there are none.
        listed_before: The intervention list of a week before.
        week_events: The lifecycle events since then.
        history: Snapshot table: its sums on every day up to `as_of`.
        scores: Each account's score over time.
        row_counts: Table of the warehouse: its rows.
        newest: Table: the newest day it stands at or holds.
        checks: What the checks found; None where no results are kept.
        compared: Snapshot table: its sums by account, on `as_of` and the days that it is compared with.
        ledger_parts: What each account adds to each month of the waterfall and of the trailing year
            (`cx_intel.models.revenue.waterfall`).
        cohort_parts: What each account changes in its cohort, month by month.
        ticket_parts: The tickets that the months of service levels count.
        behind: Table and rule that does not hold: the first accounts that break it, and how many do.
    """

    portfolio: Portfolio
    as_of: date
    made_at: datetime
    frames: Mapping[str, pd.DataFrame]
    listed_before: pd.DataFrame = field(default_factory=pd.DataFrame)
    week_events: pd.DataFrame = field(default_factory=pd.DataFrame)
    history: Mapping[str, pd.DataFrame] = field(default_factory=dict)
    scores: ScoreHistory = ScoreHistory()
    row_counts: Mapping[str, int] = field(default_factory=dict)
    newest: Mapping[str, date] = field(default_factory=dict)
    checks: pd.DataFrame | None = None
    compared: Mapping[str, pd.DataFrame] = field(default_factory=dict)
    ledger_parts: pd.DataFrame = field(default_factory=pd.DataFrame)
    cohort_parts: pd.DataFrame = field(default_factory=pd.DataFrame)
    ticket_parts: pd.DataFrame = field(default_factory=pd.DataFrame)
    behind: Mapping[tuple[str, str], tuple[tuple[str, ...], int]] = field(default_factory=dict)

    def __getitem__(self, table: str) -> pd.DataFrame:
        """The rows of a table, with labels in place of codes (`labels`); the codes stand in `frames`."""
        if table not in self._in_words:
            self._in_words[table] = self.labels.in_words(table, self.frames[table])
        return self._in_words[table]

    def has(self, table: str) -> bool:
        """The portfolio has the table, with or without rows."""
        return table in tables_of(self.portfolio)

    @cached_property
    def language(self) -> Language:
        return Language(self.portfolio.reports.language, self.portfolio.currency.reporting)

    @cached_property
    def labels(self) -> Labels:
        """What the values of the portfolio are called by people."""
        return Labels(self.portfolio)

    @cached_property
    def _in_words(self) -> dict[str, pd.DataFrame]:
        return {}

    @cached_property
    def shared(self) -> dict[str, Any]:
        """What several reports show, under the name of the function that made it (`made_once`)."""
        return {}

    @cached_property
    def book(self) -> pd.DataFrame:
        """The accounts of the book on the day (`is_in_book`), as their snapshot has them."""
        snapshot = self["account_snapshot"]
        return snapshot[is_true(is_in_book(snapshot, portfolio=self.portfolio))] if len(snapshot) else snapshot

    @cached_property
    def to_call(self) -> pd.DataFrame:
        """The intervention list of the day without those who are held out: what is given as work."""
        return as_work(self["cs_intervention_list"])

    @cached_property
    def held_out(self) -> pd.DataFrame:
        """Those of the intervention list of the day who are held out by lot."""
        listed = self["cs_intervention_list"]
        return listed[~listed.index.isin(self.to_call.index)]

    @cached_property
    def accounts(self) -> pd.DataFrame:
        """The accounts of the book, and any others of the health population, with their scores; the most ARR first.

        Columns: those of `account_snapshot`; of `customer_health_scores` those that it lacks, null without a score;
        is_paying: in the book.
        """
        snapshot, scores = self["account_snapshot"], self["customer_health_scores"]
        paying = set(self.book["account_id"])
        chosen = snapshot[snapshot["account_id"].isin(paying | set(scores["account_id"]))]
        more = ["account_id", *(c for c in scores.columns if c not in snapshot.columns)]
        joined = chosen.merge(scores[more], on="account_id", how="left") if len(scores) else chosen
        joined = joined.reindex(columns=[*dict.fromkeys([*chosen.columns, *more, "health_score", "health_tier"])])
        joined = joined.assign(is_paying=joined["account_id"].isin(paying))
        return joined.sort_values(["current_arr", "account_id"], ascending=[False, True], ignore_index=True)

    @cached_property
    def summary(self) -> pd.DataFrame:
        """The months of `nrr_summary` in order."""
        return self["nrr_summary"].sort_values("revenue_month", ignore_index=True)

    def compared_day(self, days: int) -> date | None:
        """The snapshot to compare with: `days` before, or the newest within 3 days before that."""
        return newest_within(self.snapshot_days, self.as_of - timedelta(days=days))

    @property
    def snapshot_days(self) -> list[date]:
        """The days that have a snapshot, up to `as_of`."""
        sums = self.history.get("account_snapshot")
        return [] if sums is None else list(sums["as_of"])


def as_work(listed: pd.DataFrame) -> pd.DataFrame:
    """The rows of an intervention list that are not held out; a list of an earlier version holds nobody out."""
    return listed[~is_true(listed["is_held_out"])] if "is_held_out" in listed.columns and len(listed) else listed


def made_once(make: Callable[[ReportData], Made]) -> Callable[[ReportData], Made]:
    """Lets a function be executed once for each `ReportData`; what it gives is not to be changed."""
    name = f"{make.__module__}.{make.__qualname__}"

    @wraps(make)
    def made(data: ReportData) -> Made:
        if name not in data.shared:
            data.shared[name] = make(data)
        return cast("Made", data.shared[name])

    return made


def newest_within(days: Iterable[date], last: date, tolerance: int = TOLERANCE) -> date | None:
    """The newest of the days up to the last one and no more than so many days before it."""
    return max((day for day in days if last - timedelta(days=tolerance) <= day <= last), default=None)


def last_month_over(as_of: date) -> date:
    """The first day of the last month that was over on a day."""
    after = as_of + timedelta(days=1)
    return (after.replace(day=1) - timedelta(days=1)).replace(day=1)


def total(amounts: Iterable[float]) -> float:
    """The sum of amounts that were decimals: as exact as they were."""
    return round(math.fsum(amounts), 6)


def is_true(flags: pd.Series) -> pd.Series:
    """Where a flag is set; a missing one is not."""
    return flags.eq(True).fillna(False).astype(bool)


def records(frame: pd.DataFrame) -> list[dict[str, Any]]:
    """The rows of a frame by the names of their columns."""
    names = [str(name) for name in frame.columns]
    columns = (values.tolist() for _, values in frame.items())
    return [dict(zip(names, row, strict=True)) for row in zip(*columns, strict=True)]
