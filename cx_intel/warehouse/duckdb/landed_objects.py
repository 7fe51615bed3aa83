"""The objects of vendors as they were landed: one table a kind, a row an object, and how far each source was read.

An object takes the place of the one of its id; a field that no object had before is a further column. What the objects
are is not looked at here; they are read in `cx_intel.sources.vendors`, and by queries through `queries.py`.
"""

from collections.abc import Collection, Mapping

import pyarrow as pa

from cx_intel.settings.sources.sql import LandedTable
from cx_intel.sources.vendors.objects import DELETED, ID, Merged, landed_name
from cx_intel.warehouse.duckdb.files.by_file import FileTables
from cx_intel.warehouse.duckdb.files.local_spellings import identifier
from cx_intel.warehouse.duckdb.writes import STATE_SCHEMA

CURSORS = "landing_cursors"
_CURSORS = f"{STATE_SCHEMA}.{CURSORS}"
_GIVEN, _DIFFERENT, _IDS = "_cx_objects", "_cx_different", "_cx_ids"


class LandedObjects(FileTables):
    """The landed tables of one schema."""

    def landing_state(self, source: str) -> dict[str, str]:
        if not self.database.exists(STATE_SCHEMA, CURSORS):
            return {}
        found = self.database.connection.execute(
            f"SELECT kind, cursor FROM {_CURSORS} WHERE schema_name = ? AND source = ?", [self.schema, source]
        )
        return dict(found.fetchall())

    def remember_landing(self, source: str, state: Mapping[str, str]) -> None:
        connection = self.database.connection
        with self.database.transaction():
            self._prepare_state()
            if not self.database.exists(STATE_SCHEMA, CURSORS):
                connection.execute(
                    f"CREATE TABLE {_CURSORS} (schema_name VARCHAR, source VARCHAR, kind VARCHAR, cursor VARCHAR)"
                )
                self.database.forget(STATE_SCHEMA, CURSORS)
            connection.execute(f"DELETE FROM {_CURSORS} WHERE schema_name = ? AND source = ?", [self.schema, source])
            for kind, cursor in state.items():
                connection.execute(f"INSERT INTO {_CURSORS} VALUES (?, ?, ?, ?)", [self.schema, source, kind, cursor])

    def merge_objects(self, table: str, objects: pa.Table) -> Merged:
        database, connection = self.database, self.database.connection
        database.ensure_schema(self.schema)
        self._prepare_state()
        is_new = not database.exists(self.schema, table)
        if is_new:
            columns = ", ".join(f"{identifier(name)} VARCHAR" for name in objects.column_names)
            database.change(self.schema, table, f"CREATE TABLE {self._of(table)} ({columns})")
            database.forget(self.schema, table)
        there = list(database.table(self.schema, table).columns)
        lower = {name.lower() for name in there}
        new = [name for name in objects.column_names if name.lower() not in lower]
        for name in new:
            database.change(self.schema, table, f"ALTER TABLE {self._of(table)} ADD COLUMN {identifier(name)} VARCHAR")
        database.forget(self.schema, table)
        connection.register(_GIVEN, objects)
        given = {name.lower() for name in objects.column_names}
        cells = ", ".join(
            f"{'g.' + identifier(n) if n.lower() in given else 'NULL::VARCHAR'} AS {identifier(n)}"
            for n in [*there, *new]
        )
        differs = " OR ".join(
            f"{'g.' + identifier(n) if n.lower() in given else 'NULL'} IS DISTINCT FROM o.{identifier(n)}"
            for n in [*there, *new]
        )
        connection.execute(
            f"CREATE OR REPLACE TEMP TABLE {_DIFFERENT} AS SELECT {cells}, o.{ID} IS NULL AS _cx_new "
            f"FROM {_GIVEN} g LEFT JOIN (SELECT * FROM {self._of(table)} WHERE {ID} IN (SELECT {ID} FROM {_GIVEN})) o "
            f"ON o.{ID} = g.{ID} WHERE o.{ID} IS NULL OR {differs}"
        )
        connection.unregister(_GIVEN)
        ((added, all_of_them),) = connection.execute(
            f"SELECT count(*) FILTER (_cx_new), count(*) FROM {_DIFFERENT}"
        ).fetchall()
        if all_of_them > added:
            database.change(
                self.schema, table, f"DELETE FROM {self._of(table)} WHERE {ID} IN (SELECT {ID} FROM {_DIFFERENT})"
            )
        if all_of_them:
            database.change(
                self.schema,
                table,
                f"INSERT INTO {self._of(table)} BY NAME SELECT * EXCLUDE (_cx_new) FROM {_DIFFERENT}",
            )
        connection.execute(f"DROP TABLE {_DIFFERENT}")
        return Merged(added, all_of_them - added)

    def mark_gone(self, table: str, ids: Collection[str]) -> int:
        return self._mark(table, ids, "IN")

    def gone_beyond(self, table: str, ids: Collection[str]) -> int:
        self._register(ids)
        where = f"{ID} NOT IN (SELECT {ID} FROM {_IDS}) AND {DELETED} IS DISTINCT FROM 'true'"
        ((count,),) = self.database.connection.execute(
            f"SELECT count(*) FROM {self._of(table)} WHERE {where}"
        ).fetchall()
        self.database.connection.unregister(_IDS)
        return int(count)

    def mark_gone_beyond(self, table: str, ids: Collection[str]) -> int:
        return self._mark(table, ids, "NOT IN")

    def _mark(self, table: str, ids: Collection[str], which: str) -> int:
        self._register(ids)
        where = f"{ID} {which} (SELECT {ID} FROM {_IDS}) AND {DELETED} IS DISTINCT FROM 'true'"
        connection, count = self.database.connection, 0
        if connection.execute(f"SELECT 1 FROM {self._of(table)} WHERE {where} LIMIT 1").fetchall():
            query = f"UPDATE {self._of(table)} SET {DELETED} = 'true' WHERE {where}"
            ((count,),) = self.database.change(self.schema, table, query)
        connection.unregister(_IDS)
        return int(count)

    def _register(self, ids: Collection[str]) -> None:
        self.database.connection.register(_IDS, pa.table({ID: pa.array(list(ids), pa.string())}))

    def landed_content(self, tables: Mapping[str, LandedTable]) -> dict[str, pa.Table | None]:
        """The query's name of a landed table: what it holds, its rows in the order of their ids; None: it is not there."""
        found: dict[str, pa.Table | None] = {}
        for name, table in tables.items():
            landed = landed_name(str(table.landed), table.names[0])
            is_there = self.exists(landed)
            rows = self.table(landed).order_by(ID) if is_there else None
            found[name] = self.database.backend.to_pyarrow(rows) if rows is not None else None
        return found

    def _of(self, table: str) -> str:
        return f"{identifier(self.schema)}.{identifier(table)}"
