"""What files were made from, remembered beside them, so that files that would come out the same are left as they are.

Here is decided what counts as the same: data, settings and program, not the time. What the files are is decided where
they are made: `pages/frame/publishing.py` and `exports/tables.py`.
"""

import hashlib
import json
import os
from collections.abc import Hashable, Iterable, Iterator, Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from cx_intel.reports.data.report_data import ReportData, ScoreHistory
from cx_intel.settings.portfolio import Portfolio
from cx_intel.warehouse.processes.program import program

RECORD = ".made_from.json"
_UNREADABLE = (OSError, ValueError, KeyError, TypeError, AttributeError)


class MadeFiles:
    """The files of a folder that are made together, and what they were made from when they last were.

    Args:
        folder: Where they are; the record is kept in it.
        made_from: Tells what they would be made from now.
    """

    def __init__(self, folder: Path, made_from: str):
        self.folder = folder
        self.made_from = made_from
        self._record = folder / RECORD

    def are_current(self) -> bool:
        """They would come out the same, and each is there as it was written, as far as its size tells."""
        try:
            record = self._remembered()
            return record["made_from"] == self.made_from and set(record["bytes"]) == set(self._whole(record))
        except _UNREADABLE:
            return False

    def kept(self) -> tuple[dict[str, str], dict[str, Path]]:
        """What parts of them were made from when they last were; and the files that are there as they were written, by name."""
        try:
            record = self._remembered()
            return dict(record["parts"]), {Path(name).name: self.folder / name for name in self._whole(record)}
        except _UNREADABLE:
            return {}, {}

    def remember(self, files: Iterable[Path], parts: Mapping[str, str] | None = None) -> None:
        """Takes these as made; to be said once all of them are in place."""
        sizes = {os.path.relpath(file, self.folder): file.stat().st_size for file in files}
        record = {"made_from": self.made_from, "bytes": sizes, "parts": dict(parts or {})}
        partial = self._record.with_name(RECORD + ".part")
        partial.write_text(json.dumps(record, indent=1), encoding="utf-8")
        os.replace(partial, self._record)

    def _remembered(self) -> Any:
        return json.loads(self._record.read_text(encoding="utf-8"))

    def _whole(self, record: Any) -> list[str]:
        """The files that have the size that they were written with."""
        found = ((self.folder / name, name, size) for name, size in record["bytes"].items())
        return [name for path, name, size in found if path.is_file() and path.stat().st_size == size]


def fingerprint_of(data: ReportData, *more: str) -> str:
    """Tells what a portfolio's files are made from: every row read, its settings, this program; not when it is.

    Args:
        data: What the reports are made of.
        more: What else goes into the files.
    """
    found = hashlib.sha256()
    for part in (*_parts(data), *more):
        found.update(part.encode())
        found.update(b"\0")
    return found.hexdigest()


def _parts(data: ReportData) -> Iterator[str]:
    """Every field as text, so that none is forgotten that pages come to show; the time of making is left out."""
    yield program()
    for given in fields(data):
        if given.name != "made_at":
            yield given.name
            yield from _told(getattr(data, given.name))


def _told(value: object) -> Iterator[str]:
    if isinstance(value, pd.DataFrame):
        yield _rows(value)
    elif isinstance(value, Mapping):
        for key in sorted(value, key=str):
            yield str(key)
            yield from _told(value[key])
    elif isinstance(value, ScoreHistory):
        yield repr(sorted(value.days.items()))
        for account in sorted(value.lines):
            weeks, scores, places = value.lines[account]
            yield repr((account, weeks, scores, [value.tiers[place] for place in places]))
    elif isinstance(value, Portfolio):
        yield value.model_dump_json()
    else:
        yield repr(value)


def _rows(frame: pd.DataFrame) -> str:
    """What the rows are, in whatever order the engine gave them: sum and exclusive or of a hash of each."""
    columns = {str(name): _hashable(frame[name]) for name in frame.columns}
    hashes = pd.util.hash_pandas_object(pd.DataFrame(columns, index=frame.index), index=False).to_numpy()
    kinds = [(str(name), str(kind)) for name, kind in frame.dtypes.items()]
    return repr((kinds, len(frame), int(hashes.sum()), int(np.bitwise_xor.reduce(hashes))))


def _hashable(values: pd.Series) -> pd.Series:
    """The values of a column, lists among them as text."""
    is_listed = values.dtype == object and len(values) and not isinstance(values.iloc[0], Hashable)
    return values.map(lambda value: repr(list(value)), na_action="ignore") if is_listed else values
