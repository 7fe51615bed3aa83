"""What the renewals of the next 90 days are worth: exposed ARR, expected loss, what playbooks save, what is simulated.

The named figures and the few sentences that relate them, the same on dashboard, picture, brief and renewals page. Each is
a sum over accounts (`money_parts`), but for the simulated ones, which are of the whole company. Probabilities and playbooks
are chosen in `cx_intel.models.renewals`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pandas as pd

from cx_intel.contracts.renewals.outlook import ALL_SEGMENTS
from cx_intel.contracts.staging.values import DONE
from cx_intel.models.renewals.outlook import ENTRY, is_acted_on
from cx_intel.reports.data.cells import cells
from cx_intel.reports.data.notes.interventions import newest_actions
from cx_intel.reports.data.report_data import ReportData, is_true, made_once, total
from cx_intel.reports.words.catalogue import term
from cx_intel.reports.words.language import Language
from cx_intel.reports.words.rounding import rounded

SUMMED = ("due", "exposed", "exposed_accounts", "loss", "exposed_loss", "acted_on", "acted_loss", "saved")
"""Figures that are sums over accounts (`money_parts`)."""
COUNTS = ("exposed_accounts", "acted_on")
"""Those of them that are numbers of accounts; the others are ARR."""
DIFFERENCES = {"other_loss": ("loss", "exposed_loss"), "left": ("loss", "saved")}
"""Taken from what is shown of two figures, so that the sentence adds up to the last digit."""
SIMULATED = ("low", "high")


@dataclass(frozen=True)
class Clause:
    """A part of the sentence, in English: said where the figures of `needs` are above 0, and those of `lacks` are 0."""

    text: str
    needs: tuple[str, ...] = ()
    lacks: tuple[str, ...] = ()


CLAUSES = (
    Clause(term("Nothing is up for renewal within 90 days"), lacks=("due",)),
    Clause(
        term(
            "{exposed} of {due} ARR due within 90 days is exposed (accounts not healthy or cancelled: {exposed_accounts})"
        ),
        needs=("exposed",),
    ),
    Clause(
        term("Nothing of {due} ARR due within 90 days is exposed: nobody due is unhealthy or has cancelled"),
        needs=("due",),
        lacks=("exposed",),
    ),
    Clause(
        term(
            "if nobody acts, {loss} is expected to be lost by each account's probability of renewal ({exposed_loss} of the "
            "exposed, {other_loss} of other renewals)"
        ),
        needs=("exposed",),
    ),
    Clause(
        term("if nobody acts, {loss} is expected to be lost all the same by each account's probability of renewal"),
        needs=("due",),
        lacks=("exposed",),
    ),
    Clause(
        term(
            "playbooks for those to call or called ({acted_on}, {acted_loss} of that) are assumed to save {saved}, which "
            "leaves {left}"
        ),
        needs=("acted_on",),
    ),
    Clause(
        term("without action, 8 of 10 simulations of the whole company lose {low} to {high}"), needs=("due", "high")
    ),
)


def money_sentence(data: ReportData) -> str:
    """The sentence about money for the whole company; empty for a portfolio without renewals."""
    if not data.portfolio.renewals or data.accounts.empty:
        return ""
    return sentence_of(money_figures(data), data.language)


def sentence_of(figures: Mapping[str, float], language: Language) -> str:
    """The sentence about these figures."""
    shown = {
        name: language.number(value) if name in COUNTS else language.money(value) for name, value in figures.items()
    }
    for name, (whole, part) in DIFFERENCES.items():
        shown[name] = language.money(rounded(figures[whole]) - rounded(figures[part]))
    said = (
        language.say(clause.text, **shown)
        for clause in CLAUSES
        if all(figures[name] > 0 for name in clause.needs) and not any(figures[name] > 0 for name in clause.lacks)
    )
    return " ".join(f"{text[:1].upper()}{text[1:]}." for text in said)


@made_once
def money_figures(data: ReportData) -> dict[str, float]:
    """The named figures of the whole company; the simulated ones are 0 where there is no outlook."""
    parts = money_parts(data)
    return {name: total(parts[name]) for name in SUMMED} | dict(zip(SIMULATED, _simulated(data), strict=True))


@made_once
def money_parts(data: ReportData) -> pd.DataFrame:
    """What each account that is due within 90 days adds to the figures.

    Grain: account_id, of the rows of `renewal_pipeline` within the window, lapsed terms and overdue renewals included.

    Columns:
        due: ARR.
        exposed, exposed_accounts: `exposed_arr` of it, and 1 where there is any.
        loss, exposed_loss: `expected_arr_loss`, and that of the exposed.
        acted_on, acted_loss, saved: 1 for those with a playbook at work, as `nrr_outlook` counts them;
            their expected loss; and the share of it that the playbook is assumed to save (`save_rate`).
    """
    due = data["renewal_pipeline"]
    due = due[is_true(due["is_within_window"])] if len(due) else due
    if due.empty:
        return pd.DataFrame(columns=["account_id", *SUMMED])
    listed = data["cs_intervention_list"].reindex(columns=["account_id", "is_within_capacity"])
    acted = newest_actions(data).reindex(columns=[*ENTRY, "status"])
    at_work = is_acted_on(due, listed, acted[acted["status"] == DONE])
    is_exposed, loss = due["exposed_arr"] > 0, due["expected_arr_loss"]
    return pd.DataFrame(
        {
            "account_id": due["account_id"],
            "due": due["current_arr"],
            "exposed": due["exposed_arr"],
            "exposed_accounts": is_exposed.astype(int),
            "loss": loss,
            "exposed_loss": loss.where(is_exposed, 0.0),
            "acted_on": at_work.astype(int),
            "acted_loss": loss.where(at_work, 0.0),
            "saved": (loss * due["save_rate"]).where(at_work, 0.0),
        }
    )


def _simulated(data: ReportData) -> tuple[float, float]:
    """The least and the most ARR that is lost in 8 of 10 simulations of the case that nobody acts."""
    outlook: Any = data["nrr_outlook"]
    book = outlook[outlook["segment"] == ALL_SEGMENTS].set_index("scenario") if len(outlook) else outlook
    if not {"simulated_p10", "simulated_p90"} <= set(book.index):
        return 0.0, 0.0
    lost = 12 * (book["starting_mrr"] - book["ending_mrr"])
    return float(lost["simulated_p90"]), float(lost["simulated_p10"])


def money_script(data: ReportData) -> dict[str, Any]:
    """What a script makes the sentence of for chosen accounts: its parts by cell, and its clauses in the language."""
    f, parts, by_cell = data.language, money_parts(data), cells(data)
    figures = money_figures(data)
    return {
        "sums": {name: by_cell.sums(parts, name) for name in SUMMED},
        "fixed": {name: figures[name] for name in SIMULATED},
        "formats": {name: ["number", 0] for name in COUNTS},
        "minus": DIFFERENCES,
        "clauses": [[f.say(clause.text), clause.needs, clause.lacks] for clause in CLAUSES],
    }
