"""The commercial lives of NovaCRM's accounts: trial, plan, add-ons, suspension, churn and return.

Here it is decided what an account buys and when it leaves; the odds follow its satisfaction
(`trajectories`). Who the accounts are is in `novacrm_accounts`, the tables made from a plan are in
`novacrm`, what users do on a day in `novacrm_events`.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from cx_intel.demo_data.contract_lines import ContractBook, ContractLines, StateHistory
from cx_intel.demo_data.departures import Departures
from cx_intel.demo_data.draws import generator
from cx_intel.demo_data.novacrm.accounts import NovaAccounts
from cx_intel.demo_data.timeline import FAR, Bools, Floats, Ints, day_of_month, first_day, months_of
from cx_intel.demo_data.trajectories import Stints, Trajectories, stints

PRODUCTS = ("novacrm_platform", "api_access", "advanced_analytics", "priority_support")
PLAN_PRICES = np.array([49.0, 149.0, 499.0])
ADDON_PRICES = np.array([29.0, 79.0, 59.0])
_ADDON_APPEAL = np.array([0.45, 0.25, 0.30])

NOT_PAYING, PAYING, LEAVING, SUSPENDED, LEFT = range(5)
GIVE_UP, SUSPEND, UPGRADE, DOWNGRADE, BUY, DROP, NOTHING = range(7)
_MONTHS_TO_LEAVE = 3
CAUSES = ("discontent", "unpaid invoice")
"""Why accounts leave: given up three months before, or a suspension that lasts; both fade before their end."""
_CHURN_BY_PLAN = np.array([1.55, 1.0, 0.55])
_RESUMES = 0.75
_RETURNS = 0.022  # monthly odds, from the third to the fifteenth month away


@dataclass(frozen=True)
class Suspensions:
    """Spells without service over an unpaid invoice; `lasting` ones end in churn."""

    account: Ints
    start: Ints
    end: Ints
    lasting: Bools

    def on(self, day: int) -> Ints:
        """The accounts suspended on a day."""
        return self.account[(self.start <= day) & (day < self.end)]

    def unpaid_until(self, account: Ints, day: Ints) -> Ints:
        """The day until which a suspension keeps an invoice of `day` unpaid: 0 without one, FAR for ever.

        `account` is ascending.
        """
        until = np.zeros(len(account), dtype=np.int64)
        within = np.minimum(np.searchsorted(account, self.account), max(len(account) - 1, 0))
        if len(account) and len(self.account):
            meets = (account[within] == self.account) & (self.start <= day[within]) & (day[within] < self.end)
            until[within[meets]] = np.where(self.lasting, FAR, self.end)[meets]
        return until


@dataclass(frozen=True)
class NovaLives:
    """What became of every account: spells as a customer, contracts, plans (see PLAN_PRICES), suspensions.

    `billing_day` is the day of the month, 1 to 28, on which it is billed and on which anything may change.
    """

    billing_day: Ints
    stints: Stints
    lines: ContractLines
    tiers: StateHistory
    suspensions: Suspensions
    departures: Departures
    """By CAUSES; a trial that fails was no customer."""


def _odds(satisfaction: Floats, tier: Ints, addons: Ints, is_leaving: Bools) -> Floats:
    """Cumulative monthly odds of GIVE_UP ... DROP, one row each, for paying accounts.

    Who has given up leaves three months later, and until then may only cut down.
    """
    content = satisfaction
    addon_count = addons.sum(axis=0)
    return np.cumsum(
        [
            np.exp(-2.85 - 3.3 * content) * _CHURN_BY_PLAN[tier] * ~is_leaving,
            0.018 * (1.0 - content) * ~is_leaving,
            np.array([0.016, 0.011, 0.0])[tier] * content * ~is_leaving,
            np.where(is_leaving, 0.18, 0.006 * (1.25 - content)) * (tier > 0),
            0.036 * content * (addon_count < 3) * ~is_leaving,
            np.where(is_leaving, 0.36, 0.022 * (1.2 - content)) * (addon_count > 0),
        ],
        axis=0,
    )


def live(seed: int, accounts: NovaAccounts, paths: Trajectories, first_month: int, until_month: int) -> NovaLives:
    """Every account's life for the months from `first_month` up to and including `until_month`.

    All changes take effect on the account's billing day, at most one a month.
    """
    count = len(accounts.signup)
    status = np.full(count, NOT_PAYING)
    tier = accounts.first_tier.copy()
    addons = np.zeros((3, count), dtype=np.int64)
    since = months_of(accounts.paid_from)  # month of the last change of status
    stint_start = accounts.signup.copy()
    billing_day = day_of_month(np.minimum(accounts.paid_from, FAR - 1))
    book = ContractBook(len(PRODUCTS), count)
    ended: list[tuple[Ints, Ints, Ints]] = []
    left: list[tuple[Ints, Ints, Ints]] = []
    tiers: list[tuple[Ints, Ints, Ints]] = [(np.arange(count), accounts.signup, tier.copy())]
    pauses: list[tuple[Ints, Ints, Ints, Bools]] = []

    tried = np.flatnonzero(accounts.trial_end > accounts.signup)
    book.trial(tried, accounts.signup[tried], accounts.trial_end[tried], PLAN_PRICES[tier[tried]], tier[tried])
    lost = np.flatnonzero(accounts.paid_from >= FAR)
    ended.append((lost, accounts.signup[lost], accounts.trial_end[lost]))

    for month in range(first_month, until_month + 1):
        known = int(np.searchsorted(accounts.signup, first_day(month + 1)))
        draws = generator(seed, "novacrm.life", month).random((known, 3))
        day = first_day(month) + billing_day - 1
        settled = (since[:known] < month) & (accounts.paid_from[:known] < FAR)

        starting = np.flatnonzero((status[:known] == NOT_PAYING) & (since[:known] == month))
        quits = settled & (status[:known] == LEAVING) & (month - since[:known] >= _MONTHS_TO_LEAVE)
        paying = np.flatnonzero(((status[:known] == PAYING) | (status[:known] == LEAVING)) & settled & ~quits)
        paused = np.flatnonzero((status[:known] == SUSPENDED) & settled)
        away = np.flatnonzero((status[:known] == LEFT) & (month - since[:known] >= 3) & (month - since[:known] <= 15))

        is_leaving = status[paying] == LEAVING
        odds = _odds(paths.in_month(month)[paying], tier[paying], addons[:, paying], is_leaving)
        action = np.full(known, NOTHING)
        action[paying] = (draws[paying, 0] > odds).sum(axis=0)
        fails = paused[draws[paused, 0] > _RESUMES]
        resumed = paused[draws[paused, 0] <= _RESUMES]
        giving_up = action_of(action, GIVE_UP)
        leaving = np.concatenate([np.flatnonzero(quits), fails])
        suspended = action_of(action, SUSPEND)
        back = away[draws[away, 0] < _RETURNS]

        tier[action_of(action, UPGRADE)] += 1
        tier[action_of(action, DOWNGRADE)] -= 1
        _change_addons(addons, action, draws[:, 1:])
        _first_addons(addons, starting, draws[starting, 1:], tier)
        addons[:, back] = 0

        status[starting], status[back], status[resumed] = PAYING, PAYING, PAYING
        status[suspended], status[giving_up], status[leaving] = SUSPENDED, LEAVING, LEFT
        for changed in (back, resumed, suspended, giving_up, leaving):
            since[changed] = month
        ended.append((leaving, stint_start[leaving], day[leaving]))
        left.append((leaving, day[leaving], np.isin(leaving, fails).astype(np.int64)))
        stint_start[back] = day[back]
        pauses.append((suspended, day[suspended], day[suspended], np.zeros(len(suspended), dtype=bool)))
        pauses.append((paused, np.full(len(paused), -1), day[paused], np.isin(paused, fails)))

        bought = np.concatenate([starting, back, np.flatnonzero((action >= UPGRADE) & (action <= DROP)), leaving])
        monthly = np.vstack([PLAN_PRICES[tier[bought]], addons[:, bought] * ADDON_PRICES[:, None]])
        monthly[:, len(bought) - len(leaving) :] = 0.0
        book.amend(bought, day[bought], monthly, tier[bought])
        moved = np.concatenate([action_of(action, UPGRADE), action_of(action, DOWNGRADE)])
        tiers.append((moved, day[moved], tier[moved].copy()))

    here = np.flatnonzero((status != LEFT) & (accounts.paid_from < FAR))
    ended.append((here, stint_start[here], np.full(len(here), FAR)))
    return NovaLives(
        billing_day, stints(ended), book.lines(), StateHistory.of(tiers), _suspensions(pauses), Departures.of(left)
    )


def action_of(action: Ints, kind: int) -> Ints:
    return np.flatnonzero(action == kind)


def _change_addons(addons: Ints, action: Ints, draws: Floats) -> None:
    """Buy a free add-on by its appeal, or drop one of those there are, each as likely."""
    for kind, weights in ((BUY, _ADDON_APPEAL), (DROP, np.ones(3))):
        at = action_of(action, kind)
        eligible = (addons[:, at] == (kind == DROP)) * weights[:, None]
        reach = np.cumsum(eligible, axis=0)
        chosen = (draws[at, 0] * reach[-1] >= reach).sum(axis=0)
        addons[chosen, at] = int(kind == BUY)


def _first_addons(addons: Ints, starting: Ints, draws: Floats, tier: Ints) -> None:
    """Some accounts begin with an add-on, more of them on higher plans."""
    takes = draws[:, 0] < np.array([0.12, 0.25, 0.40])[tier[starting]]
    chosen = np.searchsorted(np.cumsum(_ADDON_APPEAL)[:-1], draws[:, 1], side="right")
    addons[chosen[takes], starting[takes]] = 1


def _suspensions(rows: list[tuple[Ints, Ints, Ints, Bools]]) -> Suspensions:
    """Pair each start with the end that follows it for the same account; FAR where none does yet."""
    account, start, end, lasting = (np.concatenate(column) for column in zip(*rows, strict=True))
    order = np.lexsort((end, account))
    account, start, end, lasting = account[order], start[order], end[order], lasting[order]
    begins = np.flatnonzero(start >= 0)
    after = np.minimum(begins + 1, max(len(account) - 1, 0))
    closed = (after > begins) & (account[after] == account[begins]) & (start[after] < 0)
    return Suspensions(account[begins], start[begins], np.where(closed, end[after], FAR), lasting[after] & closed)
