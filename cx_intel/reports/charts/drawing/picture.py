"""The dashboard as one picture: title, headline, figures and charts on a grid, for a mail or a slide.

Each chart is built by the same builder as on the page, in `charts`, and drawn by itself at the size of its panel, so that
panels stand level; the figures on top are those of `kpis.py`, the headline is the page's.
"""

import re
import struct
import textwrap
import zlib
from collections.abc import Iterator, Sequence
from html import escape

import numpy as np
import vl_convert

from cx_intel.reports.charts.accounts import account_rows
from cx_intel.reports.charts.drawing.figure import (
    BARE,
    CONTAINER,
    Figure,
    Rows,
    Spec,
    Width,
    chart,
    coloured,
    field,
    mark,
    plain_value,
)
from cx_intel.reports.charts.drawing.palette import RED, TEAL, Mark, chart_theme, risk_marks
from cx_intel.reports.data.figures.kpis import Kpi, kpis
from cx_intel.reports.data.report_data import ReportData
from cx_intel.reports.data.terms import due_in
from cx_intel.reports.pages.dashboard import TOP, dashboard_figures
from cx_intel.reports.pages.frame.layout import VEGA_LITE

WIDTH, MARGIN, GAP, INSET, PER_ROW, SCALE = 1400, 32, 16, 16, 3, 1.25
PANEL = (WIDTH - 2 * MARGIN - (PER_ROW - 1) * GAP) // PER_ROW
HEAD, CHART, KPI_HEIGHT = 76, 236, 122
"""Of a panel: what stands above its chart, and the chart; the height of a figure's box."""
HEADLINES = 3
TEXT, MUTED, LINE = "#1f2328", "#59616b", "#dde1e6"
DIRECTIONS = {"good": TEAL, "bad": RED, "even": MUTED}
FONT = "system-ui, Segoe UI, Roboto, Helvetica Neue, Arial, DejaVu Sans, sans-serif"
LETTER = 0.56
"""The mean width of a letter, as a part of the size of its font."""


def picture_figures(data: ReportData) -> list[Figure]:
    """The charts of the picture: those of the page, and whom to call first."""
    figures = dashboard_figures(data, account_rows(data))
    return [*figures, top_interventions(data)] if data.portfolio.renewals else figures


def panel_spec(figure: Figure) -> Spec:
    """A chart with its rows, at the size of a panel; its legend is text of the picture."""
    size = {"width": PANEL - 2 * INSET, "height": CHART, "autosize": {"type": "fit", "contains": "padding"}}
    rows = dict(figure.data)
    return figure.build(CONTAINER) | size | {"datasets": rows, "padding": 0}


def dashboard_png(data: ReportData, headline: Sequence[str]) -> bytes:
    """The picture as a PNG, in the portfolio's formats.

    Args:
        data: What there is to show.
        headline: The sentences that answer the page's question; the first few stand under the title.
    """
    png: bytes = vl_convert.svg_to_png(dashboard_svg(data, headline), scale=SCALE)
    return compact(png)


def dashboard_svg(data: ReportData, headline: Sequence[str]) -> str:
    """The picture as SVG."""
    f, parts, y = data.language, [], MARGIN + 20
    made = f.say("As of {day}, made {time}", day=f.day(data.as_of), time=f.time(data.made_at))
    parts.append(_text(MARGIN, y, f"{data.portfolio.name}: " + f.say("Executive dashboard"), 22, weight="bold"))
    parts.append(_text(WIDTH - MARGIN, y, made, 12, fill=MUTED, anchor="end"))
    y += 14
    for line in [line for sentence in headline[:HEADLINES] for line in _lines(sentence, WIDTH - 2 * MARGIN, 14)]:
        y += 20
        parts.append(_text(MARGIN, y, line, 14))
    y += GAP
    found = kpis(data)
    width = (WIDTH - 2 * MARGIN - (len(found) - 1) * GAP) // max(len(found), 1)
    for place, kpi in enumerate(found):
        parts += _kpi(kpi, MARGIN + place * (width + GAP), y, width)
    y += KPI_HEIGHT + GAP
    figures = picture_figures(data)
    for place, figure in enumerate(figures):
        x = MARGIN + (place % PER_ROW) * (PANEL + GAP)
        parts += _panel(figure, x, y + (place // PER_ROW) * (HEAD + CHART + INSET + GAP), data, place)
    height = y + -(-len(figures) // PER_ROW) * (HEAD + CHART + INSET + GAP) + MARGIN - GAP
    ground = f'<rect width="{WIDTH}" height="{height}" fill="#ffffff"/>'
    size = f'width="{WIDTH}" height="{height}" viewBox="0 0 {WIDTH} {height}"'
    return f'<svg xmlns="http://www.w3.org/2000/svg" {size}>{ground}{"".join(parts)}</svg>'


def _kpi(kpi: Kpi, x: int, y: int, width: int) -> Iterator[str]:
    yield _box(x, y, width, KPI_HEIGHT)
    yield _text(x + 12, y + 22, kpi.label, 12, fill=MUTED)
    yield _text(x + 12, y + 50, kpi.text, 24, weight="bold")
    for number, line in enumerate(_lines(kpi.note, width - 24, 10.5)[:2]):
        yield _text(x + 12, y + 67 + 13 * number, line, 10.5, fill=MUTED)
    for number, change in enumerate(kpi.changes):
        at = y + 98 + 15 * number
        yield _text(x + 12, at, change.span, 10.5, fill=MUTED)
        text = f"{change.arrow} {change.text}".strip()
        yield _text(x + width - 12, at, text, 11, fill=DIRECTIONS[change.direction], anchor="end")


def _panel(figure: Figure, x: int, y: int, data: ReportData, place: int) -> Iterator[str]:
    inner = PANEL - 2 * INSET
    yield _box(x, y, PANEL, HEAD + CHART + INSET)
    yield _text(x + INSET, y + 24, figure.title, 14, weight="bold")
    for line in _lines(figure.note, inner, 11)[:1]:
        yield _text(x + INSET, y + 42, line, 11, fill=MUTED)
    if figure.is_empty:
        for number, line in enumerate(_lines(figure.describes, inner, 12)):
            yield _text(x + INSET, y + HEAD + 24 + 18 * number, line, 12, fill=MUTED)
        return
    yield from _legend(figure.legend, x + INSET, y + 62)
    svg: str = vl_convert.vegalite_to_svg(
        panel_spec(figure),
        vl_version=VEGA_LITE,
        config=chart_theme(dark=False),
        format_locale=data.language.vega_locale(),
    )
    own = re.sub(r'(id="|url\(#)', rf"\g<1>p{place}-", svg)
    yield own.replace("<svg ", f'<svg x="{x + INSET}" y="{y + HEAD}" ', 1)


def _legend(marks: Sequence[Mark], x: float, y: int) -> Iterator[str]:
    for known in marks:
        yield _text(x, y, known.glyph, 12, fill=known.colour)
        yield _text(x + 15, y, known.label, 11)
        x += 15 + LETTER * 11 * len(known.label) + 16


def _lines(text: str, width: float, size: float) -> list[str]:
    """The text on as many lines as it takes."""
    return textwrap.wrap(text, max(int(width / (LETTER * size)), 10))


def _box(x: int, y: int, width: int, height: int) -> str:
    return f'<rect x="{x + 0.5}" y="{y + 0.5}" width="{width}" height="{height}" rx="8" fill="none" stroke="{LINE}"/>'


def _text(
    x: float, y: float, text: str, size: float, *, fill: str = TEXT, weight: str = "normal", anchor: str = "start"
) -> str:
    look = f'font-family="{FONT}" font-size="{size}" font-weight="{weight}" fill="{fill}" text-anchor="{anchor}"'
    return f'<text x="{x}" y="{y}" {look}>{escape(text)}</text>'


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
            "x": field("loss", "Q", axis=None, scale={"domain": [0, longest * 2.7]}),
        }
        color = {"color": coloured("risk", marks)}
        bars = mark("bar", base | color, height={"band": 0.65})
        labels = mark("text", base | {"text": field("label", "N")}, align="left", dx=5, style="strong")
        return chart("top_interventions", bars, labels, width=width, height=230)

    return Figure(
        "top_interventions",
        say("Top ten interventions"),
        say("Nobody is cancelled, or at Critical or High risk, within 90 days."),
        build,
        {"top_interventions": rows},
        note=say("expected ARR loss and days to renewal"),
        is_empty=not rows,
        legend=marks,
    )
