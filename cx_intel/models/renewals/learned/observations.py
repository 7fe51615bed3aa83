"""The past renewals that a probability is learnt from: `renewal_observations`; and which of them teach, and which judge.

An observation is an account on a past month end with a renewal due within 90 days, its measures of that day, and whether
it renewed. How weights are fitted to them stands in `fitting.py`, how they are judged in `judging.py`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

import ibis
import ibis.expr.types as ir
import numpy as np
import pandas as pd

from cx_intel.contracts.backtest.results import LEAST_EVENTS
from cx_intel.contracts.contract import conform
from cx_intel.contracts.health.drivers import UNKNOWN
from cx_intel.contracts.renewals import learned as contracts
from cx_intel.contracts.renewals.pipeline import WINDOW_DAYS
from cx_intel.contracts.staging.values import NO_VALUE
from cx_intel.models.expressions.conditions import first_match
from cx_intel.models.expressions.literals import number
from cx_intel.models.renewals.learned.measures import measures
from cx_intel.models.renewals.pipeline import renewal_settings
from cx_intel.settings.portfolio import Portfolio
from cx_intel.settings.renewals import RULED_RISKS

JUDGED_SHARE = 3
"""One of so many months, the newest ones, judges; the others teach."""
WINDOW = pd.Timedelta(days=WINDOW_DAYS)


@dataclass(frozen=True)
class Split:
    """Observations in time: those that teach, and later ones that judge.

    The outcome of each of `taught` was known on the first month end that is judged.
    """

    taught: pd.DataFrame
    judged: pd.DataFrame

    @property
    def lost_missing(self) -> int:
        """How many more accounts that did not renew both parts need together; at least so many."""
        return sum(max(LEAST_EVENTS - lost_accounts(part), 0) for part in (self.taught, self.judged))


def renewal_observations(
    backtest_scores: ir.Table, backtest_outcomes: ir.Table, *, portfolio: Portfolio, as_of: date
) -> ir.Table:
    """The renewals that fell due within 90 days of a past month end, with what was measured then and how they ended.

    Grain: scored_on, account_id. Reads the back-test's scores and outcomes; only those whose window had ended by `as_of`.
    Accounts whose cancellation was announced by the month end are left out: nobody has to guess at those. So are those of
    unknown tier: too little was measured of them, for the score and for the map, which both would look worse than they are.

    Columns: see the contract; a null measure was not measured.
    """
    is_asked = (backtest_outcomes.window_days == WINDOW_DAYS) & backtest_outcomes.is_not_renewed.notnull()
    outcomes = backtest_outcomes.filter(is_asked).select("scored_on", "account_id", "is_not_renewed")
    rows = backtest_scores.filter(
        backtest_scores.renewal_risk.isin(RULED_RISKS), backtest_scores.health_tier != UNKNOWN
    )
    is_known = ibis.literal(as_of).delta(rows.scored_on, unit="day") >= WINDOW_DAYS
    rows = rows.filter(is_known).inner_join(outcomes, ["scored_on", "account_id"])
    by_risk = {risk: number(renewal_settings(portfolio).probability_of(risk)) for risk in RULED_RISKS}
    return conform(
        rows.mutate(
            **measures(rows),
            segment=ibis.coalesce(rows.segment, NO_VALUE),
            map_probability=first_match([(rows.renewal_risk == risk, p) for risk, p in by_risk.items()], None),
            is_renewed=~rows.is_not_renewed,
        ),
        contracts.renewal_observations(portfolio),
    )


def usable(renewal_observations: pd.DataFrame, as_of: date) -> pd.DataFrame:
    """The observations whose outcome was known on a day, in an order of their own, with days as timestamps."""
    days = pd.to_datetime(renewal_observations["scored_on"])
    rows = renewal_observations.assign(scored_on=days, is_renewed=renewal_observations["is_renewed"].astype(bool))
    return known_by(rows, pd.Timestamp(as_of)).sort_values(["scored_on", "account_id"], ignore_index=True)


def split_of(rows: pd.DataFrame) -> Split:
    """The newest third of the months judges; of the earlier ones, those teach whose outcome was known by then."""
    months = sorted(rows["scored_on"].unique())
    judged_months = months[len(months) - -(-len(months) // JUDGED_SHARE) :]
    if not judged_months:
        return Split(rows, rows)
    first = judged_months[0]
    return Split(known_by(rows, first), rows[rows["scored_on"] >= first])


def known_by(rows: pd.DataFrame, day: pd.Timestamp) -> pd.DataFrame:
    """The observations whose window had ended by a day."""
    return rows[rows["scored_on"] + WINDOW <= day]


def blocks_of(rows: pd.DataFrame, count: int) -> Sequence[tuple[pd.DataFrame, pd.DataFrame]]:
    """Pairs of earlier and later observations for choosing and calibrating: the later half of the months in blocks.

    Of each pair the earlier ones were known on the first month end of the later ones, and have both outcomes.
    """
    months = np.array(sorted(rows["scored_on"].unique()))
    later = months[len(months) // 2 :]
    pairs = []
    for block in np.array_split(later, min(count, len(later))) if len(later) else ():
        earlier = known_by(rows, pd.Timestamp(block[0]))
        if earlier["is_renewed"].nunique() == 2:
            pairs.append((earlier, rows[rows["scored_on"].isin(block)]))
    return pairs


def lost_accounts(rows: pd.DataFrame) -> int:
    """The distinct accounts that did not renew."""
    return int(rows.loc[~rows["is_renewed"].astype(bool), "account_id"].nunique())
