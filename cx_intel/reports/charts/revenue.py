"""The chart of what is retained: NRR and GRR by month, and the axes that charts of months share.

It adds up what cells of accounts add to the rates of `nrr_summary`. The movements of MRR stand in `movements.py`, cohorts in
`cohorts.py`, charts over accounts in `accounts.py`.
"""

import json

import pandas as pd

from cx_intel.reports.charts.drawing.figure import (
    BARE,
    Figure,
    Rows,
    Spec,
    Width,
    chart,
    coloured,
    field,
    mark,
    over,
    rows_of,
    shaped,
    summed,
    tip,
)
from cx_intel.reports.charts.drawing.palette import LINES, Mark
from cx_intel.reports.data.cells import cells
from cx_intel.reports.data.figures.retention import LABELS, retention
from cx_intel.reports.data.report_data import ReportData

ALL = "all"
TREND_MONTHS, MONTHLY_MONTHS = 24, 13
RATES = (Mark("NRR", LINES["first"], "circle"), Mark("GRR", LINES["second"], "square"))
MONTHLY, TRAILING_3M, TRAILING_YEAR = ("pct", "trailing_3m_pct", "ttm_pct")


def retention_suffix(data: ReportData) -> str:
    """Which retention is drawn, by the ending of its columns: the headline of the newest month, else the monthly one."""
    found = retention(data.summary.iloc[-1]) if len(data.summary) else None
    return found.suffix if found else MONTHLY


def retention_rows(data: ReportData, suffix: str, months: int) -> Rows:
    """What each cell of accounts adds to the retention of each of the last months: by cell and month.

    Columns: cell; at, the month; then, what the rates divide by; now, what NRR divides; kept, what GRR divides. Three more
    months before those shown stand where a rate is the mean of three.
    """
    parts = data.ledger_parts
    shown = list(data.summary["revenue_month"])[-months - (2 if suffix == TRAILING_3M else 0) :]
    parts = parts[parts["revenue_month"].isin(shown)] if len(parts) else parts
    if parts.empty:
        return []
    if suffix == TRAILING_YEAR:
        parts = parts.assign(then=parts["then_mrr"], now=parts["now_mrr"], kept=parts["kept_mrr"])
    else:
        then = parts["starting_mrr"] + parts["restated_mrr"]
        kept = then - parts["contraction_mrr"] - parts["churned_mrr"]
        parts = parts.assign(then=then, now=kept + parts["expansion_mrr"], kept=kept)
    found = cells(data).grouped(parts, "revenue_month", ("then", "now", "kept"))
    return rows_of(found, {"cell": "cell", "revenue_month": "at", "then": "then", "now": "now", "kept": "kept"})


def _rates(suffix: str, labels: str, first: str) -> list[Spec]:
    """From the parts of cells to the rates: a row for each month and kind."""
    rate = lambda part: f"datum.then > 0 ? 100 * (datum.{part} / datum.then) : null"
    steps: list[Spec] = [
        {"aggregate": [summed(name) for name in ("then", "now", "kept")], "groupby": ["at"]},
        {"calculate": rate("now"), "as": "NRR"},
        {"calculate": rate("kept"), "as": "GRR"},
    ]
    if suffix == TRAILING_3M:
        means: list[Spec] = [{"op": "mean", "field": kind, "as": f"mean{kind}"} for kind in ("NRR", "GRR")]
        seen = [{"op": "valid", "field": "NRR", "as": "seen"}]
        steps += [
            {"window": [*means, *seen], "frame": [-2, 0], "sort": [{"field": "at"}]},
            *({"calculate": f"datum.seen == 3 ? datum.mean{kind} : null", "as": kind} for kind in ("NRR", "GRR")),
        ]
    return [
        *steps,
        {"fold": ["NRR", "GRR"], "as": ["kind", "value"]},
        {"filter": f"isValid(datum.value) && datum.at >= {json.dumps(first)}"},
        {"calculate": labels, "as": "month"},
    ]


def retention_trend(
    data: ReportData, suffix: str = "", *, key: str = "retention_trend", months: int = TREND_MONTHS
) -> Figure:
    say = data.language.say
    suffix = suffix or retention_suffix(data)
    label = say(LABELS[suffix])
    rows = retention_rows(data, suffix, months)
    known = data.summary[["revenue_month", f"nrr_{suffix}", f"grr_{suffix}"]].dropna().tail(months)
    named = [
        {"at": str(m), "month": data.language.month(m), "short": data.language.short_month(m)}
        for m in known["revenue_month"]
    ]
    at = [row["at"] for row in named]
    room = [f"after {n}" for n in range(1 + len(at) // 3)]
    names = f"({json.dumps({row['at']: row['month'] for row in named}, ensure_ascii=False)})[datum.at]"

    def build(width: Width) -> Spec:
        base = {
            "x": field("at", "O", title=None, axis=month_axis(named, most=5), scale={"domain": [*at, *room]}),
            "y": field("value", "Q", title=None, scale={"zero": False, "nice": True}, axis=percent_axis(data)),
            "color": coloured("kind", RATES),
        }
        tooltip = [tip("month", say("Month")), tip("kind", say("Figure")), tip("value", f"%, {label}", ",.1f")]
        rule = over([{"v": 100}], mark("rule", {"y": field("v", "Q")}, strokeDash=[4, 4], opacity=0.6))
        rates = _rates(suffix, names, at[0] if at else "")
        line = mark("line", base, rates, strokeWidth=2.2)
        points = mark("point", base | {"shape": shaped("kind", RATES), "tooltip": tooltip}, rates, filled=True, size=28)

        def last(kind: str, dy: int) -> Spec:
            newest: list[Spec] = [
                *rates,
                {"joinaggregate": [{"op": "max", "field": "at", "as": "end"}]},
                {"filter": f"datum.at == datum.end && datum.kind == '{kind}'"},
                {"calculate": "datum.kind + ' ' + format(datum.value, ',.1f')", "as": "label"},
            ]
            look = {"align": "left", "dx": 8, "dy": dy, "fontWeight": "bold", "fontSize": 12}
            return mark("text", base | {"text": field("label", "N")}, newest, **look)

        # NRR is never below GRR: one label above its point, the other below, stand apart also where both are equal
        return chart(key, rule, line, points, last("NRR", -9), last("GRR", 10), width=width, height=215)

    return Figure(
        key,
        say("NRR and GRR, {span}", span=label),
        _retention_words(data, known, suffix, label),
        build,
        {key: rows},
        note=say("in %, month by month; the dashed line is 100"),
        is_empty=known.empty or not rows,
        lists={"month": "at"},
    )


def _retention_words(data: ReportData, known: pd.DataFrame, suffix: str, label: str) -> str:
    if known.empty:
        return data.language.say("No month has a rate yet: a rate needs MRR in the month before.")
    last, f = known.iloc[-1], data.language
    parts = ", ".join(f"{kind.upper()} {f.percent(last[f'{kind}_{suffix}'])}" for kind in ("nrr", "grr"))
    return f"{f.month(last['revenue_month'])}, {label}: {parts}."


def month_labels(rows: Rows) -> str:
    """Vega's expression of a month's label on an ordinal axis of days."""
    pairs = {row["at"]: row.get("short", row["month"]) for row in rows}
    return f"({json.dumps(pairs, ensure_ascii=False)})[datum.value] || ''"


def month_axis(rows: Rows, most: int = 7) -> Spec:
    """An axis of months with so many labels at the most, evenly apart; the newest month always has one."""
    at = sorted({row["at"] for row in rows})
    step = -(-len(at) // most) or 1
    labels = {"labelExpr": month_labels(rows), "labelAngle": 0, "labelPadding": 8, "labelOverlap": False}
    return {**BARE, **labels, "values": at[::-1][::step][::-1]}


def percent_axis(data: ReportData) -> Spec:
    labels = f"format(datum.value, ',~g') + '{data.language.percent_sign}'"
    return {"labelExpr": labels, "tickCount": 5, "title": None}
