"""Which presets fit: a folder, where their sources give rows from the first rows of its files; a schema, by its tables.

What a preset is: `cx_intel.settings.sources.presets`; files that fit none are looked at in `tables.py`.
"""

from collections.abc import Container, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter

from cx_intel.contracts.staging.tables import STAGING
from cx_intel.proposals.words.names import plain
from cx_intel.settings.portfolio import Portfolio
from cx_intel.settings.sources.files import FilesSource
from cx_intel.settings.sources.presets import Preset
from cx_intel.settings.sources.sources import Source
from cx_intel.settings.sources.sql import LandedTable, QueryFiles, SqlSource
from cx_intel.settings.yaml.presets import filled, preset_names, preset_of
from cx_intel.sources.errors import SourceError
from cx_intel.sources.files.content import FilesRead
from cx_intel.sources.files.formats.by_format import read_file
from cx_intel.sources.files.paths import file_sets, source_files
from cx_intel.warehouse.duckdb.files.landed import bare
from cx_intel.warehouse.duckdb.files.nested import nested
from cx_intel.warehouse.duckdb.files.reading import read_files
from cx_intel.warehouse.duckdb.queries.queries import read_query

_SOURCE: TypeAdapter[Source] = TypeAdapter(Source)


@dataclass(frozen=True)
class PresetProposal:
    """A preset that fits a folder.

    Attributes:
        name: The preset.
        folder: The folder, below the one looked at; empty for that itself.
        tables: The canonical tables whose sources gave rows.
        on_request: Those that the preset gives only where they are named.
        missing: The tables whose files the folder lacks.
        files: The files that they read, relative to the folder looked at.
        accounts: The ids of the accounts that they gave.
        account_key: Its option of that name, where it has to be stated.
    """

    name: str
    folder: str
    tables: tuple[str, ...]
    on_request: tuple[str, ...]
    missing: tuple[str, ...]
    files: frozenset[str]
    accounts: frozenset[str]
    account_key: str = ""


def fitting(samples: Path, portfolio: Portfolio) -> list[PresetProposal]:
    """The presets that fit a folder of samples or folders in it, each file read by one of them alone.

    Args:
        samples: First rows of files, in folders as they lie.
        portfolio: Gives the contracts of the tables.
    """
    folders = sorted({samples, *(path for path in samples.rglob("*") if path.is_dir())})
    names = [name for name in preset_names() if set(preset_of(name).takes) == {"folder"}]
    tried: list[PresetProposal] = []
    for folder in folders:
        below = {path.relative_to(samples).as_posix() for path in folder.rglob("*") if path.is_file()}
        # of a folder above, such as one that has a folder for each day
        read = {found.name for found in tried if not found.missing and below <= found.files}
        tried += [found for name in names if name not in read and (found := _tried(name, folder, samples, portfolio))]
    chosen: list[PresetProposal] = []
    for proposal in sorted(tried, key=lambda p: (-len(p.tables), -len(p.files), p.name)):
        if not any(proposal.files & other.files or proposal.name == other.name for other in chosen):
            chosen.append(proposal)
    return sorted(chosen, key=lambda p: (p.folder, p.name))


@dataclass(frozen=True)
class LandedProposal:
    """A preset that fits a schema of a database: its name, the schema, and the canonical tables that it delivers."""

    name: str
    schema: str
    tables: tuple[str, ...]


def fitting_schemas(schemas: Mapping[str, Mapping[str, Sequence[str]]]) -> list[LandedProposal]:
    """The presets of landed tables that fit a schema: all tables and columns are there that may not be missing.

    Args:
        schemas: Schema: its tables, each with its columns.
    """
    names = [name for name in preset_names() if "schema" in preset_of(name).takes]
    found = [(schema, name, _landed(name, tables)) for schema, tables in schemas.items() for name in names]
    return [LandedProposal(name, schema, tables) for schema, name, tables in sorted(found) if tables]


def _landed(name: str, given: Mapping[str, Sequence[str]]) -> tuple[str, ...]:
    """The tables that a preset could deliver from those of a schema; none where any of them lacks something."""
    preset = preset_of(name)
    there = {table.lower(): {bare(column) for column in columns} for table, columns in given.items()}
    tables = []
    for entry in preset.sources:
        source = _SOURCE.validate_python(filled(entry, preset.examples))
        needed = source.tables.values() if isinstance(source, SqlSource) else ()
        if all(_is_there(table, there) for table in needed if not table.may_be_missing):
            tables.append(str(entry["table"]))
        elif entry["table"] not in (*preset.alone, *preset.on_request):
            return ()
    return tuple(table for table in tables if table not in preset.on_request)


def _is_there(table: LandedTable, there: Mapping[str, Container[str]]) -> bool:
    columns = next((there[n] for stated in table.names if (n := stated.rsplit(".", 1)[-1].lower()) in there), None)
    needed = [name for name in table.columns if name not in table.optional]
    return columns is not None and all(any(bare(spelt) in columns for spelt in table.names_of(n)) for n in needed)


def _tried(name: str, folder: Path, samples: Path, portfolio: Portfolio) -> PresetProposal | None:
    preset = preset_of(name)
    given: dict[str, FilesRead] = {}
    files: set[str] = set()
    for table, source in _sources(preset, folder):
        if (read := _read(table, source, portfolio)) is not None:
            given[table] = read
            sets = [source_files(declared, {}, of) for declared, of in file_sets(source)]
            files |= {file.path.relative_to(samples).as_posix() for found in sets for file in found}
    always = [table for table in preset.tables if table not in preset.on_request]
    telling = [table for table in always if table not in preset.alone and table in given]
    if not any(given[table].table.num_rows for table in telling):
        return None
    place = folder.relative_to(samples).as_posix()
    accounts = given["accounts"].table["account_id"].drop_null().to_pylist() if "accounts" in given else []
    return PresetProposal(
        name,
        "" if place == "." else place,
        tables=tuple(table for table in always if table in given),
        on_request=tuple(table for table in preset.on_request if table in given),
        missing=tuple(table for table in always if table not in given and table not in preset.alone),
        files=frozenset(files),
        accounts=frozenset(map(str, accounts)),
    )


def _sources(preset: Preset, folder: Path) -> Iterator[tuple[str, Source]]:
    for entry in preset.sources:
        values: Mapping[str, Any] = filled(entry, {**preset.examples, "folder": str(folder)})
        yield entry["table"], _SOURCE.validate_python(values)


def _read(table: str, source: Source, portfolio: Portfolio) -> FilesRead | None:
    """What a source gives; None where it cannot be read, or its files lack most of the columns that it knows."""
    contract = STAGING[table](portfolio)
    try:
        if isinstance(source, SqlSource):
            if not all(
                _is_alike(files, of) for files, (_, of) in zip(source.files.values(), file_sets(source), strict=True)
            ):
                return None
            return read_query(source, contract=contract, environment={}, is_sample=True)
        if isinstance(source, FilesSource):
            return read_files(source, contract=contract, environment={}, is_sample=True)
    except SourceError:
        pass
    return None


def _is_alike(files: QueryFiles, of: str) -> bool:
    """Whether one of the files has at least half of the columns that the preset names: any export may have an id and a
    date, and of calls by the day not all days have each kind.
    """
    if files.may_be_missing:
        return True
    return any(_has_most(read_file(file, files).columns, files) for file in source_files(files, {}, of))


def _has_most(columns: tuple[str, ...], files: QueryFiles) -> bool:
    given = {plain(name) for name in columns}
    wanted = dict.fromkeys([*files.columns, *files.optional])
    have = [name for name in wanted if any(plain(s) in given or nested(s, columns) for s in files.names_of(name))]
    return 2 * len(have) >= len(wanted)
