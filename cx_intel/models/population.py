"""Which accounts a health model judges: the population of signals, scores, ranks and what follows from them.

Only that rule belongs here. What is measured of these accounts is in `signals.py`.
"""

import ibis.expr.types as ir

from cx_intel.settings.health import HealthSettings, StatusPopulation
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
    return chosen if portfolio.include_churned else chosen.filter(~chosen.is_churned)
