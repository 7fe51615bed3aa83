"""How well two sets of scores of the same past days tell what followed: by settings before, and by others.

Only observations that both score are counted, so that the difference is of the settings alone. The statistics are in
`discrimination.py`, what is read in `observations.py`; how past days are scored by other settings, in
`cx_intel.orchestration.assets.backtest`.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from cx_intel.contracts.backtest.results import LEAST_EVENTS
from cx_intel.models.backtest.discrimination import Discrimination, Flags, Ints, difference, discrimination
from cx_intel.models.backtest.observations import Followed, Observations


@dataclass(frozen=True)
class Told:
    """How one side tells.

    Attributes:
        auc: With its bounds: (auc, low, high).
        below_median_pct: Of the observations with the event, those with a score below the middle of the others.
        missed_pct: Of the observations with the event, those in a healthy tier.
        alarm_pct: Of the observations without it, those in a known tier that is not healthy.
    """

    auc: tuple[float, float, float]
    below_median_pct: float
    missed_pct: float
    alarm_pct: float


@dataclass(frozen=True)
class Compared:
    """Both sides on one outcome and window.

    Attributes:
        outcome: What followed, within `window_days`.
        observations: Accounts x past days that both sides score.
        event_accounts: Distinct accounts with the event.
        missing: How many more of them a verdict takes; above 0, nothing is told of either side.
        before, after: How each tells; None where nothing is told.
        gain: How much higher the AUC is after, with its 90 % interval.
    """

    outcome: str
    window_days: int
    observations: int
    event_accounts: int
    missing: int
    before: Told | None = None
    after: Told | None = None
    gain: tuple[float, float, float] | None = None


def compared(before: pd.DataFrame, after: pd.DataFrame, outcomes: pd.DataFrame) -> Iterator[Compared]:
    """Each outcome and window by itself.

    Args:
        before: `backtest_scores` by the settings before.
        after: The same by the others.
        outcomes: `backtest_outcomes`.
    """
    keys = [side["scored_on"].astype(str).str[:10] + "|" + side["account_id"] for side in (before, after)]
    both = {*keys[0]} & {*keys[1]}
    sides = [Observations(side[key.isin(both)]) for side, key in zip((before, after), keys, strict=True)]
    for followed in sides[0].followed(outcomes):
        yield _compared(sides[0], sides[1], followed)


def _compared(before: Observations, after: Observations, followed: Followed) -> Compared:
    known = ~(np.isnan(before.score[followed.row]) | np.isnan(after.score[followed.row]))
    row, happened = followed.row[known], followed.happened[known]
    account = before.account[row].astype(np.int64)
    fewest = min(len(np.unique(account[side])) for side in (happened, ~happened))
    events = len(np.unique(account[happened]))
    plain = Compared(followed.outcome, followed.window_days, len(row), events, max(0, LEAST_EVENTS - fewest))
    was, now = (
        discrimination(side.score[row], happened, account, before.accounts) if len(row) else None
        for side in (before, after)
    )
    if plain.missing or was is None or now is None:
        return plain
    return replace(
        plain,
        before=_told(was, before, row, happened),
        after=_told(now, after, row, happened),
        gain=difference(now, was),
    )


def _told(found: Discrimination, side: Observations, row: Ints, happened: Flags) -> Told:
    """With the errors of the tiers: healthy ones of those with the event, not healthy ones of the others."""
    missed, alarms = side.is_healthy[row][happened], side.is_not_healthy[row][~happened]
    return Told(
        (found.auc, *found.interval),
        found.below_median_pct,
        100 * float(missed.mean()),
        100 * float(alarms.mean()),
    )
