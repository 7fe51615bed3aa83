"""The dashboard as one picture: the charts of the page, composed, with title and day.

Each chart is built by the same builder as on the page, in `charts`; the figures on top are those of `kpis.py`.
"""

import struct
import zlib
from typing import Any

import numpy as np
import vl_convert

from cx_intel.reports.charts.accounts import account_rows
from cx_intel.reports.charts.figure import (
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
    plain_value,
)
from cx_intel.reports.charts.palette import RED, TEAL, chart_theme, risk_marks
from cx_intel.reports.data.kpis import Kpi, kpis
from cx_intel.reports.data.report_data import ReportData
from cx_intel.reports.data.terms import due_in
from cx_intel.reports.pages.dashboard import TOP, dashboard_figures
from cx_intel.reports.pages.frame.layout import VEGA_LITE
from cx_intel.reports.words.language import Language

GAP, PER_ROW, SCALE = 40, 3, 1.25
PANEL, KPI_WIDTH = 310, 225


def dashboard_spec(data: ReportData) -> Spec:
    """The dashboard as one specification with its rows."""
    rows, f = account_rows(data), data.language
    made = f.say("As of {day}, made {time}", day=f.day(data.as_of), time=f.time(data.made_at))
    figures = dashboard_figures(data, rows)
    if data.portfolio.renewals:
        figures.append(top_interventions(data))
    panels = [_panel(figure) for figure in figures]
    lines = [_joined("hconcat", panels[i : i + PER_ROW], GAP) for i in range(0, len(panels), PER_ROW)]
    datasets: dict[str, Rows] = {"kpis": kpi_rows(kpis(data), data.language)}
    for figure in figures:
        datasets |= {name: _of_the_book(rows) for name, rows in figure.data.items()}
    title = {
        "text": f"{data.portfolio.name}: " + f.say("Executive dashboard"),
        "subtitle": [f"{made}. {data.portfolio.description}", ""],
        "fontSize": 20,
        "subtitleFontSize": 12,
        "offset": 4,
    }
    return _joined("vconcat", [kpi_strip(), *lines], 34) | {"title": title, "datasets": datasets, "padding": 24}


def _joined(how: str, specs: list[Spec], spacing: int) -> Spec:
    """Charts side by side or below each other, each with its own colours."""
    return {how: specs, "spacing": spacing, "resolve": {"scale": {"color": "independent", "shape": "independent"}}}


def render_png(spec: Spec, data: ReportData) -> bytes:
    """A specification with its rows as a PNG, in the portfolio's formats."""
    png: bytes = vl_convert.vegalite_to_png(
        spec,
        vl_version=VEGA_LITE,
        config=chart_theme(dark=False),
        format_locale=data.language.vega_locale(),
        scale=SCALE,
    )
    return compact(png)


def compact(png: bytes) -> bytes:
    """The same picture in fewer bytes: flat areas without filters, no transparency, packed tightly."""
    chunks, at = [], 8
    while at < len(png):
        length, kind = struct.unpack(">I4s", png[at : at + 8])
        chunks.append((kind, png[at + 8 : at + 8 + length]))
        at += 12 + length
    header = next(body for kind, body in chunks if kind == b"IHDR")
    width, height, depth, colour = struct.unpack(">IIBB", header[:10])
    packed = b"".join(body for kind, body in chunks if kind == b"IDAT")
    lines = np.frombuffer(zlib.decompress(packed), np.uint8).reshape(height, -1)
    if (depth, colour) != (8, 6) or set(lines[:, 0].tolist()) - {0, 1}:
        return png
    pixels = lines[:, 1:].reshape(height, width, 4).copy()
    differences = lines[:, 0] == 1
    pixels[differences] = np.cumsum(pixels[differences], axis=1, dtype=np.uint8)
    if (pixels[:, :, 3] != 255).any():
        return png
    plain = np.zeros((height, 1 + 3 * width), np.uint8)
    plain[:, 1:] = pixels[:, :, :3].reshape(height, -1)
    body = [
        (b"IHDR", struct.pack(">IIBB", width, height, 8, 2) + header[10:]),
        (b"IDAT", zlib.compress(plain.tobytes(), 6)),
        (b"IEND", b""),
    ]
    return png[:8] + b"".join(
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data)) for kind, data in body
    )


def _of_the_book(rows: Rows) -> Rows:
    """Rows of single segments are for the filters of the page alone."""
    return [row for row in rows if row.get("segment") == "all"] if any(row.get("kind") for row in rows) else rows


def _panel(figure: Figure) -> Spec:
    title = {"text": figure.title, "subtitle": figure.note or " "}
    if figure.is_empty:
        words = mark("text", {"text": field("text", "N")}, style="muted", limit=PANEL)
        return over([{"text": figure.describes}], words) | {"width": PANEL, "height": 210, "title": title}
    return figure.build(PANEL) | {"title": title}


def kpi_rows(found: tuple[Kpi, ...], language: Language) -> Rows:
    """A row for each text of the strip."""
    rows: Rows = []
    for place, kpi in enumerate(found):
        base = {"place": place}
        rows.append({**base, "row": "label", "text": kpi.label, "direction": "even"})
        rows.append({**base, "row": "value", "text": kpi.text, "direction": "even"})
        for number, change in enumerate(kpi.changes):
            word = change.word and f", {language.say(change.word)}"
            rows.append(
                {
                    **base,
                    "row": f"change{number}",
                    "text": f"{change.arrow} {change.text} {change.span}{word}".strip(),
                    "direction": change.direction,
                }
            )
    return rows


def kpi_strip() -> Spec:
    """The figures as text, side by side."""
    heights = {"label": 8, "value": 36, "change0": 62, "change1": 79}
    x = field("place", "Q", axis=None, scale={"domain": [0, 6], "nice": False})
    directions = {"domain": ["good", "bad", "even"], "range": [TEAL, RED, "#59616b"]}
    color = {"color": field("direction", "N", scale=directions, legend=None)}

    def line(row: str, more: Spec, **look: Any) -> Spec:
        encoding = {"x": x, "y": {"value": heights[row]}, "text": field("text", "N"), **more}
        return mark("text", encoding, [{"filter": f"datum.row == '{row}'"}], align="left", **look)

    return chart(
        "kpis",
        line("label", {}, fontSize=12, style="muted"),
        line("value", {}, fontSize=26, fontWeight="bold", style="strong"),
        line("change0", color, fontSize=11),
        line("change1", color, fontSize=11),
        width=6 * KPI_WIDTH,
        height=90,
    )


def top_interventions(data: ReportData) -> Figure:
    """The ten accounts to call first, as bars of what they are expected to lose."""
    say = data.language.say
    listed = data.to_call.sort_values("priority_rank").head(TOP)
    marks = [mark for mark in risk_marks(data.language) if mark.name in set(listed["renewal_risk"])]
    f = data.language
    rows: Rows = [
        {
            "rank": int(row["priority_rank"]),
            "account": plain_value(f"{int(row['priority_rank'])}. {row['account_name'] or row['account_id']}"),
            "risk": say(str(row["renewal_risk"])),
            "loss": float(row["expected_arr_loss"]),
            "label": f"{f.money(row['expected_arr_loss'])}, {due_in(f, row['days_to_renewal'])}",
        }
        for row in listed.to_dict("records")
    ]

    def build(width: Width) -> Spec:
        longest = max((row["loss"] for row in rows), default=1)
        names = BARE | {"labelLimit": 190, "labelPadding": 6}
        base = {
            "y": field("account", "N", title=None, sort=[row["account"] for row in rows], axis=names),
            "x": field("loss", "Q", axis=None, scale={"domain": [0, longest * 2.1]}),
        }
        color = {"color": coloured("risk", marks, {"title": None, "orient": "top"})}
        bars = mark("bar", base | color, height={"band": 0.65})
        labels = mark("text", base | {"text": field("label", "N")}, align="left", dx=5, style="strong")
        inner = width - 120 if isinstance(width, int) else width
        return chart("top_interventions", bars, labels, width=inner, height=230)

    return Figure(
        "top_interventions",
        say("Top ten interventions"),
        say("Nobody is cancelled, or at Critical or High risk, within 90 days."),
        build,
        {"top_interventions": rows},
        note=say("expected ARR loss and days to renewal"),
        is_empty=not rows,
    )
