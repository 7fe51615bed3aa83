"""Reads one canonical table by a query: over declared files, kept from everything else on the machine, or at a connection.

What the files hold is read as for any source (`cx_intel.sources.files`); the query sees only that, in a DuckDB of its
own without access to files, network, extensions or settings. What its values mean is decided at staging.
"""

from collections.abc import Callable, Container, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from typing import TypeAlias

import duckdb
import pyarrow as pa

from cx_intel.contracts.contract import TEXT, Column, Contract
from cx_intel.contracts.delivered import AS_DELIVERED, delivered_columns, needed_columns
from cx_intel.settings.sources.sql import SqlSource
from cx_intel.settings.yaml.keys import did_you_mean
from cx_intel.sources.errors import SourceError
from cx_intel.sources.files.content import EXACT, REJECTS, FilesRead, in_columns, raw_rejects
from cx_intel.sources.files.formats.json_documents import refuse_first_pages
from cx_intel.sources.files.paths import SourceFile, file_sets, source_files, with_variables
from cx_intel.warehouse.duckdb.access.limits import Limits
from cx_intel.warehouse.duckdb.files.landed import read_landed
from cx_intel.warehouse.duckdb.files.local_spellings import identifier, literal, localised, respelt
from cx_intel.warehouse.duckdb.queries.query_inputs import landed_here, put_contents
from cx_intel.warehouse.servers.connections import exact_numbers, streamed, watched

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
BATCH_ROWS = 20_000
Answered: TypeAlias = Callable[[str, str, str], AbstractContextManager[pa.RecordBatchReader]]
"""Runs a query: the address, the query, and whose it is, as messages say it."""


@dataclass(frozen=True)
class QueryRows:
    """What a query gives, as it comes.

    Attributes:
        reader: The rows under canonical names, batch by batch.
        rejects: As in `FilesRead`.
        files: As there.
        ignored_columns: As there.
    """

    reader: pa.RecordBatchReader
    rejects: pa.Table
    files: tuple[str, ...]
    ignored_columns: tuple[str, ...]

    def raw(self) -> pa.RecordBatchReader:
        """The raw table to keep: the rows, then those that could not be split, with their reason in `_reject`."""
        rejects = raw_rejects(self.rejects)
        schema = pa.unify_schemas([self.reader.schema, rejects.schema])

        def batches() -> Iterator[pa.RecordBatch]:
            for batch in self.reader:
                yield from in_columns(pa.Table.from_batches([batch]), schema).to_batches()
            yield from in_columns(rejects, schema).to_batches()

        return pa.RecordBatchReader.from_batches(schema, batches())


def read_query(
    source: SqlSource,
    *,
    contract: Contract,
    environment: Mapping[str, str],
    landed: Mapping[str, pa.Table | None] | None = None,
    is_sample: bool = False,
) -> FilesRead:
    """All rows of a query at once: where they are known to be few. Arguments and errors are those of `query_rows`."""
    with query_rows(source, contract=contract, environment=environment, landed=landed, is_sample=is_sample) as rows:
        return FilesRead(rows.reader.read_all(), rows.rejects, rows.files, rows.ignored_columns)


@contextmanager
def query_rows(
    source: SqlSource,
    *,
    contract: Contract,
    environment: Mapping[str, str],
    landed: Mapping[str, pa.Table | None] | None = None,
    limits: Limits | None = None,
    answered: Answered = streamed,
    is_sample: bool = False,
) -> Iterator[QueryRows]:
    """The rows of a query, text or typed columns under canonical names, batch by batch while the block lasts.

    Args:
        source: The files and the query.
        contract: The staging contract of the source's table; its delivered columns are what may be given.
        environment: Gives the values of `${NAME}` in paths.
        landed: The query's name of a table that another source landed: what it holds; None: nothing was landed.
        limits: What the query may take of the machine.
        answered: Runs a query at an address, and gives its result batch by batch.
        is_sample: There are more files than these.

    `_row_number` counts the rows of the result, `_raw_row` is the row as JSON, `_source_file` the query.

    Raises:
        SourceError: Files or variables are missing, a file cannot be read, the query is not one SELECT, fails, or lacks
            a column that the table requires; the text says what to do.
    """
    of, limits = source.query_title, limits or Limits()
    address = address_of(source, environment) if source.connection else ""
    if address and not source.tables:
        with (
            answered(address, source.query, of) as given,
            _canonical(given, source, contract, [], [], limits) as rows,
        ):
            yield rows
        return
    names: list[str] = []
    rejects = [REJECTS.empty_table()]
    with _own_database(limits) as con:
        tables = {name: table for name, table in source.tables.items() if not table.landed}
        for name, table in (read_landed(address, tables, of) if tables else {}).items():
            con.register(name, table)
        for name, table in source.landed.items():
            con.register(name, landed_here((landed or {}).get(name), table, name, of))
        with _errors_of(of):
            for (name, declared), (_, whose) in zip(source.files.items(), file_sets(source), strict=True):
                files = source_files(declared, environment, whose)
                if not is_sample:
                    refuse_first_pages(files, declared)
                rejects.append(put_contents(con, name, declared, files))
                names += [f"{name}/{file.name}" for file in files]
        with (
            _alone(con, source.query, of) as given,
            _canonical(given, source, contract, rejects, names, limits) as rows,
        ):
            yield rows


@contextmanager
def query_rows_of_file(source: SqlSource, file: SourceFile, contract: Contract, limits: Limits) -> Iterator[QueryRows]:
    """The rows that the query of a source gives of one file alone; as `query_rows`, but that rows are of the file.

    Args:
        source: The query, which is run `per_file`.
        file: The file.
        contract: As there.
        limits: As there.
    """
    of = f"{source.query_title} over {file.path}"
    ((name, declared),) = source.files.items()
    with _own_database(limits) as con:
        with _errors_of(of):
            rejects = put_contents(con, name, declared, [file])
        with (
            _alone(con, source.query, of) as given,
            _canonical(given, source, contract, [rejects], [file.name], limits, source_file=file.name) as rows,
        ):
            yield rows


@contextmanager
def _own_database(limits: Limits) -> Iterator[duckdb.DuckDBPyConnection]:
    """A DuckDB in memory that takes no more than it may; what does not fit is spilt."""
    with duckdb.connect() as con:
        limits.apply(con)
        con.execute("SET TimeZone = 'UTC'")
        yield con


@contextmanager
def _canonical(
    given: pa.RecordBatchReader,
    source: SqlSource,
    contract: Contract,
    rejects: Sequence[pa.Table],
    files: Sequence[str],
    limits: Limits,
    source_file: str = QUERY,
) -> Iterator[QueryRows]:
    """The rows of a result in canonical columns and their types, with what each row is called."""
    ignored, of = check_columns(given.schema.names, contract, source), source.query_title
    with _own_database(limits) as con, _errors_of(of):
        con.execute("SET threads = 1")  # the rows are numbered as they come
        con.register("given", given.schema.empty_table())
        kinds = dict(zip(con.table("given").columns, map(str, con.table("given").types), strict=True))
        exact = exact_numbers(given.schema)
        cells = [
            f"{cell} AS {identifier(name)}" for name, cell in canonical_cells(kinds, source, contract, exact).items()
        ]
        cells += [f"{literal(source_file)} AS _source_file", "row_number() OVER () AS _row_number"]
        cells.append("to_json(given)::varchar AS _raw_row")
        con.register("given", given)
        made = con.table("given").project(", ".join(cells)).to_arrow_reader(BATCH_ROWS)
        with watched(made, lambda error: _error(of, error)) as reader:
            yield QueryRows(reader, pa.concat_tables([REJECTS.empty_table(), *rejects]), tuple(files), ignored)


def address_of(source: SqlSource, environment: Mapping[str, str]) -> str:
    """The address of a source's connection. Raises SourceError where the environment has none."""
    try:
        return with_variables(source.connection or "", environment)
    except KeyError as error:
        raise SourceError(
            f"The environment variable {error.args[0]} is not set, which holds the connection of the "
            f"{source.title}: set it, for instance {error.args[0]}=postgresql://user:password@host/database."
        ) from None


@contextmanager
def _alone(con: duckdb.DuckDBPyConnection, query: str, of: str) -> Iterator[pa.RecordBatchReader]:
    """What a query gives that sees nothing but the tables registered; refuses whatever is not one SELECT."""
    with _errors_of(of):
        for setting, value in ISOLATED.items():
            con.execute(f"SET {setting} = '{value}'")
        statements = con.extract_statements(query)
        if len(statements) != 1 or statements[0].type != duckdb.StatementType.SELECT:
            kinds = ", ".join(s.type.name for s in statements) or "nothing"
            raise SourceError(f"{of} is to be one SELECT; it is {kinds}. Put what it needs into subqueries (WITH).")
        given = con.sql(query).to_arrow_reader(BATCH_ROWS)
    with watched(given, lambda error: _error(of, error)) as reader:
        yield reader


@contextmanager
def _errors_of(of: str) -> Iterator[None]:
    try:
        yield
    except duckdb.Error as error:
        raise _error(of, error) from error


def _error(of: str, error: Exception) -> SourceError:
    """What DuckDB said of a query, and what may help."""
    text = str(error).strip()
    hint = ""
    if "explicit type casts" in text or "VARCHAR" in text:
        hint = " Columns of files are text: write `amount::decimal(18, 2)`, or try_cast where some cells are none."
    elif "file system operations are disabled" in text or "external access" in text.lower():
        hint = " It sees the files declared under `files`, by their names, and no others."
    return SourceError(f"{of} fails: {text}{hint}")


def check_columns(given: Sequence[str], contract: Contract, source: SqlSource) -> tuple[str, ...]:
    """Refuses a result that lacks a needed column or names one twice, in any case; the names that nothing reads."""
    of, lower = source.query_title, [name.lower() for name in given]
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
