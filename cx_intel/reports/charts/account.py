"""The charts of one account: its score over time, what adds to it and takes from it, its MRR.

They are specifications without rows: the page fills them with the account that is opened.
"""

from cx_intel.reports.charts.book import tier_bounds
from cx_intel.reports.charts.figure import (
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
from cx_intel.reports.charts.palette import BLUE, GREY, RED, TEAL, tier_marks
from cx_intel.reports.data.report_data import Book


def account_specs(book: Book) -> dict[str, Spec]:
    """Chart: its specification, over rows of the same name."""
    return {"score": _score(book), "drivers": _drivers(), "mrr": _mrr(book)}


def _score(book: Book) -> Spec:
    marks = tier_marks(book.portfolio)
    day = "%d.%m.%y" if book.formats.language == "de" else "%-d %b %y"
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
            "tooltip": [tip("day", "Day"), tip("score", "Health score", ",.1f"), tip("tier", "Tier")],
        },
        filled=True,
        size=70,
    )
    return chart("score", tier_bounds(book, "y"), line, points, width=CONTAINER, height=150)


def _drivers() -> Spec:
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
                "amount", "Q", title="points of the health score: has, then (paler) loses", axis={"tickCount": 5}
            ),
            "order": field("order", "Q"),
            "color": field("what", "N", scale={"domain": ["has", "loses"], "range": [TEAL, RED]}, legend=None),
            "opacity": when("datum.what == 'has'", 1, 0.4),
            "tooltip": [
                tip("label", "Signal"),
                tip("words", "Value"),
                tip("points", "Points", ",.1f"),
                tip("lost", "Points lost", ",.1f"),
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


def _mrr(book: Book) -> Spec:
    months = {"labelExpr": "slice(datum.value, 0, 7)", "labelAngle": 0, "labelOverlap": "greedy", "ticks": False}
    bars = mark(
        "bar",
        {
            "x": field("at", "O", title=None, axis=months),
            "y": field("mrr", "Q", title=None, axis=money_axis(book.formats)),
            "tooltip": [tip("month", "Month"), tip("mrr", "MRR", "$,.0f")],
        },
        color=BLUE,
    )
    return chart("mrr", bars, width=CONTAINER, height=150)
