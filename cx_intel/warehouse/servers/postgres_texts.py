"""The texts that tables of a PostgreSQL database hold: found by words in any, and changed in place in Dagster's storage alone.

What may be changed, and to what, is decided by an erasure (`cx_intel.privacy.runs.run_history_in_postgres`); sources are read by
`connections.py`, which writes nothing.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib import import_module
from typing import Any

from cx_intel.warehouse.errors import WarehouseError

WAIT = "60s"
"""How long somebody who holds a table is waited for."""
Cell = tuple[str, str]
"""Where the row stands now, and its text."""


class PostgresTexts:
    """The columns of text of the tables that a connection sees in its own schema."""

    def __init__(self, connection: Any):
        self._connection = connection

    def columns(self) -> list[tuple[str, str]]:
        """Table and column, of every column of text."""
        return [
            (str(table), str(column))
            for table, column in self._all(
                "SELECT c.table_name::text, c.column_name::text FROM information_schema.columns c "
                "JOIN information_schema.tables t USING (table_schema, table_name) "
                "WHERE c.table_schema = current_schema() AND t.table_type = 'BASE TABLE' "
                "AND c.data_type IN ('text', 'character varying') ORDER BY 1, 2"
            )
        ]

    def cells(self, table: str, column: str, words: Sequence[str]) -> list[Cell]:
        """The cells in which one of the words stands."""
        if not words:
            return []
        found = " OR ".join(f"strpos({_quoted(column)}, ${n}) > 0" for n in range(1, len(words) + 1))
        query = f"SELECT ctid::text, {_quoted(column)} FROM {_quoted(table)} WHERE {found}"
        return [(str(place), str(text)) for place, text in self._all(query, words)]

    def replace(self, table: str, column: str, cell: Cell, text: str) -> None:
        """Gives a cell another text; where somebody has changed the row meanwhile it stays, and is found again."""
        query = (
            f"UPDATE {_quoted(table)} SET {_quoted(column)} = $1::text"
            f" WHERE ctid = ($2::text)::tid AND {_quoted(column)} = $3::text"
        )
        self._all(query, (text, cell[0], cell[1]))

    def write_anew(self, table: str) -> None:
        """Writes a table's files anew, without the rows as they were before."""
        self._all(f"VACUUM FULL {_quoted(table)}")

    def _all(self, query: str, values: Sequence[str] = ()) -> list[tuple[Any, ...]]:
        with self._connection.cursor() as cursor:
            cursor.execute(query, tuple(values) or None)
            return cursor.fetchall() if cursor.description else []


@contextmanager
def postgres_texts(address: str, schema: str = "") -> Iterator[PostgresTexts]:
    """The texts of a database, or of one of its schemas, each change by itself.

    Raises:
        WarehouseError: It cannot be reached, or refuses; the text holds no password.
    """
    driver = import_module("adbc_driver_postgresql.dbapi")
    try:
        with driver.connect(address, autocommit=True) as connection:
            with connection.cursor() as cursor:
                cursor.execute(f"SET lock_timeout = '{WAIT}'")
                if schema:
                    cursor.execute(f"SET search_path = {_quoted(schema)}")
            yield PostgresTexts(connection)
    except driver.Error as error:
        said = " ".join(str(error).split()).replace(address, "its address")
        raise WarehouseError(
            f"{f'The schema {schema}' if schema else 'the storage of Dagster'} in PostgreSQL: {said}"
        ) from None


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
