"""The verdict on the learnt probability: `renewal_model`, and what was said against what happened: `renewal_model_reliability`.

Both judge the months that the fit had not seen; the arithmetic is in `judging.py`, the terms are in `terms.py`. Whether a
portfolio uses the probability is decided in `cx_intel.models.renewals.pipeline`.
"""

import hashlib
from datetime import date
from typing import Any

import ibis.expr.types as ir
import numpy as np
import pandas as pd

from cx_intel.contracts.backtest.results import LEAST_EVENTS
from cx_intel.contracts.renewals import learned as contracts
from cx_intel.contracts.renewals.learned import (
    BETTER,
    IN_USE,
    JUDGED,
    NOT_BETTER,
    NOT_INSTALLED,
    TOO_FEW_LOST,
    TOO_FEW_MONTHS,
    WITHHELD,
)
from cx_intel.contracts.renewals.pipeline import MAP
from cx_intel.models.renewals.learned.fitting import is_installed
from cx_intel.models.renewals.learned.judging import brier, compare, interval_of_mean, reliability
from cx_intel.models.renewals.learned.observations import known_by, lost_accounts, split_of, usable
from cx_intel.models.renewals.learned.terms import fitted_of, probabilities, terms_of, with_earlier
from cx_intel.settings.portfolio import Portfolio
from cx_intel.settings.renewals import LEARNED


def renewal_model(
    renewal_observations: pd.DataFrame,
    renewal_model_terms: pd.DataFrame,
    *,
    portfolio: Portfolio,
    as_of: date,
    previous: ir.Table,
) -> ir.Table:
    """Whether the learnt probability of renewal beats the portfolio's map on months that it had not seen.

    Grain: as_of, the day that it was fitted on. Reads the observations known by then, the day's terms and those of earlier
    days; its own rows of earlier days are kept. It is better when its Brier score is below the map's and the interval of
    the difference (bootstrap by account, 90 %) lies above 0. The verdict is withheld below 20 accounts that did not renew,
    in the months that teach or in those that judge.

    Columns: see the contract. Always true: verdict_has_its_figures.
    """
    rows = usable(renewal_observations, as_of)
    split = split_of(rows)
    today = terms_of(renewal_model_terms, as_of)
    found: dict[str, Any] = {
        "model_version": _version(today, as_of),
        "lost_accounts_missing": split.lost_missing,
        **_part("taught", split.taught),
        **_part("judged", split.judged),
        **_verdict(today, split.taught, split.judged, split.lost_missing),
        **_live(renewal_model_terms, rows, as_of),
    }
    return with_earlier([found], previous, contracts.renewal_model(portfolio), as_of)


def renewal_model_reliability(
    renewal_observations: pd.DataFrame,
    renewal_model_terms: pd.DataFrame,
    *,
    portfolio: Portfolio,
    as_of: date,
) -> pd.DataFrame:
    """Of renewals that were given a probability of so much, how many did renew: by the learnt one and by the map.

    Grain: predictor, from_pct: tenths of the probability that have any renewal, for the newest day alone. Reads the
    observations known by then, and the day's terms; without any there is no row.

    Columns: see the contract.
    """
    judged = split_of(usable(renewal_observations, as_of)).judged
    fitted = fitted_of(terms_of(renewal_model_terms, as_of), JUDGED)
    found = []
    if fitted:
        happened = judged["is_renewed"].to_numpy(dtype=float)
        said = {LEARNED: probabilities(fitted, judged), MAP: judged["map_probability"].to_numpy(dtype=float)}
        found = [
            reliability(p, happened, judged["account_id"]).assign(predictor=predictor) for predictor, p in said.items()
        ]
    columns = list(contracts.renewal_model_reliability(portfolio).column_names)
    rows = pd.concat(found) if found else pd.DataFrame(columns=columns)
    return rows.assign(as_of=as_of)[columns]


def _verdict(terms: pd.DataFrame, taught: pd.DataFrame, judged: pd.DataFrame, lost_missing: int) -> dict[str, Any]:
    fitted = fitted_of(terms, JUDGED)
    if lost_missing or fitted is None:
        reason = TOO_FEW_LOST if lost_missing else TOO_FEW_MONTHS if is_installed() else NOT_INSTALLED
        return {"verdict": WITHHELD, "withheld_because": reason}
    happened = judged["is_renewed"].to_numpy(dtype=float)
    by_map, learned = judged["map_probability"].to_numpy(dtype=float), probabilities(fitted, judged)
    found = compare(by_map, learned, happened, judged["account_id"])
    base_rate = np.full(len(judged), float(taught["is_renewed"].mean()))
    return {
        "verdict": BETTER if found.gain_low > 0 else NOT_BETTER,
        "brier_learned": found.brier_other,
        "brier_map": found.brier,
        "brier_base_rate": brier(base_rate, happened),
        "brier_gain": found.gain,
        "brier_gain_low": found.gain_low,
        "brier_gain_high": found.gain_high,
    }


def _live(terms: pd.DataFrame, rows: pd.DataFrame, as_of: date) -> dict[str, Any]:
    """How the newest earlier model that has seen enough outcomes since it was fitted does, against when it was judged."""
    for day in sorted(
        (day for day in pd.to_datetime(terms["as_of"]).unique() if day < pd.Timestamp(as_of)), reverse=True
    ):
        since = rows[rows["scored_on"] >= day]
        then = terms_of(terms, day)
        in_use, judged = fitted_of(then, IN_USE), fitted_of(then, JUDGED)
        if lost_accounts(since) < LEAST_EVENTS or in_use is None or judged is None:
            continue
        before = split_of(known_by(rows, day)).judged
        errors = (probabilities(in_use, since) - since["is_renewed"].to_numpy(dtype=float)) ** 2
        expected = brier(probabilities(judged, before), before["is_renewed"].to_numpy(dtype=float))
        return {
            "live_since": day.date(),
            "live_renewals": len(since),
            "brier_live": float(errors.mean()),
            "brier_then": expected,
            "is_drifting": interval_of_mean(errors, since["account_id"])[0] > expected,
        }
    return {"live_renewals": 0}


def _part(name: str, rows: pd.DataFrame) -> dict[str, Any]:
    return {
        f"{name}_first_month": rows["scored_on"].min().date() if len(rows) else None,
        f"{name}_last_month": rows["scored_on"].max().date() if len(rows) else None,
        f"{name}_renewals": len(rows),
        f"{name}_accounts": rows["account_id"].nunique(),
        f"{name}_lost_accounts": lost_accounts(rows),
    }


def _version(terms: pd.DataFrame, as_of: date) -> str | None:
    """The day and a fingerprint of what is used from it on; None where nothing was fitted."""
    used = terms[terms["fitted_for"] == IN_USE].sort_values("term")
    if used.empty:
        return None
    text = "|".join(f"{t}:{w:.6f}" for t, w in zip(used["term"], used["weight"], strict=True))
    return f"{as_of.isoformat()}-{hashlib.sha256(text.encode()).hexdigest()[:8]}"
