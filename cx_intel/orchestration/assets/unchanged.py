"""Leaves out the steps of a run that would make what stands there already, and tells Dagster of them what was told before.

Here is decided what a step is made by beyond the tables that it reads: the program, the settings, the days. What it has
read, and whether that has changed since, is noted by the warehouse (`Warehouse.made_before`).
"""

import hashlib
import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import dagster as dg

from cx_intel.orchestration.dagster_internals import recorded
from cx_intel.settings.portfolio import Portfolio
from cx_intel.warehouse.processes.program import program, time_zone
from cx_intel.warehouse.protocol import Warehouse

REBUILD_TAG = "cx_intel/rebuild"
"""A run with this tag executes every step."""
UNCHANGED = "unchanged"
"""Metadata of a step that was left out."""
MAYBE_ZONES = re.compile(r'"([A-Z][A-Za-z]+(?:/[A-Za-z0-9_+-]+)*)"')
"""Texts of the settings that may name a time zone, whichever setting it is."""

NOT_JUDGING = {"automation", "description", "playbooks", "publish", "reports", "retention", "warehouse", "write_back"}
"""The blocks of a portfolio on which neither the score of a past day depends nor what followed."""


@dataclass(frozen=True)
class Making:
    """One step of a run: what it makes, and by which recipe.

    Attributes:
        warehouse: Through which the step reads everything.
        key: Its asset.
        recipe: Tells all that decides about the outcome beside what is read through the warehouse.
        is_wanted: It is to be executed, whatever is remembered.
    """

    warehouse: Warehouse
    key: dg.AssetKey
    recipe: str
    is_wanted: bool

    @property
    def _name(self) -> str:
        return self.key.path[-1]

    def told_before(self) -> "Told | None":
        """What was told when it was last made, where it would come out the same now and its files are there."""
        text = None if self.is_wanted else self.warehouse.made_before(self._name, self.recipe)
        told = None if text is None else Told.unpacked(text)
        return told if told and told.has_its_files() else None

    def begin(self) -> None:
        """It is being made: what is remembered of it holds no longer, however this ends."""
        self.warehouse.forget_made(self._name)

    def remember(
        self,
        metadata: Mapping[str, Any],
        *,
        checks: Sequence[dg.AssetCheckEvaluation] = (),
        files: Iterable[Path] = (),
    ) -> None:
        """It was made, and this is what there is to tell of it; of a table, in the transaction that writes it."""
        made = tuple((str(file.absolute()), _look(file)) for file in files)
        told = Told(dg.AssetMaterialization(self.key, metadata=metadata), tuple(checks), made)
        self.warehouse.remember_made(self._name, self.recipe, told.packed())


@dataclass(frozen=True)
class Told:
    """What Dagster is told of a step: its materialization, and what its checks found.

    Attributes:
        materialization: Of the table or the files.
        checks: What was found.
        files: The files that were made, and what each looks like.
    """

    materialization: dg.AssetMaterialization
    checks: tuple[dg.AssetCheckEvaluation, ...] = ()
    files: tuple[tuple[str, str], ...] = ()

    def packed(self) -> str:
        return json.dumps([dg.serialize_value([self.materialization, *self.checks]), self.files])

    @staticmethod
    def unpacked(text: str) -> "Told":
        events, files = json.loads(text)
        materialization, *checks = dg.deserialize_value(events, list)
        return Told(materialization, tuple(checks), tuple((name, look) for name, look in files))

    def has_its_files(self) -> bool:
        """Whether each is there as it was written."""
        try:
            return all(_look(Path(name)) == look for name, look in self.files)
        except OSError:
            return False

    def result(self) -> dg.MaterializeResult:  # type: ignore[type-arg]
        """The materialization once more, marked as unchanged."""
        metadata = {**self.materialization.metadata, UNCHANGED: dg.MetadataValue.bool(True)}
        return dg.MaterializeResult(asset_key=self.materialization.asset_key, metadata=metadata)

    def again(self, specs: Iterable[dg.AssetCheckSpec]) -> Iterator[Any]:
        """All of it once more."""
        yield from recorded(self.checks, specs)
        yield self.result()


def _look(file: Path) -> str:
    """Its size and time: a restored warehouse may remember files that were written anew since."""
    stat = file.stat()
    return f"{stat.st_size}/{stat.st_mtime_ns}"


def making(
    context: dg.AssetExecutionContext,
    warehouse: Warehouse,
    key: dg.AssetKey,
    portfolio: Portfolio,
    days: tuple[date, ...],
    *more: object,
) -> Making:
    """A step of the run.

    Args:
        context: Of the run.
        warehouse: Of the step, from its beginning.
        key: The asset.
        portfolio: Its settings, all of which count.
        days: Those of the run.
        more: What else decides about the outcome.
    """
    return Making(warehouse, key, recipe_of(key, portfolio, days, *more), REBUILD_TAG in context.run.tags)


def making_of_backtest(
    context: dg.AssetExecutionContext,
    warehouse: Warehouse,
    key: dg.AssetKey,
    portfolio: Portfolio,
    days: tuple[date, ...],
) -> Making:
    """A step of the back-test, which another day does not make another: only a new month end, or settings that judge."""
    recipe = hashlib.sha256(json.dumps([key.path, fingerprint(portfolio, days[-1])]).encode()).hexdigest()
    return Making(warehouse, key, recipe, REBUILD_TAG in context.run.tags)


def fingerprint(portfolio: Portfolio, as_of: date) -> str:
    """Tells whether a back-test would be another: its newest month end, the settings that it depends on, the program."""
    following = as_of + timedelta(days=1)
    parts = [program(), f"{following:%Y-%m}", portfolio.model_dump_json(exclude=NOT_JUDGING)]
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()


def recipe_of(key: dg.AssetKey, portfolio: Portfolio, days: tuple[date, ...], *more: object) -> str:
    """A fingerprint of what decides about the outcome of a step beside the tables that it reads."""
    settings = portfolio.model_dump_json()
    zones = [time_zone(name) for name in sorted(set(MAYBE_ZONES.findall(settings)))]
    parts = [program(), zones, settings, key.path, [day.isoformat() for day in days], more]
    return hashlib.sha256(json.dumps(parts, default=str).encode()).hexdigest()
