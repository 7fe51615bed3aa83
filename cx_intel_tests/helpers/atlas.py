"""The example atlas: where its files are, what its stories come to, and refreshes of its three deliveries in order.

Figures are worked by hand from `examples/atlas`. What they follow from is told in `docs/definitions.md`; the files are
held to that page in `test_atlas_files.py`, the warehouse to the figures in `test_atlas.py`.
"""

import os
from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import ibis

import cx_intel
from cx_intel.contracts.catalog import contract_of, tables_of
from cx_intel.orchestration.assets.backtest.replay import Replay
from cx_intel.orchestration.build import build_definitions
from cx_intel.orchestration.instance import instance_of
from cx_intel.orchestration.runs import Outcome, refresh
from cx_intel.settings.environment import read_environment
from cx_intel.settings.yaml.loader import load_portfolio
from cx_intel.warehouse.duckdb.access.opening import reading
from cx_intel.warehouse.duckdb.warehouse import DuckDBWarehouse

ROOT = Path(cx_intel.__file__).parents[1]
EXAMPLES = ROOT / "examples"
FILES = EXAMPLES / "atlas"
PAGE = ROOT / "docs" / "definitions.md"
APRIL_END, MAY_END, JUNE_END = date(2026, 4, 30), date(2026, 5, 31), date(2026, 6, 30)
DELIVERIES = (APRIL_END, MAY_END, JUNE_END)
APRIL, MAY, JUNE = date(2026, 4, 1), date(2026, 5, 1), date(2026, 6, 1)
WATERFALL = (
    "starting_mrr, new_mrr, reactivation_mrr, expansion_mrr, contraction_mrr, churned_mrr, ending_mrr, "
    "paying_accounts, churned_accounts"
)

Months = tuple[float | None, float | None, float | None]
"""April, May, June; None where the account is not in the ledger."""

BY_CONTRACTS: dict[str, Months] = {
    "S-01": (300, 300, 360),
    "S-02": (None, 200, 200),
    "S-03": (400, 400, 400),
    "S-04": (300, 300, 300),
    "S-05": (None, 150, 150),
    "S-06": (1000, 1100, 1100),
    "S-07": (600, 600, 600),
    "S-08": (200, 200, 200),
    "S-09": (150, 150, 150),
    "S-10": (350, 350, 350),
    "S-11-A": (200, 200, 0),
    "S-11-B": (300, 300, 500),
    "S-12": (100, 100, 100),
    "S-13": (100, 100, 100),
    "S-14": (120, 120, 120),
    "S-15": (80, 80, 0),
    "S-16": (400, 450, 450),
    "S-17": (90, 90, 0),
    "S-18": (130, 130, 130),  # 30 x 52 / 12
    "S-19": (200, 200, 250),
    "S-20": (550, 550, 550),
    "S-21": (700, 700, 700),
    "S-22": (None, None, None),
    "S-23": (60, 60, 60),
}
BY_INVOICES: dict[str, Months] = BY_CONTRACTS | {
    "S-07": (600, 0, 600),
    "S-08": (200, 100, 200),
    "S-15": (80, 0, None),
    "S-17": (90, 90, 90),
    "S-18": (130.36, 130.36, 130.36),  # 120 x (365 / 12) / 28
    "S-21": (700, 700, 0),
}


class Atlas:
    """A portfolio over the files of atlas, in a folder of its own.

    Attributes:
        outcomes: What became of each refresh.
    """

    def __init__(self, folder: Path, name: str, portfolios: Path = EXAMPLES):
        self.folder, self.name, self.portfolios = folder, name, portfolios
        self.outcomes: dict[date, Outcome] = {}

    def refresh(self, *days: date) -> "Atlas":
        """Refreshes the portfolio with the delivery of each day, by the job of the command line; without reports."""
        for day in days:
            variables = {
                "CX_HOME": str(self.folder),
                "CX_PORTFOLIOS": str(self.portfolios),
                "ATLAS": str(FILES / day.isoformat()),
            }
            before = os.environ.get("DAGSTER_HOME")
            definitions = build_definitions(read_environment(variables), only=[self.name])
            try:
                with instance_of(self.folder) as instance:
                    self.outcomes[day] = refresh(definitions, self.name, day, instance, without=("dashboard",))
            finally:
                os.environ.pop("DAGSTER_HOME", None)
                if before is not None:
                    os.environ["DAGSTER_HOME"] = before
        return self

    def rows(self, sql: str, *values: object) -> list[tuple[Any, ...]]:
        """The rows that SQL gives, amounts as floats; the portfolio's tables need no schema."""
        with duckdb.connect(str(self.folder / "warehouse.duckdb"), read_only=True) as connection:
            connection.execute(f"USE {self.name}")
            found = connection.execute(sql, list(values)).fetchall()
        return [tuple(float(value) if isinstance(value, Decimal) else value for value in row) for row in found]

    def months(self, accounts: Sequence[str]) -> dict[str, Months]:
        """The MRR of these accounts from April to June."""
        found = {
            (account, month): mrr
            for account, month, mrr in self.rows("SELECT account_id, revenue_month, mrr FROM fct_revenue")
        }
        return {a: (found.get((a, APRIL)), found.get((a, MAY)), found.get((a, JUNE))) for a in accounts}


def waterfall(of: Atlas) -> dict[date, tuple[float, ...]]:
    """Month: the figures of `WATERFALL`."""
    rows = of.rows(f"SELECT revenue_month, {WATERFALL} FROM nrr_summary WHERE revenue_month >= ?", APRIL)
    return {month: tuple(figures) for month, *figures in rows}


def replayed_and_stored(of: Atlas, day: date) -> dict[str, tuple[list[dict[str, Any]], list[dict[str, Any]]]]:
    """Of each snapshot table of a day: the rows made once more from what was known on it, and those that were written then."""
    portfolio = load_portfolio(of.portfolios / f"{of.name}.yaml")
    kept = [t for t in tables_of(portfolio) if contract_of(t, portfolio).kind == "snapshot" and t != "quarantine"]
    with reading(of.folder / "warehouse.duckdb") as database:
        warehouse = DuckDBWarehouse(database, of.name)
        made = Replay(portfolio, warehouse).of_day(day, tables=kept)
        stored = {table: warehouse.table(table) for table in made if table in kept}
        return {
            table: (warehouse.rows(made[table]), warehouse.rows(rows.filter(rows.as_of == ibis.literal(day))))
            for table, rows in stored.items()
        }
