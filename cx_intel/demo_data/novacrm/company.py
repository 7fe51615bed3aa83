"""The novacrm world: the systems of a CRM vendor, as tables at the end of a day.

Here the lives from `novacrm_lives` become accounts, subscriptions, invoices and tickets with nothing in
them that was not known then. Usage events come day by day from `novacrm_events`; segment and renewal dates
are left to the portfolio, as this vendor keeps none.
"""

from __future__ import annotations

from datetime import date

import numpy as np
import pandas as pd

from cx_intel.demo_data.companies.names import INDUSTRIES_EN
from cx_intel.demo_data.contacts import ContactBook
from cx_intel.demo_data.contract_lines import OPEN, STATUSES, TRIAL
from cx_intel.demo_data.draws import generator
from cx_intel.demo_data.monthly_log import Block, MonthlyLog, in_order
from cx_intel.demo_data.novacrm.accounts import COUNTRIES, COUNTRY_REGION, PLANS, REGION_UTC_HOURS, REGIONS, accounts
from cx_intel.demo_data.novacrm.events import NovaUsage
from cx_intel.demo_data.novacrm.lives import CAUSES, PRODUCTS, live
from cx_intel.demo_data.signups import SignupSchedule
from cx_intel.demo_data.text_columns import Counter, blank, identifiers, picked, texts
from cx_intel.demo_data.tickets import TicketDesk
from cx_intel.demo_data.timeline import FAR, Ints, dates, first_day
from cx_intel.demo_data.trajectories import disruptions, trajectories
from cx_intel.demo_data.world import PlannedWorld

_ACCOUNT_STATUSES = ("churned", "active", "suspended", "trial")
_INVOICE_STATUSES = ("overdue", "paid", "void")
_CATEGORIES = ("bug", "how_to", "billing", "feature_request", "onboarding", "performance")
_CATEGORY_SHARES = (0.25, 0.19, 0.16, 0.16, 0.12, 0.12)
_LAUNCH_DAYS = 75


class NovaCrmWorld(PlannedWorld):
    """About 150 accounts in USD after three years, billed monthly; ids ACC-, SUB-, INV-, TKT- and EVT-."""

    tables = ("accounts", "subscriptions", "invoices", "support_tickets", "contacts")

    def __init__(self, *, seed: int, accounts: int, starts_on: date, events_from: date) -> None:
        super().__init__(seed=seed, accounts=accounts, starts_on=starts_on, events_from=events_from)
        self.schedule = SignupSchedule(
            seed, accounts, self.starts_on, 0.16, self.starts_on, self.starts_on + _LAUNCH_DAYS
        )

    def plan(self, first_month: int, until_month: int) -> NovaPlan:
        return NovaPlan(self, first_month, until_month)


class NovaPlan:
    """The accounts' lives up to a month, and the tables that show what of them lies behind a day."""

    def __init__(self, world: NovaCrmWorld, first_month: int, until_month: int) -> None:
        seed = world.seed
        signup = world.schedule.days(first_day(until_month + 1) - 1)
        self._seed = seed
        self._width = max(4, len(str(world.accounts)))
        self._accounts = accounts(seed, world.accounts, signup)
        self._paths = trajectories(seed, signup, first_month, until_month)
        self._lives = live(seed, self._accounts, self._paths, first_month, until_month)
        self._start_month, self._end_month = self._lives.lines.months()
        self._invoices = MonthlyLog(first_month, self._invoices_of)
        self._desk = TicketDesk(
            seed=seed,
            account_prefix="ACC-",
            account_width=self._width,
            categories=_CATEGORIES,
            category_shares=_CATEGORY_SHARES,
            per_month=np.array([0.38, 0.62, 1.10])[self._accounts.first_tier],
            utc_hours=REGION_UTC_HOURS[COUNTRY_REGION[self._accounts.country]],
            stints=self._lives.stints,
            paths=self._paths,
        )
        self._tickets = self._desk.log(first_month)
        self._contacts = ContactBook(seed, "en_US", "ACC-", self._width, "-U", 2, signup)
        self._usage = NovaUsage(
            seed=seed,
            account_width=self._width,
            events_from=world.events_from,
            accounts=self._accounts,
            lives=self._lives,
            paths=self._paths,
            disruptions=disruptions(seed, signup, first_month, until_month),
        )

    def table(self, name: str, as_of: int) -> pd.DataFrame:
        if name == "accounts":
            return self.accounts(as_of)
        if name == "subscriptions":
            return self.subscriptions(as_of)
        if name == "invoices":
            return self.invoices(as_of)
        if name == "contacts":
            return self._contacts.frame(as_of)
        return self._desk.frame(self._tickets, as_of)

    def day(self, name: str, day: int) -> pd.DataFrame:
        return self._usage.day(day)

    def departures(self, as_of: int) -> pd.DataFrame:
        return self._lives.departures.frame(as_of, CAUSES, "ACC-", self._width)

    def accounts(self, as_of: int) -> pd.DataFrame:
        """Grain: an account that has signed up.

        `plan_tier` is its plan now, or the last it had; `owner` null: nobody. `status`: trial until the
        first paid day, suspended over an unpaid invoice, churned, else active.
        """
        a = self._accounts
        known = int(np.searchsorted(a.signup, as_of, side="right"))
        status = np.zeros(known, dtype=np.int64)
        stints = self._lives.stints
        status[stints.account[stints.on(as_of)]] = 1
        status[self._lives.suspensions.on(as_of)] = 2
        status[(a.signup[:known] <= as_of) & (as_of < a.trial_end[:known])] = 3
        country = a.country[:known]
        parent = a.parent[:known]
        return pd.DataFrame(
            {
                "account_id": self._account_ids(np.arange(known)),
                "account_name": texts(a.name[:known]),
                "industry": picked(INDUSTRIES_EN, a.industry[:known]),
                "country": picked(COUNTRIES, country),
                "region": picked(REGIONS, COUNTRY_REGION[country]),
                "employee_count": a.employees[:known],
                "plan_tier": picked(PLANS, self._lives.tiers.on(as_of, known)),
                "owner": picked(a.owners, np.maximum(a.owner[:known], 0), a.owner[:known] < 0),
                "status": picked(_ACCOUNT_STATUSES, status),
                "signup_date": dates(a.signup[:known]),
                "parent_account_id": blank(self._account_ids(np.maximum(parent, 0)), parent < 0),
                "currency": picked(("USD",), np.zeros(known, dtype=np.int64)),
            }
        )

    def subscriptions(self, as_of: int) -> pd.DataFrame:
        """Grain: a product at a price, from `start_date` until before `end_date` (null: in force).

        `amount` is per month in USD. A change of plan ends one subscription (upgraded or cancelled) and
        starts the next; a trial carries the plan's list price and status trial.
        """
        lines = self._lives.lines
        known = lines.known_on(as_of)
        end = lines.end[:known]
        closing = lines.closing[:known]
        status = np.where((end <= as_of) | (closing == TRIAL), closing, OPEN)
        return pd.DataFrame(
            {
                "subscription_id": identifiers("SUB-", Counter(np.arange(1, known + 1), 5)),
                "account_id": self._account_ids(lines.account[:known]),
                "product_name": picked(PRODUCTS, lines.product[:known]),
                "plan_tier": picked(PLANS, lines.tier[:known]),
                "amount": lines.monthly[:known].copy(),
                "billing_period_months": np.ones(known, dtype=np.int64),
                "currency": picked(("USD",), np.zeros(known, dtype=np.int64)),
                "start_date": dates(lines.start[:known]),
                "end_date": dates(np.where(end <= as_of, end, FAR)),
                "status": picked(STATUSES, status),
            }
        )

    def invoices(self, as_of: int) -> pd.DataFrame:
        """Grain: an invoice, one a month for the products in force on the billing day; `amount` in USD.

        overdue until it is paid; void: issued twice by mistake and withdrawn at once. `line_items` is
        delimited by |.
        """
        rows = self._invoices.known_on(as_of)
        status = np.where(rows["is_void"], 2, np.where(rows["paid"] <= as_of, 1, 0))
        return pd.DataFrame(
            {
                "invoice_id": identifiers("INV-", Counter(rows["number"], 6)),
                "account_id": self._account_ids(rows["account"]),
                "invoice_date": dates(rows["day"]),
                "amount": rows["amount"],
                "billing_period_months": np.ones(len(status), dtype=np.int64),
                "currency": picked(("USD",), np.zeros(len(status), dtype=np.int64)),
                "status": picked(_INVOICE_STATUSES, status),
                "line_items": picked(_LINE_ITEMS, rows["products"]),
            }
        )

    def _invoices_of(self, month: int) -> Block:
        lines = self._lives.lines
        count = len(self._accounts.signup)
        billed = lines.billed_in(month, self._start_month, self._end_month)
        amount = lines.summed(billed, lines.monthly[billed], count)
        products = lines.summed(billed, np.exp2(lines.product[billed]), count)
        account = np.flatnonzero(amount > 0)
        day = first_day(month) + self._lives.billing_day[account] - 1
        rng = generator(self._seed, "novacrm.invoices", month)
        draws = rng.random((len(account), 3))
        mood = self._paths.on(day, account)
        late = draws[:, 0] > 0.80 + 0.15 * mood
        paid = day + np.where(late, np.ceil(-22 * np.log1p(-0.98 * draws[:, 1])), 0).astype(np.int64)
        paid = np.maximum(paid, self._lives.suspensions.unpaid_until(account, day))
        twice = np.flatnonzero(draws[:, 2] < 0.002)
        rows = np.concatenate([np.arange(len(account)), twice])
        is_void = np.arange(len(rows)) >= len(account)
        return in_order(
            {
                "day": day[rows],
                "account": account[rows],
                "amount": np.round(amount[account][rows], 2),
                "products": products[account][rows].astype(np.int64),
                "paid": paid[rows],
                "is_void": is_void,
            },
            "account",
            "is_void",
        )

    def _account_ids(self, numbers: Ints) -> pd.api.extensions.ExtensionArray:
        return identifiers("ACC-", Counter(numbers + 1, self._width))


def _line_items(bits: int) -> str:
    return "|".join(name for position, name in enumerate(PRODUCTS) if bits >> position & 1)


_LINE_ITEMS = [_line_items(bits) for bits in range(2 ** len(PRODUCTS))]
