"""A book of a dozen accounts, in all the tables that reports read, made directly: nothing here is computed by models.

The figures are simple enough to be worked by hand: every account has 1,200 ARR, two of three are healthy. For tables of
single subjects with hostile names see `report_tables.py`.
"""

from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

from cx_intel.contracts.catalog import tables_of
from cx_intel.reports.data.reading import read_report_data
from cx_intel.reports.data.report_data import ReportData
from cx_intel.settings.portfolio import Portfolio
from cx_intel.warehouse.duckdb.opening import reading
from cx_intel.warehouse.duckdb.warehouse import DuckDBWarehouse
from cx_intel_tests.helpers.builders import AS_OF
from cx_intel_tests.helpers.report_tables import fill

SCRIPT = "<script>alert(1)</script>"
NAMES = (
    SCRIPT,
    "</script><img src=x onerror=alert(2)>",
    "<!-- comment",
    "Line\u2028Separator AG",
    '"Quoted" & Söhne GmbH',
    '=HYPERLINK("http://x.example")',
    "${alert(3)} {{ 7 * 7 }}",
    "Alpha GmbH",
    "Beta AG",
    "Gamma KG",
    "Delta SA",
    "Ümläut 東京 Ltd",
)
SEGMENTS = ("SMB", "Mid-Market", "Enterprise")
COUNTRIES = ("DE", "AT", "CH")
OWNERS = ("Ada Owner", "Ben Owner")
MONTHS = 15
MADE_AT = datetime(2025, 2, 1, 6, 30, tzinfo=UTC)
Rows = list[dict[str, Any]]


def book_of(path: Path, of: Portfolio, names: Iterable[str] = NAMES, *, frozen: bool = False) -> ReportData:
    """The book of a portfolio, out of a warehouse file that is made here."""
    fill(path, of, book_tables(of, list(names), frozen=frozen))
    return read_book(path, of)


def read_book(path: Path, of: Portfolio, as_of: date = AS_OF) -> ReportData:
    with reading(path) as database:
        return read_report_data(DuckDBWarehouse(database, of.name), of, as_of, MADE_AT)


def book_tables(of: Portfolio, names: list[str], *, frozen: bool = False) -> dict[str, Rows]:
    """The rows of every table that reports of the portfolio read, as of AS_OF and a week before."""
    known = set(tables_of(of))
    accounts = [_account(n, name) for n, name in enumerate(names)]
    made: dict[str, Rows] = {
        "account_snapshot": [row | {"as_of": day} for day in (AS_OF - timedelta(days=7), AS_OF) for row in accounts],
        "dim_account": [_dim(row) for row in accounts],
        "fct_revenue": [_revenue(row, month) for row in accounts for month in months(MONTHS)],
        "nrr_summary": [_summary(month, n) for n, month in enumerate(months(MONTHS))] if accounts else [],
        "nrr_by_segment": [
            {"segment": s} | _summary(month, n) for n, month in enumerate(months(MONTHS)) for s in SEGMENTS
        ]
        if accounts
        else [],
        "revenue_cohort_analysis": _cohorts() if accounts else [],
        "quarantine": [
            {
                "as_of": AS_OF,
                "source_table": "accounts",
                "source_file": "a.csv",
                "row_number": 3,
                "occurrence": 1,
                "reason": "no account_id",
                "raw_row": SCRIPT,
            }
        ]
        if accounts
        else [],
    }
    if of.health:
        made |= _health(of, accounts, frozen=frozen)
    if of.renewals:
        made |= _renewals(accounts, of)
    if "fct_tickets" in known:
        made |= _tickets(accounts)
    if "churn_risk_view" in known:
        made["churn_risk_view"] = [_churn(row, n) for n, row in enumerate(accounts)]
    return {table: rows for table, rows in made.items() if table in known}


def months(count: int) -> list[date]:
    """The first days of the months up to that of AS_OF."""
    found = [AS_OF.replace(day=1)]
    while len(found) < count:
        found.append((found[-1] - timedelta(days=1)).replace(day=1))
    return found[::-1]


def _account(n: int, name: str) -> dict[str, Any]:
    return {
        "as_of": AS_OF,
        "account_id": f"c{n}",
        "account_name": name,
        "segment": SEGMENTS[n % 3],
        "country": COUNTRIES[n % 3],
        "owner": OWNERS[n % 2],
        "industry": "transport",
        "status": "active",
        "signup_date": date(2023, 1, 1),
        "current_mrr": 100,
        "current_arr": 1200,
        "is_churned": False,
    }


def _dim(row: dict[str, Any]) -> dict[str, Any]:
    figures = {
        "lifetime_tickets": 4,
        "open_tickets": 1,
        "avg_csat": 4.5,
        "avg_resolution_hours": 12.0,
        "sla_breaches": 1,
    }
    return {key: value for key, value in row.items() if key != "as_of"} | figures


def _revenue(row: dict[str, Any], month: date) -> dict[str, Any]:
    is_new = month == months(MONTHS)[-1] and row["account_id"] == "c1"
    return {
        "account_id": row["account_id"],
        "revenue_month": month,
        "mrr": 100,
        "previous_mrr": 0 if is_new else 100,
        "revenue_movement": "new" if is_new else "flat",
        "net_mrr_change": 100 if is_new else 0,
    }


def _summary(month: date, n: int) -> dict[str, Any]:
    full = n >= 12
    return {
        "revenue_month": month,
        "starting_mrr": 1200,
        "new_mrr": 100,
        "reactivation_mrr": 0,
        "expansion_mrr": 50,
        "contraction_mrr": 20,
        "churned_mrr": 130,
        "ending_mrr": 1200,
        "ending_arr": 14400,
        "nrr_pct": 91.7,
        "grr_pct": 87.5,
        "nrr_trailing_3m_pct": 92.0 if n >= 3 else None,
        "grr_trailing_3m_pct": 88.0 if n >= 3 else None,
        "nrr_ttm_pct": 97.25 + n / 10 if full else None,
        "grr_ttm_pct": 90.5 if full else None,
        "paying_accounts": 12,
        "churned_accounts": 1,
        "logo_churn_pct": 8.3,
        "mrr_growth_pct": 0.0,
        "quick_ratio": 1.0,
        "arpa": 100.0,
    }


def _cohorts() -> Rows:
    found = []
    for start, month in enumerate(months(MONTHS)):
        for since in range(MONTHS - start):
            left = max(100 - 5 * since, 40)
            found.append(
                {
                    "cohort_month": month,
                    "segment": "all",
                    "months_since_start": since,
                    "initial_accounts": 20,
                    "initial_mrr": 2000,
                    "active_accounts": left // 5,
                    "cohort_mrr": 20 * left,
                    "account_retention_pct": float(left),
                    "revenue_retention_pct": float(left),
                }
            )
    return found


def tier_of(of: Portfolio, n: int) -> tuple[str, float]:
    """The tier and score of the n-th account: every third is in the lowest tier."""
    assert of.health is not None
    levels = of.health.tiers.levels
    return (levels[-1].name, 15.0) if n % 3 == 0 else (levels[0].name, 90.0)


def _health(of: Portfolio, accounts: Rows, *, frozen: bool) -> dict[str, Rows]:
    assert of.health is not None
    scores, drivers, changes, moved = [], [], [], []
    signals = list(of.health.signals.items())
    week = AS_OF - timedelta(days=7)
    for n, row in enumerate(accounts):
        tier, score = tier_of(of, n)
        known = {k: row[k] for k in row if k not in ("as_of", "is_churned", "signup_date")}
        base = known | {
            "confirmed_tier": tier,
            "is_frozen": frozen,
            "coverage_pct": 100.0,
            "model_version": of.health.version,
            "is_healthy": score > 50,
        }
        scores.append(base | {"as_of": AS_OF, "health_tier": tier, "health_score": score})
        scores.append(base | {"as_of": week, "health_tier": tier, "health_score": score + 5})
        for order, (signal, declared) in enumerate(signals):
            drivers.append(
                {
                    "as_of": AS_OF,
                    "account_id": row["account_id"],
                    "dimension": "all",
                    "signal": signal,
                    "signal_order": order,
                    "label": declared.label,
                    "unit": declared.unit,
                    "benchmark": 80.0,
                    "value": 1234.5,
                    "signal_score": score,
                    "is_applicable": True,
                    "is_measured": True,
                    "is_stale": frozen and order == 0,
                    "weight": 1 / len(signals),
                    "points": score / len(signals),
                    "points_lost": (100 - score) / len(signals),
                }
            )
        compared = {"account_id": row["account_id"], "as_of": AS_OF, "compared_as_of": week}
        changes.append(
            compared
            | {
                "health_score_change": -5.0,
                "tier_from": tier,
                "tier_to": tier,
                "score_from": score + 5,
                "score_to": score,
            }
        )
        moved.append(compared | {"signal": signals[0][0], "points_change": -5.0, "value_from": 10.0, "value_to": 5.0})
    return {
        "customer_health_scores": scores,
        "health_score_drivers": drivers,
        "health_score_changes": changes,
        "health_score_change_drivers": moved,
    }


def _renewals(accounts: Rows, of: Portfolio) -> dict[str, Rows]:
    pipeline, listed = [], []
    for n, row in enumerate(accounts):
        tier, score = tier_of(of, n)
        unwell = n % 3 == 0
        both = {
            "as_of": AS_OF,
            **{k: row[k] for k in ("account_id", "account_name", "segment", "country", "owner", "current_arr")},
            "health_score": score,
            "health_tier": tier,
            "renewal_risk": "Critical" if unwell else "Low",
            "renewal_date": AS_OF + timedelta(days=10 + n),
            "days_to_renewal": 10 + n,
            "expected_arr_loss": 840 if unwell else 96,
            "recommended_playbook": "Executive call" if unwell else "Automated renewal",
        }
        pipeline.append(
            both
            | {
                "current_mrr": 100,
                "is_healthy": not unwell,
                "is_overdue": False,
                "is_within_window": True,
                "months_to_renewal": 1,
                "renewal_probability": 0.3 if unwell else 0.92,
                "expected_renewal_arr": 360 if unwell else 1104,
                "exposed_arr": 1200 if unwell else 0,
                "expansion_potential_arr": 0,
            }
        )
        if unwell:
            listed.append(
                both
                | {
                    "priority_rank": len(listed) + 1,
                    "primary_risk_signal": "GPS adoption 22 % (benchmark 80 %)",
                    "due_date": AS_OF + timedelta(days=3),
                    "save_rate": 0.35,
                    "is_within_capacity": len(listed) < 3,
                }
            )
    scenarios = {"all_renew": 100.0, "expected_no_action": 96.0, "expected_with_playbooks": 97.0, "worst_case": 93.0,
                 "simulated_p10": 94.0, "simulated_p50": 96.0, "simulated_p90": 98.0}  # fmt: skip
    outlook = [
        {
            "as_of": AS_OF,
            "segment": segment,
            "scenario": scenario,
            "renewals_due": len(accounts),
            "starting_mrr": 1200,
            "ending_mrr": 12 * rate,
            "nrr_pct": rate,
            "book_starting_mrr": 1200,
            "book_nrr_pct": rate,
        }
        for segment in (("all", *SEGMENTS) if accounts else ())
        for scenario, rate in scenarios.items()
    ]
    return {"renewal_pipeline": pipeline, "cs_intervention_list": listed, "nrr_outlook": outlook}


def _tickets(accounts: Rows) -> dict[str, Rows]:
    tickets = [
        {
            "ticket_id": f"t{row['account_id']}",
            "account_id": row["account_id"],
            "priority": "p1",
            "category": "bug",
            "status": "open",
            "created_at": datetime(2025, 1, 30, 12),
            "created_date": date(2025, 1, 30),
            "ticket_month": date(2025, 1, 1),
            "sla_target_hours": 4.0,
            "is_sla_breach": True,
            "is_open_breach": True,
            "account_owner": row["owner"],
        }
        for row in accounts
    ]
    adherence = [
        {
            "ticket_month": month,
            "dimension_type": kind,
            "dimension_value": value,
            "total_tickets": 10,
            "resolved_tickets": 8,
            "sla_breaches": 2,
            "within_sla": 6,
            "unjudged_tickets": 0,
            "unresolved_tickets": 2,
            "open_breaches": 1,
            "sla_adherence_pct": 75.0,
            "adherence_incl_open_pct": 66.7,
            "avg_resolution_hours": 10.0,
            "median_resolution_hours": 8.0,
            "p90_resolution_hours": 30.0,
            "avg_csat": 4.1,
        }
        for month in (months(MONTHS) if accounts else ())
        for kind, values in (("priority", ("p1", "p2")), ("segment", SEGMENTS))
        for value in values
    ]
    return {"fct_tickets": tickets, "sla_adherence": adherence}


def _churn(row: dict[str, Any], n: int) -> dict[str, Any]:
    return {
        "as_of": AS_OF,
        **{k: row[k] for k in ("account_id", "account_name", "segment", "owner", "current_arr")},
        "health_score": 15.0,
        "usage_change_pct": -60.0,
        "escalated_tickets_90d": 2,
        "contraction_months_6m": 0,
        "is_low_health": True,
        "is_usage_declining": True,
        "has_escalations": True,
        "has_revenue_contraction": False,
        "risk_level": "high",
        "risk_signal_count": 3,
        "intervention_priority": n + 1,
    }
