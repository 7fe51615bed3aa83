"""How well the score, each signal and two baselines told what followed: `backtest_results`.

The rules of a verdict stand in `verdicts.py`, the statistics in `discrimination.py`, what is read in `observations.py`.
Rates by tier are in `tiers.py`.
"""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import date
from typing import Any

import numpy as np
import pandas as pd

from cx_intel.contracts.backtest import results as contracts
from cx_intel.contracts.backtest.columns import ALL, YEAR
from cx_intel.contracts.backtest.results import (
    AGAINST_ITS_CURVE,
    AS_ITS_CURVE,
    BASELINES,
    HEALTH_SCORE,
    MAY_KNOW,
    SIGNAL_PREFIX,
    UNCLEAR,
)
from cx_intel.models.backtest.discrimination import (
    Discrimination,
    Flags,
    Ints,
    difference,
    discrimination,
    distinct,
    ranks,
)
from cx_intel.models.backtest.observations import Observations
from cx_intel.models.backtest.verdicts import Evidence, finding, label_of, verdict
from cx_intel.settings.portfolio import Portfolio


def backtest_results(
    backtest_scores: pd.DataFrame,
    backtest_signals: pd.DataFrame,
    backtest_outcomes: pd.DataFrame,
    *,
    portfolio: Portfolio,
    as_of: date,
) -> pd.DataFrame:
    """How well the score told what followed, and each signal by itself, against tenure and ARR, and against usage.

    Grain: outcome, window_days, slice, slice_value, predictor. Reads the replayed scores and signals and what followed.
    Signals are judged over all; the score and the baselines in every slice too. A score counts wherever it is shown, of an
    unknown tier too. The baselines are given, not fitted: the mean of an account's ranks by tenure and by ARR on
    the day, and its usage events of 30 days; small counts as in danger.

    Columns: see the contract; a null auc says that nothing, or everything, happened.

    Always true: interval_holds_auc, no_verdict_of_few_events. Warned of: no_suspicious_predictor, score_not_backwards.
    """
    observed = Observations(backtest_scores)
    predictors = {name: ranks(values) for name, values in observed.predictors(backtest_signals).items()}
    slices = list(observed.slices(portfolio.rollups))
    rows: list[dict[str, Any]] = []
    for followed in observed.followed(backtest_outcomes):
        leaking = ""
        for part in slices:
            here = part.member[followed.row]
            asked = {name: of for name, of in predictors.items() if part.name == ALL or _is_whole(name)}
            judged = _Judged(observed, asked, followed.row[here], followed.happened[here])
            found = {name: judged.evidence(name, looks_ahead=part.name == ALL) for name in judged.predictors}
            if part.name == ALL:
                leaking = _leaking(found, portfolio)
            if HEALTH_SCORE in found:
                found[HEALTH_SCORE] = replace(found[HEALTH_SCORE], unknown_share=judged.unknown_share(HEALTH_SCORE))
            if leaking and HEALTH_SCORE in found:
                found[HEALTH_SCORE] = replace(found[HEALTH_SCORE], leaking_signal=leaking)
            for name, evidence in found.items():
                counted = judged.counted(name)
                kind: dict[str, Any] = {
                    "outcome": followed.outcome,
                    "window_days": followed.window_days,
                    "predictor": name,
                }
                rows.append(
                    {
                        "as_of": as_of,
                        "slice": part.name,
                        "slice_value": part.value,
                        **kind,
                        **counted,
                        **_measured(evidence),
                        "verdict": verdict(evidence),
                        "finding": finding(evidence, **kind, portfolio=portfolio)
                        + _hindsight(part.name, counted["known_later"]),
                    }
                )
    return pd.DataFrame(rows, columns=list(contracts.backtest_results(portfolio).column_names))


def _hindsight(part: str, known_later: int) -> str:
    """What is added where a slice is by an attribute that was not known on some of its days."""
    if part in (ALL, YEAR) or not known_later:
        return ""
    return f" Its {part.replace('_', ' ')} is as a later load first showed it."


def _is_whole(predictor: str) -> bool:
    return not predictor.startswith(SIGNAL_PREFIX)


def _leaking(found: Mapping[str, Evidence], portfolio: Portfolio) -> str:
    """The first signal that may know the outcome, in words; empty without one."""
    return next((label_of(n, portfolio) for n, e in found.items() if not _is_whole(n) and verdict(e) == MAY_KNOW), "")


def _measured(evidence: Evidence) -> dict[str, Any]:
    """The columns of an AUC; null where nothing, or everything, happened."""
    found, missing = evidence.found, {"events_missing": evidence.missing}
    if found is None:
        return {**missing, "direction": UNCLEAR}
    low, high = found.interval
    gained = evidence.baseline and dict(zip(("auc_gain", "auc_gain_low", "auc_gain_high"), evidence.gain, strict=True))
    return {
        **missing,
        "auc": found.auc,
        "auc_low": low,
        "auc_high": high,
        "below_median_pct": found.below_median_pct,
        "direction": AS_ITS_CURVE if low > 0.5 else AGAINST_ITS_CURVE if high < 0.5 else UNCLEAR,
        "worst_precision_pct": 100 * found.worst_precision,
        **({"baseline": evidence.baseline, **gained} if gained else {}),
    }


class _Judged:
    """The predictors that have a value somewhere in one slice of the book, before one outcome within one window."""

    def __init__(self, observed: Observations, predictors: Mapping[str, Ints], row: Ints, happened: Flags) -> None:
        self._observed, self._row, self._happened = observed, row, happened
        values = {name: values[row] for name, values in predictors.items()}
        self._has = {name: v >= 0 for name, v in values.items()}
        self.predictors = {name: v for name, v in values.items() if self._has[name].any()}
        self._found: dict[tuple[str, bytes], Discrimination | None] = {}

    def counted(self, predictor: str) -> dict[str, int]:
        """What was seen of a predictor."""
        has = self._has[predictor]
        row, happened = self._row[has], self._happened[has]
        account = self._observed.account[row]
        return {
            "observations": len(row),
            "accounts": distinct(account),
            "events": int(happened.sum()),
            "event_accounts": distinct(account[happened]),
            "unknown_tiers": int(self._observed.is_unknown[row].sum()),
            "known_later": int(self._observed.known_later[row].sum()),
        }

    def unknown_share(self, predictor: str) -> float:
        """The share of the observations of a predictor whose tier is unknown."""
        return float(self._observed.is_unknown[self._row[self._has[predictor]]].mean())

    def evidence(self, predictor: str, *, looks_ahead: bool) -> Evidence:
        """What is known of a predictor, the stronger baseline on the same observations beside it.

        `looks_ahead`: whether it tells, long before, who will have the event some day, is looked at too.
        """
        has = self._has[predictor]
        happened = self._happened[has]
        account = self._observed.account[self._row[has]]
        found = self._discrimination(predictor, has)
        plain = Evidence(
            found=found,
            event_accounts=distinct(account[happened]),
            other_accounts=distinct(account[~happened]),
            event_share=float(happened.mean()),
            ever=self._ever(predictor) if looks_ahead and predictor not in BASELINES else None,
        )
        compared = {} if predictor in BASELINES else dict(self._against_baselines(predictor))
        if not compared:
            return plain
        baseline = max(compared, key=lambda name: compared[name][1].auc)
        return replace(plain, baseline=baseline, gain=difference(*compared[baseline]))

    def _ever(self, predictor: str) -> Discrimination | None:
        has = self._has[predictor]
        account = self._observed.account[self._row]
        has_event = np.isin(account, account[self._happened])
        return discrimination(self.predictors[predictor][has], has_event[has], account[has], self._observed.accounts)

    def _against_baselines(self, predictor: str) -> Iterator[tuple[str, tuple[Discrimination, Discrimination]]]:
        for baseline in BASELINES:
            if baseline in self.predictors:
                both = self._has[predictor] & self._has[baseline]
                one, other = self._discrimination(predictor, both), self._discrimination(baseline, both)
                if one and other:
                    yield baseline, (one, other)

    def _discrimination(self, predictor: str, rows: Flags) -> Discrimination | None:
        key = (predictor, rows.tobytes())
        if key not in self._found:
            account = self._observed.account[self._row[rows]]
            self._found[key] = discrimination(
                self.predictors[predictor][rows], self._happened[rows], account, self._observed.accounts
            )
        return self._found[key]
