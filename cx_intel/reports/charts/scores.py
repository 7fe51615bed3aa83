"""The charts of scores: each against its ARR, their distribution, and the signals that cost most points.

The first two read the table `accounts` of a page, made in `accounts.py`, and follow its filters; the score of one account
is in `account.py`.
"""

import pandas as pd

from cx_intel.reports.charts.accounts import ACCOUNTS, HEIGHT
from cx_intel.reports.charts.drawing.figure import (
    BARE,
    LOG,
    Figure,
    Rows,
    Spec,
    Width,
    chart,
    coloured,
    counted,
    field,
    legend_at,
    mark,
    money_axis,
    rows_of,
    shaped,
    summed,
    tip,
    when,
)
from cx_intel.reports.charts.drawing.levels import present_tiers, tier_bounds
from cx_intel.reports.charts.drawing.palette import BLUE
from cx_intel.reports.data.cells import cells
from cx_intel.reports.data.cubes.health import drivers_cube
from cx_intel.reports.data.report_data import ReportData, records

POINTS_SHOWN = 1500
"""Accounts in the scatter plot: those with the most ARR."""


def score_against_arr(data: ReportData, rows: Rows) -> Figure:
    say = data.language.say
    marks = present_tiers(data)

    def build(width: Width) -> Spec:
        powers = [10**power for power in range(10)]
        points = mark(
            "point",
            {
                "x": field(
                    "score",
                    "Q",
                    scale={"domain": [0, 100]},
                    axis={"title": say("Health score"), "grid": False, "tickCount": 5},
                ),
                "y": field(
                    "arr",
                    "Q",
                    scale=LOG,
                    axis=money_axis(data.language, say("ARR, logarithmic"), grid=True, values=powers),
                ),
                "opacity": when("datum.exposed > 0", 1, 0.55),
                "size": when("datum.exposed > 0", 95, 40),
                "color": coloured("tier", marks, legend_at(width)),
                "shape": shaped("tier", marks, legend_at(width)),
                "tooltip": [
                    tip("name", say("Account")),
                    tip("owner", say("Owner")),
                    tip("arr", say("ARR"), "$,.0f"),
                    tip("score", say("Health score"), ",.1f"),
                    tip("tier", say("Tier")),
                    tip("days", say("Days to renewal"), ","),
                ],
            },
            [
                {"filter": "datum.arr > 0 && isValid(datum.score)"},
                {
                    "window": [{"op": "row_number", "as": "rank"}],
                    "sort": [{"field": "arr", "order": "descending"}],
                },
                {"filter": f"datum.rank <= {POINTS_SHOWN}"},
            ],
            filled=True,
            size=46,
            cursor="pointer",
        )
        return chart(ACCOUNTS, tier_bounds(data, "x"), points, width=width, height=HEIGHT)

    hidden = len(rows) - POINTS_SHOWN
    return Figure(
        "score_against_arr",
        say("Health score against ARR"),
        say(
            "A point for each account; large accounts with low scores, at the upper left, matter most. "
            "Large points are exposed at renewal."
        ),
        build,
        {ACCOUNTS: rows},
        note=say("large points: not healthy or cancelled, and due within 90 days"),
        left_out=data.language.count(
            "Shown are the {most} accounts with the most ARR; {n} smaller one is left out.",
            "Shown are the {most} accounts with the most ARR; {n} smaller ones are left out.",
            hidden,
            most=data.language.number(POINTS_SHOWN),
        )
        if hidden > 0
        else "",
        is_empty=not rows,
        is_wide=True,
        opens_accounts=True,
        legend=marks,
    )


def score_distribution(data: ReportData, rows: Rows) -> Figure:
    say = data.language.say
    marks = present_tiers(data)

    def build(width: Width) -> Spec:
        bars = mark(
            "bar",
            {
                "x": field("bucket", "Q", bin="binned", title=say("Health score"), scale={"domain": [0, 100]}),
                "x2": {"field": "until"},
                "y": field("customers", "Q", title=say("Customers"), axis={"tickMinStep": 1, "tickCount": 5}),
                "color": coloured("tier", marks, legend_at(width, marks)),
                "tooltip": [
                    field("bucket", "Q", title=say("From score")),
                    field("until", "Q", title=say("Below")),
                    tip("tier", say("Tier")),
                    tip("customers", say("Customers"), ","),
                    tip("arr", say("ARR"), "$,.0f"),
                ],
            },
            [
                {"filter": "isValid(datum.score)"},
                {"bin": {"step": 5, "extent": [0, 100]}, "field": "score", "as": "from"},
                {"calculate": "min(datum.from, 95)", "as": "bucket"},
                {"calculate": "min(datum.from, 95) + 5", "as": "until"},
                {"aggregate": [counted("customers"), summed("arr")], "groupby": ["bucket", "until", "tier"]},
            ],
        )
        return chart(ACCOUNTS, bars, width=width, height=HEIGHT)

    return Figure(
        "score_distribution",
        say("Distribution of health scores"),
        say("How many customers have which score, in steps of five points."),
        build,
        {ACCOUNTS: rows},
        lists={"by": ["bucket", "tier"]},
        is_empty=not rows,
        legend=marks,
    )


def points_lost(data: ReportData) -> Figure:
    """Which signals cost the book most points, on average over its customers."""
    say = data.language.say
    drivers = data["health_score_drivers"]
    rows: Rows = []
    names: list[str] = []
    worst = ""
    if len(drivers):
        of = cells(data).of
        marked = drivers.assign(
            cell=[of[a] for a in drivers["account_id"]], affected=(drivers["points_lost"] > 0).astype(int)
        )
        customers = marked.drop_duplicates("account_id").groupby("cell").size()
        sums = marked.groupby(["cell", "label", "dimension"], as_index=False)[["points_lost", "affected"]].sum()
        sums = sums.assign(customers=sums["cell"].map(customers))
        shown = {"cell": "cell", "label": "label", "dimension": "dimension", "points_lost": "points"}
        rows = rows_of(sums, shown | {"affected": "accounts", "customers": "customers"})
        lost = (
            drivers.groupby("label")["points_lost"].sum().sort_values(ascending=False) / drivers["account_id"].nunique()
        )
        names = [str(name) for name in lost.index]
        worst = say(
            "{signal} costs most, {points} points.", signal=names[0], points=data.language.number(lost.iloc[0], 1)
        )
    mean: list[Spec] = [
        {"aggregate": [summed(n) for n in ("points", "accounts", "customers")], "groupby": ["label", "dimension"]},
        {"calculate": "datum.points / datum.customers", "as": "lost"},
        {"calculate": "datum.lost * 1.25", "as": "room"},
    ]

    def build(width: Width) -> Spec:
        base = {
            "y": field("label", "N", sort=names, title=None, axis=BARE | {"labelLimit": 190, "labelFontSize": 11}),
            "x": field("lost", "Q", title=None, axis=None),
            "tooltip": [
                tip("label", say("Signal")),
                tip("dimension", say("Dimension")),
                tip("lost", say("Points lost, mean"), ",.2f"),
                tip("accounts", say("Accounts that lose"), ","),
            ],
        }
        bars = mark("bar", base, mean, color=BLUE, height={"band": 0.7})
        points = base | {"text": field("lost", "Q", format=",.1f")}
        labels = mark("text", points, mean, align="left", dx=5, style="strong")
        room = mark("point", base | {"x": field("room", "Q")}, mean, opacity=0)
        return chart("points_lost", bars, labels, room, width=width, height=max(21 * len(names), HEIGHT))

    return Figure(
        "points_lost",
        say("What costs points"),
        say("Points that each signal costs, on average over all customers.") + (f" {worst}" if worst else ""),
        build,
        {"points_lost": rows},
        note=say("points of the health score that each signal costs, mean over all customers"),
        is_empty=not rows,
        lists={
            "cube": drivers_cube(data).name,
            "keys": {"label": "label"},
            "words": ["label"],
            "columns": [[say("Points lost"), "points_lost", "number", 1]],
        },
        listed_from=drivers_cube(data),
    )


def left_by_score(data: ReportData, bands: pd.DataFrame) -> Figure:
    """The share of accounts that left by their score, with the bounds of each band: a score that tells falls to the right."""
    say = data.language.say
    rows: Rows = [
        {
            "score": round(float(row["mean_score"]), 1),
            "left": round(float(row["event_rate_pct"]), 2),
            "low": round(float(row["event_rate_low_pct"]), 2),
            "high": round(float(row["event_rate_high_pct"]), 2),
            "seen": int(row["observations"]),
        }
        for row in records(bands.sort_values("band_from"))
    ]

    def build(width: Width) -> Spec:
        x = field("score", "Q", title=say("Health score on the day"), scale={"domain": [0, 100]}, axis={"grid": False})
        title = say("Share that left, %")
        told = [
            tip("score", say("Health score"), ",.1f"),
            tip("left", title, ",.1f"),
            tip("low", say("At least, %"), ",.1f"),
            tip("high", say("At most, %"), ",.1f"),
            tip("seen", say("Accounts x month ends"), ","),
        ]
        bounds = mark(
            "rule",
            {"x": x, "y": field("low", "Q", title=title), "y2": {"field": "high"}, "tooltip": told},
            color=BLUE,
            strokeWidth=2,
            opacity=0.5,
        )
        y = field("left", "Q", title=title)
        line = mark("line", {"x": x, "y": y}, color=BLUE, strokeWidth=1.5)
        points = mark("point", {"x": x, "y": y, "tooltip": told}, color=BLUE, filled=True, size=70)
        return chart("bands", bounds, line, points, width=width, height=HEIGHT)

    return Figure(
        "left_by_score",
        say("Share of accounts that left, by their score"),
        say("A point for each ten points of the score; the line through it holds the true share 9 times in 10."),
        build,
        {"bands": rows},
        note=say("a score that tells who will leave falls from left to right"),
        is_empty=not rows,
        is_wide=True,
    )
