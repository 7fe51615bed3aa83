"""The contracts of past days once more: scores and signals as they would have stood, and what followed.

The models are `cx_intel.models.backtest.past` and `outcomes`; what the two say of each other is in `results.py` and
`tiers.py` beside this module. Definitions: `docs/back-test.md`.
"""

from cx_intel.contracts.backtest.columns import OUTCOMES
from cx_intel.contracts.contract import COUNT, DATE, FLAG, MONEY, NUMBER, TEXT, Column, Contract, Invariant
from cx_intel.contracts.core import SIZE_ARR, SIZE_MRR, carried_attributes, group_column
from cx_intel.contracts.health.drivers import ACCOUNT, MODEL_FAULT, UNKNOWN, health_settings, tier_names
from cx_intel.contracts.health.scores import judged_columns
from cx_intel.contracts.staging.accounts import stg_accounts
from cx_intel.contracts.staging.values import GROUPS
from cx_intel.settings.portfolio import Portfolio
from cx_intel.settings.renewals import RISK_LEVELS

WINDOWS = (30, 60, 90, 180)
"""Days after the day scored within which something may follow."""
REPLAYED = ("backtest_scores", "backtest_signals", "backtest_outcomes")
"""The tables that are made together."""
SCORED_ON = Column("scored_on", DATE, "The past month end that is scored, from what was known then.", nullable=False)
MADE_ON = Column("as_of", DATE, "The day up to which it is known what followed; the same for all.", nullable=False)


def backtest_scores(portfolio: Portfolio) -> Contract:
    tiers = (*tier_names(portfolio), UNKNOWN)
    described = {c.name: c.description for c in (*stg_accounts(portfolio).columns, *carried_attributes(portfolio))}
    further = [name for name in portfolio.rollups if name not in GROUPS]
    return Contract(
        "backtest_scores",
        "backtest",
        "What would the health score have said of each customer at the end of past months, from what was known then?",
        ("scored_on", "account_id"),
        (
            SCORED_ON,
            ACCOUNT,
            MADE_ON,
            _points("health_score", "The health score under today's settings.", "no signal"),
            Column("health_tier", TEXT, "Tier of the score.", nullable=False, accepted=tiers),
            *judged_columns(),
            Column("current_mrr", MONEY, "MRR in force, as known then.", SIZE_MRR, nullable=False, minimum=0),
            Column("current_arr", MONEY, "12 x current_mrr.", SIZE_ARR, nullable=False, minimum=0),
            Column("tenure_days", COUNT, "Days since signup.", "days", null_means="no day of signing up"),
            Column("renewal_date", DATE, "Next renewal or announced end, as known then.", null_means="none was known"),
            Column(
                "days_to_renewal",
                COUNT,
                "renewal_date - scored_on; negative where it was overdue.",
                "days",
                null_means="no renewal date was known",
            ),
            Column("is_cancelled", FLAG, "Its end had been announced.", nullable=False),
            Column(
                "renewal_risk",
                TEXT,
                "Renewal risk in the pipeline of the day.",
                null_means="not in the pipeline, or the portfolio has none",
                accepted=RISK_LEVELS,
            ),
            Column(
                "usage_events_30d",
                COUNT,
                "Usage events of the last 30 days.",
                null_means="no source of usage, or it had not begun",
                minimum=0,
            ),
            *(group_column(name) for name in GROUPS),
            *(Column(name, TEXT, described.get(name, "An attribute of the account.")) for name in further),
            Column(
                "attributes_known_from",
                DATE,
                "The load that segment, owner, status and the like are of: after scored_on where none was earlier.",
                nullable=False,
            ),
        ),
    )


def backtest_signals(portfolio: Portfolio) -> Contract:
    signals = tuple(health_settings(portfolio).signals)
    return Contract(
        "backtest_signals",
        "backtest",
        "What would each signal have said of each customer at the end of past months?",
        ("scored_on", "account_id", "signal"),
        (
            SCORED_ON,
            ACCOUNT,
            MADE_ON,
            Column("signal", TEXT, "The signal.", nullable=False, accepted=signals),
            Column("value", NUMBER, "Its value.", null_means="missing: not measured, or its source had not begun"),
            _points("signal_score", "Its score by the curve, or the neutral one.", "missing, or no model scores it"),
        ),
    )


def backtest_outcomes(portfolio: Portfolio) -> Contract:
    by_day = portfolio.revenue.basis == "subscriptions"
    window = "that many days" if by_day else "window_days / 30 months of the ledger"
    return Contract(
        "backtest_outcomes",
        "backtest",
        "What became of each customer that paid at the end of a past month, as known today?",
        ("scored_on", "account_id", "window_days"),
        (
            SCORED_ON,
            ACCOUNT,
            MADE_ON,
            Column("window_days", COUNT, "Within how many days after scored_on.", "days", nullable=False, minimum=1),
            Column("is_churned", FLAG, f"It paid nothing at some time within {window}.", nullable=False),
            Column(
                "is_contracted",
                FLAG,
                f"It paid less at the end of {window} than on scored_on.",
                null_means="it left, which is no contraction",
            ),
            Column(
                "is_not_renewed",
                FLAG,
                "A renewal fell due within the window, and it left.",
                null_means="no renewal fell due within the window, by what was known on scored_on",
            ),
        ),
        invariants=(
            Invariant(
                "window_is_over",
                "What followed is only told of windows that are over.",
                lambda t: t.as_of.delta(t.scored_on, unit="day") >= t.window_days,
                MODEL_FAULT,
            ),
            Invariant(
                "left_is_not_contracted",
                f"{OUTCOMES['contraction']} is null exactly where the account left.",
                lambda t: t.is_contracted.isnull() == t.is_churned,
                MODEL_FAULT,
            ),
        ),
    )


def _points(name: str, description: str, null_means: str) -> Column:
    return Column(name, NUMBER, description, "points", null_means=null_means, minimum=0, maximum=100)
