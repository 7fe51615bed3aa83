"""What was done with the intervention list, as tables of the renewals page: the entries acted on, and each playbook.

Rows and figures are those of `actions` and `playbook_outcomes`; their words stand in
`cx_intel.reports.data.notes.interventions`. The list itself is in `interventions.py`.
"""

from cx_intel.reports.data.cubes.cube import Follows
from cx_intel.reports.data.cubes.entries import entries_cube
from cx_intel.reports.data.notes.interventions import CAME, STATUSES, action_notes, newest_actions
from cx_intel.reports.data.report_data import ReportData
from cx_intel.reports.pages.frame.page import Columns, Section, Table, table_of
from cx_intel.reports.words.tables import table_name

ACTED = 50


def acted(data: ReportData) -> list[Section]:
    """The section; none before anything was done."""
    if data["actions"].empty:
        return []
    title = data.language.say("What was done, and what came of it")
    return [Section(title, tables=[_entries(data), _playbooks(data)], notes=action_notes(data))]


def _entries(data: ReportData) -> Table:
    say, c = data.language.say, Columns(data.language)
    rows = newest_actions(data)
    rows = rows.assign(
        status=[say(STATUSES[status]) for status in rows["status"]],
        outcome=[say(CAME[came]) for came in rows["outcome"]],
    )
    return table_of(
        rows,
        say("Entries acted on, the newest first"),
        [
            c.account(),
            c.day(say("Renews on"), "renewal_date"),
            c.text(say("Status"), "status"),
            c.day(say("On"), "acted_on"),
            c.text(say("Who"), "acted_by"),
            c.day(say("Until"), "snoozed_until"),
            c.text(say("Reason"), "reason"),
            c.text(say("Playbook"), "playbook"),
            c.money(say("ARR then"), "current_arr"),
            c.text(say("Renewal"), "outcome"),
            c.money(say("ARR after"), "outcome_arr"),
        ],
        limit=ACTED,
        where_more=say("The rest is in the table “{table}”.", table=table_name("actions", data.language)),
    )


def _playbooks(data: ReportData) -> Table:
    say, c = data.language.say, Columns(data.language)
    found = data["playbook_outcomes"].sort_values(["entries", "playbook"], ascending=[False, True])
    kept = say("Share of the ARR whose renewal is decided")
    return table_of(
        found,
        say("What came of each playbook"),
        [
            c.text(say("Playbook"), "playbook"),
            c.number(say("Entries"), "entries"),
            c.number(say("Done"), "done_entries"),
            c.number(say("Snoozed"), "snoozed_entries"),
            c.number(say("Dismissed"), "dismissed_entries"),
            c.number(say("Renewed"), "renewed"),
            c.number(say("Expanded"), "expanded"),
            c.number(say("Lost"), "lost"),
            c.number(say("Undecided"), "undecided"),
            c.percent(say("Kept where done"), "kept_done_pct", explains=kept),
            c.percent(say("Kept where not"), "kept_not_done_pct", explains=kept),
        ],
        key="playbook-outcomes",
        follows=Follows(entries_cube(data), {"playbook": "playbook"}),
    )
