"""Who the fleet world's customers are: company, place, segment, first fleet and products, contract terms.

Attributes here never change with time. How fleets grow and contracts renew is in `fleet_lives`; the frame
is made in `fleet`.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cx_intel.demo_data.companies.account_draws import choice, parents
from cx_intel.demo_data.companies.dach_places import REGION_SPANS, REGIONS
from cx_intel.demo_data.companies.names import german_companies, people
from cx_intel.demo_data.draws import generator
from cx_intel.demo_data.timeline import Bools, Floats, Ints, day_of_month

SEGMENTS = ("SMB", "Mid-Market", "Enterprise")
_SEGMENT_SHARES = (0.57, 0.28, 0.15)
_VEHICLES = (
    (2.05, 0.6, 2, 19),
    (3.25, 0.40, 12, 60),
    (4.12, 0.45, 38, 240),
)  # log-mean, log-deviation, least, most
_COUNTRY_SHARES = (0.63, 0.20, 0.17)
_INDUSTRY_SHARES = (0.20, 0.19, 0.18, 0.16, 0.11, 0.09, 0.07)

LEGACY_SYSTEMS = ("Avrios", "Vimcar", "Optimum Automotive", "New Logo")
_LEGACY_SHARES = (0.35, 0.46, 0.19)
PRODUCT_LABELS = ("GPS Tracking", "Digital Logbook", "Fleet Analytics", "Driver Scoring")
PRODUCT_CODES = ("gps_tracking", "digital_logbook", "fleet_analytics", "driver_scoring")
LOGBOOK = 1
_BUNDLES = np.array([0b0001, 0b0011, 0b0111, 0b1111, 0b0101])
_BUNDLE_SHARES = (
    (0.17, 0.55, 0.18, 0.02, 0.08),
    (0.08, 0.36, 0.40, 0.10, 0.06),
    (0.03, 0.17, 0.45, 0.31, 0.04),
)

CURRENCIES = ("EUR", "CHF")
_BILLED_IN_CHF = 0.7
_DISCOUNT = np.array([1.0, 0.90, 0.78])
_OWNERS_SHARES = np.array([0.40, 0.35, 0.25])  # of the owners, those who look after each segment
ACCOUNTS_PER_OWNER = 25


@dataclass(frozen=True)
class FleetAccounts:
    """One entry per customer, by signup, which is the start of its contract (day of the month at most 28).

    `bundle` has a bit for each of PRODUCT_CODES; `price_factor` applies to list prices; `late_days` is how
    long after a renewal the CRM shows the next date.
    """

    signup: Ints
    name: NDArray[np.object_]
    industry: Ints
    country: Ints
    region: Ints
    employees: Ints
    segment: Ints
    owner: Ints
    owners: list[str]
    parent: Ints
    legacy: Ints
    vehicles: Ints
    bundle: Ints
    currency: Ints
    price_factor: Floats
    term_months: Ints
    billed_yearly: Bools
    late_days: Ints
    diligence: Floats


def accounts(seed: int, world_size: int, signup: Ints, starts_on: int) -> FleetAccounts:
    count = len(signup)
    signup = signup - np.maximum(day_of_month(signup) - 28, 0)
    draws = generator(seed, "fleet.accounts").random((count, 16))
    normal = generator(seed, "fleet.sizes").standard_normal((count, 4))
    segment = choice(draws[:, 0], _SEGMENT_SHARES)
    mean, deviation, least, most = np.array(_VEHICLES).T
    vehicles = np.clip(np.exp(mean[segment] + deviation[segment] * normal[:, 0]), least[segment], most[segment])
    country = choice(draws[:, 1], _COUNTRY_SHARES)
    industry = choice(draws[:, 2], _INDUSTRY_SHARES)
    first, number = REGION_SPANS[country].T
    region = (first + draws[:, 3] * number).astype(np.int64)
    reach = np.cumsum(np.array(_BUNDLE_SHARES), axis=1)[segment]
    names = german_companies(seed, industry, country, region)
    owners = people(seed, "de_DE", max(6, round(world_size / ACCOUNTS_PER_OWNER)))
    terms = np.where(draws[:, 7] < np.array([0.0, 0.10, 0.35])[segment], 24, 12)
    parent = parents(draws[:, 13:15], segment == 2)
    child = np.flatnonzero(parent >= 0)
    names[child] = names[parent[child]] + " – " + np.array(REGIONS, dtype=object)[region[child]]
    return FleetAccounts(
        signup=signup,
        name=names,
        industry=industry,
        country=country,
        region=region,
        employees=np.maximum(3, vehicles * 3.2 * np.exp(0.5 * normal[:, 1])).astype(np.int64),
        segment=segment,
        owner=_owners(draws[:, 8], draws[:, 15], segment, len(owners)),
        owners=owners,
        parent=parent,
        legacy=np.where(signup < starts_on, choice(draws[:, 4], _LEGACY_SHARES), 3),
        vehicles=vehicles.astype(np.int64),
        bundle=_BUNDLES[np.minimum((draws[:, 5, None] >= reach).sum(axis=1), len(_BUNDLES) - 1)],
        currency=((country == 2) & (draws[:, 6] < _BILLED_IN_CHF)).astype(np.int64),
        price_factor=_DISCOUNT[segment] * np.exp(0.07 * normal[:, 2]) * np.where(country == 2, 1.12, 1.0),
        term_months=terms,
        billed_yearly=draws[:, 9] < np.array([0.05, 0.15, 0.30])[segment],
        late_days=np.where(draws[:, 10] < 0.12, 5 + (40 * draws[:, 11]).astype(np.int64), 0),
        diligence=np.clip(0.5 + 0.22 * normal[:, 3], 0.02, 0.98),
    )


def _owners(uniform: Floats, gap: Floats, segment: Ints, owners: int) -> Ints:
    """Owners specialise in a segment; -1, nobody, for a few small customers."""
    bounds = np.round(np.concatenate([[0.0], np.cumsum(_OWNERS_SHARES)]) * owners)
    first, after = bounds[segment], bounds[segment + 1]
    owner = np.minimum(first + np.floor(uniform * (after - first)), owners - 1).astype(np.int64)
    return np.where((segment == 0) & (gap < 0.03), -1, owner)
