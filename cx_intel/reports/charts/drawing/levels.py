"""Levels of tiers and risks as charts show them: those that occur, by their names for people, and their bounds.

How a level looks is decided in `palette.py`; the charts stand in the modules beside this one, a subject each.
"""

from collections.abc import Iterable

import pandas as pd

from cx_intel.reports.charts.drawing.figure import Rows, Spec, field, mark, over
from cx_intel.reports.charts.drawing.palette import Mark, risk_marks, tier_marks
from cx_intel.reports.data.report_data import ReportData

SCORED: Spec = {"filter": "datum.tier != null"}
"""Accounts of the health population: others pay, and have no tier."""


def said(levels: pd.Series, marks: Iterable[Mark]) -> pd.Series:
    """Levels as people read them."""
    return levels.map({mark.name: mark.label for mark in marks})


def tier_bounds(data: ReportData, channel: str) -> Spec:
    """Dashed lines at the lower bounds of the tiers, without that of the lowest, across the axis x or y of scores."""
    levels = data.portfolio.health.tiers.levels if data.portfolio.health else []
    bounds: Rows = [{"bound": level.at_least} for level in levels[:-1]]
    return over(bounds, mark("rule", {channel: field("bound", "Q")}, strokeDash=[3, 3], opacity=0.5))


def present_tiers(data: ReportData) -> tuple[Mark, ...]:
    """The tiers of the model that some account has, all of them where none has any; `unknown` only when some account has it."""
    marks = tier_marks(data.portfolio)
    found = set(data.accounts["health_tier"])
    return tuple(mark for mark in marks if mark.name in found) or marks[:-1]


def present_risks(data: ReportData) -> tuple[Mark, ...]:
    """The levels of renewal risk; `Cancelled` only when some renewal has it."""
    marks = risk_marks(data.language)
    return marks if marks[0].name in set(data["renewal_pipeline"].get("renewal_risk", [])) else marks[1:]
