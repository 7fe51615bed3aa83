"""Which days of an event table are built in a run, and what each is remembered to be built from.

For tables whose days are compared by what they are made of; files of events have rules of their own (`judged_days.py`).
How rows of the days are judged is in `cx_intel.orchestration.assets.steps`.
"""

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta

import ibis
import ibis.expr.types as ir

from cx_intel.contracts.contract import Contract
from cx_intel.contracts.delivered import DELIVERED_DAY
from cx_intel.models.expressions.time import offsets
from cx_intel.models.staging import parsing
from cx_intel.models.staging.identity import compared_id, current
from cx_intel.settings.portfolio import Portfolio
from cx_intel.warehouse.protocol import Warehouse

NO_TIME = timedelta(0)


@dataclass(frozen=True)
class EventDays:
    """The days of one table.

    Attributes:
        contract: Of the table.
        portfolio: Its settings.
        warehouse: Where the table and its source stand.
    """

    contract: Contract
    portfolio: Portfolio
    warehouse: Warehouse

    def contents(
        self, source: str, raw: ir.Table, aliases: ir.Table | None, identity: ir.Table | None
    ) -> Mapping[date, str]:
        """What each day of a source is made from, accounts that were merged or found by ids included."""
        contents: Mapping[date, str] = self.warehouse.day_state(source)
        if aliases is not None:
            contents = self._with_merges(contents, raw, aliases)
        if identity is not None and (system := self.portfolio.system_of(source.removeprefix("raw_"))):
            contents = self._with_ids(contents, raw, identity, system)
        return contents

    def _with_ids(
        self, contents: Mapping[date, str], raw: ir.Table, identity: ir.Table, system: str
    ) -> Mapping[date, str]:
        """What each day of a source is made from, with the accounts that the ids in its rows belong to."""
        named = raw.select(_day=raw[DELIVERED_DAY], external_id=compared_id(parsing.text(raw.account_id), system))
        known = current(identity).filter(lambda t: t.system == system).select("external_id", "account_id")
        found = self.warehouse.day_contents(named.distinct().inner_join(known, "external_id"), "_day")
        return {day: f"{content}&{found.get(day, '')}" for day, content in contents.items()}

    def _with_merges(self, contents: Mapping[date, str], raw: ir.Table, aliases: ir.Table) -> Mapping[date, str]:
        """What each day of a source is made from, with the merged accounts that it has rows of."""
        named = raw.select(_day=raw[DELIVERED_DAY], old_account_id=parsing.text(raw.account_id)).distinct()
        merged = self.warehouse.day_contents(named.inner_join(aliases, "old_account_id"), "_day")
        return {day: f"{content}&{merged[day]}" if day in merged else content for day, content in contents.items()}

    def stale(self, days: tuple[date, ...], contents: Mapping[date, str]) -> tuple[tuple[date, ...], dict[date, str]]:
        """The days to be built: those of the run and those built from something else; and what each is built from."""
        recipe = self.recipe
        built = built_days(self.warehouse, self.contract.table)
        wanted = {day: f"{content}|{recipe}" for day, content in contents.items() if day <= days[-1]}
        stale = {day for day, state in wanted.items() if built.get(day) != state}
        gone = {day for day in built if day not in wanted and day <= days[-1]}
        chosen = tuple(sorted(stale | gone | set(days)))
        return chosen, {day: wanted.get(day, f"nothing|{recipe}") for day in chosen}

    @property
    def recipe(self) -> str:
        """What bears on how rows are judged, besides what they are."""
        return _fingerprint(
            self.portfolio.usage.model_dump_json(),
            self.portfolio.time_zone,
            [s.model_dump_json() for s in self.portfolio.sources],
            self.contract.column_names,
        )

    def _reach(self) -> tuple[int, ...]:
        """Which other days of a source, -1 or 1, hold parts of a day: sources deliver days of UTC."""
        first, transitions = offsets(self.portfolio.time_zone)
        found = {first, *(t.after for t in transitions)}
        return tuple(n for n, is_needed in ((-1, max(found) > NO_TIME), (1, min(found) < NO_TIME)) if is_needed)

    def of_local_days(self, contents: Mapping[date, str]) -> Mapping[date, str]:
        """What each day is made from where parts of it lie in other days of the source."""
        if not (reach := self._reach()):
            return contents
        return {day: "/".join(contents.get(day + timedelta(days=n), "") for n in (0, *reach)) for day in contents}

    def of_source(self, days: Iterable[date]) -> tuple[date, ...]:
        """The days of the source that rows of these days are in."""
        return tuple(sorted({day + timedelta(days=n) for day in days for n in (0, *self._reach())}))


def built_days(warehouse: Warehouse, table: str) -> dict[date, str]:
    """What each day of a table was built from; nothing where the table is not there, as where it was dropped by hand."""
    return warehouse.day_state(table) if warehouse.exists(table) else {}


def among(column: ir.Value, days: tuple[date, ...]) -> ir.BooleanValue:
    """The day is one of the days; the bounds beside the list let the engine skip what lies outside."""
    return column.between(ibis.literal(days[0]), ibis.literal(days[-1])) & column.isin(
        [ibis.literal(day) for day in days]
    )


def in_parts(days: tuple[date, ...], count: int) -> list[tuple[date, ...]]:
    """The days, at least one, in so many parts of about one length, at most one of each day."""
    size = -(-len(days) // max(count, 1))
    return [days[n : n + size] for n in range(0, len(days), size)]


def _fingerprint(*parts: object) -> str:
    return hashlib.sha256(json.dumps(parts, default=str).encode()).hexdigest()[:16]
