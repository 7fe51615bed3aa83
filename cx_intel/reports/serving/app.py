"""The application that serves reports and exports: GET and HEAD of files, and an index of each folder.

Which files those are is decided in `folders.py`. Readers keep a page and ask each time whether it is still the newest
one, so that a new day is seen at once; the process is in `process.py`.
"""

from functools import cache
from pathlib import Path
from urllib.parse import quote, urlsplit

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.requests import Request
from starlette.responses import FileResponse, HTMLResponse, RedirectResponse, Response
from starlette.routing import Route
from starlette.staticfiles import NotModifiedResponse, StaticFiles

from cx_intel.reports.serving.folders import EXPORTS, INDEX, REPORTS, TYPES, Entry, Served

TEMPLATES = Path(__file__).parents[1] / "templates"
FIRST_PAGES = ("dashboard.html", "brief.html")
LOOPBACK = ("127.0.0.1", "localhost", "[::1]")
HEADERS = {
    "Cache-Control": "private, no-cache",  # kept by the reader alone, and asked for anew each time
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    # pages carry all that they need, but for the script that draws charts, which those of earlier days share: whatever text of
    # a customer ends up on one, it can send nothing anywhere
    "Content-Security-Policy": "default-src 'none'; script-src 'self' 'unsafe-inline' 'unsafe-eval'; style-src 'unsafe-inline'; "
    "img-src 'self' data: blob:; font-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'self'",
}


def application(home: Path, reports_url: str) -> Starlette:
    """The application over a home.

    Args:
        home: CX_HOME.
        reports_url: Where people open the reports: requests that name another host than this or loopback are refused,
            so that no page of another site reads them through its visitor's browser.
    """
    served = Served(home)

    def answer(request: Request) -> Response:
        path = request.url.path
        if path in ("/", f"/{REPORTS}", f"/{EXPORTS}", f"/{EXPORTS}/"):
            return RedirectResponse(f"{'../' if path == f'/{EXPORTS}/' else ''}{REPORTS}/")
        found = served.find(path)
        if path == f"/{REPORTS}/":
            return _overview(served, request)
        if found is None or (found.is_file() and path.endswith("/")):
            raise HTTPException(404, "There is no such page.")
        return _folder(served, path) if found.is_dir() else _file(found, request)

    hosts = [*LOOPBACK, urlsplit(reports_url).hostname or LOOPBACK[0]]
    guard = Middleware(TrustedHostMiddleware, allowed_hosts=hosts, www_redirect=False)
    return Starlette(routes=[Route("/{path:path}", answer, methods=["GET"])], middleware=[guard])


def _file(file: Path, request: Request) -> Response:
    found = FileResponse(file, media_type=TYPES[file.suffix], stat_result=file.stat(), headers=HEADERS)
    if StaticFiles().is_not_modified(found.headers, request.headers):
        return NotModifiedResponse(found.headers)
    return found


def _folder(served: Served, path: str) -> Response:
    """The first page of a portfolio's reports; of exports, what there is."""
    name = path.rstrip("/").rpartition("/")[2]
    if not path.endswith("/"):
        return RedirectResponse(f"{quote(name)}/")
    entries = served.entries(path)
    there = {entry.name for entry in entries}
    if path.startswith(f"/{REPORTS}/") and (first := next((page for page in FIRST_PAGES if page in there), None)):
        return RedirectResponse(first)
    return _index(name, {"": entries})


def _overview(served: Served, request: Request) -> Response:
    """The index over all portfolios: the one among the reports, where there is one."""
    if made := served.find(f"{REPORTS}/{INDEX}"):
        return _file(made, request)
    listed = {
        name: [Entry(f"../{kind}/{name}") for kind in (REPORTS, EXPORTS) if served.find(f"{kind}/{name}")]
        for name in served.portfolios()
    }
    return _index("Portfolios", listed)


def _index(title: str, groups: dict[str, list[Entry]]) -> Response:
    return HTMLResponse(_template().render(title=title, groups=groups), headers=HEADERS)


@cache
def _template():  # type: ignore[no-untyped-def]
    loader = FileSystemLoader(TEMPLATES)
    return Environment(loader=loader, autoescape=True, undefined=StrictUndefined).get_template("served.html")
