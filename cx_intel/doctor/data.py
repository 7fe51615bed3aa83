"""The data of a portfolio before its first refresh: what the first rows of each source say, once read as staging reads them.

Nothing is written and no warehouse opened. How rows are cut is in `cx_intel.warehouse.duckdb.files.samples`, how they are
judged in `cx_intel.models.staging`; how it is shown in `cx_intel.cli.commands.validation`.
"""

import json
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal, InvalidOperation
from typing import Any

import ibis
import ibis.expr.types as ir

from cx_intel.contracts.delivered import delivered_columns
from cx_intel.contracts.staging.tables import STAGING
from cx_intel.models.staging import parsing
from cx_intel.models.staging.faults import SEPARATOR
from cx_intel.models.staging.rows import contract_of_rows, judged
from cx_intel.models.staging.unknown_currencies import unknown_currencies, unknown_currency_message
from cx_intel.settings.portfolio import Portfolio
from cx_intel.settings.sources.files import FilesSource
from cx_intel.settings.sources.sql import SqlSource
from cx_intel.sources.errors import SourceError
from cx_intel.warehouse.duckdb.files.samples import Sample, read_sample

ROWS = 1000
"""How many rows of a source are looked at."""


@dataclass(frozen=True)
class ColumnLook:
    """One canonical column in the first rows: how much of it is there, and an example.

    `delivered` is empty where that says nothing more than `read`.
    """

    name: str
    filled_pct: float
    delivered: str = ""
    read: str = ""


@dataclass(frozen=True)
class SourceLook:
    """What the first rows of a source are.

    Attributes:
        table: The canonical table.
        of: Where they are from, in words.
        rows: How many there are.
        is_whole: There are no others.
        columns: Those that the source delivers.
        absent: Those that it could deliver and does not.
        unread: Its own columns that nothing reads.
        rejected: Rows that would be quarantined.
        reasons: Why: how many rows, the commonest first, with an example in each.
        fault: Why nothing can be read; empty where it can.
    """

    table: str
    of: str = ""
    rows: int = 0
    is_whole: bool = True
    columns: tuple[ColumnLook, ...] = ()
    absent: tuple[str, ...] = ()
    unread: tuple[str, ...] = ()
    rejected: int = 0
    reasons: Mapping[str, int] = field(default_factory=dict)
    fault: str = ""

    @property
    def rejected_pct(self) -> float:
        return 100 * self.rejected / self.rows if self.rows else 0.0

    @property
    def is_usable(self) -> bool:
        """Rows would come in."""
        return not self.fault and (not self.rows or self.rejected < self.rows)


def look(portfolio: Portfolio, variables: Mapping[str, str], as_of: date, rows: int = ROWS) -> Iterator[SourceLook]:
    """The first rows of each source of files or of a query, one after the other.

    Whether an account is known is not judged: its row may be beyond the first.
    """
    currencies: dict[str, str] = {}
    sources = [s for s in portfolio.sources if isinstance(s, FilesSource | SqlSource)]
    for source in sorted(sources, key=lambda s: s.table != "accounts"):
        if isinstance(source, SqlSource) and source.landed:
            landed = ", ".join(sorted({str(table.landed) for table in source.landed.values()}))
            yield SourceLook(source.table, f"what {landed} lands, which is looked at by a refresh", is_whole=False)
            continue
        if isinstance(source, SqlSource) and source.is_at_cluster:
            yield SourceLook(source.table, "what the cluster gives, which is looked at by a refresh", is_whole=False)
            continue
        try:
            contract = STAGING[source.table](portfolio)
            sample = read_sample(source, contract=contract, environment=variables, rows=rows)
            found, read = _look(sample, source, portfolio.only(source.table, source), as_of, currencies)
        except SourceError as error:
            yield SourceLook(source.table, fault=str(error))
            continue
        if source.table == "accounts":
            currencies = {row["account_id"]: row["currency"] for row in read if row["currency"]}
        yield found


def _look(
    sample: Sample, source: FilesSource | SqlSource, portfolio: Portfolio, as_of: date, currency_of: Mapping[str, str]
) -> tuple[SourceLook, list[dict[str, Any]]]:
    """What the rows are, and the rows as they are read."""
    table, raw = source.table, ibis.memtable(sample.read.raw())
    if len(currencies := unknown_currencies(raw, portfolio).to_pandas()):
        fault = unknown_currency_message(table, currencies["currency"], portfolio)
        return SourceLook(table, sample.of, sample.read.table.num_rows, sample.is_whole, fault=fault), []
    accounts = None
    if table != "accounts" and "account_id" in raw.columns:
        accounts = _accounts_of(raw, currency_of)
    rows = judged(raw, table=table, portfolio=portfolio, as_of=as_of, accounts=accounts).to_pyarrow().to_pylist()
    rows.sort(key=_place)
    cells = sample.read.table.to_pylist()
    repeated = Counter(map(_place, cells))  # of a wide row several are made: which cell became which value, nobody says
    delivered = {place: _as_delivered(row, source) for row in cells if repeated[place := _place(row)] == 1}
    known = [c.name for c in delivered_columns(contract_of_rows(table, portfolio))]
    given = [name for name in known if name in sample.read.table.column_names]
    rejected = [row for row in rows if row["_reason"] is not None]
    found = SourceLook(
        table,
        sample.of,
        len(rows),
        sample.is_whole,
        tuple(_column(name, rows, delivered) for name in given),
        tuple(name for name in known if name not in given),
        sample.read.ignored_columns,
        len(rejected),
        _reasons([row["_reason"] for row in rejected]),
    )
    return found, rows


def _accounts_of(raw: ir.Table, currency_of: Mapping[str, str]) -> ir.Table:
    """The accounts that rows name, all of them known, with the currencies of those that were looked at."""
    named = raw.select(account_id=parsing.text(raw.account_id)).distinct().to_pyarrow()["account_id"].to_pylist()
    known = sorted(name for name in named if name)
    columns = {"account_id": known, "currency": [currency_of.get(name) for name in known]}
    return ibis.memtable(columns, schema={"account_id": "string", "currency": "string"})


def _column(name: str, rows: list[dict[str, Any]], delivered: Mapping[tuple[str, int], dict[str, Any]]) -> ColumnLook:
    filled = [row for row in rows if row[name] is not None]
    share = 100 * len(filled) / len(rows) if rows else 0.0
    example = next((row for row in filled if row["_reason"] is None), None)
    if example is None:
        return ColumnLook(name, share)
    cell, read = delivered.get(_place(example), {}).get(name), _text(example[name])
    return ColumnLook(name, share, "" if cell is None or _is_same(str(cell), read) else str(cell), read)


def _is_same(delivered: str, read: str) -> bool:
    """A number is the same however many digits it is written with."""
    try:
        return delivered == read or Decimal(delivered) == Decimal(read)
    except InvalidOperation:
        return False


def _as_delivered(row: dict[str, Any], source: FilesSource | SqlSource) -> dict[str, Any]:
    """The cells of a row as they stand in the file, before its spellings were read, where its own text is known."""
    try:
        own = json.loads(row.get("_raw_row") or "{}")
    except ValueError:
        own = {}
    named = source.columns if isinstance(source, FilesSource) else {}
    return {name: own.get(named.get(name, name), cell) for name, cell in row.items()}


def _place(row: Mapping[str, Any]) -> tuple[str, int]:
    return row["_source_file"] or "", row["_row_number"] or 0


def _text(value: Any) -> str:
    if isinstance(value, Decimal):
        return f"{value.normalize():f}"
    return str(value)


def _reasons(reasons: list[str]) -> dict[str, int]:
    """Reasons that differ by the value alone are one, told by the first of them."""
    counts: Counter[str] = Counter()
    examples: dict[str, str] = {}
    for reason in reasons:
        for part in reason.split(SEPARATOR):
            kind = re.sub(r"'.*'", "''", part)
            counts[kind] += 1
            examples.setdefault(kind, part)
    return {examples[kind]: count for kind, count in counts.most_common()}
