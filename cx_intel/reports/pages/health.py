"""The health page: who is well, who moved, who is at risk, and which signals cost the book its points.

The account itself opens on the accounts page; what its renewal is worth stands on the renewals page.
"""

from typing import Any

import pandas as pd

from cx_intel.reports.charts import book as charts
from cx_intel.reports.charts.palette import UNKNOWN, Mark, risk_marks, tier_marks
from cx_intel.reports.charts.scores import points_lost, score_distribution
from cx_intel.reports.data.kpis import compared_to
from cx_intel.reports.data.reasons import main_changes, main_reasons
from cx_intel.reports.data.report_data import WEEK, Book, is_true
from cx_intel.reports.pages.page import Cell, Column, Columns, Heading, Page, Section, Table, table_of

MOVERS, AT_RISK = 10, 100


def health(book: Book) -> Page:
    if not book.portfolio.health:
        return Page(
            "health",
            "Health",
            "How are our customers doing, and who moved?",
            ["This portfolio has no health model: its YAML has no `health` block."],
            [],
        )
    rows = charts.account_rows(book)
    overview = [
        charts.tiers(book, rows),
        charts.health_by_segment(book, rows),
        score_distribution(book, rows),
        points_lost(book),
    ]
    sections = [Section("Overview", overview), _movers(book), Section("At risk", tables=[_at_risk(book)])]
    if book.has("churn_risk_view"):
        sections.append(Section("Signs of churn", tables=[_churn_signs(book)]))
    return Page(
        "health",
        "Health",
        "How are our customers doing, and who moved?",
        _answer(book),
        sections,
        datasets={charts.ACCOUNTS: rows},
    )


def week_changes(book: Book) -> pd.DataFrame:
    """The changes of scores since last week, or none when there is no snapshot of then."""
    changes = book["health_score_changes"]
    day = compared_to(book, WEEK)
    return changes[changes["compared_as_of"] == day] if day is not None and len(changes) else changes.head(0)


def _answer(book: Book) -> list[str]:
    scores, f = book["customer_health_scores"], book.formats
    if scores.empty:
        return ["No customer has a health score yet."]
    known = scores[scores["health_tier"] != UNKNOWN]
    healthy = int(is_true(known["is_healthy"]).sum())
    mean = f.number(known["health_score"].mean(), 1)
    share = f" ({f.percent(100 * healthy / len(known), 0)})" if len(known) else ""
    found = [f"{f.number(healthy)} of {f.number(len(known))} customers are healthy{share}; the mean score is {mean}."]
    if unknown := len(scores) - len(known):
        found.append(f"Of {f.number(unknown)} more too little is measured to tell.")
    changes = week_changes(book)
    if len(changes):
        order = {mark.name: place for place, mark in enumerate(tier_marks(book.portfolio))}
        moved = changes[(changes["tier_from"] != UNKNOWN) & (changes["tier_to"] != UNKNOWN)]
        steps = moved["tier_to"].map(order) - moved["tier_from"].map(order)
        down, up = int((steps > 0).sum()), int((steps < 0).sum())
        found.append(f"Since last week {f.number(down)} fell to a lower tier and {f.number(up)} rose to a higher one.")
    return found


def _movers(book: Book) -> Section:
    changes = week_changes(book)
    if changes.empty:
        return Section("Movers of the week", notes=["There is no snapshot of a week ago to compare with."])
    names = book["dim_account"][["account_id", "account_name", "owner"]]
    changes = changes.merge(names, on="account_id", how="left")
    why = main_changes(book, changes)
    changes["why"] = [
        why.get((a, d), "") for a, d in zip(changes["account_id"], changes["compared_as_of"], strict=True)
    ]
    marks = tier_marks(book.portfolio)
    c = Columns(book.formats)

    def change(row: dict[str, Any]) -> Cell:
        return Cell(book.formats.points(row["health_score_change"]), float(row["health_score_change"]))

    columns: list[Column] = [
        c.account(),
        (Heading("Change", "number"), change),
        c.number("Score", "score_to", 1),
        c.mark("Tier then", "tier_from", marks),
        c.mark("Tier now", "tier_to", marks),
        c.text("What moved it", "why"),
        c.text("Owner", "owner"),
    ]
    fallen = changes[changes["health_score_change"] < -0.05].sort_values(["health_score_change", "account_id"])
    risen = changes[changes["health_score_change"] > 0.05].sort_values(
        ["health_score_change", "account_id"], ascending=[False, True]
    )
    where = "Each account's change stands on its own page, under Accounts."
    tables = [
        table_of(
            fallen, f"Fallen: {len(fallen)}", columns, limit=MOVERS, where_more=where, empty="Nobody's score fell."
        ),
        table_of(risen, f"Risen: {len(risen)}", columns, limit=MOVERS, where_more=where, empty="Nobody's score rose."),
    ]
    day = book.formats.day(compared_to(book, WEEK))
    return Section("Movers of the week", tables=tables, notes=[f"Points of the health score against {day}."])


def at_risk_columns(book: Book) -> list[Column]:
    c, marks = Columns(book.formats), tier_marks(book.portfolio)
    return [
        c.account(),
        c.mark("Tier", "health_tier", marks),
        c.number("Score", "health_score", 1),
        c.money("ARR", "current_arr"),
        c.text("Loses most points", "reason"),
        c.text("Segment", "segment"),
        c.text("Owner", "owner"),
    ]


def _at_risk(book: Book) -> Table:
    scores = book["customer_health_scores"]
    reasons = main_reasons(book)
    found = scores[(scores["health_tier"] != UNKNOWN) & ~is_true(scores["is_healthy"])]
    found = found.assign(reason=[reasons.get(str(a), "") for a in found["account_id"]])
    columns = at_risk_columns(book)
    pipeline = book["renewal_pipeline"]
    if len(pipeline):
        found = found.merge(pipeline[["account_id", "renewal_date", "days_to_renewal"]], on="account_id", how="left")
        columns.insert(4, Columns(book.formats).number("Renews in", "days_to_renewal", unit=" d"))
    found = found.sort_values(["current_arr", "account_id"], ascending=[False, True])
    total = book.formats.money(found["current_arr"].sum()) if len(found) else ""
    return table_of(
        found,
        f"Customers that are not healthy, by ARR: {len(found)}" + (f", {total} in all" if total else ""),
        columns,
        limit=AT_RISK,
        first=15,
        key="at-risk",
        where_more="All are on the accounts page.",
        empty="Every customer is healthy.",
    )


def _churn_signs(book: Book) -> Table:
    view = book["churn_risk_view"].sort_values("intervention_priority")
    view = view[view["risk_signal_count"] > 0]
    c = Columns(book.formats)
    marks = [Mark(mark.name.lower(), mark.colour, mark.shape) for mark in risk_marks()]

    def signs(row: dict[str, Any]) -> Cell:
        f = book.formats
        parts = []
        if row["is_low_health"]:
            parts.append(f"score {f.number(row['health_score'], 1)}")
        if row["is_usage_declining"]:
            parts.append(f"use {f.points(row['usage_change_pct'], 0)}{f.percent_sign} in 30 days")
        if row["has_escalations"]:
            parts.append(f"{f.number(row['escalated_tickets_90d'])} escalated tickets")
        if row["has_revenue_contraction"]:
            parts.append(f"smaller in {f.number(row['contraction_months_6m'])} of 6 months")
        return Cell("; ".join(parts))

    return table_of(
        view,
        "Accounts with signs of churn, the most urgent first",
        [
            c.number("#", "intervention_priority"),
            c.account(),
            c.mark("Churn risk", "risk_level", marks),
            (Heading("Signs"), signs),
            c.money("ARR", "current_arr"),
            c.text("Segment", "segment"),
            c.text("Owner", "owner"),
        ],
        limit=AT_RISK,
        first=10,
        key="churn-signs",
        where_more="The rest is in the table churn_risk_view.",
        empty="No account shows a sign of churn.",
    )
