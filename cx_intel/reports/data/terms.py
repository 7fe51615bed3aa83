"""Words for what tables hold in codes: scenarios, movements, statuses, and how long it is to a renewal.

They are English and marked to be collected; whoever shows them says them in the language of the portfolio. Levels of
risk stand with their colours in `cx_intel.reports.charts.drawing.palette`, figures in modules of their own beside this one.
"""

from collections.abc import Sequence
from typing import TypeVar

from cx_intel.reports.words.catalogue import plural, term
from cx_intel.reports.words.language import MISSING, Language
from cx_intel.reports.words.rounding import is_missing

T = TypeVar("T")
MOVED = {
    "new": term("New"),
    "reactivation": term("Reactivated"),
    "expansion": term("Expansion"),
    "contraction": term("Contraction"),
    "churn": term("Churned"),
}
"""Movement in the ledger: what it is called."""
SCENARIOS = {
    "all_renew": term("All renew"),
    "expected_with_playbooks": term("Expected, with playbooks"),
    "expected_no_action": term("Expected, nobody acts"),
    "simulated_p90": term("Simulated P90"),
    "simulated_p50": term("Simulated P50"),
    "simulated_p10": term("Simulated P10"),
    "worst_case": term("Worst case"),
}
"""Scenario of the outlook: its name, from the best down."""
ASSUMED = term(
    "Probabilities of renewal and save rates are assumptions of the portfolio's settings, not measurements: compare them "
    "with what came of earlier lists before deciding by them."
)
SAVE_RATES_ASSUMED = term(
    "Save rates are assumptions of the portfolio's settings, not measurements: compare them with what came of earlier lists "
    "before deciding by them."
)
PROBABILITY_SOURCES = {"learned": term("learnt"), "map": term("map"), "announced_end": term("announced end")}
"""Where a probability of renewal is from."""
MOVEMENTS = {
    "new": term("new"),
    "reactivation": term("reactivation"),
    "expansion": term("expansion"),
    "contraction": term("contraction"),
    "churn": term("churn"),
    "flat": term("flat"),
}
STATUSES = {"open": term("open"), "escalated": term("escalated"), "resolved": term("resolved")}
"""Of tickets."""
CAUSES = {
    "changed amount": term("changed amount"),
    "late row": term("late row"),
    "missing row": term("missing row"),
    "mapping or setting": term("mapping or setting"),
    "definition": term("definition"),
    "merged account": term("merged accounts"),
    "several": term("several causes"),
}
"""Of a restatement (`cx_intel.contracts.revenue.published.CAUSES`)."""
NO_VALUE = term("(none)")
"""In place of a segment, country or owner (`cx_intel.contracts.staging.values.NO_VALUE`)."""


DUE_IN = plural("in {n} day", "in {n} days")
OVERDUE_FOR = plural("{n} day overdue", "{n} days overdue")


def due_in(language: Language, days: int) -> str:
    """How long it is to a day, or how long ago it was: in 3 days, today, 2 days overdue."""
    if is_missing(days):
        return MISSING
    if days == 0:
        return language.say("today")
    if days < 0:
        return language.count(*OVERDUE_FOR, -days)
    return language.count(*DUE_IN, days)


def due_forms(language: Language) -> dict[str, list[str]]:
    """The same for scripts: of days to come, and of those overdue."""
    return {"to": language.forms(*DUE_IN), "overdue": language.forms(*OVERDUE_FOR)}


def fitting(items: Sequence[T], limit: int) -> tuple[Sequence[T], int]:
    """Those shown, and how many are left out: never a single one."""
    shown = items if len(items) <= limit + 1 else items[:limit]
    return shown, len(items) - len(shown)
