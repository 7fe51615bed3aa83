"""What the query of a source reads, under the names that it knows: tables of files, and what another source landed.

Files are read as for any source (`cx_intel.sources.files`), and everything in them is text. The query is run in
`queries.py`; tables of other people's databases come from `landed.py`.
"""

from collections.abc import Sequence

import duckdb
import pyarrow as pa

from cx_intel.settings.sources.files import FileSet
from cx_intel.settings.sources.sql import LandedTable, QueryFiles, QueryTable
from cx_intel.settings.yaml.keys import did_you_mean
from cx_intel.sources.errors import SourceError
from cx_intel.sources.files.content import REJECTS, Content
from cx_intel.sources.files.formats.by_format import read_file
from cx_intel.sources.files.formats.json_documents import NoObjects
from cx_intel.sources.files.limits import refuse_deep_cells
from cx_intel.sources.files.paths import SourceFile
from cx_intel.warehouse.duckdb.files.landed import bare
from cx_intel.warehouse.duckdb.files.local_spellings import identifier, literal
from cx_intel.warehouse.duckdb.files.nested import opened

_PART = "_cx_part"


def put_contents(
    con: duckdb.DuckDBPyConnection, name: str, declared: QueryFiles, files: Sequence[SourceFile]
) -> pa.Table:
    """Puts what the files of one set hold into a table, joined by column name, with `_source_file`; one file at a time.

    Returned are the rows that could not be split.
    """
    rejects = [REJECTS.empty_table()]
    known: dict[str, str] = {}
    for file in files:
        try:
            content = read_file(file, declared)
        except NoObjects:
            if not declared.may_be_missing and len(files) == 1:
                raise
            continue
        _refuse_repeated(content, str(file.path))
        table = content.table.select([f"c{n}" for n in range(len(content.columns))]).rename_columns(content.columns)
        refuse_deep_cells(table, file)
        table = _renamed(opened(table, declared), declared, str(file.path), file.of)
        table = _without_null_text(table, declared)
        _put(con, name, table.append_column("_source_file", pa.repeat(file.name, table.num_rows)), known)
        rejects.append(content.rejects)
    more = [*([] if known else [*declared.columns, "_source_file"]), *declared.optional]
    _put(con, name, pa.table({column: pa.nulls(0, pa.string()) for column in dict.fromkeys(more)}), known)
    return pa.concat_tables(rejects)


def _put(con: duckdb.DuckDBPyConnection, name: str, part: pa.Table, known: dict[str, str]) -> None:
    """Adds rows to a table of text; a column that is new to it is null in the rows before.

    Args:
        con: Where the table is to be.
        name: Of the table, which is made with its first rows.
        part: The rows.
        known: The columns that it has, by their names in lower case; new ones are added.
    """
    new = {column.lower(): column for column in part.column_names if column.lower() not in known}
    kinds = [f"{identifier(column)} VARCHAR" for column in new.values()]
    if not known:
        con.execute(f"CREATE TABLE {identifier(name)} ({', '.join(kinds)})")
    for kind in kinds if known else ():
        con.execute(f"ALTER TABLE {identifier(name)} ADD COLUMN {kind}")
    known |= new
    if part.num_rows:
        con.register(_PART, part.rename_columns([known[column.lower()] for column in part.column_names]))
        con.execute(f"INSERT INTO {identifier(name)} BY NAME SELECT * FROM {_PART}")
        con.unregister(_PART)


def landed_here(table: pa.Table | None, declared: LandedTable, name: str, of: str) -> pa.Table:
    """What a source landed, under the names that the query knows; where it may be missing and is, no rows."""
    place = f"The objects {declared.names[0]} of {declared.landed}"
    if table is None and not declared.may_be_missing:
        raise SourceError(f"{place}, which {of} reads, were not landed: refresh landed_{declared.landed} first.")
    if table is None:
        wanted = dict.fromkeys([*declared.columns, *declared.optional])
        return pa.table({column: pa.nulls(0, pa.string()) for column in wanted})
    renamed = _renamed(opened(table, declared), declared, place, f"`{name}` of {of}")
    for column in (column for column in declared.optional if column not in renamed.column_names):
        renamed = renamed.append_column(column, pa.nulls(renamed.num_rows, pa.string()))
    return renamed


def _renamed(table: pa.Table, files: QueryTable, place: str, of: str) -> pa.Table:
    """The columns of a file or a landed table under the names that the query knows them by.

    A file's column that bears such a name itself and is another one is not what the query means: it is left out.
    """
    found: dict[str, str] = {}
    for name in dict.fromkeys([*files.columns, *files.optional]):
        stated = files.names_of(name)
        if there := next((t for s in stated for t in table.column_names if bare(t) == bare(s)), None):
            found[name] = there
        elif name not in files.optional:
            raise SourceError(
                f"{place}: has no column {' or '.join(map(repr, stated))}, which {of} reads"
                f"{did_you_mean(stated[0], table.column_names)}; there are {', '.join(table.column_names)}. Name the "
                f"right one under `columns`."
            )
    taken = {*found.values(), *(n for n in table.column_names if n.lower() in {name.lower() for name in found})}
    kept = [name for name in table.column_names if name not in taken]
    return pa.table({**{name: table[there] for name, there in found.items()}, **{n: table[n] for n in kept}})


def _without_null_text(table: pa.Table, files: FileSet) -> pa.Table:
    """Cells that are one of the spellings of a missing value are missing."""
    with duckdb.connect() as con:
        con.register("content", table)
        spellings = ", ".join(literal(text) for text in files.null_text)
        if not spellings:
            return table
        cells = (
            f"CASE WHEN trim({identifier(name)}) IN ({spellings}) THEN NULL ELSE {identifier(name)} END AS {identifier(name)}"
            for name in table.column_names
        )
        return con.sql(f"SELECT {', '.join(cells)} FROM content").to_arrow_table()


def _refuse_repeated(content: Content, path: str) -> None:
    lower = [name.lower() for name in content.columns]
    if repeated := sorted({name for name in content.columns if lower.count(name.lower()) > 1}):
        raise SourceError(f"{path}: has the column {', '.join(repeated)} more than once; rename one of them.")
