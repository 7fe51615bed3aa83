"""The contracts of the learnt probability of renewal: what it learnt from, its terms, its verdict, and what it says today.

The models are in `cx_intel.models.renewals.learned`; whether it is used is `renewals.probability_from` in the portfolio.
Definitions: docs/renewal-probability.md.
"""

import ibis

from cx_intel.contracts.contract import COUNT, DATE, FLAG, NUMBER, TEXT, Column, Contract, Invariant
from cx_intel.contracts.core import AS_OF, group_column
from cx_intel.contracts.renewals.pipeline import MAP, WINDOW_DAYS, share_column
from cx_intel.contracts.support import MODEL_FAULT
from cx_intel.settings.portfolio import Portfolio
from cx_intel.settings.renewals import LEARNED, RULED_RISKS

MEASURES = {
    "health_score": "Health score",
    "tenure": "Years as a customer",
    "arr": "ARR",
    "usage": "Usage of the last 30 days",
}
"""What a probability may depend on beside the segment, by name, in words."""
INTERCEPT, SEGMENT = "intercept", "segment"
JUDGED, IN_USE = "judged", "in_use"
"""Fitted to the earlier months alone, to be judged on the later ones; and to all, the same way, to be used."""
BETTER, NOT_BETTER, WITHHELD = "better", "not_better", "withheld"
TOO_FEW_LOST, TOO_FEW_MONTHS, NOT_INSTALLED = "too_few_lost", "too_few_months", "not_installed"
INSTALL = "pip install 'cx-intel[learn]'"
PREDICTORS = (LEARNED, MAP)


def _count(name: str, description: str, unit: str) -> Column:
    return Column(name, COUNT, description, unit, nullable=False, minimum=0)


def _share(name: str, description: str, null_means: str = "") -> Column:
    return Column(name, NUMBER, description, "%", bool(null_means), null_means, minimum=0, maximum=100)


def _measure_columns() -> tuple[Column, ...]:
    of_score = {"health_score": ("", "0 to 100")}
    return tuple(
        Column(name, NUMBER, f"{words}{scale}.", unit, null_means="not measured")
        for name, words in MEASURES.items()
        for scale, unit in [of_score.get(name, (", on a logarithmic scale", "ln(1 + amount)"))]
    )


def renewal_observations(portfolio: Portfolio) -> Contract:
    return Contract(
        "renewal_observations",
        "backtest",
        f"Which renewals fell due within {WINDOW_DAYS} days of a past month end, and how did they end?",
        ("scored_on", "account_id"),
        (
            Column("scored_on", DATE, "The past month end.", nullable=False),
            Column("account_id", TEXT, "The account.", nullable=False),
            group_column("segment"),
            *_measure_columns(),
            Column("renewal_risk", TEXT, "Renewal risk of that day.", nullable=False, accepted=RULED_RISKS),
            share_column("map_probability", "Probability of renewal at that risk, by the portfolio's map."),
            Column("is_renewed", FLAG, f"It renewed: within {WINDOW_DAYS} days it was not lost.", nullable=False),
        ),
    )


def renewal_model_terms(portfolio: Portfolio) -> Contract:
    return Contract(
        "renewal_model_terms",
        "backtest",
        "What does the learnt probability of renewal weigh, and how much?",
        ("as_of", "fitted_for", "term"),
        (
            AS_OF,
            Column(
                "fitted_for",
                TEXT,
                "judged: fitted to the earlier months, judged on the later ones; in_use: fitted to all of them likewise.",
                nullable=False,
                accepted=(JUDGED, IN_USE),
            ),
            Column("term", TEXT, f"The measure, `{SEGMENT}=NAME`, or {INTERCEPT}.", nullable=False),
            Column("measure", TEXT, "The measure.", nullable=False, accepted=(INTERCEPT, SEGMENT, *MEASURES)),
            Column("segment", TEXT, "The segment.", null_means="the term is not about a segment"),
            Column(
                "weight",
                NUMBER,
                "What it adds to the log odds of renewal: of a measure, per standard deviation above its mean.",
                "log odds",
                nullable=False,
            ),
            Column("center", NUMBER, "Mean of the measure, which a missing value counts as.", null_means="no measure"),
            Column("scale", NUMBER, "Standard deviation of the measure.", null_means="no measure"),
            _share(
                "renewed_pct",
                "Share of the segment's renewals that renewed, drawn towards that of all.",
                "the term is not about a segment",
            ),
            Column("shrinkage", NUMBER, "Strength of the shrinkage (L2) that was chosen.", nullable=False, minimum=0),
            Column(
                "calibration_slope",
                NUMBER,
                "What the log odds were multiplied with on later months; below 1, the fit was too sure of itself.",
                nullable=False,
                minimum=0,
            ),
        ),
    )


def _part_columns(part: str, words: str) -> tuple[Column, ...]:
    return (
        Column(f"{part}_first_month", DATE, f"First month end of those that {words}.", null_means="there is none"),
        Column(f"{part}_last_month", DATE, f"Last month end of those that {words}.", null_means="there is none"),
        _count(f"{part}_renewals", f"Renewals seen on month ends, of those that {words}.", "observations"),
        _count(f"{part}_accounts", "Accounts among them.", "accounts"),
        _count(f"{part}_lost_accounts", "Of these, the ones that did not renew.", "accounts"),
    )


def renewal_model(portfolio: Portfolio) -> Contract:
    withheld = "the verdict is withheld"
    asked = bool(portfolio.renewals and portfolio.renewals.probability_from == LEARNED)
    return Contract(
        "renewal_model",
        "backtest",
        "Is the learnt probability of renewal better than the portfolio's map, on months that it had not seen?",
        ("as_of",),
        (
            AS_OF,
            Column("model_version", TEXT, "The day and a fingerprint of its terms.", null_means="nothing was fitted"),
            Column(
                "verdict",
                TEXT,
                "better: its Brier score is below the map's, the interval of the gain above 0; not_better; withheld.",
                nullable=False,
                accepted=(BETTER, NOT_BETTER, WITHHELD),
            ),
            Column(
                "withheld_because",
                TEXT,
                "Too few accounts that did not renew, too few months, or scikit-learn is not installed.",
                null_means="it is not",
                accepted=(TOO_FEW_LOST, TOO_FEW_MONTHS, NOT_INSTALLED),
            ),
            _count(
                "lost_accounts_missing", "How many more accounts that did not renew are needed, at least.", "accounts"
            ),
            *_part_columns("taught", "it was fitted to before it was judged"),
            *_part_columns("judged", "judged it"),
            share_column(
                "brier_learned", "Brier score on the judged months: mean squared error; 0 is perfect.", withheld
            ),
            share_column("brier_map", "Likewise, of the portfolio's map.", withheld),
            share_column(
                "brier_base_rate", "Likewise, of one probability for all: the share renewed before.", withheld
            ),
            Column(
                "brier_gain",
                NUMBER,
                "brier_map - brier_learned; above 0, the learnt one is better.",
                null_means=withheld,
            ),
            Column("brier_gain_low", NUMBER, "Lower end of its interval (90 %), by account.", null_means=withheld),
            Column("brier_gain_high", NUMBER, "Upper end.", null_means=withheld),
            Column(
                "live_since",
                DATE,
                "Day of the earlier model that the newest outcomes are compared with.",
                null_means="none has seen enough of them yet",
            ),
            _count("live_renewals", "Renewals since then whose outcome is known.", "observations"),
            share_column("brier_live", "Brier score of that model on these.", "none has seen enough of them yet"),
            share_column("brier_then", "Its Brier score when it was judged.", "none has seen enough of them yet"),
            Column(
                "is_drifting",
                FLAG,
                "On the newest outcomes it is worse than when it was judged, by more than chance.",
                null_means="none has seen enough of them yet",
            ),
        ),
        invariants=(
            Invariant(
                "verdict_has_its_figures",
                "Brier scores are there unless the verdict is withheld, and a reason where it is.",
                lambda t: (
                    ((t.verdict == WITHHELD) == t.brier_learned.isnull())
                    & ((t.verdict == WITHHELD) == t.withheld_because.notnull())
                ),
                MODEL_FAULT,
            ),
            Invariant(
                "learned_as_asked",
                f"Where `renewals.probability_from: {LEARNED}` asks for it, the learnt probability is better than the map "
                "and used.",
                (lambda t: t.verdict == BETTER) if asked else (lambda t: t.verdict.notnull()),
                "The map is used. The page of the renewal model says why: too few accounts that did not renew yet, no better "
                f"than the map, or scikit-learn is missing: {INSTALL}.",
                "warn",
            ),
            Invariant(
                "no_drift",
                "On the newest outcomes the model is no worse than when it was judged.",
                lambda t: ~ibis.coalesce(t.is_drifting, False),
                "Customers behave otherwise than those it learnt from. It was fitted anew; look at the weights on its page, "
                "and do not rely on it until the next months agree.",
                "warn",
            ),
        ),
    )


def renewal_model_reliability(portfolio: Portfolio) -> Contract:
    return Contract(
        "renewal_model_reliability",
        "backtest",
        "Of renewals that were given a probability of so much, how many did renew?",
        ("predictor", "from_pct"),
        (
            AS_OF,
            Column("predictor", TEXT, "The learnt probability or the map.", nullable=False, accepted=PREDICTORS),
            _share("from_pct", "Probability from."),
            _share("to_pct", "Probability to."),
            _count("renewals", "Renewals on the judged month ends.", "observations"),
            _count("accounts", "Accounts among them.", "accounts"),
            _share("predicted_pct", "Mean probability given."),
            _share("renewed_pct", "Share that renewed."),
            _share("renewed_low_pct", "Lower end of its interval (90 %, by account)."),
            _share("renewed_high_pct", "Upper end."),
        ),
    )


def renewal_probabilities(portfolio: Portfolio) -> Contract:
    return Contract(
        "renewal_probabilities",
        "renewals",
        "What does the learnt model say of each account's renewal today, used or not?",
        ("as_of", "account_id"),
        (
            AS_OF,
            Column("account_id", TEXT, "The account.", nullable=False),
            group_column("segment"),
            *_measure_columns(),
            Column("model_as_of", DATE, "Day of the model.", nullable=False),
            Column("verdict", TEXT, "Of the model.", nullable=False, accepted=(BETTER, NOT_BETTER, WITHHELD)),
            share_column("learned_probability", "Of renewal, by the newest model of the day or before."),
        ),
        kind="snapshot",
    )
