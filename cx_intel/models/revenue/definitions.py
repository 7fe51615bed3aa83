"""Net and gross revenue retention of a month under each definition in use, and what makes them differ.

Here are the formulas that `docs/definitions.md` names, in exact arithmetic over the ledger; the figures that the tables
hold are computed in `waterfall.py`, and a test holds the two together. How they are shown is decided in `cx_intel.cli`.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from functools import cached_property
from math import prod
from typing import Literal

Kind = Literal["nrr", "grr"]
YEAR = 12


@dataclass(frozen=True)
class Entry:
    """A row of `fct_revenue`: what an account pays in a month (year x 12 + month - 1), and how that moved."""

    account_id: str
    month: int
    mrr: Decimal
    previous_mrr: Decimal
    revenue_movement: str


@dataclass(frozen=True)
class Difference:
    """A part of the difference between a figure and the closed cohort's, in percentage points."""

    cause: str
    points: Fraction


@dataclass(frozen=True)
class NamedFigure:
    """Retention under one definition.

    Attributes:
        name: Of the definition, as in docs/definitions.md.
        formula: In words.
        pct: 0 to 100 and above; None where its denominator is 0 or its months are not all there.
        kept: The numerator, None where the figure is a product of rates.
        base: The denominator, likewise.
        differences: What separates it from the closed cohort; they sum to the difference.
    """

    name: str
    formula: str
    pct: Fraction | None
    kept: Fraction | None = None
    base: Fraction | None = None
    differences: tuple[Difference, ...] = ()


FORMULAS: Mapping[str, Mapping[Kind, str]] = {
    "closed cohort": {
        "nrr": "MRR now of the accounts that paid twelve months ago / their MRR then",
        "grr": "MRR now of the accounts that paid twelve months ago, each at most its MRR of then / their MRR then",
    },
    "monthly": {
        "nrr": "(starting + expansion - contraction - churned) / starting, of this month alone",
        "grr": "(starting - contraction - churned) / starting, of this month alone",
    },
    "compounded monthly": {
        "nrr": "the product of the last twelve monthly NRR",
        "grr": "the product of the last twelve monthly GRR",
    },
    "bridge": {
        "nrr": "(MRR twelve months ago + expansion - contraction - churned of all accounts since) / MRR twelve months ago",
        "grr": "(MRR twelve months ago - contraction - churned of all accounts since) / MRR twelve months ago",
    },
    "renewal base": {
        "nrr": "MRR in the month of each renewal of the last twelve months / MRR in the month before it",
        "grr": "MRR in the month of each renewal of the last twelve months, at most that of before / MRR in the month before it",
    },
}
"""Definition: its formula for NRR and for GRR. The page names them alike."""


class Ledger:
    """The ledger by account and month, for exact sums.

    Args:
        entries: All rows of `fct_revenue`.
        contract_months: Account: the month its first contract began; where missing, its first month in the ledger.
        term_months: How long a contract runs, for the renewal base.
    """

    def __init__(self, entries: Iterable[Entry], contract_months: Mapping[str, int], term_months: int) -> None:
        self.entries = tuple(entries)
        self.contract_months = contract_months
        self.term_months = term_months

    @cached_property
    def mrr(self) -> dict[tuple[str, int], Fraction]:
        return {(e.account_id, e.month): Fraction(e.mrr) for e in self.entries}

    @cached_property
    def accounts(self) -> tuple[str, ...]:
        return tuple(sorted(self.first_months))

    @cached_property
    def first_months(self) -> dict[str, int]:
        """The month of each account's first row."""
        first: dict[str, int] = {}
        for e in self.entries:
            first[e.account_id] = min(e.month, first.get(e.account_id, e.month))
        return first

    @cached_property
    def first_month(self) -> int:
        return min(self.first_months.values(), default=0)

    def paid(self, account: str, month: int) -> Fraction:
        return self.mrr.get((account, month), Fraction(0))

    def cohort(self, month: int) -> frozenset[str]:
        """The accounts with MRR twelve months before."""
        return frozenset(a for a in self.accounts if self.paid(a, month - YEAR) > 0)

    def moves(self, months: range, accounts: Callable[[str], bool]) -> "Moves":
        """The movements of the months, of the accounts that fit."""
        total = Moves()
        for e in self.entries:
            if e.month in months and accounts(e.account_id):
                total = total.and_of(e, self.paid(e.account_id, e.month - 1))
        return total

    def renewals(self, month: int) -> list[tuple[str, int]]:
        """The accounts whose contract came to the end of a term in the twelve months to `month`, and when."""
        found = []
        for account in self.accounts:
            began = self.contract_months.get(account, self.first_months[account])
            for m in range(month - YEAR + 1, month + 1):
                if m > began and (m - began) % self.term_months == 0 and self.paid(account, m - 1) > 0:
                    found.append((account, m))
        return found


@dataclass(frozen=True)
class Moves:
    """Sums of movements: `gained` is expansion, `lost` contraction and churn, `returned` reactivation.

    `restated` is by how much a month begins otherwise than the month before ended, which only closed months do.
    """

    gained: Fraction = Fraction(0)
    lost: Fraction = Fraction(0)
    returned: Fraction = Fraction(0)
    restated: Fraction = Fraction(0)
    started: Fraction = Fraction(0)

    def and_of(self, entry: Entry, ended_before: Fraction) -> "Moves":
        change, previous = Fraction(entry.mrr) - Fraction(entry.previous_mrr), Fraction(entry.previous_mrr)
        counts = entry.revenue_movement in ("expansion", "contraction", "churn", "flat")
        returned = change if entry.revenue_movement == "reactivation" else Fraction(0)
        return Moves(
            self.gained + (max(change, Fraction(0)) if counts else 0),
            self.lost + (max(-change, Fraction(0)) if counts else 0),
            self.returned + returned,
            self.restated + (previous - ended_before if counts else 0),
            self.started + previous,
        )

    def rate(self, kind: Kind) -> Fraction | None:
        gained = self.gained if kind == "nrr" else Fraction(0)
        return (self.started + gained - self.lost) / self.started if self.started else None


def retention(ledger: Ledger, month: int, kind: Kind) -> tuple[NamedFigure, ...]:
    """NRR or GRR of a month under each definition, the closed cohort first.

    Where the ledger begins less than twelve months before, only the monthly figure exists.
    """
    monthly = _rates(ledger, range(month, month + 1), kind, lambda _: True)[0]
    if month - YEAR < ledger.first_month or not ledger.cohort(month):
        return tuple(_figure(name, kind, monthly if name == "monthly" else None) for name in FORMULAS)
    cohort, year = ledger.cohort(month), range(month - YEAR + 1, month + 1)
    kept, base = _kept(ledger, [(a, month - YEAR, month) for a in sorted(cohort)], kind)
    closed = kept / base
    of_all, of_cohort = (
        _product(_rates(ledger, year, kind, chosen)) for chosen in (lambda _: True, lambda a: a in cohort)
    )
    rebased: tuple[Difference, ...] = ()
    if of_all is not None and of_cohort is not None:
        rebased = (
            _points("each month's rate counts the accounts that joined since", of_all - of_cohort),
            _points("each month stands alone: returns, and losses made good later", of_cohort - closed),
        )
    elif of_all is not None:  # in some month none of the cohort paid
        rebased = (_points("each month's rate counts the accounts that joined since", of_all - closed),)
    year_for_month: tuple[Difference, ...] = ()
    if monthly is not None:
        compounded = closed if of_all is None else of_all
        year_for_month = (_points("one month instead of twelve", monthly - compounded), *rebased)
    bridge_kept, bridge_parts = _bridge(ledger, year, cohort, base, kept, kind)
    return (
        _figure("closed cohort", kind, closed, kept, base),
        _figure("monthly", kind, monthly, differences=year_for_month),
        _figure("compounded monthly", kind, of_all, differences=rebased),
        _figure("bridge", kind, bridge_kept / base, bridge_kept, base, bridge_parts),
        _renewal_base(ledger, month, cohort, closed, kind),
    )


def _bridge(
    ledger: Ledger, year: range, cohort: frozenset[str], base: Fraction, kept: Fraction, kind: Kind
) -> tuple[Fraction, tuple[Difference, ...]]:
    others, members = ledger.moves(year, lambda a: a not in cohort), ledger.moves(year, lambda a: a in cohort)
    gained = 1 if kind == "nrr" else 0
    joined = gained * others.gained - others.lost
    bridge = base + gained * members.gained - members.lost + joined
    parts = [_points("movements of accounts that did not pay twelve months ago", joined / base)]
    rest = bridge - joined - kept
    if kind == "nrr":
        parts.append(_points("returns after a churn, which the bridge leaves out", -members.returned / base))
        parts.append(_points("restated since it was closed", (rest + members.returned) / base))
    else:
        parts.append(_points("losses made good within the year, or that followed a gain", rest / base))
    return bridge, tuple(part for part in parts if part.points or part is parts[0])


def _renewal_base(ledger: Ledger, month: int, cohort: frozenset[str], closed: Fraction, kind: Kind) -> NamedFigure:
    renewals = ledger.renewals(month)
    if not renewals:
        return _figure("renewal base", kind, None)
    kept, base = _kept(ledger, [(a, m - 1, m) for a, m in renewals], kind)
    renewing = sorted({a for a, _ in renewals} & cohort)
    figure = kept / base
    if not renewing:
        return _figure(
            "renewal base", kind, figure, kept, base, (_points("other accounts and other months", figure - closed),)
        )
    kept_of_them, base_of_them = _kept(ledger, [(a, month - YEAR, month) for a in renewing], kind)
    restricted = kept_of_them / base_of_them
    return _figure(
        "renewal base",
        kind,
        figure,
        kept,
        base,
        (
            _points("accounts without a renewal in the year are left out", restricted - closed),
            _points("measured at each renewal instead of over the year", figure - restricted),
        ),
    )


def _kept(ledger: Ledger, spans: Iterable[tuple[str, int, int]], kind: Kind) -> tuple[Fraction, Fraction]:
    """What the accounts pay at the end of each span, and what they paid at its beginning."""
    pairs = [(ledger.paid(a, then), ledger.paid(a, now)) for a, then, now in spans]
    kept = sum((now if kind == "nrr" else min(now, then) for then, now in pairs), Fraction(0))
    return kept, sum((then for then, _ in pairs), Fraction(0))


def _rates(ledger: Ledger, months: range, kind: Kind, chosen: Callable[[str], bool]) -> list[Fraction | None]:
    return [ledger.moves(range(m, m + 1), chosen).rate(kind) for m in months]


def _product(rates: list[Fraction | None]) -> Fraction | None:
    known = [rate for rate in rates if rate is not None]
    return prod(known, start=Fraction(1)) if len(known) == len(rates) else None


def _points(cause: str, share: Fraction) -> Difference:
    return Difference(cause, 100 * share)


def _figure(
    name: str,
    kind: Kind,
    share: Fraction | None,
    kept: Fraction | None = None,
    base: Fraction | None = None,
    differences: tuple[Difference, ...] = (),
) -> NamedFigure:
    pct = None if share is None else 100 * share
    return NamedFigure(name, FORMULAS[name][kind], pct, kept, base, differences)
