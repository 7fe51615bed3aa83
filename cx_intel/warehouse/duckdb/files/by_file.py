"""Raw tables whose unit is the file: rows of new and changed files are put in the place of those that the files gave before.

What each file looked like when it was read is kept in `../remembered.py`, in the same transactions. Which files are
read is decided in `cx_intel.sources.files.known`; how one is read, in `reading.py`.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from datetime import date

import duckdb
import ibis
import ibis.expr.operations as ops
import ibis.expr.types as ir
import pyarrow as pa

from cx_intel.contracts.contract import TEXT, TIME, Column, Contract
from cx_intel.contracts.delivered import DELIVERED_DAY, ROW_MARKS, delivered_columns
from cx_intel.settings.sources.files import FilesSource
from cx_intel.settings.sources.sql import SqlSource
from cx_intel.sources.errors import SourceError
from cx_intel.sources.files.formats.by_format import read_file
from cx_intel.sources.files.known import TRIES, KnownFile, changed_while_read, size_and_time
from cx_intel.sources.files.paths import SourceFile
from cx_intel.warehouse.duckdb.access.limits import Limits
from cx_intel.warehouse.duckdb.database import STAGED_PREFIX, quoted
from cx_intel.warehouse.duckdb.files.columns import ignored, used_names
from cx_intel.warehouse.duckdb.files.local_spellings import literal
from cx_intel.warehouse.duckdb.files.parquet import ParquetGroup, plain_groups, query_of, times_of
from cx_intel.warehouse.duckdb.files.reading import FileReading, QueryReading, stream_schema
from cx_intel.warehouse.duckdb.queries.queries import query_rows
from cx_intel.warehouse.duckdb.remembered import RememberedFiles
from cx_intel.warehouse.servers.connections import streamed

STREAM = "_cx_files"
"""Under which name rows stand that come in."""
NO_DAY = "DATE '1970-01-01'"
"""The day of rows without a readable time in a file that has none."""


class FileTables(RememberedFiles):
    """The raw tables of one schema that are kept by file."""

    def stage_files(
        self,
        table: str,
        source: FilesSource | SqlSource,
        files: Sequence[SourceFile],
        *,
        contract: Contract,
        recipe: str,
        with_day: Callable[[ir.Table], ir.Table],
    ) -> list[KnownFile]:
        times = self.times_kept(table, source, files, contract) if isinstance(source, FilesSource) else None
        return self.stage_files_as(times, table, source, files, contract=contract, recipe=recipe, with_day=with_day)

    def times_kept(
        self, table: str, source: FilesSource, files: Sequence[SourceFile], contract: Contract
    ) -> dict[str, str] | None:
        """The columns of times that stay typed, with their types; None where DuckDB does not read the files by itself.

        A column stays so where all files have it so, and the raw table, where there is one, has it no other way.
        """
        if not (groups := plain_groups(files, source)):
            return None
        first, *others = (times_of(group, source, contract) for group in groups)
        if any(kinds != first for kinds in others):
            return {}
        times = {column.name: kind for column, kind in zip(_times(contract), first, strict=True)}
        return {n: k for n, k in times.items() if k not in ("", TEXT)} if self._has_no_other(table, times) else {}

    def stage_files_as(
        self,
        times: Mapping[str, str] | None,
        table: str,
        source: FilesSource | SqlSource,
        files: Sequence[SourceFile],
        *,
        contract: Contract,
        recipe: str,
        with_day: Callable[[ir.Table], ir.Table],
    ) -> list[KnownFile]:
        """As `stage_files`, where it is known which columns of times stay typed (`times_kept`)."""
        groups = plain_groups(files, source) if isinstance(source, FilesSource) and times is not None else None
        for _ in range(TRIES):
            if isinstance(source, FilesSource):
                reading: FileReading | QueryReading = FileReading(source, contract, recipe)
            else:
                reading = QueryReading(source, contract, recipe, Limits.beside(self.database.connection))
            if groups and times is not None and isinstance(reading, FileReading):
                self._stage_parquet(table, groups, reading, times, with_day)
            else:
                self._stage_stream(table, reading.batches(files), stream_schema(contract), with_day)
            if not reading.changed:
                self._fill_days(table)
                return reading.read
        raise changed_while_read(file.path for file in reading.changed)

    def stage_query(
        self, table: str, source: SqlSource, *, contract: Contract, environment: Mapping[str, str]
    ) -> tuple[str, ...]:
        landed = self.landed_content(source.landed)  # type: ignore[attr-defined]
        limits = Limits.beside(self.database.connection)
        with query_rows(
            source,
            contract=contract,
            environment=environment,
            landed=landed,
            limits=limits,
            answered=self.answered,
        ) as rows:
            raw = rows.raw()
            self._stage_stream(table, raw, raw.schema, as_they_are)
        return rows.ignored_columns

    def answered(self, address: str, query: str, of: str) -> AbstractContextManager[pa.RecordBatchReader]:
        """The result of a query at an address, batch by batch; raises as `streamed`."""
        return streamed(address, query, of)

    def _stage_parquet(
        self,
        table: str,
        groups: Sequence[ParquetGroup],
        reading: FileReading,
        times: Mapping[str, str],
        with_day: Callable[[ir.Table], ir.Table],
    ) -> None:
        """DuckDB reads the files; the times that are named stay typed."""
        source, contract, used = reading.source, reading.contract, used_names(reading.source, reading.contract)
        columns = columns_read(contract, times)
        parts = [query_of(group, source, contract, keeps_times=bool(times)) for group in groups]
        looks = {file: size_and_time(file.path) for group in groups for file in group.files}
        to_text = self.database.backend.compiler.type_mapper.to_string
        empty = ", ".join(f'NULL::{to_text(kind)} AS "{name}"' for name, kind in columns.items())
        union = " UNION ALL BY NAME ".join([f"(SELECT {empty} WHERE false)", *(f"({query})" for query, _ in parts)])
        connection = self.database.connection
        connection.execute(f"CREATE OR REPLACE TEMP VIEW {STREAM} AS {union}")
        try:
            self._stage_from(table, columns, with_day)
        except duckdb.Error as error:
            for file in looks:
                read_file(file, source)  # says which one is damaged, and what to do
            raise SourceError(
                f"The files of the {source.title} cannot be read: {str(error).splitlines()[0]}"
            ) from error
        connection.execute(f"DROP VIEW {STREAM}")
        for group, (_, content) in zip(groups, parts, strict=True):
            unread = tuple(sorted(ignored(content, used)))
            for file, rows in zip(group.files, group.rows, strict=True):
                reading.note(file, looks[file], rows=rows, ignored_columns=unread)

    def _has_no_other(self, table: str, times: Mapping[str, str]) -> bool:
        """Whether the raw table, where there is one, has times of these types."""
        if not self.database.exists(self.schema, table):
            return True
        there = self.database.table(self.schema, table).schema()
        return all(name in there and there[name] == ibis.dtype(kind) for name, kind in times.items() if kind)

    def _stage_stream(
        self,
        table: str,
        batches: Iterable[pa.RecordBatch],
        schema: pa.Schema,
        with_day: Callable[[ir.Table], ir.Table],
    ) -> None:
        """DuckDB pulls the batches while it writes; what their reader raises is raised as it was."""
        raised: list[BaseException] = []

        def watched() -> Iterable[pa.RecordBatch]:
            try:
                yield from batches
            except BaseException as error:
                raised.append(error)
                raise

        connection = self.database.connection
        connection.register(STREAM, pa.RecordBatchReader.from_batches(schema, watched()))
        try:
            self._stage_from(table, ibis.Schema.from_pyarrow(schema), with_day)
        except Exception:
            if raised:
                raise raised[0] from None
            raise
        connection.unregister(STREAM)

    def _stage_from(self, table: str, columns: ibis.Schema, with_day: Callable[[ir.Table], ir.Table]) -> None:
        """Writes the rows that stand under the name of the stream, with their day."""
        node = ops.DatabaseTable(STREAM, schema=columns, source=self.database.backend, namespace=ops.Namespace())
        dated = with_day(node.to_expr())
        self.stage(table, [dated], like=dated.schema())  # type: ignore[attr-defined]

    def _fill_days(self, table: str) -> None:
        """Rows without a readable time are of the day that most rows of their file are of."""
        staged, day = quoted(self.schema, STAGED_PREFIX + table), f'"{DELIVERED_DAY}"'
        connection = self.database.connection
        if DELIVERED_DAY not in self.staged(table).columns:  # type: ignore[attr-defined]
            return
        if connection.execute(f"SELECT 1 FROM {staged} WHERE {day} IS NULL LIMIT 1").fetchall():
            connection.execute(
                f"UPDATE {staged} AS rows SET {day} = coalesce((SELECT most.day FROM "
                f"(SELECT _source_file AS file, {day} AS day FROM {staged} WHERE {day} IS NOT NULL GROUP BY 1, 2 "
                "QUALIFY row_number() OVER (PARTITION BY file ORDER BY count(*) DESC, day) = 1) AS most "
                f"WHERE most.file = rows._source_file), {NO_DAY}) WHERE {day} IS NULL"
            )

    def swap_files(self, table: str, files: Sequence[str], *, is_whole: bool) -> tuple[date, ...]:
        with self.database.transaction():
            self._prepare_state()
            if is_whole:
                before = self.day_state(table)
                self._forget(table)
                self.swap(table)  # type: ignore[attr-defined]
                contents = self._file_contents(table, None)
                self._remember(table, contents)
                days = sorted(before.keys() | contents.keys())
                return tuple(day for day in days if before.get(day) != contents.get(day))
            return self._swap_rows(table, of_files(files))

    def _swap_rows(self, table: str, replaced: str) -> tuple[date, ...]:
        """Puts the staged rows in the place of those that a condition names, none where it is empty; the days that changed."""
        connection, column = self.database.connection, f'"{DELIVERED_DAY}"'
        name, staged = quoted(self.schema, table), quoted(self.schema, STAGED_PREFIX + table)
        found = connection.execute(
            f"SELECT DISTINCT {column} FROM {name} WHERE {replaced or 'false'} UNION SELECT DISTINCT {column} FROM {staged}"
        ).fetchall()
        days = sorted(day for (day,) in found)
        if days:
            self._put_rows(table, replaced)
            before, contents = self.day_state(table), self._file_contents(table, days)
            self._forget_days(table, [d for d in days if d not in contents])
            self._remember(table, contents)
            days = [day for day in days if before.get(day) != contents.get(day)]
        else:
            self.discard(table)  # type: ignore[attr-defined]
        return tuple(days)

    def _put_rows(self, table: str, replaced: str) -> None:
        """Puts the staged rows into the table, from which those go that a condition names."""
        if replaced:
            self.database.change(self.schema, table, f"DELETE FROM {quoted(self.schema, table)} WHERE {replaced}")
        self.swap(table, column=DELIVERED_DAY, days=())  # type: ignore[attr-defined]

    def _file_contents(self, table: str, days: Sequence[date] | None) -> dict[date, str]:
        """Of each day, or of some, a fingerprint of its rows in any order, `#`, and one of where they stood."""
        name = quoted(self.schema, table)
        columns = [
            row[0] for row in self.database.connection.execute(f"DESCRIBE {name}").fetchall() if row[0] not in ROW_MARKS
        ]
        cells = ", ".join(f'"{column}"' for column in columns)
        listed = ", ".join(f"DATE '{day.isoformat()}'" for day in days or ())
        where = "" if days is None else f'WHERE "{DELIVERED_DAY}" IN ({listed})'
        stood = "_source_file, _row_number, _reject, CASE WHEN _reject IS NOT NULL THEN _raw_row END"
        rows = (
            f'SELECT "{DELIVERED_DAY}" AS day, hash({cells}) AS cells, hash(hash({cells}), {stood}) AS stood '
            f"FROM {name} {where}"
        )
        found = self.database.connection.execute(
            "SELECT day, count(*) || ':' || bit_xor(cells) || ':' || sum(cells) || '#' || bit_xor(stood) "
            f"FROM ({rows}) GROUP BY day"
        ).fetchall()
        return dict(found)


def columns_read(contract: Contract, times: Mapping[str, str] | None) -> ibis.Schema:
    """The columns of rows as they are read, before their day: texts, but for times that stay typed."""
    columns = dict(ibis.Schema.from_pyarrow(stream_schema(contract)).items())
    return ibis.schema(columns | {name: ibis.dtype(kind) for name, kind in (times or {}).items()})


def of_files(files: Sequence[str]) -> str:
    """The condition that a row came from one of these files; empty without any."""
    return f"_source_file IN ({', '.join(map(literal, files))})" if files else ""


def _times(contract: Contract) -> list[Column]:
    return [column for column in delivered_columns(contract) if column.type == TIME]


def as_they_are(rows: ir.Table) -> ir.Table:
    """The rows of a stream that are of no day."""
    return rows
