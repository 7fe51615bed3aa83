"""The charts of scores: each against its ARR, their distribution, and the signals that cost most points.

The first two read the table `accounts` of a page, made in `book.py`, and follow its filters; the score of one account
is in `account.py`.
"""

from cx_intel.reports.charts.book import ACCOUNTS, HEIGHT, present_tiers, tier_bounds
from cx_intel.reports.charts.figure import (
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
    shaped,
    summed,
    tip,
    when,
)
from cx_intel.reports.charts.palette import BLUE
from cx_intel.reports.data.report_data import Book, records

POINTS_SHOWN = 1500
"""Accounts in the scatter plot: those with the most ARR."""


def score_against_arr(book: Book, rows: Rows) -> Figure:
    marks = present_tiers(book)

    def build(width: Width) -> Spec:
        powers = [10**power for power in range(10)]
        points = mark(
            "point",
            {
                "x": field(
                    "score",
                    "Q",
                    scale={"domain": [0, 100]},
                    axis={"title": "Health score", "grid": False, "tickCount": 5},
                ),
                "y": field(
                    "arr",
                    "Q",
                    scale=LOG,
                    axis=money_axis(book.formats, "ARR, logarithmic", grid=True, values=powers),
                ),
                "opacity": when("datum.exposed > 0", 1, 0.55),
                "size": when("datum.exposed > 0", 95, 40),
                "color": coloured("tier", marks, legend_at(width)),
                "shape": shaped("tier", marks, legend_at(width)),
                "tooltip": [
                    tip("name", "Account"),
                    tip("owner", "Owner"),
                    tip("arr", "ARR", "$,.0f"),
                    tip("score", "Health score", ",.1f"),
                    tip("tier", "Tier"),
                    tip("days", "Days to renewal", ","),
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
        return chart(ACCOUNTS, tier_bounds(book, "x"), points, width=width, height=HEIGHT)

    hidden = len(rows) - POINTS_SHOWN
    return Figure(
        "score_against_arr",
        "Health score against ARR",
        "A point for each account; large accounts with low scores, at the upper left, matter most. "
        "Large points are exposed at renewal.",
        build,
        {ACCOUNTS: rows},
        note="large points: not healthy and renewing within 90 days",
        left_out=f"Shown are the {book.formats.number(POINTS_SHOWN)} accounts with the most ARR; "
        f"{book.formats.number(hidden)} smaller ones are left out."
        if hidden > 0
        else "",
        is_empty=not rows,
        is_wide=True,
        opens_accounts=True,
        legend=marks,
    )


def score_distribution(book: Book, rows: Rows) -> Figure:
    marks = present_tiers(book)

    def build(width: Width) -> Spec:
        bars = mark(
            "bar",
            {
                "x": field("bucket", "Q", bin="binned", title="Health score", scale={"domain": [0, 100]}),
                "x2": {"field": "until"},
                "y": field("customers", "Q", title="Customers", axis={"tickMinStep": 1, "tickCount": 5}),
                "color": coloured("tier", marks, legend_at(width, marks)),
                "tooltip": [
                    field("bucket", "Q", title="From score"),
                    field("until", "Q", title="Below"),
                    tip("tier", "Tier"),
                    tip("customers", "Customers", ","),
                    tip("arr", "ARR", "$,.0f"),
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
        "Distribution of health scores",
        "How many customers have which score, in steps of five points.",
        build,
        {ACCOUNTS: rows},
        is_empty=not rows,
        legend=marks,
    )


def points_lost(book: Book) -> Figure:
    """Which signals cost the book most points, on average over its customers."""
    drivers = book["health_score_drivers"]
    rows: Rows = []
    if len(drivers):
        customers = drivers["account_id"].nunique()
        per_customer = drivers.groupby(["label", "dimension"])["points_lost"].sum() / customers
        affected = drivers[drivers["points_lost"] > 0].groupby("label").size()
        for row in records(per_customer.sort_values(ascending=False).reset_index()):
            count = int(affected.get(row["label"], 0))
            lost = round(float(row["points_lost"]), 3)
            rows.append({"label": row["label"], "dimension": row["dimension"], "lost": lost, "accounts": count})
    names = [row["label"] for row in rows]

    def build(width: Width) -> Spec:
        base = {
            "y": field("label", "N", sort=names, title=None, axis=BARE | {"labelLimit": 190, "labelFontSize": 11}),
            "x": field("lost", "Q", title=None, axis=None),
            "tooltip": [
                tip("label", "Signal"),
                tip("dimension", "Dimension"),
                tip("lost", "Points lost, mean", ",.2f"),
                tip("accounts", "Accounts that lose", ","),
            ],
        }
        bars = mark("bar", base, color=BLUE, height={"band": 0.7})
        points = base | {"text": field("lost", "Q", format=",.1f")}
        labels = mark("text", points, align="left", dx=5, style="strong")
        widened: list[Spec] = [{"calculate": "datum.lost * 1.25", "as": "room"}]
        room = mark("point", base | {"x": field("room", "Q")}, widened, opacity=0)
        return chart("points_lost", bars, labels, room, width=width, height=max(21 * len(rows), HEIGHT))

    worst = f"{rows[0]['label']} costs most, {book.formats.number(rows[0]['lost'], 1)} points." if rows else ""
    return Figure(
        "points_lost",
        "What costs points",
        f"Points that each signal costs, on average over all customers. {worst}",
        build,
        {"points_lost": rows},
        note="points of the health score that each signal costs, mean over all customers",
        is_empty=not rows,
    )
