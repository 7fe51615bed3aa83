"""A source that is a query: over declared files, where one file is not one table, or in a database that has the data.

Only descriptions; the query is run, and kept from everything else, by the warehouse (`cx_intel.warehouse`).
"""

from typing import Annotated, Literal, TypeAlias

from pydantic import BeforeValidator, Field, model_validator

from cx_intel.settings.base import Misfit
from cx_intel.settings.sources.base import TableSource
from cx_intel.settings.sources.files import FileSet

TableName: TypeAlias = Annotated[str, Field(pattern=r"^[a-z_][a-z0-9_]*$")]


def _of_a_path(given: object) -> object:
    return {"path": given} if isinstance(given, str) else given


class QueryFiles(FileSet):
    """Files that a query sees as one table."""

    columns: dict[str, str | list[str]] = {}
    """The query's name of a column: the names that the files may give it, of which the first that is there counts; case,
    blanks, hyphens and underscores make no difference: {company_id: [Record ID, hs_object_id]}. The others keep theirs.
    """
    optional: list[str] = []
    """Columns that the query names and the files may lack, as exports change; they are null then."""
    may_be_missing: bool = False
    """Whether there may be no such file: the table is empty then, with the columns of `columns` and `optional`."""

    def names_of(self, column: str) -> list[str]:
        """What the files may call a column of the query."""
        named = self.columns.get(column, column)
        return [named] if isinstance(named, str) else named


class SqlSource(TableSource):
    """One canonical table from a query: over declared files in DuckDB's SQL, or at a connection in its server's.

    Over files, it sees each entry of `files` as a table of its name, with the columns of the files, all text, and
    `_source_file`; nested values of JSON are text that `->>` and `from_json` read. It gives the canonical columns, typed or
    as text, and is one SELECT: it can read no other file, change no setting and write nothing.
    """

    kind: Literal["sql"]
    files: dict[TableName, Annotated[QueryFiles, BeforeValidator(_of_a_path)]] = {}
    """The name of a table in the query: its files, by a path or by a path with a layout."""
    connection: Annotated[str, Field(pattern=r"^\$\{[A-Za-z_][A-Za-z0-9_]*\}$")] | None = None
    """In place of `files`: `${NAME}` of a variable with the address of a database, such as
    postgresql://user:password@host/database or sqlite:////data/crm.sqlite. Nothing is written there.
    """
    query: str = Field(min_length=1)
    """One SELECT, which names its result's columns as the canonical table does."""

    @model_validator(mode="after")
    def _one_place(self) -> "SqlSource":
        if bool(self.files) == bool(self.connection):
            raise Misfit("needs either `files`, which the query reads, or a `connection`, where it runs", ("query",))
        return self

    @property
    def delivers_all(self) -> bool:
        """Whether a row that a delivery no longer has is missing: as stated, else yes."""
        return self.delivers != "changes"
