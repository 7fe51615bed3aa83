"""The index over all portfolios: what each stands at, whether its numbers can be trusted, and where its pages are.

Each publication leaves the figures of its portfolio beside its pages, in every language; the index is made of all that
lie there, so that no portfolio has to be read for another's. Pages are made in `layout.py`, published by `publishing.py`.
"""

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, get_args

from cx_intel.reports.data.figures.kpis import kpis
from cx_intel.reports.data.report_data import ReportData
from cx_intel.reports.data.trust import LABELS, trust_of
from cx_intel.reports.pages.frame.layout import rendered, write_whole
from cx_intel.reports.words.language import Code, Language
from cx_intel.reports.workbook.workbook import workbook_name

ENTRY, INDEX = ".index.json", "index.html"
SHOWN = ("renewals", "health", "revenue", "accounts", "quality", "brief")
"""The pages that an entry links to, beside its dashboard."""


def write_entry(data: ReportData, folder: Path) -> Path:
    """Leaves what the index shows of a portfolio beside its pages."""
    told = {code: _told(_in(data, code)) for code in get_args(Code)}
    entry = {"language": data.portfolio.reports.language, "asOf": data.as_of.isoformat(), "told": told}
    return write_whole(folder / ENTRY, json.dumps(entry, ensure_ascii=False, indent=1).encode())


def write_index(reports: Path, menu: Mapping[str, str]) -> Path:
    """Makes the index of what lies in the folder of all reports: one page, in the language that all share, else in English.

    Args:
        reports: The folder in which each portfolio has one of its own.
        menu: Page key: its title in English.
    """
    entries = {path.parent.name: _read(path) for path in sorted(reports.glob(f"*/{ENTRY}"))}
    known = {name: entry for name, entry in entries.items() if entry}
    spoken = {entry["language"] for entry in known.values()}
    code: Code = spoken.pop() if len(spoken) == 1 else "en"
    f = Language(code, "")
    shown = [
        {"name": name, "asOf": entry["asOf"], "day": f.day(entry["asOf"]), **entry["told"][code]}
        for name, entry in known.items()
    ]
    pages = {key: f.say(menu[key]) for key in SHOWN}
    return write_whole(reports / INDEX, rendered("index.html", f=f, say=f.say, entries=shown, pages=pages).encode())


def _in(data: ReportData, code: Code) -> ReportData:
    """The same day, told in another language."""
    reports = data.portfolio.reports.model_copy(update={"language": code})
    return replace(data, portfolio=data.portfolio.model_copy(update={"reports": reports}))


def _told(data: ReportData) -> dict[str, Any]:
    f, portfolio, level = data.language, data.portfolio, trust_of(data).level
    return {
        "description": data.labels.description,
        "made": f.say("As of {day}, made {time}", day=f.day(data.as_of), time=f.time(data.made_at)),
        "figures": [[kpi.label, kpi.text] for kpi in kpis(data)],
        "level": level,
        "trust": f.say(LABELS[level]),
        "workbook": workbook_name(portfolio) if "xlsx" in portfolio.reports.exports else "",
    }


def _read(path: Path) -> Any:
    """An entry; nothing where it cannot be read, as while a portfolio is removed."""
    try:
        entry = json.loads(path.read_text(encoding="utf-8"))
        return entry if set(entry["told"]) >= set(get_args(Code)) else None
    except (OSError, ValueError, KeyError, TypeError):
        return None
