"""A source that is a query: over declared files, where one file is not one table, or in a database that has the data.

Only descriptions; the query is run, and kept from everything else, by the warehouse (`cx_intel.warehouse`).
"""

from typing import Annotated, Literal, TypeAlias

from pydantic import BeforeValidator, Field, PrivateAttr, model_validator

from cx_intel.settings.base import Misfit, Settings
from cx_intel.settings.identity import SystemName
from cx_intel.settings.sources.cursor import ROW_KEYS, CursorSetting
from cx_intel.settings.sources.files import FileSet, ReadByFile

CLUSTER = "cluster"
"""In place of an address: the Spark cluster that `warehouse` names, with the tables of its catalogs."""
TableName: TypeAlias = Annotated[str, Field(pattern=r"^[a-z_][a-z0-9_]*$")]


def _of_a_path(given: object) -> object:
    return {"path": given} if isinstance(given, str) else given


def _named(given: object) -> object:
    """A column without a name of its own keeps the query's: {id, customer: [customer, customer_id]}."""
    return {k: k if v is None else v for k, v in given.items()} if isinstance(given, dict) else given


class QueryTable(Settings):
    """What a query sees as one table, whatever holds it."""

    columns: Annotated[dict[str, str | list[str]], BeforeValidator(_named)] = {}
    """The query's name of a column: the names that it may have, of which the first that is there counts; case, blanks,
    hyphens and underscores make no difference: {id, company_id: [Record ID, hs_object_id]}. A name with dots leads into
    the JSON of a column: properties.domain.
    """
    optional: list[str] = []
    """Columns that the query names and the table may lack, as exports change; they are null then."""
    may_be_missing: bool = False
    """Whether the table may not be there: it is empty then, with the columns of `columns` and `optional`."""

    def names_of(self, column: str) -> list[str]:
        """What a column of the query may be called where it is read."""
        named = self.columns.get(column, column)
        return [named] if isinstance(named, str) else named


class QueryFiles(FileSet, QueryTable):
    """Files that a query sees as one table; columns that are not named keep their names."""


class LandedTable(QueryTable):
    """A table that a query sees: of a database, with the columns that are named and no others, or landed by a source."""

    name: str | list[str]
    """Its schema and name, such as stripe.price; of several the first that is there."""
    landed: SystemName | None = None
    """In place of the `connection`: the source of this portfolio that landed it, such as `stripe`; `name` is then that of
    the vendor's objects, such as customers, and columns that are not named keep their names."""
    where: dict[str, list[str]] = {}
    """Only rows that have one of the values in the column, e.g. {field_name: [status, priority]}."""

    @property
    def names(self) -> list[str]:
        """The names under which it may be there."""
        return [self.name] if isinstance(self.name, str) else self.name

    @model_validator(mode="after")
    def _names_columns(self) -> "LandedTable":
        if self.landed and (self.where or len(self.names) != 1):
            raise Misfit("is about a table of a database, of which this is none", ("where" if self.where else "name",))
        if not self.landed and not self.columns and not self.optional:
            raise Misfit("names the columns that the query reads, as `{id, customer: customer_id}`", ("columns",))
        return self


class SqlSource(ReadByFile):
    """One canonical table from a query: over declared files in DuckDB's SQL, or at a connection in its server's.

    Over files, it sees each entry of `files` as a table of its name, with the columns of the files, all text, and
    `_source_file`; nested values of JSON are text that `->>` and `from_json` read; likewise `tables` of a connection. It
    gives the canonical columns, typed or as text, and is one SELECT: it can read no other file, change no setting and
    write nothing.
    """

    kind: Literal["sql"]
    files: dict[TableName, Annotated[QueryFiles, BeforeValidator(_of_a_path)]] = {}
    """The name of a table in the query: its files, by a path or by a path with a layout."""
    connection: Annotated[str, Field(pattern=r"^(cluster|\$\{[A-Za-z_][A-Za-z0-9_]*\})$")] | None = None
    """In place of `files`: `${NAME}` of a variable with the address of a database, such as
    postgresql://user:password@host/database or sqlite:////data/crm.sqlite; or `cluster`: the query is Spark's SQL over
    tables of the catalogs of the cluster that `warehouse` names. Nothing is written there.
    """
    tables: dict[TableName, LandedTable] = {}
    """Of a connection: the name of a table in the query: a table of the database. With them the query is DuckDB's SQL and
    sees them as it sees files, all columns as text, so that one query serves every server; `files` may be beside them.
    """
    query: str = Field(min_length=1)
    """One SELECT, which names its result's columns as the canonical table does."""
    per_file: bool = False
    """Of one entry of `files`: the query is run for each file by itself, and again only for files that are new or changed.
    For queries whose rows of all files are those of each file, one below the other.
    """
    cursor: CursorSetting | None = None
    """Of a connection: reads only what is new since the last refresh, by a column that grows: `updated_at`, or with `key`,
    `look_back` and `deleted`. What the query no longer gives stays then."""
    _stands_at: str = PrivateAttr("")

    @model_validator(mode="after")
    def _one_place(self) -> "SqlSource":
        if not (self.files or self.connection or self.landed) or (self.files and self.connection and not self.tables):
            raise Misfit("needs either `files`, which the query reads, or a `connection`, where it runs", ("query",))
        if not self.connection and len(self.landed) < len(self.tables):
            raise Misfit("are of a `connection`, which is not stated", ("tables",))
        if self.is_at_cluster and self.tables:
            raise Misfit("are of a database; a query at the cluster names the catalog's tables itself", ("tables",))
        if self.per_file and (len(self.files) != 1 or self.connection or self.tables):
            raise Misfit("is for a query over one entry of `files`", ("per_file",))
        if self.gone_files and not self.per_file:
            raise Misfit(
                "is for queries that are run `per_file`; others are run over the files that are there", ("gone_files",)
            )
        return self

    @model_validator(mode="after")
    def _cursor_fits(self) -> "SqlSource":
        if not self.cursor:
            return self
        if not self.connection or self.tables:
            raise Misfit("is of a query that runs at a `connection`; files and `tables` are read whole", ("cursor",))
        if self.delivers == "all" and not self.cursor.deleted:
            raise Misfit("needs `deleted` under `cursor`, which does not see what is gone otherwise", ("delivers",))
        key, own = self.cursor.key_of(self.table), self.key or ROW_KEYS.get(self.table, ())
        if not key:
            raise Misfit(f"needs a `key`, as {self.table} may have several rows of one id", ("cursor",))
        if lacking := [name for name in own if name not in key]:
            raise Misfit(f"needs {', '.join(lacking)} too: rows of {self.table} differ in it", ("cursor", "key"))
        return self

    def stand_at(self, line: int | None, file: str) -> None:
        """Where the query stands, which messages about it say."""
        self._stands_at = f" (line {line} of {file})"

    @property
    def query_title(self) -> str:
        """What messages call the query."""
        return f"The query of the {self.title}{self._stands_at}"

    @property
    def is_at_cluster(self) -> bool:
        """Whether the query runs on the Spark cluster of the portfolio."""
        return self.connection == CLUSTER

    @property
    def landed(self) -> dict[str, LandedTable]:
        """The tables that sources of this portfolio landed."""
        return {name: table for name, table in self.tables.items() if table.landed}

    @property
    def delivers_all(self) -> bool:
        """Whether a row that a delivery no longer has is missing: as stated, else yes, if a cursor tells of deleted ones.

        Not of events file by file, unless stated.
        """
        if self.per_file and self.table == "usage_events":
            return self.delivers == "all"
        return self.delivers != "changes" and (self.cursor is None or self.cursor.deleted is not None)
