"""The charts of one account: its score over time, what adds to it and takes from it, its MRR.

They are specifications without rows: the page fills them with the account that is opened.
"""

import json

from cx_intel.reports.charts.drawing.figure import (
    BARE,
    CONTAINER,
    Spec,
    chart,
    coloured,
    field,
    mark,
    money_axis,
    shaped,
    tip,
    when,
)
from cx_intel.reports.charts.drawing.levels import tier_bounds
from cx_intel.reports.charts.drawing.palette import BLUE, GREY, RED, TEAL, tier_marks
from cx_intel.reports.data.account.details import axes
from cx_intel.reports.data.report_data import ReportData
from cx_intel.reports.words.language import VEGA_DAYS


def account_specs(data: ReportData) -> dict[str, Spec]:
    """Chart: its specification, over rows of the same name."""
    return {"score": _score(data), "drivers": _drivers(data), "mrr": _mrr(data)}


def _score(data: ReportData) -> Spec:
    say = data.language.say
    marks = tier_marks(data.portfolio)
    day = VEGA_DAYS[data.language.code]
    base = {
        "x": field(
            "at",
            "T",
            title=None,
            scale={"type": "utc"},
            axis={"format": day, "tickCount": 5, "labelOverlap": True},
        ),
        "y": field("score", "Q", title=None, scale={"domain": [0, 100]}, axis={"tickCount": 5}),
    }
    line = mark("line", base, color=GREY)
    points = mark(
        "point",
        {
            **base,
            "color": coloured("tier", marks),
            "shape": shaped("tier", marks),
            "tooltip": [tip("day", say("Day")), tip("score", say("Health score"), ",.1f"), tip("tier", say("Tier"))],
        },
        filled=True,
        size=70,
    )
    return chart("score", tier_bounds(data, "y"), line, points, width=CONTAINER, height=150)


def _drivers(data: ReportData) -> Spec:
    say = data.language.say
    bars = mark(
        "bar",
        {
            "y": field(
                "label",
                "N",
                sort={"field": "lost", "op": "sum", "order": "descending"},
                title=None,
                axis=BARE | {"labelLimit": 180},
            ),
            "x": field(
                "amount", "Q", title=say("points of the health score: has, then (paler) loses"), axis={"tickCount": 5}
            ),
            "order": field("order", "Q"),
            "color": field("what", "N", scale={"domain": ["has", "loses"], "range": [TEAL, RED]}, legend=None),
            "opacity": when("datum.what == 'has'", 1, 0.4),
            "tooltip": [
                tip("label", say("Signal")),
                tip("words", say("Value")),
                tip("points", say("Points"), ",.1f"),
                tip("lost", say("Points lost"), ",.1f"),
            ],
        },
        [
            {"fold": ["points", "lost"], "as": ["kind", "amount"]},
            {"calculate": "datum.kind == 'points' ? 0 : 1", "as": "order"},
            {"calculate": "datum.kind == 'points' ? 'has' : 'loses'", "as": "what"},
        ],
        height={"band": 0.72},
    )
    return chart("drivers", bars, width=CONTAINER, height={"step": 20})


def _mrr(data: ReportData) -> Spec:
    say = data.language.say
    # the newest month has a label, and every so many before it
    length = "length(domain('x'))"
    names = json.dumps(
        {month: data.language.short_month(month) for month, _ in axes(data)["months"]}, ensure_ascii=False
    )
    label = f"({length} - 1 - indexof(domain('x'), datum.value)) % ceil({length} / 5) == 0 ? ({names})[datum.value] || '' : ''"
    months = {"labelExpr": label, "labelAngle": 0, "labelOverlap": False, "ticks": False}
    bars = mark(
        "bar",
        {
            "x": field("at", "O", title=None, axis=months),
            "y": field("mrr", "Q", title=None, axis=money_axis(data.language)),
            "tooltip": [tip("month", say("Month")), tip("mrr", say("MRR"), "$,.0f")],
        },
        color=BLUE,
    )
    return chart("mrr", bars, width=CONTAINER, height=150)
