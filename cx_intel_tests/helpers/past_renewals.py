"""Past renewals with a known truth: accounts whose probability of renewal is given, seen on the month ends before it.

Frames as `renewal_observations` has them. What is learnt from them is tested in `unit/renewals`.
"""

from collections.abc import Callable
from datetime import date
from functools import cache
from typing import Any

import numpy as np
import pandas as pd

from cx_intel.contracts.renewals import learned as contracts
from cx_intel.models.renewals.learned.terms import renewal_model_terms
from cx_intel.models.renewals.learned.verdict import renewal_model, renewal_model_reliability
from cx_intel_tests.helpers.builders import rows, shipped

KNOWN_ON = date(2024, 1, 31)
"""The outcomes of all month ends of `past_renewals` are known."""


def truth(score: np.ndarray, is_enterprise: np.ndarray) -> np.ndarray:
    """The probability of renewal of the planted world: by the score, and higher for the segment Enterprise."""
    return np.asarray(1 / (1 + np.exp(-(-0.5 + 0.05 * (score - 50) + 1.0 * is_enterprise))))


def past_renewals(
    said: Callable[[np.ndarray], np.ndarray], *, accounts: int = 600, months: int = 33, seed: int = 1
) -> pd.DataFrame:
    """A renewal a year of each account, seen on the three month ends before; the first that fails is the last.

    Args:
        said: The probability that the map gives, of the true one.
        accounts: How many there are.
        months: Month ends from January 2021 on.
        seed: Of the world.
    """
    generator = np.random.default_rng(seed)
    days = [day.date() for day in pd.date_range("2021-01-31", periods=months, freq="ME")]
    score, is_enterprise = generator.uniform(20, 100, accounts), generator.random(accounts) < 0.5
    arr, offset = generator.lognormal(9, 1, accounts), generator.integers(0, 12, accounts)
    age = generator.uniform(0, 8, accounts)
    renews = truth(score, is_enterprise)
    given = said(renews)
    found = []
    for account in range(accounts):
        for due in range(int(offset[account]), months + 3, 12):
            is_renewed = bool(generator.random() < renews[account])
            for month in range(max(0, due - 2), min(months, due + 1)):
                found.append(
                    {
                        "scored_on": days[month],
                        "account_id": f"a{account:04}",
                        "segment": "Enterprise" if is_enterprise[account] else "SMB",
                        "health_score": score[account],
                        "tenure": np.log1p(age[account] + month / 12),
                        "arr": np.log1p(arr[account]),
                        "usage": np.nan,
                        "renewal_risk": "Low",
                        "map_probability": given[account],
                        "is_renewed": is_renewed,
                    }
                )
            if not is_renewed:
                break
    return pd.DataFrame(found)


@cache
def learned_tables(as_of: date) -> dict[str, list[dict[str, Any]]]:
    """`renewal_model`, its terms and its reliability, learnt from the planted world with a map that is wrong, as of a day.

    The days of the world are moved so that its last outcome is known on that day.
    """
    of = shipped("fleet")
    observed = past_renewals(lambda renews: np.full(len(renews), 0.92), accounts=400)
    moved = pd.Timestamp(as_of) - pd.Timestamp(KNOWN_ON)
    observed["scored_on"] = [(pd.Timestamp(day) + moved).date() for day in observed["scored_on"]]
    given: dict[str, Any] = {"portfolio": of, "as_of": as_of}
    terms = renewal_model_terms(observed, **given, previous=rows(contracts.renewal_model_terms(of), []))
    known = terms.execute()
    model = renewal_model(observed, known, **given, previous=rows(contracts.renewal_model(of), []))
    reliability = renewal_model_reliability(observed, known, **given)
    return {
        "renewal_model_terms": terms.to_pyarrow().to_pylist(),
        "renewal_model": model.to_pyarrow().to_pylist(),
        "renewal_model_reliability": reliability.to_dict("records"),
    }
