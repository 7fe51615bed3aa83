"""From a file's own columns to the canonical ones: names, constants, delimited cells, wide columns turned
into rows.

One file's content in, one Arrow table of text columns out, by one query of an in-memory DuckDB. What a file
holds is read by `cx_intel.sources.files.formats.by_format`; what the texts mean is decided at staging.
"""

from collections.abc import Iterable

import duckdb
import pyarrow as pa

from cx_intel.contracts.contract import Column, Contract
from cx_intel.contracts.delivered import AS_DELIVERED, delivered_columns, needed_columns
from cx_intel.settings.sources.files import FilesSource
from cx_intel.settings.yaml.keys import did_you_mean
from cx_intel.sources.errors import SourceError
from cx_intel.sources.files.content import Content
from cx_intel.sources.files.paths import SourceFile
from cx_intel.warehouse.duckdb.files.local_spellings import identifier, literal, localised, respelt
from cx_intel.warehouse.duckdb.files.nested import matches, nested

DELIMITERS = {";": '";"', "\t": '"\\t"', "|": '"|"', ",": '","'}
"""What may part the columns of a CSV file, and how YAML writes it."""


def canonical(
    con: duckdb.DuckDBPyConnection,
    content: Content,
    file: SourceFile,
    source: FilesSource,
    contract: Contract,
    *,
    as_given: bool = False,
) -> pa.Table:
    """The rows of a file under the canonical names, with `_source_file`, `_row_number` and `_raw_row`.

    Args:
        con: Where the query runs.
        content: What the file holds.
        file: The file.
        source: The mapping.
        contract: Of the table.
        as_given: Cells stay as they are, and rows that can be told from them have no `_raw_row`, where that may be
            (`is_told_by_cells`).

    Raises:
        SourceError: The file lacks a column that the mapping names or the table requires, or has it twice.
    """
    cells = Cells(content, file, source, as_given=as_given)
    table = content.table
    if content.raw_rows is not None:
        table = table.append_column("_raw", content.raw_rows)
    con.register("file", table)
    try:
        return con.sql(canonical_query(cells, contract, literal(file.name))).to_arrow_table()
    finally:
        con.unregister("file")


def canonical_query(cells: "Cells", contract: Contract, source_file: str) -> str:
    """The query that gives the canonical columns of what stands in `file`: its cells c0, c1 ... and `row_number`.

    Args:
        cells: The cells.
        contract: Of the table.
        source_file: What gives the name of the file.
    """
    source = cells.source
    wanted: dict[str, str] = {}
    for column in delivered_columns(contract):
        if (expression := _expression(column.name, cells, source)) is not None:
            read = _localised(expression, column, cells, source)
            wanted[column.name] = respelt(expression, read, source.values.get(column.name, {}))
    for name, other in AS_DELIVERED.get(source.table, {}).items():
        if name not in wanted and (expression := _expression(other, cells, source)) is not None:
            wanted[name] = expression
    _check_required(wanted, cells, contract)
    wanted |= {"_source_file": source_file, "_row_number": "row_number", "_raw_row": cells.raw_row(contract)}
    selected = ", ".join(f"{expression} AS {identifier(name)}" for name, expression in wanted.items())
    return f"SELECT {selected} FROM {_rows(cells, source)}"


def is_told_by_cells(source: FilesSource) -> bool:
    """Whether the canonical cells of a row are those of its file, under other names at most."""
    changed = (source.constants, source.values, source.split, source.unpivot, source.date_formats)
    return not any(changed) and source.null_text == [""]


def canonical_names(source: FilesSource, contract: Contract) -> set[str]:
    """What the files call the canonical columns."""
    return {source.columns.get(column.name, column.name) for column in delivered_columns(contract)}


def used_names(source: FilesSource, contract: Contract) -> set[str]:
    """The file's names that the source reads where they are there."""
    return canonical_names(source, contract).union(source.unpivot.columns if source.unpivot else (), source.where)


def ignored(content: Content, used: Iterable[str]) -> set[str]:
    """The columns of a file that nothing reads."""
    places = (nested(name, content.columns) for name in used)
    return set(content.columns) - set(used) - {place.column for place in places if place}


def rows_wanted(con: duckdb.DuckDBPyConnection, content: Content, file: SourceFile, source: FilesSource) -> Content:
    """The rows of a file that are some by the source's `where`. Raises SourceError where the file lacks a column of it."""
    if not source.where:
        return content
    cells = Cells(content, file, source)
    conditions = " AND ".join(matches(cells[name], *source.wanted(name)) for name in source.where)
    con.register("file", content.table)
    try:
        return content.only(con.sql(f"SELECT {conditions} AS is_wanted FROM file").to_arrow_table()["is_wanted"])
    finally:
        con.unregister("file")


class Cells:
    """The file's columns as expressions: text equal to one of `null_text` is null.

    With `as_given`, empty cells may stay as they are: staging reads them as missing too. Of a part of a file, a column that
    is not there is null: with the last part it is known whether the file has it.
    """

    def __init__(self, content: Content, file: SourceFile, source: FilesSource, *, as_given: bool = False) -> None:
        self.columns, self.file, self.source = content.columns, file, source
        self._is_as_given = as_given and is_told_by_cells(source)
        self._has_json_rows = content.raw_rows is not None
        self._marks = frozenset(content.table.column_names)
        self.is_part = content.is_part

    def __contains__(self, name: str) -> bool:
        return name in self.columns

    def __getitem__(self, name: str) -> str:
        if name not in self.columns and (place := nested(name, self.columns)):
            return self.known(place.of(self[place.column]))
        if self._is_absent(name):
            return "NULL::varchar"
        if name not in self.columns:
            raise SourceError(
                f"{self.file.path}: has no column {name!r}, which the {self.source.title} reads"
                f"{did_you_mean(name, self.columns)}; there are {', '.join(self.columns)}. Mend the mapping{self.hint()}."
            )
        if self.columns.count(name) > 1:
            raise SourceError(
                f"{self.file.path}: has the column {name!r} twice, and it is unclear which one the source "
                f"of {self.source.table} means; rename one of them."
            )
        return self.known(f"c{self.columns.index(name)}")

    def is_typed(self, name: str) -> str:
        """Whether the cell is no text in the file, as an expression."""
        if name not in self.columns and (place := nested(name, self.columns)):
            return place.is_number("_raw" if self._has_json_rows else self._row_of(place.column))
        if self._is_absent(name):
            return "false"
        mark = f"t{self.columns.index(name)}"
        return f"coalesce({mark}, false)" if mark in self._marks else "false"

    def _is_absent(self, name: str) -> bool:
        """Whether the file lacks a column that it may lack."""
        if name in self.columns:
            return False
        return self.is_part or any(n == name or name.startswith(f"{n}.") for n in self.source.optional)

    def _row_of(self, column: str) -> str:
        """A row of JSON that holds the JSON of a column."""
        return f"json_object({literal(column)}, try_cast(c{self.columns.index(column)} AS json))"

    def hint(self) -> str:
        """What to state where the only column's name looks like a row of names."""
        if self.file.format != "csv" or len(self.columns) != 1:
            return ""
        counts = {mark: self.columns[0].count(mark) for mark in DELIMITERS if mark != self.source.delimiter}
        likely = max(counts, key=lambda mark: counts[mark])
        if not counts[likely]:
            return ""
        return f"; the delimiter looks like {DELIMITERS[likely]}: state `delimiter: {DELIMITERS[likely]}` in the source"

    def raw_row(self, contract: Contract) -> str:
        """The row as it stood, or as JSON of the file's own columns; null where its canonical cells tell it."""
        if self._has_json_rows:
            return "_raw"
        if self._is_as_given and set(self.columns) <= canonical_names(self.source, contract):
            return "NULL::varchar"
        pairs = (f"{literal(name)}, c{n}" for n, name in enumerate(self.columns))
        return f"json_object({', '.join(pairs)})::varchar"

    def known(self, cell: str) -> str:
        if self._is_as_given:
            return cell
        nulls = ", ".join(literal(text) for text in self.source.null_text)
        return f"CASE WHEN trim({cell}) IN ({nulls}) THEN NULL ELSE {cell} END" if nulls else cell


def _expression(name: str, cells: Cells, source: FilesSource) -> str | None:
    """What gives a canonical column; None when nothing does."""
    if name in source.constants:
        return literal(str(source.constants[name]))
    if source.unpivot and name in (source.unpivot.name_to, source.unpivot.value_to):
        return "_name" if name == source.unpivot.name_to else "_value"
    for split_name, split in source.split.items():
        if name == split.count_to:
            return f"len({_parts(cells[source.columns.get(split_name, split_name)], split.delimiter)})::varchar"
    if name not in source.columns and name not in cells:
        return None
    cell = cells[source.columns.get(name, name)]
    if name in source.split:
        return f"list_aggregate({_parts(cell, source.split[name].delimiter)}, 'string_agg', '|')"
    return cell


def _localised(cell: str, column: Column, cells: Cells, source: FilesSource) -> str:
    """What the file's text cells of a column mean in the source's spelling of dates and numbers."""
    name = column.name
    counted = [split.count_to for split in source.split.values()]
    if name in source.constants or name in source.split or name in counted:
        return cell
    read = localised(cell, column.type, source)
    if read == cell:
        return cell
    if source.unpivot and name in (source.unpivot.name_to, source.unpivot.value_to):
        typed = "_typed" if name == source.unpivot.value_to else "false"
    else:
        typed = cells.is_typed(source.columns.get(name, name))
    return f"CASE WHEN {typed} THEN {cell} ELSE {read} END"


def _parts(cell: str, delimiter: str) -> str:
    trimmed = f"list_transform(string_split({cell}, {literal(delimiter)}), lambda part: trim(part))"
    return f"list_filter({trimmed}, lambda part: part <> '')"


def _rows(cells: Cells, source: FilesSource) -> str:
    """The relation to select from: the file, or its wide columns turned into rows."""
    unpivot = source.unpivot
    if unpivot is None:
        return "file"
    renamed = unpivot.columns if isinstance(unpivot.columns, dict) else {name: name for name in unpivot.columns}
    names = ", ".join(literal(name) for name in renamed.values())
    values = ", ".join(cells[name] for name in renamed)
    typed = ", ".join(cells.is_typed(name) for name in renamed)
    unnested = (
        f"SELECT *, unnest([{names}]) AS _name, unnest([{values}]) AS _value, unnest([{typed}]) AS _typed FROM file"
    )
    return f"({unnested}) WHERE _value IS NOT NULL"


def _check_required(given: Iterable[str], cells: Cells, contract: Contract) -> None:
    columns = cells.columns
    for name in needed_columns(contract, cells.source.added_columns):
        if name not in given and not cells.is_part:
            raise SourceError(
                f"{cells.file.path}: has no column {name!r}, which {cells.source.table} requires"
                f"{did_you_mean(name, columns)}; there are {', '.join(columns)}. Name the right one under "
                f"`columns`, or a value under `constants`{cells.hint()}."
            )
