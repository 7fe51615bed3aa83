"""Brings in what is read file by file: events, kept by their day, and what a query gives of each file.

Only new and changed files are read; their rows take the place of those that they gave before. How other raw tables come
in is in `raw.py`, which days are judged again in `judged_days.py`.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from functools import partial, reduce
from typing import Any

import ibis
import ibis.expr.types as ir
import pandas as pd

from cx_intel.contracts.contract import Contract
from cx_intel.contracts.delivered import DELIVERED_DAY, RAW_MARKS, delivered_columns
from cx_intel.contracts.staging.tables import STAGING
from cx_intel.models.staging.event_days import with_event_day
from cx_intel.orchestration.assets.delivery.admission import admit_staged, stage_again
from cx_intel.orchestration.assets.unchanged import UNCHANGED
from cx_intel.privacy.guard import Guard
from cx_intel.settings.portfolio import Portfolio
from cx_intel.settings.sources.files import FilesSource
from cx_intel.settings.sources.sql import SqlSource
from cx_intel.sources.files.known import FileChanges, KnownFile, changes, recipe_of
from cx_intel.sources.files.mapping import check_mapping
from cx_intel.sources.files.paths import file_sets, source_files
from cx_intel.warehouse.protocol import Warehouse

NAMED = 20
READ_PREFIX = "read_"
"""Begins the name under which rows stand that were read now, until those of the other files are put below them."""


@dataclass(frozen=True)
class FilesDelivery:
    """The files of one source, and the raw table that holds their rows.

    Attributes:
        name: The raw table.
        source: The files, or the query over each of them.
        portfolio: Whose source.
        variables: What `${NAME}` in the source's path is taken from.
        guard: Keeps the erased out.
        warehouse: Where the rows go; a transaction is open.
    """

    name: str
    source: FilesSource | SqlSource
    portfolio: Portfolio
    variables: Mapping[str, str]
    guard: Guard
    warehouse: Warehouse

    def take(self, as_of: date) -> tuple[tuple[date, ...], dict[str, Any]]:
        """Reads what is new of events into the raw table; the days that changed, and metadata that tells of the files.

        Args:
            as_of: The day of the run, which a load is dated by.

        Raises:
            SourceError: Files are not there or cannot be read.
        """
        name, warehouse = self.name, self.warehouse
        with_day = partial(with_event_day, table=self.source.table, portfolio=self.portfolio)
        is_by_day = warehouse.exists(name) and DELIVERED_DAY in warehouse.table(name).columns
        known = warehouse.known_files(name) if is_by_day else {}
        recipe, found = self._look(known)
        read = self._read(name, found, recipe, with_day)
        taken_back = self._taken_back(found, read)
        kept = [file for file in found.gone if file not in taken_back]
        dated_otherwise = [file for file in kept if file.recipe != recipe]
        days: tuple[date, ...] = ()
        if found.to_read or taken_back or dated_otherwise:
            if found.to_read:
                admit_staged(name, self.source, as_of, self.guard, self.warehouse)
            else:
                warehouse.stage(name, [], like=warehouse.table(name).schema())
            if dated_otherwise:
                self._date_again(name, dated_otherwise, with_day)
            changed = [file.name for files in (found.to_read, taken_back, dated_otherwise) for file in files]
            replaced = [name for name in changed if name in known]
            days = warehouse.swap_files(name, replaced, is_whole=not known)
        now = (*found.unchanged, *read, *(replace(file, recipe=recipe) for file in kept))
        if known != {file.name: file for file in now}:
            warehouse.remember_files(name, now)
        return days, _metadata(found, taken_back, now) | ({} if days else {UNCHANGED: True})

    def rows(self) -> tuple[ir.Table, list[KnownFile], dict[str, Any]]:
        """All rows of a table without days, what is new read now; the files, to be remembered with them; and metadata.

        Rows of files that are gone are gone too.
        """
        name, warehouse = self.name, self.warehouse
        known = warehouse.known_files(name) if warehouse.exists(name) else {}
        recipe, found = self._look(known)
        new = READ_PREFIX + name
        read = self._read(new, found, recipe, lambda rows: rows)
        parts = [warehouse.staged(new)] if read else []
        if found.unchanged:
            rows = warehouse.table(name)
            parts.append(rows.filter(rows["_source_file"].isin([file.name for file in found.unchanged])))
        if not parts:
            cells = {column.name: "string" for column in delivered_columns(self._contract)}
            parts.append(
                ibis.memtable(pd.DataFrame(columns=[*cells, *RAW_MARKS]), schema=ibis.schema(cells | RAW_MARKS))
            )
        now = [*found.unchanged, *read]
        return _below_each_other(parts), now, _metadata(found, found.gone, now)

    def discard(self) -> None:
        """Drops what stood of the files that were read now."""
        self.warehouse.discard(READ_PREFIX + self.name)

    @property
    def _contract(self) -> Contract:
        return STAGING[self.source.table](self.portfolio)

    def _look(self, known: Mapping[str, KnownFile]) -> tuple[str, FileChanges]:
        """How files are read now, and which of them have to be."""
        recipe = recipe_of(
            self.source, [column.name for column in delivered_columns(self._contract)], self.portfolio.time_zone
        )
        check_mapping(self.source, self._contract)
        ((declared, of),) = file_sets(self.source)
        return recipe, changes(source_files(declared, self.variables, of), known, recipe)

    def _read(
        self, name: str, found: FileChanges, recipe: str, with_day: Callable[[ir.Table], ir.Table]
    ) -> list[KnownFile]:
        """Stages the rows of what has to be read; the files as they were then."""
        if not found.to_read:
            return []
        return self.warehouse.stage_files(
            name, self.source, found.to_read, contract=self._contract, recipe=recipe, with_day=with_day
        )

    def _taken_back(self, found: FileChanges, read: Sequence[KnownFile]) -> tuple[KnownFile, ...]:
        """The files whose rows go with them: where the settings say so, and those that only have another name now.

        A new file of the same name but for `.gz` is the same, compressed or unpacked.
        """
        if self.source.takes_gone_files_back:
            return found.gone
        contents = {file.digest for file in (*found.unchanged, *read)}
        names = {file.name.removesuffix(".gz") for file in read}
        return tuple(file for file in found.gone if file.digest in contents or file.name.removesuffix(".gz") in names)

    def _date_again(self, name: str, files: Sequence[KnownFile], with_day: Callable[[ir.Table], ir.Table]) -> None:
        """Adds to the staged rows those of files that cannot be read again, by their days as the settings are now."""
        staged, rows = self.warehouse.staged(name), self.warehouse.table(name)
        rows = rows.filter(rows["_source_file"].isin([file.name for file in files])).rename(_day_before=DELIVERED_DAY)
        rows = with_day(rows)
        rows = rows.mutate(**{DELIVERED_DAY: ibis.coalesce(rows[DELIVERED_DAY], rows["_day_before"])})
        cells = {
            column: rows[column].cast(kind) if column in rows.columns else ibis.null(kind)
            for column, kind in staged.schema().items()
        }
        stage_again(name, self.warehouse, staged, rows.select(**cells))


def _below_each_other(parts: Sequence[ir.Table]) -> ir.Table:
    """Rows that are read at different times; a column that may be delivered since then is null before."""
    first, *more = parts
    cells = first.schema().items()
    return reduce(
        lambda rows, part: rows.union(
            part.select(**{n: part[n].cast(kind) if n in part.columns else ibis.null(kind) for n, kind in cells})
        ),
        more,
        first,
    )


def _metadata(found: FileChanges, taken_back: Sequence[KnownFile], now: Sequence[KnownFile]) -> dict[str, Any]:
    counted: dict[str, Any] = {"files_read": len(found.to_read), "files_as_they_were": len(found.unchanged)}
    if left_out := sum(file.left_out for file in now):
        counted["rows_left_out"] = left_out
    kept = [file.name for file in found.gone if file not in taken_back]
    lists = {
        "files_gone": kept,
        "files_taken_back": [file.name for file in taken_back],
        "ignored_columns": sorted({column for file in now for column in file.ignored_columns}),
    }
    return counted | {name: _listed(values) for name, values in lists.items() if values}


def _listed(values: Sequence[str]) -> str:
    more = f" and {len(values) - NAMED} more" if len(values) > NAMED else ""
    return ", ".join(values[:NAMED]) + more
