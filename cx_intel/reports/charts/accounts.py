"""The charts over accounts: tiers, health by segment, exposed ARR.

All read the one table `accounts` of a page and count in the specification itself, so that a filter changes them all.
Charts of scores stand in `scores.py`.
"""

import json

import pandas as pd

from cx_intel.reports.charts.drawing.figure import (
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
    rows_of,
    summed,
    text_on,
    tip,
)
from cx_intel.reports.charts.drawing.levels import SCORED, present_risks, present_tiers, said
from cx_intel.reports.charts.drawing.palette import UNKNOWN, risk_marks, tier_marks
from cx_intel.reports.data.cells import cells
from cx_intel.reports.data.report_data import ReportData, made_once

ACCOUNTS = "accounts"
ROW_HEIGHT, HEIGHT = 34, 215


@made_once
def account_rows(data: ReportData) -> Rows:
    """An account a row, as all these charts read it."""
    accounts = data.accounts
    pipeline = data["renewal_pipeline"]
    wanted = ["account_id", "renewal_risk", "days_to_renewal", "exposed_arr"]
    if not accounts.empty and not pipeline.empty:
        accounts = accounts.merge(pipeline[wanted], on="account_id", how="left")
    accounts = accounts.reindex(columns=[*dict.fromkeys([*accounts.columns, *wanted])])
    accounts["health_tier"] = said(accounts["health_tier"], tier_marks(data.portfolio))
    accounts["renewal_risk"] = said(accounts["renewal_risk"], risk_marks(data.language))
    accounts["is_paying"] = accounts["is_paying"].astype(int)
    accounts["exposed_arr"] = pd.to_numeric(accounts["exposed_arr"]).fillna(0)
    listed = set(data.to_call.get("account_id", []))
    accounts["is_priority"] = accounts["account_id"].isin(listed).astype(int)
    accounts["account_name"] = accounts["account_name"].where(accounts["account_name"].notna(), accounts["account_id"])
    of = cells(data).of
    accounts["cell"] = [of[account] for account in accounts["account_id"]]
    return rows_of(
        accounts,
        {
            "account_id": "id",
            "cell": "cell",
            "account_name": "name",
            "segment": "segment",
            "owner": "owner",
            "health_tier": "tier",
            "health_score": "score",
            "current_arr": "arr",
            "renewal_risk": "risk",
            "days_to_renewal": "days",
            "exposed_arr": "exposed",
            "is_priority": "priority",
            "is_paying": "paying",
        },
    )


def tiers(data: ReportData, rows: Rows) -> Figure:
    say = data.language.say
    marks = present_tiers(data)

    def build(width: Width) -> Spec:
        by_tier: list[Spec] = [
            SCORED,
            {"aggregate": [counted("customers"), summed("arr")], "groupby": ["tier"]},
            {"joinaggregate": [summed("customers", "all")]},
            {"calculate": "datum.customers / datum.all", "as": "share"},
            {
                "calculate": "format(datum.customers, ',') + '  (' + format(100 * datum.share, '.0f')"
                f" + '{data.language.percent_sign})'",
                "as": "label",
            },
            {"calculate": "datum.customers * 1.5", "as": "room"},
        ]
        base = {
            "y": field(
                "tier",
                "N",
                title=None,
                scale={"domain": [m.label for m in marks]},
                axis=LARGE | {"labelExpr": glyph_labels(marks)},
            ),
            "x": field("customers", "Q", title=None, axis=None),
            "tooltip": [
                tip("tier", say("Tier")),
                tip("customers", say("Customers"), ","),
                tip("share", say("Share"), ".1%"),
                tip("arr", say("ARR"), "$,.0f"),
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

    levels = data.portfolio.health.tiers.levels if data.portfolio.health else []
    healthy = {level.name for level in levels if level.is_healthy}
    scored = [row for row in rows if row["tier"] is not None]
    parts = ", ".join(f"{sum(r['tier'] == m.label for r in scored)} {m.label}" for m in marks)
    names = ", ".join(m.label for m in tier_marks(data.portfolio) if m.name in healthy)
    nobody = ", ".join(m.label for m in tier_marks(data.portfolio)[:-1] if m not in marks)
    return Figure(
        "tiers",
        say("Customers by health tier"),
        data.language.count("{n} customer: {tiers}.", "{n} customers: {tiers}.", len(scored), tiers=parts),
        build,
        {ACCOUNTS: rows},
        note="; ".join(
            [say("healthy: {tiers}", tiers=names), *([say("nobody: {tiers}", tiers=nobody)] if nobody else [])]
        ),
        is_empty=not scored,
        lists={"by": ["tier"]},
    )


def health_by_segment(data: ReportData, rows: Rows) -> Figure:
    say = data.language.say
    marks = present_tiers(data)
    segments = _segments(rows)
    order = f"indexof({json.dumps([m.label for m in marks])}, datum.tier)"

    def build(width: Width) -> Spec:
        shares: list[Spec] = [
            SCORED,
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
            "labelExpr": f"format(100 * datum.value, '.0f') + '{data.language.percent_sign}'",
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
                    tip("segment", say("Segment")),
                    tip("tier", say("Tier")),
                    tip("customers", say("Customers"), ","),
                    tip("share", say("Share of the segment"), ".1%"),
                    tip("arr", say("ARR"), "$,.0f"),
                    tip("mean", say("Mean score"), ",.1f"),
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
                SCORED,
                {"filter": f"datum.tier != {json.dumps(marks[-1].label if marks[-1].name == UNKNOWN else '')}"},
                {"aggregate": [{"op": "mean", "field": "score", "as": "mean"}], "groupby": ["segment"]},
                {"calculate": json.dumps(say("mean")) + " + ' ' + format(datum.mean, ',.0f')", "as": "label"},
            ],
            align="left",
            dx=6,
            style="muted",
        )
        return chart(ACCOUNTS, bars, counts, means, width=width, height=max(38 * len(segments), HEIGHT))

    return Figure(
        "health_by_segment",
        say("Health by segment"),
        say("Share of each segment's customers in each tier, with the mean score. {means}", means=_means(data)),
        build,
        {ACCOUNTS: rows},
        note=say("share of customers in each tier"),
        lists={"by": ["segment", "tier"]},
        is_empty=not any(row["tier"] is not None for row in rows),
        legend=marks,
    )


def exposed_arr(data: ReportData, rows: Rows) -> Figure:
    say = data.language.say
    marks = present_risks(data)
    segments = _segments(rows)
    total = sum(r["exposed"] for r in rows)

    def build(width: Width) -> Spec:
        exposed = {"filter": "datum.exposed > 0"}
        y = field("segment", "N", title=None, sort=segments, scale={"domain": segments}, axis=LARGE)
        bars = mark(
            "bar",
            {
                "y": y,
                "x": field("exposed", "Q", title=None, axis=money_axis(data.language, grid=True)),
                "order": field("order", "Q"),
                "color": coloured("risk", marks, legend_at(width, marks)),
                "tooltip": [
                    tip("segment", say("Segment")),
                    tip("risk", say("Renewal risk")),
                    tip("exposed", say("Exposed ARR"), "$,.0f"),
                    tip("customers", say("Accounts"), ","),
                ],
            },
            [
                exposed,
                {"aggregate": [summed("exposed"), counted("customers")], "groupby": ["segment", "risk"]},
                {"calculate": f"indexof({json.dumps([m.label for m in marks])}, datum.risk)", "as": "order"},
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
        say("ARR at risk in 90 days"),
        say("Exposed ARR by segment and renewal risk, {arr} in all.", arr=data.language.money(total))
        if total
        else say("No account that is not healthy renews within 90 days."),
        build,
        {ACCOUNTS: rows},
        note=say("not healthy or cancelled, and due, by renewal risk (accounts in brackets)"),
        lists={"by": ["segment", "risk", "exposed"]},
        is_empty=not total,
        legend=marks,
    )


def _segments(rows: Rows) -> list[str]:
    """Segments by their ARR, the largest first."""
    sums: dict[str, float] = {}
    for row in rows:
        sums[row["segment"]] = sums.get(row["segment"], 0) + (row["arr"] or 0)
    return sorted(sums, key=lambda s: (-sums[s], s))


def _means(data: ReportData) -> str:
    scores = data["customer_health_scores"]
    if scores.empty:
        return ""
    means = scores[scores["health_tier"] != UNKNOWN].groupby("segment")["health_score"].mean()
    return ", ".join(f"{segment} {data.language.number(mean, 1)}" for segment, mean in means.items())
