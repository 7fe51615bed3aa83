"""The charts over accounts: tiers, health by segment, exposed ARR.

All read the one table `accounts` of a page and count in the specification itself, so that a filter changes them all.
Charts of scores stand in `scores.py`.
"""

import json

import altair as alt
import pandas as pd

from cx_intel.reports.charts.figure import (
    Figure,
    Rows,
    Width,
    glyph_labels,
    legend_at,
    mark_scale,
    money_axis,
    named,
    rows_of,
    text_on,
)
from cx_intel.reports.gathering import Book
from cx_intel.reports.palette import UNKNOWN, Mark, risk_marks, tier_marks

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


def bounds_of(book: Book) -> Rows:
    """The lower bounds of the tiers, without that of the lowest."""
    levels = book.portfolio.health.tiers.levels if book.portfolio.health else []
    return [{"bound": level.at_least} for level in levels[:-1]]


def present_tiers(book: Book) -> tuple[Mark, ...]:
    """The tiers of the model; `unknown` only when some account has it."""
    marks = tier_marks(book.portfolio)
    counted = set(book["customer_health_scores"].get("health_tier", []))
    return marks if UNKNOWN in counted else marks[:-1]


def tiers(book: Book, rows: Rows) -> Figure:
    marks = present_tiers(book)

    def build(width: Width) -> alt.TopLevelMixin:
        base = (
            named(ACCOUNTS)
            .transform_aggregate(customers="count()", arr="sum(arr)", groupby=["tier"])
            .transform_joinaggregate(all="sum(customers)")
            .transform_calculate(
                share="datum.customers / datum.all",
                label=f"format(datum.customers, ',') + '  (' + format(100 * datum.share, '.0f') + '{book.formats.percent_sign})'",
                room="datum.customers * 1.5",
            )
            .encode(
                y=alt.Y(
                    "tier:N",
                    title=None,
                    scale=alt.Scale(domain=[m.name for m in marks]),
                    axis=alt.Axis(labelExpr=glyph_labels(marks), ticks=False, domain=False, labelFontSize=12),
                ),
                x=alt.X("customers:Q", title=None, axis=None),
                tooltip=[
                    alt.Tooltip("tier:N", title="Tier"),
                    alt.Tooltip("customers:Q", title="Customers", format=","),
                    alt.Tooltip("share:Q", title="Share", format=".1%"),
                    alt.Tooltip("arr:Q", title="ARR", format="$,.0f"),
                ],
            )
        )
        bars = base.mark_bar(cornerRadiusEnd=3, height={"band": 0.7}).encode(
            color=alt.Color("tier:N", scale=mark_scale(marks), legend=None),
        )
        labels = base.mark_text(align="left", dx=6, style="strong", fontSize=12).encode(text="label:N")
        room = base.mark_point(opacity=0, tooltip=None).encode(x="room:Q", tooltip=alt.value(None))
        return alt.layer(bars, labels, room).properties(width=width, height=max(ROW_HEIGHT * len(marks), HEIGHT))

    levels = book.portfolio.health.tiers.levels if book.portfolio.health else []
    healthy = {level.name for level in levels if level.is_healthy}
    counted = [m.name for m in marks]
    parts = ", ".join(f"{sum(r['tier'] == name for r in rows)} {name}" for name in counted)
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

    def build(width: Width) -> alt.TopLevelMixin:
        counted = (
            named(ACCOUNTS)
            .transform_aggregate(customers="count()", arr="sum(arr)", mean="mean(score)", groupby=["segment", "tier"])
            .transform_joinaggregate(all="sum(customers)", groupby=["segment"])
            .transform_calculate(share="datum.customers / datum.all", order=order)
            .transform_stack(stack="share", as_=["x1", "x2"], groupby=["segment"], sort=[alt.SortField("order")])
            .transform_calculate(middle="(datum.x1 + datum.x2) / 2", label="datum.share > 0.07 ? datum.customers : ''")
        )
        y = alt.Y("segment:N", title=None, sort=segments, axis=alt.Axis(ticks=False, domain=False, labelFontSize=12))
        axis = alt.Axis(
            labelExpr=f"format(100 * datum.value, '.0f') + '{book.formats.percent_sign}'",
            values=[0, 0.25, 0.5, 0.75, 1],
            grid=False,
            title=None,
        )
        bars = counted.mark_bar(height={"band": 0.7}).encode(
            y=y,
            x=alt.X("x1:Q", axis=axis, scale=alt.Scale(domain=[0, 1.32], nice=False)),
            x2="x2:Q",
            color=alt.Color(
                "tier:N",
                scale=mark_scale(marks),
                legend=legend_at(width, glyph_labels(marks, "datum.label")),
            ),
            tooltip=[
                alt.Tooltip("segment:N", title="Segment"),
                alt.Tooltip("tier:N", title="Tier"),
                alt.Tooltip("customers:Q", title="Customers", format=","),
                alt.Tooltip("share:Q", title="Share of the segment", format=".1%"),
                alt.Tooltip("arr:Q", title="ARR", format="$,.0f"),
                alt.Tooltip("mean:Q", title="Mean score", format=",.1f"),
            ],
        )
        counts = counted.mark_text(fontSize=11, fontWeight="bold").encode(
            y=y, x=alt.X("middle:Q"), text="label:N", color=text_on(marks, "tier")
        )
        means = (
            named(ACCOUNTS)
            .transform_filter(f"datum.tier != '{UNKNOWN}'")
            .transform_aggregate(mean="mean(score)", groupby=["segment"])
            .transform_calculate(label="'mean ' + format(datum.mean, ',.0f')")
            .mark_text(align="left", dx=6, style="muted")
            .encode(y=y, x=alt.datum(1, type="quantitative"), text="label:N")
        )
        return alt.layer(bars, counts, means).properties(width=width, height=max(38 * len(segments), HEIGHT))

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

    def build(width: Width) -> alt.TopLevelMixin:
        exposed = named(ACCOUNTS).transform_filter("datum.exposed > 0")
        y = alt.Y(
            "segment:N",
            title=None,
            sort=segments,
            scale=alt.Scale(domain=segments),
            axis=alt.Axis(ticks=False, domain=False, labelFontSize=12),
        )
        order = f"indexof({json.dumps([m.name for m in marks])}, datum.risk)"
        summed = exposed.transform_aggregate(
            exposed="sum(exposed)", customers="count()", groupby=["segment", "risk"]
        ).transform_calculate(order=order)
        bars = summed.mark_bar(height={"band": 0.7}).encode(
            y=y,
            x=alt.X("exposed:Q", title=None, axis=money_axis(book.formats, grid=True)),
            order="order:Q",
            color=alt.Color(
                "risk:N",
                scale=mark_scale(marks),
                legend=legend_at(width, glyph_labels(marks, "datum.label")),
            ),
            tooltip=[
                alt.Tooltip("segment:N", title="Segment"),
                alt.Tooltip("risk:N", title="Renewal risk"),
                alt.Tooltip("exposed:Q", title="Exposed ARR", format="$,.0f"),
                alt.Tooltip("customers:Q", title="Accounts", format=","),
            ],
        )
        totals = (
            exposed.transform_aggregate(exposed="sum(exposed)", customers="count()", groupby=["segment"])
            .transform_calculate(label="format(datum.exposed, '$,.0f') + '  (' + datum.customers + ')'")
            .mark_text(align="left", dx=6, style="strong")
            .encode(y=y, x="exposed:Q", text="label:N")
        )
        widened = exposed.transform_aggregate(exposed="sum(exposed)", groupby=["segment"]).transform_calculate(
            room="datum.exposed * 1.6"
        )
        room = widened.mark_point(opacity=0, tooltip=None).encode(y=y, x="room:Q")
        return alt.layer(bars, totals, room).properties(width=width, height=max(38 * len(segments), HEIGHT))

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
