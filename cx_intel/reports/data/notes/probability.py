"""Where the probabilities of renewal are from, learnt or the portfolio's map, and why, in sentences for all reports.

The verdict is that of `renewal_model`, whether it is used that of `renewal_pipeline`. The page about the model is
`cx_intel.reports.pages.renewal_model`.
"""

from typing import Any

from cx_intel.contracts.renewals.learned import BETTER, INSTALL, NOT_INSTALLED, TOO_FEW_LOST, WITHHELD
from cx_intel.reports.data.report_data import ReportData, is_true, records
from cx_intel.reports.data.terms import ASSUMED, SAVE_RATES_ASSUMED
from cx_intel.reports.words.catalogue import term
from cx_intel.reports.words.language import Language
from cx_intel.settings.renewals import LEARNED

BETTER_USED = term(
    "Probabilities of renewal are learnt from past renewals: on {n} renewals of {first} to {last}, which they were not "
    "learnt from, they were closer to what happened than the map of the settings (Brier score {learned} against {map}; 0 is "
    "perfect)."
)
BETTER_UNUSED = term(
    "Probabilities learnt from past renewals would have been closer to what happened than the map of the settings (Brier "
    "score {learned} against {map}; 0 is perfect). The settings may ask for them."
)
NO_BETTER = term(
    "Learnt probabilities of renewal are asked for, and the map of the settings is used: on renewals that they were not "
    "learnt from, they were not closer to what happened (Brier score {learned} against {map}; 0 is perfect)."
)
TOO_FEW = term(
    "Learnt probabilities of renewal are asked for, and the map of the settings is used: too few accounts with a known "
    "tier at the time did not renew. At least {n} more are needed."
)
TOO_SHORT = term(
    "Learnt probabilities of renewal are asked for, and the map of the settings is used: the months are too few to learn from "
    "some and to judge on others."
)
NO_PACKAGE = term(
    "Learnt probabilities of renewal are asked for, and the map of the settings is used: scikit-learn is not installed: "
    "{install}, then `cx-intel backtest {portfolio}`."
)
NO_MODEL = term(
    "Learnt probabilities of renewal are asked for, and the map of the settings is used: nothing was learnt yet. It is with "
    "the next back-test (`cx-intel backtest {portfolio}`)."
)


def assumptions(data: ReportData) -> list[str]:
    """What is assumed of renewals and what is learnt, for the foot of a report."""
    f = data.language
    where_from = probability_source(data, f)
    return [f.say(SAVE_RATES_ASSUMED if uses_learned(data) else ASSUMED), *([where_from] if where_from else [])]


def uses_learned(data: ReportData) -> bool:
    """Whether any renewal of the day has a learnt probability."""
    return bool(learned_renewals(data))


def learned_renewals(data: ReportData) -> int:
    """How many renewals of the day have one."""
    pipeline = data["renewal_pipeline"]
    return int((pipeline["probability_from"] == LEARNED).sum()) if len(pipeline) else 0


def is_asked_for(data: ReportData) -> bool:
    """Whether the portfolio asks for the learnt probability."""
    return bool(data.portfolio.renewals and data.portfolio.renewals.probability_from == LEARNED)


def model_of(data: ReportData) -> dict[str, Any] | None:
    """The newest verdict by the day; None where nothing was learnt yet."""
    rows = records(data["renewal_model"])
    return rows[0] if rows else None


def probability_source(data: ReportData, f: Language) -> str:
    """Which of the two is used, and why; empty where the map is used, nobody asks, and nothing speaks for the other."""
    if not data.portfolio.renewals:
        return ""
    model, asked = model_of(data), is_asked_for(data)
    if model is None:
        return f.say(NO_MODEL, portfolio=data.portfolio.name) if asked else ""
    figures = {}
    if model["verdict"] != WITHHELD:
        figures = {"learned": f.number(model["brier_learned"], 3), "map": f.number(model["brier_map"], 3)}
    if model["verdict"] == BETTER and uses_learned(data):
        months = {"first": f.month(model["judged_first_month"]), "last": f.month(model["judged_last_month"])}
        return f.say(BETTER_USED, n=f.number(model["judged_renewals"]), **months, **figures)
    if model["verdict"] == BETTER:
        return "" if asked else f.say(BETTER_UNUSED, **figures)
    return _why_not(model, f, figures, data.portfolio.name) if asked else ""


def _why_not(model: dict[str, Any], f: Language, figures: dict[str, str], portfolio: str) -> str:
    if model["withheld_because"] == TOO_FEW_LOST:
        return f.say(TOO_FEW, n=f.number(model["lost_accounts_missing"]))
    if model["withheld_because"] == NOT_INSTALLED:
        return f.say(NO_PACKAGE, install=INSTALL, portfolio=portfolio)
    return f.say(TOO_SHORT) if model["verdict"] == WITHHELD else f.say(NO_BETTER, **figures)


def is_drifting(data: ReportData) -> bool:
    """Whether the model does worse on the newest outcomes than when it was judged."""
    return bool(is_true(data["renewal_model"]["is_drifting"]).any()) if len(data["renewal_model"]) else False
