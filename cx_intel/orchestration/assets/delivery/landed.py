"""Makes an asset of each source that is a vendor's own system: its objects are landed, and raw tables come after them.

What is asked for, and how requests are tried again, is in `cx_intel.sources.vendors`; here all that was read in a run is
put into the warehouse in one transaction with how far it was read. What queries make of the objects: `raw.py`.
"""

import json
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import dagster as dg
import pandas as pd

from cx_intel.orchestration.assets.tables import asset_options, key_of
from cx_intel.orchestration.checks.check import RuleResult, check_results, results_table
from cx_intel.orchestration.checks.rules import Rule
from cx_intel.orchestration.dagster_internals import evaluations, recorded
from cx_intel.privacy.landed import ErasedCustomers
from cx_intel.privacy.register import Register
from cx_intel.settings.portfolio import Portfolio
from cx_intel.settings.sources.sql import SqlSource
from cx_intel.settings.sources.vendors import Vendor
from cx_intel.sources.errors import SourceError
from cx_intel.sources.vendors.drift import Drift, Remembered
from cx_intel.sources.vendors.objects import ID, Merged, Objects, Reader, landed_name, table_of
from cx_intel.sources.vendors.readers import reading
from cx_intel.warehouse.protocol import Warehouse

if TYPE_CHECKING:
    from cx_intel.sources.vendors.http import Clock

MERGED_AT_ONCE = 5_000
"""Objects that are put into the warehouse at once."""
FIELDS_CHECK = "fields_as_before"
FIELDS_TEXT = "The vendor's objects have the fields that they had, with values of the same types."
FIELDS = "_fields"
"""Stands among the kinds for the fields that the objects of each had."""
NAMED = 20


def landed_key(portfolio: Portfolio, source: str) -> dg.AssetKey:
    """The asset of a source that lands objects."""
    return key_of(portfolio, f"landed_{source}")


def landed_before(portfolio: Portfolio, source: object) -> list[dg.AssetKey]:
    """The assets that land what the query of a source reads."""
    read = source.landed.values() if isinstance(source, SqlSource) else ()
    return [landed_key(portfolio, name) for name in dict.fromkeys(str(table.landed) for table in read)]


def landed_assets(portfolio: Portfolio, variables: Mapping[str, str], home: Path) -> list[dg.AssetsDefinition]:
    """The assets of all sources that land a vendor's objects.

    Args:
        portfolio: Its settings.
        variables: Hold the secrets.
        home: Where it is remembered who was erased.
    """
    return [_landed_asset(portfolio, source, variables, home) for source in portfolio.vendors.values()]


def _landed_asset(
    portfolio: Portfolio, source: Vendor, variables: Mapping[str, str], home: Path
) -> dg.AssetsDefinition:
    key, kinds = landed_key(portfolio, source.name), portfolio.landed_objects(source.name)
    specs = [dg.AssetCheckSpec(FIELDS_CHECK, asset=key, description=FIELDS_TEXT)]

    @dg.asset(
        key=key,
        check_specs=specs,
        required_resource_keys={"warehouse"},
        description=f"The objects of {source.name} as the vendor has them, all as text: {', '.join(kinds)}.",
        freshness_policy=dg.FreshnessPolicy.time_window(fail_window=timedelta(hours=source.fresh_within_hours)),
        **(asset_options(portfolio, "raw", "whole") | {"kinds": {"duckdb", source.kind}}),
    )
    def land(context: dg.AssetExecutionContext) -> Iterator[Any]:
        warehouse: Warehouse = context.resources.warehouse.of(portfolio.name)
        erased = ErasedCustomers(portfolio, Register(home, variables), source.name)
        landing = Landing(source, kinds, warehouse, erased.has)
        try:
            with warehouse.transaction():
                results = landing.run(variables)
                today = pd.Timestamp.now(tz="UTC").date()
                warehouse.record_checks(results_table(results, table=f"landed_{source.name}", as_of=today))
        except SourceError as error:
            raise dg.Failure(str(error), allow_retries=False) from error
        yield from recorded(evaluations(check_results(results, key), specs), specs)
        yield dg.MaterializeResult(asset_key=key, metadata=landing.metadata())

    return land


@dataclass
class _Kind:
    """What became of the objects of one kind, and those that wait to be put into the warehouse."""

    pending: list[Mapping[str, str | None]] = field(default_factory=list)
    seen: set[str] = field(default_factory=set)
    added: int = 0
    changed: int = 0
    gone: int = 0
    is_whole: bool = False


@dataclass
class Landing:
    """One run of a source that lands objects; a transaction is open.

    Attributes:
        source: The source.
        kinds: The objects that are wanted.
        warehouse: Where they go.
        is_erased: Whether an object, given with its kind, is of somebody who was erased: it is not landed.
        clock: The time; default: that of this machine.
        requests: How many were sent.
    """

    source: Vendor
    kinds: tuple[str, ...]
    warehouse: Warehouse
    is_erased: Callable[[str, Mapping[str, str | None]], bool] = lambda kind, row: False
    clock: "Clock | None" = None
    requests: int = 0
    _of: dict[str, _Kind] = field(default_factory=lambda: defaultdict(_Kind))

    def run(self, variables: Mapping[str, str]) -> list[RuleResult]:
        """Reads what changed, and remembers how far; what there is to tell of the fields."""
        state = self.warehouse.landing_state(self.source.name)
        known = {kind: self._count(kind) for kind in self.kinds}
        before: dict[str, Remembered] = json.loads(state.get(FIELDS, "{}"))
        state = {kind: cursor for kind, cursor in state.items() if known.get(kind) is not None}
        with reading(
            self.source, self.kinds, {k: n or 0 for k, n in known.items()}, state, variables, self.clock
        ) as reader:
            for kind in self.kinds:
                self.warehouse.merge_objects(self._table(kind), table_of([], reader.always(kind)))
            for found in reader.read():
                self._take(found)
            for kind in self.kinds:
                self._merge(kind)
            self.requests = reader.client.requests
            drift = [
                Drift(f"{kind}.{one.field}", one.what) for kind in before for one in self._drift(kind, before, reader)
            ]
            after = {kind: fields.remembered(before.get(kind, {})) for kind, fields in reader.fields.items()}
            self.warehouse.remember_landing(self.source.name, reader.state | {FIELDS: json.dumps(before | after)})
        return [_fields_result(drift)]

    def _drift(self, kind: str, before: Mapping[str, Remembered], reader: Reader) -> list[Drift]:
        """What of the fields of a kind is otherwise than before; nothing where nothing was read."""
        fields = reader.fields.get(kind)
        if not fields:
            return []
        fields.is_whole |= self._of[kind].is_whole
        return fields.drift_since(before[kind])

    def metadata(self) -> dict[str, Any]:
        """What Dagster shows of the run."""
        counts = {kind: self._count(kind) or 0 for kind in self.kinds}
        lines = ["| objects | there | new | changed | gone |", "| --- | --- | --- | --- | --- |"]
        for kind in self.kinds:
            one = self._of[kind]
            lines.append(f"| {kind} | {counts[kind]:,} | {one.added:,} | {one.changed:,} | {one.gone:,} |")
        return {
            "dagster/row_count": sum(counts.values()),
            "objects": dg.MetadataValue.md("\n".join(lines)),
            "requests": self.requests,
        }

    def _count(self, kind: str) -> int | None:
        table = self._table(kind)
        return self.warehouse.count(self.warehouse.table(table)) if self.warehouse.exists(table) else None

    def _table(self, kind: str) -> str:
        return landed_name(self.source.name, kind)

    def _take(self, found: Objects) -> None:
        one = self._of[found.kind]
        rows = [row for row in found.rows if not self.is_erased(found.kind, row)]
        one.pending += rows
        one.seen.update(str(row[ID]) for row in rows)
        if len(one.pending) >= MERGED_AT_ONCE or found.gone or found.ends_pass:
            self._merge(found.kind)
        if found.gone:
            one.gone += self.warehouse.mark_gone(self._table(found.kind), found.gone)
        if found.ends_pass:
            self._end_pass(found.kind, one)

    def _merge(self, kind: str) -> None:
        one = self._of[kind]
        merged = self.warehouse.merge_objects(self._table(kind), table_of(one.pending)) if one.pending else Merged()
        one.pending = []
        one.added += merged.added
        one.changed += merged.changed

    def _end_pass(self, kind: str, one: _Kind) -> None:
        """Objects that a list of all no longer has are gone, unless they are too many to believe it."""
        table = self._table(kind)
        beyond, there = self.warehouse.gone_beyond(table, one.seen), self.warehouse.gone_beyond(table, ())
        if beyond > 1 and 100 * beyond > self.source.max_gone_pct * there:
            raise SourceError(
                f"{beyond:,} of {there:,} {kind} that {self.source.name} had are in its list no longer, more than "
                f"max_gone_pct ({self.source.max_gone_pct:g} %) allows: nothing was changed. If they were deleted, or the key "
                "is now one of another account, state a larger max_gone_pct once."
            )
        one.gone += self.warehouse.mark_gone_beyond(table, one.seen)
        one.is_whole = True


def _fields_result(drift: Sequence[Drift]) -> RuleResult:
    told = [one.field if one.what == "new" else f"{one.field} ({one.what})" for one in drift]
    named = ", ".join(told[:NAMED]) + (" ..." if len(told) > NAMED else "")
    recovery = (
        f"New or otherwise: {named or 'none'}. They are kept. A new field is read by nothing yet; where one takes the place of "
        "a field that the mapping reads, or one that is gone or of another type was read, name the right one there."
    )
    sample = pd.DataFrame([{"field": one.field, "what": one.what} for one in drift])
    rule = Rule(FIELDS_CHECK, FIELDS_CHECK, FIELDS_TEXT, recovery, "warn")
    return RuleResult(rule, len(drift), len(drift), sample if drift else None)
