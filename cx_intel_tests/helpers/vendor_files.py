"""Writes made-up exports as vendors write them, and reads them through a preset into staged rows.

What a vendor's rows look like stands in the tests of its preset.
"""

import csv
import json
from collections.abc import Iterable, Mapping
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any, TypeAlias

import ibis

from cx_intel.contracts.staging.tables import STAGING
from cx_intel.models.staging import rows
from cx_intel.models.staging import tables as staging
from cx_intel.settings.portfolio import Portfolio
from cx_intel.settings.sources.sql import SqlSource
from cx_intel.settings.yaml.loader import parse_portfolio
from cx_intel.sources.files.content import FilesRead
from cx_intel.warehouse.duckdb.files.reading import read_files
from cx_intel.warehouse.duckdb.queries.queries import read_query
from cx_intel_tests.helpers.made_once import made

AS_OF = date(2025, 6, 30)
Link: TypeAlias = tuple[str, str, str, str | None]
"""Of an id: itself, the system and id that it leads to, and what its own system calls it."""


def write_lines(file: Path, objects: Iterable[Mapping[str, Any]]) -> None:
    """A file of JSON lines."""
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text("".join(json.dumps(o) + "\n" for o in objects), encoding="utf-8")


def write_table(file: Path, listed: Iterable[Mapping[str, Any]]) -> None:
    """A CSV: null is an empty cell, true and false in lower case, lists and objects as JSON."""
    given = list(listed)
    file.parent.mkdir(parents=True, exist_ok=True)
    with file.open("w", encoding="utf-8", newline="") as text:
        writer = csv.DictWriter(text, list(dict.fromkeys(name for row in given for name in row)))
        writer.writeheader()
        writer.writerows({name: _cell(value) for name, value in row.items()} for row in given)


def _cell(value: Any) -> Any:
    if isinstance(value, bool):
        return "true" if value else "false"
    return json.dumps(value) if isinstance(value, list | dict) else value


@cache
def _parsed(text: str) -> Portfolio:
    return parse_portfolio(text, Path("book.yaml"))


def taking(preset: str, settings: str = "", more: str = "", tables: str = "{}", **stated: str) -> Portfolio:
    """A portfolio that takes a preset: `settings` are further blocks, `more` further sources as YAML."""
    keys = "".join(f", {name}: '{value}'" for name, value in stated.items()) + f", tables: {tables}"
    text = f"currency: {{reporting: USD, rates: {{EUR: 1.1, JPY: 0.0067, ISK: 0.007}}}}\n{settings}\n"
    text += "revenue: {basis: subscriptions}\n" if "revenue:" not in settings else ""
    return _parsed(f"{text}sources:\n  - {{preset: {preset}{keys}}}\n{more}")


def delivered(book: Portfolio, table: str, environment: Mapping[str, str] | None = None) -> FilesRead:
    """What the source of a table reads."""
    source = book.source_of(table)
    read: Any = read_query if isinstance(source, SqlSource) else read_files
    return read(source, contract=STAGING[table](book), environment=environment or {})


def links_of(book: Portfolio, environment: Mapping[str, str] | None = None) -> dict[str, list[Link]]:
    """System: the links of its ids that lead anywhere, of all sources."""
    found: dict[str, list[Link]] = {}
    for source in book.parts_of("identity_links").values():
        table = delivered(book.only("identity_links", source), "identity_links", environment).table
        for row in table.select(["system", "external_id", "linked_system", "linked_id", "external_name"]).to_pylist():
            system, external_id, linked_system, linked_id, name = row.values()
            if linked_id is not None:
                found.setdefault(system, []).append((external_id, linked_system, linked_id, name))
    return {system: sorted(rows, key=str) for system, rows in found.items()}


def judged(
    book: Portfolio, table: str, accounts: Iterable[str] = (), environment: Mapping[str, str] | None = None
) -> list[dict[str, Any]]:
    """The rows of a table as staging judges them, each with its `_reason`; accounts are those named, else the source's."""
    known = (
        ibis.memtable([{"account_id": a, "currency": None} for a in accounts], schema=_ACCOUNTS) if accounts else None
    )
    if known is None and table != "accounts":
        raw = ibis.memtable(delivered(book, "accounts", environment).raw())
        known = ibis.memtable(made(staging.stg_accounts, raw, portfolio=book, as_of=AS_OF))
    raw = ibis.memtable(delivered(book, table, environment).raw())
    return made(rows.judged, raw, table=table, portfolio=book, as_of=AS_OF, accounts=known).to_pylist()


_ACCOUNTS = ibis.schema({"account_id": "string", "currency": "string"})
