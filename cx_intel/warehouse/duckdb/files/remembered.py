"""What is remembered of the files that raw tables were read from: a table of `cx_state`, in the transactions of the rows.

What it says of a file is described in `cx_intel.sources.files.known`; the rows are written in `by_file.py`.
"""

from collections.abc import Collection, Iterable, Mapping

import pyarrow as pa

from cx_intel.sources.files.known import KnownFile
from cx_intel.warehouse.duckdb.made import Kind, MadeState, digest
from cx_intel.warehouse.duckdb.writes import STATE_SCHEMA

FILES = "source_files"
_FILES = f"{STATE_SCHEMA}.{FILES}"


class RememberedFiles(MadeState):
    """The files of the raw tables of one schema, as they were when they were read."""

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

    def _value(
        self, kind: Kind, table: str, part: str, *, ids: Mapping[tuple[str, str], str], there: Collection[str]
    ) -> str:
        if kind == "files":
            files = self.known_files(table).values()  # a file that was only written again is the same
            return digest(sorted((file.name, file.digest, file.rows, file.is_gone) for file in files))
        return super()._value(kind, table, part, ids=ids, there=there)
