"""Reads the first rows of a source, as a refresh would read all of them.

Files are cut to their heads (`cx_intel.sources.files.heads`), a query at a connection is asked for its first rows. What
the rows are worth is looked at in `cx_intel.doctor.data`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from cx_intel.contracts.contract import Contract
from cx_intel.settings.sources.files import FilesSource
from cx_intel.settings.sources.sql import SqlSource
from cx_intel.sources.files.content import FilesRead
from cx_intel.sources.files.heads import with_heads
from cx_intel.sources.files.paths import file_sets
from cx_intel.warehouse.duckdb.files.reading import read_files
from cx_intel.warehouse.duckdb.queries.queries import read_query

OF_A_QUERY = 50
"""For each row of a query so many of its files are read, since its joins find no partners otherwise."""


@dataclass(frozen=True)
class Sample:
    """The first rows of a source.

    Attributes:
        read: The rows.
        of: Where they are from, in words.
        is_whole: There are no others.
    """

    read: FilesRead
    of: str
    is_whole: bool


def read_sample(
    source: FilesSource | SqlSource, *, contract: Contract, environment: Mapping[str, str], rows: int
) -> Sample:
    """The first rows of a source; of one of several files those of the first and the last of them.

    Raises:
        SourceError: Files, columns or variables are missing, or something cannot be read, as at a refresh.
    """
    with TemporaryDirectory(prefix="cx_intel_") as folder:
        if isinstance(source, FilesSource):
            ((_, of),) = file_sets(source)
            cut, heads = with_heads(source, environment, of, _made(Path(folder) / "files"), rows)
            is_sample = heads.looked_at < heads.files
            read = read_files(cut, contract=contract, environment=environment, is_sample=is_sample)
            text = f"{heads.looked_at} of {heads.files} files" if heads.files > 1 else "one file"
            return Sample(read, text, heads.is_whole)
        limited = source.model_copy(
            update={"query": f"SELECT * FROM (\n{source.query.rstrip().rstrip(';')}\n) AS _q LIMIT {rows}"}
        )
        if source.connection:
            read = read_query(limited, contract=contract, environment=environment)
            return Sample(read, "a query at the connection", read.table.num_rows < rows)
        files, are_whole, is_sample = {}, True, False
        for (name, declared), (_, of) in zip(source.files.items(), file_sets(source), strict=True):
            place = _made(Path(folder) / name)
            files[name], heads = with_heads(declared, environment, of, place, OF_A_QUERY * rows)
            are_whole &= heads.is_whole
            is_sample |= heads.looked_at < heads.files
        of_heads = limited.model_copy(update={"files": files})
        read = read_query(of_heads, contract=contract, environment=environment, is_sample=is_sample)
        is_whole = are_whole and read.table.num_rows < rows
        text = f"a query over {', '.join(source.files)}" + ("" if are_whole else " (the first rows of them)")
        return Sample(read, text, is_whole)


def _made(folder: Path) -> Path:
    folder.mkdir()
    return folder
