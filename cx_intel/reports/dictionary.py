"""The data dictionary of a portfolio, made from its contracts: every table with its grain, columns and checks.

One source for people and for the checks themselves, so that the two cannot differ: pages in Markdown for the
repository, and one HTML page to search in. The rules that a contract comes to are handed in by the caller, since they
are made in `cx_intel.orchestration.checks.rules`.
"""

from collections.abc import Callable, Container, Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Protocol

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from cx_intel.contracts.catalog import contract_of, kept_tables, tables_of
from cx_intel.contracts.contract import Column, Contract
from cx_intel.contracts.renewals.interventions import GIVEN
from cx_intel.contracts.write_back import WRITE_BACK
from cx_intel.reports.brief.weekly_brief import TEMPLATES
from cx_intel.reports.portfolio_reference import EXAMPLES, SHIPPED
from cx_intel.reports.words.markdown_safety import escaped
from cx_intel.settings.labels import worded
from cx_intel.settings.portfolio import Portfolio
from cx_intel.settings.yaml.loader import load_portfolio

LAYERS = {
    "staging": "What the sources delivered, typed, one table for each canonical one",
    "core": "Accounts, products, days, and what happened",
    "revenue": "MRR, retention and cohorts",
    "support": "Tickets and service levels",
    "health": "Signals, scores, and why they are what they are",
    "risk": "Who may leave",
    "renewals": "What is due, whom to call, what it is worth",
    "backtest": "What the score said at the end of past months, and what came of it",
    "operations": "The running itself",
}
"""The layers in the order of the graph, with what they hold."""
TYPES = {
    "string": "text",
    "int64": "integer",
    "float64": "number",
    "boolean": "yes or no",
    "timestamp(6)": "time (UTC)",
    "decimal(18, 2)": "amount",
}
KEPT = {
    "whole": "whole: rebuilt at every refresh, standing at the newest day",
    "by_day": "by day of its events (`{day}`): a refresh adds new or changed days",
    "snapshot": "a snapshot for each `as_of`; the view `{table}_latest` shows the newest",
}
KEPT_BY_BACKTEST = "whole: rebuilt by the back-test, once for each month end"
KEPT_BY_STAGING = "by staging for its next run; not published"
KEPT_BY_ACTION = "by `cx-intel action`; not published"
KEPT_BY_SYNC = "by `cx-intel sync`; not published"
TOLD_BY_COLUMNS = {
    "not_null": "Never null",
    "accepted_values": "One of the values above",
    "usual_values": "Usually one of the values above",
    "in_range": "In the range above",
    "usual_range": "Usually in the range above",
}
"""Checks whose rules stand in the table of columns: what they say, before the columns that they are about."""


class StatedRule(Protocol):
    """A rule of a contract, as far as it is told here."""

    @property
    def name(self) -> str: ...
    @property
    def check(self) -> str: ...
    @property
    def text(self) -> str: ...
    @property
    def recovery(self) -> str: ...
    @property
    def severity(self) -> str: ...


RulesOf = Callable[[Contract], Iterable[StatedRule]]


@dataclass(frozen=True)
class DocumentedColumn:
    """A column as the dictionary shows it."""

    name: str
    type: str
    unit: str
    meaning: str
    null: str
    values: str


@dataclass(frozen=True)
class DocumentedCheck:
    """A check as the dictionary shows it."""

    name: str
    rule: str
    effect: str


@dataclass(frozen=True)
class DocumentedTable:
    """A table as the dictionary shows it."""

    name: str
    question: str
    grain: str
    kept: str
    columns: tuple[DocumentedColumn, ...]
    checks: tuple[DocumentedCheck, ...]


def _kept(contract: Contract) -> str:
    return KEPT_BY_BACKTEST if contract.layer == "backtest" else KEPT[contract.kind]


def documented_layers(
    portfolio: Portfolio, rules_of: RulesOf, without: Container[str] = ()
) -> list[tuple[str, str, list[DocumentedTable]]]:
    """The layers that the portfolio has, what each holds, and its tables but for some; last those of `kept_tables`."""
    by_layer: dict[str, list[DocumentedTable]] = {}
    for table in tables_of(portfolio):
        contract = contract_of(table, portfolio)
        if table not in without:
            by_layer.setdefault(contract.layer, []).append(_documented(contract, _kept(contract), rules_of))
    for table in kept_tables(portfolio):
        if table not in without:
            kept = KEPT_BY_SYNC if table in WRITE_BACK else KEPT_BY_ACTION if table == GIVEN else KEPT_BY_STAGING
            by_layer.setdefault("operations", []).append(_documented(contract_of(table, portfolio), kept, None))
    return [(layer, LAYERS[layer], by_layer[layer]) for layer in LAYERS if layer in by_layer]


def dictionary_markdown(portfolio: Portfolio, rules_of: RulesOf) -> str:
    """The dictionary of a portfolio as a page of Markdown."""
    return _render("dictionary.md.j2", [portfolio], rules_of)


def further_markdown(rules_of: RulesOf) -> str:
    """The dictionary of tables that none of the shipped portfolios has, as a page of Markdown."""
    about = {"name": "further tables", "description": "Tables that a portfolio has by its sources and settings."}
    shipped = [load_portfolio(file) for file in sorted(SHIPPED.glob("*.yaml"))]
    known = {table for portfolio in shipped for table in (*tables_of(portfolio), *kept_tables(portfolio))}
    portfolio = load_portfolio(EXAMPLES).model_copy(update=about)
    return _render("dictionary.md.j2", [portfolio], rules_of, known)


def dictionary_html(portfolios: Sequence[Portfolio], rules_of: RulesOf) -> str:
    """The dictionaries of portfolios as one page of HTML that needs nothing else."""
    return _render("dictionary.html.j2", portfolios, rules_of)


def _documented(contract: Contract, kept: str, rules_of: RulesOf | None) -> DocumentedTable:
    return DocumentedTable(
        contract.table,
        contract.description,
        ", ".join(contract.grain),
        kept.format(table=contract.table, day=contract.day_column),
        tuple(_column(column) for column in contract.columns),
        tuple(_checks(rules_of(contract)) if rules_of else ()),
    )


def _checks(rules: Iterable[StatedRule]) -> list[DocumentedCheck]:
    """The checks in their order; rules that the table of columns tells already are only pointed to."""
    by_check: dict[str, list[StatedRule]] = {}
    for rule in rules:
        by_check.setdefault(rule.check, []).append(rule)
    checks = []
    for name, own in by_check.items():
        if name in TOLD_BY_COLUMNS:
            columns = ", ".join(rule.text.split(" is ")[0] for rule in own)
            text = f"{TOLD_BY_COLUMNS[name]}: {columns}."
        else:
            text = " ".join(rule.text for rule in own)
        checks.append(DocumentedCheck(name, text, f"{own[0].severity}s"))
    return checks


def _column(column: Column) -> DocumentedColumn:
    null = (column.null_means or "not known") if column.nullable else "never null"
    return DocumentedColumn(
        column.name, TYPES.get(column.type, column.type), column.unit, column.description, null, _values(column)
    )


def _values(column: Column) -> str:
    parts = []
    if column.accepted:
        parts.append(", ".join(column.accepted))
    if column.minimum is not None and column.maximum is not None:
        parts.append(f"{_number(column.minimum)} to {_number(column.maximum)}")
    elif column.minimum is not None:
        parts.append(f"at least {_number(column.minimum)}")
    elif column.maximum is not None:
        parts.append(f"at most {_number(column.maximum)}")
    if column.references:
        parts.append(f"is in {column.references}")
    return "; ".join(parts)


def _number(bound: float) -> str:
    return f"{round(bound, 3):,.15g}"  # without the tolerance of sums


def _render(template: str, portfolios: Sequence[Portfolio], rules_of: RulesOf, without: Container[str] = ()) -> str:
    books = [(portfolio, documented_layers(portfolio, rules_of, without)) for portfolio in portfolios]
    return _environment(template.split(".")[1]).get_template(template).render(books=books, worded=worded)


@lru_cache(maxsize=2)
def _environment(kind: str) -> Environment:
    """Templates in which every value is escaped without being asked to; in Markdown, code in backticks stays code."""
    return Environment(
        loader=FileSystemLoader(TEMPLATES),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        autoescape=kind == "html",
        finalize=_inline if kind == "md" else None,
    )


def _inline(value: object) -> str:
    """Escaped but for code in backticks, which contracts write on purpose."""
    parts = str(value).split("`")
    if len(parts) % 2 == 0:
        return escaped(value)
    return "".join(f"`{part}`" if place % 2 else _escaped_within(part) for place, part in enumerate(parts))


def _escaped_within(text: str) -> str:
    """Escaped, with the blanks at its ends, which stand before and after code."""
    core = escaped(text)
    start = " " if text[:1] == " " and core else ""
    end = " " if text[-1:] == " " and core else ""
    return f"{start}{core}{end}" if core else text[:1].replace("\n", " ")
