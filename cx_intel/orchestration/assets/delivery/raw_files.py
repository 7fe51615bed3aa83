"""Brings in the events of a source of files: the file is the unit, and what is delivered is kept by the day of the event.

Only new and changed files are read; their rows take the place of those that they gave before. How other raw tables come
in is in `raw.py`, which days are judged again in `judged_days.py`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import dagster as dg

from cx_intel.contracts.delivered import DELIVERED_DAY, delivered_columns
from cx_intel.contracts.staging.tables import STAGING
from cx_intel.models.staging.event_days import with_event_day
from cx_intel.privacy.guard import Guard
from cx_intel.settings.portfolio import Portfolio
from cx_intel.settings.sources.files import FilesSource
from cx_intel.sources.errors import SourceError
from cx_intel.sources.files.known import FileChanges, KnownFile, changes, recipe_of
from cx_intel.sources.files.mapping import check_mapping
from cx_intel.sources.files.paths import file_sets, source_files
from cx_intel.warehouse.protocol import Warehouse

NAMED = 20


@dataclass(frozen=True)
class FilesDelivery:
    """The files of one source, and the raw table that holds their rows.

    Attributes:
        source: The files.
        portfolio: Whose source.
        variables: What `${NAME}` in the source's path is taken from.
        guard: Keeps the erased out.
        warehouse: Where the rows go; a transaction is open.
    """

    source: FilesSource
    portfolio: Portfolio
    variables: Mapping[str, str]
    guard: Guard
    warehouse: Warehouse

    def take(self, as_of: date) -> tuple[tuple[date, ...], dict[str, Any]]:
        """Reads what is new into the raw table; the days that changed, and metadata that tells of the files.

        Args:
            as_of: The day of the run, which a load is dated by.
        """
        table, name, warehouse = self.source.table, f"raw_{self.source.table}", self.warehouse
        contract = STAGING[table](self.portfolio)
        recipe = recipe_of(
            self.source, [column.name for column in delivered_columns(contract)], self.portfolio.time_zone
        )
        try:
            check_mapping(self.source, contract)
            ((declared, of),) = file_sets(self.source)
            is_by_day = warehouse.exists(name) and DELIVERED_DAY in warehouse.table(name).columns
            known = warehouse.known_files(name) if is_by_day else {}
            found = changes(source_files(declared, self.variables, of), known, recipe)
            read = []
            if found.to_read:
                read = warehouse.stage_files(
                    name,
                    self.source,
                    found.to_read,
                    contract=contract,
                    recipe=recipe,
                    with_day=lambda rows: with_event_day(rows, table=table, portfolio=self.portfolio),
                )
        except SourceError as error:
            raise dg.Failure(str(error), allow_retries=False) from error
        taken_back = self._taken_back(found.gone, read)
        days: tuple[date, ...] = ()
        if found.to_read or taken_back:
            if found.to_read:
                self._admit(name, as_of)
            else:
                warehouse.stage(name, [], like=warehouse.table(name).schema())
            replaced = [*(file.name for file in found.to_read if file.name in known), *(f.name for f in taken_back)]
            days = warehouse.swap_files(name, replaced, is_whole=not known)
        now = (*found.standing, *read, *(file for file in found.gone if file not in taken_back))
        if known != {file.name: file for file in now}:
            warehouse.remember_files(name, now)
        return days, _told(found, taken_back, now)

    def _taken_back(self, gone: Sequence[KnownFile], read: Sequence[KnownFile]) -> tuple[KnownFile, ...]:
        """The files whose rows go with them: where the settings say so, and those that only have another name now."""
        contents = {file.digest for file in read}
        return tuple(file for file in gone if self.source.takes_gone_files_back or file.digest in contents)

    def _admit(self, name: str, as_of: date) -> None:
        """Takes what is delivered of erased people out of the staged rows."""
        staged = self.warehouse.staged(name)
        admitted = self.guard.admit(self.source.table, staged, as_of, self.warehouse, self.source.system)
        if admitted is not staged:
            kept = self.warehouse.stage(f"admitted_{name}", [admitted])
            self.warehouse.stage(name, [kept])
            self.warehouse.discard(f"admitted_{name}")


def _told(found: FileChanges, taken_back: Sequence[KnownFile], now: Sequence[KnownFile]) -> dict[str, Any]:
    told: dict[str, Any] = {"files_read": len(found.to_read), "files_as_they_were": len(found.standing)}
    kept = [file.name for file in found.gone if file not in taken_back]
    lists = {
        "files_gone": kept,
        "files_taken_back": [file.name for file in taken_back],
        "ignored_columns": sorted({column for file in now for column in file.ignored_columns}),
    }
    return told | {name: _listed(values) for name, values in lists.items() if values}


def _listed(values: Sequence[str]) -> str:
    more = f" and {len(values) - NAMED} more" if len(values) > NAMED else ""
    return ", ".join(values[:NAMED]) + more
