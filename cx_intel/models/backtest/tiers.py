"""What followed by tier and by band of the score, and how often the score was wrong.

Three tables of rates; their bounds come from `rates.py`, what is read from `observations.py`. How well the score tells in
all is in `results.py`.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np
import pandas as pd

from cx_intel.contracts.backtest import tiers as contracts
from cx_intel.contracts.backtest.tiers import BAND_POINTS, HEALTHY_BUT, NOT_HEALTHY_BUT
from cx_intel.contracts.contract import Contract
from cx_intel.contracts.health.drivers import UNKNOWN, tier_names
from cx_intel.models.backtest.discrimination import Flags, Floats, Ints
from cx_intel.models.backtest.observations import Observations
from cx_intel.models.backtest.rates import Rate, rate
from cx_intel.settings.portfolio import Portfolio


def backtest_tiers(
    backtest_scores: pd.DataFrame, backtest_outcomes: pd.DataFrame, *, portfolio: Portfolio, as_of: date
) -> pd.DataFrame:
    """What followed of the accounts of each tier, as a rate and as a multiple of all tiers' together.

    Grain: outcome, window_days, slice, slice_value, health_tier. Reads the replayed scores and what followed. A tier
    that nobody had is no row.

    Columns: see the contract; a null lift says that nothing followed.

    Always true: interval_holds_event_rate.
    """
    rows: list[dict[str, Any]] = []
    for found in _outcomes(backtest_scores, backtest_outcomes, portfolio.rollups):
        for tier in (*tier_names(portfolio), UNKNOWN):
            of_tier = found.rate(found.tier == tier)
            if of_tier.observations:
                rows.append(
                    {
                        **found.named,
                        "health_tier": tier,
                        **_columns(of_tier, "event_rate"),
                        "lift": of_tier.share / found.share if found.share else np.nan,
                        "share_of_events_pct": _percentage(of_tier.events, int(found.happened.sum())),
                    }
                )
    return _frame(rows, as_of, contracts.backtest_tiers(portfolio))


def backtest_errors(
    backtest_scores: pd.DataFrame, backtest_outcomes: pd.DataFrame, *, portfolio: Portfolio, as_of: date
) -> pd.DataFrame:
    """How often healthy accounts left, and how often not healthy ones stayed.

    Grain: outcome, window_days, slice, slice_value, error. Reads the replayed scores and what followed; accounts whose
    tier is unknown are neither healthy nor not.

    Columns: see the contract; a null missed_pct says that the outcome followed always, or never.

    Always true: interval_holds_error_rate.
    """
    rows: list[dict[str, Any]] = []
    for found in _outcomes(backtest_scores, backtest_outcomes, portfolio.rollups):
        for error, of_group, is_error in (
            (HEALTHY_BUT, found.is_healthy, found.happened),
            (NOT_HEALTHY_BUT, found.is_not_healthy, ~found.happened),
        ):
            wrong = found.rate(of_group, is_error)
            of_outcome = int((is_error & (found.is_healthy | found.is_not_healthy)).sum())
            missed = _percentage(wrong.events, of_outcome)
            rows.append({**found.named, "error": error, **_columns(wrong, "error_rate"), "missed_pct": missed})
    return _frame(rows, as_of, contracts.backtest_errors(portfolio))


def backtest_bands(
    backtest_scores: pd.DataFrame, backtest_outcomes: pd.DataFrame, *, portfolio: Portfolio, as_of: date
) -> pd.DataFrame:
    """What followed by the score, in bands of ten points.

    Grain: outcome, window_days, band_from. Reads the replayed scores and what followed. A score counts wherever
    it is shown, of an unknown tier too; a band without any is no row.

    Columns: see the contract.

    Always true: interval_holds_event_rate.
    """
    rows: list[dict[str, Any]] = []
    for found in _outcomes(backtest_scores, backtest_outcomes, None):
        band = np.minimum(found.score // BAND_POINTS * BAND_POINTS, 100 - BAND_POINTS)
        for lowest in np.unique(band[~np.isnan(band)]):
            within = band == lowest
            rows.append(
                {
                    **found.named,
                    "band_from": lowest,
                    "mean_score": min(100.0, float(found.score[within].mean())),
                    **_columns(found.rate(within), "event_rate"),
                }
            )
    return _frame(rows, as_of, contracts.backtest_bands(portfolio))


@dataclass(frozen=True)
class _Outcome:
    """One outcome within one window, in one slice of the book."""

    named: dict[str, Any]
    tier: np.ndarray
    score: Floats
    is_healthy: Flags
    is_not_healthy: Flags
    happened: Flags
    account: Ints

    @property
    def share(self) -> float:
        return float(self.happened.mean())

    def rate(self, rows: Flags, happened: Flags | None = None) -> Rate:
        return rate((self.happened if happened is None else happened)[rows], self.account[rows])


def _outcomes(scores: pd.DataFrame, outcomes: pd.DataFrame, attributes: list[str] | None) -> Iterator[_Outcome]:
    """By each of the slices; without attributes, over all alone."""
    observed = Observations(scores)
    slices = list(observed.slices(attributes or []))[: 1 if attributes is None else None]
    for followed in observed.followed(outcomes):
        for part in slices:
            here = part.member[followed.row]
            row = followed.row[here]
            if len(row):
                yield _Outcome(
                    {
                        "outcome": followed.outcome,
                        "window_days": followed.window_days,
                        "slice": part.name,
                        "slice_value": part.value,
                    },
                    observed.tier[row],
                    observed.score[row],
                    observed.is_healthy[row],
                    observed.is_not_healthy[row],
                    followed.happened[here],
                    observed.account[row],
                )


def _columns(found: Rate, name: str) -> dict[str, Any]:
    return {
        "observations": found.observations,
        "accounts": found.accounts,
        "events": found.events,
        "event_accounts": found.event_accounts,
        f"{name}_pct": 100 * found.share,
        f"{name}_low_pct": 100 * found.low,
        f"{name}_high_pct": 100 * found.high,
    }


def _percentage(part: int, whole: int) -> float:
    return 100 * (part / whole) if whole else np.nan


def _frame(rows: list[dict[str, Any]], as_of: date, contract: Contract) -> pd.DataFrame:
    return pd.DataFrame([{"as_of": as_of, **row} for row in rows], columns=list(contract.column_names))
