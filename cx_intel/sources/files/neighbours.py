"""What lies beside the files of sources and looks like a delivery, but no source reads it: said, since it may be meant.

Only folders that a source reads by a pattern or as a whole are looked at; of several sources that read one folder, the
first tells. Which files a source means is decided in `paths.py`; who tells of them is the check of each run
(`cx_intel.orchestration.checks.unread_files`) and `cx_intel.doctor.portfolios`.
"""

import glob
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from pathlib import Path

from cx_intel.settings.portfolio import Portfolio
from cx_intel.settings.sources.files import FileSet
from cx_intel.sources.errors import SourceError
from cx_intel.sources.files.misspelt import is_misspelt
from cx_intel.sources.files.paths import file_sets, format_by_ending, source_files, with_variables
from cx_intel.sources.landing import UNFINISHED

ARCHIVES = (".zip", ".7z", ".tar", ".tgz", ".bz2", ".xz", ".zst", ".gz")
"""Endings of deliveries that are to be unpacked first; `.gz` where no format stands before it."""
OTHER_FORMATS = (".xls", ".xlsb", ".ods", ".avro")
"""Endings of deliveries that are to be saved in another format first."""
NO_DATA = ("readme", "license", "changelog")
NAMED = 5


@dataclass(frozen=True)
class Unread:
    """What lies unread in one folder.

    Attributes:
        folder: The folder.
        read_by: What chooses files from it, of all sources.
        of: Whose files are told of: those of the first.
        names: Those that no source reads.
        delivered_count: All that look like a delivery, read or not.
    """

    folder: Path
    read_by: tuple[FileSet, ...]
    of: str
    names: tuple[str, ...]
    delivered_count: int

    @property
    def sentence(self) -> str:
        """The files, and what to do with each kind of them."""
        named, them = _listed(self.names), "it" if len(self.names) == 1 else "them"
        lies = "lies" if len(self.names) == 1 else "lie"
        to_do = " ".join(self._to_do())
        return (
            f"{self.folder}: {named} {lies} beside the files of {self.of}, and no source reads {them}. {to_do} Or put "
            f"{them} elsewhere."
        )

    def without_other_tables(self) -> "Unread":
        """Without files that end as a path does and are named otherwise: other tables, in most folders of exports.

        One whose name is nearly that of files with the same columns stays: it may be a delivery of theirs, misspelt.
        """
        endings = tuple(ending for files in self.read_by if (ending := Path(files.path).suffix))
        others = {name for name in self.names if name.endswith(endings) and format_by_ending(Path(name))}
        others -= {*self._broken, *self._misspelt}
        return replace(self, names=tuple(name for name in self.names if name not in others))

    @property
    def _broken(self) -> list[str]:
        """Links that lead nowhere."""
        return [name for name in self.names if not (self.folder / name).exists()]

    @property
    def _misspelt(self) -> dict[str, str]:
        """Files whose name is nearly that of files which a path chooses: the name that the path asks for."""
        paths = [Path(files.path).name for files in self.read_by]
        return {name: path for name in self.names for path in paths[::-1] if is_misspelt(self.folder, name, path)}

    def _to_do(self) -> Iterator[str]:
        if broken := self._broken:
            yield f"Mend the link {_listed(broken)}, which leads nowhere."
        for name, path in (misspelt := self._misspelt).items():
            yield f"If {name} is one of {path}, rename it."
        left = [name for name in self.names if name not in broken and name not in misspelt]
        readable = [name for name in left if format_by_ending(Path(name))]
        if archives := [name for name in left if name not in readable and name.lower().endswith(ARCHIVES)]:
            yield f"Unpack {_listed(archives)}."
        if others := [name for name in left if name not in readable and name not in archives]:
            yield f"Save {_listed(others)} as CSV or .xlsx."
        wider: dict[str, list[str]] = {}
        for name in readable:
            wider.setdefault(self._wider_path(name), []).append(name)
        tables = wider.pop("", [])
        for path, taken in wider.items():
            yield f"So that {_listed(taken)} {'is' if len(taken) == 1 else 'are'} read too, write `path: {path}`."
        if tables:
            yield f"Where {_listed(tables)} {'holds' if len(tables) == 1 else 'hold'} a table, write a source of it."

    def _wider_path(self, name: str) -> str:
        """The path of a source that would choose that file too, whatever its ending; empty where there is none."""
        for files in self.read_by:
            *begin, last = files.path.rpartition("/")
            stem = last[: last.rfind("*") + 1]
            if stem and not files.format and fnmatchcase(name, stem):
                return "".join(begin) + stem
        return ""


def unread_beside(portfolio: Portfolio, variables: Mapping[str, str]) -> list[Unread]:
    """Of all sources of a portfolio, as `unread_of`."""
    return [found for source in portfolio.sources for found in unread_of(source, portfolio, variables)]


def unread_of(source: object, portfolio: Portfolio, variables: Mapping[str, str]) -> list[Unread]:
    """What lies unread in the folders of a source, but for those that an earlier source reads too: that one tells.

    Args:
        source: One of the portfolio's.
        portfolio: All its sources.
        variables: Give the values of `${NAME}` in the paths.
    """
    return [found for found in folders_beside(source, portfolio, variables) if found.names]


def folders_beside(source: object, portfolio: Portfolio, variables: Mapping[str, str]) -> list[Unread]:
    """As `unread_of`, with the folders in which nothing lies unread."""
    readers: dict[Path, list[tuple[object, FileSet, str]]] = {}
    for one in portfolio.sources:
        for files, of in file_sets(one):
            if folder := _folder(files, variables):
                readers.setdefault(folder, []).append((one, files, of))
    return [
        _unread(folder, tuple(files for _, files, _ in told), told[0][2], portfolio, variables)
        for folder, told in readers.items()
        if told[0][0] is source
    ]


def may_lie_beside(source: object) -> bool:
    """Whether any files of a source are chosen from a folder, so that others may lie beside them."""
    return any(glob.has_magic(files.path) or not format_by_ending(Path(files.path)) for files, _ in file_sets(source))


def _folder(files: FileSet, variables: Mapping[str, str]) -> Path | None:
    """The folder that the files are chosen from; None where the path names one file, or folders by a pattern."""
    with suppress(KeyError, OSError):  # told as a variable that is not set, or by who reads the files
        path = Path(with_variables(files.path, variables)).expanduser()
        if path.is_dir():
            return path.absolute()
        if glob.has_magic(path.name) and not glob.has_magic(str(path.parent)) and path.parent.is_dir():
            return path.parent.absolute()
    return None


def _unread(
    folder: Path, read_by: tuple[FileSet, ...], of: str, portfolio: Portfolio, variables: Mapping[str, str]
) -> Unread:
    delivered: set[str] = set()
    with suppress(OSError):  # a folder that cannot be listed is told by who reads its files
        delivered = {file.name for file in _deliveries(folder)}
    left = set(delivered)
    for files, whose in (pair for source in portfolio.sources for pair in file_sets(source)):
        left -= _read_in(folder, files, whose, variables) if left else set()
    return Unread(folder, read_by, of, tuple(sorted(left)), len(delivered))


def _read_in(folder: Path, files: FileSet, of: str, variables: Mapping[str, str]) -> set[str]:
    """The names of those files that lie in the folder; files that are missing are told by who reads them."""
    with suppress(SourceError, OSError):
        return {file.path.name for file in source_files(files, variables, of) if file.path.absolute().parent == folder}
    return set()


def _deliveries(folder: Path) -> Iterator[Path]:
    """What looks like one; a link that leads nowhere is one, too."""
    for file in folder.iterdir():
        name = file.name.lower()
        is_there = file.is_file() or (file.is_symlink() and not file.exists())
        is_kept_apart = name.startswith((".", "~$", *NO_DATA)) or name.endswith(UNFINISHED)
        if is_there and not is_kept_apart and (format_by_ending(file) or name.endswith(ARCHIVES + OTHER_FORMATS)):
            yield file


def _listed(names: tuple[str, ...] | list[str]) -> str:
    return ", ".join(names[:NAMED]) + (f" and {len(names) - NAMED} more" if len(names) > NAMED else "")
