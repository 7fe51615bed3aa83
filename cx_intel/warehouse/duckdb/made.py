"""What was made from what: whether a table, or a file made of tables, would come out as it stands.

Everything that is read through a warehouse is noted, so that whoever makes something need not say what it was made from;
it would come out the same while none of that has changed and it is made in the same way (the recipe). What else a recipe
holds is decided in `cx_intel.orchestration.assets.unchanged`; ids of writes are kept in `writes.py`.
"""

import hashlib
import json
from collections.abc import Collection, Iterable, Mapping
from datetime import date
from typing import Literal, TypeAlias

import ibis.expr.types as ir

from cx_intel.warehouse.duckdb import writes
from cx_intel.warehouse.duckdb.database import STAGED_PREFIX, Database
from cx_intel.warehouse.duckdb.state import SchemaState
from cx_intel.warehouse.duckdb.writes import STATE_SCHEMA
from cx_intel.warehouse.protocol import Warehouse

Kind: TypeAlias = Literal["rows", "days", "newest", "checks", "tables", "there", "files"]
"""What was read of the warehouse: the rows of a table, what its days were built from, the newest day, what checks found,
which tables there are, whether there is one, which files it was read from."""
Read: TypeAlias = tuple[Kind, str, str]
"""Kind, table, and the part of it; of days, those that were left out."""
LATEST_SUFFIX = "_latest"
"""Ends the name of the view of a table's newest snapshot."""
ROWS: tuple[Kind, ...] = ("rows", "days")
_MADE = f"{STATE_SCHEMA}.{writes.MADE}"


class MadeState(SchemaState):
    """What was made from what in one schema, and a note of all that is read through this object."""

    def __init__(self, database: Database, schema: str):
        super().__init__(database, schema)
        self._read: dict[Read, None] = {}

    def tables(self) -> list[str]:
        self._note("tables")
        return self._tables()

    def _tables(self) -> list[str]:
        found = self.database.connection.execute(
            "SELECT table_name FROM duckdb_tables() WHERE database_name = current_database() AND schema_name = ? "
            "AND NOT starts_with(table_name, ?) ORDER BY 1",
            [self.schema, STAGED_PREFIX],
        )
        return [name for (name,) in found.fetchall()]

    def exists(self, table: str) -> bool:
        self._note("rows", table)
        return self.database.exists(self.schema, table)

    def table(self, table: str) -> ir.Table:
        self._note("rows", table)
        return self.database.table(self.schema, table)

    def part(self, table: str, column: str, value: str) -> ir.Table:
        self._note("rows", table, value)
        rows = self.database.table(self.schema, table)
        return rows.filter(rows[column] == value)

    def day_state(self, table: str, *, apart_from: Collection[date] = ()) -> dict[date, str]:
        self._note("days", table, ",".join(day.isoformat() for day in sorted(apart_from)))
        return {day: state for day, state in super().day_state(table).items() if day not in apart_from}

    def newest(self) -> date | None:
        self._note("newest")
        return super().newest()

    def check_results(self) -> ir.Table | None:
        self._note("checks")
        return super().check_results()

    def read_too(self, other: Warehouse) -> None:
        assert isinstance(other, MadeState)
        self._read |= other._read

    def made_before(self, name: str, recipe: str) -> str | None:
        if not self.database.keeps_writes():
            return None
        found = self.database.connection.execute(
            f"SELECT inputs, told FROM {_MADE} WHERE schema_name = ? AND name = ? AND recipe = ?",
            [self.schema, name, recipe],
        ).fetchall()
        if not found:
            return None
        inputs, told = found[0]
        were = {(kind, of, part): value for kind, of, part, value in json.loads(inputs)}
        return str(told) if self._values(were) == were else None

    def remember_made(self, name: str, recipe: str, told: str) -> None:
        with self.database.transaction():
            self.database.note_changes()
            read = [key for key in self._read if not (key[0] in ROWS and key[1] == name)]
            if name in self._tables():
                read.append(("there", name, ""))
            inputs = [[*key, value] for key, value in sorted(self._values(read).items())]
            self.forget_made(name)
            self.database.connection.execute(
                f"INSERT INTO {_MADE} VALUES (?, ?, ?, ?, ?)", [self.schema, name, recipe, json.dumps(inputs), told]
            )

    def forget_made(self, name: str) -> None:
        if self.database.keeps_writes():
            self.database.connection.execute(
                f"DELETE FROM {_MADE} WHERE schema_name = ? AND name = ?", [self.schema, name]
            )

    def _note(self, kind: Kind, table: str = "", part: str = "") -> None:
        self._read[kind, table, part] = None

    def _found_by_checks(self) -> str:
        results = super().check_results()
        if results is None:
            return "none"
        query = self.database.sql(results.drop("checked_at"))
        return repr(
            self.database.connection.execute(f"SELECT count(*), sum(hash(r)::HUGEINT) FROM ({query}) AS r").fetchall()
        )

    def _values(self, read: Iterable[Read]) -> dict[Read, str]:
        """What tells whether that which was read has changed."""
        ids = writes.ids(self.database.connection, self.schema)
        there = set(self._tables())
        return {key: self._value(*key, ids=ids, there=there) for key in read}

    def _value(
        self, kind: Kind, table: str, part: str, *, ids: Mapping[tuple[str, str], str], there: Collection[str]
    ) -> str:
        if kind == "rows":
            table = table if table in there else table.removesuffix(LATEST_SUFFIX)  # a view is what its table is
            if table not in there:
                return "none"
            return digest(
                sorted((p, write_id) for (name, p), write_id in ids.items() if name == table and part in ("", p))
            )
        if kind == "days":
            left_out = {date.fromisoformat(day) for day in part.split(",") if day}
            return digest(sorted((d, s) for d, s in super().day_state(table).items() if d not in left_out))
        if kind == "newest":
            return str(super().newest())
        if kind == "checks":
            return self._found_by_checks()
        if kind == "tables":
            return digest(sorted(there))
        return str(table in there)


def digest(value: object) -> str:
    """A short text that tells whether a value is another."""
    return hashlib.sha256(repr(value).encode()).hexdigest()[:32]
