"""The accounts behind a rule that does not hold: its rows of the day, asked of the table once more by the contract's own rule.

Only rules over rows of one table that name an account are told so; how many rows break each is in the results of checks.
The sentences stand in `cx_intel.reports.data.trust`.
"""

from collections.abc import Callable
from datetime import date

import ibis
import ibis.expr.types as ir
import pandas as pd

from cx_intel.contracts.catalog import contract_of, tables_of
from cx_intel.reports.data.report_data import records
from cx_intel.settings.portfolio import Portfolio

MOST = 6
"""Accounts named of a rule."""


def accounts_behind(
    checks: pd.DataFrame | None,
    portfolio: Portfolio,
    as_of: date,
    table: Callable[[str], ir.Table | None],
    fetch: Callable[[ir.Table], pd.DataFrame],
) -> dict[tuple[str, str], tuple[tuple[str, ...], int]]:
    """Table and rule that does not hold: the first accounts that break it, the most ARR first where the table has it,
    and how many do.

    Args:
        checks: What the checks found.
        portfolio: Its settings.
        as_of: The day.
        table: A table of the warehouse; None where there is none.
        fetch: Reads rows.
    """
    found: dict[tuple[str, str], tuple[tuple[str, ...], int]] = {}
    broken = [row for row in records(checks) if not row["passed"]] if checks is not None else []
    for name, check in ((row["table_name"], row["check_name"]) for row in broken):
        if name not in tables_of(portfolio):
            continue
        contract, rows = contract_of(name, portfolio), table(name)
        rules = [rule for rule in contract.invariants if rule.name == check]
        if rows is None or not rules or "account_id" not in contract.column_names:
            continue
        if contract.kind == "snapshot":
            rows = rows.filter(rows.as_of == ibis.literal(as_of))
        wrong = rows.filter(~ibis.coalesce(rules[0].holds(rows), ibis.literal(False)))
        size = wrong.current_arr.max() if "current_arr" in wrong.columns else ibis.literal(0)
        accounts = wrong.group_by("account_id").agg(size=size)
        told = accounts.mutate(of=accounts.count().over(ibis.window()))
        first = records(fetch(told.order_by([told["size"].desc(), told.account_id.asc()]).limit(MOST)))
        found[name, check] = (tuple(str(row["account_id"]) for row in first), int(first[0]["of"]) if first else 0)
    return found
