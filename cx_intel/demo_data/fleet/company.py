"""The fleet world: the systems of a fleet-management vendor in DE, AT and CH, as tables at the end of a day.

Here the lives from `fleet_lives` become accounts, subscriptions and an MRR history with nothing in them
that was not known then. Surveys and activities are in `fleet_relationship`, tickets in `tickets`, the
events of a day in `fleet_events`.
"""

from __future__ import annotations

from datetime import date

import numpy as np
import pandas as pd

from cx_intel.demo_data.companies.dach_places import COUNTRIES, REGIONS
from cx_intel.demo_data.companies.names import INDUSTRIES_DE
from cx_intel.demo_data.contacts import ContactBook
from cx_intel.demo_data.contract_lines import OPEN, STATUSES
from cx_intel.demo_data.fleet.accounts import (
    CURRENCIES,
    LEGACY_SYSTEMS,
    PRODUCT_CODES,
    PRODUCT_LABELS,
    SEGMENTS,
    accounts,
)
from cx_intel.demo_data.fleet.events import FleetUsage
from cx_intel.demo_data.fleet.lives import CAUSES, NOTICE_DAYS, live
from cx_intel.demo_data.fleet.relationship import Relationship
from cx_intel.demo_data.monthly_log import Block, MonthlyLog, in_order
from cx_intel.demo_data.signups import THREE_YEARS, SignupSchedule
from cx_intel.demo_data.text_columns import Counter, blank, identifiers, picked, texts
from cx_intel.demo_data.tickets import TicketDesk
from cx_intel.demo_data.timeline import FAR, Ints, dates, first_day, first_days, months_of
from cx_intel.demo_data.trajectories import disruptions, trajectories
from cx_intel.demo_data.world import PlannedWorld

_ACCOUNT_STATUSES = ("churned", "active")
_CATEGORIES = ("hardware", "gps_signal", "logbook", "how_to", "billing", "bug", "integration", "onboarding")
_CATEGORY_SHARES = (0.20, 0.16, 0.13, 0.16, 0.12, 0.11, 0.06, 0.06)
_FOUNDING_SHARE = 0.55
_ZERO_MONTHS = 2


class FleetWorld(PlannedWorld):
    """About 250 customers in EUR and CHF, half of them from before the start, from three merged companies.

    Ids are CUST-, SUB-, TKT-, NPS-, ACT- and EVT-.
    """

    tables = (
        "accounts",
        "subscriptions",
        "mrr_history",
        "support_tickets",
        "nps_responses",
        "csm_activities",
        "contacts",
    )

    def __init__(self, *, seed: int, accounts: int, starts_on: date, events_from: date) -> None:
        super().__init__(seed=seed, accounts=accounts, starts_on=starts_on, events_from=events_from)
        self.schedule = SignupSchedule(
            seed, accounts, self.starts_on, _FOUNDING_SHARE, self.starts_on - THREE_YEARS, self.starts_on
        )

    def plan(self, first_month: int, until_month: int) -> FleetPlan:
        return FleetPlan(self, first_month, until_month)


class FleetPlan:
    """The customers' lives up to a month, and the tables that show what of them lies behind a day."""

    def __init__(self, world: FleetWorld, first_month: int, until_month: int) -> None:
        seed = world.seed
        self._width = max(4, len(str(world.accounts)))
        signup = world.schedule.days(first_day(until_month + 1) - 1)
        self._accounts = accounts(seed, world.accounts, signup, world.starts_on)
        signup = self._accounts.signup
        self._paths = trajectories(seed, signup, first_month, until_month)
        self._lives = live(seed, self._accounts, self._paths, first_month, until_month)
        self._start_month, self._end_month = self._lives.lines.months()
        self._contract_month, self._contract_end = self._lives.contract_start()
        self._mrr = MonthlyLog(first_month, self._mrr_of)
        self._desk = TicketDesk(
            seed=seed,
            account_prefix="CUST-",
            account_width=self._width,
            categories=_CATEGORIES,
            category_shares=_CATEGORY_SHARES,
            per_month=0.28 + 0.30 * np.log(self._accounts.vehicles),
            utc_hours=np.ones(len(signup), dtype=np.int64),
            stints=self._lives.stints,
            paths=self._paths,
        )
        self._tickets = self._desk.log(first_month)
        self._relationship = Relationship(seed, self._width, self._accounts, self._lives.stints, self._paths)
        self._responses = self._relationship.responses_log(first_month)
        self._activities = self._relationship.activities_log(first_month)
        self._contacts = ContactBook(seed, "de_DE", "CUST-", self._width, "-A", 1, signup)
        self._usage = FleetUsage(
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
        if name == "mrr_history":
            return self.mrr_history(as_of)
        if name == "support_tickets":
            return self._desk.frame(self._tickets, as_of)
        if name == "nps_responses":
            return self._relationship.responses(self._responses, as_of)
        if name == "contacts":
            return self._contacts.frame(as_of)
        return self._relationship.activities(self._activities, as_of)

    def day(self, name: str, day: int) -> pd.DataFrame:
        return self._usage.day(day)

    def departures(self, as_of: int) -> pd.DataFrame:
        return self._lives.departures.frame(as_of, CAUSES, "CUST-", self._width)

    def accounts(self, as_of: int) -> pd.DataFrame:
        """Grain: a customer that has signed up.

        `vehicle_count` and `products` (labels delimited by |) are those under contract, or of the last
        contract; `status`: active or churned; `owner` null: nobody.
        """
        a = self._accounts
        known = int(np.searchsorted(a.signup, as_of, side="right"))
        status = np.zeros(known, dtype=np.int64)
        stints = self._lives.stints
        status[stints.account[stints.on(as_of)]] = 1
        bundle = self._lives.bundles.on(as_of, known)
        parent = a.parent[:known]
        return pd.DataFrame(
            {
                "account_id": self._account_ids(np.arange(known)),
                "account_name": texts(a.name[:known]),
                "segment": picked(SEGMENTS, a.segment[:known]),
                "industry": picked(INDUSTRIES_DE, a.industry[:known]),
                "country": picked(COUNTRIES, a.country[:known]),
                "region": picked(REGIONS, a.region[:known]),
                "employee_count": a.employees[:known],
                "owner": picked(a.owners, np.maximum(a.owner[:known], 0), a.owner[:known] < 0),
                "status": picked(_ACCOUNT_STATUSES, status),
                "signup_date": dates(a.signup[:known]),
                "parent_account_id": blank(self._account_ids(np.maximum(parent, 0)), parent < 0),
                "currency": picked(CURRENCIES, a.currency[:known]),
                "vehicle_count": self._lives.vehicles.on(as_of, known),
                "products": picked(_BUNDLE_LABELS, bundle),
                "product_count": np.bitwise_count(bundle).astype(np.int64),
                "legacy_system": picked(LEGACY_SYSTEMS, a.legacy[:known]),
            }
        )

    def subscriptions(self, as_of: int) -> pd.DataFrame:
        """Grain: a product at a price, from `start_date` until before `end_date` (null: no end known).

        `amount` covers `billing_period_months` in `currency`. A change of price or fleet ends a
        subscription (upgraded or cancelled) and starts the next. `renewal_date` is the end of the current
        term, of a few customers still the last one for some weeks after it; a cancelled contract shows its
        end from 30 days before it.
        """
        lines = self._lives.lines
        known = lines.known_on(as_of)
        account, end = lines.account[:known], lines.end[:known]
        contract_month, contract_end = self._contract_month[:known], self._contract_end[:known]
        at_term = (months_of(end) - contract_month) % self._lives.term_months[account] == 0
        announced = np.where((end == contract_end) & at_term, NOTICE_DAYS, 0)
        is_over = end <= as_of
        seen = np.maximum(np.where(is_over, end - 1, as_of - self._accounts.late_days[account]), lines.start[:known])
        months = np.where(self._accounts.billed_yearly[account], 12, 1)
        return pd.DataFrame(
            {
                "subscription_id": identifiers("SUB-", Counter(np.arange(1, known + 1), 5)),
                "account_id": self._account_ids(account),
                "product_name": picked(PRODUCT_CODES, lines.product[:known]),
                "amount": np.round(lines.monthly[:known] * months, 2),
                "billing_period_months": months,
                "currency": picked(CURRENCIES, self._accounts.currency[account]),
                "start_date": dates(lines.start[:known]),
                "end_date": dates(np.where(end - announced <= as_of, end, FAR)),
                "renewal_date": dates(self._lives.next_renewal(contract_month, account, seen)),
                "status": picked(STATUSES, np.where(is_over, lines.closing[:known], OPEN)),
            }
        )

    def mrr_history(self, as_of: int) -> pd.DataFrame:
        """Grain: a customer and month (its first day) from the world's start on; `mrr` in `currency`.

        The figure is what is in force on the customer's billing day and after, and is known from that day.
        A customer who leaves has two months of 0, then no row.
        """
        rows = self._mrr.known_on(as_of)
        return pd.DataFrame(
            {
                "account_id": self._account_ids(rows["account"]),
                "month": dates(first_days(rows["month"])),
                "mrr": rows["mrr"],
                "currency": picked(CURRENCIES, self._accounts.currency[rows["account"]]),
            }
        )

    def _mrr_of(self, month: int) -> Block:
        lines, stints = self._lives.lines, self._lives.stints
        billed = lines.billed_in(month, self._start_month, self._end_month)
        mrr = lines.summed(billed, lines.monthly[billed], len(self._accounts.signup))
        since = month - months_of(stints.end)
        gone = stints.account[(since >= 0) & (since < _ZERO_MONTHS)]
        account = np.union1d(np.flatnonzero(mrr > 0), gone)
        return in_order(
            {
                "day": first_day(month) + self._lives.billing_day[account] - 1,
                "account": account,
                "month": np.full(len(account), month),
                "mrr": np.round(mrr[account], 2),
            },
            "account",
        )

    def _account_ids(self, numbers: Ints) -> pd.api.extensions.ExtensionArray:
        return identifiers("CUST-", Counter(numbers + 1, self._width))


def _labels(bits: int) -> str:
    return "|".join(label for position, label in enumerate(PRODUCT_LABELS) if bits >> position & 1)


_BUNDLE_LABELS = [_labels(bits) for bits in range(2 ** len(PRODUCT_LABELS))]
