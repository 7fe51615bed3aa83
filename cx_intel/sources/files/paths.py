"""Which files a `files` source means: names from the environment, folders, globs, endings.

What stands in the files is not looked at here; that is decided in `cx_intel.sources.files.formats.by_format`.
"""

import glob
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Literal, NamedTuple

from cx_intel.settings.sources.files import FileSet, FilesSource
from cx_intel.settings.sources.sql import QueryFiles, SqlSource
from cx_intel.sources.errors import SourceError

Format = Literal["csv", "parquet", "jsonl", "xlsx"]

ENDINGS: dict[str, Format] = {
    ".csv": "csv",
    ".tsv": "csv",
    ".txt": "csv",
    ".parquet": "parquet",
    ".pq": "parquet",
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".json": "jsonl",
    ".xlsx": "xlsx",
    ".xlsm": "xlsx",
}
_VARIABLE = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)\}")


class SourceFile(NamedTuple):
    """A file to read."""

    path: Path
    name: str
    """Relative to the folder of the source: what operators see."""
    format: Format
    of: str
    """Whose it is, as messages say it: the source of subscriptions."""

    @property
    def is_gzip(self) -> bool:
        return self.path.suffix.lower() == ".gz"


def file_sets(source: object) -> list[tuple[FileSet, str]]:
    """The files that a source reads, each set with whose it is, as messages say it; none of a source of another kind."""
    if isinstance(source, FilesSource):
        return [(source, f"the {source.title}")]
    if isinstance(source, SqlSource):
        return [(files, f"`{name}` of the {source.title}") for name, files in source.files.items()]
    return []


def source_files(source: FileSet, environment: Mapping[str, str], of: str) -> list[SourceFile]:
    """The files of a source, sorted by name.

    Args:
        source: Where they lie.
        environment: Gives the values of `${NAME}` in the path.
        of: Whose they are, for messages: the source of subscriptions.

    Raises:
        SourceError: A variable is not set, nothing is there (unless it may be missing), or the format is not told by the
            ending.
    """
    pattern = _substituted(source, environment, of)
    path = Path(pattern).expanduser()
    try:
        root, found = _found(source, path)
        there = _what_is_there(root) if not found else ""
    except OSError as error:
        raise SourceError(
            f"{path.absolute()}: cannot be looked at ({error.strerror}); this is `path: {source.path}` of {of}: if it is "
            "mounted, mount it again; else mend the path, or let this user read it."
        ) from error
    if not found and not (isinstance(source, QueryFiles) and source.may_be_missing):
        raise SourceError(
            f"{path.absolute()}: no such file, or no file to read in it; this is `path: {source.path}` of "
            f"{of}: mend the path, or put the files there.{there}"
        )
    files = [SourceFile(f, f.relative_to(root).as_posix(), _format(f, source, of), of) for f in found]
    return sorted(files, key=lambda file: file.name)


def _found(source: FileSet, path: Path) -> tuple[Path, list[Path]]:
    """The folder that names are relative to, and the files."""
    if path.is_dir():
        root = path
        found = _readable(source, path.iterdir())
    elif glob.has_magic(str(path)) and not path.is_file():
        root = _fixed_part(path)
        found = [Path(f) for f in glob.glob(str(path), recursive=True) if Path(f).is_file()]
        found = _readable(source, found) if path.name.endswith("*") else found
    else:
        root = path.parent
        found = [path] if path.is_file() else []
    return root, found


def _what_is_there(folder: Path) -> str:
    """A sentence about a folder of which nothing can be read at all: it may be a mount that was lost."""
    if not folder.is_dir():
        return f" There is no folder {folder.absolute()}: if it is mounted, mount it again."
    is_empty = not any(folder.iterdir())
    return (
        f" The folder {folder.absolute()} is empty: if something is mounted there, mount it again." if is_empty else ""
    )


def _readable(source: FileSet, found: Iterable[Path]) -> list[Path]:
    """The files without hidden ones, Excel's marks of open files, and those whose ending tells no format."""
    files = [f for f in found if f.is_file() and not f.name.startswith((".", "~$"))]
    return files if source.format else [f for f in files if format_by_ending(f)]


def _substituted(source: FileSet, environment: Mapping[str, str], of: str) -> str:
    try:
        return with_variables(source.path, environment)
    except KeyError as error:
        name = error.args[0]
        raise SourceError(
            f"The environment variable {name} is not set; `path: {source.path}` of "
            f"{of} needs it: set it, for instance {name}=/data/exports."
        ) from None


def with_variables(text: str, environment: Mapping[str, str]) -> str:
    """The text with each `${NAME}` as the environment has it. Raises KeyError with the name that it has not."""

    def value(match: re.Match[str]) -> str:
        if not environment.get(match[1]):
            raise KeyError(match[1])
        return environment[match[1]]

    return _VARIABLE.sub(value, text)


def _fixed_part(path: Path) -> Path:
    """The folder above the first part of a glob that is a pattern."""
    fixed = Path(path.anchor) if path.anchor else Path()
    for part in path.parts[1 if path.anchor else 0 :]:
        if glob.has_magic(part):
            break
        fixed /= part
    return fixed


def format_by_ending(path: Path) -> Format | None:
    """The format that a file's ending tells, `.gz` apart; None where it tells none.

    Where there is but `.gz`, with digits before it or not, it is JSON lines, as pipelines of events write them.
    """
    name = path.name.lower().removesuffix(".gz")
    ending = Path(name).suffix
    if name != path.name.lower() and not ending.strip(".0123456789"):
        return "jsonl"
    return ENDINGS.get(ending)


def _format(path: Path, source: FileSet, of: str) -> Format:
    told = source.format or format_by_ending(path)
    if told is None:
        raise SourceError(
            f"{path.absolute()}: its ending tells no format; state `format: csv` (or parquet, jsonl, xlsx) for {of}."
        )
    return told
