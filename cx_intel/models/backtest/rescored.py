"""The scores of past days by other weights, curves or tiers, from the values that signals had then.

No past day is made once more, so that it takes seconds; where other settings measure other things, that is needed
(`cx_intel.orchestration.assets.backtest`). How well two sets of scores tell what followed is in `compared.py`.
"""

from collections.abc import Sequence
from datetime import date

import ibis
import ibis.expr.types as ir

from cx_intel.models.backtest.known import account_history_known_on
from cx_intel.models.core.accounts import attributes_on
from cx_intel.models.expressions.joins import beside
from cx_intel.models.health.drivers import attributes_read, score_signals
from cx_intel.models.health.population import health_settings
from cx_intel.models.health.scores import added_up
from cx_intel.settings.portfolio import Portfolio

SCORED = ("health_score", "health_tier", "is_healthy")


def rescored(
    backtest_scores: ir.Table,
    backtest_signals: ir.Table,
    account_history: ir.Table,
    *,
    portfolio: Portfolio,
    days: Sequence[date],
) -> ir.Table:
    """`backtest_scores` by other settings of the same signals and population: score, tier and is_healthy differ.

    Grain: scored_on, account_id. Ranks are within the accounts of each day, as they were.

    Args:
        backtest_scores: By the settings before.
        backtest_signals: What was measured on the same days.
        account_history: For attributes that the scores do not carry, as known on each day.
        portfolio: The other settings.
        days: The days.

    Raises:
        KeyError: A condition or curve reads what neither the scores nor the history of accounts has.
    """
    accounts = backtest_scores.drop("as_of", *SCORED, "coverage_pct").rename(as_of="scored_on")
    wanted = sorted(attributes_read(health_settings(portfolio)) - set(accounts.columns))
    if missing := [name for name in wanted if name not in account_history.columns]:
        raise KeyError(f"the health block reads {missing[0]!r}, which is not kept of past days")
    if wanted:
        known = [_attributes(account_history, wanted, portfolio, day) for day in days]
        accounts = beside(accounts, known[0] if len(known) == 1 else ibis.union(*known), "as_of", "account_id")
    values = backtest_signals.select("account_id", "signal", "value", as_of="scored_on", is_stale=ibis.literal(False))
    found = added_up(score_signals(values, accounts, portfolio=portfolio), health_settings(portfolio))
    scored = found.select("account_id", *SCORED, scored_on="as_of")
    return beside(backtest_scores.drop(*SCORED), scored, "scored_on", "account_id")


def _attributes(account_history: ir.Table, names: Sequence[str], portfolio: Portfolio, day: date) -> ir.Table:
    rows = attributes_on(account_history_known_on(account_history, portfolio=portfolio, as_of=day), day)
    return rows.select("account_id", *names).mutate(as_of=ibis.literal(day))
