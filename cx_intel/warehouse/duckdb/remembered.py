"""What is remembered of what raw tables were read from, files or a cursor: tables of `cx_state`, in the transactions of the rows.

What it says is described in `cx_intel.sources.files.known` and `cx_intel.sources.cursors`; the rows are written in
`files/by_file.py` and `files/by_cursor.py`.
"""

from collections.abc import Collection, Iterable, Mapping

import pyarrow as pa

from cx_intel.sources.cursors import KnownCursor
from cx_intel.sources.files.known import KnownFile
from cx_intel.warehouse.duckdb.made import Kind, MadeState, digest
from cx_intel.warehouse.duckdb.writes import STATE_SCHEMA

FILES = "source_files"
CURSORS = "source_cursors"
_FILES = f"{STATE_SCHEMA}.{FILES}"
_CURSORS = f"{STATE_SCHEMA}.{CURSORS}"


class RememberedFiles(MadeState):
    """The files of the raw tables of one schema, as they were when they were read, and how far others were read."""

    def known_files(self, table: str) -> dict[str, KnownFile]:
        self._note("files", table)
        if not self.database.exists(STATE_SCHEMA, FILES):
            return {}
        found = self.database.rows(
            f"SELECT * EXCLUDE (schema_name, table_name) FROM {_FILES} WHERE schema_name = '{self.schema}' "
            f"AND table_name = '{table}' ORDER BY name"
        )
        return {row["name"]: KnownFile(**row | {"ignored_columns": tuple(row["ignored_columns"])}) for row in found}

    def remember_files(self, table: str, files: Iterable[KnownFile]) -> None:
        connection = self.database.connection
        self.database.ensure_schema(STATE_SCHEMA)
        if not self.database.exists(STATE_SCHEMA, FILES):
            connection.execute(
                f"CREATE TABLE {_FILES} (schema_name VARCHAR, table_name VARCHAR, name VARCHAR, size BIGINT, "
                "modified_ns BIGINT, digest VARCHAR, recipe VARCHAR, rows BIGINT, rejects BIGINT, left_out BIGINT, "
                "ignored_columns VARCHAR[], is_gone BOOLEAN)"
            )
        connection.execute(f"DELETE FROM {_FILES} WHERE schema_name = ? AND table_name = ?", [self.schema, table])
        own = {"schema_name": self.schema, "table_name": table}
        rows = [own | vars(file) | {"ignored_columns": list(file.ignored_columns)} for file in files]
        if rows:
            connection.register("_cx_remembered", pa.Table.from_pylist(rows))
            connection.execute(f"INSERT INTO {_FILES} BY NAME SELECT * FROM _cx_remembered")
            connection.unregister("_cx_remembered")

    def known_cursor(self, table: str) -> KnownCursor | None:
        """How far a raw table was read by a cursor; None of one that was read otherwise since."""
        if not self.database.exists(STATE_SCHEMA, CURSORS):
            return None
        found = self.database.connection.execute(
            f'SELECT recipe, "column", kind, value FROM {_CURSORS} WHERE schema_name = ? AND table_name = ?',
            [self.schema, table],
        ).fetchall()
        return KnownCursor(*found[0]) if found else None

    def remember_cursor(self, table: str, cursor: KnownCursor) -> None:
        """Remembers it, in place of what was remembered of the table before."""
        connection = self.database.connection
        if not self.database.exists(STATE_SCHEMA, CURSORS):
            connection.execute(
                f'CREATE TABLE {_CURSORS} (schema_name VARCHAR, table_name VARCHAR, recipe VARCHAR, "column" VARCHAR, '
                "kind VARCHAR, value VARCHAR)"
            )
        self._forget_readings(table)
        values = [self.schema, table, cursor.recipe, cursor.column, cursor.kind, cursor.value]
        connection.execute(f"INSERT INTO {_CURSORS} VALUES (?, ?, ?, ?, ?, ?)", values)

    def _forget_readings(self, table: str) -> None:
        """Of a table that is replaced whole, it is forgotten how it was read before."""
        for state in (FILES, CURSORS):
            if self.database.exists(STATE_SCHEMA, state):
                self.database.connection.execute(
                    f"DELETE FROM {STATE_SCHEMA}.{state} WHERE schema_name = ? AND table_name = ?", [self.schema, table]
                )

    def _value(
        self, kind: Kind, table: str, part: str, *, ids: Mapping[tuple[str, str], str], there: Collection[str]
    ) -> str:
        if kind == "files":
            files = self.known_files(table).values()  # a file that was only written again is the same
            return digest(sorted((file.name, file.digest, file.rows, file.is_gone) for file in files))
        return super()._value(kind, table, part, ids=ids, there=there)
