"""Brings in what is read whole at each change, and the days that a synthetic world makes.

What a source delivers is staged beside the table that stands and takes its place. What is read in parts is in
`raw_files.py` and `raw_cursors.py`, the asset in `raw.py`.
"""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import ibis
import ibis.expr.types as ir
import pandas as pd

from cx_intel.contracts.contract import Kind
from cx_intel.contracts.delivered import DELIVERED_DAY, delivered_columns
from cx_intel.contracts.staging.tables import STAGING
from cx_intel.orchestration.assets.delivery.admission import refuse_unknown_currencies
from cx_intel.orchestration.assets.delivery.raw_files import READ_PREFIX, FilesDelivery
from cx_intel.orchestration.assets.metadata import shown
from cx_intel.privacy.guard import Guard
from cx_intel.settings.portfolio import Portfolio
from cx_intel.settings.sources.sources import Source
from cx_intel.settings.sources.sql import SqlSource
from cx_intel.settings.sources.synthetic import SyntheticSource
from cx_intel.sources.errors import SourceError
from cx_intel.sources.files.digests import digest_of_files, read_settled
from cx_intel.sources.files.known import KnownFile
from cx_intel.sources.files.paths import file_sets, source_files
from cx_intel.warehouse.protocol import Rows, Warehouse

if TYPE_CHECKING:
    from cx_intel.demo_data import World


@dataclass(frozen=True)
class WholeDelivery:
    """A source whose rows take the place of the whole raw table, or of the days that a world makes.

    Attributes:
        source: Of the table.
        table: The canonical table.
        part: The name of what it delivers.
        kind: How the raw table is kept.
        portfolio: Whose source.
        variables: What `${NAME}` in the source's settings is taken from.
        guard: Keeps the erased out.
        warehouse: Where the rows go; a transaction is open.
        by_file: Reads what is new of a query over each file, where the source is one.
    """

    source: Source
    table: str
    part: str
    kind: Kind
    portfolio: Portfolio
    variables: Mapping[str, str]
    guard: Guard
    warehouse: Warehouse
    by_file: FilesDelivery | None = None

    def take(self, days: tuple[date, ...]) -> tuple[tuple[date, ...], dict[str, Any]]:
        """Swaps the rows of the source in; the days that were written, and metadata.

        Args:
            days: Those of the run; the last one dates a load.

        Raises:
            SourceError: The source cannot be read, or delivers what would make figures wrong.
        """
        if isinstance(self.source, SyntheticSource) and self.kind == "by_day":
            return self._take_days(self.source, days)
        name, table = f"raw_{self.part}", self.table
        files: list[KnownFile] = []
        if self.by_file:
            rows, files, told = self.by_file.rows()
        else:
            rows, told = self._rows(days[-1])
        rows = self.guard.admit(table, rows, days[-1], self.warehouse, self.portfolio.system_of(table), self.part)
        self.warehouse.stage(name, [rows])
        metadata = self._judged(name, days[-1])
        self.warehouse.swap(name, stands_at=days[-1])
        self.warehouse.discard(READ_PREFIX + self.part)
        if self.by_file:
            self.warehouse.remember_files(name, files)
            self.by_file.discard()
        return (), metadata | told

    def _take_days(self, source: SyntheticSource, days: tuple[date, ...]) -> tuple[tuple[date, ...], dict[str, Any]]:
        name, table, warehouse = f"raw_{self.part}", self.table, self.warehouse
        written, state = _days_to_make(source, warehouse, name, days)
        world = world_of(source.model_dump_json())
        admitted = (self.guard.admit(table, world.day(table, day), day, warehouse) for day in written)
        warehouse.stage(name, _dated(admitted, written, table, self.portfolio))
        metadata = self._judged(name, days[-1])
        warehouse.swap(name, column=DELIVERED_DAY, days=written, state=state)
        return written, metadata

    def _judged(self, name: str, as_of: date) -> dict[str, Any]:
        """Metadata of the staged rows, which are in currencies that are known."""
        staged = self.warehouse.staged(name)
        refuse_unknown_currencies(self.table, staged, self.warehouse, self.portfolio)
        return shown(STAGING[self.table](self.portfolio), staged, as_of, self.warehouse)

    def _rows(self, as_of: date) -> tuple[ir.Table | pd.DataFrame, dict[str, Any]]:
        source, table = self.source, self.table
        if isinstance(source, SyntheticSource):
            return world_of(source.model_dump_json()).table(table, as_of), {}
        contract = STAGING[table](self.portfolio)
        if isinstance(source, SqlSource):
            name, variables, warehouse = READ_PREFIX + self.part, self.variables, self.warehouse
            ignored = read_settled(
                lambda: warehouse.stage_query(name, source, contract=contract, environment=variables), source, variables
            )
            return warehouse.staged(name), _told(ignored)
        read = read_settled(
            lambda: self.warehouse.read_files(source, contract=contract, environment=self.variables),
            source,
            self.variables,
        )
        return ibis.memtable(read.raw()), _told(read.ignored_columns, read.left_out)


def _told(ignored: Sequence[str], left_out: int = 0) -> dict[str, Any]:
    told: dict[str, Any] = {"ignored_columns": ", ".join(ignored), "rows_left_out": left_out}
    return {name: value for name, value in told.items() if value}


def refuse_lost_files(
    source: Source, kind: Kind, variables: Mapping[str, str], name: str, warehouse: Warehouse
) -> None:
    """Raises SourceError where no file of a query is there any more and its rows would go with them.

    Each of the files may be missing, or the reading of them would say so; that all are gone at once is a lost mount.
    """
    if not isinstance(source, SqlSource) or source.connection or source.landed:
        return
    if kind == "by_day" and not source.takes_gone_files_back:
        return
    sets = file_sets(source)
    if any(source_files(files, variables, of) for files, of in sets) or not warehouse.exists(name):
        return
    if count := warehouse.count(warehouse.table(name)):
        paths = ", ".join(f"`{files.path}`" for files, _ in sets)
        raise SourceError(
            f"None of the files of the {source.title} is there, {paths}, and {count:,} rows came from such files before. "
            "Mount the folder, mend the path, or put the files back; if they are meant to be gone, put a file in their "
            "place that has but the names of its columns."
        )


def digest_of(source: Source, variables: Mapping[str, str]) -> str | None:
    """What the source delivers, as far as its files or its settings tell; None where only asking for it does."""
    if isinstance(source, SyntheticSource):
        return source.model_dump_json()
    if isinstance(source, SqlSource) and source.landed and not source.files and not source.connection:
        return "landed"  # which is read through the warehouse, and noted there
    return digest_of_files(source, variables)


def _dated(frames: Iterable[Rows], days: Iterable[date], table: str, portfolio: Portfolio) -> Iterator[Rows]:
    """The rows of each day with the day that delivered them; a frame without any says nothing of types: they are stated."""
    known = {column.name: column.type for column in delivered_columns(STAGING[table](portfolio))}
    for frame, day in zip(frames, days, strict=True):
        if isinstance(frame, ir.Table):
            yield frame.mutate(**{DELIVERED_DAY: ibis.literal(day)})
        elif not frame.empty:
            yield frame.assign(**{DELIVERED_DAY: day})
        else:
            types = {**{name: known.get(name, "string") for name in frame.columns}, DELIVERED_DAY: "date"}
            yield ibis.memtable(pd.DataFrame(columns=list(types)), schema=ibis.schema(types))


@lru_cache(maxsize=4)
def world_of(source: str) -> "World":
    """The world of a synthetic source (its settings as JSON): made once, it remembers its accounts' lives."""
    settings = SyntheticSource.model_validate(json.loads(source))
    from cx_intel.demo_data import build_world  # with it come names of people and companies, which few runs need

    return build_world(
        world=settings.world,
        seed=settings.seed,
        accounts=settings.accounts,
        starts_on=settings.starts_on,
        events_from=settings.events_from,
    )


def _days_to_make(
    source: SyntheticSource, warehouse: Warehouse, name: str, days: tuple[date, ...]
) -> tuple[tuple[date, ...], dict[date, str]]:
    """The days of the run, and the earlier ones that are missing or of another world."""
    version = source.model_dump_json(include={"world", "seed", "accounts", "starts_on", "events_from"})
    built = warehouse.day_state(name)
    span = range((days[-1] - source.events_from).days + 1)
    all_days = (source.events_from + timedelta(days=n) for n in span)
    missing = {day for day in all_days if built.get(day) != version}
    gone = {day for day in built if day < source.events_from}
    chosen = tuple(sorted(missing | gone | set(days)))
    return chosen, dict.fromkeys(chosen, version)
