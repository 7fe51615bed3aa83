"""Whether calls helped, in words: the verdict of the hold-out, or why a plain comparison is none, and what the list is ranked by.

The figures are those of `playbook_effects`; how they are compared is decided by the model (`cx_intel.models.renewals.effects`).
Tables of them: `cx_intel.reports.pages.parts.effects`.
"""

from typing import Any

from cx_intel.contracts.renewals.effects import (
    ALL_PLAYBOOKS,
    ASSIGNED,
    DONE_OR_NOT,
    HARMED,
    HELPED,
    NOT_SHOWN,
    SIMILAR,
    WITHHELD,
)
from cx_intel.contracts.renewals.hold_out import LEAST_DECIDED
from cx_intel.reports.data.report_data import ReportData, records
from cx_intel.reports.words.catalogue import term
from cx_intel.reports.words.rounding import is_missing
from cx_intel.settings.renewals import SAVED_PER_HOUR

VERDICTS = {
    HELPED: term("calls helped"),
    HARMED: term("calls did harm"),
    NOT_SHOWN: term("not to be told from chance"),
    WITHHELD: term("too few to say"),
}
COMPARED = {
    ASSIGNED: term("By lot: to call, against held out"),
    SIMILAR: term("Called, against similar accounts"),
    DONE_OR_NOT: term("Called, against all others"),
}
"""Comparisons, in words."""
DRAWN = term(
    "Drawn by lot: of the {n} accounts to call, {acted} of 100 were kept; of the {m} held out, {other} of 100."
)
ANSWERS = {
    HELPED: term(
        "Calls helped: {difference} of 100 renewals. A range such as {low} to {high} holds the true figure 9 times in 10."
    ),
    HARMED: term(
        "Calls did harm: {difference} of 100 renewals. A range such as {low} to {high} holds the true figure 9 times in 10."
    ),
    NOT_SHOWN: term(
        "Whether calls helped cannot be told from chance: {difference} of 100 renewals may as well be anything from {low} to "
        "{high}."
    ),
}
FOLLOWED = term(
    "Of those to call, {acted_done} were called; of those held out, {other_done} were all the same. Each counts as it was "
    "drawn, whatever was done, so that no choice is in it."
)
REGRESSION = term(
    "Nobody is held out by lot, so this is no proof: accounts are listed when they look worst, and many "
    "recover by themselves (regression to the mean), with a call or without; and somebody chose whom to call."
)
BESIDE = term(
    "What is not by lot below is no proof: accounts are listed when they look worst, and many recover by themselves (regression "
    "to the mean), with a call or without; and somebody chose whom to call."
)
BY_LOSS = term("The list is ranked by expected loss.")
BY_LOSS_YET = term(
    "The list is ranked by expected loss, because too few renewals are decided to rank it by what an hour of the owner saves."
)
BY_HOUR = term(
    "The list is ranked by the ARR that an hour of the owner is expected to save: expected loss x the share that calls averted "
    "by the hold-out, drawn towards the assumed one, / the hours of the playbook."
)


def effect_notes(data: ReportData) -> list[str]:
    """The answer by lot, what happened to whom, and what the other comparisons are worth; nothing where none is made."""
    rows = {row["comparison"]: row for row in records(data["playbook_effects"]) if row["playbook"] == ALL_PLAYBOOKS}
    if not rows:
        return []
    by_lot = rows.get(ASSIGNED)
    if by_lot is None:
        return [data.language.say(REGRESSION)]
    others = [data.language.say(BESIDE)] if len(rows) > 1 else []
    return [*_by_lot(data, by_lot), *others]


def verdict_note(data: ReportData) -> list[str]:
    """The answer by lot in a sentence or two, once there is one."""
    rows = [
        row
        for row in records(data["playbook_effects"])
        if (row["playbook"], row["comparison"]) == (ALL_PLAYBOOKS, ASSIGNED) and row["verdict"] != WITHHELD
    ]
    return _by_lot(data, rows[0])[:2] if rows else []


def _by_lot(data: ReportData, row: dict[str, Any]) -> list[str]:
    f = data.language
    gaps = {
        "n": f.number(row["acted_accounts"]),
        "m": f.number(row["other_accounts"]),
        "acted": f.number(row["acted_kept_pct"]),
        "other": f.number(row["other_kept_pct"]),
        "difference": f.points(row["difference_points"], 0),
        "low": f.points(row["difference_low_points"], 0),
        "high": f.points(row["difference_high_points"], 0),
        "acted_done": f.number(row["acted_done"]),
        "other_done": f.number(row["other_done"]),
    }
    if row["verdict"] == WITHHELD or is_missing(row["verdict"]):
        text = term(
            "Whether calls help cannot be said yet: the renewals of {n} accounts to call and {m} held out by lot are decided, "
            "and it takes {least} of each, so {missing} more of the smaller side; {undecided} are open."
        )
        more = {"missing": f.number(row["missing"]), "least": f.number(LEAST_DECIDED)}
        return [f.say(text, **gaps, **more, undecided=f.number(row["undecided"]))]
    answer = ANSWERS[str(row["verdict"])]
    return [f.say(DRAWN, **gaps), f.say(answer, **gaps), f.say(FOLLOWED, **gaps)]


def is_by_hour(data: ReportData) -> bool:
    """Whether the list of the day is ranked by what an hour saves."""
    listed = data["cs_intervention_list"]
    return bool(len(listed) and (listed["ranked_by"] == SAVED_PER_HOUR).any())


def calls_in_order(data: ReportData) -> str:
    """The order of the calls of a brief."""
    if is_by_hour(data):
        return data.language.say(
            "In order of the ARR that an hour is expected to save, within the capacity of each owner."
        )
    return data.language.say("In order of expected loss, within the capacity of each owner.")


def ranking_note(data: ReportData) -> str:
    """What the order of the list of the day follows."""
    settings = data.portfolio.renewals
    if is_by_hour(data):
        return data.language.say(BY_HOUR)
    wanted = settings is not None and settings.ranked_by == SAVED_PER_HOUR
    return data.language.say(BY_LOSS_YET if wanted else BY_LOSS)


def held_out_note(data: ReportData) -> list[str]:
    """How many of the list are held out; nothing where nobody is."""
    if not (n := len(data.held_out)):
        return []
    return [
        data.language.count(
            "{n} account is held out by lot, to see whether calls help: it is not to be called, and stands at the end.",
            "{n} accounts are held out by lot, to see whether calls help: they are not to be called, and stand at the end.",
            n,
        )
    ]
