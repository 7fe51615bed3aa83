"""How far the numbers of a day can be trusted: sources that fell silent, rows turned away, rules broken.

Read from what the refresh left behind: signals marked stale, frozen scores, the quarantine and the results of checks.
What is said of it stands in `brief_view.py`.
"""

from dataclasses import dataclass
from datetime import date
from typing import Any

import ibis
import ibis.expr.types as ir

from cx_intel.settings.portfolio import Portfolio
from cx_intel.warehouse.protocol import Warehouse


@dataclass(frozen=True)
class Trust:
    """The state of the data.

    Attributes:
        stale_signals: Signals whose source has fallen silent, for how many accounts.
        frozen: Accounts whose tier is held because of that.
        quarantined: Canonical table: rows turned away at the refresh of the day.
        failed: Broken rules that block, as `table: rule (failed rows/rows)`.
        warned: Broken rules that warn.
        checks: Rules looked at, of which a check of Dagster's may have several; 0 when no results are kept.
    """

    stale_signals: dict[str, int]
    frozen: int
    quarantined: dict[str, int]
    failed: tuple[str, ...]
    warned: tuple[str, ...]
    checks: int

    @property
    def level(self) -> str:
        """`good`, `care` where something should be known, `bad` where the numbers should not be relied on."""
        if self.failed:
            return "bad"
        return "care" if self.stale_signals or self.frozen or self.quarantined or self.warned else "good"


def gather_trust(portfolio: Portfolio, as_of: date, warehouse: Warehouse) -> Trust:
    """Reads the state of the data at a day."""

    def day(table: str) -> ir.Table | None:
        if not warehouse.exists(table):
            return None
        rows = warehouse.table(table)
        return rows.filter(rows.as_of == ibis.literal(as_of))

    def counts(rows: ir.Table | None, column: str) -> dict[str, int]:
        if rows is None:
            return {}
        counted = rows.group_by(column).agg(n=rows.count())
        found = warehouse.rows(counted)
        return {row[column]: row["n"] for row in sorted(found, key=lambda row: str(row[column]))}

    signals, scores = day("account_signals"), day("customer_health_scores")
    stale = counts(signals.filter(signals.is_stale), "signal") if signals is not None else {}
    frozen = warehouse.execute(scores.count(where=scores.is_frozen)) if scores is not None else 0
    failed, warned, checks = _checks(warehouse)
    return Trust(stale, int(frozen), counts(day("quarantine"), "source_table"), failed, warned, checks)


def _checks(warehouse: Warehouse) -> tuple[tuple[str, ...], tuple[str, ...], int]:
    results = warehouse.check_results()
    if results is None:
        return (), (), 0
    rows = warehouse.rows(results)
    broken = sorted((r["severity"], _named(r)) for r in rows if not r["passed"])
    failed = tuple(name for severity, name in broken if severity == "block")
    return failed, tuple(name for severity, name in broken if severity != "block"), len(rows)


def _named(result: dict[str, Any]) -> str:
    return f"{result['table_name']}: {result['check_name']} ({result['failed_rows']}/{result['total_rows']})"
