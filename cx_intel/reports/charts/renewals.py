"""The charts of renewals: the pipeline by month and risk, and what becomes of NRR.

They draw what `renewal_pipeline` and `nrr_outlook` hold; exposed ARR by segment stands in `book.py`.
"""

import pandas as pd

from cx_intel.reports.charts.figure import (
    LARGE,
    Figure,
    Rows,
    Spec,
    Width,
    chart,
    coloured,
    field,
    legend_at,
    mark,
    money_axis,
    over,
    summed,
    tip,
)
from cx_intel.reports.charts.palette import BLUE, GREY, risk_marks
from cx_intel.reports.charts.revenue import month_axis, percent_axis
from cx_intel.reports.data.report_data import Book

SCENARIOS = {
    "all_renew": "All renew",
    "expected_with_playbooks": "Expected, with playbooks",
    "expected_no_action": "Expected, nobody acts",
    "simulated_p90": "Simulated P90",
    "simulated_p50": "Simulated P50",
    "simulated_p10": "Simulated P10",
    "worst_case": "All not healthy lost",
}
DRAWN = ("all_renew", "expected_with_playbooks", "expected_no_action", "worst_case")


def pipeline_by_month(book: Book) -> Figure:
    """ARR up for renewal in each month, by renewal risk."""
    marks = risk_marks()
    pipeline = book["renewal_pipeline"]
    rows: Rows = []
    if len(pipeline):
        months = [day.replace(day=1) for day in pipeline["renewal_date"]]
        sums = pipeline.assign(month=months).groupby(["month", "renewal_risk"], sort=True)
        order = {mark.name: place for place, mark in enumerate(marks)}
        for (month, risk), group in sums:  # type: ignore[misc]
            rows.append(
                {
                    "at": str(month),
                    "month": book.formats.month(month),
                    "short": book.formats.short_month(month),
                    "risk": str(risk),
                    "order": order.get(str(risk), len(order)),
                    "arr": round(float(group["current_arr"].sum()), 2),
                    "accounts": len(group),
                    "loss": round(float(group["expected_arr_loss"].sum()), 2),
                }
            )

    def build(width: Width) -> Spec:
        x = field("at", "O", title=None, axis=month_axis(rows))
        bars = mark(
            "bar",
            {
                "x": x,
                "y": field("arr", "Q", title=None, axis=money_axis(book.formats)),
                "order": field("order", "Q"),
                "color": coloured("risk", marks, legend_at(width, marks)),
                "tooltip": [
                    tip("month", "Renews in"),
                    tip("risk", "Renewal risk"),
                    tip("arr", "ARR", "$,.0f"),
                    tip("accounts", "Accounts", ","),
                    tip("loss", "Expected loss", "$,.0f"),
                ],
            },
        )
        counts = mark(
            "text",
            {"x": x, "y": field("arr", "Q"), "text": field("accounts", "Q")},
            [{"aggregate": [summed("arr"), summed("accounts")], "groupby": ["at"]}],
            dy=-7,
            style="muted",
        )
        return chart("pipeline_by_month", bars, counts, width=width, height=230)

    total = float(pipeline["current_arr"].sum()) if len(pipeline) else 0
    return Figure(
        "pipeline_by_month",
        "Renewal pipeline by month and risk",
        f"{len(pipeline)} renewals of {book.formats.money(total)} ARR in the next 270 days."
        if len(pipeline)
        else "Nothing is up for renewal in the next 270 days.",
        build,
        {"pipeline_by_month": rows},
        note="ARR up for renewal; the numbers on top are accounts",
        is_empty=not rows,
        is_wide=True,
        legend=marks,
    )


def outlook(book: Book) -> Figure:
    """NRR of the book in 90 days by scenario, with the span of the simulations."""
    frame = book["nrr_outlook"]
    total = (
        frame[frame["segment"] == "all"].set_index("scenario")["book_nrr_pct"].dropna() if len(frame) else pd.Series()
    )
    rows: Rows = [
        {
            "scenario": SCENARIOS[name],
            "value": round(float(total[name]), 3),
            "low": _simulated(total, "simulated_p10") if name == "expected_no_action" else None,
            "high": _simulated(total, "simulated_p90") if name == "expected_no_action" else None,
            "text": book.formats.percent(total[name]),
        }
        for name in DRAWN
        if name in total
    ]

    def build(width: Width) -> Spec:
        base = {
            "y": field(
                "scenario",
                "N",
                sort=[SCENARIOS[n] for n in DRAWN],
                title=None,
                axis=LARGE | {"labelLimit": 170},
            ),
            "tooltip": [
                tip("scenario", "Scenario"),
                tip("value", "NRR of the book, %", ",.1f"),
                tip("low", "P10, %", ",.1f"),
                tip("high", "P90, %", ",.1f"),
            ],
        }
        scale = {"zero": False, "nice": True}
        rule = over([{"v": 100}], mark("rule", {"x": field("v", "Q", scale=scale)}, strokeDash=[4, 4], color=GREY))
        ends = {"x": field("low", "Q", scale=scale, axis=percent_axis(book)), "x2": {"field": "high"}}
        span = mark("bar", base | ends, height=12, cornerRadius=6, opacity=0.35, color=BLUE)
        value = base | {"x": field("value", "Q")}
        points = mark("point", value, filled=True, size=120, color=BLUE)
        labels = mark("text", value | {"text": field("text", "N")}, dy=-15, style="strong", fontSize=12)
        return chart("outlook", rule, span, points, labels, width=width, height=230)

    return Figure(
        "outlook",
        "NRR of the book in 90 days",
        "; ".join(f"{r['scenario']}: {r['text']}" for r in rows) + ".",
        build,
        {"outlook": rows},
        note="● by scenario; the band holds 8 of 10 simulations",
        is_empty=not rows,
    )


def _simulated(total: pd.Series, name: str) -> float | None:
    return round(float(total[name]), 3) if name in total else None
