"""The book of contracts: which products an account pays for, from when, until when, at what monthly price.

A life in `novacrm_lives` or `fleet_lives` says what an account pays from a day on; the book turns that into
lines that open and close. Subscriptions, invoices and the MRR history are all read from these lines, so
they agree with each other.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cx_intel.demo_data.timeline import FAR, Floats, Ints, months_of

OPEN, CANCELLED, UPGRADED, TRIAL = 0, 1, 2, 3
STATUSES = ("active", "cancelled", "upgraded", "trial")


@dataclass(frozen=True)
class ContractLines:
    """One line per account, product and price, in the order of the day on which it starts.

    Prices are monthly, in the account's currency. `closing` says why a line ended (an index into STATUSES);
    a line in force has `end` FAR. A month counts a line when it is in force on the account's billing day of
    that month.
    """

    account: Ints
    product: Ints
    tier: Ints
    monthly: Floats
    start: Ints
    end: Ints
    closing: Ints

    def known_on(self, day: int) -> int:
        """How many lines had started by the end of the day: the first ones."""
        return int(np.searchsorted(self.start, day, side="right"))

    def billed_in(self, month: int, start_month: Ints, end_month: Ints) -> Ints:
        return np.flatnonzero((start_month <= month) & (month < end_month) & (self.closing != TRIAL))

    def summed(self, rows: Ints, values: Floats, accounts: int) -> Floats:
        """The sum of the rows' values for each of the first `accounts` accounts."""
        return np.bincount(self.account[rows], weights=values, minlength=accounts).astype(np.float64)

    def months(self) -> tuple[Ints, Ints]:
        """The month numbers of start and end of each line."""
        return months_of(self.start), months_of(self.end)


class ContractBook:
    """Lines being written, month after month; prices of the day stand in `monthly[product, account]`."""

    def __init__(self, products: int, accounts: int) -> None:
        self.monthly: Floats = np.zeros((products, accounts))
        self._tier: NDArray[np.int8] = np.zeros((products, accounts), dtype=np.int8)
        self._start: NDArray[np.int64] = np.zeros((products, accounts), dtype=np.int64)
        self._closed: list[tuple[Ints, ...] | tuple[Ints | Floats, ...]] = []

    def amend(self, accounts: Ints, day: Ints, monthly: Floats, tier: Ints) -> None:
        """From `day` on the accounts pay `monthly[product, row]`, 0 for none; only changes are written."""
        for product, price in enumerate(monthly):
            before = self.monthly[product, accounts]
            changed = np.flatnonzero(before != price)
            ends = changed[before[changed] > 0]
            closing = np.where(price[ends] > before[ends], UPGRADED, CANCELLED)
            self._close(product, accounts[ends], day[ends], closing)
            at = accounts[changed]
            self.monthly[product, at] = price[changed]
            self._tier[product, at] = tier[changed]
            self._start[product, at] = day[changed]

    def trial(self, accounts: Ints, start: Ints, end: Ints, price: Floats, tier: Ints) -> None:
        """Trials of the first product, at the price the plan has on the list."""
        shape = np.zeros_like(accounts)
        self._closed.append((accounts, shape, tier, price, start, end, shape + TRIAL))

    def lines(self) -> ContractLines:
        """All lines written so far; those in force have no end."""
        for product in range(len(self.monthly)):
            at = np.flatnonzero(self.monthly[product] > 0)
            self._close(product, at, np.full(len(at), FAR), np.full(len(at), OPEN))
        columns = [np.concatenate(column) for column in zip(*self._closed, strict=True)]
        self._closed = []
        order = np.lexsort((columns[1], columns[0], columns[4]))
        account, product_codes, tier, monthly, start, end, closing = (column[order] for column in columns)
        return ContractLines(account, product_codes, tier.astype(np.int64), monthly, start, end, closing)

    def _close(self, product: int, accounts: Ints, end: Ints, closing: Ints) -> None:
        shape = np.full(len(accounts), product)
        price = self.monthly[product, accounts]
        start = self._start[product, accounts]
        self._closed.append(
            (accounts, shape, self._tier[product, accounts].astype(np.int64), price, start, end, closing)
        )


@dataclass(frozen=True)
class StateHistory:
    """States of accounts in the order of their days, each valid until the account's next one."""

    account: Ints
    day: Ints
    value: Ints

    @classmethod
    def of(cls, rows: list[tuple[Ints, Ints, Ints]]) -> StateHistory:
        account, day, value = (np.concatenate(column).astype(np.int64) for column in zip(*rows, strict=True))
        order = np.argsort(day, kind="stable")
        return cls(account[order], day[order], value[order])

    def on(self, day: int, accounts: int) -> Ints:
        """The state of the first `accounts` accounts on a day; 0 for one that has none yet."""
        states = np.zeros(accounts, dtype=np.int64)
        known = int(np.searchsorted(self.day, day, side="right"))
        within = self.account[:known] < accounts
        states[self.account[:known][within]] = self.value[:known][within]
        return states
