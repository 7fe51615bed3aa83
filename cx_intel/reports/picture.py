"""The dashboard as one picture: the charts of the page, composed, with title and day.

Each chart is built by the same builder as on the page, in `charts`; the figures on top are those of `kpis.py`.
"""

import struct
import zlib
from typing import Any

import altair as alt
import numpy as np
import vl_convert

from cx_intel.reports.charts.book import account_rows
from cx_intel.reports.charts.figure import Figure, Rows, named, plain_spec, plain_value
from cx_intel.reports.gathering import Book
from cx_intel.reports.kpis import Kpi, kpis
from cx_intel.reports.layout import VEGA_LITE
from cx_intel.reports.pages.dashboard import TOP, dashboard_figures
from cx_intel.reports.palette import RED, TEAL, chart_theme, risk_marks

WIDTH, GAP, PER_ROW, SCALE = 1320, 40, 3, 1.25
PANEL, KPI_WIDTH = 310, 225


def dashboard_spec(book: Book) -> dict[str, Any]:
    """The dashboard as one specification with its rows."""
    rows = account_rows(book)
    figures = dashboard_figures(book, rows)
    if book.portfolio.renewals:
        figures.append(top_interventions(book))
    panels = [plain_spec(_panel(figure)) for figure in figures]
    lines = [_joined("hconcat", panels[i : i + PER_ROW], GAP) for i in range(0, len(panels), PER_ROW)]
    data: dict[str, Rows] = {"kpis": kpi_rows(kpis(book))}
    for figure in figures:
        data |= {name: _of_the_book(rows) for name, rows in figure.data.items()}
    title = alt.TitleParams(
        f"{book.portfolio.name}: executive dashboard",
        subtitle=[
            f"As of {book.formats.day(book.as_of)}, made {book.formats.time(book.made_at)}. {book.portfolio.description}",
            "",
        ],
        fontSize=20,
        subtitleFontSize=12,
        offset=4,
    )
    spec = _joined("vconcat", [plain_spec(kpi_strip()), *lines], 34)
    for panel in panels:
        data |= panel.pop("datasets", {})
    spec |= {"title": title.to_dict(), "datasets": data, "padding": 24}
    return spec


def _joined(how: str, specs: list[dict[str, Any]], spacing: int) -> dict[str, Any]:
    """Charts side by side or below each other, each with its own colours; to join them in Altair copies them all."""
    return {how: specs, "spacing": spacing, "resolve": {"scale": {"color": "independent", "shape": "independent"}}}


def render_png(spec: dict[str, Any], book: Book) -> bytes:
    """A specification with its rows as a PNG, in the portfolio's formats."""
    png: bytes = vl_convert.vegalite_to_png(
        spec,
        vl_version=VEGA_LITE,
        config=chart_theme(dark=False),
        format_locale=book.formats.vega_locale(),
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


def _panel(figure: Figure) -> alt.TopLevelMixin:
    title = alt.TitleParams(figure.title, subtitle=figure.note or " ")
    if figure.is_empty:
        empty = alt.Chart(alt.InlineData([{"text": figure.describes}]))
        return (
            empty.mark_text(style="muted", limit=PANEL)
            .encode(text="text:N")
            .properties(width=PANEL, height=210, title=title)
        )
    return figure.build(PANEL).properties(title=title)


def kpi_rows(found: tuple[Kpi, ...]) -> Rows:
    """A row for each text of the strip."""
    rows: Rows = []
    for place, kpi in enumerate(found):
        base = {"place": place}
        rows.append({**base, "row": "label", "text": kpi.label, "direction": "even"})
        rows.append({**base, "row": "value", "text": kpi.text, "direction": "even"})
        for number, change in enumerate(kpi.changes):
            arrow = {"good": "▲" if change.text.startswith("+") else "▼", "even": ""}.get(
                change.direction, "▲" if change.text.startswith("+") else "▼"
            )
            word = {"good": ", better", "bad": ", worse", "even": ""}[change.direction]
            rows.append(
                {
                    **base,
                    "row": f"change{number}",
                    "text": f"{arrow} {change.text} since {change.since}{word}".strip(),
                    "direction": change.direction,
                }
            )
    return rows


def kpi_strip() -> alt.TopLevelMixin:
    """The figures as text, side by side."""
    heights = {"label": 8, "value": 36, "change0": 62, "change1": 79}
    base = named("kpis").encode(x=alt.X("place:Q", axis=None, scale=alt.Scale(domain=[0, 6], nice=False)))

    def line(row: str, **look: Any) -> alt.Chart:
        return (
            base.transform_filter(f"datum.row == '{row}'")
            .mark_text(align="left", **look)
            .encode(y=alt.value(heights[row]), text="text:N")
        )

    color = alt.Color(
        "direction:N", scale=alt.Scale(domain=["good", "bad", "even"], range=[TEAL, RED, "#59616b"]), legend=None
    )
    layers = [line("label", fontSize=12, style="muted"), line("value", fontSize=26, fontWeight="bold", style="strong")]
    layers += [line(row, fontSize=11).encode(color=color) for row in ("change0", "change1")]
    return alt.layer(*layers).properties(width=6 * KPI_WIDTH, height=90)


def top_interventions(book: Book) -> Figure:
    """The ten accounts to call first, as bars of what they are expected to lose."""
    listed = book["cs_intervention_list"].sort_values("priority_rank").head(TOP)
    marks = risk_marks()
    f = book.formats
    rows: Rows = [
        {
            "rank": int(row["priority_rank"]),
            "account": plain_value(f"{int(row['priority_rank'])}. {row['account_name'] or row['account_id']}"),
            "risk": row["renewal_risk"],
            "loss": float(row["expected_arr_loss"]),
            "label": f"{f.money(row['expected_arr_loss'])}, in {f.days(row['days_to_renewal'])}",
        }
        for row in listed.to_dict("records")
    ]

    def build(width: int | str) -> alt.TopLevelMixin:
        y = alt.Y(
            "account:N",
            title=None,
            sort=[row["account"] for row in rows],
            axis=alt.Axis(ticks=False, domain=False, labelLimit=190, labelPadding=6),
        )
        longest = max((row["loss"] for row in rows), default=1)
        x = alt.X("loss:Q", axis=None, scale=alt.Scale(domain=[0, longest * 2.1]))
        base = named("top_interventions").encode(y=y, x=x)
        bars = base.mark_bar(height={"band": 0.65}).encode(
            color=alt.Color(
                "risk:N",
                scale=alt.Scale(domain=[m.name for m in marks[:2]], range=[m.colour for m in marks[:2]]),
                legend=alt.Legend(title=None, orient="top"),
            )
        )
        labels = base.mark_text(align="left", dx=5, style="strong").encode(text="label:N")
        inner = width - 120 if isinstance(width, int) else width
        return alt.layer(bars, labels).properties(width=inner, height=230)

    return Figure(
        "top_interventions",
        "Top ten interventions",
        "Nobody at Critical or High risk renews within 90 days.",
        build,
        {"top_interventions": rows},
        note="expected ARR loss and days to renewal",
        is_empty=not rows,
    )
