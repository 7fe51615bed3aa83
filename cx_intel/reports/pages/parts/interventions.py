"""The intervention list as a table of a page: whom to call, why, and what to do.

It stands on the dashboard and on the renewals page. Who is listed, in which order, is decided by the model
(`cx_intel.models.renewals.actions`).
"""

from typing import Any

from cx_intel.reports.charts.drawing.figure import plain_value
from cx_intel.reports.charts.drawing.palette import risk_marks
from cx_intel.reports.data.account.contacts import first_contacts, with_first_contact
from cx_intel.reports.data.notes.probability import uses_learned
from cx_intel.reports.data.report_data import ReportData, is_true
from cx_intel.reports.data.signals import main_reasons
from cx_intel.reports.data.terms import PROBABILITY_SOURCES
from cx_intel.reports.pages.frame.page import Cell, Column, Columns, Table, on_card, table_of
from cx_intel.reports.words.language import MISSING
from cx_intel.reports.words.rounding import is_missing
from cx_intel.reports.words.tables import table_name

LISTED = 300


def renews_with(data: ReportData) -> Column:
    """The probability of renewal; where some are learnt, also where each is from."""
    f, both = data.language, uses_learned(data)

    def cell(row: dict[str, Any]) -> Cell:
        probability = row["renewal_probability"]
        if is_missing(probability):
            return Cell(MISSING)
        text = f.percent(100 * probability, 0)
        source = PROBABILITY_SOURCES[row["probability_from"]]
        return Cell(f"{text}, {f.say(source)}" if both else text, plain_value(probability))

    return Columns(f).heading(f.say("Renews with"), "number"), cell


def _line(data: ReportData, has_held_out: bool, has_beyond: bool) -> str:
    """What the line before those who are not given as work says."""
    say = data.language.say
    if not has_held_out:
        return say("Capacity line: the accounts below are beyond what their owners can take")
    if not has_beyond:
        return say("The accounts below are held out by lot: they are not to be called")
    return say("Capacity line: the accounts below are beyond what their owners can take, or held out by lot")


def interventions(data: ReportData, caption: str, *, by_capacity: bool = False, **more: Any) -> Table:
    """The intervention list.

    Args:
        data: What there is to show.
        caption: Of the table.
        by_capacity: Those within capacity first, and a line before the others.
        **more: Further attributes of the table.
    """
    listed, say = data["cs_intervention_list"], data.language.say
    if len(listed):
        within, held, reasons = (
            is_true(listed["is_within_capacity"]),
            is_true(listed["is_held_out"]),
            main_reasons(data),
        )
        listed = listed.assign(
            reason=listed["account_id"].map(reasons),
            beyond=~within if by_capacity else held,
            recommended_playbook=listed["recommended_playbook"].where(~held, say("No call: held out by lot")),
            due_date=listed["due_date"].mask(held),
            first_contact=with_first_contact(data, listed["account_id"]).mask(held),
        )
        listed = listed.sort_values(["beyond", "priority_rank"])
        if by_capacity and not within.all() and int(within.sum()) < LISTED:
            more["divider"] = (int(within.sum()), _line(data, bool(held.any()), bool((~within & ~held).any())))
    c = Columns(data.language)
    return table_of(
        listed,
        caption,
        [
            c.number(say("#"), "priority_rank"),
            c.account(),
            c.level(say("Risk"), "renewal_risk", risk_marks(data.language)),
            c.due(say("Renews"), "days_to_renewal"),
            c.money(say("ARR"), "current_arr"),
            on_card(
                4, c.money(say("Expected loss"), "expected_arr_loss", explains=say("ARR x (1 - renewal probability)"))
            ),
            renews_with(data),
            on_card(1, c.text(say("Why"), "reason", say("the measured signal that loses most points"))),
            on_card(2, c.text(say("What to do"), "recommended_playbook")),
            on_card(3, c.day(say("By"), "due_date")),
            *([c.text(say("Whom to call"), "first_contact")] if first_contacts(data) else ()),
            c.text(say("Owner"), "owner"),
        ],
        limit=LISTED,
        key="calls",
        where_more=say("The rest is in the table “{table}”.", table=table_name("cs_intervention_list", data.language)),
        empty=say("Nobody: no account is cancelled, or at Critical or High risk, within 90 days."),
        **more,
    )
