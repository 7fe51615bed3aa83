"""Answers an assistant's questions from the published copies: bounded, read anew for each question, without a path.

The answers themselves are made in `cx_intel.reports`; here they are chosen, cut to size and made plain values. How a program asks
stands in `server.py`; what a person may ask at the terminal is in `cx_intel.cli.commands.asking`.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict
from datetime import date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from threading import Lock
from typing import Any, TypeVar

from cx_intel.contracts.catalog import contract_of
from cx_intel.contracts.contract import Contract
from cx_intel.reports.ask.accounts import find_account
from cx_intel.reports.ask.answer import Answer, NoAnswer, days_kept, known_day
from cx_intel.reports.ask.changes import changes
from cx_intel.reports.ask.differences import difference
from cx_intel.reports.ask.explanation import explain
from cx_intel.reports.data.figures.headline import headline
from cx_intel.reports.data.report_data import newest_within
from cx_intel.reports.listing import table_rows
from cx_intel.reports.metric_explanations import METRICS, explain_metric
from cx_intel.reports.words.labels import in_english
from cx_intel.settings.environment import Environment
from cx_intel.settings.portfolio import Portfolio
from cx_intel.warehouse.duckdb.access.readable import published_copy
from cx_intel.warehouse.errors import WarehouseError
from cx_intel.warehouse.protocol import Warehouse

Plain = dict[str, Any]
T = TypeVar("T")
MOST_ROWS, MOST_CHARACTERS, MOST_DAYS = 50, 300, 400
"""Rows of an answer, characters of a cell, and days back."""
CALL = (
    "priority_rank",
    "entry_id",
    "account_id",
    "account_name",
    "owner",
    "renewal_risk",
    "renewal_date",
    "days_to_renewal",
    "current_arr",
    "expected_arr_loss",
    "primary_risk_signal",
    "recommended_playbook",
    "due_date",
    "is_within_capacity",
    "is_held_out",
    "due_again",
)
"""What is told of an entry of the intervention list."""


class PublishedAnswers:
    """The published copies of a deployment's portfolios; each answer reads the newest one.

    Every method raises NoAnswer where there is nothing to answer with, saying what there is instead.
    """

    def __init__(self, environment: Environment, portfolios: Mapping[str, Portfolio]):
        self.environment, self.portfolios = environment, portfolios
        self._one_at_a_time = Lock()

    def tables(self, portfolio: str | None) -> Plain:
        """The tables of a portfolio: the question that each answers, its grain, and the newest day."""

        def told(warehouse: Warehouse, of: Portfolio) -> Plain:
            contracts = [contract_of(name, of) for name in _published(warehouse, of)]
            found = [{"table": c.table, "answers": c.description, "one_row_for_each": list(c.grain)} for c in contracts]
            return {"tables": found}

        return self._of(portfolio, told)

    def table(self, table: str, portfolio: str | None) -> Plain:
        """The columns of a table: meaning, unit, what a missing value says, and what is always true of its rows."""

        def told(warehouse: Warehouse, of: Portfolio) -> Plain:
            contract = _known(table, warehouse, of)
            columns = [
                {"column": c.name, "type": c.type, "meaning": c.description}
                | {name: text for name, text in (("unit", c.unit), ("null_means", c.null_means)) if text}
                for c in contract.columns
            ]
            rules = [rule.description for rule in contract.invariants] + [
                r.description for r in contract.cross_invariants
            ]
            about = {"table": contract.table, "answers": contract.description, "one_row_for_each": list(contract.grain)}
            return about | {"columns": columns, "always_true": rules}

        return self._of(portfolio, told)

    def rows(self, table: str, portfolio: str | None, where: Mapping[str, str], limit: int) -> Plain:
        """The first rows of a table, the newest day first, by rank: at most 50; each value as text."""

        def told(warehouse: Warehouse, of: Portfolio) -> Plain:
            _known(table, warehouse, of)
            frame = table_rows(warehouse, table, of, limit=_within(limit, MOST_ROWS), where=where)
            found = [{str(k): _cut(v) for k, v in row.items()} for row in frame.to_dict("records")]
            return {"table": table, "rows": found}

        return self._of(portfolio, told)

    def account(self, account: str, portfolio: str | None) -> Plain:
        """An account explained, found by its id, its name or a part of it, in any portfolio unless one is named."""
        names = [self._name(portfolio)] if portfolio else list(self.portfolios)
        with self._one_at_a_time, self._opened(names) as opened:
            meant = find_account(account, opened)
            of = self.portfolios[meant.portfolio]
            return _plain_answer(meant.portfolio, explain(opened[meant.portfolio], of, meant.account_id))

    def calls(self, portfolio: str | None, owner: str | None, limit: int) -> Plain:
        """The intervention list of the newest day, by rank, of one owner where one is named; how many of it are to be called."""

        def told(warehouse: Warehouse, of: Portfolio) -> Plain:
            if not of.renewals:
                raise NoAnswer(f"{of.name} has no renewals: its YAML has no `renewals` block.")
            day = known_day(warehouse, None)
            listed = warehouse.table("cs_intervention_list")
            today = listed.filter(listed.as_of == day).select(*(name for name in CALL if name in listed.columns))
            rows = sorted(warehouse.rows(today), key=lambda row: row["priority_rank"])
            mine = [r for r in rows if owner is None or (r["owner"] or "").casefold() == owner.casefold()]
            if owner and not mine:
                owners = sorted({row["owner"] for row in rows if row["owner"]})
                raise NoAnswer(
                    f"{owner!r} has nobody to call; on the list are accounts of {', '.join(owners) or 'nobody'}."
                )
            shown = mine[: _within(limit, MOST_ROWS)]
            work = [row for row in mine if not row.get("is_held_out")]
            loss = sum((row["expected_arr_loss"] for row in work), Decimal(0))
            calls = [{name: _plain(value) for name, value in row.items()} for row in shown]
            whole = {"currency": of.currency.reporting, "accounts": len(work), "expected_arr_loss": float(loss)}
            return whole | {"calls": calls}

        return self._of(portfolio, told)

    def changed(self, portfolio: str | None, days: int) -> Plain:
        """What changed in so many days: all of it where the copy keeps that day, else scores, events and the ledger."""

        def told(warehouse: Warehouse, of: Portfolio) -> Plain:
            day = known_day(warehouse, None)
            first = newest_within(days_kept(warehouse), day - timedelta(days=_within(days, MOST_DAYS)))
            answer = difference(warehouse, of, first, day) if first else changes(warehouse, of, days)
            return asdict(answer)

        return self._of(portfolio, told)

    def metric(self, metric: str | None, portfolio: str | None, month: date | None) -> Plain:
        """A figure under each definition in use; without a name the headline figures, and which others may be asked for."""

        def told(warehouse: Warehouse, of: Portfolio) -> Plain:
            if metric is None:
                found = headline(warehouse, in_english(of), known_day(warehouse, None))
                figures = {figure.label: figure.text for figure in found.figures}
                return {"figures": figures, "notes": [found.arr, *found.notes], "may_be_asked_for": list(METRICS)}
            if metric not in METRICS:
                raise NoAnswer(f"There is no definition of {metric!r}; there are {', '.join(METRICS)}.")
            explained = explain_metric(warehouse, of, metric, month)
            parts = {name: _plain(value) for name, value in explained.parts.items()}
            definitions = [
                {"definition": f.name, "percent": _plain(f.pct), "kept": _plain(f.kept), "of": _plain(f.base)}
                | {"formula": f.formula, "differences": [[_plain(d.points), d.cause] for d in f.differences]}
                for f in explained.figures
            ]
            value = {"metric": metric, "month": f"{explained.month:%Y-%m}", "value": _plain(explained.value)}
            return value | {"formula": explained.formula, "parts": parts, "definitions": definitions}

        return self._of(portfolio, told)

    def _of(self, portfolio: str | None, told: Callable[[Warehouse, Portfolio], Plain]) -> Plain:
        name = self._name(portfolio)
        with self._one_at_a_time, self._opened([name]) as opened:
            if name not in opened:
                raise NoAnswer(f"{name} is not published yet: `cx-intel refresh {name}` does it.")
            warehouse = opened[name]
            return {"portfolio": name, "as_of": str(warehouse.newest()), **told(warehouse, self.portfolios[name])}

    def _name(self, portfolio: str | None) -> str:
        """The portfolio that is meant: the one named, or the only one."""
        if portfolio is None:
            there = [name for name in self.portfolios if self.environment.published(name).exists()] or [
                *self.portfolios
            ]
            if len(there) != 1:
                raise NoAnswer(f"There are several portfolios: name one of {', '.join(there)}.")
            return there[0]
        if portfolio not in self.portfolios:
            raise NoAnswer(f"There is no portfolio {portfolio!r}; there are {', '.join(self.portfolios)}.")
        return portfolio

    @contextmanager
    def _opened(self, names: list[str]) -> Iterator[dict[str, Warehouse]]:
        """The copies that are there, while the block lasts; errors do not say where they lie."""
        files = {name: self.environment.published(name) for name in names}
        try:
            with published_copy({name: file for name, file in files.items() if file.exists()}) as opened:
                yield opened
        except WarehouseError as error:
            raise NoAnswer(_without_paths(str(error), self.environment.home)) from error


def _published(warehouse: Warehouse, portfolio: Portfolio) -> list[str]:
    """The tables of the copy that have a contract."""
    return [name for name in warehouse.tables() if _has_contract(name, portfolio)]


def _has_contract(table: str, portfolio: Portfolio) -> bool:
    try:
        contract_of(table, portfolio)
    except KeyError:
        return False
    return True


def _known(table: str, warehouse: Warehouse, portfolio: Portfolio) -> Contract:
    known = _published(warehouse, portfolio)
    if table not in known:
        raise NoAnswer(f"There is no table {table!r}; there are {', '.join(known)}.")
    return contract_of(table, portfolio)


def _within(asked: int, most: int) -> int:
    return max(1, min(asked, most))


def _plain_answer(portfolio: str, answer: Answer) -> Plain:
    return {"portfolio": portfolio, **asdict(answer)}


def _plain(value: Any) -> Any:
    """A value as JSON has it: amounts and shares as numbers, days as text."""
    if value is None or isinstance(value, bool | int | float):
        return value
    if isinstance(value, date | datetime):
        return value.isoformat()
    return _cut(value) if isinstance(value, str) else float(value)


def _cut(text: str | None) -> str | None:
    return text if text is None or len(text) <= MOST_CHARACTERS else text[: MOST_CHARACTERS - 1] + "…"


def _without_paths(text: str, home: Path) -> str:
    return " ".join(word for word in text.split() if str(home) not in word)
