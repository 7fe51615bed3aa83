"""Reads one canonical table by a query: over declared files, kept from everything else on the machine, or at a connection.

What the files hold is read as for any source (`cx_intel.sources.files`); the query sees only that, in a DuckDB of its
own without access to files, network, extensions or settings. What its values mean is decided at staging.
"""

from collections.abc import Container, Iterator, Mapping, Sequence
from contextlib import contextmanager

import duckdb
import pyarrow as pa

from cx_intel.contracts.contract import TEXT, Column, Contract
from cx_intel.contracts.delivered import AS_DELIVERED, delivered_columns, needed_columns
from cx_intel.settings.sources.files import FileSet
from cx_intel.settings.sources.sql import LandedTable, QueryFiles, QueryTable, SqlSource
from cx_intel.settings.yaml.keys import did_you_mean
from cx_intel.sources.errors import SourceError
from cx_intel.sources.files.content import EXACT, REJECTS, Content, FilesRead
from cx_intel.sources.files.formats.by_format import read_file
from cx_intel.sources.files.limits import refuse_deep_cells
from cx_intel.sources.files.paths import SourceFile, file_sets, source_files, with_variables
from cx_intel.warehouse.connections import exact_numbers, run_query
from cx_intel.warehouse.duckdb.files.landed import bare, read_landed
from cx_intel.warehouse.duckdb.files.local_spellings import identifier, literal, localised, respelt
from cx_intel.warehouse.duckdb.files.nested import opened

TYPED = ("BIGINT", "BOOLEAN", "DATE", "DOUBLE", "FLOAT", "HUGEINT", "INTEGER", "SMALLINT", "TINYINT", "TIMESTAMP")
"""Types of a result that stand as they are; times with a zone are brought to UTC, decimals stay, all else is text."""
QUERY = "query"
"""Stands for the file of a row that a query gave."""
ISOLATED = {
    "TimeZone": "UTC",
    "autoinstall_known_extensions": "false",
    "autoload_known_extensions": "false",
    "python_enable_replacements": "false",
    "threads": "1",  # the order of the rows, by which repeated keys are told apart, is then that of the query
    "enable_external_access": "false",
    "lock_configuration": "true",
}
"""Settings of the connection that runs a query; nothing can be changed after the last."""


def read_query(
    source: SqlSource,
    *,
    contract: Contract,
    environment: Mapping[str, str],
    landed: Mapping[str, pa.Table | None] | None = None,
) -> FilesRead:
    """The rows of a query: text or typed columns under canonical names.

    Args:
        source: The files and the query.
        contract: The staging contract of the source's table; its delivered columns are what may be given.
        environment: Gives the values of `${NAME}` in paths.
        landed: The query's name of a table that another source landed: what it holds; None: nothing was landed.

    `_row_number` counts the rows of the result, `_raw_row` is the row as JSON, `_source_file` the query.

    Raises:
        SourceError: Files or variables are missing, a file cannot be read, the query is not one SELECT, fails, or lacks
            a column that the table requires; the text says what to do.
    """
    of = f"The query of the {source.title}"
    names: list[str] = []
    rejects = [REJECTS.empty_table()]
    address = address_of(source, environment) if source.connection else ""
    if address and not source.tables:
        given = run_query(address, source.query, of)
    else:
        with duckdb.connect() as con:
            tables = {name: table for name, table in source.tables.items() if not table.landed}
            for name, table in (read_landed(address, tables, of) if tables else {}).items():
                con.register(name, table)
            for name, table in source.landed.items():
                con.register(name, _landed_here((landed or {}).get(name), table, name, of))
            for (name, declared), (_, whose) in zip(source.files.items(), file_sets(source), strict=True):
                files = source_files(declared, environment, whose)
                content, found = _contents(declared, files)
                con.register(name, content)
                rejects.append(found)
                names += [f"{name}/{file.name}" for file in files]
            with _errors_of(of):
                given = _alone(con, source.query, of)
    return _given(given, source, contract, rejects, names)


def read_query_of_file(source: SqlSource, file: SourceFile, contract: Contract) -> FilesRead:
    """The rows that the query of a source gives of one file alone; as `read_query`, but that rows are of the file.

    Args:
        source: The query, which is run `per_file`.
        file: The file.
        contract: As there.
    """
    of = f"The query of the {source.title} over {file.path}"
    ((name, declared),) = source.files.items()
    content, rejects = _contents(declared, [file])
    with duckdb.connect() as con, _errors_of(of):
        con.register(name, content)
        given = _alone(con, source.query, of)
    return _given(given, source, contract, [rejects], [file.name], source_file=file.name)


def _given(
    given: pa.Table,
    source: SqlSource,
    contract: Contract,
    rejects: Sequence[pa.Table],
    files: Sequence[str],
    source_file: str = QUERY,
) -> FilesRead:
    """The rows of a result under canonical names."""
    ignored = check_columns(given.column_names, contract, source)
    with duckdb.connect() as con, _errors_of(f"The query of the {source.title}"):
        con.execute("SET TimeZone = 'UTC'")
        con.register("given", given)
        table = _canonical(con.table("given"), source, contract, exact_numbers(given.schema), source_file)
    return FilesRead(table=table, rejects=pa.concat_tables(rejects), files=tuple(files), ignored_columns=ignored)


def address_of(source: SqlSource, environment: Mapping[str, str]) -> str:
    """The address of a source's connection. Raises SourceError where the environment has none."""
    try:
        return with_variables(source.connection or "", environment)
    except KeyError as error:
        raise SourceError(
            f"The environment variable {error.args[0]} is not set, which holds the connection of the "
            f"{source.title}: set it, for instance {error.args[0]}=postgresql://user:password@host/database."
        ) from None


def _alone(con: duckdb.DuckDBPyConnection, query: str, of: str) -> pa.Table:
    """What a query gives that sees nothing but the tables registered; refuses whatever is not one SELECT."""
    for setting, value in ISOLATED.items():
        con.execute(f"SET {setting} = '{value}'")
    statements = con.extract_statements(query)
    if len(statements) != 1 or statements[0].type != duckdb.StatementType.SELECT:
        kinds = ", ".join(s.type.name for s in statements) or "nothing"
        raise SourceError(f"{of} is to be one SELECT; it is {kinds}. Put what it needs into subqueries (WITH).")
    return con.sql(query).to_arrow_table()


def _contents(declared: QueryFiles, files: Sequence[SourceFile]) -> tuple[pa.Table, pa.Table]:
    """What some files of one set hold, joined by column name, with `_source_file`; and the rows that could not be split."""
    tables, rejects = [], []
    spelling: dict[str, str] = {}
    for file in files:
        content = read_file(file, declared)
        _refuse_repeated(content, str(file.path))
        table = content.table.select([f"c{n}" for n in range(len(content.columns))]).rename_columns(content.columns)
        refuse_deep_cells(table, file)
        table = _renamed(opened(table, declared), declared, str(file.path), file.of)
        table = table.rename_columns([spelling.setdefault(name.lower(), name) for name in table.column_names])
        tables.append(table.append_column("_source_file", pa.repeat(file.name, table.num_rows)))
        rejects.append(content.rejects)
    no_files = pa.table({name: pa.nulls(0, pa.string()) for name in [*declared.columns, "_source_file"]})
    table = pa.concat_tables(tables or [no_files], promote_options="default")
    given = {name.lower() for name in table.column_names}
    for name in (name for name in declared.optional if name.lower() not in given):
        table = table.append_column(name, pa.nulls(table.num_rows, pa.string()))
    for n, name in enumerate(table.column_names):
        if pa.types.is_null(table.schema.field(n).type):
            table = table.set_column(n, name, table.column(n).cast(pa.string()))
    return _without_null_text(table, declared), pa.concat_tables([REJECTS.empty_table(), *rejects])


def _landed_here(table: pa.Table | None, declared: LandedTable, name: str, of: str) -> pa.Table:
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


@contextmanager
def _errors_of(of: str) -> Iterator[None]:
    try:
        yield
    except duckdb.Error as error:
        text = str(error).strip()
        hint = ""
        if "explicit type casts" in text or "VARCHAR" in text:
            hint = " Columns of files are text: write `amount::decimal(18, 2)`, or try_cast where some cells are none."
        elif "file system operations are disabled" in text or "external access" in text.lower():
            hint = " It sees the files declared under `files`, by their names, and no others."
        raise SourceError(f"{of} fails: {text}{hint}") from error


def check_columns(given: Sequence[str], contract: Contract, source: SqlSource) -> tuple[str, ...]:
    """Refuses a result that lacks a needed column or names one twice, in any case; the names that nothing reads."""
    of, lower = f"The query of the {source.title}", [name.lower() for name in given]
    if repeated := sorted({name for name in lower if lower.count(name) > 1}):
        raise SourceError(f"{of} gives {', '.join(repeated)} twice; name one of them otherwise.")
    for name in needed_columns(contract, source.added_columns):
        if name not in lower:
            raise SourceError(
                f"{of} gives no column {name!r}, which {source.table} requires{did_you_mean(name, lower)}; it gives "
                f"{', '.join(given)}. Name it with AS."
            )
    known = {column.name for column in delivered_columns(contract)}
    if source.cursor:
        if other := [name for name in source.cursor.key_of(source.table) if name.lower() not in known]:
            raise SourceError(
                f"{of} has {other[0]!r} in the `key` of its cursor, which is no column of {source.table}"
                f"{did_you_mean(other[0], known)}: rows are told apart by canonical columns."
            )
        known |= {name.lower() for name in source.cursor.beside_rows}
        for name in (*source.cursor.beside_rows, *source.cursor.key_of(source.table)):
            if name.lower() not in lower:
                raise SourceError(
                    f"{of} gives no column {name!r}, which its cursor reads{did_you_mean(name, given)}; it gives "
                    f"{', '.join(given)}."
                )
    return tuple(sorted(name for name in given if name.lower() not in known))


def _canonical(
    given: duckdb.DuckDBPyRelation, source: SqlSource, contract: Contract, exact: Container[str], source_file: str
) -> pa.Table:
    """The canonical columns of a result in their types, with what each row is called."""
    kinds = dict(zip(given.columns, map(str, given.types), strict=True))
    cells = [f"{cell} AS {identifier(name)}" for name, cell in canonical_cells(kinds, source, contract, exact).items()]
    cells += [f"{literal(source_file)} AS _source_file", "row_number() OVER () AS _row_number"]
    cells.append("to_json(given)::varchar AS _raw_row")
    return given.project(", ".join(cells)).to_arrow_table()


def canonical_cells(
    kinds: Mapping[str, str], source: SqlSource, contract: Contract, exact: Container[str]
) -> dict[str, str]:
    """Canonical column: the expression that gives it, of a result's columns and their types.

    Names count in any case: some servers write those of a result in capitals.
    """
    columns = {column.name: column for column in delivered_columns(contract)}
    cells = {}
    for name, kind in kinds.items():
        if column := columns.get(name.lower()):
            read = _cell(name, column, kind, source, name in exact)
            cells[column.name] = respelt(f"{identifier(name)}::varchar", read, source.values.get(column.name, {}))
    names = {name.lower(): name for name in kinds}
    for name, other in AS_DELIVERED.get(source.table, {}).items():
        if name not in names and other in names:
            cells[name] = f"{identifier(names[other])}::varchar"
    return cells


def _cell(given: str, column: Column, kind: str, source: SqlSource, is_exact_number: bool) -> str:
    """What gives a cell; an id that a server has as a number with a fraction is written without one."""
    cell = identifier(given)
    if kind == "VARCHAR":
        return cell if is_exact_number else localised(cell, column.type, source)
    if kind == "TIMESTAMP WITH TIME ZONE":
        return f"strftime({cell}, '%Y-%m-%dT%H:%M:%S.%fZ')"
    if column.type == TEXT and kind.startswith(("DOUBLE", "FLOAT", "DECIMAL")):
        is_whole = f"{cell} = trunc({cell}) AND abs({cell}) <= {EXACT:.0f}"
        return f"CASE WHEN {is_whole} THEN {cell}::bigint::varchar ELSE {cell}::varchar END"
    if kind in TYPED or kind.startswith("DECIMAL"):
        return cell
    return f"to_json({cell})::varchar" if kind.endswith(("[]", ")")) else f"{cell}::varchar"
