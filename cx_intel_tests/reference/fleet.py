"""fleet: every figure from customers.csv, customer_health_signals.csv (wide) and monthly_mrr.csv.

    compute(folder, as_of=date(2024, 12, 31), include_churned=False)

The MRR history is handled in SQL (ledger.py, opening 'balance'), health and renewals in exact fractions
(fleet_health, fleet_renewals). All amounts are taken as EUR: the files name no currency.

READING: the MRR of an account now is its contract's amount (customers.csv: mrr, in force from
contract_start_date, no end); the ledger only says who has churned, what moved, and what NRR was. A
contract starting after as_of gives 0.
READING: `is_churned` needs MRR in some month up to the horizon and none in the horizon month. The file's
own `churned` flag, `expansion_mrr_3m`, `months_to_renewal` and `tenure_months` are not read: they are
defined otherwise.
READING: with include_churned the churned are kept with their contract's amount in every population and
roll-up; the waterfall is the ledger's and does not change.
READING: signals count when their as_of_date is <= as_of (no staleness limit is given for them).
"""

from __future__ import annotations

from datetime import date
from fractions import Fraction
from pathlib import Path
from typing import Any

import duckdb
import pandas as pd

from . import fleet_health, fleet_renewals, ledger
from .fleet_health import MODEL, round_half_up

F = Fraction
SIGNALS = tuple(s.name for _, signals in MODEL.values() for s in signals)

# READING: the horizon is the earlier of the last complete month and the last month with a row, whatever its
# amount.
LEDGER = """
create table raw as select * from read_csv($path, all_varchar = true, header = true);
create table typed as
select trim(customer_id) as account_id, cast(date_trunc('month', cast(month as date)) as date) as month,
       cast(mrr as decimal(18, 2)) as mrr
from raw where cast(month as date) <= cast($as_of as date);
create table horizon as
select least(cast(date_trunc('month', cast($as_of as date) + 1) - interval 1 month as date), max(month))
    as month
from typed;
create table ledger as
select account_id, month, mrr from typed where mrr > 0 and month <= (select month from horizon)
"""

EXPANSION = """
select account_id, sum(expansion_mrr) as expansion
from fct_revenue, horizon h
where revenue_month between cast(h.month - interval 2 month as date) and h.month
group by account_id
"""


def _read(path: Path) -> list[dict[str, str]]:
    frame = pd.read_csv(path, dtype=str, keep_default_na=False)
    return [{str(k): str(v).strip() for k, v in row.items()} for row in frame.to_dict("records")]


def _accounts(folder: Path, as_of: date) -> list[dict[str, Any]]:
    """One dict per customer: attributes, contract amount, measured values (None where the cell is empty)."""
    measured = {
        row["customer_id"]: row
        for row in _read(folder / "customer_health_signals.csv")
        if date.fromisoformat(row["as_of_date"]) <= as_of
    }
    accounts = []
    for row in _read(folder / "customers.csv"):
        cells = measured.get(row["customer_id"], {})
        started = date.fromisoformat(row["contract_start_date"]) <= as_of
        mrr = round_half_up(F(row["mrr"]), 2) if started else F(0)
        accounts.append(
            {
                "account_id": row["customer_id"],
                "segment": row["segment"],
                "country": row["country"],
                "industry": row["industry"],
                "legacy_system": row["legacy_system"],
                "products": [p.strip() for p in row["products"].split("|") if p.strip()],
                "contract_start_date": date.fromisoformat(row["contract_start_date"]),
                "given_renewal_date": date.fromisoformat(row["renewal_date"]),
                "current_mrr": mrr,
                "current_arr": 12 * mrr,
                "values": {name: F(cells[name]) if cells.get(name) else None for name in SIGNALS},
            }
        )
    return sorted(accounts, key=lambda a: str(a["account_id"]))


def _revenue(
    folder: Path, as_of: date, segments: pd.DataFrame
) -> tuple[dict[str, pd.DataFrame], set[str], dict[str, Fraction]]:
    """The revenue tables, who has churned, and the expansion of the last three months per account."""
    con = duckdb.connect(":memory:")
    try:
        con.register("segments_frame", segments)
        con.execute("create table account_segment as select account_id, segment from segments_frame")
        parameters = {"path": str(folder / "monthly_mrr.csv"), "as_of": as_of.isoformat()}
        for statement in LEDGER.split(";"):
            used = {k: v for k, v in parameters.items() if f"${k}" in statement}
            con.execute(statement, used or None)
        tables = ledger.revenue_tables(con, opening="balance")
        churned = con.execute(
            "select account_id from ledger group by 1 having max(month) < (select month from horizon)"
        ).fetchall()
        expansion = {account: F(str(amount)) for account, amount in con.execute(EXPANSION).fetchall()}
        return tables, {row[0] for row in churned}, expansion
    finally:
        con.close()


def compute(folder: Path, as_of: date = date(2024, 12, 31), include_churned: bool = False) -> dict[str, pd.DataFrame]:
    """All tables by name, as known at the end of as_of."""
    folder = Path(folder)
    everyone = _accounts(folder, as_of)
    segments = pd.DataFrame([{"account_id": a["account_id"], "segment": a["segment"]} for a in everyone])
    tables, churned, expansion = _revenue(folder, as_of, segments)
    population = []
    for a in everyone:
        a["is_churned"] = a["account_id"] in churned
        a["expansion_potential_arr"] = 12 * expansion.get(a["account_id"], F(0))
        if a["current_mrr"] > 0 and (include_churned or not a["is_churned"]):
            a["health"] = fleet_health.score_account(a["values"], a["products"])
            fleet_renewals.add_renewal(a, as_of)
            population.append(a)
    listed = fleet_renewals.rank_interventions(population)
    tables["dim_account"] = pd.DataFrame(
        [
            {
                "account_id": a["account_id"],
                "segment": a["segment"],
                "country": a["country"],
                "industry": a["industry"],
                "legacy_system": a["legacy_system"],
                "current_mrr": float(a["current_mrr"]),
                "current_arr": float(a["current_arr"]),
                "is_churned": a["is_churned"],
                "first_subscription_date": a["contract_start_date"],
                "renewal_date": fleet_renewals.roll_forward(a["given_renewal_date"], as_of)[0],
            }
            for a in everyone
        ]
    )
    tables |= fleet_health.health_tables(population)
    tables["renewal_pipeline"] = fleet_renewals.pipeline(population, as_of)
    tables["cs_intervention_list"] = fleet_renewals.interventions(listed, as_of)
    tables["nrr_outlook"] = fleet_renewals.outlook(population, as_of)
    for attribute in ("segment", "country", "legacy_system"):
        tables[f"{attribute}_health_summary"] = fleet_renewals.rollup(population, attribute, as_of)
    return tables
