"""The executive dashboard: where the risk of churn lies and what it is worth, in six figures and six panels.

Its panels follow the filters by segment, country and owner. The same charts make the picture, in
`cx_intel.reports.charts.picture`.
"""

from typing import Any

import pandas as pd

from cx_intel.reports.charts import book as charts
from cx_intel.reports.charts.figure import Figure, Rows
from cx_intel.reports.charts.palette import risk_marks
from cx_intel.reports.charts.revenue import retention_kind, retention_trend
from cx_intel.reports.charts.scores import score_against_arr
from cx_intel.reports.data.kpis import kpis
from cx_intel.reports.data.reasons import main_reasons
from cx_intel.reports.data.report_data import Book
from cx_intel.reports.pages.page import Columns, Page, Section, Table, table_of
from cx_intel.reports.words.formats import is_missing

TOP = 10
LISTED = 300
FILTERS = ("segment", "country", "owner")


def dashboard_figures(book: Book, rows: Rows) -> list[Figure]:
    """The panels that are charts, those that the portfolio has."""
    found = []
    if book.portfolio.health:
        found.append(charts.tiers(book, rows))
    found.append(retention_trend(book))
    if book.portfolio.health:
        found.append(charts.health_by_segment(book, rows))
    if book.portfolio.renewals:
        found.append(charts.exposed_arr(book, rows))
    if book.portfolio.health:
        found.append(score_against_arr(book, rows))
    return found


def interventions(book: Book, caption: str, *, limit: int = LISTED, by_capacity: bool = False, **more: Any) -> Table:
    """The intervention list: whom to call, why, and what to do.

    Args:
        book: What there is to show.
        caption: Of the table.
        limit: The most rows.
        by_capacity: Those within capacity first, and a line before the others.
        **more: Further attributes of the table.
    """
    listed = book["cs_intervention_list"]
    if len(listed):
        within = listed["is_within_capacity"].astype(bool)
        reasons = main_reasons(book)
        known = [
            reasons.get(str(a)) or w for a, w in zip(listed["account_id"], listed["primary_risk_signal"], strict=True)
        ]
        listed = listed.assign(reason=known, beyond=~within if by_capacity else False)
        listed = listed.sort_values(["beyond", "priority_rank"])
        if by_capacity and not within.all() and int(within.sum()) < limit:
            more["divider"] = (
                int(within.sum()),
                "Capacity line: the accounts below are beyond what their owners can take",
            )
    shown = listed.head(limit).to_dict("records")
    values = [{n: charts.NONE if is_missing(row[n]) else str(row[n]) for n in FILTERS} for row in shown]
    c = Columns(book.formats)
    return table_of(
        listed,
        caption,
        [
            c.number("#", "priority_rank"),
            c.account(),
            c.mark("Risk", "renewal_risk", risk_marks()),
            c.number("Renews in", "days_to_renewal", unit=" d"),
            c.money("ARR", "current_arr"),
            c.money("Expected loss", "expected_arr_loss", explains="ARR x (1 - renewal probability)"),
            c.text("Why: loses most points", "reason"),
            c.text("What to do", "recommended_playbook"),
            c.day("By", "due_date"),
            c.text("Owner", "owner"),
        ],
        limit=limit,
        values=values,
        where_more="The rest is in the table cs_intervention_list.",
        empty="Nobody: no account at Critical or High risk renews within 90 days.",
        **more,
    )


def dashboard(book: Book) -> Page:
    rows = charts.account_rows(book)
    figures = dashboard_figures(book, rows)
    sections = [Section("", figures)]
    if book.portfolio.renewals:
        sections.append(
            Section(
                "Top ten interventions",
                tables=[interventions(book, "Whom to call first, and why", key="calls", first=TOP)],
            )
        )
    missing = [
        text
        for exists, text in (
            (book.portfolio.health, "no health model, so tiers, health by segment and scores are left out"),
            (book.portfolio.renewals, "no renewals, so ARR at risk and interventions are left out"),
        )
        if not exists
    ]
    notes = [f"This portfolio has {text}." for text in missing]
    choices = {name: sorted({row[name] for row in rows if row[name] is not None}, key=str.casefold) for name in FILTERS}
    return Page(
        "dashboard",
        "Executive dashboard",
        "Where is our churn risk, and what is it worth?",
        [*answer(book), *notes],
        sections,
        template="dashboard.html",
        datasets={charts.ACCOUNTS: rows},
        script_data={"retention": retention_by_segment(book), "filters": list(FILTERS)},
        context={"kpis": kpis(book), "choices": {k: v for k, v in choices.items() if len(v) > 1}},
    )


def retention_by_segment(book: Book) -> dict[str, dict[str, float | None]]:
    """NRR and GRR of each segment in the newest month, of the kind that the headline has."""
    frame = book["nrr_by_segment"]
    if frame.empty:
        return {}
    suffix, _ = retention_kind(book)
    last = frame[frame["revenue_month"] == frame["revenue_month"].max()]
    return {
        str(row["segment"]): {
            k: None if pd.isna(row[f"{k}_{suffix}"]) else float(row[f"{k}_{suffix}"]) for k in ("nrr", "grr")
        }
        for row in last.to_dict("records")
    }


def answer(book: Book) -> list[str]:
    """The answer in two sentences: what is exposed, where most of it lies, and what NRR becomes."""
    f, found = book.formats, []
    accounts, pipeline = book.accounts, book["renewal_pipeline"]
    if accounts.empty:
        return ["There are no customers in this portfolio yet."]
    if not pipeline.empty:
        exposed = pipeline[pipeline["exposed_arr"] > 0]
        total, arr = float(exposed["exposed_arr"].sum()), float(accounts["current_arr"].sum())
        if total:
            by_segment = exposed.groupby("segment")["exposed_arr"].sum().sort_values(ascending=False)
            found.append(
                f"{f.money(total)} of ARR ({f.percent(100 * total / arr)}) is exposed: {len(exposed)} "
                f"{'customer is' if len(exposed) == 1 else 'customers are'} not healthy and up for renewal within 90 days, "
                f"most of it in {by_segment.index[0]} ({f.money(by_segment.iloc[0])})."
            )
        else:
            found.append("Nothing is exposed: no customer up for renewal within 90 days is unhealthy.")
    outlook = book["nrr_outlook"]
    if not outlook.empty:
        book_rows = outlook[outlook["segment"] == "all"].set_index("scenario")["book_nrr_pct"]
        if pd.notna(book_rows.get("expected_no_action")):
            span = ""
            if pd.notna(book_rows.get("simulated_p10")) and pd.notna(book_rows.get("simulated_p90")):
                low, high = f.percent(book_rows["simulated_p10"]), f.percent(book_rows["simulated_p90"])
                span = f" (8 in 10 simulations: {low} to {high})"
            found.append(
                f"If nobody acts, NRR of the book in 90 days is expected at "
                f"{f.percent(book_rows['expected_no_action'])}{span}."
            )
    return found
