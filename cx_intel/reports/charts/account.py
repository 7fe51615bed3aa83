"""The charts of one account: its score over time, what adds to it and takes from it, its MRR.

They are specifications without rows: the page fills them with the account that is opened.
"""

import altair as alt

from cx_intel.reports.charts.book import bounds_of
from cx_intel.reports.charts.figure import CONTAINER, mark_scale, money_axis, named, plain_spec, shape_scale
from cx_intel.reports.gathering import Book
from cx_intel.reports.palette import BLUE, GREY, RED, TEAL, tier_marks


def account_specs(book: Book) -> dict[str, dict[str, object]]:
    """Chart: its specification, over rows of the same name."""
    return {
        name: plain_spec(chart)
        for name, chart in (("score", _score(book)), ("drivers", _drivers()), ("mrr", _mrr(book)))
    }


def _score(book: Book) -> alt.TopLevelMixin:
    marks = tier_marks(book.portfolio)
    bounds = bounds_of(book)
    base = named("score").encode(
        x=alt.X(
            "at:T",
            title=None,
            scale=alt.Scale(type="utc"),
            axis=alt.Axis(
                format="%d.%m.%y" if book.formats.language == "de" else "%-d %b %y", tickCount=5, labelOverlap=True
            ),
        ),
        y=alt.Y("score:Q", title=None, scale=alt.Scale(domain=[0, 100]), axis=alt.Axis(tickCount=5)),
    )
    rules = alt.Chart(alt.InlineData(bounds)).mark_rule(strokeDash=[3, 3], opacity=0.5).encode(y="bound:Q")
    points = base.mark_point(filled=True, size=70).encode(
        color=alt.Color("tier:N", scale=mark_scale(marks), legend=None),
        shape=alt.Shape("tier:N", scale=shape_scale(marks), legend=None),
        tooltip=[
            alt.Tooltip("day:N", title="Day"),
            alt.Tooltip("score:Q", title="Health score", format=",.1f"),
            alt.Tooltip("tier:N", title="Tier"),
        ],
    )
    return alt.layer(rules, base.mark_line(color=GREY), points).properties(width=CONTAINER, height=150)


def _drivers() -> alt.TopLevelMixin:
    y = alt.Y(
        "label:N",
        sort=alt.EncodingSortField("lost", op="sum", order="descending"),
        title=None,
        axis=alt.Axis(ticks=False, domain=False, labelLimit=180),
    )
    bars = (
        named("drivers")
        .transform_fold(["points", "lost"], as_=["kind", "amount"])
        .transform_calculate(order="datum.kind == 'points' ? 0 : 1", what="datum.kind == 'points' ? 'has' : 'loses'")
        .mark_bar(height={"band": 0.72})
        .encode(
            y=y,
            x=alt.X(
                "amount:Q", title="points of the health score: has, then (paler) loses", axis=alt.Axis(tickCount=5)
            ),
            order="order:Q",
            color=alt.Color("what:N", scale=alt.Scale(domain=["has", "loses"], range=[TEAL, RED]), legend=None),
            opacity=alt.when("datum.what == 'has'").then(alt.value(1)).otherwise(alt.value(0.4)),
            tooltip=[
                alt.Tooltip("label:N", title="Signal"),
                alt.Tooltip("words:N", title="Value"),
                alt.Tooltip("points:Q", title="Points", format=",.1f"),
                alt.Tooltip("lost:Q", title="Points lost", format=",.1f"),
            ],
        )
    )
    return bars.properties(width=CONTAINER, height=alt.Step(20))


def _mrr(book: Book) -> alt.TopLevelMixin:
    bars = (
        named("mrr")
        .mark_bar(color=BLUE)
        .encode(
            x=alt.X(
                "at:O",
                title=None,
                axis=alt.Axis(labelExpr="slice(datum.value, 0, 7)", labelAngle=0, labelOverlap="greedy", ticks=False),
            ),
            y=alt.Y("mrr:Q", title=None, axis=money_axis(book.formats)),
            tooltip=[alt.Tooltip("month:N", title="Month"), alt.Tooltip("mrr:Q", title="MRR", format="$,.0f")],
        )
    )
    return bars.properties(width=CONTAINER, height=150)
