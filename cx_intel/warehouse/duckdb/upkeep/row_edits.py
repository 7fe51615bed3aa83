"""Finds, changes and deletes single rows of a schema in place, by the text of an id or by a pattern.

For erasures alone (`cx_intel.privacy`): everything else replaces tables or partitions, by `warehouse.py`. Deleted rows
stay in the file until it is written anew: `rewriting.py`.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import duckdb

from cx_intel.warehouse.duckdb import writes
from cx_intel.warehouse.duckdb.database import Database, escaped, quoted
from cx_intel.warehouse.duckdb.writes import STATE_SCHEMA

TEXT_TYPES = ("VARCHAR", "JSON")


class RowEdits:
    """The rows of one schema of an open DuckDB file."""

    def __init__(self, database: Database, schema: str):
        self.database = database
        self.schema = schema

    def columns(self) -> dict[str, dict[str, str]]:
        """Table: column: type, of every table of the schema."""
        found: dict[str, dict[str, str]] = {}
        for table, column, kind in self._all(
            "SELECT table_name, column_name, data_type FROM duckdb_columns() WHERE database_name = current_database() "
            "AND schema_name = ? AND NOT internal AND (list_contains(?, table_name) OR table_name IN "
            "(SELECT table_name FROM duckdb_tables())) ORDER BY table_name, column_index",
            [self.schema, self.views()],
        ):
            found.setdefault(table, {})[column] = kind
        return found

    def views(self) -> list[str]:
        """The views that stand for tables which are kept elsewhere: here none."""
        return []

    def rows(self, table: str, column: str, value: str) -> list[dict[str, Any]]:
        """The rows in which a column, as text without blanks around it, is the value."""
        return self._records(f"FROM {self._name(table)} WHERE {is_cell(column)}", [value])

    def all_rows(self, table: str) -> list[dict[str, Any]]:
        """All rows of a table."""
        return self._records(f"FROM {self._name(table)}")

    def _records(self, query: str, values: Sequence[str] = ()) -> list[dict[str, Any]]:
        result = self.database.connection.execute(query, values)
        names = [described[0] for described in result.description or ()]
        return [dict(zip(names, row, strict=True)) for row in result.fetchall()]

    def has(self, table: str, column: str, value: str) -> bool:
        """Whether there is such a row."""
        return bool(self._all(f"SELECT 1 FROM {self._name(table)} WHERE {is_cell(column)} LIMIT 1", [value]))

    def has_match(
        self,
        table: str,
        column: str,
        pattern: str,
        *,
        equal: Mapping[str, str] = {},
        unless: tuple[str, Sequence[str]] = ("", ()),
    ) -> bool:
        """Whether a pattern is found in a column, of rows with these values of columns and none of those of another."""
        name, values = unless
        where = [matches(column), *(is_cell(name) for name in equal), *(f"NOT {is_cell(name)}" for _ in values)]
        query = f"SELECT 1 FROM {self._name(table)} WHERE {' AND '.join(where)} LIMIT 1"
        return bool(self._all(query, [pattern, *equal.values(), *values]))

    def distinct(self, table: str, column: str) -> set[str]:
        """The values of a column, as text without blanks around it; empty ones left out."""
        found = self._all(f'SELECT DISTINCT trim("{column}"::VARCHAR) FROM {self._name(table)}', [])
        return {value for (value,) in found if value}

    def pairs(self, table: str, columns: tuple[str, str]) -> set[tuple[str, str]]:
        """The values that two columns have together, as text without blanks around it; those with an empty one left out."""
        listed = ", ".join(f'trim("{column}"::VARCHAR)' for column in columns)
        return {(a, b) for a, b in self._all(f"SELECT DISTINCT {listed} FROM {self._name(table)}", []) if a and b}

    def update(self, table: str, column: str, value: str, changes: Mapping[str, Any]) -> None:
        """Sets columns of the rows in which a column is the value."""
        if changes:
            kinds = self.columns()[table]
            changed = ", ".join(f'"{name}" = CAST(? AS {kinds[name]})' for name in changes)
            self._run(
                table, f"UPDATE {self._name(table)} SET {changed} WHERE {is_cell(column)}", [*changes.values(), value]
            )

    def replace_values(self, table: str, column: str, value: str, renamed: str, names: Mapping[Any, str]) -> None:
        """Of the rows in which a column is the value: gives the values of another column their new names."""
        for old, new in names.items():
            query = f'UPDATE {self._name(table)} SET "{renamed}" = ? WHERE {is_cell(column)} AND "{renamed}"'
            self._run(table, f"{query} IS NOT DISTINCT FROM ?", [new, value, old])

    def replace_matches(self, table: str, column: str, pattern: str, text: str) -> None:
        """Puts a text in the place of the whole cells in which a pattern is found."""
        self._run(table, f'UPDATE {self._name(table)} SET "{column}" = ? WHERE {matches(column)}', [text, pattern])

    def delete(self, table: str, column: str, value: str) -> None:
        """Deletes the rows in which a column is the value."""
        self._run(table, f"DELETE FROM {self._name(table)} WHERE {is_cell(column)}", [value])

    def delete_pairs(self, table: str, pair: Mapping[str, str]) -> None:
        """Deletes the rows in which each of these columns has its value."""
        where = " AND ".join(is_cell(column) for column in pair)
        self._run(table, f"DELETE FROM {self._name(table)} WHERE {where}", [*pair.values()])

    def delete_matches(self, table: str, column: str, pattern: str) -> None:
        """Deletes the rows in which a pattern is found in a column."""
        self._run(table, f"DELETE FROM {self._name(table)} WHERE {matches(column)}", [pattern])

    def keep_newest(self, table: str, column: str, value: str, by: str) -> None:
        """Of the rows in which a column is the value, keeps the newest by a column, dated as the oldest was."""
        name, where = self._name(table), is_cell(column)
        first = self._all(f'SELECT min("{by}") FROM {name} WHERE {where}', [value])[0][0]
        newest = f'"{by}" < (SELECT max("{by}") FROM {name} WHERE {where})'
        self._run(table, f"DELETE FROM {name} WHERE {where} AND {newest}", [value, value])
        self._run(table, f'UPDATE {name} SET "{by}" = ? WHERE {where}', [first, value])

    def _all(self, query: str, values: list[Any]) -> list[tuple[Any, ...]]:
        return self.database.connection.execute(query, values).fetchall()

    def _run(self, table: str, query: str, values: list[Any]) -> None:
        """What is remembered of anything made from the tables may tell of whoever is taken out of them: it goes too."""
        if self.database.keeps_writes():
            writes.forget_made(self.database.connection, None if self.schema == STATE_SCHEMA else self.schema)
        self.database.change(self.schema, table, query, values)

    def _name(self, table: str) -> str:
        return quoted(self.schema, table)


def mentions_in_parquet(file: Path, pattern: str) -> list[str]:
    """The columns of a Parquet file in whose values, as text, a pattern is found."""
    with duckdb.connect() as connection:
        source = f"FROM read_parquet('{escaped(file)}', hive_partitioning = false)"
        columns = [row[0] for row in connection.execute(f"DESCRIBE {source}").fetchall()]
        found = ", ".join(f"bool_or({matches(column)})" for column in columns)
        (has_it,) = connection.execute(f"SELECT {found} {source}", [pattern] * len(columns)).fetchall()
        return [column for column, is_found in zip(columns, has_it, strict=True) if is_found]


def is_cell(column: str) -> str:
    """Whether a column, as text without blanks around it, is the value that is given."""
    return f'coalesce(trim("{column}"::VARCHAR) = ?, false)'


def matches(column: str) -> str:
    """Whether the pattern that is given is found in a column."""
    return f'regexp_matches("{column}"::VARCHAR, ?)'
