"""Who NovaCRM's accounts are: name, industry, place, size, first plan, owner, parent, and their trial.

Attributes here never change with time. What an account buys later is in `novacrm_lives`; the frame is made
in `novacrm`.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cx_intel.demo_data.companies.account_draws import choice, parents
from cx_intel.demo_data.companies.names import english_companies, people
from cx_intel.demo_data.draws import generator
from cx_intel.demo_data.timeline import FAR, Floats, Ints, day_of_month

PLANS = ("starter", "growth", "enterprise")
_PLAN_SHARES = (0.43, 0.36, 0.21)
_EMPLOYEES = ((2.9, 0.7), (4.7, 0.7), (6.9, 0.7))  # log-mean and log-deviation by plan

REGIONS = ("north_america", "europe", "apac", "latam")
COUNTRIES = ("US", "CA", "GB", "DE", "FR", "NL", "ES", "SE", "AU", "JP", "SG", "IN", "BR", "MX", "CO", "CL")
_COUNTRY_SHARES = (
    0.33,
    0.06,
    0.11,
    0.08,
    0.05,
    0.03,
    0.02,
    0.02,
    0.07,
    0.05,
    0.03,
    0.05,
    0.04,
    0.03,
    0.02,
    0.01,
)
COUNTRY_REGION = np.array([0, 0, 1, 1, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3])
REGION_UTC_HOURS = np.array([-6, 1, 8, -4])
_INDUSTRY_SHARES = (0.13, 0.11, 0.10, 0.13, 0.11, 0.10, 0.10, 0.08, 0.08, 0.06)

_TRIAL_DAYS = 14
_CONVERTS = np.array([0.84, 0.90, 0.96])
_SKIPS_TRIAL = np.array([0.05, 0.20, 0.60])  # sold by sales rather than by a trial
ACCOUNTS_PER_OWNER = 28


@dataclass(frozen=True)
class NovaAccounts:
    """One entry per account, by signup. `paid_from`: FAR for a trial that fails; `parent`: -1 for none."""

    signup: Ints
    name: NDArray[np.object_]
    industry: Ints
    country: Ints
    employees: Ints
    first_tier: Ints
    owner: Ints
    owners: list[str]
    parent: Ints
    trial_end: Ints
    paid_from: Ints
    activity: Floats
    seats: Floats


def accounts(seed: int, world_size: int, signup: Ints) -> NovaAccounts:
    count = len(signup)
    draws = generator(seed, "novacrm.accounts").random((count, 10))
    normal = generator(seed, "novacrm.sizes").standard_normal((count, 3))
    tier = choice(draws[:, 0], _PLAN_SHARES)
    mean, deviation = np.array(_EMPLOYEES).T
    employees = np.clip(np.exp(mean[tier] + deviation[tier] * normal[:, 0]), 3, 25_000).astype(np.int64)
    industry = choice(draws[:, 1], _INDUSTRY_SHARES)
    trial = np.where(draws[:, 3] < _SKIPS_TRIAL[tier], 0, _TRIAL_DAYS)
    trial_end = signup + trial
    paid_from = trial_end - np.maximum(day_of_month(trial_end) - 28, 0)  # a billing day that every month has
    paid_from = np.where(paid_from < signup, signup + 4, paid_from)
    converts = (trial == 0) | (draws[:, 4] < _CONVERTS[tier])
    names = english_companies(seed, industry)
    parent = parents(draws[:, 5:7], tier == 2)
    country = choice(draws[:, 2], _COUNTRY_SHARES)
    child = np.flatnonzero(parent >= 0)
    names[child] = names[parent[child]] + " " + np.array(COUNTRIES, dtype=object)[country[child]]
    owners = people(seed, "en_US", max(4, round(world_size / ACCOUNTS_PER_OWNER)))
    return NovaAccounts(
        signup=signup,
        name=names,
        industry=industry,
        country=country,
        employees=employees,
        first_tier=tier,
        owner=np.where(draws[:, 8] < 0.02, -1, (draws[:, 7] * len(owners)).astype(np.int64)),
        owners=owners,
        parent=parent,
        trial_end=np.where(converts, paid_from, trial_end),
        paid_from=np.where(converts, paid_from, FAR),
        activity=np.exp(0.45 * normal[:, 1]),
        seats=np.clip(np.array([3.0, 8.0, 26.0])[tier] * np.exp(0.4 * normal[:, 2]), 1, 400),
    )
