"""People in the tables of a portfolio: users of the product, and contacts at accounts, who may be the same persons.

A person is known by the id in the product or by the address of e-mail; what a contact has of both belongs to one. Which rows
of accounts go is decided in `tables.py` beside this module.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

from cx_intel.privacy.landed import person_columns
from cx_intel.privacy.subject import EMAIL, USER_COLUMNS
from cx_intel.warehouse.duckdb.upkeep.row_edits import RowEdits

CONTACTS = ("stg_contacts", "dim_contact")
NAME, OWNER = "contact_name", "owner"
"""What people are called: at customers, and in the own company, whose names stay."""
Row = dict[str, Any]


class People:
    """The people of one portfolio in an open DuckDB file."""

    def __init__(self, edits: RowEdits):
        self.edits = edits

    def holds(self, subject_id: str) -> bool:
        """Whether any table has rows of a person, by the id in the product or by the address."""
        tables = self.edits.columns().items()
        return any(self._spelt(t, c, subject_id) for t, columns in tables for c in person_columns(t, columns))

    def ids(self, subject_id: str) -> tuple[str, ...]:
        """What a person is known by, the id asked for first: the address and the id in the product of their contacts."""
        known = (row[column] for row in self._contacts(subject_id) for column in USER_COLUMNS if row.get(column))
        return tuple(dict.fromkeys((subject_id, *(str(value).strip() for value in known))))

    def names(self, subject_id: str) -> tuple[str, ...]:
        """What a person is called in contacts, unless somebody else is called so."""
        ids = {found.lower() for found in self.ids(subject_id)}
        return self._of_nobody_else(
            lambda row: bool(ids & {str(row.get(c) or "").lower() for c in USER_COLUMNS}), (NAME,)
        )

    def of_accounts(self, account_ids: Sequence[str]) -> tuple[str, ...]:
        """Names and addresses of the people at accounts, unless they are somebody else's too."""
        return self._of_nobody_else(lambda row: str(row["account_id"]) in account_ids, (NAME, EMAIL))

    def erase(self, table: str, columns: Iterable[str], subject_id: str) -> None:
        """Deletes the rows of a person in a table."""
        for column in person_columns(table, tuple(columns)):
            for value in self._spelt(table, column, subject_id):
                self.edits.delete(table, column, value)

    def _spelt(self, table: str, column: str, subject_id: str) -> list[str]:
        """An id as rows of a table write it: addresses of e-mail in any case."""
        if column.lower() != EMAIL:
            return [subject_id] if self.edits.has(table, column, subject_id) else []
        return sorted(value for value in self.edits.distinct(table, column) if value.lower() == subject_id.lower())

    def _of_nobody_else(self, is_meant: Callable[[Row], bool], columns: Sequence[str]) -> tuple[str, ...]:
        """The values that contacts of somebody have, and no contact of others and no owner of an account."""
        rows = [row for table in self._tables() for row in self.edits.all_rows(table)]
        meant = {str(row[c]) for row in rows if is_meant(row) for c in columns if row.get(c)}
        others = {str(row[c]) for row in rows if not is_meant(row) for c in columns if row.get(c)}
        owners = [table for table, known in self.edits.columns().items() if OWNER in known]
        return tuple(sorted(v for v in meant - others if not any(self.edits.has(table, OWNER, v) for table in owners)))

    def _tables(self) -> list[str]:
        return [table for table in CONTACTS if table in self.edits.columns()]

    def _contacts(self, subject_id: str) -> Iterator[Row]:
        for table in self._tables():
            for column in USER_COLUMNS:
                for value in self._spelt(table, column, subject_id):
                    yield from self.edits.rows(table, column, value)
