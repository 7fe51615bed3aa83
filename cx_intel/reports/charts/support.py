"""The charts of support: SLA adherence and satisfaction over the months, and how long tickets take.

They draw what `sla_adherence` holds; open breaches are a table of the page.
"""

from typing import Any

import pandas as pd

from cx_intel.reports.charts.drawing.figure import (
    LARGE,
    LOG,
    Figure,
    Rows,
    Spec,
    Width,
    chart,
    coloured,
    field,
    mark,
    shaped,
    tip,
)
from cx_intel.reports.charts.drawing.palette import BLUE, RED, SEGMENT_COLOURS, SHAPES, Mark
from cx_intel.reports.charts.revenue import month_axis, percent_axis
from cx_intel.reports.data.cubes.cube import Follows
from cx_intel.reports.data.cubes.tickets import MONTHS, ticket_cube
from cx_intel.reports.data.report_data import ReportData
from cx_intel.reports.words.catalogue import term

PRIORITY, SEGMENT = "priority", "segment"
DIMENSIONS = {PRIORITY: term("Priority"), SEGMENT: term("Segment")}


def over_time(
    data: ReportData,
    dimension: str,
    column: str,
    title: str,
    note: str,
    *,
    is_percent: bool = False,
    is_log: bool = False,
) -> Figure:
    """A line for each priority or segment, month by month."""
    say = data.language.say
    frame = recent(data, dimension)
    names = sorted(frame["dimension_value"].unique()) if len(frame) else []
    shapes = list(SHAPES)
    marks = [
        Mark(str(n), SEGMENT_COLOURS[i % len(SEGMENT_COLOURS)], shapes[i % len(shapes)]) for i, n in enumerate(names)
    ]
    key = f"{column}_by_{dimension}"
    rows: Rows = [
        {
            "at": str(row["ticket_month"]),
            "month": data.language.month(row["ticket_month"]),
            "short": data.language.short_month(row["ticket_month"]),
            "name": str(row["dimension_value"]),
            "value": round(float(row[column]), 3),
            "tickets": int(row["resolved_tickets"]),
        }
        for row in frame.sort_values("ticket_month").to_dict("records")
        if pd.notna(row[column]) and (row[column] > 0 or not is_log)
    ]
    scale = LOG if is_log else {"zero": False, "nice": True}
    values = {"values": [10**power for power in range(6)]} if is_log else {}
    axis = percent_axis(data) if is_percent else {"title": None, "tickCount": 5, "format": ",~g", **values}

    def build(width: Width) -> Spec:
        base = {
            "x": field("at", "O", title=None, axis=month_axis(rows)),
            "y": field("value", "Q", scale=scale, axis=axis),
            "color": coloured("name", marks),
        }
        told = [
            tip("month", say("Month of creation")),
            tip("name", say(DIMENSIONS[dimension])),
            tip("value", title, ",.1f"),
            tip("tickets", say("Resolved tickets"), ","),
        ]
        line = mark("line", base, strokeWidth=1.8)
        points = mark("point", base | {"shape": shaped("name", marks), "tooltip": told}, filled=True, size=40)
        return chart(key, line, points, width=width, height=215)

    cube, by = ticket_cube(data), {"ticket_month": "at", dimension: "name"}
    last = rows[-1]["month"] if rows else ""
    words = ", ".join(
        f"{r['name']} {data.language.percent(r['value']) if is_percent else data.language.number(r['value'], 1)}"
        for r in rows
        if r["month"] == last
    )
    return Figure(
        key,
        title,
        f"{last}: {words}." if rows else say("No resolved ticket with such a figure yet."),
        build,
        {key: rows},
        note=note,
        is_empty=not rows,
        legend=marks,
        lists=listed_tickets(data, by, ["month", "name"]),
        follows=Follows(cube, by, {"value": column, "tickets": "resolved_tickets"}) if cube else None,
        listed_from=cube,
    )


def listed_tickets(data: ReportData, keys: dict[str, str], words: list[str]) -> dict[str, Any]:
    """What a click lists: the accounts of the tickets that a mark stands for, those with the most late ones first."""
    cube, say = ticket_cube(data), data.language.say
    if cube is None:
        return {}
    columns = [
        [say("Late"), "sla_breaches", "number", 0],
        [say("Tickets"), "total_tickets", "number", 0],
        [say("Median, h"), "median_resolution_hours", "number", 1],
        [say("CSAT"), "avg_csat", "number", 2],
    ]
    return {"cube": cube.name, "keys": keys, "words": words, "columns": columns}


def recent(data: ReportData, dimension: str) -> pd.DataFrame:
    """The last months of one dimension."""
    frame = data["sla_adherence"]
    if frame.empty:
        return frame
    kept = sorted(frame["ticket_month"].unique())[-MONTHS:]
    return frame[(frame["dimension_type"] == dimension) & frame["ticket_month"].isin(kept)]


def resolution_times(data: ReportData) -> Figure:
    """Median, p90 and target by priority, of the newest month that is over."""
    say = data.language.say
    frame = recent(data, PRIORITY)
    targets = data.portfolio.support.sla_target_hours
    rows: Rows = []
    month = ""
    if len(frame):
        ends = pd.to_datetime(frame["ticket_month"]) + pd.offsets.MonthEnd(0)
        over = frame[ends.dt.date <= data.as_of]
        chosen = over if len(over) else frame
        newest = chosen["ticket_month"].max()
        month = data.language.month(newest)
        for row in chosen[chosen["ticket_month"] == newest].sort_values("dimension_value").to_dict("records"):
            if pd.isna(row["median_resolution_hours"]) or row["p90_resolution_hours"] <= 0:
                continue
            rows.append(
                {
                    "at": str(newest),
                    "name": str(row["dimension_value"]),
                    "median": round(max(float(row["median_resolution_hours"]), 0.1), 2),
                    "p90": round(max(float(row["p90_resolution_hours"]), 0.1), 2),
                    "target": targets.get(data.labels.code(PRIORITY, str(row["dimension_value"]))),
                    "tickets": int(row["resolved_tickets"]),
                }
            )

    def build(width: Width) -> Spec:
        base = {
            "y": field("name", "N", title=None, axis=LARGE),
            "tooltip": [
                tip("name", say("Priority")),
                tip("median", say("Median, hours"), ",.1f"),
                tip("p90", say("p90, hours"), ",.1f"),
                tip("target", say("Target, hours"), ","),
                tip("tickets", say("Resolved tickets"), ","),
            ],
        }
        hours = [0.5, 1, 2, 5, 10, 20, 50, 100, 200, 500]
        axis = {"title": say("hours, logarithmic"), "values": hours, "format": ",~g"}
        ends = {"x": field("median", "Q", scale=LOG, axis=axis), "x2": {"field": "p90"}}
        span = mark("bar", base | ends, height=8, cornerRadius=4, color=BLUE, opacity=0.45)
        point: Spec = {"filled": True, "size": 90, "color": BLUE}
        median = mark("point", base | {"x": field("median", "Q")}, shape="circle", **point)
        p90 = mark("point", base | {"x": field("p90", "Q")}, shape="diamond", **point)
        target = mark("tick", base | {"x": field("target", "Q")}, thickness=3, size=26, color=RED)
        return chart("resolution_times", span, median, p90, target, width=width, height=215)

    f, cube, by = data.language, ticket_cube(data), {"ticket_month": "at", PRIORITY: "name"}
    shown = {
        "median": "median_resolution_hours",
        "p90": "p90_resolution_hours",
        "tickets": "resolved_tickets",
    }
    return Figure(
        "resolution_times",
        say("Time to resolve, {month}", month=month) if month else say("Time to resolve"),
        "; ".join(
            say(
                "{priority}: median {median} h, p90 {p90} h, target {target} h",
                priority=r["name"],
                median=f.number(r["median"], 1),
                p90=f.number(r["p90"], 1),
                target=f.number(r["target"]),
            )
            for r in rows
        )
        or say("No ticket is resolved yet."),
        build,
        {"resolution_times": rows},
        note=say("by priority: ● median, ◆ p90, ┃ target"),
        is_empty=not rows,
        lists=listed_tickets(data, by, ["name"]),
        follows=Follows(cube, by, shown) if cube else None,
        listed_from=cube,
    )
