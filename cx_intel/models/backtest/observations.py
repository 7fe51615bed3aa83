"""The frames of the back-test as arrays: who was scored when, by what, in which slice of the book, and what followed.

Strings become numbers once, so that thousands of results cost little. The statistics are in `discrimination.py` and
`rates.py`; how scores and outcomes come about, in the other modules of this folder.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd

from cx_intel.contracts.backtest.columns import ALL, OUTCOMES, YEAR
from cx_intel.contracts.backtest.results import HEALTH_SCORE, SIGNAL_PREFIX, TENURE_AND_ARR, USAGE
from cx_intel.contracts.health.drivers import UNKNOWN
from cx_intel.contracts.staging.values import NO_VALUE
from cx_intel.models.backtest.discrimination import Flags, Floats, Ints


@dataclass(frozen=True)
class Followed:
    """What followed within so many days: `row` numbers the scored rows for which it is known."""

    outcome: str
    window_days: int
    row: Ints
    happened: Flags


@dataclass(frozen=True)
class Slice:
    """A part of the scored rows: of all, those with a value of an attribute, or those of a year."""

    name: str
    value: str
    member: Flags


class Observations:
    """Every account on every past day that it was scored on."""

    def __init__(self, scores: pd.DataFrame) -> None:
        self.scores = scores.sort_values(["scored_on", "account_id"]).reset_index(drop=True)
        self._days, self.day = _numbered_days(self.scores["scored_on"])
        self.account, ids = pd.factorize(self.scores["account_id"])
        self._ids = pd.Index(ids)
        self.accounts = len(ids)
        self._rows = np.full(max(1, len(self._days) * self.accounts), -1, dtype=np.int64)
        self._rows[self.day * self.accounts + self.account] = np.arange(len(self.scores))

    def followed(self, outcomes: pd.DataFrame) -> Iterator[Followed]:
        """Each outcome and window by itself; rows of days or accounts that were not scored are left out."""
        row = self._row_of(outcomes)
        windows = outcomes["window_days"].to_numpy()
        for window in sorted(set(windows.tolist())):
            for outcome, column in OUTCOMES.items():
                known = (windows == window) & (row >= 0) & outcomes[column].notna().to_numpy()
                happened = outcomes[column].to_numpy()[known].astype(bool)
                yield Followed(outcome, int(window), row[known], happened)

    def predictors(self, signals: pd.DataFrame) -> dict[str, Floats]:
        """Predictor: its value on each scored row, low where it warns; NaN where it has none."""
        found = {HEALTH_SCORE: self.score, TENURE_AND_ARR: self._tenure_and_arr, USAGE: self._usage}
        names, codes = np.unique(signals["signal"].to_numpy(dtype=str), return_inverse=True)
        row, score = self._row_of(signals), signals["signal_score"].to_numpy(dtype=float, na_value=np.nan)
        for code, name in enumerate(names):
            mine = (codes == code) & (row >= 0)
            values = np.full(len(self.scores), np.nan)
            values[row[mine]] = score[mine]
            found[SIGNAL_PREFIX + name] = values
        return {name: values for name, values in found.items() if not np.isnan(values).all()}

    def slices(self, attributes: list[str]) -> Iterator[Slice]:
        """All rows, those of each value of the attributes, and those of each year."""
        yield Slice(ALL, ALL, np.ones(len(self.scores), dtype=bool))
        years = pd.Series([text[:4] for text in self._day_texts], dtype=object)
        groups: Mapping[str, pd.Series] = {a: self.scores[a].fillna(NO_VALUE) for a in attributes} | {YEAR: years}
        for name, values in groups.items():
            codes, distinct = pd.factorize(values, sort=True)
            for code, value in enumerate(distinct):
                yield Slice(name, str(value), codes == code)

    @cached_property
    def _day_texts(self) -> np.ndarray:
        return np.array(self._days, dtype="U10")[self.day]

    @cached_property
    def tier(self) -> np.ndarray:
        """The tier of each row."""
        return self.scores["health_tier"].fillna(UNKNOWN).to_numpy(dtype=str)

    @cached_property
    def is_unknown(self) -> Flags:
        """Rows of unknown tier."""
        return np.asarray(self.tier == UNKNOWN)

    @cached_property
    def known_later(self) -> Flags:
        """Rows whose segment, owner and the like are those of a first load after the day."""
        return self.scores["attributes_known_from"].astype(str).str[:10].to_numpy(dtype=str) > self._day_texts

    @cached_property
    def score(self) -> Floats:
        """The health score of each row, whatever its tier; NaN without one."""
        return self.scores["health_score"].to_numpy(dtype=float, na_value=np.nan)

    @cached_property
    def is_healthy(self) -> Flags:
        """Rows of a healthy tier."""
        return self.scores["is_healthy"].isin([True]).to_numpy()

    @cached_property
    def is_not_healthy(self) -> Flags:
        """Rows of a known tier that is not healthy."""
        return self.scores["is_healthy"].isin([False]).to_numpy()

    @property
    def _tenure_and_arr(self) -> Floats:
        """The mean of both ranks among the accounts of the day; half without one."""
        ranks = [
            self.scores[name].astype(float).groupby(self.day).rank(pct=True).fillna(0.5)
            for name in ("tenure_days", "current_arr")
        ]
        return np.round(sum(ranks).to_numpy() / 2, 9)  # type: ignore[union-attr]

    @property
    def _usage(self) -> Floats:
        return self.scores["usage_events_30d"].to_numpy(dtype=float, na_value=np.nan)

    def _row_of(self, frame: pd.DataFrame) -> Ints:
        """The scored row of each row's day and account, -1 without one."""
        days, day = _numbered_days(frame["scored_on"])
        at = pd.Index(self._days).get_indexer(pd.Index(days))[day] if len(days) else day
        codes, ids = pd.factorize(frame["account_id"])
        account = self._ids.get_indexer(pd.Index(ids))[codes] if len(ids) else codes
        known = (at >= 0) & (account >= 0)
        return np.where(known, self._rows[np.where(known, at * self.accounts + account, 0)], -1)


def _numbered_days(days: pd.Series) -> tuple[list[str], Ints]:
    """The distinct days as text in order, whatever type a driver gives them, and the number of each row's."""
    codes, distinct = pd.factorize(days)
    texts = [str(day)[:10] for day in distinct]
    order = np.argsort(np.array(texts, dtype=str))
    place = np.empty(len(texts), dtype=np.int64)
    place[order] = np.arange(len(texts))
    return sorted(texts), place[codes] if texts else codes.astype(np.int64)
