"""A source that is a query: joins, arithmetic and filters over declared files, where one file is not one table.

Only descriptions; the query is run, and kept from everything else, by the warehouse (`cx_intel.warehouse`).
"""

from typing import Annotated, Literal, TypeAlias

from pydantic import BeforeValidator, Field

from cx_intel.settings.sources.base import TableSource
from cx_intel.settings.sources.files import FileSet

TableName: TypeAlias = Annotated[str, Field(pattern=r"^[a-z_][a-z0-9_]*$")]


def _of_a_path(given: object) -> object:
    return {"path": given} if isinstance(given, str) else given


class QueryFiles(FileSet):
    """Files that a query sees as one table."""

    optional: list[str] = []
    """Columns that the query names and the files may lack, as exports change; they are null then."""


class SqlSource(TableSource):
    """One canonical table from a query, in DuckDB's SQL, over declared files.

    The query sees each entry of `files` as a table of its name, with the columns of the files, all text, and
    `_source_file`; nested values of JSON are text that `->>` and `from_json` read. It gives the canonical columns, typed or
    as text, and is one SELECT: it can read no other file, change no setting and write nothing.
    """

    kind: Literal["sql"]
    files: dict[TableName, Annotated[QueryFiles, BeforeValidator(_of_a_path)]] = Field(min_length=1)
    """The name of a table in the query: its files, by a path or by a path with a layout."""
    query: str = Field(min_length=1)
    """One SELECT, which names its result's columns as the canonical table does."""

    @property
    def delivers_all(self) -> bool:
        """Whether a row that a delivery no longer has is missing: as stated, else yes."""
        return self.delivers != "changes"
