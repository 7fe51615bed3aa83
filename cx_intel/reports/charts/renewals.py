"""The charts of renewals: the pipeline by month and risk, and what becomes of NRR.

They draw what `renewal_pipeline` and `nrr_outlook` hold; exposed ARR by segment stands in `accounts.py`.
"""

import pandas as pd

from cx_intel.reports.charts.drawing.figure import (
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
from cx_intel.reports.charts.drawing.levels import present_risks
from cx_intel.reports.charts.drawing.palette import BLUE, GREY
from cx_intel.reports.charts.revenue import month_axis, percent_axis
from cx_intel.reports.data.cells import cells
from cx_intel.reports.data.cubes.cube import Follows
from cx_intel.reports.data.cubes.renewals import due_cube, outlook_cube
from cx_intel.reports.data.report_data import ReportData, total
from cx_intel.reports.data.terms import SCENARIOS
from cx_intel.reports.words.language import MISSING

DRAWN = ("all_renew", "expected_with_playbooks", "expected_no_action", "worst_case")


def pipeline_by_month(data: ReportData) -> Figure:
    """ARR up for renewal in each month, by renewal risk."""
    say = data.language.say
    marks = present_risks(data)
    pipeline = data["renewal_pipeline"]
    rows: Rows = []
    if len(pipeline):
        months = [day.replace(day=1) for day in pipeline["renewal_date"]]
        of = cells(data).of
        marked = pipeline.assign(month=months, cell=[of[account] for account in pipeline["account_id"]])
        sums = marked.groupby(["cell", "month", "renewal_risk"], sort=True)
        order = {mark.name: place for place, mark in enumerate(marks)}
        for (cell, month, risk), group in sums:  # type: ignore[misc]
            rows.append(
                {
                    "cell": int(str(cell)),
                    "at": str(month),
                    "month": data.language.month(month),
                    "short": data.language.short_month(month),
                    "risk": say(str(risk)),
                    "order": order.get(str(risk), len(order)),
                    "arr": total(group["current_arr"]),
                    "accounts": len(group),
                    "loss": total(group["expected_arr_loss"]),
                }
            )

    def build(width: Width) -> Spec:
        ats = sorted({str(row["at"]) for row in rows})
        x = field("at", "O", title=None, axis=month_axis(rows), scale={"domain": ats})
        added: list[Spec] = [
            {
                "aggregate": [summed("arr"), summed("accounts"), summed("loss")],
                "groupby": ["at", "month", "risk", "order"],
            }
        ]
        bars = mark(
            "bar",
            {
                "x": x,
                "y": field("arr", "Q", title=None, axis=money_axis(data.language)),
                "order": field("order", "Q"),
                "color": coloured("risk", marks, legend_at(width, marks)),
                "tooltip": [
                    tip("month", say("Renews in")),
                    tip("risk", say("Renewal risk")),
                    tip("arr", say("ARR"), "$,.0f"),
                    tip("accounts", say("Accounts"), ","),
                    tip("loss", say("Expected loss"), "$,.0f"),
                ],
            },
            added,
        )
        counts = mark(
            "text",
            {"x": x, "y": field("arr", "Q"), "text": field("accounts", "Q")},
            [{"aggregate": [summed("arr"), summed("accounts")], "groupby": ["at"]}],
            dy=-7,
            style="muted",
        )
        return chart("pipeline_by_month", bars, counts, width=width, height=230)

    arr = data.language.money(total(pipeline["current_arr"]))
    return Figure(
        "pipeline_by_month",
        say("Renewal pipeline by month and risk"),
        data.language.count(
            "{n} renewal of {arr} ARR in the next 270 days.",
            "{n} renewals of {arr} ARR in the next 270 days.",
            len(pipeline),
            arr=arr,
        )
        if len(pipeline)
        else say("Nothing is up for renewal in the next 270 days."),
        build,
        {"pipeline_by_month": rows},
        note=say("ARR up for renewal; the numbers on top are accounts"),
        lists={
            "cube": due_cube(data).name,
            "keys": {"month": "at", "risk": "risk"},
            "words": ["month", "risk"],
            "columns": [
                [say("ARR"), "arr", "money", 0],
                [say("Expected loss"), "loss", "money", 0],
                [say("Renews"), "days", "due", 0],
            ],
        },
        listed_from=due_cube(data),
        is_empty=not rows,
        is_wide=True,
        legend=marks,
    )


def outlook(data: ReportData) -> Figure:
    """NRR of the book in 90 days by scenario, with the span of the simulations."""
    say = data.language.say
    frame = data["nrr_outlook"]
    rates = (
        frame[frame["segment"] == "all"].set_index("scenario")["book_nrr_pct"].dropna() if len(frame) else pd.Series()
    )
    rows: Rows = [
        {
            "code": name,
            "scenario": say(SCENARIOS[name]),
            "value": round(float(rates[name]), 3),
            "low": _simulated(rates, "simulated_p10") if name == "expected_no_action" else None,
            "high": _simulated(rates, "simulated_p90") if name == "expected_no_action" else None,
            "text": data.language.percent(rates[name]),
        }
        for name in DRAWN
        if name in rates
    ]

    def build(width: Width) -> Spec:
        base = {
            "y": field(
                "scenario",
                "N",
                sort=[say(SCENARIOS[n]) for n in DRAWN],
                title=None,
                axis=LARGE | {"labelLimit": 170},
            ),
            "tooltip": [
                tip("scenario", say("Scenario")),
                tip("value", say("NRR of the book, %"), ",.1f"),
                tip("least", say("P10, %")),
                tip("most", say("P90, %")),
            ],
        }
        scale = {"zero": False, "nice": True}
        rule = over([{"v": 100}], mark("rule", {"x": field("v", "Q", scale=scale)}, strokeDash=[4, 4], color=GREY))
        ends = {"x": field("from", "Q", scale=scale, axis=percent_axis(data)), "x2": {"field": "to"}}
        held: list[Spec] = [  # nothing is simulated for chosen accounts
            {"calculate": f"isValid(datum.{end}) ? datum.{end} : datum.value", "as": name}
            for end, name in (("low", "from"), ("high", "to"))
        ]
        told: list[Spec] = [
            {"calculate": f"isValid(datum.{end}) ? format(datum.{end}, ',.1f') : '{MISSING}'", "as": name}
            for end, name in (("low", "least"), ("high", "most"))
        ]
        span = mark("bar", base | ends, [*held, *told], height=12, cornerRadius=6, opacity=0.35, color=BLUE)
        value = base | {"x": field("value", "Q")}
        points = mark("point", value, told, filled=True, size=120, color=BLUE)
        labels = mark("text", value | {"text": field("text", "N")}, told, dy=-15, style="strong", fontSize=12)
        return chart("outlook", rule, span, points, labels, width=width, height=230)

    return Figure(
        "outlook",
        say("NRR of the book in 90 days"),
        "; ".join(f"{r['scenario']}: {r['text']}" for r in rows) + ".",
        build,
        {"outlook": rows},
        note=say("● by scenario; the band holds 8 of 10 simulations"),
        is_empty=not rows,
        follows=Follows(
            outlook_cube(data),
            {"scenario": "code"},
            {"value": "book_nrr_pct"},
            texts={"text": ("book_nrr_pct", "percent", 1)},
            drops=("low", "high"),
        ),
    )


def _simulated(rates: pd.Series, name: str) -> float | None:
    return round(float(rates[name]), 3) if name in rates else None
