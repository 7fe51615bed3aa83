"""Whether calls made the difference: `playbook_effects`, by lot and beside similar accounts, with intervals.

In pandas and NumPy, like the outlook: pairs of similar accounts and resampled ARR need what no engine offers portably, and what
it reads is small. What came of each entry is decided in `outcomes.py`, who is held out in `hold_out.py`; definitions:
Did acting help in `docs/actions.md`.
"""

from collections.abc import Iterator
from datetime import date
from math import sqrt
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from cx_intel.contracts.renewals import effects as contracts
from cx_intel.contracts.renewals.effects import (
    ALL_PLAYBOOKS,
    ASSIGNED,
    DONE_OR_NOT,
    HARMED,
    HELPED,
    INTERVAL_PCT,
    NOT_SHOWN,
    SIMILAR,
    WITHHELD,
)
from cx_intel.contracts.renewals.hold_out import LEAST_DECIDED
from cx_intel.contracts.renewals.interventions import LOST
from cx_intel.contracts.staging.values import DONE, OPEN
from cx_intel.models.backtest.rates import wilson
from cx_intel.models.renewals.pipeline import renewal_settings
from cx_intel.settings.portfolio import Portfolio

DRAWS = 1000
CELLS_AT_ONCE = 4_000_000
MOST_POINTS, MOST_TIMES, MOST_DAYS = 10, 2, 30
"""How far apart similar accounts may lie: points of the health score, times the ARR, days to the renewal."""


class Sides(NamedTuple):
    """The decided accounts that are compared, one row each; `is_paired`: row by row."""

    acted: pd.DataFrame
    other: pd.DataFrame
    is_paired: bool = False
    unmatched: int = 0
    undecided: int = 0


def playbook_effects(intervention_entries: pd.DataFrame, *, portfolio: Portfolio, as_of: date) -> pd.DataFrame:
    """How much more was kept of accounts that were called for than of others, for each playbook and all together.

    Grain: playbook, comparison. An account counts once in each, by the first of its renewals. By lot: those to be called
    against those held out, whatever was done then. Similar: each done entry beside the nearest one that was not done, of the
    same playbook and risk, its score within 10 points, its ARR at most twice or half, its days within 30, each taken once.
    Shares of accounts have Newcombe's interval of two Wilson scores, shares of ARR that of 1,000 resamples of the accounts.

    Columns: see the contract.

    Always true: verdict_by_lot_alone, withheld_below_enough, interval_around_difference.
    """
    entries = intervention_entries.sort_values(["renewal_date", "account_id"], ignore_index=True)
    seed = renewal_settings(portfolio).outlook.seed
    playbooks = sorted(entries["playbook"].unique())
    rows = []
    for playbook in (ALL_PLAYBOOKS, *playbooks):
        of = entries if playbook == ALL_PLAYBOOKS else entries[entries["playbook"] == playbook]
        rows += [
            {"playbook": playbook, "comparison": name, **_effect(name, sides, seed)}
            for name, sides in _compared(of)
            if (
                len(sides.acted) or sides.unmatched if name != ASSIGNED else sum(map(len, sides[:2])) or sides.undecided
            )
        ]
    return pd.DataFrame(rows, columns=list(contracts.playbook_effects(portfolio).column_names))


def _compared(entries: pd.DataFrame) -> Iterator[tuple[str, Sides]]:
    drawn = _once(entries[entries["is_compared"].isin([True])])
    held = drawn["is_held_out"].isin([True])
    yield ASSIGNED, _decided(drawn[~held], drawn[held])
    is_done = entries["status"] == DONE
    done, rest = _once(entries[is_done]), _once(entries[~is_done])
    rest = rest[~rest["account_id"].isin(done["account_id"])]
    plain = _decided(done, rest)
    pairs = similar_pairs(plain.acted, plain.other)
    acted, other = (side.loc[[pair[n] for pair in pairs]] for n, side in enumerate((plain.acted, plain.other)))
    yield SIMILAR, Sides(acted, other, True, len(plain.acted) - len(pairs), plain.undecided)
    yield DONE_OR_NOT, plain


def _once(entries: pd.DataFrame) -> pd.DataFrame:
    """Each account by the first of its renewals that is decided, else by its first."""
    decided_first = entries.assign(_open=entries["outcome"] == OPEN).sort_values("_open", kind="stable")
    return decided_first.drop_duplicates("account_id").sort_index()


def _decided(acted: pd.DataFrame, other: pd.DataFrame) -> Sides:
    one, two = acted[acted["outcome"] != OPEN], other[other["outcome"] != OPEN]
    return Sides(one, two, undecided=len(acted) + len(other) - len(one) - len(two))


def similar_pairs(acted: pd.DataFrame, other: pd.DataFrame) -> list[tuple[int, int]]:
    """The index of each account and of the most similar one it is compared with, the nearest pairs first; each once."""
    found = []
    others = dict(list(other.groupby(["playbook", "renewal_risk"])))
    for key, mine in acted.groupby(["playbook", "renewal_risk"]):
        if key in others:
            found += _near(mine, others[key])
    pairs, taken = [], (set[int](), set[int]())
    for _, one, two in sorted(found):
        if one not in taken[0] and two not in taken[1]:
            taken[0].add(one)
            taken[1].add(two)
            pairs.append((one, two))
    return pairs


def _near(acted: pd.DataFrame, other: pd.DataFrame) -> list[tuple[float, int, int]]:
    """All pairs within reach: how far apart, and their indexes, which follow renewal dates and ids."""
    measures = (("health_score", MOST_POINTS), ("days_to_renewal", MOST_DAYS))
    apart, fits = np.zeros((len(acted), len(other))), np.ones((len(acted), len(other)), dtype=bool)
    for name, most in measures:
        mine, theirs = (side[name].to_numpy(dtype=float, na_value=np.nan) for side in (acted, other))
        gap = np.abs(mine[:, None] - theirs[None, :]) / most
        both_missing = np.isnan(mine)[:, None] & np.isnan(theirs)[None, :]
        fits &= (gap <= 1) | both_missing
        apart += np.where(both_missing, 0, gap)
    arr = [np.log(np.maximum(side["current_arr"].to_numpy(dtype=float), 0.01)) for side in (acted, other)]
    gap = np.abs(arr[0][:, None] - arr[1][None, :]) / np.log(MOST_TIMES)
    fits &= gap <= 1 + 1e-9
    rows, columns = np.nonzero(fits)
    distance = np.round((apart + gap)[rows, columns], 9)
    return list(zip(distance.tolist(), acted.index[rows].tolist(), other.index[columns].tolist(), strict=True))


def _effect(comparison: str, sides: Sides, seed: int) -> dict[str, Any]:
    """The figures of one comparison."""
    found: dict[str, Any] = {}
    for name, side in (("acted", sides.acted), ("other", sides.other)):
        is_lost, arr = side["outcome"] == LOST, side["current_arr"].astype(float)
        whole = float(arr.sum())
        found |= {
            f"{name}_accounts": len(side),
            f"{name}_lost": int(is_lost.sum()),
            f"{name}_done": int((side["status"] == DONE).sum()),
            f"{name}_arr": round(whole, 2),
            f"{name}_kept_pct": _pct(len(side) - int(is_lost.sum()), len(side)),
            f"{name}_kept_arr_pct": _pct(float(arr[~is_lost].sum()), whole),
        }
    sizes, lost = ([found[f"{side}_{what}"] for side in ("acted", "other")] for what in ("accounts", "lost"))
    shares = newcombe(sizes[0] - lost[0], sizes[0], sizes[1] - lost[1], sizes[1])
    found |= _points("", shares) | _points("arr_", _resampled(sides, seed))
    missing = max(0, LEAST_DECIDED - min(sizes))
    verdict = None
    if comparison == ASSIGNED:
        verdict = WITHHELD if missing or shares is None else _verdict(shares)
    return found | {
        "undecided": sides.undecided,
        "unmatched": sides.unmatched,
        "missing": missing,
        "verdict": verdict,
    }


def _pct(part: float, whole: float) -> float | None:
    return min(100.0, max(0.0, 100 * (part / whole))) if whole else None


def _points(kind: str, shares: tuple[float, float, float] | None) -> dict[str, float | None]:
    names = [f"{kind}{name}" for name in ("difference_points", "difference_low_points", "difference_high_points")]
    return dict(zip(names, [None] * 3 if shares is None else [round(100 * s, 6) for s in shares], strict=True))


def _verdict(shares: tuple[float, float, float]) -> str:
    _, low, high = shares
    return HELPED if low > 0 else HARMED if high < 0 else NOT_SHOWN


def newcombe(part: int, whole: int, other_part: int, other_whole: int) -> tuple[float, float, float] | None:
    """The difference of two shares and its 90 % interval, from the Wilson intervals of both; None where one is of nothing."""
    if not whole or not other_whole:
        return None
    one, two = part / whole, other_part / other_whole
    (one_low, one_high), (two_low, two_high) = wilson(one, whole), wilson(two, other_whole)
    low = one - two - sqrt((one - one_low) ** 2 + (two_high - two) ** 2)
    high = one - two + sqrt((one_high - one) ** 2 + (two - two_low) ** 2)
    return one - two, max(-1.0, low), min(1.0, high)


def _resampled(sides: Sides, seed: int) -> tuple[float, float, float] | None:
    """The difference of the shares of ARR kept and its 90 % interval, accounts drawn anew with replacement."""
    frames = (sides.acted, sides.other)
    arr = [frame["current_arr"].to_numpy(dtype=float) for frame in frames]
    if min(map(len, arr)) < 2 or min(amounts.sum() for amounts in arr) <= 0:
        return None
    kept = [amounts * (frame["outcome"] != LOST).to_numpy() for amounts, frame in zip(arr, frames, strict=True)]
    generator, differences = np.random.default_rng(seed), []
    step = max(1, CELLS_AT_ONCE // max(map(len, arr)))
    for start in range(0, DRAWS, step):
        count = min(step, DRAWS - start)
        chosen = [generator.integers(0, len(arr[0]), (count, len(arr[0])))]
        chosen.append(chosen[0] if sides.is_paired else generator.integers(0, len(arr[1]), (count, len(arr[1]))))
        whole = [np.maximum(a[c].sum(axis=1), 0.01) for a, c in zip(arr, chosen, strict=True)]
        shares = [k[c].sum(axis=1) / w for k, c, w in zip(kept, chosen, whole, strict=True)]
        differences.append(shares[0] - shares[1])
    edge = (100 - INTERVAL_PCT) / 200
    low, high = np.quantile(np.concatenate(differences), [edge, 1 - edge])
    difference = float(kept[0].sum() / arr[0].sum() - kept[1].sum() / arr[1].sum())
    return difference, float(low), float(high)
