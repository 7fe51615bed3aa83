"""The rows of the book of `report_books.py`, account by account and month by month, and its words."""

from datetime import date, timedelta
from typing import Any

from cx_intel.settings.portfolio import Portfolio
from cx_intel_tests.helpers.builders import AS_OF

Rows = list[dict[str, Any]]
SCRIPT = "<script>alert(1)</script>"
SEGMENTS = ("SMB", "Mid-Market", "Enterprise")
COUNTRIES = ("DE", "AT", "CH")
OWNERS = ("Ada Owner", "Ben Owner")
MONTHS = 15


def months(count: int) -> list[date]:
    """The first days of the months up to that of AS_OF."""
    found = [AS_OF.replace(day=1)]
    while len(found) < count:
        found.append((found[-1] - timedelta(days=1)).replace(day=1))
    return found[::-1]


def account_row(n: int, name: str) -> dict[str, Any]:
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


def dim_row(row: dict[str, Any]) -> dict[str, Any]:
    figures = {
        "lifetime_tickets": 4,
        "open_tickets": 1,
        "avg_csat": 4.5,
        "avg_resolution_hours": 12.0,
        "sla_breaches": 1,
    }
    return {key: value for key, value in row.items() if key != "as_of"} | figures


def revenue_row(row: dict[str, Any], month: date) -> dict[str, Any]:
    is_new = month == months(MONTHS)[-1] and row["account_id"] == "c1"
    return {
        "account_id": row["account_id"],
        "revenue_month": month,
        "mrr": 100,
        "previous_mrr": 0 if is_new else 100,
        "revenue_movement": "new" if is_new else "flat",
        "net_mrr_change": 100 if is_new else 0,
    }


def summary_row(month: date, n: int) -> dict[str, Any]:
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


def cohort_rows() -> Rows:
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


def churn_row(row: dict[str, Any], n: int) -> dict[str, Any]:
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
