"""Colours, shapes and glyphs: what a tier or a risk looks like, and how charts look in light and dark.

The colours are chosen to be told apart with every kind of colour vision and to stand out on white and on dark; a shape
and the name always go with them. The rest of a page's look is in `templates/style.css`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from cx_intel.reports.words.catalogue import catalogue, term
from cx_intel.reports.words.labels import Labels
from cx_intel.reports.words.language import Language
from cx_intel.settings.portfolio import Portfolio

UNKNOWN = term("unknown")
TEAL, BLUE, YELLOW, AMBER, ORANGE, RED, PURPLE, GREY = (
    "#1b8a7a",
    "#2f74b8",
    "#a98a00",
    "#d29200",
    "#d9730d",
    "#cc3d24",
    "#7a3e9d",
    "#7d828b",
)
DARK_TEXT_ON = (AMBER,)
"""Fills on which white text would be hard to read."""
GOOD = {1: (TEAL,), 2: (BLUE, TEAL)}
BAD = {1: (RED,), 2: (AMBER, RED), 3: (YELLOW, ORANGE, RED)}
SHAPES = {"circle": "●", "square": "■", "diamond": "◆", "triangle-up": "▲", "triangle-down": "▼", "cross": "✚"}
SEGMENT_COLOURS = (BLUE, TEAL, AMBER, "#8e5bb5", "#5d7f99", "#c2528b", "#6b8e23", GREY)
RISK_LOOKS = {
    term("Cancelled"): (PURPLE, "cross"),
    term("Critical"): (RED, "triangle-down"),
    term("High"): (ORANGE, "triangle-up"),
    term("Medium"): (AMBER, "diamond"),
    term("Low"): (TEAL, "circle"),
}
"""Renewal risk: its colour and shape."""
LINES = {"first": BLUE, "second": ORANGE, "third": TEAL, "muted": GREY}


@dataclass(frozen=True)
class Mark:
    """How one level looks.

    Attributes:
        name: As tables have it.
        colour: Of its fill.
        shape: As Vega calls it.
        said: In the language of the reader, where that is not the name.
    """

    name: str
    colour: str
    shape: str
    said: str = ""

    @property
    def label(self) -> str:
        """As people read it."""
        return self.said or self.name

    @property
    def glyph(self) -> str:
        return SHAPES[self.shape]

    @property
    def takes_dark_text(self) -> bool:
        return self.colour in DARK_TEXT_ON


def tier_marks(portfolio: Portfolio) -> tuple[Mark, ...]:
    """The tiers from the best down, as the portfolio calls them, then `unknown`."""
    levels = portfolio.health.tiers.levels if portfolio.health else []
    good = [level for level in levels if level.is_healthy]
    bad = [level for level in levels if not level.is_healthy]
    colours = [*_spread(GOOD, len(good)), *_spread(BAD, len(bad))]
    shapes = _shapes(len(levels))
    called = Labels(portfolio).tier
    found = [
        Mark(level.name, colour, shape, called(level))
        for level, colour, shape in zip([*good, *bad], colours, shapes, strict=True)
    ]
    return (*found, Mark(UNKNOWN, GREY, "cross", catalogue(portfolio.reports.language).gettext(UNKNOWN)))


def risk_marks(language: Language) -> tuple[Mark, ...]:
    """Renewal risk, the worst first."""
    return tuple(Mark(name, *look, language.say(name)) for name, look in RISK_LOOKS.items())


def _spread(ramps: dict[int, tuple[str, ...]], count: int) -> list[str]:
    if count == 0:
        return []
    if count in ramps:
        return list(ramps[count])
    widest = ramps[max(ramps)]
    return [widest[round(i * (len(widest) - 1) / (count - 1))] for i in range(count)]


def _shapes(count: int) -> Sequence[str]:
    fixed = {1: ("circle",), 2: ("circle", "triangle-down"), 3: ("circle", "diamond", "triangle-down")}
    if count in fixed:
        return fixed[count]
    inner = ("square", "diamond", "triangle-up")
    return ("circle", *(inner[i % 3] for i in range(count - 2)), "triangle-down")[:count]


def chart_theme(*, dark: bool) -> dict[str, Any]:
    """Vega-Lite's `config` of every chart."""
    text, muted, grid, ground = (
        ("#e8eaed", "#a9afb8", "#33383f", "#1b1e23") if dark else ("#1f2328", "#59616b", "#e3e6ea", "#ffffff")
    )
    font = "system-ui, 'Segoe UI', Roboto, 'Helvetica Neue', Arial, 'DejaVu Sans', sans-serif"
    return {
        "font": font,
        "background": "transparent" if dark else ground,
        "view": {"stroke": None},
        "axis": {
            "labelColor": muted,
            "titleColor": muted,
            "gridColor": grid,
            "domainColor": grid,
            "tickColor": grid,
            "labelFontSize": 11,
            "titleFontSize": 11,
            "titleFontWeight": "normal",
            "labelLimit": 150,
        },
        "legend": {
            "labelColor": text,
            "titleColor": muted,
            "labelFontSize": 11,
            "titleFontSize": 11,
            "titleFontWeight": "normal",
            "symbolStrokeWidth": 0,
        },
        "title": {"color": text, "subtitleColor": muted, "fontSize": 13, "anchor": "start", "subtitleFontSize": 11},
        "text": {"color": text, "fontSize": 11},
        "rule": {"color": muted},
        "mark": {"tooltip": True},
        "style": {"muted": {"fill": muted}, "strong": {"fill": text}},
    }
