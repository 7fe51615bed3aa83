"""The commercial lives of the fleet world's customers: terms, growing and shrinking fleets, churn, return.

Most customers who leave do so at the end of a contract term; the odds follow their satisfaction
(`trajectories`). Who the customers are is in `fleet_accounts`, the tables made from a plan are in `fleet`.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from cx_intel.demo_data.contract_lines import ContractBook, ContractLines, StateHistory
from cx_intel.demo_data.departures import Departures
from cx_intel.demo_data.draws import generator
from cx_intel.demo_data.fleet.accounts import PRODUCT_CODES, FleetAccounts
from cx_intel.demo_data.timeline import FAR, Floats, Ints, day_of_month, first_day, first_days, months_of
from cx_intel.demo_data.trajectories import Stints, Trajectories, stints

UNIT_PRICES = np.array([9.90, 4.90, 3.60, 2.90])
"""List price per vehicle and month of each product, in the contract's currency."""

GROW, SHRINK, ADD, DROP, NOTHING = range(5)
_BITS = 1 << np.arange(len(PRODUCT_CODES))
_CHURN_BY_SEGMENT = np.array([1.25, 1.0, 0.65])
_INDEXED = 0.75  # share of renewals with a price step
_RETURNS = 0.012  # monthly odds, from the fourth to the eighteenth month away
NOTICE_DAYS = 30
CAUSES = ("not renewed", "insolvency or takeover")
"""Why customers leave: by their mood at the end of a term, or hardly by it at any time; both fade before their end."""


@dataclass(frozen=True)
class FleetLives:
    """What became of every customer; `billing_day` (1 to 28) is the day of the month of all changes.

    `vehicles` and `bundles` give the fleet and the products (bits) under contract, or those of the last
    contract.
    """

    billing_day: Ints
    term_months: Ints
    stints: Stints
    lines: ContractLines
    vehicles: StateHistory
    bundles: StateHistory
    departures: Departures
    """By CAUSES."""

    def contract_start(self) -> tuple[Ints, Ints]:
        """For each line, the month its contract started in and the day it ends (FAR: it goes on)."""
        scale = np.int64(2 * FAR)
        spans = self.stints.account * scale + self.stints.start + FAR
        at = np.searchsorted(spans, self.lines.account * scale + self.lines.start + FAR, side="right") - 1
        return months_of(self.stints.start[at]), self.stints.end[at]

    def next_renewal(self, contract_month: Ints, account: Ints, after: Ints) -> Ints:
        """The first end of a term later than the day `after`, for contracts started in `contract_month`."""
        term = self.term_months[account]
        terms = np.maximum((months_of(after) - contract_month) // term, 1)
        candidate = first_days(contract_month + terms * term) + self.billing_day[account] - 1
        return np.where(
            candidate > after,
            candidate,
            first_days(contract_month + (terms + 1) * term) + self.billing_day[account] - 1,
        )


def _renewal_churn(satisfaction: Floats, segment: Ints) -> Floats:
    return np.exp(-0.62 - 2.8 * satisfaction) * _CHURN_BY_SEGMENT[segment]


def _sudden_churn(satisfaction: Floats) -> Floats:
    """Insolvency, takeover, special termination: independent of the term."""
    return 0.0028 * (1.4 - satisfaction)


def _odds(content: Floats, bundle: Ints) -> Floats:
    """Cumulative monthly odds of GROW ... DROP, one row each."""
    products = np.bitwise_count(bundle)
    return np.cumsum(
        [
            0.066 * (0.15 + content),
            0.014 * (1.35 - content),
            0.013 * content * (products < len(PRODUCT_CODES)),
            0.005 * (1.3 - content) * (products > 1),
        ],
        axis=0,
    )


def live(seed: int, accounts: FleetAccounts, paths: Trajectories, first_month: int, until_month: int) -> FleetLives:
    """Every customer's life for the months from `first_month` up to and including `until_month`.

    Customers from before `first_month` are those who stayed until then; their lives begin to change with it.
    """
    count = len(accounts.signup)
    billing_day = day_of_month(accounts.signup)
    contract_month = months_of(accounts.signup)
    contract_day = accounts.signup.copy()
    begins = np.maximum(contract_month, first_month)
    left_month = np.full(count, FAR)
    vehicles, bundle = accounts.vehicles.copy(), accounts.bundle.copy()
    price = accounts.price_factor.copy()
    book = ContractBook(len(PRODUCT_CODES), count)
    ended: list[tuple[Ints, Ints, Ints]] = []
    left: list[tuple[Ints, Ints, Ints]] = []
    fleets = [(np.arange(count), accounts.signup, vehicles.copy())]
    bundles = [(np.arange(count), accounts.signup, bundle.copy())]

    for month in range(first_month, until_month + 1):
        known = int(np.searchsorted(accounts.signup, first_day(month + 1)))
        draws = generator(seed, "fleet.life", month).random((known, 5))
        day = first_day(month) + billing_day - 1
        content = paths.in_month(month)[:known]
        here = left_month[:known] >= FAR
        starting = np.flatnonzero(begins[:known] == month)
        age = month - contract_month[:known]
        settled = here & (begins[:known] < month) & (age > 0)
        renews = settled & (age % accounts.term_months[:known] == 0)

        churns = settled & (
            draws[:, 0] < np.where(renews, _renewal_churn(content, accounts.segment[:known]), _sudden_churn(content))
        )
        leaving = np.flatnonzero(churns)
        left.append((leaving, day[leaving], (~renews[leaving]).astype(np.int64)))
        away = month - left_month[:known]
        back = np.flatnonzero(~here & (away >= 4) & (away <= 18) & (draws[:, 0] < _RETURNS))
        staying = np.flatnonzero(settled & ~churns)

        action = np.full(known, NOTHING)
        action[staying] = (draws[staying, 1] > _odds(content[staying], bundle[staying])).sum(axis=0)
        _resize(vehicles, action, draws[:, 2])
        _rebundle(bundle, action, draws[:, 2])
        renewed = np.flatnonzero(renews & ~churns)
        _reprice(price, renewed, draws[renewed, 3:], content[renewed])

        contract_month[back], contract_day[back], left_month[back] = month, day[back], FAR
        begins[back] = month
        left_month[leaving] = month
        ended.append((leaving, contract_day[leaving].copy(), day[leaving]))

        changed = np.concatenate([starting, back, np.flatnonzero((action < NOTHING) | (renews & ~churns)), leaving])
        monthly = np.round(vehicles[changed] * price[changed] * UNIT_PRICES[:, None] * _has(bundle[changed]), 2)
        monthly[:, len(changed) - len(leaving) :] = 0.0
        since = np.where(begins[changed] == month, contract_day[changed], day[changed])
        book.amend(changed, since, monthly, np.zeros_like(changed))
        resized, rebundled = (
            np.flatnonzero(action <= SHRINK),
            np.flatnonzero((action == ADD) | (action == DROP)),
        )
        fleets.append((resized, day[resized], vehicles[resized].copy()))
        bundles.append((rebundled, day[rebundled], bundle[rebundled].copy()))

    here_still = np.flatnonzero(left_month >= FAR)
    ended.append((here_still, contract_day[here_still], np.full(len(here_still), FAR)))
    return FleetLives(
        billing_day,
        accounts.term_months,
        stints(ended),
        book.lines(),
        StateHistory.of(fleets),
        StateHistory.of(bundles),
        Departures.of(left),
    )


def _has(bundle: Ints) -> Ints:
    return (bundle & _BITS[:, None] > 0).astype(np.int64)


def _resize(vehicles: Ints, action: Ints, draw: Floats) -> None:
    """Fleets change by 4 to 20 %, at least one vehicle."""
    for kind, sign in ((GROW, 1), (SHRINK, -1)):
        at = np.flatnonzero(action == kind)
        step = np.maximum(1, np.round(vehicles[at] * (0.04 + 0.16 * draw[at]))).astype(np.int64)
        vehicles[at] = np.maximum(1, vehicles[at] + sign * step)


def _rebundle(bundle: Ints, action: Ints, draw: Floats) -> None:
    """Add one of the products not yet there, or drop one; GPS tracking stays."""
    for kind in (ADD, DROP):
        at = np.flatnonzero(action == kind)
        eligible = (_has(bundle[at]) == (kind == DROP)) & (_BITS[:, None] > 1)
        reach = np.cumsum(eligible, axis=0)
        chosen = (draw[at] * reach[-1] >= reach).sum(axis=0)
        bundle[at] ^= np.where(reach[-1] > 0, _BITS[np.minimum(chosen, len(_BITS) - 1)], 0)


def _reprice(price: Floats, renewed: Ints, draws: Floats, content: Floats) -> None:
    """At a renewal prices rise by 2 to 5 %, stay, or are negotiated down by 4 to 15 %."""
    discounted = draws[:, 0] > 1.0 - 0.14 * (1.3 - content)
    indexed = draws[:, 0] < _INDEXED
    price[renewed] *= np.where(discounted, 0.96 - 0.11 * draws[:, 1], np.where(indexed, 1.02 + 0.03 * draws[:, 1], 1.0))
