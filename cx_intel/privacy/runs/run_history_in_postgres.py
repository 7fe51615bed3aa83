"""Blots a subject out of Dagster's storage where that is PostgreSQL, and looks for it there.

Which server it is says `cx_intel.warehouse.servers.dagster_storage`; what becomes of a text is the rule of `run_history.py`.
Copies that were made of the database, and its archived log, are not reached from here: docs/deploy.md.
"""

from collections.abc import Iterator

from cx_intel.privacy.runs.run_history import is_about, without
from cx_intel.privacy.subject import Subject
from cx_intel.warehouse.servers.postgres_texts import PostgresTexts, postgres_texts

ROUNDS = 5
"""How often changed rows are looked for again: a program that writes at the same time may have changed one in between."""


def blot_out_in(address: str, subject: Subject) -> int:
    """Takes every mention out of a database, and writes the changed tables anew. How many cells were changed."""
    changed: dict[str, int] = {}
    with postgres_texts(address) as texts:
        for table, column in texts.columns():
            for _ in range(ROUNDS):
                cells = list(_about(texts, table, column, subject, pictures=True))
                news = [(cell, text) for cell in cells if (text := without(cell[1], subject)) != cell[1]]
                for cell, text in news:
                    texts.replace(table, column, cell, text)
                changed[table] = changed.get(table, 0) + len(news)
                if not news:
                    break
        for table, count in changed.items():
            if count:
                texts.write_anew(table)
    return sum(changed.values())


def mentions_in(address: str, subject: Subject, schema: str = "") -> list[str]:
    """The columns of a database, or of one of its schemas, in which a word of the subject stands, as table.column."""
    with postgres_texts(address, schema) as texts:
        return [
            f"{table}.{column}"
            for table, column in texts.columns()
            if next(_about(texts, table, column, subject, pictures=False), None)
        ]


def _about(
    texts: PostgresTexts, table: str, column: str, subject: Subject, *, pictures: bool
) -> Iterator[tuple[str, str]]:
    words = [*subject.spellings, *(["data:image/"] if pictures else [])]
    for cell in texts.cells(table, column, words):
        if is_about(cell[1], subject, pictures=pictures):
            yield cell
