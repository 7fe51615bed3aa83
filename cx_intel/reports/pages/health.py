"""The health page: who is well, who moved, who is at risk, and which signals cost the book its points.

The account itself opens on the accounts page; what its renewal is worth stands on the renewals page.
"""

from datetime import timedelta
from typing import Any

import pandas as pd

from cx_intel.reports.charts import accounts as charts
from cx_intel.reports.charts.drawing.palette import UNKNOWN, Mark, risk_marks, tier_marks
from cx_intel.reports.charts.scores import points_lost, score_distribution
from cx_intel.reports.data.cells import cells
from cx_intel.reports.data.notes.backtest import ASKED, judgement
from cx_intel.reports.data.report_data import WEEK, ReportData, is_true, total
from cx_intel.reports.data.signals import LEAST_POINTS, main_changes, main_reasons, moved_by
from cx_intel.reports.pages.frame.page import Cell, Column, Columns, Page, Section, Table, on_card, table_of
from cx_intel.reports.words.catalogue import plural, term
from cx_intel.reports.words.tables import table_name

QUESTION = term("How are our customers doing, and who moved?")
MOVERS, LISTED = 10, 100
HEALTHY_TOLD = plural(
    "{n} of {all} customers is healthy ({share}); the mean score is {mean}.",
    "{n} of {all} customers are healthy ({share}); the mean score is {mean}.",
)


def health(data: ReportData) -> Page:
    say = data.language.say
    if not data.portfolio.health:
        text = term("This portfolio has no health model: its settings do not describe one.")
        return Page("health", say("Health"), say(QUESTION), [say(text)], [])
    rows = charts.account_rows(data)
    overview = [
        charts.tiers(data, rows),
        charts.health_by_segment(data, rows),
        score_distribution(data, rows),
        points_lost(data),
    ]
    sections = [Section(say("Overview"), overview), _movers(data), Section(say("At risk"), tables=[_at_risk(data)])]
    if data.has("churn_risk_view"):
        sections.append(Section(say("Signs of churn"), tables=[_churn_signs(data)]))
    return Page(
        "health",
        say("Health"),
        say(QUESTION),
        _answer(data),
        sections,
        datasets={charts.ACCOUNTS: rows},
        script_data={"sentences": [_healthy_script(data)]},
    )


def _healthy_script(data: ReportData) -> dict[str, Any]:
    """What a script tells from for chosen accounts: how many are healthy, and their mean score."""
    scores, by_cell = data["customer_health_scores"], cells(data)
    known = scores[scores["health_tier"] != UNKNOWN] if len(scores) else scores
    known = known.assign(healthy=is_true(known["is_healthy"]).astype(int), one=1)
    return {
        "sums": {
            gap: by_cell.sums(known, c) for gap, c in (("n", "healthy"), ("all", "one"), ("score", "health_score"))
        },
        "formats": {"n": ["number", 0], "all": ["number", 0]},
        "ratios": {"share": ["n", "all", 100, "percent", 0], "mean": ["score", "all", 1, "number", 1]},
        "clauses": [[data.language.forms(*HEALTHY_TOLD), [], []]],
    }


def week_changes(data: ReportData) -> pd.DataFrame:
    """The changes of scores since last week, or none when there is no snapshot of then."""
    changes = data["health_score_changes"]
    day = data.compared_day(WEEK)
    return changes[changes["compared_as_of"] == day] if day is not None and len(changes) else changes.head(0)


def _answer(data: ReportData) -> list[str]:
    say = data.language.say
    scores, f = data["customer_health_scores"], data.language
    if scores.empty:
        return [say("No customer has a health score yet.")]
    known = scores[scores["health_tier"] != UNKNOWN]
    healthy = int(is_true(known["is_healthy"]).sum())
    mean = f.number(known["health_score"].mean(), 1)
    found = [
        f.count(
            *HEALTHY_TOLD,
            healthy,
            all=f.number(len(known)),
            share=f.percent(100 * healthy / len(known) if len(known) else None, 0),
            mean=mean,
        )
    ]
    if unknown := len(scores) - len(known):
        found.append(say("Of {n} more too little is measured to tell.", n=f.number(unknown)))
    found.append(say(ASKED, told=judgement(data)))
    changes = week_changes(data)
    if len(changes):
        order = {mark.name: place for place, mark in enumerate(tier_marks(data.portfolio))}
        moved = changes[(changes["tier_from"] != UNKNOWN) & (changes["tier_to"] != UNKNOWN)]
        steps = moved["tier_to"].map(order) - moved["tier_from"].map(order)
        down, up = int((steps > 0).sum()), int((steps < 0).sum())
        text = term("Since last week {down} fell to a lower tier and {up} rose to a higher one.")
        found.append(say(text, down=f.number(down), up=f.number(up)))
    return found


def _movers(data: ReportData) -> Section:
    say = data.language.say
    changes = week_changes(data)
    if changes.empty:
        note = say("There is no snapshot of a week ago to compare with.")
        sums = data.history.get("account_snapshot")
        if sums is not None and len(sums):
            from_then = data.language.day(sums["as_of"].min() + timedelta(days=WEEK))
            note += " " + say("The first one is compared from {day} on, where days are refreshed daily.", day=from_then)
        return Section(say("Movers of the week"), notes=[note])
    names = data["dim_account"][["account_id", "account_name", "owner"]]
    changes = changes.merge(names, on="account_id", how="left")
    why = main_changes(data, changes)
    changes["why"] = [
        why.get((a, d), "") for a, d in zip(changes["account_id"], changes["compared_as_of"], strict=True)
    ]
    marks = tier_marks(data.portfolio)
    c = Columns(data.language)

    def change(row: dict[str, Any]) -> Cell:
        return Cell(data.language.points(row["health_score_change"]), float(row["health_score_change"]))

    columns: list[Column] = [
        c.account(),
        on_card(1, (c.heading(say("Change"), "number"), change)),
        c.number(say("Score"), "score_to", 1),
        c.level(say("Tier then"), "tier_from", marks),
        on_card(2, c.level(say("Tier now"), "tier_to", marks)),
        on_card(3, c.text(say("What moved it"), "why")),
        c.text(say("Owner"), "owner"),
    ]
    fallen = changes[changes["health_score_change"] < -LEAST_POINTS].sort_values(["health_score_change", "account_id"])
    risen = changes[changes["health_score_change"] > LEAST_POINTS].sort_values(
        ["health_score_change", "account_id"], ascending=[False, True]
    )
    where = say("Each account's change stands on its own page, under Accounts.")
    down, up = (data.language.number(len(moved)) for moved in (fallen, risen))
    tables = [
        table_of(
            fallen,
            say("Fallen: {n}", n=down),
            columns,
            limit=LISTED,
            first=MOVERS,
            where_more=where,
            empty=say("Nobody's score fell."),
        ),
        table_of(
            risen,
            say("Risen: {n}", n=up),
            columns,
            limit=LISTED,
            first=MOVERS,
            where_more=where,
            empty=say("Nobody's score rose."),
        ),
    ]
    note = say("Points of the health score against {day}.", day=data.language.day(data.compared_day(WEEK)))
    notes = [note, moved_by(data, changes)]
    return Section(say("Movers of the week"), tables=tables, notes=[text for text in notes if text])


def at_risk_columns(data: ReportData) -> list[Column]:
    say = data.language.say
    c, marks = Columns(data.language), tier_marks(data.portfolio)
    return [
        c.account(),
        on_card(1, c.level(say("Tier"), "health_tier", marks)),
        c.number(say("Score"), "health_score", 1),
        on_card(3, c.money(say("ARR"), "current_arr")),
        on_card(2, c.text(say("Loses most points"), "reason")),
        c.text(say("Segment"), "segment"),
        c.text(say("Owner"), "owner"),
    ]


def _at_risk(data: ReportData) -> Table:
    say = data.language.say
    scores = data["customer_health_scores"]
    reasons = main_reasons(data)
    found = scores[(scores["health_tier"] != UNKNOWN) & ~is_true(scores["is_healthy"])]
    found = found.assign(reason=[reasons.get(str(a), "") for a in found["account_id"]])
    columns = at_risk_columns(data)
    pipeline = data["renewal_pipeline"]
    if len(pipeline):
        found = found.merge(pipeline[["account_id", "renewal_date", "days_to_renewal"]], on="account_id", how="left")
        columns.insert(4, Columns(data.language).due(say("Renews"), "days_to_renewal"))
    found = found.sort_values(["current_arr", "account_id"], ascending=[False, True])
    arr, n = data.language.money(total(found["current_arr"])), data.language.number(len(found))
    return table_of(
        found,
        say("Customers that are not healthy, by ARR: {n}, {arr} in all", n=n, arr=arr),
        columns,
        limit=LISTED,
        first=15,
        key="at-risk",
        where_more=say("All are on the accounts page."),
        empty=say("Every customer is healthy."),
    )


def _churn_signs(data: ReportData) -> Table:
    say = data.language.say
    view = data["churn_risk_view"].sort_values("intervention_priority")
    view = view[view["risk_signal_count"] > 0]
    c = Columns(data.language)
    marks = [Mark(mark.name.lower(), mark.colour, mark.shape, mark.label) for mark in risk_marks(data.language)]

    def signs(row: dict[str, Any]) -> Cell:
        f = data.language
        parts = []
        if row["is_low_health"]:
            parts.append(say("score {score}", score=f.number(row["health_score"], 1)))
        if row["is_usage_declining"]:
            change = f.points(row["usage_change_pct"], 0) + f.percent_sign
            parts.append(say("use {change} in 30 days", change=change))
        if row["has_escalations"]:
            parts.append(f.count("{n} escalated ticket", "{n} escalated tickets", row["escalated_tickets_90d"]))
        if row["has_revenue_contraction"]:
            parts.append(say("smaller in {n} of 6 months", n=f.number(row["contraction_months_6m"])))
        return Cell("; ".join(parts))

    return table_of(
        view,
        say("Accounts with signs of churn, the most urgent first"),
        [
            c.number(say("#"), "intervention_priority"),
            c.account(),
            on_card(1, c.level(say("Churn risk"), "risk_level", marks)),
            on_card(2, (c.heading(say("Signs")), signs)),
            on_card(3, c.money(say("ARR"), "current_arr")),
            c.text(say("Segment"), "segment"),
            c.text(say("Owner"), "owner"),
        ],
        limit=LISTED,
        first=10,
        key="churn-signs",
        where_more=say("The rest is in the table “{table}”.", table=table_name("churn_risk_view", data.language)),
        empty=say("No account shows a sign of churn."),
    )
