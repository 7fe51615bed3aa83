"""What values of a portfolio are called by people: by its own labels, else by a word of ours, else by the code made readable.

Every report takes its values through here (`ReportData`); tables and exports keep the codes, which `Labels.code`
finds again. How the labels are stated is told in `cx_intel.settings.labels`, colours of tiers in `charts/drawing/palette.py`.
"""

import re
from collections.abc import Mapping
from functools import cached_property

import pandas as pd

from cx_intel.reports.words.catalogue import catalogue, term
from cx_intel.settings.accounts import SourceAttribute
from cx_intel.settings.health.model import TierLevel
from cx_intel.settings.labels import worded
from cx_intel.settings.portfolio import Portfolio

CODE = re.compile(r"[a-z0-9]+(_[a-z0-9]+)*")
SHORT = re.compile(r"[^aeiouy]{2,4}|[a-z]\d+")
"""Words of a code that are letters, not words: smb, crm, p1."""
ALL = "all"
"""Of tables that hold sums over all segments or playbooks: no value of the portfolio."""
ACCOUNT_TABLES = frozenset({"dim_account", "account_snapshot", "customer_health_scores", "churn_risk_view"})
ATTRIBUTES = ("segment", "industry", "region", "plan_tier", "lifecycle_stage")
STATUS, PLAYBOOK, DIMENSION, ROLE = "status", "playbook", "dimension", "contact_role"
TICKETS = ("category", "priority")
COMMON = {
    "active": term("Active"),
    "trial": term("Trial"),
    "churned": term("churned"),
    "cancelled": term("Cancelled"),
    "paused": term("Paused"),
    "onboarding": term("Onboarding"),
    "end_user": term("User"),
    "growing": term("Growing"),
    "mature": term("Mature"),
    "usage": term("Usage"),
    "adoption": term("Adoption"),
    "engagement": term("Engagement"),
    "revenue": term("Revenue"),
    "support": term("Support"),
    "relationship": term("Relationship"),
}
"""Codes that most portfolios have: stages and statuses of accounts, dimensions of a score, roles of people."""


def readable(code: str) -> str:
    """A code as people read it: mid_market is Mid market, p1 is P1, smb is SMB; any other text is left as it is."""
    if not CODE.fullmatch(code):
        return code
    text = " ".join(word.upper() if SHORT.fullmatch(word) else word for word in code.split("_"))
    return _capital(text)


def _capital(text: str) -> str:
    return text[0].upper() + text[1:]


def in_english(portfolio: Portfolio) -> Portfolio:
    """The same portfolio with reports in English, which answers at the terminal and for assistants are in."""
    return portfolio.model_copy(update={"reports": portfolio.reports.model_copy(update={"language": "en"})})


class Labels:
    """The words of one portfolio for its values, in the language of its reports."""

    def __init__(self, portfolio: Portfolio):
        self.portfolio, self.language = portfolio, portfolio.reports.language
        self._known: dict[tuple[str, str], str] = {}

    @cached_property
    def _stated(self) -> Mapping[str, Mapping[str, str]]:
        """Column: value: what the YAML calls it."""
        found = {
            column: {value: worded(label, self.language) for value, label in labels.items()}
            for column, labels in self.portfolio.reports.labels.items()
        }
        playbooks = {p.action: worded(p.label, self.language) for p in self.portfolio.playbooks if p.label}
        return found | {PLAYBOOK: playbooks}

    def of(self, column: str, value: str) -> str:
        """What a value of a column is called."""
        if value == ALL:
            return value
        if (column, value) not in self._known:
            self._known[column, value] = self._stated.get(column, {}).get(value) or self._unstated(column, value)
        return self._known[column, value]

    def _unstated(self, column: str, value: str) -> str:
        common = COMMON.get(value) if column in (*ATTRIBUTES, STATUS, DIMENSION, ROLE) else None
        return _capital(catalogue(self.language).gettext(common)) if common else readable(value)

    def code(self, column: str, label: str) -> str:
        """The value behind a label that was shown; the label itself where it is none."""
        known = {shown: value for (of, value), shown in self._known.items() if of == column}
        return known.get(label, label)

    @property
    def description(self) -> str:
        """What the portfolio says of itself."""
        return worded(self.portfolio.description, self.language)

    def tier(self, level: TierLevel) -> str:
        """What a tier is called."""
        return worded(level.label, self.language) if level.label else readable(level.name)

    def signal(self, signal: str, stored: str) -> str:
        """What a signal is called: by the settings, or as it was when the table was made."""
        health = self.portfolio.health
        return worded(health.signals[signal].label, self.language) if health and signal in health.signals else stored

    def unit(self, signal: str, stored: str) -> str:
        """Of a signal's value."""
        health = self.portfolio.health
        return worded(health.signals[signal].unit, self.language) if health and signal in health.signals else stored

    def attribute(self, name: str) -> str:
        """What an account attribute is called."""
        stated = self.portfolio.account_attributes.get(name)
        return worded(stated.label, self.language) if stated and stated.label else readable(name)

    def in_words(self, table: str, frame: pd.DataFrame) -> pd.DataFrame:
        """The rows of a table with labels in place of codes."""
        changed = {}
        for name, column in self._columns(table).items():
            if name in frame.columns and len(frame):
                values = frame[name]
                words = {value: self.of(column, value) for value in values.unique() if isinstance(value, str)}
                changed[name] = pd.Series([words.get(value, value) for value in values], values.index, dtype="object")
        if "dimension_type" in frame.columns and len(frame):
            pairs = zip(frame["dimension_type"], frame["dimension_value"], strict=True)
            changed["dimension_value"] = pd.Series([self.of(*pair) for pair in pairs], frame.index)
        if {"signal", "label"} <= set(frame.columns) and len(frame):
            changed |= self._signals(frame)
        return frame.assign(**changed) if changed else frame

    def _signals(self, frame: pd.DataFrame) -> dict[str, pd.Series]:
        told = frame.drop_duplicates("signal")
        shown = {"label": self.signal, "unit": self.unit}
        words = {
            name: {signal: say(signal, stored) for signal, stored in zip(told["signal"], told[name], strict=True)}
            for name, say in shown.items()
            if name in frame.columns
        }
        return {name: frame["signal"].map(found) for name, found in words.items()}

    def _columns(self, table: str) -> dict[str, str]:
        """Column of the table: the column by which its values are labelled."""
        texts = [
            name
            for name, how in self.portfolio.account_attributes.items()
            if not isinstance(how, SourceAttribute) or how.type == "text"
        ]
        columns = {name: name for name in (*ATTRIBUTES, DIMENSION, *texts)}
        columns |= dict.fromkeys(("recommended_playbook", PLAYBOOK), PLAYBOOK)
        if table == "dim_contact":
            columns[ROLE] = ROLE
        if table in ACCOUNT_TABLES:
            columns[STATUS] = STATUS
        if table == "fct_tickets":
            columns |= {name: name for name in TICKETS}
        return columns
