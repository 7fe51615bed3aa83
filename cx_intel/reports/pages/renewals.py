"""The renewals page: what is up for renewal, what becomes of NRR, whom to call first and whether there are enough hands.

Its figures are those of `renewal_pipeline`, `nrr_outlook` and `cs_intervention_list`; what is assumed is said.
"""

from typing import Any

import pandas as pd

from cx_intel.contracts.renewals.outlook import ALL_SEGMENTS
from cx_intel.reports.charts import renewals as charts
from cx_intel.reports.charts.accounts import account_rows, exposed_arr
from cx_intel.reports.charts.drawing.palette import risk_marks, tier_marks
from cx_intel.reports.data.cubes.cube import Follows
from cx_intel.reports.data.cubes.renewals import calls_cube, outlook_cube
from cx_intel.reports.data.figures.money import money_script, money_sentence
from cx_intel.reports.data.notes.effects import held_out_note, ranking_note
from cx_intel.reports.data.notes.probability import assumptions, uses_learned
from cx_intel.reports.data.notes.renewals import OVERDUE, mark_of, renewal_notes
from cx_intel.reports.data.report_data import ReportData, is_true, total
from cx_intel.reports.data.terms import SCENARIOS, due_in
from cx_intel.reports.pages.frame.page import Cell, Columns, Page, Section, Table, on_card, table_of
from cx_intel.reports.pages.parts.acted import acted
from cx_intel.reports.pages.parts.effects import effects
from cx_intel.reports.pages.parts.interventions import interventions, renews_with
from cx_intel.reports.words.catalogue import term
from cx_intel.reports.words.tables import table_name
from cx_intel.settings.renewals import CANCELLED

QUESTION = term("Whom do I call first, and why?")
RENEWS = term("Call {name} first (owner: {owner}): renews {due}, {arr} ARR, risk {risk}. {playbook}, due by {day}.")
ENDS = term("Call {name} first (owner: {owner}): ends {due}, {arr} ARR, risk {risk}. {playbook}, due by {day}.")
UPCOMING = 300


def renewals(data: ReportData) -> Page:
    say = data.language.say
    if not data.portfolio.renewals:
        text = term("This portfolio has no renewals: its settings do not describe any.")
        return Page("renewals", say("Renewals"), say(QUESTION), [say(text)], [])
    rows = account_rows(data)
    sections = [
        Section(say("Interventions"), tables=[_list(data), _by_owner(data)], notes=_notes(data)),
        *acted(data),
        *effects(data),
        Section(say("Pipeline"), [charts.pipeline_by_month(data), exposed_arr(data, rows)], [_upcoming(data)]),
        Section(
            say("Outlook"),
            [charts.outlook(data)],
            [_scenarios(data), _segments(data), _assumptions(data)],
            _caveats(data),
        ),
    ]
    return Page(
        "renewals",
        say("Renewals"),
        say(QUESTION),
        _answer(data),
        sections,
        datasets={"accounts": rows},
        script_data={"sentences": [money_script(data)]},
    )


def _answer(data: ReportData) -> list[str]:
    return [text for text in (_first_call(data), money_sentence(data), *renewal_notes(data)) if text]


def _first_call(data: ReportData) -> str:
    listed, f = data.to_call, data.language
    if listed.empty and len(data.held_out):
        return f.say("Nobody: whoever is at risk within 90 days is held out by lot.")
    if listed.empty:
        return f.say("Nobody: no account is cancelled, or at Critical or High risk, within 90 days.")
    first = listed.sort_values("priority_rank").iloc[0]
    text = ENDS if first["renewal_risk"] == CANCELLED else RENEWS
    return f.say(
        text,
        name=first["account_name"] if pd.notna(first["account_name"]) else first["account_id"],
        owner=first["owner"],
        due=due_in(f, first["days_to_renewal"]),
        arr=f.money(first["current_arr"]),
        risk=f.say(str(first["renewal_risk"])),
        playbook=first["recommended_playbook"],
        day=f.day(first["due_date"]),
    )


def _notes(data: ReportData) -> list[str]:
    return [ranking_note(data), *_capacity(data), *held_out_note(data)]


def _capacity(data: ReportData) -> list[str]:
    say = data.language.say
    settings, listed = data.portfolio.renewals, data.to_call
    if settings is None or settings.capacity_per_owner is None:
        text = term("No capacity per owner is set, so every account counts as within reach.")
        return [say(text)]
    beyond = int((~is_true(listed["is_within_capacity"])).sum()) if len(listed) else 0
    capacity = data.language.number(settings.capacity_per_owner)
    if not beyond:
        return [
            data.language.count(
                "An owner can take {n} account at a time. The whole list lies within that.",
                "An owner can take {n} accounts at a time. The whole list lies within that.",
                settings.capacity_per_owner,
            )
        ]
    return [
        data.language.count(
            "An owner can take {capacity} accounts at a time. {n} account lies beyond that.",
            "An owner can take {capacity} accounts at a time. {n} accounts lie beyond that.",
            beyond,
            capacity=capacity,
        )
    ]


def _list(data: ReportData) -> Table:
    return interventions(data, data.language.say("Whom to call, and why"), first=25, by_capacity=True)


def _by_owner(data: ReportData) -> Table:
    say = data.language.say
    listed = data.to_call
    rows = []
    for owner, group in listed.groupby("owner") if len(listed) else ():
        within = is_true(group["is_within_capacity"])
        rows.append(
            {
                "owner": owner,
                "listed": len(group),
                "within": int(within.sum()),
                "arr": total(group["current_arr"]),
                "loss": total(group["expected_arr_loss"]),
                "soonest": int(group["days_to_renewal"].min()),
            }
        )
    frame = pd.DataFrame(rows).sort_values("loss", ascending=False) if rows else pd.DataFrame()
    c = Columns(data.language)
    return table_of(
        frame,
        say("The list by owner"),
        [
            c.text(say("Owner"), "owner"),
            on_card(1, c.number(say("To call"), "listed")),
            c.number(say("Within capacity"), "within"),
            c.money(say("ARR"), "arr"),
            on_card(2, c.money(say("Expected loss"), "loss")),
            on_card(3, c.due(say("Soonest renewal or end"), "soonest")),
        ],
        key="calls-by-owner",
        follows=Follows(calls_cube(data), {"owner": "owner"}),
        empty=say("Nobody has an account to call."),
    )


def _upcoming(data: ReportData) -> Table:
    say = data.language.say
    pipeline = data["renewal_pipeline"].sort_values(["days_to_renewal", "account_id"])
    c = Columns(data.language)

    def due(row: dict[str, Any]) -> Cell:
        word = mark_of(row)
        text = due_in(data.language, row["days_to_renewal"])
        return Cell(text if word in ("", OVERDUE) else f"{text}, {say(word)}", row["days_to_renewal"])

    return table_of(
        pipeline,
        say("Renewals of the next 270 days, the soonest first: {n}", n=data.language.number(len(pipeline))),
        [
            c.account(),
            on_card(1, c.day(say("Renews on"), "renewal_date")),
            (c.heading(say("Due")), due),
            on_card(2, c.level(say("Risk"), "renewal_risk", risk_marks(data.language))),
            c.level(say("Tier"), "health_tier", tier_marks(data.portfolio)),
            on_card(3, c.money(say("ARR"), "current_arr")),
            c.money(say("Exposed"), "exposed_arr"),
            renews_with(data),
            on_card(4, c.money(say("Expected loss"), "expected_arr_loss")),
            c.text(say("Playbook"), "recommended_playbook"),
            c.text(say("Owner"), "owner"),
        ],
        limit=UPCOMING,
        first=10,
        key="upcoming",
        where_more=say("The rest is in the table “{table}”.", table=table_name("renewal_pipeline", data.language)),
        empty=say("Nothing is up for renewal."),
    )


def _scenarios(data: ReportData) -> Table:
    say = data.language.say
    outlook = data["nrr_outlook"]
    book = outlook[outlook["segment"] == ALL_SEGMENTS] if len(outlook) else outlook
    order = {name: place for place, name in enumerate(SCENARIOS)}
    book = book.assign(label=book["scenario"].map(SCENARIOS), place=book["scenario"].map(order)).sort_values("place")
    c = Columns(data.language)
    return table_of(
        book,
        say("NRR of the next 90 days by scenario"),
        [
            c.term(say("Scenario"), "label"),
            c.percent(say("NRR of the book"), "book_nrr_pct"),
            c.percent(say("NRR of the renewals due"), "nrr_pct"),
            c.number(say("Renewals due"), "renewals_due"),
            *([c.number(say("with a learnt probability"), "learned_renewals")] if uses_learned(data) else []),
            c.money(say("MRR due"), "starting_mrr"),
            c.money(say("MRR kept"), "ending_mrr"),
            c.money(say("MRR of the book"), "book_starting_mrr"),
        ],
        key="scenarios",
        follows=Follows(outlook_cube(data), {"scenario": "scenario"}),
        empty=say("There is no outlook yet."),
    )


def _segments(data: ReportData) -> Table:
    say = data.language.say
    outlook = data["nrr_outlook"]
    rows: dict[str, dict[str, Any]] = {}
    for row in outlook[outlook["segment"] != ALL_SEGMENTS].to_dict("records") if len(outlook) else ():
        found = rows.setdefault(
            str(row["segment"]), {"segment": row["segment"], "due": row["renewals_due"], "mrr": row["starting_mrr"]}
        )
        found[str(row["scenario"])] = row["book_nrr_pct"]
    c = Columns(data.language)
    shown = ("expected_no_action", "expected_with_playbooks", "simulated_p10", "simulated_p90", "worst_case")
    frame = (
        pd.DataFrame(list(rows.values()))
        .reindex(columns=["segment", "due", "mrr", *shown])
        .sort_values("mrr", ascending=False)
    )
    return table_of(
        frame,
        say("NRR of the book in 90 days by segment"),
        [
            c.text(say("Segment"), "segment"),
            c.number(say("Renewals due"), "due"),
            c.money(say("MRR due"), "mrr"),
            *(c.percent(say(SCENARIOS[name]), name) for name in shown),
        ],
        key="outlook-by-segment",
        follows=Follows(outlook_cube(data), {"segment": "segment"}),
        empty=say("There is no outlook by segment yet."),
    )


def _assumptions(data: ReportData) -> Table:
    say = data.language.say
    assert data.portfolio.renewals is not None
    frame = pd.DataFrame(
        [
            {
                "risk": playbook.risk,
                "action": data.labels.of("playbook", playbook.action),
                "when": say("else") if playbook.if_ is None else say("under its condition in the YAML"),
                "due": playbook.due_in_days,
                "probability": 100 * data.portfolio.renewals.probability_of(playbook.risk),
                "save": 100 * playbook.save_rate,
            }
            for playbook in data.portfolio.playbooks
        ]
    )
    c = Columns(data.language)
    return table_of(
        frame,
        say("What is assumed: renewal probabilities and save rates of the playbooks"),
        [
            c.level(say("Risk"), "risk", risk_marks(data.language)),
            c.percent(say("Renews with"), "probability", 0),
            c.text(say("Playbook"), "action"),
            c.text(say("Taken"), "when"),
            c.number(say("Due in days"), "due"),
            c.percent(say("Saves, of the loss"), "save", 0),
        ],
        is_folded=True,
    )


def _caveats(data: ReportData) -> list[str]:
    say = data.language.say
    assert data.portfolio.renewals is not None
    draws = data.language.number(data.portfolio.renewals.outlook.draws)
    return [
        *assumptions(data),
        say(
            "Simulations do not add up over accounts: for chosen accounts only the scenarios worked out exactly are shown."
        ),
        say("“With playbooks” holds for the accounts on the list that are within capacity."),
        say(
            "“Worst case” loses every renewal of a customer that is not healthy now. It is a bound on known risk, not the "
            "worst that can happen."
        ),
        say(
            "P10, P50 and P90 come from {n} simulations in which each renewal happens or not by its probability, "
            "independently: in 8 of 10 NRR lies between P10 and P90.",
            n=draws,
        ),
    ]
