"""What lies beside the files of sources and looks like a delivery, but no source reads it: said, since it may be meant.

Only folders that a source reads by a pattern or as a whole are looked at. Which files a source means is decided in
`paths.py`; who tells of them is `cx_intel.doctor.portfolios`.
"""

import glob
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path

from cx_intel.settings.portfolio import Portfolio
from cx_intel.settings.sources.files import FileSet
from cx_intel.sources.errors import SourceError
from cx_intel.sources.files.paths import file_sets, format_by_ending, source_files, with_variables
from cx_intel.sources.landing import UNFINISHED

OTHER_DELIVERIES = (".zip", ".7z", ".tar", ".tgz", ".bz2", ".xz", ".zst", ".xls", ".xlsb", ".ods", ".avro", ".gz")
"""Endings of deliveries that no source can read as they are."""
NO_DATA = ("readme", "license", "changelog")
NAMED = 5


def unread_beside(portfolio: Portfolio, variables: Mapping[str, str]) -> list[str]:
    """A sentence for each folder with files that look like a delivery and match no source, with what to do."""
    folders: dict[Path, str] = {}
    read: set[Path] = set()
    for source in portfolio.sources:
        for files, of in file_sets(source):
            if folder := _folder(files, variables):
                folders.setdefault(folder, of)
            with suppress(SourceError):  # files that are missing are told by who reads them
                read.update(file.path.absolute() for file in source_files(files, variables, of))
    found = ((folder, of, _unread(folder, read)) for folder, of in folders.items())
    return [_sentence(folder, of, names) for folder, of, names in found if names]


def _folder(files: FileSet, variables: Mapping[str, str]) -> Path | None:
    """The folder that the files are chosen from; None where the path names one file, or folders by a pattern."""
    try:
        path = Path(with_variables(files.path, variables)).expanduser()
    except KeyError:  # told as a variable that is not set
        return None
    if path.is_dir():
        return path.absolute()
    if not glob.has_magic(path.name) or glob.has_magic(str(path.parent)) or not path.parent.is_dir():
        return None
    return path.parent.absolute()


def _unread(folder: Path, read: set[Path]) -> list[str]:
    return sorted(file.name for file in _deliveries(folder) if folder / file.name not in read)


def _deliveries(folder: Path) -> Iterator[Path]:
    """What looks like one; a link that leads nowhere is one, too."""
    for file in folder.iterdir():
        name = file.name.lower()
        is_there = file.is_file() or (file.is_symlink() and not file.exists())
        is_kept_apart = name.startswith((".", "~$", *NO_DATA)) or name.endswith(UNFINISHED)
        if is_there and not is_kept_apart and (format_by_ending(file) or name.endswith(OTHER_DELIVERIES)):
            yield file


def _sentence(folder: Path, of: str, names: list[str]) -> str:
    named = ", ".join(names[:NAMED]) + (f" and {len(names) - NAMED} more" if len(names) > NAMED else "")
    return (
        f"{folder}: {named} lies beside the files of {of}, and no source reads it. Widen the path, add a source, or unpack "
        "it and spell its ending as the path does; else put it elsewhere."
    )
