"""The tables around renewals for tests: each row says what matters, the rest is an ordinary healthy customer.

Rows of any contract are made in `builders.py`. `broken` runs the rules of a contract on a table.
"""

from collections.abc import Iterable, Mapping
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import ibis
import ibis.expr.operations as ops
import ibis.expr.types as ir
import pyarrow as pa

from cx_intel.contracts.contract import Contract
from cx_intel.contracts.health.drivers import account_signals, health_score_drivers
from cx_intel.contracts.health.risk import churn_risk_view
from cx_intel.contracts.health.scores import customer_health_scores
from cx_intel.contracts.renewals import layer as contracts
from cx_intel.contracts.renewals.learned import renewal_probabilities
from cx_intel.contracts.revenue.ledger import fct_revenue
from cx_intel.contracts.staging.values import GROUPS, NO_VALUE
from cx_intel.models.renewals.pipeline import renewal_pipeline
from cx_intel.settings.labels import worded
from cx_intel.settings.portfolio import Portfolio
from cx_intel_tests.helpers.builders import AS_OF, accounts, fetched, kept, rows, shipped
from cx_intel_tests.helpers.made_once import kept_once

Row = Mapping[str, Any]


def days_from(days: int, start: date = AS_OF) -> date:
    return start + timedelta(days=days)


CONTRACT = {
    "subscription_id": "string",
    "account_id": "string",
    "product_name": "string",
    "mrr_amount": "decimal(18, 6)",
    "start_date": "date",
    "end_date": "date",
    "is_term": "boolean",
    "renewal_date": "date",
    "term_months": "int64",
    "is_in_force": "boolean",
}
"""What `renewal_dates` reads of a contract."""


def contracts_on(given: Iterable[Row], as_of: date = AS_OF) -> ir.Table:
    """Contracts as known on a day: of account a, 100 a month, from 31 January 2024, in force by their dates."""
    ordinary = {"account_id": "a", "mrr_amount": 100, "start_date": date(2024, 1, 31), "product_name": "gps_tracking"}
    listed = []
    for n, row in enumerate(given):
        filled = {"subscription_id": f"s{n}", "is_term": False} | ordinary | dict(row)
        ends = filled.get("end_date")
        filled.setdefault("is_in_force", filled["start_date"] <= as_of and (ends is None or ends > as_of))
        listed.append(
            {name: filled.get(name) for name in CONTRACT} | {"mrr_amount": Decimal(str(filled["mrr_amount"]))}
        )
    schema = ibis.schema(CONTRACT)
    return ibis.memtable(pa.Table.from_pylist(listed, schema=schema.to_pyarrow()), schema=schema)


def scores(of: Portfolio, given: Iterable[Row]) -> ir.Table:
    """customer_health_scores; `is_healthy` and `confirmed_tier` follow the tier unless given."""
    healthy = {level.name: level.is_healthy for level in of.health.tiers.levels} if of.health else {}
    filled = []
    for said in given:
        row = {"as_of": AS_OF, "current_mrr": 100, "current_arr": 1200, "health_score": 50.0} | dict(said)
        row.setdefault("is_healthy", healthy.get(row["health_tier"]))
        row.setdefault("confirmed_tier", row["health_tier"])
        filled.append(row)
    return rows(customer_health_scores(of), filled)


def signals(of: Portfolio, given: Mapping[str, Mapping[str, float | None]], as_of: date = AS_OF) -> ir.Table:
    """account_signals from {account: {signal: value}}."""
    listed = [
        {"as_of": as_of, "account_id": account, "signal": signal, "value": value}
        for account, values in given.items()
        for signal, value in values.items()
    ]
    return rows(account_signals(of), listed)


def drivers(of: Portfolio, given: Iterable[Row]) -> ir.Table:
    """health_score_drivers; labels and units are those of the portfolio."""
    filled = []
    for row in given:
        declared = of.health.signals[row["signal"]] if of.health else None
        filled.append(
            {
                "as_of": AS_OF,
                "label": worded(declared.label) if declared else "",
                "unit": worded(declared.unit) if declared else "",
                "is_measured": True,
                "points": 0.0,
                "points_lost": 0.0,
            }
            | dict(row)
        )
    return rows(health_score_drivers(of), filled)


def revenue(of: Portfolio, given: Iterable[Row] = ()) -> ir.Table:
    return rows(fct_revenue(of), given)


def no_churn_risk() -> ir.Table:
    """churn_risk_view of a portfolio without one."""
    return rows(churn_risk_view(shipped("novacrm")), [])


def nothing_learned(of: Portfolio) -> ir.Table:
    """renewal_probabilities without a model."""
    return rows(renewal_probabilities(of), [])


def pipeline_of(of: Portfolio, given: Iterable[Row], as_of: date = AS_OF) -> ir.Table:
    """What the model makes of accounts that may say their `health_tier`, `signals`, `risk_level` and what is `learned`."""
    asked = ("health_tier", "health_score", "signals", "risk_level", "learned")
    listed = [dict(row) for row in given]
    snapshot = accounts(
        of,
        [
            {"renewal_date": days_from(30, as_of), "is_overdue": False}
            | {k: v for k, v in row.items() if k not in asked}
            for row in listed
        ],
        as_of,
    )
    judged = [
        {k: row[k] for k in ("account_id", "health_tier", "health_score") if k in row} | {"as_of": as_of}
        for row in listed
        if "health_tier" in row
    ]
    levels = [
        {"as_of": as_of, "account_id": row["account_id"], "risk_level": row["risk_level"]}
        for row in listed
        if "risk_level" in row
    ]
    learned = [
        {"as_of": as_of, "account_id": row["account_id"], "verdict": row["learned"][0]}
        | {"learned_probability": row["learned"][1]}
        for row in listed
        if "learned" in row
    ]
    return kept_once(
        renewal_pipeline,
        snapshot,
        scores(of, judged),
        rows(churn_risk_view(shipped("novacrm")), levels),
        signals(of, {row["account_id"]: row.get("signals", {}) for row in listed}, as_of),
        revenue(of),
        rows(renewal_probabilities(of), learned),
        portfolio=of,
        as_of=as_of,
    )


def pipeline_rows(of: Portfolio, given: Iterable[Row]) -> ir.Table:
    """renewal_pipeline as given, for the models that read it: each row due in 30 days at High risk."""
    ordinary = {
        "as_of": AS_OF,
        "current_mrr": 100,
        "current_arr": 1200,
        "health_tier": "Amber",
        "is_healthy": False,
        "renewal_date": days_from(30),
        "days_to_renewal": 30,
        "is_within_window": True,
        "is_overdue": False,
        "is_cancelled": False,
        "is_lapsed": False,
        **dict.fromkeys(("announced_contraction_mrr", "announced_contraction_90d_mrr", "lapsed_mrr"), 0),
        **dict.fromkeys(GROUPS, NO_VALUE),
        "renewal_risk": "High",
        "renewal_probability": 0.55,
        "map_probability": 0.55,
        "probability_from": "map",
        "expected_arr_loss": 540,
        "exposed_arr": 1200,
        "recommended_playbook": "CSM-led health review",
        "due_in_days": 7,
        "save_rate": 0.3,
        "effort_hours": 1.0,
    }
    return rows(contracts.renewal_pipeline(of), [ordinary | dict(row) for row in given])


def broken(table: ir.Table, contract: Contract, **others: ir.Table) -> list[str]:
    """The rules of the contract that the table breaks: of its grain, columns, rows, and against others.

    Rules against a raw table are looked at only where it is given.
    """
    t = table if isinstance(table.op(), ops.InMemoryTable) else kept(table)
    wrong: dict[str, ir.BooleanValue] = {}
    for column in contract.columns:
        value = t[column.name]
        if not column.nullable:
            wrong[f"{column.name}: null"] = value.isnull()
        if column.accepted:
            wrong[f"{column.name}: accepted"] = value.notin(column.accepted)
        if column.minimum is not None:
            wrong[f"{column.name}: minimum"] = value < column.minimum
        if column.maximum is not None:
            wrong[f"{column.name}: maximum"] = value > column.maximum
    for rule in contract.invariants:
        wrong[rule.name] = ~ibis.coalesce(rule.holds(t), False)
    everything = {"self": t, **others}
    asked = [
        x for x in contract.cross_invariants if not any(t.startswith("raw_") and t not in others for t in x.tables)
    ]
    counts = {name: t.count(where=test) for name, test in wrong.items()}
    counts["grain"] = t.count() - t.select(*contract.grain).distinct().count().as_scalar()
    counts |= {x.name: x.broken(everything).count().as_scalar() for x in asked}
    (found,) = fetched(t.agg(**counts))
    return [name for name, count in found.items() if count]
