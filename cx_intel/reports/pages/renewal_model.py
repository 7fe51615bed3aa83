"""The model card: what the learnt probability of renewal was learnt from, how good it is, what it weighs, its limits.

Its figures are those of `renewal_model`, `renewal_model_terms` and `renewal_model_reliability`. Whether it is used is
said in `cx_intel.reports.data.notes.probability`.
"""

from math import exp
from typing import Any

import pandas as pd

from cx_intel.contracts.renewals.learned import IN_USE, INTERCEPT, MEASURES, SEGMENT, WITHHELD
from cx_intel.contracts.renewals.pipeline import WINDOW_DAYS
from cx_intel.models.renewals.learned.terms import HIGHEST, LOWEST
from cx_intel.reports.charts.reliability import predictor_marks, reliability
from cx_intel.reports.data.notes.probability import is_drifting, learned_renewals, model_of, probability_source
from cx_intel.reports.data.report_data import ReportData, records
from cx_intel.reports.pages.frame.page import Columns, Page, Section, Table, table_of
from cx_intel.reports.words.catalogue import term
from cx_intel.reports.words.language import Language
from cx_intel.reports.words.rounding import is_missing

QUESTION = term("How likely do renewals renew, and how do we know?")
OF_ALL = term("Nothing here follows the filters: one model is learnt from the renewals of all accounts.")
KEY, TITLE = "renewal_model", term("Renewal probability")
MEASURED = {
    "health_score": term("Health score"),
    "tenure": term("Years as a customer"),
    "arr": term("ARR"),
    "usage": term("Usage events of 30 days"),
}
"""Measure: its words (`cx_intel.contracts.renewals.learned.MEASURES`)."""
LITTLE = 0.02
"""A difference of probability below this hardly matters."""
LIMITS = (
    term(
        "It is learnt for renewals due within {days} days of accounts with a known tier, and used for those alone; later and "
        "overdue ones, lapsed terms and unknown tiers have the probability of the map. A cancelled account has 0, whatever "
        "is learnt."
    ),
    term(
        "It knows what stands above and no more: no negotiation, no rival, no change of people. Of accounts that are alike in "
        "these it says how many renewed."
    ),
    term(
        "It is learnt from renewals on which your team acted as it did then. If you act otherwise on the accounts that it "
        "warns of, more of them will renew than it says: that is the aim."
    ),
    term(
        "Past scores are made once more from what was known on the day, under today's settings. Segments of days before the "
        "first load are those of the first load."
    ),
    term("A measure that is missing counts as the average. No probability is below {lowest} or above {highest}."),
)


def renewal_model(data: ReportData) -> Page:
    say = data.language.say
    if not data.portfolio.renewals:
        text = term("This portfolio has no renewals: its settings do not describe any.")
        return Page(KEY, say(TITLE), say(QUESTION), [say(text)], [])
    model = model_of(data)
    if model is None:
        return Page(KEY, say(TITLE), say(QUESTION), _unlearned(data), [])
    sections = [Section(say("What it was learnt from, and judged on"), tables=[_parts(data, model)], notes=_how(data))]
    if model["verdict"] != WITHHELD:
        sections.insert(0, Section(say("How good it is"), [reliability(data)], [_scores(data, model), _bins(data)]))
    if len(data["renewal_model_terms"]):
        sections.append(Section(say("What it looks at"), tables=[_weights(data), _segments(data)]))
    sections.append(Section(say("Limits"), notes=_limits(data)))
    return Page(KEY, say(TITLE), say(QUESTION), _answer(data, model), sections, of_all=say(OF_ALL))


def _unlearned(data: ReportData) -> list[str]:
    """What is said before the first model."""
    f = data.language
    by_map = f.say("Each renewal has the probability that the settings give its risk: an assumption.")
    return [by_map, probability_source(data, f) or f.say("Nothing was learnt from past renewals yet.")]


def _answer(data: ReportData, model: dict[str, Any]) -> list[str]:
    f = data.language
    found = [probability_source(data, f) or _by_map(data, model)]
    if used := learned_renewals(data):
        found.append(
            f.count("{n} renewal has a learnt probability now.", "{n} renewals have a learnt probability now.", used)
        )
    best = [row for row in records(data["renewal_model_reliability"]) if row["predictor"] == "learned"]
    if best:
        highest = max(best, key=lambda row: row["from_pct"])
        found.append(
            f.say(
                "Of renewals that it gave {low} to {high}, {renewed} renewed.",
                low=f.percent(highest["from_pct"], 0),
                high=f.percent(highest["to_pct"], 0),
                renewed=f.percent(highest["renewed_pct"], 0),
            )
        )
    if not is_missing(model["brier_live"]):
        found.append(_drift(data, model))
    return found


def _by_map(data: ReportData, model: dict[str, Any]) -> str:
    f = data.language
    if model["verdict"] != WITHHELD:
        return f.say("The probabilities are those of the settings; learnt ones were not closer to what happened.")
    if missing := model["lost_accounts_missing"]:
        return f.say(
            "The probabilities are those of the settings, an assumption: to learn them, at least {n} more accounts must be "
            "known that did not renew.",
            n=f.number(missing),
        )
    return f.say("The probabilities are those of the settings, an assumption: nothing could be learnt yet.")


def _drift(data: ReportData, model: dict[str, Any]) -> str:
    f = data.language
    text = term(
        "The model of {day} does as well on the {n} renewals since as when it was judged ({live}, then {then})."
    )
    if is_drifting(data):
        text = term(
            "Drift: the model of {day} does worse on the {n} renewals since than when it was judged (Brier score {live}, "
            "then {then}). Customers behave otherwise than those it learnt from."
        )
    return f.say(
        text,
        day=f.day(model["live_since"]),
        n=f.number(model["live_renewals"]),
        live=f.number(model["brier_live"], 3),
        then=f.number(model["brier_then"], 3),
    )


def _scores(data: ReportData, model: dict[str, Any]) -> Table:
    say, f, c = data.language.say, data.language, Columns(data.language)
    named = (("learnt", "brier_learned"), ("map of the settings", "brier_map"), ("the same for all", "brier_base_rate"))
    words = {"learnt": term("learnt"), "map of the settings": term("map of the settings")}
    words["the same for all"] = term("the same for all: the share that renewed before")
    frame = pd.DataFrame([{"which": words[name], "brier": model[column]} for name, column in named])
    gain = say(
        "Brier score on the judged months: 0 is perfect, one half for all gives 0.25. The learnt one is lower by {gain}; "
        "9 times in 10, the true difference lies within {low} to {high}.",
        gain=f.number(model["brier_gain"], 3),
        low=f.number(model["brier_gain_low"], 3),
        high=f.number(model["brier_gain_high"], 3),
    )
    return table_of(frame, gain, [c.term(say("Probability"), "which"), c.number(say("Brier score"), "brier", 3)])


def _bins(data: ReportData) -> Table:
    say, c = data.language.say, Columns(data.language)
    frame = data["renewal_model_reliability"].sort_values(["predictor", "from_pct"])
    return table_of(
        frame,
        say("Of renewals that were given so much, how many renewed"),
        [
            c.level(say("Probability from"), "predictor", predictor_marks(data)),
            c.percent(say("Given, mean"), "predicted_pct"),
            c.percent(say("Renewed"), "renewed_pct"),
            c.percent(say("at least"), "renewed_low_pct"),
            c.percent(say("at most"), "renewed_high_pct"),
            c.number(say("Renewals"), "renewals"),
            c.number(say("Accounts"), "accounts"),
        ],
    )


def _parts(data: ReportData, model: dict[str, Any]) -> Table:
    say, c = data.language.say, Columns(data.language)
    names = {"taught": term("learnt from"), "judged": term("judged on, not learnt from")}
    columns = ("first_month", "last_month", "renewals", "accounts", "lost_accounts")
    frame = pd.DataFrame(
        [{"part": words} | {name: model[f"{part}_{name}"] for name in columns} for part, words in names.items()]
    )
    return table_of(
        frame,
        say("Renewals that fell due within {days} days of a month end", days=data.language.number(WINDOW_DAYS)),
        [
            c.term(say("Part"), "part"),
            c.day(say("From"), "first_month"),
            c.day(say("To"), "last_month"),
            c.number(say("Renewals, seen on month ends"), "renewals"),
            c.number(say("Accounts"), "accounts"),
            c.number(say("Accounts that did not renew"), "lost_accounts"),
        ],
    )


def _how(data: ReportData) -> list[str]:
    say = data.language.say
    found = [
        say(
            "It learnt only from renewals whose outcome was known before the first judged month. The one in use is fitted "
            "the same way to all months."
        )
    ]
    terms = records(data["renewal_model_terms"])
    if terms:
        f, day = data.language, data["renewal_model_terms"]["as_of"].iloc[0]
        version = str(data["renewal_model"]["model_version"].iloc[0])
        found.append(f.say("Version {version}, fitted on {day}.", version=version, day=f.day(day)))
    return found


def _limits(data: ReportData) -> list[str]:
    f = data.language
    lowest, highest = (f.percent(100 * bound, 0) for bound in (LOWEST, HIGHEST))
    return [f.say(text, days=f.number(WINDOW_DAYS), lowest=lowest, highest=highest) for text in LIMITS]


def _weights(data: ReportData) -> Table:
    """Each measure, low and high, with the probability of an account that is average in all else."""
    f, c = data.language, Columns(data.language)
    terms = {row["term"]: row for row in records(_used(data))}
    intercept = terms[INTERCEPT]["weight"]
    rows = []
    for name in (name for name in MEASURES if name in terms):
        weight, center, scale = (terms[name][part] for part in ("weight", "center", "scale"))
        low, high = center - scale, center + scale
        at_low, at_high = (_probability(intercept + weight * (at - center) / scale) for at in (low, high))
        rows.append(
            {
                "measure": MEASURED[name],
                "low": _in_words(f, name, low),
                "high": _in_words(f, name, high),
                "at_low": 100 * at_low,
                "at_high": 100 * at_high,
                "effect": _effect(at_high - at_low),
            }
        )
    return table_of(
        pd.DataFrame(rows),
        f.say("What it looks at: an account that is average in all else, and low or high in this"),
        [
            c.term(f.say("Measure"), "measure"),
            c.text(f.say("Low"), "low"),
            c.percent(f.say("renews with"), "at_low", 0),
            c.text(f.say("High"), "high"),
            c.percent(f.say("renews with"), "at_high", 0),
            c.term(f.say("So more of it"), "effect"),
        ],
    )


def _segments(data: ReportData) -> Table:
    say, c = data.language.say, Columns(data.language)
    terms = _used(data)
    intercept = terms.loc[terms["term"] == INTERCEPT, "weight"].iloc[0]
    rows = terms[terms["measure"] == SEGMENT]
    rows = rows.assign(average=[100 * _probability(intercept + weight) for weight in rows["weight"]])
    return table_of(
        rows.sort_values("segment"),
        say("By segment"),
        [
            c.text(say("Segment"), "segment"),
            c.percent(say("Renewed so far, drawn towards all"), "renewed_pct", 0),
            c.percent(say("An average account renews with"), "average", 0),
        ],
    )


def _used(data: ReportData) -> pd.DataFrame:
    terms = data["renewal_model_terms"]
    return terms[terms["fitted_for"] == IN_USE]


def _in_words(f: Language, name: str, value: float) -> str:
    """A value of a measure, back from the logarithm."""
    if name == "health_score":
        return f.number(min(max(value, 0.0), 100.0), 0)
    amount = max(exp(value) - 1, 0.0)
    return f.money(amount) if name == "arr" else f.number(amount, 1 if name == "tenure" else 0)


def _effect(difference: float) -> str:
    if abs(difference) < LITTLE:
        return term("hardly matters")
    return term("makes a renewal more likely") if difference > 0 else term("makes a renewal less likely")


def _probability(log_odds: float) -> float:
    return min(max(1 / (1 + exp(-log_odds)), LOWEST), HIGHEST)
