"""The part of a preview that says how both settings would have told, on past days, what followed.

The figures are those of `cx_intel.models.backtest.compared`; the rest of the page is `page.py` beside this module.
"""

from collections.abc import Sequence

from cx_intel.models.backtest.compared import Compared, Told
from cx_intel.models.backtest.verdicts import of_ten
from cx_intel.reports.pages.frame.page import Cell, Heading, Section, Table
from cx_intel.reports.words.catalogue import term
from cx_intel.reports.words.language import MISSING, Language

OUTCOMES = {
    "churn": term("left"),
    "contraction": term("cut back"),
    "not_renewed": term("did not renew"),
}
"""Outcome: what accounts with it did."""
FIRST = ("churn", 90)
"""What the sentence is about."""


def foretold(found: Sequence[Compared], language: Language) -> Section:
    """The section: a sentence on those who left within 90 days, and a table of all outcomes."""
    say, f = language.say, language
    headings = [Heading(say("What followed")), Heading(say("Within"), "number"), Heading(say("Accounts"), "number")]
    explains = say(
        "The probability that an account with the outcome had the lower score; 0.5 is chance, below it the score runs backwards"
    )
    headings += [Heading(text, "number", explains) for text in (say("AUC now"), say("AUC then"))]
    headings += [
        Heading(say("Difference"), "number", say("With the range that holds the true difference 9 times in 10")),
        Heading(say("Healthy, and it followed: now"), "number"),
        Heading(say("then"), "number"),
        Heading(say("Not healthy, and it did not: now"), "number"),
        Heading(say("then"), "number"),
    ]
    rows = [_cells(one, f) for one in found]
    caption = say("Scores of past month ends, made once more by both settings from what was known then")
    notes = [told for one in found if (one.outcome, one.window_days) == FIRST for told in _sentences(one, f)]
    return Section(say("Back-test"), tables=[Table(caption, headings, rows, of=len(rows))], notes=notes)


def _cells(one: Compared, f: Language) -> list[Cell]:
    shown = [Cell(f.say(OUTCOMES[one.outcome])), Cell(f.days(one.window_days), one.window_days)]
    shown.append(Cell(f.number(one.event_accounts), one.event_accounts))
    if one.before is None or one.after is None or one.gain is None:
        missing = f.count("{n} account too few", "{n} accounts too few", one.missing)
        return [*shown, Cell(missing, -1), *(Cell(MISSING, -1) for _ in range(6))]
    sides = (one.before, one.after)
    shown += [Cell(_auc(side, f), side.auc[0]) for side in sides]
    shown.append(Cell(_gain(one.gain, f), one.gain[0]))
    shown += [Cell(f.percent(side.missed_pct, 0), side.missed_pct) for side in sides]
    return [*shown, *(Cell(f.percent(side.alarm_pct, 0), side.alarm_pct) for side in sides)]


def _auc(side: Told, f: Language) -> str:
    auc, low, high = (f.number(figure, 2) for figure in side.auc)
    return f"{auc} ({low}–{high})"


def _gain(gain: tuple[float, float, float], f: Language) -> str:
    middle, low, high = (f.signed(figure, f.number(abs(figure), 3)) for figure in gain)
    return f"{middle} ({low} … {high})"


def _sentences(one: Compared, f: Language) -> list[str]:
    """In words without statistics."""
    if one.before is None or one.after is None or one.gain is None:
        return [
            f.count(
                "No verdict on past days: {n} more account that left, or that stayed, is needed.",
                "No verdict on past days: {n} more accounts that left, or that stayed, are needed.",
                one.missing,
            )
        ]
    text = term(
        "Of ten accounts that left within 90 days the score had {was} below the middle of those that stayed by the settings "
        "now, {now} by those then."
    )
    tens = [f.number(of_ten(side.below_median_pct)) for side in (one.before, one.after)]
    _, low, high = one.gain
    if low > 0:
        verdict = term("That is better by more than chance.")
    elif high < 0:
        verdict = term("That is worse by more than chance.")
    else:
        verdict = term("The difference may be chance.")
    return [f.say(text, was=tens[0], now=tens[1]) + " " + f.say(verdict)]
