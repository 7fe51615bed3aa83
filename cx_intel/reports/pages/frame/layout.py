"""Makes HTML of pages: one layout, the style and scripts written into each file, nothing fetched from anywhere.

Text is escaped by the templates, rows for scripts are JSON in which no character can end the script. What stands on a
page is decided by the modules of the folder above; the files are written by `publishing.py`.
"""

import os
import re
from collections.abc import Mapping
from functools import lru_cache
from importlib.metadata import version
from pathlib import Path
from typing import Any

import vl_convert
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup, escape

from cx_intel.reports.charts.drawing.figure import CONTAINER, Figure, Rows
from cx_intel.reports.charts.drawing.palette import chart_theme
from cx_intel.reports.data.cells import cells, filter_data, filter_labels
from cx_intel.reports.data.cubes.cube import Cube
from cx_intel.reports.data.report_data import ReportData
from cx_intel.reports.data.terms import due_forms
from cx_intel.reports.data.trust import doubts, trust_of
from cx_intel.reports.packing import columnar, numbered, packed, script_json
from cx_intel.reports.pages.frame.page import Page, account_link

TEMPLATES = Path(__file__).parents[2] / "templates"
VEGA_LITE = "6.4"
"""The version of Vega-Lite that charts are written in and drawn with."""
PACKED_FROM = 5000
"""Rows of a chart that are packed where there are more: one of many cells and months."""
SAID = re.compile(r'\bsay\(\s*"([^"]+)"')
"""A text in a script: the first argument of `say`."""
SHOWN = {
    "dashboard": ("account_snapshot", "nrr_summary", "renewal_pipeline"),
    "revenue": ("fct_revenue", "nrr_summary", "nrr_by_segment", "revenue_cohort_analysis"),
    "renewals": ("renewal_pipeline", "cs_intervention_list", "nrr_outlook"),
    "renewal_model": ("renewal_model", "renewal_model_terms"),
    "support": ("fct_tickets", "sla_adherence"),
    "health": ("customer_health_scores", "health_score_drivers", "churn_risk_view"),
}
"""Page: the tables whose figures it shows; a rule of theirs that does not hold is told at its top."""
SCRIPTS = {"page.html": (), "dashboard.html": (), "accounts.html": ("accounts.js", "account.js", "compared_days.js")}


def chart_library(kept_in: Path) -> Path:
    """Vega, Vega-Lite and Vega-Embed in one script, which sets `vegaEmbed`: its file.

    Bundling takes seconds, so the script is kept in a folder, under the versions that it is made of.
    """
    kept = kept_in / f".charts-{VEGA_LITE}-{version('vl-convert-python')}.js"
    if not kept.exists():
        bundle: str = vl_convert.javascript_bundle("window.vegaEmbed = vegaEmbed;", vl_version=VEGA_LITE)
        write_whole(kept, bundle.replace("</script", "<\\/script").replace("<!--", "<\\!--").encode())
    return kept


def write_whole(path: Path, content: bytes) -> Path:
    """Writes a file so that a reader sees either the old one or the new one."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        temporary.write_bytes(content)
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)
    return path


@lru_cache(maxsize=1)
def _templates() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["account_link"] = account_link
    environment.filters["breakable"] = breakable
    return environment


def breakable(text: str) -> Markup:
    """A text of a cell, escaped, whose addresses of mail may break where they are too long for their column."""
    return Markup(str(escape(text)).replace("@", "<wbr>@"))


def scripts_of(template: str) -> tuple[str, ...]:
    """The scripts of a page, in order."""
    shared = ("charts.js", "sums.js", "tables.js", "cards.js", "downloads.js")
    return (*shared, *SCRIPTS[template], "marks.js", "mark_lists.js", "months.js", "views.js", "filters.js")


@lru_cache(maxsize=8)
def script_texts(template: str) -> tuple[str, ...]:
    """The English texts that the scripts of a page say."""
    sources = [(TEMPLATES / name).read_text(encoding="utf-8") for name in scripts_of(template)]
    return tuple(sorted({text for source in sources for text in SAID.findall(source)}))


def _asset(name: str) -> Markup:
    return Markup((TEMPLATES / name).read_text(encoding="utf-8"))


def rendered(template: str, **context: Any) -> str:
    """A page that is of no single portfolio, with the style of all pages."""
    return _templates().get_template(template).render(style=_asset("style.css"), **context)


def render(page: Page, data: ReportData, menu: Mapping[str, str], library: str) -> str:
    """The page as one file.

    Args:
        page: What stands on it.
        data: What it was made of.
        menu: Page key: its title in English, in order.
        library: The script that draws charts.
    """
    figures = [f for section in page.sections for f in section.figures if not f.is_empty]
    shared = dict(page.datasets)
    script_data = {
        "charts": [_chart(figure, shared) for figure in figures],
        "datasets": {name: columnar(rows) for name, rows in shared.items()},
        "themes": {"light": chart_theme(dark=False), "dark": chart_theme(dark=True)},
        "numberLocale": data.language.vega_locale(),
        "formats": data.language.script_formats(),
        "words": {text: data.language.say(text) for text in script_texts(page.template)},
        "asOf": data.as_of.isoformat(),
        "portfolio": data.portfolio.name,
        "due": due_forms(data.language),
        "filters": filter_data(data),
        "cubes": {cube.name: _cube(cube) for cube in _cubes(page, figures)},
        "tables": {t.key: told for s in page.sections for t in s.tables if t.rows and (told := t.for_script())},
        "ofAll": page.of_all,
        **page.script_data,
    }
    needs_charts = bool(figures) or page.template == "accounts.html"
    return (
        _templates()
        .get_template(page.template)
        .render(
            page=page,
            portfolio=data.portfolio,
            description=data.labels.description,
            f=data.language,
            say=data.language.say,
            as_of=data.as_of,
            made_at=data.made_at,
            menu=menu,
            notices=[*trust_of(data).notices(data.language), *doubts(data, SHOWN.get(page.key, ()))],
            style=_asset("style.css"),
            scripts=[_asset(name) for name in scripts_of(page.template)],
            library=Markup(library) if needs_charts else "",
            data=script_json(script_data),
            filters=[(name, filter_labels(data)[name], values) for name, values in cells(data).choices().items()],
            cell_of=cells(data).of,
            **page.context,
        )
    )


def _chart(figure: Figure, shared: dict[str, Rows]) -> dict[str, Any]:
    own = {name: _rows(rows) for name, rows in figure.data.items() if name not in shared}
    return {
        "id": figure.key,
        "spec": figure.build(CONTAINER),
        "reads": list(figure.data),
        "own": own,
        "opensAccounts": figure.opens_accounts,
        "lists": dict(figure.lists),
        "follows": figure.follows.for_script() if figure.follows else None,
    }


def _rows(rows: Rows) -> dict[str, Any]:
    """The rows of one chart; many are packed."""
    found = columnar(rows)
    return {"packed": packed(found)} if len(rows) > PACKED_FROM else found


def _cubes(page: Page, figures: list[Figure]) -> list[Cube]:
    """Those that anything on the page is made of anew for chosen accounts."""
    of_tables = [table.follows.cube for s in page.sections for table in s.tables if table.follows]
    of_charts = [cube for f in figures for cube in (f.follows and f.follows.cube, f.listed_from) if cube]
    return list({cube.name: cube for cube in (*of_tables, *of_charts, *page.cubes)}.values())


def _cube(cube: Cube) -> dict[str, Any]:
    rows = {"length": len(cube.rows), "columns": numbered(cube.columns())}
    return {"packed": packed(rows), "figures": {name: dict(made) for name, made in cube.figures.items()}}
