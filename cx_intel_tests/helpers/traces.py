"""Traces of account A02 of the small company in a home, by searches that share nothing with those of the erasure."""

import sqlite3
from contextlib import closing
from pathlib import Path

import duckdb

WORDS = (b"A02", b"Company 2")


def files_with(home: Path) -> dict[str, bytes]:
    """Files of the home in whose bytes the id or the name stands, as a plain search finds them; not as part of A020."""
    found = {}
    for file in home.rglob("*"):
        if file.is_file():
            content = file.read_bytes()
            for word in WORDS:
                at = content.find(word)
                while at >= 0 and content[at + len(word) : at + len(word) + 1].isalnum():
                    at = content.find(word, at + 1)
                if at >= 0:
                    found[file.name] = word
    return found


def cells_with(home: Path) -> list[str]:
    """Columns of all databases of the home in which the id or the name stands."""
    found = []
    for file in home.rglob("*.duckdb"):
        with duckdb.connect(str(file), read_only=True) as connection:
            columns = connection.execute(
                "SELECT schema_name, table_name, column_name FROM duckdb_columns() WHERE NOT internal"
            ).fetchall()
            for schema, table, column in columns:
                query = f"""SELECT 1 FROM "{schema}"."{table}" WHERE regexp_matches("{column}"::VARCHAR, ?) LIMIT 1"""
                if connection.execute(query, [r"\b(A02|Company 2)\b"]).fetchall():
                    found.append(f"{file.name}: {table}.{column}")
    for file in home.rglob("*.db"):
        with closing(sqlite3.connect(file)) as connection:
            text = "\n".join(connection.iterdump())
            found += [f"{file.name}: {word}" for word in ("Company 2 ", "| A02 |") if word in text]
    return found
