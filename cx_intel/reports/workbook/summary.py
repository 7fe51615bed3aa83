"""The first sheet of the workbook for leaders: what the lists come to, what is assumed, and what the words mean.

Assumptions stand beside the figures that rest on them, so that nobody takes a save rate for a measurement. The lists
themselves are written in `workbook.py`.
"""

from collections.abc import Sequence
from typing import Any

from xlsxwriter.worksheet import Worksheet

from cx_intel.contracts.renewals.outlook import ALL_SEGMENTS
from cx_intel.contracts.renewals.pipeline import WINDOW_DAYS
from cx_intel.reports.data.figures.arr import ARR, ARR_MONTH_END, ARR_SCORED, arr_figures
from cx_intel.reports.data.notes.probability import assumptions
from cx_intel.reports.data.report_data import ReportData, records, total
from cx_intel.reports.data.terms import SCENARIOS
from cx_intel.reports.words.catalogue import term
from cx_intel.reports.words.rounding import is_missing
from cx_intel.reports.workbook import cells
from cx_intel.reports.workbook.cells import Cells, Kind, Look
from cx_intel.settings.renewals import RISK_LEVELS

WIDTHS = (54, 44, 18, 28)
DEFINITIONS = (
    (ARR, term("12 x the MRR in force on the day, of all who pay.")),
    (ARR_SCORED, term("The part of it that is of accounts with a health score.")),
    (ARR_MONTH_END, term("12 x the MRR with which the ledger ended its last complete month.")),
    (term("Expected loss of ARR"), term("ARR x (1 - probability of renewal).")),
    (term("Savable ARR (assumed)"), term("Expected loss x save rate of the playbook; an assumption.")),
    (
        term("Exposed ARR (90 days)"),
        term("ARR of accounts that are not healthy or have cancelled, and are due within 90 days."),
    ),
    (term("Why"), term("The measured signal that costs the health score most points.")),
    (term("Renewal pipeline"), term("Paying accounts that renew within 270 days.")),
    (term("Expansion potential ARR"), term("12 x the expansion of MRR in the last three months of the ledger.")),
    (
        term("Overdue"),
        term("The renewal date given has passed while the account pays, and no contract began since."),
    ),
)
"""Terms and their meanings."""


def write_summary(sheet: Worksheet, data: ReportData, writer: Cells, place: str) -> None:
    """Fills the sheet.

    Args:
        sheet: An empty one.
        data: Of the day.
        writer: Of the workbook.
        place: Portfolio, day and currency in words.
    """
    say, portfolio, page = data.language.say, data.portfolio, _Sheet(sheet, writer)
    page.line((say("Customer success review"), "text"), look=cells.TITLE)
    page.line((place, "text"), look=cells.MUTED)
    page.heading(say("Figures"))
    for name, value, kind in _figures(data):
        page.line((say(name), "text"), (value, kind))
    page.note(arr_figures(data).reconciled(data.language))
    page.heading(say("NRR of the book in 90 days"))
    page.line((say("Churn and renewals alone, without new expansion."), "long"), look=cells.MUTED)
    outlook = data["nrr_outlook"]
    rates = {row["scenario"]: row["book_nrr_pct"] for row in records(outlook) if row["segment"] == ALL_SEGMENTS}
    for scenario in (s for s in SCENARIOS if s in rates):
        rate = rates[scenario]
        page.line((say(SCENARIOS[scenario]), "text"), (None if is_missing(rate) else rate / 100, "rate"))
    page.heading(say("Assumptions"))
    for sentence in assumptions(data):
        page.note(sentence)
    if portfolio.renewals:
        page.note(_capacity(data))
        page.titles([say("Renewal risk"), say("Probability of renewal (assumed)")])
        for risk in RISK_LEVELS:
            page.line((say(risk), "text"), (portfolio.renewals.probability_of(risk), "rate"))
        page.gap()
    page.titles([say("Risk"), say("Playbook"), say("Due in days"), say("Save rate (assumed)")])
    for playbook in portfolio.playbooks:
        page.line(
            (say(playbook.risk), "text"),
            (data.labels.of("playbook", playbook.action), "long"),
            (playbook.due_in_days, "count"),
            (playbook.save_rate, "rate"),
        )
    page.heading(say("Definitions"))
    for name, meaning in DEFINITIONS:
        page.definition(say(name), say(meaning))


def _capacity(data: ReportData) -> str:
    capacity = data.portfolio.renewals and data.portfolio.renewals.capacity_per_owner
    if not capacity:
        return data.language.say("Capacity: no limit is set.")
    text = term("Capacity: {capacity} accounts for each owner; accounts without an owner are one queue.")
    return data.language.say(text, capacity=capacity)


def _figures(data: ReportData) -> list[tuple[str, Any, Kind]]:
    pipeline, listed, arr = records(data["renewal_pipeline"]), records(data.to_call), arr_figures(data)
    soon = [row for row in pipeline if row["days_to_renewal"] <= WINDOW_DAYS]
    within = [row for row in listed if row["is_within_capacity"]]
    named: list[tuple[str, Any, Kind]] = [
        (ARR, arr.book, "money"),
        (ARR_SCORED, arr.scored, "money"),
        (ARR_MONTH_END, arr.month_end, "money"),
    ]
    held_out: list[tuple[str, Any, Kind]] = []
    if n := len(data.held_out):
        held_out = [(term("Held out by lot, not to be called"), n, "count")]
    return [
        *(figure for figure in named if figure[1] is not None),
        (term("Renewals within 90 days"), len(soon), "count"),
        (term("Their ARR"), total(row["current_arr"] for row in soon), "money"),
        (term("Exposed ARR within 90 days"), total(row["exposed_arr"] for row in pipeline), "money"),
        (term("Accounts to call"), len(listed), "count"),
        (term("of which within capacity"), len(within), "count"),
        *held_out,
        (
            term("Expected loss of ARR among them, if nobody acts"),
            total(row["expected_arr_loss"] for row in listed),
            "money",
        ),
        (
            term("Savable by the playbooks within capacity (assumed)"),
            total(row["expected_arr_loss"] * row["save_rate"] for row in within),
            "money",
        ),
    ]


class _Sheet:
    """Writes line after line."""

    def __init__(self, sheet: Worksheet, writer: Cells):
        self.sheet, self.cells, self.row = sheet, writer, -1
        for place, width in enumerate(WIDTHS):
            sheet.set_column(place, place, width)
        sheet.hide_gridlines(2)
        cells.ready_to_print(sheet, sum(WIDTHS))

    def line(self, *values: tuple[Any, Kind], look: Look = ()) -> None:
        self.row += 1
        for place, (value, kind) in enumerate(values):
            aligned = cells.TOP_WRAPPED if kind == "long" else cells.TOP_LEFT
            self.cells.put(self.sheet, self.row, place, value, kind, aligned, look)

    def heading(self, text: str) -> None:
        self.gap()
        self.line((text, "text"), look=(*cells.HEADING, *cells.UNDERLINE))
        for place in range(1, len(WIDTHS)):
            self.cells.put(self.sheet, self.row, place, None, "text", cells.UNDERLINE)

    def titles(self, texts: Sequence[str]) -> None:
        self.line(*((text, "text") for text in texts), look=cells.STRONG)

    def note(self, text: str) -> None:
        """A sentence across the page."""
        self.row += 1
        self._across(0, text)

    def definition(self, term: str, meaning: str) -> None:
        self.line((term, "text"), look=cells.STRONG)
        self._across(1, meaning)

    def _across(self, first: int, text: str) -> None:
        """A text from a column to the last one, on as many lines as it takes."""
        self.sheet.set_row(self.row, 15 * (1 + len(text) // sum(WIDTHS[first:])))
        wrapped = self.cells.format("long", cells.TOP_WRAPPED)
        self.sheet.merge_range(self.row, first, self.row, len(WIDTHS) - 1, "", wrapped)
        self.cells.put(self.sheet, self.row, first, text, "long", cells.TOP_WRAPPED)

    def gap(self) -> None:
        self.row += 1
