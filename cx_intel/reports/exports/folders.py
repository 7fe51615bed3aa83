"""Folders of exports, one a day, that appear whole or not at all; `_latest` leads to the newest.

    exports/<portfolio>/2026-11-21       -> .data/2026-11-21-<n>
                        _latest          -> 2026-11-21
                        .data/...        what was written, and what is being written

Files are written to a folder of their own and flushed to the disk; only then is the link of the day switched, and after
it that of the newest. A link is switched by replacing one directory entry, so that a reader finds the old files or the
new ones, however the writer ends. Where the file system knows no links, folders are moved into place and `_latest` is a
file that holds the name of the newest. What the files contain is decided by the callers (`tables.py`).
"""

import os
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from uuid import uuid4

DATA = ".data"
LATEST = "_latest"
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}")


class ExportFolders:
    """The folders of exports of one portfolio; one writer at a time, any number of readers."""

    def __init__(self, folder: Path):
        self.folder = folder
        self._data = folder / DATA

    @property
    def latest(self) -> Path:
        """What leads to the newest export: a link, or on file systems without links a file with the folder's name."""
        return self.folder / LATEST

    def newest(self) -> Path | None:
        """The folder that `_latest` leads to; None before the first export."""
        if self.latest.is_file():
            return self.folder / self.latest.read_text(encoding="utf-8").strip()
        return self.latest.resolve() if self.latest.is_dir() else None

    def is_newest(self, as_of: date) -> bool:
        """`_latest` leads to the export of the day."""
        newest = self.newest()
        return newest is not None and newest.resolve() == self.of(as_of).resolve()

    def of(self, as_of: date) -> Path:
        """The folder of a day."""
        return self.folder / as_of.isoformat()

    def days(self) -> tuple[date, ...]:
        """The days that have an export, the newest first."""
        if not self.folder.is_dir():
            return ()
        found = (path.name for path in self.folder.iterdir() if _DAY.fullmatch(path.name) and path.is_dir())
        return tuple(sorted((date.fromisoformat(name) for name in found), reverse=True))

    @contextmanager
    def writing(self, as_of: date) -> Iterator[Path]:
        """An empty folder for the files of a day, which takes its place at the end, unless something was raised."""
        self._data.mkdir(parents=True, exist_ok=True)
        self._sweep()
        target = self._data / f"{as_of.isoformat()}-{uuid4().hex[:8]}"
        target.mkdir()
        try:
            yield target
            for path in target.iterdir():
                _flush(path)
            _flush(target)
            self._put(self.of(as_of), target)
            self._put(self.latest, self.of(as_of))
        except BaseException:
            if not self._in_use(target):
                shutil.rmtree(target, ignore_errors=True)
            raise

    def keep(self, count: int) -> tuple[date, ...]:
        """Removes the exports of all but the newest `count` days; that of `_latest` stays. Which were removed."""
        newest = self.newest()
        removed = []
        for day in self.days()[count:]:
            path = self.of(day)
            if newest is not None and path.resolve() == newest.resolve():
                continue
            files = path.resolve()
            if path.is_symlink():
                path.unlink()
            shutil.rmtree(files, ignore_errors=True)
            removed.append(day)
        return tuple(removed)

    def _put(self, name: Path, target: Path) -> None:
        """Lets the name lead to the target, from one instant to the next."""
        link = self._data / f"{name.name}.link"
        link.unlink(missing_ok=True)
        try:
            link.symlink_to(os.path.relpath(target, name.parent), target_is_directory=True)
        except (OSError, NotImplementedError):
            self._put_without_links(name, target)
        else:
            if name.exists() and not name.is_symlink():  # from a time without links
                name.rename(self._data / f"{name.name}-replaced") if name.is_dir() else name.unlink()
            link.replace(name)
        _flush(name.parent)

    def _put_without_links(self, name: Path, target: Path) -> None:
        if name == self.latest:
            pointer = self._data / f"{LATEST}.file"
            pointer.write_text(target.name + "\n", encoding="utf-8")
            _flush(pointer)
            pointer.replace(name)
            return
        if name.exists():
            name.rename(self._data / f"{target.name}-replaced")
        target.rename(name)

    def _sweep(self) -> None:
        """Removes what no name leads to: the left-overs of a writer that was killed, and files replaced last time."""
        for path in self._data.iterdir():
            if self._in_use(path):
                continue
            if path.is_dir() and not path.is_symlink():
                shutil.rmtree(path, ignore_errors=True)
            else:
                path.unlink(missing_ok=True)

    def _in_use(self, path: Path) -> bool:
        return any(self.of(day).resolve() == path.resolve() for day in self.days())


def _flush(path: Path) -> None:
    """What was written to the file or folder is on the disk; a system that cannot flush folders is let be."""
    try:
        handle = os.open(path, os.O_RDONLY)
    except OSError:
        if path.is_dir():
            return
        raise
    try:
        os.fsync(handle)
    except OSError:
        if not path.is_dir():
            raise
    finally:
        os.close(handle)
