"""What the files of a source hold, as a digest: whether they have to be read again; and that nobody writes them meanwhile.

Which files a source means is decided in `paths.py`; what follows from an equal digest, by whoever reads them
(`cx_intel.orchestration.assets.delivery.raw`).
"""

import hashlib
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import TypeVar

from cx_intel.settings.sources.sources import Source
from cx_intel.settings.sources.sql import SqlSource
from cx_intel.sources.files.known import TRIES, changed_while_read, digest_of, size_and_time
from cx_intel.sources.files.paths import file_sets, source_files

Read = TypeVar("Read")


def digest_of_files(source: Source, environment: Mapping[str, str]) -> str | None:
    """A digest of the names and contents of all files that a source reads; None for one that reads anything else.

    Of a query that is run for each file, sizes and times stand for contents: those of files where they differ are compared
    when it is run.

    Args:
        source: The source.
        environment: Gives the values of `${NAME}` in the paths.

    Raises:
        SourceError: A variable is not set or nothing is there, as when they are read.
    """
    sets = file_sets(source)
    if not sets or (isinstance(source, SqlSource) and source.connection):
        return None
    found = hashlib.sha256()
    for files, of in sets:
        for file in source_files(files, environment, of):
            found.update(f"{of}\0{file.name}\0{file.format}\0".encode())
            if isinstance(source, SqlSource) and source.per_file:
                found.update(repr(size_and_time(file.path)).encode())
            else:
                found.update(digest_of(file.path).encode())
    return found.hexdigest()


def read_settled(read: Callable[[], Read], source: Source, environment: Mapping[str, str]) -> Read:
    """What is read of a source whose files nobody writes meanwhile: one that changed is read again.

    Args:
        read: Reads all files of the source.
        source: The source; one that reads no files is read once.
        environment: Gives the values of `${NAME}` in the paths.

    Raises:
        SourceError: As `read`; or a file changed each time.
    """
    changed: list[Path] = []
    for _ in range(TRIES):
        before = _sizes_and_times(source, environment)
        found = read()
        after = _sizes_and_times(source, environment)
        changed = [path for path in before | after if before.get(path) != after.get(path)]
        if not changed:
            return found
    raise changed_while_read(changed)


def _sizes_and_times(source: Source, environment: Mapping[str, str]) -> dict[Path, tuple[int, int]]:
    found = {}
    for declared, of in file_sets(source):
        for file in source_files(declared, environment, of):
            with suppress(FileNotFoundError):  # it has just gone
                found[file.path] = size_and_time(file.path)
    return found
