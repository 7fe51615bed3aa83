"""What the files of a source hold, as a digest: whether they have to be read again.

Which files a source means is decided in `paths.py`; what follows from an equal digest, by whoever reads them
(`cx_intel.orchestration.assets.delivery.raw`).
"""

import hashlib
from collections.abc import Mapping

from cx_intel.settings.sources.sources import Source
from cx_intel.settings.sources.sql import SqlSource
from cx_intel.sources.files.known import digest_of, look
from cx_intel.sources.files.paths import file_sets, source_files


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
                found.update(repr(look(file.path)).encode())
            else:
                found.update(digest_of(file.path).encode())
    return found.hexdigest()
