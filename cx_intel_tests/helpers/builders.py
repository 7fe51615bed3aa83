"""Small tables and portfolios for tests: say what matters, the rest is filled in.

`rows` makes a table of a contract, `accounts` an account_snapshot of ordinary paying customers, `portfolio` a
minimal portfolio from blocks, `shipped` one of those in the package, `fetched` and
`values` what a test compares, `kept` a table that others read.
"""

import warnings
from collections.abc import Iterable, Mapping
from datetime import date
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any

import ibis
import ibis.expr.types as ir
import pyarrow as pa
from ibis.backends.duckdb.converter import DuckDBPyArrowData

import cx_intel
from cx_intel.contracts.contract import Contract
from cx_intel.contracts.core import account_snapshot
from cx_intel.contracts.staging.support import stg_ticket_status_history
from cx_intel.contracts.staging.values import GROUPS, NO_VALUE
from cx_intel.contracts.support import business_hours
from cx_intel.settings.portfolio import Portfolio
from cx_intel.settings.yaml.loader import load_portfolio

PORTFOLIOS = Path(cx_intel.__file__).parent / "portfolios"
AS_OF = date(2025, 1, 31)
HORIZON = date(2025, 1, 1)


@cache
def shipped(name: str) -> Portfolio:
    """A portfolio that comes with the package."""
    return load_portfolio(PORTFOLIOS / f"{name}.yaml")


def portfolio(tables: Iterable[str] = (), **blocks: Any) -> Portfolio:
    """A minimal portfolio `small`: files for accounts, subscriptions and `tables`, and the given blocks."""
    sources = [{"kind": "files", "table": t, "path": f"{t}.csv"} for t in ("accounts", "subscriptions", *tables)]
    base = {
        "name": "small",
        "currency": {"reporting": "EUR"},
        "sources": sources,
        "revenue": {"basis": "subscriptions"},
    }
    return Portfolio.model_validate(base | blocks)


def health(measures: Mapping[str, Mapping[str, Any]], **more: Any) -> dict[str, Any]:
    """A health block with these signals, all of equal weight in one dimension `all`, scored from 0 to 100."""
    weight = 1 / len(measures)
    curve = {"linear": {"zero": 0, "full": 100}}
    block = {
        "signals": {name: {"label": name, "measure": measure} for name, measure in measures.items()},
        "dimensions": {
            "all": {"weight": 1, "signals": {name: {"weight": weight, "curve": curve} for name in measures}}
        },
        "tiers": {
            "levels": [
                {"name": "good", "at_least": 70, "is_healthy": True},
                {"name": "fair", "at_least": 40, "is_healthy": False},
                {"name": "poor", "at_least": 0, "is_healthy": False},
            ]
        },
    }
    return block | more


def rows(contract: Contract, given: Iterable[Mapping[str, Any]]) -> ir.Table:
    """A table of the contract with these rows; columns left out are null.

    Raises:
        KeyError: A row has a column that the contract does not know.
    """
    listed = list(given)
    if unknown := {name for row in listed for name in row} - set(contract.column_names):
        raise KeyError(f"{contract.table} has no column {', '.join(sorted(unknown))}")
    schema = contract.schema()
    filled = [{name: _exact(row.get(name), schema[name]) for name in contract.column_names} for row in listed]
    return ibis.memtable(pa.Table.from_pylist(filled, schema=schema.to_pyarrow()), schema=schema)


def _exact(value: Any, kind: Any) -> Any:
    return Decimal(str(value)) if kind.is_decimal() and value is not None else value


def no_history(of: Portfolio) -> tuple[ir.Table, ir.Table]:
    """Neither a history of tickets nor business hours, for what judges tickets."""
    return rows(stg_ticket_status_history(of), []), rows(business_hours(of), [])


def accounts(of: Portfolio, given: Iterable[Mapping[str, Any]], as_of: date = AS_OF) -> ir.Table:
    """An account_snapshot: each row an active customer of 100 a month, unless it says otherwise."""
    ordinary = {
        "as_of": as_of,
        "status": "active",
        "signup_date": date(2024, 1, 31),
        "current_mrr": 100,
        "is_churned": False,
        "horizon_month": HORIZON,
        "is_cancelled": False,
        **dict.fromkeys(GROUPS, NO_VALUE),
        **dict.fromkeys(("announced_contraction_mrr", "announced_contraction_90d_mrr", "lapsed_mrr"), 0),
    }
    filled = [ordinary | {"account_name": row["account_id"]} | dict(row) for row in given]
    for row in filled:
        row.setdefault("current_arr", 12 * Decimal(str(row["current_mrr"])))
    return rows(account_snapshot(of), filled)


def executed(table: ir.Table) -> pa.Table:
    """What `to_pyarrow` gives, planned once by DuckDB and not twice: planning is most of a small query's time."""
    backend = ibis.get_backend(table)
    backend._run_pre_execute_hooks(table)
    return table.__pyarrow_result__(run(backend, backend.compile(table)), data_mapper=DuckDBPyArrowData)


def run(backend: Any, sql: str) -> pa.Table:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # that the few rows are copied once more
        return backend.con.execute(sql).to_arrow_table()


def fetched(table: ir.Table) -> list[dict[str, Any]]:
    """The rows as plain Python values."""
    return executed(table).to_pylist()


def kept(table: ir.Table) -> ir.Table:
    """The rows as a table of their own, as the warehouse keeps them."""
    return ibis.memtable(executed(table), schema=table.schema())


def values(table: ir.Table, *columns: str, by: str | tuple[str, ...] = "account_id") -> dict[Any, Any]:
    """The rows by key: one column's values, or tuples of several; null is None, amounts are floats."""
    keys = (by,) if isinstance(by, str) else by
    found = {}
    for row in fetched(table.select(*dict.fromkeys((*keys, *columns)))):
        plain = {k: float(v) if isinstance(v, Decimal) else v for k, v in row.items()}
        key = plain[keys[0]] if len(keys) == 1 else tuple(plain[k] for k in keys)
        assert key not in found, f"{key} stands twice"
        found[key] = plain[columns[0]] if len(columns) == 1 else tuple(plain[c] for c in columns)
    return found
