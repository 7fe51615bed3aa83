"""The charts of the movements of MRR: the waterfall of the newest month, and what was gained and lost month by month.

They draw `nrr_summary`, and for chosen accounts and months the same figures of `data/cubes/ledger.py`. What is retained
stands in `revenue.py`.
"""

import json
from typing import Any

from cx_intel.reports.charts.drawing.figure import (
    LARGE,
    Figure,
    Rows,
    Spec,
    Width,
    chart,
    coloured,
    field,
    mark,
    money_axis,
    over,
    short_money,
    summed,
    tip,
)
from cx_intel.reports.charts.drawing.palette import GREY, LINES, RED, TEAL, Mark
from cx_intel.reports.charts.revenue import MONTHLY_MONTHS, month_axis
from cx_intel.reports.data.cubes.cube import Follows
from cx_intel.reports.data.cubes.ledger import ledger_cube
from cx_intel.reports.data.report_data import ReportData, records
from cx_intel.reports.data.terms import MOVED
from cx_intel.reports.words.catalogue import term
from cx_intel.reports.words.rounding import is_missing

STEPS = (
    ("new_mrr", MOVED["new"], 1),
    ("reactivation_mrr", MOVED["reactivation"], 1),
    ("expansion_mrr", MOVED["expansion"], 1),
    ("contraction_mrr", MOVED["contraction"], -1),
    ("churned_mrr", MOVED["churn"], -1),
)
RESTATED = ("restated_mrr", term("Restated"), 1)
"""Where the month before is closed and today's data differ from it."""
STARTING, ENDING = ("starting_mrr", term("Starting"), 0), ("ending_mrr", term("Ending"), 0)
"""Levels have no sign."""
Step = tuple[str, str, int]


def _steps(data: ReportData) -> list[Step]:
    """The bars of a month of `nrr_summary`, from its starting to its ending MRR; restated where any month shown is."""
    shown = data.summary["restated_mrr"].tail(MONTHLY_MONTHS)
    return [STARTING, *([RESTATED] if shown.fillna(0).ne(0).any() else []), *STEPS, ENDING]


def _rows(data: ReportData, months: list[dict[str, Any]], steps: list[Step]) -> Rows:
    """The steps of these months of `nrr_summary`, a row each; each names the figure of the ledger's cube that it is."""
    return [
        {
            "at": str(month["revenue_month"]),
            "month": data.language.month(month["revenue_month"]),
            "order": order,
            "step": data.language.say(label),
            "sign": sign,
            "amount": (sign or 1) * (0.0 if is_missing(month[column]) else round(float(month[column]), 2)),
            "figure": column if sign >= 0 else f"less_{column}",
        }
        for month in months
        for order, (column, label, sign) in enumerate(steps)
    ]


def _follows(data: ReportData, *, by_month: bool) -> Follows:
    return Follows(ledger_cube(data), {"revenue_month": "at"}, {"amount": "@figure"}, by_month=by_month)


def _movements(data: ReportData) -> dict[str, str]:
    """The words of a step: the movement of its accounts."""
    return {data.language.say(label): movement for movement, label in MOVED.items()}


def waterfall(data: ReportData) -> Figure:
    """From the starting to the ending MRR of the newest month, or of the one that is picked."""
    say, f, summary = data.language.say, data.language, data.summary
    last = records(summary)[-1] if len(summary) else None
    steps = _steps(data) if last else []
    rows = _rows(data, [last], steps) if last else []
    names = [say(label) for _, label, _ in steps]
    sizes = [f.short_money(abs(row["amount"])) for row in rows]
    said = [
        f"{row['step']} {f.signed(row['amount'], size) if row['sign'] else size}"
        for row, size in zip(rows, sizes, strict=True)
    ]

    def build(width: Width) -> Spec:
        y = field("step", "N", sort=names, title=None, axis=LARGE | {"labelPadding": 6}, scale={"domain": names})
        scale = {"nice": False, "zero": False}
        colours = {"domain": ["total", "up", "down"], "range": [LINES["first"], TEAL, RED]}
        bars = mark(
            "bar",
            {
                "y": y,
                "x": field("low", "Q", scale=scale, title=None, axis=money_axis(f)),
                "x2": {"field": "high"},
                "color": field("kind", "N", scale=colours, legend=None),
                "tooltip": [tip("step", say("Movement")), tip("amount", say("MRR"), "$,.2f")],
            },
            _levels(),
            height={"band": 0.72},
        )
        size = short_money(f, "abs(datum.amount)")
        signed = f"datum.sign == 0 ? {size} : (abs(datum.amount) < 0.5 ? '±' : datum.amount > 0 ? '+' : '−') + {size}"
        told = {"y": y, "x": field("high", "Q"), "text": field("label", "N")}
        label: list[Spec] = [*_levels(), {"calculate": signed, "as": "label"}]
        labels = mark("text", told, label, align="left", dx=6, style="strong", fontSize=12)
        room = mark("point", {"y": y, "x": field("room", "Q")}, _levels(), opacity=0, tooltip=None)
        return chart("waterfall", bars, labels, room, width=width, height=260)

    month = f.month(last["revenue_month"]) if last else ""
    return Figure(
        "waterfall",
        say("What happened to MRR in {month}", month=month) if month else say("What happened to MRR"),
        "; ".join(said) + "." if rows else say("There is no month of revenue yet."),
        build,
        {"waterfall": rows},
        note=say("the axis may start above 0, so that the movements show"),
        lists={"month": "at", "movements": _movements(data)},
        is_empty=not rows,
        follows=_follows(data, by_month=True),
    )


def _levels() -> list[Spec]:
    """From amounts to the ends of bars; where movements are small, the axis starts a little below the lowest of them."""
    return [
        {"aggregate": [summed("amount")], "groupby": ["at", "order", "step", "sign"]},
        {"window": [{"op": "sum", "field": "amount", "as": "sum"}], "sort": [{"field": "order"}], "frame": [None, 0]},
        {"calculate": "datum.sign == 0 ? datum.amount : datum.sum", "as": "to"},
        {"calculate": "datum.sign == 0 ? 0 : datum.sum - datum.amount", "as": "from"},
        {"calculate": "datum.sign == 0 ? 'total' : datum.sign > 0 && datum.amount >= 0 ? 'up' : 'down'", "as": "kind"},
        {"calculate": "datum.sign == 0 ? null : min(datum.from, datum.to)", "as": "least"},
        {"calculate": "max(datum.from, datum.to)", "as": "high"},
        {
            "joinaggregate": [
                {"op": "min", "field": "least", "as": "lowest"},
                {"op": "max", "field": "high", "as": "highest"},
            ]
        },
        {"calculate": "max(datum.highest - datum.lowest, 1e-9)", "as": "span"},
        {
            "calculate": "datum.lowest > 2 * datum.span ? max(0, datum.lowest - 0.6 * datum.span) : 0",
            "as": "floor",
        },
        {"calculate": "max(min(datum.from, datum.to), datum.floor)", "as": "low"},
        {"calculate": "datum.highest + 0.35 * (datum.highest - datum.floor)", "as": "room"},
    ]


def mrr_movements(data: ReportData) -> Figure:
    """The movements of each of the last months, gains above and losses below."""
    say, f = data.language.say, data.language
    shown = records(data.summary.tail(MONTHLY_MONTHS))
    months, rows = [month["revenue_month"] for month in shown], _rows(data, shown, list(STEPS))
    named = [{"at": str(month), "month": f.month(month), "short": f.short_month(month)} for month in months]
    names = f"({json.dumps({row['at']: row['month'] for row in named}, ensure_ascii=False)})[datum.at]"
    colours = ["#2f74b8", "#7ab0dd", TEAL, "#d29200", RED]
    marks = [Mark(say(label), colour, "square") for (_, label, _), colour in zip(STEPS, colours, strict=True)]
    net = Mark(say("Net"), GREY, "diamond")

    def build(width: Width) -> Spec:
        x = field("at", "O", title=None, axis=month_axis(named), scale={"domain": [row["at"] for row in named]})
        bars = mark(
            "bar",
            {
                "x": x,
                "y": field("amount", "Q", title=None, axis=money_axis(f)),
                "color": coloured("step", marks),
                "order": field("order", "Q"),
                "tooltip": [
                    tip("month", say("Month")),
                    tip("step", say("Movement")),
                    tip("amount", say("MRR"), "$,.2f"),
                ],
            },
            [
                {"aggregate": [summed("amount")], "groupby": ["at", "step", "order"]},
                {"calculate": names, "as": "month"},
            ],
        )
        zero = over([{"v": 0}], mark("rule", {"y": field("v", "Q")}))
        together: list[Spec] = [
            {"aggregate": [summed("amount")], "groupby": ["at"]},
            {"calculate": names, "as": "month"},
        ]
        told = [tip("month", say("Month")), tip("amount", net.label, "$,.2f")]
        height = {"x": x, "y": field("amount", "Q")}
        line = mark("line", height, together, color=GREY, strokeWidth=1.6)
        look: Spec = {
            "color": GREY,
            "shape": net.shape,
            "size": 55,
            "filled": True,
            "stroke": "#ffffff",
            "strokeWidth": 1,
        }
        points = mark("point", height | {"tooltip": told}, together, **look)
        return chart("mrr_movements", bars, zero, line, points, width=width, height=260)

    return Figure(
        "mrr_movements",
        say("MRR gained and lost, month by month"),
        say("The movements of MRR month by month; the table below has the figures."),
        build,
        {"mrr_movements": rows},
        note=say("gains above and losses below 0"),
        is_empty=not months,
        legend=[*marks, net],
        lists={"month": "at", "movements": _movements(data)},
        follows=_follows(data, by_month=False),
    )
