"""Blots a subject out of Dagster's storage where that is PostgreSQL, and looks for it there.

Which server it is stands in `dagster.yaml` of the home; what becomes of a text is the rule of `run_history.py`. Copies that
were made of the database, and its archived log, are not reached from here: docs/deploy.md.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import quote

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from cx_intel.privacy.register import PrivacyError
from cx_intel.privacy.runs.run_history import is_about, without
from cx_intel.privacy.subject import Subject
from cx_intel.warehouse.servers.postgres_texts import PostgresTexts, postgres_texts

DAGSTER_YAML = "dagster.yaml"
ROUNDS = 5
"""How often changed rows are looked for again: a program that writes at the same time may have changed one in between."""


def addresses(home: Path, variables: Mapping[str, str]) -> tuple[str, ...]:
    """The PostgreSQL databases that Dagster's storage of a home is in; none where it lies in the home.

    Raises:
        PrivacyError: `dagster.yaml` cannot be read, or names a storage that is neither.
    """
    file = home / DAGSTER_YAML
    if not file.exists():
        return ()
    try:
        content = YAML(typ="safe", pure=True).load(file) or {}
    except (YAMLError, OSError) as error:
        raise PrivacyError(
            f"{file} cannot be read, so that it is not known where Dagster's events are: {error}"
        ) from None
    found = (_address(of, variables, file) for of in _storages(content))
    return tuple(dict.fromkeys(address for address in found if address))


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


def mentions_in(address: str, subject: Subject) -> list[str]:
    """The columns of a database in which a word of the subject stands, as table.column."""
    with postgres_texts(address) as texts:
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


def _storages(content: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """What keeps runs, events and schedules: the module or short name, and its settings."""
    for name, of in (content.get("storage") or {}).items():
        yield str(name), of or {}
    for part in ("run_storage", "event_log_storage", "schedule_storage"):
        if of := content.get(part):
            yield str(of.get("module", "")), of.get("config") or {}


def _address(storage: tuple[str, Mapping[str, Any]], variables: Mapping[str, str], file: Path) -> str | None:
    name, settings = storage
    if "sqlite" in name or name.startswith(("cx_intel.", "dagster._core.storage")):
        return None
    if "postgres" not in name:
        raise PrivacyError(
            f"Dagster's events are kept by {name} ({file}), which is not reached from here: nothing was erased. Take the "
            "subject out there by hand, with a dagster.yaml that names no storage erase the rest, and put it back."
        )
    if url := settings.get("postgres_url"):
        return _value(url, variables, file)
    parts = settings.get("postgres_db") or {}
    user, password, host, database = (
        quote(_value(parts.get(key, ""), variables, file), safe="")
        for key in ("username", "password", "hostname", "db_name")
    )
    return f"postgresql://{user}:{password}@{host}:{parts.get('port', 5432)}/{database}"


def _value(given: Any, variables: Mapping[str, str], file: Path) -> str:
    """A value of `dagster.yaml`, which may name a variable as {env: NAME}."""
    if not isinstance(given, Mapping):
        return str(given)
    name = str(given.get("env", ""))
    if not variables.get(name):
        raise PrivacyError(
            f"{file} takes the address of Dagster's storage from {name}, which is not set: set it as the UI has it."
        )
    return variables[name]
