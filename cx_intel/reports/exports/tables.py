"""Exports of a portfolio's tables: CSV and Parquet files of one day, written by the engine, with a manifest.

What is exported and how a table becomes a file stands here; that a folder of files appears at once or not at all is seen
to in `folders.py`, the workbook for leaders is made in `cx_intel.reports.workbook`. Text in CSV is guarded against
spreadsheets that run formulas (`workbook/spreadsheet_safety.py`); Parquet is exact.
"""

import json
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from types import MappingProxyType

import ibis
import ibis.expr.types as ir

from cx_intel.contracts.catalog import contract_of, has_all_days, tables_of
from cx_intel.contracts.contract import Contract
from cx_intel.reports.data.report_data import ReportData
from cx_intel.reports.data.row_order import in_order
from cx_intel.reports.exports.folders import ExportFolders
from cx_intel.reports.made_from import MadeFiles, fingerprint_of
from cx_intel.reports.workbook.spreadsheet_safety import guarded_columns
from cx_intel.reports.workbook.workbook import WORKBOOK_TABLES, workbook_name, write_workbook
from cx_intel.settings.base import Misfit
from cx_intel.settings.portfolio import Portfolio
from cx_intel.warehouse.processes.program import program
from cx_intel.warehouse.protocol import FileFormat, Warehouse

MANIFEST = "manifest.json"
TABLE_FORMS: tuple[FileFormat, ...] = ("csv", "parquet")


@dataclass(frozen=True)
class ExportedFile:
    """One file of an export; `rows` is None for a file that is no table."""

    name: str
    table: str
    rows: int | None
    bytes: int


@dataclass(frozen=True)
class Export:
    """What was exported.

    Attributes:
        folder: The folder of the day.
        latest: What leads to the newest one.
        files: Its files.
        missing: Chosen tables that the warehouse has not.
        removed: Days whose exports were removed, being beyond those to keep.
    """

    folder: Path
    latest: Path
    files: tuple[ExportedFile, ...]
    missing: tuple[str, ...]
    removed: tuple[date, ...]

    @property
    def rows(self) -> Mapping[str, int]:
        """Rows of each table."""
        return MappingProxyType({f.table: f.rows for f in self.files if f.rows is not None})

    @property
    def bytes(self) -> int:
        return sum(f.bytes for f in self.files)


def exported_tables(portfolio: Portfolio) -> tuple[str, ...]:
    """The tables that a portfolio exports as CSV and Parquet, in the order of the graph; those of people only by name."""
    chosen = portfolio.reports.export_tables
    if chosen != "all":
        return tuple(table for table in tables_of(portfolio) if table in chosen)
    contracts = (contract_of(table, portfolio) for table in tables_of(portfolio))
    return tuple(c.table for c in contracts if c.layer != "staging" and not has_all_days(c) and not c.personal_columns)


def check_exports(portfolio: Portfolio) -> None:
    """Raises Misfit when a table is to be exported that the portfolio has not."""
    chosen = portfolio.reports.export_tables
    if chosen == "all":
        return
    known = tables_of(portfolio)
    for place, table in enumerate(chosen):
        if table not in known:
            raise Misfit(
                f"{portfolio.name} has no table {table!r}; there are {', '.join(known)}",
                ("reports", "export_tables", place),
            )


def rows_of(contract: Contract, as_of: date, portfolio: Portfolio, warehouse: Warehouse) -> ir.Table:
    """The rows of a table that an export of a day holds: of a snapshot, those of the day; by rank, else by grain."""
    rows = warehouse.table(contract.table)
    if contract.kind == "snapshot":  # not the view of the newest: of a day without rows, none are exported
        rows = rows.filter(rows.as_of == ibis.literal(as_of))
    return in_order(rows, contract)


def export(data: ReportData, warehouse: Warehouse, folder: Path) -> Export:
    """Writes the exports of a day: all of its files appear at once, then what leads to the newest is switched.

    Files that would come out the same are left as they are; on another day, those of a table whose rows did not change are
    copied from the newest export.

    Args:
        data: Of the newest day; its portfolio's `reports` block says which forms, which tables, and how many days are
            kept.
        warehouse: Where the tables are.
        folder: That of the portfolio's exports.
    """
    portfolio, as_of, forms = data.portfolio, data.as_of, data.portfolio.reports.exports
    names = exported_tables(portfolio) if set(TABLE_FORMS) & set(forms) else ()
    present = [name for name in names if warehouse.exists(name)]
    folders = ExportFolders(folder)
    missing = tuple(name for name in names if name not in present)
    of_day = {name: as_of if contract_of(name, portfolio).kind == "snapshot" else None for name in present}
    contents = {
        name: f"{program()} {contract_of(name, portfolio).grain} {told}"
        for name, told in warehouse.fingerprints(of_day).items()
    }
    made = MadeFiles(folder, fingerprint_of(data, repr(contents)))
    if made.are_current() and folders.is_newest(as_of):
        return Export(folders.of(as_of), folders.latest, _written(folders.of(as_of)), missing, ())
    with folders.writing(as_of) as target:
        files = _write_tables(present, data, warehouse, target, _unchanged(made, contents))
        if "xlsx" in forms and all(warehouse.exists(t) for t in WORKBOOK_TABLES):
            workbook = target / workbook_name(portfolio)
            write_workbook(data, workbook)
            files.append(_file(workbook, "", None))
        (target / MANIFEST).write_text(_manifest(portfolio, as_of, files), encoding="utf-8")
    made.remember((folders.of(as_of) / name for name in (*(f.name for f in files), MANIFEST)), contents)
    removed = folders.keep(portfolio.reports.keep_exports)
    return Export(folders.of(as_of), folders.latest, tuple(files), missing, removed)


def _write_tables(
    tables: Sequence[str],
    data: ReportData,
    warehouse: Warehouse,
    target: Path,
    unchanged: Mapping[str, tuple[Path, int]],
) -> list[ExportedFile]:
    """Writes the tables in the forms of the portfolio; a file that would be as an earlier one is its copy."""
    files: list[ExportedFile] = []
    for table in tables:
        rows = rows_of(contract_of(table, data.portfolio), data.as_of, data.portfolio, warehouse)
        for form in (form for form in TABLE_FORMS if form in data.portfolio.reports.exports):
            file = target / f"{table}.{form}"
            if before := unchanged.get(file.name):
                path, written = before
                shutil.copyfile(path, file)
            else:
                written = warehouse.copy_to(guarded_columns(rows) if form == "csv" else rows, file, form)
            files.append(_file(file, table, written))
    return files


def _unchanged(made: MadeFiles, contents: Mapping[str, str]) -> dict[str, tuple[Path, int]]:
    """The files of the newest export that would be written alike, by name; with their rows."""
    before, files = made.kept()
    if MANIFEST not in files:
        return {}
    return {
        file.name: (files[file.name], file.rows)
        for file in _written(files[MANIFEST].parent)
        if file.name in files and file.rows is not None and before.get(file.table) == contents.get(file.table)
    }


def _file(path: Path, table: str, rows: int | None) -> ExportedFile:
    return ExportedFile(path.name, table, rows, path.stat().st_size)


def _written(folder: Path) -> tuple[ExportedFile, ...]:
    """The files of an export, as its manifest lists them."""
    listed = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))["files"]
    return tuple(ExportedFile(f["name"], f["table"] or "", f["rows"], f["bytes"]) for f in listed)


def _manifest(portfolio: Portfolio, as_of: date, files: list[ExportedFile]) -> str:
    """What is in the folder, for programs that read it: no time of writing, so that equal data make equal files."""
    content = {
        "portfolio": portfolio.name,
        "as_of": as_of.isoformat(),
        "currency": portfolio.currency.reporting,
        "csv": "UTF-8, RFC 4180; an apostrophe stands before text that a spreadsheet might run as a formula; "
        "timestamps are UTC; Parquet is exact",
        "files": [{"name": f.name, "table": f.table or None, "rows": f.rows, "bytes": f.bytes} for f in files],
    }
    return json.dumps(content, indent=2, ensure_ascii=False) + "\n"
