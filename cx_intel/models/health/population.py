"""Which accounts a health model judges, and which of their attributes it reads.

The population of signals, scores, ranks and all that follows from them. What is measured of these accounts is
in `signals.py`.
"""

from collections.abc import Iterable

import ibis.expr.types as ir

from cx_intel.contracts.erased import is_erased
from cx_intel.settings.health.model import HealthSettings, StatusPopulation
from cx_intel.settings.portfolio import Portfolio


def health_settings(portfolio: Portfolio) -> HealthSettings:
    """The portfolio's `health` block. Raises ValueError when it has none."""
    if portfolio.health is None:
        raise ValueError(f"portfolio {portfolio.name} has no health block")
    return portfolio.health


def health_population(account_snapshot: ir.Table, portfolio: Portfolio) -> ir.Table:
    """The accounts that the portfolio's health model judges: rows and columns of account_snapshot.

    Paying ones, or those of the listed statuses; churned ones only with `include_churned`.
    """
    who = health_settings(portfolio).population
    if isinstance(who, StatusPopulation):
        chosen = account_snapshot.filter(account_snapshot.status.isin([s.lower() for s in who.status]))
    else:
        chosen = account_snapshot.filter(account_snapshot.current_mrr > 0)
    chosen = chosen.filter(~is_erased(chosen.account_id))
    return chosen if portfolio.include_churned else chosen.filter(~chosen.is_churned)


def with_attributes(account_snapshot: ir.Table, names: Iterable[str]) -> ir.Table:
    """The accounts with only as_of, account_id and these columns.

    Raises:
        KeyError: One of the columns is not there; the text lists those that are.
    """
    wanted = sorted(set(names) - {"as_of", "account_id"})
    if missing := [name for name in wanted if name not in account_snapshot.columns]:
        known = ", ".join(account_snapshot.columns)
        raise KeyError(f"the health block reads {missing[0]!r}, which accounts do not have; they have {known}")
    return account_snapshot.select("as_of", "account_id", *wanted)
