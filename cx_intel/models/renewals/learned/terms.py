"""The fitted probabilities as a table: `renewal_model_terms`, one row a term, and back from it.

A sum of terms needs no package to be applied: a frame of past renewals is scored here, the accounts of today in
`probabilities.py`. How the terms are found stands in `fitting.py`.
"""

from collections.abc import Mapping
from datetime import date

import ibis
import ibis.expr.types as ir
import numpy as np
import pandas as pd
import pyarrow as pa

from cx_intel.contracts.contract import Contract
from cx_intel.contracts.renewals import learned as contracts
from cx_intel.contracts.renewals.learned import IN_USE, INTERCEPT, JUDGED, MEASURES, SEGMENT
from cx_intel.models.renewals.learned.fitting import Fitted, fit, is_installed, logistic
from cx_intel.models.renewals.learned.observations import split_of, usable
from cx_intel.settings.portfolio import Portfolio

DIGITS = 4
"""A probability is rounded to so many digits, the same on each engine."""
LOWEST, HIGHEST = 0.01, 0.99
"""Within which a learnt probability stays: past renewals make nothing certain."""


def renewal_model_terms(
    renewal_observations: pd.DataFrame, *, portfolio: Portfolio, as_of: date, previous: ir.Table
) -> ir.Table:
    """The weights of the learnt probability, fitted twice: to the earlier months to be judged, and to all to be used.

    Grain: as_of, fitted_for, term. Reads the observations whose outcome is known on `as_of`; those of earlier days are kept.
    No row of the day: too few accounts that did not renew, too few months, or scikit-learn is not installed;
    `renewal_model` says which.

    Columns: see the contract.
    """
    rows = usable(renewal_observations, as_of)
    split = split_of(rows)
    found: list[dict[str, object]] = []
    if is_installed() and not split.lost_missing:
        judged, in_use = fit(split.taught), fit(rows)
        if judged and in_use:
            found = [*_terms(judged, JUDGED), *_terms(in_use, IN_USE)]
    return with_earlier(found, previous, contracts.renewal_model_terms(portfolio), as_of)


def with_earlier(found: list[dict[str, object]], previous: ir.Table, contract: Contract, as_of: date) -> ir.Table:
    """The rows of the day, and those of earlier days as they stand."""
    schema = contract.schema()
    rows = pa.Table.from_pylist([{"as_of": as_of} | row for row in found], schema=schema.to_pyarrow())
    return ibis.union(previous.filter(previous.as_of < ibis.literal(as_of)), ibis.memtable(rows, schema=schema))


def terms_of(renewal_model_terms: pd.DataFrame, day: date) -> pd.DataFrame:
    """The terms of one day."""
    return renewal_model_terms[pd.to_datetime(renewal_model_terms["as_of"]) == pd.Timestamp(day)]


def fitted_of(terms: pd.DataFrame, fitted_for: str) -> Fitted | None:
    """The probability that the terms of one day make up; None where nothing was fitted."""
    rows = terms[terms["fitted_for"] == fitted_for]
    if rows.empty:
        return None
    by_measure = rows[rows["measure"].isin(MEASURES)].set_index("measure")
    segments = rows[rows["measure"] == SEGMENT].set_index("segment")
    first = rows[rows["measure"] == INTERCEPT].iloc[0]
    return Fitted(
        float(first["weight"]),
        _numbers(by_measure["weight"]),
        _numbers(by_measure["center"]),
        _numbers(by_measure["scale"]),
        _numbers(segments["weight"]),
        _numbers(segments["renewed_pct"] / 100),
        float(first["shrinkage"]),
        float(first["calibration_slope"]),
    )


def probabilities(fitted: Fitted, rows: pd.DataFrame) -> np.ndarray:
    """Of the renewal of each observation."""
    return np.clip(np.round(logistic(fitted.log_odds(rows)), DIGITS), LOWEST, HIGHEST)


def _terms(fitted: Fitted, fitted_for: str) -> list[dict[str, object]]:
    shared = {
        "fitted_for": fitted_for,
        "shrinkage": fitted.strength,
        "calibration_slope": fitted.slope,
    }
    rows: list[dict[str, object]] = [{"term": INTERCEPT, "measure": INTERCEPT, "weight": fitted.intercept}]
    rows += [
        {"term": name, "measure": name, "weight": w, "center": fitted.centers[name], "scale": fitted.scales[name]}
        for name, w in fitted.weights.items()
    ]
    rows += [
        {
            "term": f"{SEGMENT}={segment}",
            "measure": SEGMENT,
            "segment": segment,
            "weight": weight,
            "renewed_pct": 100 * fitted.renewed[segment],
        }
        for segment, weight in fitted.segments.items()
    ]
    return [shared | row for row in rows]


def _numbers(values: pd.Series) -> Mapping[str, float]:
    return {str(name): float(value) for name, value in values.items()}
