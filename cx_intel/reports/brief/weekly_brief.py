"""The weekly brief for the Monday stand-up, a page of Markdown and HTML: what changed, whom to call, what it is worth.

`weekly_brief` makes it, for the asset that writes it and for the schedule that sends it. What is told is picked in
`facts.py` and put into words in `view.py`; here it is laid out, every text escaped.
"""

from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from cx_intel.reports.brief.facts import facts_of
from cx_intel.reports.brief.view import view_of
from cx_intel.reports.data.report_data import ReportData
from cx_intel.reports.pages.frame.days import put_page
from cx_intel.reports.pages.frame.layout import write_whole
from cx_intel.reports.pages.frame.page import account_link
from cx_intel.reports.pages.frame.publishing import MENU
from cx_intel.reports.words.markdown_safety import escaped
from cx_intel.settings.portfolio import Portfolio

TEMPLATES = Path(__file__).parents[1] / "templates"
DAY_FILE = ".brief.day"
"""Beside the brief: its day, for whoever sends it."""


@dataclass(frozen=True)
class Brief:
    """The brief of a day.

    Attributes:
        title: One line, for the subject of a message.
        headline: One sentence: how many calls, and what they are worth.
        markdown: The page as Markdown.
        html: The page as HTML that needs nothing else.
        as_of: The day.
    """

    title: str
    headline: str
    markdown: str
    html: str
    as_of: date


def weekly_brief(data: ReportData) -> Brief:
    """The brief of a day, in the language and currency of the portfolio."""
    view = view_of(data, facts_of(data))
    markdown = _environment("md").get_template("brief.md.j2").render(view)
    html = _environment("html").get_template("brief.html.j2").render(view, menu=MENU, current="brief")
    return Brief(f"{view['title']}: {view['subtitle']}", view["headline"], markdown, html, data.as_of)


def write_brief(brief: Brief, portfolio: Portfolio, folder: Path) -> list[Path]:
    """Writes `brief.html` and `brief.md` into the folder of a portfolio's reports, each whole or as it was; the page first."""
    pages = put_page("brief", brief.html, portfolio, brief.as_of, folder)
    files = [*pages, write_whole(folder / "brief.md", brief.markdown.encode())]
    (folder / DAY_FILE).write_text(brief.as_of.isoformat(), encoding="utf-8")
    return files


def brief_day(folder: Path) -> date | None:
    """The day of the brief that lies in a folder; None where none is told."""
    try:
        return date.fromisoformat((folder / DAY_FILE).read_text(encoding="utf-8").strip())
    except (OSError, ValueError):
        return None


@lru_cache(maxsize=2)
def _environment(kind: str) -> Environment:
    """Templates in which every value is escaped without being asked to: for HTML, or for Markdown."""
    shared: dict[str, Any] = {
        "loader": FileSystemLoader(TEMPLATES),
        "undefined": StrictUndefined,
        "trim_blocks": True,
        "lstrip_blocks": True,
    }
    if kind == "html":
        html = Environment(autoescape=True, **shared)
        html.filters["account_link"] = account_link
        return html
    return Environment(autoescape=False, finalize=escaped, **shared)
