"""The charts over accounts: tiers, health by segment, exposed ARR.

All read the one table `accounts` of a page and count in the specification itself, so that a filter changes them all.
Charts of scores stand in `scores.py`.
"""

import json

import pandas as pd

from cx_intel.reports.charts.figure import (
    LARGE,
    Figure,
    Rows,
    Spec,
    Width,
    chart,
    coloured,
    counted,
    field,
    glyph_labels,
    legend_at,
    mark,
    money_axis,
    over,
    rows_of,
    summed,
    text_on,
    tip,
)
from cx_intel.reports.charts.palette import UNKNOWN, Mark, risk_marks, tier_marks
from cx_intel.reports.data.report_data import Book

ACCOUNTS = "accounts"
NONE = "(none)"
ROW_HEIGHT, HEIGHT = 34, 215


def account_rows(book: Book) -> Rows:
    """An account a row, as all these charts read it."""
    accounts = book.accounts
    pipeline = book["renewal_pipeline"]
    wanted = ["account_id", "renewal_risk", "days_to_renewal", "exposed_arr"]
    if not accounts.empty and not pipeline.empty:
        accounts = accounts.merge(pipeline[wanted], on="account_id", how="left")
    accounts = accounts.reindex(columns=[*dict.fromkeys([*accounts.columns, "health_score", "health_tier", *wanted])])
    for column in ("segment", "country", "owner"):
        accounts[column] = accounts[column].where(accounts[column].notna(), NONE)
    accounts["exposed_arr"] = pd.to_numeric(accounts["exposed_arr"]).fillna(0)
    listed = set(book["cs_intervention_list"].get("account_id", []))
    accounts["is_priority"] = accounts["account_id"].isin(listed).astype(int)
    accounts["account_name"] = accounts["account_name"].where(accounts["account_name"].notna(), accounts["account_id"])
    return rows_of(
        accounts,
        {
            "account_id": "id",
            "account_name": "name",
            "segment": "segment",
            "country": "country",
            "owner": "owner",
            "health_tier": "tier",
            "health_score": "score",
            "current_arr": "arr",
            "renewal_risk": "risk",
            "days_to_renewal": "days",
            "exposed_arr": "exposed",
            "is_priority": "priority",
        },
    )


def tier_bounds(book: Book, channel: str) -> Spec:
    """Dashed lines at the lower bounds of the tiers, without that of the lowest, across the axis x or y of scores."""
    levels = book.portfolio.health.tiers.levels if book.portfolio.health else []
    bounds: Rows = [{"bound": level.at_least} for level in levels[:-1]]
    return over(bounds, mark("rule", {channel: field("bound", "Q")}, strokeDash=[3, 3], opacity=0.5))


def present_tiers(book: Book) -> tuple[Mark, ...]:
    """The tiers of the model; `unknown` only when some account has it."""
    marks = tier_marks(book.portfolio)
    found = set(book["customer_health_scores"].get("health_tier", []))
    return marks if UNKNOWN in found else marks[:-1]


def tiers(book: Book, rows: Rows) -> Figure:
    marks = present_tiers(book)

    def build(width: Width) -> Spec:
        by_tier: list[Spec] = [
            {"aggregate": [counted("customers"), summed("arr")], "groupby": ["tier"]},
            {"joinaggregate": [summed("customers", "all")]},
            {"calculate": "datum.customers / datum.all", "as": "share"},
            {
                "calculate": "format(datum.customers, ',') + '  (' + format(100 * datum.share, '.0f')"
                f" + '{book.formats.percent_sign})'",
                "as": "label",
            },
            {"calculate": "datum.customers * 1.5", "as": "room"},
        ]
        base = {
            "y": field(
                "tier",
                "N",
                title=None,
                scale={"domain": [m.name for m in marks]},
                axis=LARGE | {"labelExpr": glyph_labels(marks)},
            ),
            "x": field("customers", "Q", title=None, axis=None),
            "tooltip": [
                tip("tier", "Tier"),
                tip("customers", "Customers", ","),
                tip("share", "Share", ".1%"),
                tip("arr", "ARR", "$,.0f"),
            ],
        }
        color = {"color": coloured("tier", marks)}
        bars = mark("bar", base | color, by_tier, cornerRadiusEnd=3, height={"band": 0.7})
        labels = mark(
            "text", base | {"text": field("label", "N")}, by_tier, align="left", dx=6, style="strong", fontSize=12
        )
        widened = base | {"x": field("room", "Q"), "tooltip": {"value": None}}
        room = mark("point", widened, by_tier, opacity=0, tooltip=None)
        return chart(ACCOUNTS, bars, labels, room, width=width, height=max(ROW_HEIGHT * len(marks), HEIGHT))

    levels = book.portfolio.health.tiers.levels if book.portfolio.health else []
    healthy = {level.name for level in levels if level.is_healthy}
    parts = ", ".join(f"{sum(r['tier'] == m.name for r in rows)} {m.name}" for m in marks)
    names = " and ".join(m.name for m in marks if m.name in healthy)
    return Figure(
        "tiers",
        "Customers by health tier",
        f"{len(rows)} customers: {parts}.",
        build,
        {ACCOUNTS: rows},
        note=f"{names} count{'s' if len(healthy) == 1 else ''} as healthy",
        is_empty=not rows,
    )


def health_by_segment(book: Book, rows: Rows) -> Figure:
    marks = present_tiers(book)
    segments = _segments(rows)
    order = f"indexof({json.dumps([m.name for m in marks])}, datum.tier)"

    def build(width: Width) -> Spec:
        shares: list[Spec] = [
            {
                "aggregate": [counted("customers"), summed("arr"), {"op": "mean", "field": "score", "as": "mean"}],
                "groupby": ["segment", "tier"],
            },
            {"joinaggregate": [summed("customers", "all")], "groupby": ["segment"]},
            {"calculate": "datum.customers / datum.all", "as": "share"},
            {"calculate": order, "as": "order"},
            {"stack": "share", "as": ["x1", "x2"], "groupby": ["segment"], "sort": [{"field": "order"}]},
            {"calculate": "(datum.x1 + datum.x2) / 2", "as": "middle"},
            {"calculate": "datum.share > 0.07 ? datum.customers : ''", "as": "label"},
        ]
        y = field("segment", "N", title=None, sort=segments, axis=LARGE)
        axis = {
            "labelExpr": f"format(100 * datum.value, '.0f') + '{book.formats.percent_sign}'",
            "values": [0, 0.25, 0.5, 0.75, 1],
            "grid": False,
            "title": None,
        }
        bars = mark(
            "bar",
            {
                "y": y,
                "x": field("x1", "Q", axis=axis, scale={"domain": [0, 1.32], "nice": False}),
                "x2": {"field": "x2"},
                "color": coloured("tier", marks, legend_at(width, marks)),
                "tooltip": [
                    tip("segment", "Segment"),
                    tip("tier", "Tier"),
                    tip("customers", "Customers", ","),
                    tip("share", "Share of the segment", ".1%"),
                    tip("arr", "ARR", "$,.0f"),
                    tip("mean", "Mean score", ",.1f"),
                ],
            },
            shares,
            height={"band": 0.7},
        )
        counts = mark(
            "text",
            {"y": y, "x": field("middle", "Q"), "text": field("label", "N"), "color": text_on(marks, "tier")},
            shares,
            fontSize=11,
            fontWeight="bold",
        )
        means = mark(
            "text",
            {"y": y, "x": {"datum": 1, "type": "quantitative"}, "text": field("label", "N")},
            [
                {"filter": f"datum.tier != '{UNKNOWN}'"},
                {"aggregate": [{"op": "mean", "field": "score", "as": "mean"}], "groupby": ["segment"]},
                {"calculate": "'mean ' + format(datum.mean, ',.0f')", "as": "label"},
            ],
            align="left",
            dx=6,
            style="muted",
        )
        return chart(ACCOUNTS, bars, counts, means, width=width, height=max(38 * len(segments), HEIGHT))

    return Figure(
        "health_by_segment",
        "Health by segment",
        "Share of each segment's customers in each tier, with the mean score. " + _segment_words(book),
        build,
        {ACCOUNTS: rows},
        note="share of customers in each tier",
        is_empty=not rows,
        legend=marks,
    )


def exposed_arr(book: Book, rows: Rows) -> Figure:
    marks = risk_marks()
    segments = _segments(rows)
    total = sum(r["exposed"] for r in rows)

    def build(width: Width) -> Spec:
        exposed = {"filter": "datum.exposed > 0"}
        y = field("segment", "N", title=None, sort=segments, scale={"domain": segments}, axis=LARGE)
        bars = mark(
            "bar",
            {
                "y": y,
                "x": field("exposed", "Q", title=None, axis=money_axis(book.formats, grid=True)),
                "order": field("order", "Q"),
                "color": coloured("risk", marks, legend_at(width, marks)),
                "tooltip": [
                    tip("segment", "Segment"),
                    tip("risk", "Renewal risk"),
                    tip("exposed", "Exposed ARR", "$,.0f"),
                    tip("customers", "Accounts", ","),
                ],
            },
            [
                exposed,
                {"aggregate": [summed("exposed"), counted("customers")], "groupby": ["segment", "risk"]},
                {"calculate": f"indexof({json.dumps([m.name for m in marks])}, datum.risk)", "as": "order"},
            ],
            height={"band": 0.7},
        )
        totals = mark(
            "text",
            {"y": y, "x": field("exposed", "Q"), "text": field("label", "N")},
            [
                exposed,
                {"aggregate": [summed("exposed"), counted("customers")], "groupby": ["segment"]},
                {"calculate": "format(datum.exposed, '$,.0f') + '  (' + datum.customers + ')'", "as": "label"},
            ],
            align="left",
            dx=6,
            style="strong",
        )
        room = mark(
            "point",
            {"y": y, "x": field("room", "Q")},
            [
                exposed,
                {"aggregate": [summed("exposed")], "groupby": ["segment"]},
                {"calculate": "datum.exposed * 1.6", "as": "room"},
            ],
            opacity=0,
            tooltip=None,
        )
        return chart(ACCOUNTS, bars, totals, room, width=width, height=max(38 * len(segments), HEIGHT))

    return Figure(
        "exposed_arr",
        "ARR at risk in 90 days",
        f"Exposed ARR by segment and renewal risk, {book.formats.money(total)} in all."
        if total
        else "No account that is not healthy renews within 90 days.",
        build,
        {ACCOUNTS: rows},
        note="not healthy and up for renewal, by renewal risk (accounts in brackets)",
        is_empty=not total,
        legend=marks,
    )


def _segments(rows: Rows) -> list[str]:
    """Segments by their ARR, the largest first."""
    sums: dict[str, float] = {}
    for row in rows:
        sums[row["segment"]] = sums.get(row["segment"], 0) + (row["arr"] or 0)
    return sorted(sums, key=lambda s: (-sums[s], s))


def _segment_words(book: Book) -> str:
    scores = book["customer_health_scores"]
    if scores.empty:
        return ""
    means = scores[scores["health_tier"] != UNKNOWN].groupby("segment")["health_score"].mean()
    return " ".join(f"{segment}: mean {book.formats.number(mean, 1)}." for segment, mean in means.items())
