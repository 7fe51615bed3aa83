"""A book of a dozen accounts, in all the tables that reports read, made directly: nothing here is computed by models.

The figures are simple enough to be worked by hand: every account has 1,200 ARR, two of three are healthy. For tables of
single subjects with hostile names see `report_tables.py`.
"""

from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

from cx_intel.contracts.catalog import tables_of
from cx_intel.reports.data.reading import read_report_data
from cx_intel.reports.data.report_data import ReportData
from cx_intel.settings.labels import worded
from cx_intel.settings.portfolio import Portfolio
from cx_intel.warehouse.duckdb.access.opening import reading
from cx_intel.warehouse.duckdb.warehouse import DuckDBWarehouse
from cx_intel_tests.helpers.builders import AS_OF
from cx_intel_tests.helpers.report_rows import (
    MONTHS,
    SCRIPT,
    SEGMENTS,
    Rows,
    account_row,
    churn_row,
    cohort_rows,
    dim_row,
    months,
    revenue_row,
    summary_row,
    tier_of,
)
from cx_intel_tests.helpers.report_tables import fill

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
MADE_AT = datetime(2025, 2, 1, 6, 30, tzinfo=UTC)


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
    accounts = [account_row(n, name) for n, name in enumerate(names)]
    made: dict[str, Rows] = {
        "account_snapshot": [
            row | {"as_of": day, "announced_contraction_90d_mrr": 0}
            for day in (AS_OF - timedelta(days=7), AS_OF)
            for row in accounts
        ],
        "dim_account": [dim_row(row) for row in accounts],
        "fct_revenue": [revenue_row(row, month) for row in accounts for month in months(MONTHS)],
        "nrr_summary": [summary_row(month, n) for n, month in enumerate(months(MONTHS))] if accounts else [],
        "nrr_by_segment": [
            {"segment": s} | summary_row(month, n) for n, month in enumerate(months(MONTHS)) for s in SEGMENTS
        ]
        if accounts
        else [],
        "revenue_cohort_analysis": cohort_rows() if accounts else [],
        "quarantine": [
            {
                "as_of": AS_OF,
                "source_table": "accounts",
                "source_file": "a.csv",
                "row_number": 3,
                "occurrence": 1,
                "reason": "currency: 'GBP' has no rate under currency.rates",
                "reason_parts": '[{"code": "no_rate", "column": "currency", "value": "GBP"}]',
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
        made["churn_risk_view"] = [churn_row(row, n) for n, row in enumerate(accounts)]
    return {table: rows for table, rows in made.items() if table in known}


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
                    "label": worded(declared.label),
                    "unit": worded(declared.unit),
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
        moved.append(
            compared
            | {"signal": signals[0][0], "cause": "measure", "points_change": -5.0, "value_from": 10.0, "value_to": 5.0}
        )
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
            "renewal_probability": 0.3 if unwell else 0.92,
            "probability_from": "map",
        }
        pipeline.append(
            both
            | {
                "current_mrr": 100,
                "announced_contraction_90d_mrr": 0,
                "is_healthy": not unwell,
                "map_probability": 0.3 if unwell else 0.92,
                "is_overdue": False,
                "is_within_window": True,
                "months_to_renewal": 1,
                "expected_renewal_arr": 360 if unwell else 1104,
                "exposed_arr": 1200 if unwell else 0,
                "expansion_potential_arr": 0,
                "save_rate": 0.35 if unwell else 0,
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
            "learned_renewals": 0,
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
