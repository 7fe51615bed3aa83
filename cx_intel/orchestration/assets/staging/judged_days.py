"""Which days of events are judged again: those of new and changed files, and those whose accounts came to be known or left.

For events that are kept by file (`raw_files.py`); how rows are judged and split is in `steps.py`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import NamedTuple

import ibis
import ibis.expr.types as ir

from cx_intel.contracts.catalog import contract_of
from cx_intel.contracts.contract import conform
from cx_intel.contracts.delivered import DELIVERED_DAY
from cx_intel.models.staging.faults import is_orphan
from cx_intel.orchestration.assets.graph import REJECTED_ROWS
from cx_intel.orchestration.assets.staging.event_days import built_days
from cx_intel.settings.portfolio import Portfolio
from cx_intel.warehouse.protocol import Warehouse

JUDGED_ACCOUNTS = "judged_accounts"
"""Keeps the accounts that were known when events were last judged; no asset."""
NOTHING = "nothing"
"""Stands for the contents of a day without rows."""


@dataclass(frozen=True)
class JudgedDays:
    """The days of one staged table of events.

    Attributes:
        table: The canonical table.
        portfolio: Its settings.
        warehouse: Where raw rows, rejected rows and known accounts stand.
        accounts: stg_accounts; None where the portfolio has none.
        recipe: How rows are judged.

    What a day is remembered by: what its source delivered, `~`, what was rejected of it, `|`, how it was judged, `#`, where
    its rows stood. Only what is before `|` is news of the day.
    """

    table: str
    portfolio: Portfolio
    warehouse: Warehouse
    accounts: ir.Table | None
    recipe: str

    def chosen(self, days: Sequence[date], contents: Mapping[date, str]) -> tuple[date, ...]:
        """The days that are judged in a run for `days`: those, and earlier ones that would come out otherwise."""
        last = days[-1]
        built = {day: _Judged.of(state) for day, state in built_days(self.warehouse, f"stg_{self.table}").items()}
        wanted = {day: _Judged(*self._wanted(content)) for day, content in contents.items()}
        nothing = _Judged(NOTHING, self.recipe)
        known = wanted.keys() | built.keys()
        stale = {day for day in known if built.get(day, nothing).differs_from(wanted.get(day, nothing))}
        rejected = self.warehouse.day_state(f"{REJECTED_ROWS}_{self.table}")
        stale |= {day for day, found in rejected.items() if built.get(day, nothing).rejected != found}
        again = self._with_other_accounts(contents) & contents.keys()
        return tuple(sorted({day for day in stale | again if day <= last} | set(days)))

    def states(self, chosen: Sequence[date], contents: Mapping[date, str], rejected: ir.Table) -> dict[date, str]:
        """What the days are to be remembered by.

        Args:
            chosen: The days.
            contents: What the source delivered of each.
            rejected: The rows that were rejected of them, as judged.
        """
        cells = rejected.select(DELIVERED_DAY, *contract_of(f"stg_{self.table}", self.portfolio).column_names)
        found = self.warehouse.day_contents(cells, DELIVERED_DAY)
        states = {}
        for day in chosen:
            content, key = self._wanted(contents[day]) if day in contents else (NOTHING, self.recipe)
            states[day] = f"{content}~{found[day]}|{key}" if day in found else f"{content}|{key}"
        return states

    def remember_rejected(self, states: Mapping[date, str]) -> None:
        """Keeps what was rejected of the days: a delivery that is refused leaves that, and the table as it was."""
        found = {day: _Judged.of(state).rejected for day, state in states.items()}
        self.warehouse.remember(f"{REJECTED_ROWS}_{self.table}", found)

    def remember_accounts(self) -> None:
        """Keeps which accounts were known, for the next run."""
        if self.accounts is not None:
            contract = contract_of(JUDGED_ACCOUNTS, self.portfolio)
            rows = conform(self.accounts.mutate(source_table=ibis.literal(self.table)), contract)
            where = ("source_table", self.table)
            self.warehouse.replace_rows(JUDGED_ACCOUNTS, rows, like=contract.schema(), where=where)

    def _wanted(self, content: str) -> tuple[str, str]:
        cells, _, rest = content.partition("#")
        marks, merged, accounts = rest.partition("&")
        return f"{cells}{merged}{accounts}", f"{self.recipe}#{marks}"

    def _with_other_accounts(self, contents: Mapping[date, str]) -> set[date]:
        """The days with rows of accounts that were unknown and are known now, or the other way round."""
        accounts, warehouse = self.accounts, self.warehouse
        if accounts is None or not contents:
            return set()
        days: set[date] = set()
        if warehouse.exists(REJECTED_ROWS) and "account_id" in warehouse.table(REJECTED_ROWS).columns:
            rejected = warehouse.table(REJECTED_ROWS)
            orphans = rejected.filter((rejected.source_table == self.table) & is_orphan(rejected))
            found = orphans.semi_join(accounts, "account_id").select("delivered_day").distinct()
            days |= {row["delivered_day"] for row in warehouse.rows(found)}
        if warehouse.exists(JUDGED_ACCOUNTS):
            before = warehouse.table(JUDGED_ACCOUNTS)
            left = before.filter(before.source_table == self.table).anti_join(accounts, "account_id")
            contract = contract_of(f"stg_{self.table}", self.portfolio)
            if warehouse.exists(contract.table) and warehouse.count(left):
                rows = warehouse.table(contract.table).semi_join(left, "account_id")
                found = rows.select(day=contract.day_column).distinct()
                days |= {row["day"] for row in warehouse.rows(found)}
        return days


class _Judged(NamedTuple):
    """What a day was judged from, taken apart: its content, how and where its rows stood, and what was rejected."""

    content: str
    key: str
    rejected: str = ""

    @classmethod
    def of(cls, state: str) -> "_Judged":
        content, _, key = state.rpartition("|")
        content, _, rejected = content.partition("~")
        return cls(content, key, rejected)

    def differs_from(self, other: "_Judged") -> bool:
        """Where rows stand is told of rejected rows alone: a day without any is as it was when its rows stand elsewhere."""
        if self.rejected or other.rejected:
            return (self.content, self.key) != (other.content, other.key)
        return (self.content, self.key.partition("#")[0]) != (other.content, other.key.partition("#")[0])
