"""The charts of scores: each against its ARR, their distribution, and the signals that cost most points.

The first two read the table `accounts` of a page, made in `book.py`, and follow its filters; the score of one account
is in `account.py`.
"""

import altair as alt

from cx_intel.reports.charts.book import ACCOUNTS, HEIGHT, bounds_of, present_tiers
from cx_intel.reports.charts.figure import (
    Figure,
    Rows,
    Width,
    glyph_labels,
    legend_at,
    mark_scale,
    money_axis,
    named,
    shape_scale,
)
from cx_intel.reports.gathering import Book, records
from cx_intel.reports.palette import BLUE

POINTS_SHOWN = 1500
"""Accounts in the scatter plot: those with the most ARR."""


def score_against_arr(book: Book, rows: Rows) -> Figure:
    marks = present_tiers(book)
    bounds = bounds_of(book)

    def build(width: Width) -> alt.TopLevelMixin:
        y = alt.Y(
            "arr:Q",
            scale=alt.Scale(type="log", nice=True),
            axis=money_axis(book.formats, "ARR, logarithmic", grid=True, values=[10**power for power in range(10)]),
        )
        x = alt.X(
            "score:Q", scale=alt.Scale(domain=[0, 100]), axis=alt.Axis(title="Health score", grid=False, tickCount=5)
        )
        points = (
            named(ACCOUNTS)
            .transform_filter("datum.arr > 0 && isValid(datum.score)")
            .transform_window(rank="row_number()", sort=[alt.SortField("arr", order="descending")])
            .transform_filter(f"datum.rank <= {POINTS_SHOWN}")
            .mark_point(filled=True, size=46, cursor="pointer")
            .encode(
                x=x,
                y=y,
                opacity=alt.when("datum.exposed > 0").then(alt.value(1)).otherwise(alt.value(0.55)),
                size=alt.when("datum.exposed > 0").then(alt.value(95)).otherwise(alt.value(40)),
                color=alt.Color("tier:N", scale=mark_scale(marks), legend=legend_at(width)),
                shape=alt.Shape("tier:N", scale=shape_scale(marks), legend=legend_at(width)),
                tooltip=[
                    alt.Tooltip("name:N", title="Account"),
                    alt.Tooltip("owner:N", title="Owner"),
                    alt.Tooltip("arr:Q", title="ARR", format="$,.0f"),
                    alt.Tooltip("score:Q", title="Health score", format=",.1f"),
                    alt.Tooltip("tier:N", title="Tier"),
                    alt.Tooltip("days:Q", title="Days to renewal", format=","),
                ],
            )
        )
        rules = alt.Chart(alt.InlineData(bounds)).mark_rule(strokeDash=[3, 3], opacity=0.5).encode(x="bound:Q")
        return alt.layer(rules, points).properties(width=width, height=HEIGHT)

    hidden = len(rows) - POINTS_SHOWN
    return Figure(
        "score_against_arr",
        "Health score against ARR",
        "A point for each account; large accounts with low scores, at the upper left, matter most. "
        "Large points are exposed at renewal.",
        build,
        {ACCOUNTS: rows},
        note="large points: not healthy and renewing within 90 days; a click opens the account",
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

    def build(width: Width) -> alt.TopLevelMixin:
        bars = (
            named(ACCOUNTS)
            .transform_filter("isValid(datum.score)")
            .transform_bin("from", "score", bin=alt.Bin(step=5, extent=[0, 100]))
            .transform_calculate(bucket="min(datum.from, 95)", until="min(datum.from, 95) + 5")
            .transform_aggregate(customers="count()", arr="sum(arr)", groupby=["bucket", "until", "tier"])
            .mark_bar()
            .encode(
                x=alt.X("bucket:Q", bin="binned", title="Health score", scale=alt.Scale(domain=[0, 100])),
                x2="until:Q",
                y=alt.Y("customers:Q", title="Customers", axis=alt.Axis(tickMinStep=1, tickCount=5)),
                color=alt.Color(
                    "tier:N",
                    scale=mark_scale(marks),
                    legend=legend_at(width, glyph_labels(marks, "datum.label")),
                ),
                tooltip=[
                    alt.Tooltip("bucket:Q", title="From score"),
                    alt.Tooltip("until:Q", title="Below"),
                    alt.Tooltip("tier:N", title="Tier"),
                    alt.Tooltip("customers:Q", title="Customers", format=","),
                    alt.Tooltip("arr:Q", title="ARR", format="$,.0f"),
                ],
            )
        )
        return bars.properties(width=width, height=HEIGHT)

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
        summed = drivers.groupby(["label", "dimension"])["points_lost"].sum() / customers
        affected = drivers[drivers["points_lost"] > 0].groupby("label").size()
        for row in records(summed.sort_values(ascending=False).reset_index()):
            count = int(affected.get(row["label"], 0))
            lost = round(float(row["points_lost"]), 3)
            rows.append({"label": row["label"], "dimension": row["dimension"], "lost": lost, "accounts": count})
    names = [row["label"] for row in rows]

    def build(width: Width) -> alt.TopLevelMixin:
        base = named("points_lost").encode(
            y=alt.Y(
                "label:N",
                sort=names,
                title=None,
                axis=alt.Axis(ticks=False, domain=False, labelLimit=190, labelFontSize=11),
            ),
            x=alt.X("lost:Q", title=None, axis=None),
            tooltip=[
                alt.Tooltip("label:N", title="Signal"),
                alt.Tooltip("dimension:N", title="Dimension"),
                alt.Tooltip("lost:Q", title="Points lost, mean", format=",.2f"),
                alt.Tooltip("accounts:Q", title="Accounts that lose", format=","),
            ],
        )
        bars = base.mark_bar(color=BLUE, height={"band": 0.7})
        labels = base.mark_text(align="left", dx=5, style="strong").encode(text=alt.Text("lost:Q", format=",.1f"))
        room = base.transform_calculate(room="datum.lost * 1.25").mark_point(opacity=0).encode(x="room:Q")
        return alt.layer(bars, labels, room).properties(width=width, height=max(21 * len(rows), HEIGHT))

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
