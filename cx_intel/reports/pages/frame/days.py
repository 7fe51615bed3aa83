"""Earlier days of the pages: each kept as it was published, in a folder of its own, and the picker that leads to them.

    reports/<portfolio>/dashboard.html ...            the newest day
                        days/2026-11-20/...           that day, as it was last published
                        days/charts-6.4-....js        what draws the charts of all these days

A page is written twice: as the newest, with the days that can be picked, and for its day, with a line that says that it is
of an earlier one. So nothing of an old page is ever made anew. The newest pages hold all that they show, so that one can be
sent to somebody; those of a day share the script that draws charts, and without it tell in words what their charts show.
Which pages there are is decided in `publishing.py`.
"""

import re
import shutil
from collections.abc import Iterable
from datetime import date, timedelta
from pathlib import Path

from cx_intel.reports.pages.frame.layout import rendered, write_whole
from cx_intel.reports.words.language import Language
from cx_intel.settings.portfolio import Portfolio

DAYS = "days"
MARK = "<template data-days></template>"
"""Where a page tells of other days; no text of a page can hold it, because `<` is escaped."""
HOME = '<a href="../index.html"'
HOME_OF_A_DAY = '<a href="../../../index.html"'
FIRST_PAGE = "dashboard"
SOURCES = "script-src 'unsafe-inline' 'unsafe-eval'"
SOURCES_OF_A_DAY = f"{SOURCES} 'self' file:"
"""Where the scripts of a page may be from, as its head says (`templates/meta.html`): of a day, also from beside it."""
_LIBRARY = re.compile(r'<script src="\.\./(charts-[^"/]+\.js)"></script>')
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}")


def days_there(folder: Path) -> tuple[date, ...]:
    """The days whose pages are kept in the folder of a portfolio, the newest first."""
    found = (folder / DAYS).iterdir() if (folder / DAYS).is_dir() else iter(())
    return tuple(sorted((date.fromisoformat(p.name) for p in found if _DAY.fullmatch(p.name)), reverse=True))


def days_kept(days: Iterable[date], as_of: date, portfolio: Portfolio) -> list[date]:
    """Those of the days before `as_of` whose pages stay: the last ones, and the last one of each earlier month.

    Args:
        days: Those that there are.
        as_of: The newest day.
        portfolio: How many are kept; none beyond the retention of its snapshots.
    """
    reports, period = portfolio.reports, portfolio.retention.snapshots_days
    first = as_of - timedelta(days=period - 1) if period else date.min
    earlier = sorted((day for day in days if first <= day < as_of), reverse=True)
    last_of = {day.replace(day=1): day for day in reversed(earlier)}
    months = sorted((day for month, day in last_of.items() if month < as_of.replace(day=1)), reverse=True)
    return sorted({*earlier[: reports.keep_days], *months[: reports.keep_months]}, reverse=True)


def forget_days(folder: Path, as_of: date, portfolio: Portfolio) -> list[date]:
    """Removes the pages of days that are no longer kept; the days before `as_of` that stay."""
    there = days_there(folder)
    kept = days_kept(there, as_of, portfolio)
    for day in there:
        if day < as_of and day not in kept:
            shutil.rmtree(folder / DAYS / day.isoformat(), ignore_errors=True)
    return kept


def put_page(
    key: str, html: str, portfolio: Portfolio, as_of: date, folder: Path, library: Path | None = None
) -> list[Path]:
    """Writes a page as the newest and, where earlier days are kept, for its day; the files.

    Args:
        key: The stem of its file.
        html: With `MARK` where it tells of other days.
        portfolio: Whose it is.
        as_of: Its day.
        folder: Of the portfolio's reports.
        library: The script that draws the charts of the page, which holds it as it is; None where none does.
    """
    f = Language(portfolio.reports.language, portfolio.currency.reporting)
    kept = days_kept(days_there(folder), as_of, portfolio)
    paths = [(day, folder / DAYS / day.isoformat()) for day in kept]
    earlier = [
        (f.day(day), f"{DAYS}/{day.isoformat()}/{key if (path / f'{key}.html').exists() else FIRST_PAGE}.html")
        for day, path in paths
    ]
    picker = rendered("days.html", say=f.say, earlier=earlier, newest="", day="").strip()
    files = [write_whole(folder / f"{key}.html", html.replace(MARK, picker, 1).encode())]
    if portfolio.reports.keep_days or portfolio.reports.keep_months:
        newest = f"../../{key}.html"
        told = rendered("days.html", say=f.say, earlier=[], newest=newest, day=f.day(as_of)).strip()
        old = html.replace(MARK, told, 1).replace(HOME, HOME_OF_A_DAY, 1)
        if library:
            old = _beside(library, old, folder)
        files.append(write_whole(folder / DAYS / as_of.isoformat() / f"{key}.html", old.encode()))
    return files


def _beside(library: Path, html: str, folder: Path) -> str:
    """The page with the script that draws charts in a file that all days share."""
    script, name = library.read_text(encoding="utf-8"), library.name.removeprefix(".")
    inline = f"<script>{script}</script>"
    if inline not in html:
        return html
    shared = folder / DAYS / name
    if not shared.exists():
        write_whole(shared, script.encode())
        _forget_libraries(folder, name)
    return html.replace(inline, f'<script src="../{name}"></script>', 1).replace(SOURCES, SOURCES_OF_A_DAY, 1)


def _forget_libraries(folder: Path, newest: str) -> None:
    """Removes those of earlier versions that no page of a kept day names."""
    pages = (page for day in days_there(folder) for page in (folder / DAYS / day.isoformat()).glob("*.html"))
    used = {name for page in pages for name in _LIBRARY.findall(page.read_text(encoding="utf-8"))}
    for file in (folder / DAYS).glob("charts-*.js"):
        if file.name not in used | {newest}:
            file.unlink()
