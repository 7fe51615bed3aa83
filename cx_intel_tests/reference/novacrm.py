"""novacrm: every figure from the five CSVs, in plain SQL on an in-memory DuckDB.

    compute(folder, as_of, basis='invoices' | 'subscriptions', recognised_statuses=('paid', 'overdue'),
            population='active' | 'paying')

The SQL lives in novacrm_base (files, ledger, accounts), ledger (movements, waterfall, cohorts),
novacrm_support (tickets, SLA, usage) and novacrm_health (health, churn risk); the readings of the
specification are noted there.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from pathlib import Path

import duckdb
import pandas as pd

from . import ledger, novacrm_base, novacrm_health, novacrm_support

HEALTH_COLUMNS = """account_id, usage_score, engagement_score, revenue_score, support_score, health_score,
    health_tier, coverage_pct"""


def compute(
    folder: Path,
    as_of: date = date(2025, 1, 31),
    basis: str = "invoices",
    recognised_statuses: Sequence[str] = ("paid", "overdue"),
    include_churned: bool = False,
    population: str = "active",
) -> dict[str, pd.DataFrame]:
    """All tables by name, as known at the end of as_of (UTC)."""
    con = duckdb.connect(":memory:")
    try:
        novacrm_base.load(con, folder, as_of)
        novacrm_base.build_ledger(con, basis, list(recognised_statuses))
        con.execute(novacrm_support.TICKETS_KNOWN)
        con.execute(f"create table dim_account as {novacrm_base.DIM_ACCOUNT}")
        tables = ledger.revenue_tables(con, opening="new")
        con.execute(novacrm_health.HEALTH, {"include_churned": include_churned, "population": population})
        tables["dim_account"] = con.execute("from dim_account order by account_id").df()
        tables["fct_tickets"] = con.execute(novacrm_support.FCT_TICKETS).df()
        tables["fct_usage"] = con.execute(novacrm_support.FCT_USAGE).df()
        tables["sla_adherence"] = con.execute(novacrm_support.SLA_ADHERENCE).df()
        tables["customer_health_scores"] = con.execute(f"select {HEALTH_COLUMNS} from health order by account_id").df()
        tables["churn_risk_view"] = con.execute(novacrm_health.CHURN_RISK).df()
        return tables
    finally:
        con.close()
