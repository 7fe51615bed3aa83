"""Keeps, of tables that several sources deliver, the days on which each has rows, and the loads that brought anything new.

The rows of all are brought together in `judged_sources.py` beside this module and no longer say whose they are; what the
days tell of a source is decided in `cx_intel.models.core.freshness`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

import ibis
import ibis.expr.types as ir

from cx_intel.contracts.catalog import contract_of
from cx_intel.contracts.contract import conform
from cx_intel.contracts.delivered import delivered_columns
from cx_intel.models.core.source_days import BY_DELIVERIES, DAYS, DatedRows, days_with_rows, names_of
from cx_intel.models.staging import parsing
from cx_intel.orchestration.assets.graph import DAYS_OF_SOURCES
from cx_intel.settings.portfolio import Portfolio
from cx_intel.warehouse.protocol import Warehouse

NO_CONTENT = ibis.null("string")
ALIKE = date(1970, 1, 1)
"""Stands for the day of every load: by their contents alone loads are compared."""


@dataclass(frozen=True)
class SourceDays:
    """The days of the sources of one canonical table.

    Attributes:
        table: The canonical table, which several sources deliver.
        portfolio: Its settings.
        warehouse: Where what they delivered stands.
    """

    table: str
    portfolio: Portfolio
    warehouse: Warehouse

    def keep(self, valid: Sequence[ir.Table], as_of: date) -> None:
        """Keeps the days, in place of those that are known.

        Args:
            valid: The valid rows of each source, in the order of the portfolio.
            as_of: The day of the load.
        """
        if self.table not in DAYS:
            return
        contract = contract_of(DAYS_OF_SOURCES, self.portfolio)
        days = self._loads(as_of) if self.table in BY_DELIVERIES else self._days(valid)
        self.warehouse.replace_rows(
            DAYS_OF_SOURCES, conform(days, contract), like=contract.schema(), where=("source_table", self.table)
        )

    def _days(self, valid: Sequence[ir.Table]) -> ir.Table:
        names = names_of(self.table, self.portfolio)
        dated = [DatedRows(self.table, name, rows) for (_, name), rows in zip(names, valid, strict=True)]
        return days_with_rows(dated, self.portfolio).mutate(content=NO_CONTENT)

    def _loads(self, as_of: date) -> ir.Table:
        """The loads that are known, and this one of each source that delivers something else than at the last one."""
        contract = contract_of(DAYS_OF_SOURCES, self.portfolio)
        known = contract.no_rows()
        if self.warehouse.exists(DAYS_OF_SOURCES):
            known = self.warehouse.part(DAYS_OF_SOURCES, "source_table", self.table)
        loads = self.warehouse.rows(known)
        if any(load["day"] > as_of for load in loads):
            return known  # a run for an earlier day brings nothing new
        before = {load["source_name"]: load for load in sorted(loads, key=_day) if load["day"] < as_of}
        found = [known.filter(known.day < ibis.literal(as_of))]
        for part, name in names_of(self.table, self.portfolio):
            rows, content = self._delivered(part)
            if content and (name not in before or before[name]["content"] != content):
                load = {"source_table": self.table, "source_name": name, "day": as_of, "rows": rows, "content": content}
                found.append(_row(load))
        return ibis.union(*(conform(rows, contract) for rows in found)) if len(found) > 1 else found[0]

    def _delivered(self, part: str) -> tuple[int, str]:
        """How many rows a source delivers, and a fingerprint of them; empty where there are none."""
        raw = self.warehouse.table(f"raw_{part}")
        columns = delivered_columns(contract_of(f"stg_{self.table}", self.portfolio))
        cells = {c.name: parsing.text(raw[c.name]) for c in columns if c.name in raw.columns}
        contents = self.warehouse.day_contents(raw.select(**cells, _load=ibis.literal(ALIKE)), "_load")
        return self.warehouse.count(raw), contents.get(ALIKE, "")


def _day(load: dict[str, object]) -> str:
    return str(load["day"])


def _row(load: dict[str, object]) -> ir.Table:
    names = {name: ibis.literal(value) for name, value in load.items()}
    first = next(iter(names))
    return names[first].name(first).as_table().mutate(**{n: v for n, v in names.items() if n != first})
