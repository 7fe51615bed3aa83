"""Takes a subject out of the tables of a DuckDB file: rows go, the ledger's get a pseudonym, mentions are blotted out.

Run a second time it changes nothing. That the old rows also leave the file is the matter of `rewriting.py`; which files
there are, of `erase.py`.
"""

from collections.abc import Iterator
from typing import Any

import duckdb

from cx_intel.contracts.erased import KEPT, ROW_IDS
from cx_intel.privacy.pseudonyms import row_pseudonym
from cx_intel.privacy.register import Entry, Register
from cx_intel.privacy.subject import REDACTED, Subject, pattern_of
from cx_intel.warehouse.duckdb.state import STATE_SCHEMA

DERIVED = {
    "stg_subscriptions": ("mrr_amount", "list_mrr_amount", "is_active", "duration_days"),
    "stg_invoices": ("mrr_amount", "invoice_month", "is_paid"),
}
LEDGER = {
    **{f"{prefix}_{table}": columns for table, columns in KEPT.items() for prefix in ("raw", "stg")},
    "account_history": ("account_id", "valid_from", "valid_to", *KEPT["accounts"]),
    "dim_account": (*KEPT["accounts"], "horizon_month", "current_mrr", "current_arr", "is_churned"),
}
"""Table: the columns that stay, under the pseudonym. fct_revenue keeps all of its columns, which are amounts."""


class Tables:
    """The tables of one portfolio in an open DuckDB file.

    Attributes:
        connection: An open connection, the file its current database.
        schema: Where the portfolio's tables are.
    """

    def __init__(self, connection: duckdb.DuckDBPyConnection, schema: str):
        self.connection = connection
        self.schema = schema

    def columns(self, schema: str | None = None) -> dict[str, dict[str, str]]:
        """Table: column: type."""
        found: dict[str, dict[str, str]] = {}
        for table, column, kind in self.connection.execute(
            "SELECT table_name, column_name, data_type FROM duckdb_columns() WHERE database_name = current_database() "
            "AND schema_name = ? AND NOT internal AND table_name IN (SELECT table_name FROM duckdb_tables()) "
            "ORDER BY table_name, column_index",
            [schema or self.schema],
        ).fetchall():
            found.setdefault(table, {})[column] = kind
        return found

    def rows(self, table: str, account_id: str) -> list[dict[str, Any]]:
        """The rows of an account in a table, as delivered; none where there is no such table."""
        if "account_id" not in self.columns().get(table, {}):
            return []
        result = self.connection.execute(f"FROM {self._name(table)} WHERE trim(account_id::VARCHAR) = ?", [account_id])
        names = [column[0] for column in result.description or ()]
        return [dict(zip(names, row, strict=True)) for row in result.fetchall()]

    def names(self, account_id: str) -> tuple[str, ...]:
        """What an account was called in any table."""
        found: set[str] = set()
        for table, columns in self.columns().items():
            if {"account_id", "account_name"} <= set(columns):
                found |= {str(row["account_name"]) for row in self.rows(table, account_id) if row["account_name"]}
        return tuple(sorted(found))

    def others_named(self, name: str, account_id: str) -> bool:
        """Whether another account bears the name too, or has it in its own."""
        pattern = pattern_of_words((name,))
        for table, columns in self.columns().items():
            if {"account_id", "account_name"} <= set(columns):
                query = (
                    f"SELECT 1 FROM {self._name(table)} WHERE trim(account_id::VARCHAR) <> ? "
                    "AND regexp_matches(account_name, ?) LIMIT 1"
                )
                if self.connection.execute(query, [account_id, pattern]).fetchall():
                    return True
        return False

    def holds(self, subject_column: str, subject: str) -> bool:
        """Whether any table has rows of the id."""
        return any(
            self.connection.execute(
                f'SELECT 1 FROM {self._name(table)} WHERE trim("{subject_column}"::VARCHAR) = ? LIMIT 1', [subject]
            ).fetchall()
            for table, columns in self.columns().items()
            if subject_column in columns
        )

    def erase(self, subject: Subject, entry: Entry, register: Register) -> None:
        """Takes the subject out, in one transaction."""
        self.connection.execute("BEGIN TRANSACTION")
        try:
            for table, columns in self.columns().items():
                if subject.column in columns:
                    self._erase_rows(table, columns, subject, entry, register)
                if subject.kind == "account" and "parent_account_id" in columns:
                    self.connection.execute(
                        f"UPDATE {self._name(table)} SET parent_account_id = NULL "
                        "WHERE trim(parent_account_id::VARCHAR) = ?",
                        [subject.id],
                    )
            for schema, table, column in self.mentions(subject):
                self._blot_out(f'"{schema}"."{table}"', table, column, subject)
        except BaseException:
            self.connection.execute("ROLLBACK")
            raise
        self.connection.execute("COMMIT")

    def mentions(self, subject: Subject) -> Iterator[tuple[str, str, str]]:
        """The columns of text in which a word of the subject still stands: schema, table, column."""
        if not subject.words:
            return
        pattern = pattern_of_words(subject.spellings)
        for schema in {self.schema, STATE_SCHEMA}:
            for table, columns in self.columns(schema).items():
                of_portfolio = " AND schema_name = ?" if schema == STATE_SCHEMA and "schema_name" in columns else ""
                for column, kind in columns.items():
                    if kind in ("VARCHAR", "JSON"):
                        query = (
                            f'SELECT 1 FROM "{schema}"."{table}" WHERE regexp_matches("{column}"::VARCHAR, ?)'
                            f"{of_portfolio} LIMIT 1"
                        )
                        values = [pattern, subject.portfolio] if of_portfolio else [pattern]
                        if self.connection.execute(query, values).fetchall():
                            yield schema, table, column

    def _erase_rows(
        self, table: str, columns: dict[str, str], subject: Subject, entry: Entry, register: Register
    ) -> None:
        name, where = self._name(table), f'trim("{subject.column}"::VARCHAR) = ?'
        if subject.kind == "user" or (table not in LEDGER and table != "fct_revenue"):
            self.connection.execute(f"DELETE FROM {name} WHERE {where}", [subject.id])
            return
        if table == "account_history":
            newest = f"valid_from < (SELECT max(valid_from) FROM {name} WHERE {where})"
            (first,) = self.connection.execute(
                f"SELECT min(valid_from) FROM {name} WHERE {where}", [subject.id]
            ).fetchone() or (None,)
            self.connection.execute(f"DELETE FROM {name} WHERE {where} AND {newest}", [subject.id, subject.id])
            self.connection.execute(f"UPDATE {name} SET valid_from = ? WHERE {where}", [first, subject.id])
        if row_id := ROW_IDS.get(table.split("_", 1)[1]):
            query = f'SELECT DISTINCT "{row_id}" FROM {name} WHERE {where}'
            for (found,) in self.connection.execute(query, [subject.id]).fetchall():
                pseudonym = row_pseudonym(str(found or "").strip(), entry, register)
                self.connection.execute(
                    f'UPDATE {name} SET "{row_id}" = ? WHERE {where} AND "{row_id}" IS NOT DISTINCT FROM ?',
                    [pseudonym, subject.id, found],
                )
        kept = {*LEDGER.get(table, tuple(columns)), *DERIVED.get(table, ())}
        changes = [f'"{column}" = NULL' for column in columns if column not in kept]
        values: list[object] = []
        if "signup_date" in columns:
            changes.append(f"signup_date = CAST(? AS {columns['signup_date']})")
            values.append(entry.signup_month)
        if changes:
            self.connection.execute(f"UPDATE {name} SET {', '.join(changes)} WHERE {where}", [*values, subject.id])
        self.connection.execute(f"UPDATE {name} SET account_id = ? WHERE {where}", [subject.pseudonym, subject.id])

    def _blot_out(self, name: str, table: str, column: str, subject: Subject) -> None:
        """Rows that were turned away go whole; in other tables the text goes and the row stays."""
        pattern = pattern_of_words(subject.spellings)
        where = f'regexp_matches("{column}"::VARCHAR, ?)'
        if table == "quarantine":
            self.connection.execute(f"DELETE FROM {name} WHERE {where}", [pattern])
        else:
            self.connection.execute(f'UPDATE {name} SET "{column}" = ? WHERE {where}', [REDACTED, pattern])

    def _name(self, table: str) -> str:
        return f'"{self.schema}"."{table}"'


def pattern_of_words(words: tuple[str, ...]) -> str:
    """As `pattern_of`, for DuckDB's regular expressions, which know no look-around."""
    inner = pattern_of(words)
    if not words:
        return "$^"
    body = inner[inner.index("(?:", 1) : inner.rindex("(?!")]
    return f"(^|[^A-Za-z0-9_]){body}($|[^A-Za-z0-9_])"
