"""Makes the reports of a portfolio and puts them in place: every file whole, or as it was.

What stands in them is decided by the modules beside this one and by `charts/drawing/picture.py`; when they are made, by
`cx_intel.orchestration.assets.reports`.
"""

from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from cx_intel.reports.charts.drawing.picture import dashboard_png
from cx_intel.reports.data.report_data import ReportData
from cx_intel.reports.made_from import MadeFiles, fingerprint_of
from cx_intel.reports.pages.accounts import accounts
from cx_intel.reports.pages.backtest import backtest
from cx_intel.reports.pages.dashboard import dashboard
from cx_intel.reports.pages.frame.days import forget_days, put_page
from cx_intel.reports.pages.frame.index import write_entry, write_index
from cx_intel.reports.pages.frame.layout import chart_library, render, write_whole
from cx_intel.reports.pages.frame.page import Page
from cx_intel.reports.pages.health import health
from cx_intel.reports.pages.quality import quality
from cx_intel.reports.pages.renewal_model import renewal_model
from cx_intel.reports.pages.renewals import renewals
from cx_intel.reports.pages.revenue import revenue
from cx_intel.reports.pages.support import support
from cx_intel.reports.words.catalogue import term

PAGES: Mapping[str, tuple[str, Callable[[ReportData], Page]]] = {
    "dashboard": (term("Dashboard"), dashboard),
    "health": (term("Health"), health),
    "revenue": (term("Revenue"), revenue),
    "renewals": (term("Renewals"), renewals),
    "renewal_model": (term("Renewal probability"), renewal_model),
    "support": (term("Support"), support),
    "backtest": (term("Back-test"), backtest),
    "accounts": (term("Accounts"), accounts),
    "quality": (term("Data quality"), quality),
}
MENU: Mapping[str, str] = {key: title for key, (title, _) in PAGES.items()} | {"brief": term("Weekly brief")}
"""Page key: its title. The brief is written beside the pages (`cx_intel.reports.brief`)."""
PICTURE = "dashboard.png"


@dataclass(frozen=True)
class Published:
    """What stands there: page key to file, and the picture."""

    pages: Mapping[str, Path]
    picture: Path


def publish(data: ReportData, folder: Path) -> Published:
    """Writes the pages and the picture of a portfolio into a folder, unless they are there and would only be dated anew."""
    files = Published({key: folder / f"{key}.html" for key in PAGES}, folder / PICTURE)
    made = MadeFiles(folder, fingerprint_of(data))
    if made.are_current():
        write_index(folder.parent, MENU)
        return files
    library, written = chart_library(folder.parent), list[Path]()
    drawing = library.read_text(encoding="utf-8")
    forget_days(folder, data.as_of, data.portfolio)
    with ThreadPoolExecutor(1) as second_core:  # pictures are drawn outside of Python
        first = dashboard(data)
        picture = second_core.submit(dashboard_png, data, first.answer)
        for key, (_, make) in PAGES.items():
            html = render(first if make is dashboard else make(data), data, MENU, drawing)
            written += put_page(key, html, data.portfolio, data.as_of, folder, library)
        write_whole(files.picture, picture.result())
    entry = write_entry(data, folder)
    made.remember((*written, files.picture, entry))
    write_index(folder.parent, MENU)
    return files
