"""Which PostgreSQL databases Dagster's storage is in, by `dagster.yaml` of a home.

How they are dumped and loaded stands in `postgres_dumps.py`, and how a subject is taken out of them in `postgres_texts.py`.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import quote

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from cx_intel.warehouse.errors import WarehouseError

DAGSTER_YAML = "dagster.yaml"


def addresses(home: Path, variables: Mapping[str, str]) -> tuple[str, ...]:
    """The PostgreSQL databases that Dagster's storage of a home is in; none where it lies in the home.

    Raises:
        WarehouseError: `dagster.yaml` cannot be read, names a storage that is neither, or a variable that is not set.
    """
    file = home / DAGSTER_YAML
    if not file.exists():
        return ()
    try:
        content = YAML(typ="safe", pure=True).load(file) or {}
    except (YAMLError, OSError) as error:
        raise WarehouseError(
            f"{file} cannot be read, so that it is not known where Dagster's events are: {error}"
        ) from None
    found = (_address(of, variables, file) for of in _storages(content))
    return tuple(dict.fromkeys(address for address in found if address))


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
        raise WarehouseError(f"Dagster's events are kept by {name} ({file}), which is not reached from here.")
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
        raise WarehouseError(
            f"{file} takes the address of Dagster's storage from {name}, which is not set: set it as the UI has it."
        )
    return variables[name]
