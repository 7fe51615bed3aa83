"""Movements of MRR and answered tickets for the book of `report_books.py`, for what pages sum anew for chosen accounts.

Tables that are sums of these rows (`nrr_summary`, `sla_adherence` ...) stay as they are in the book: tests compare what a
page sums with the rows, not with those.
"""

from datetime import date, datetime, timedelta

from cx_intel_tests.helpers.report_rows import MONTHS, Rows, months

LEVELS = {
    1: {5: 150},  # expands
    2: {8: 60},  # contracts
    3: {10: 0},  # churns
    4: {6: 0, 11: 130},  # churns, and is back
    6: {0: 0, 7: 100},  # comes
}
"""Account: from which month on it pays what; the others pay 100 throughout."""


def moving_ledger(accounts: Rows) -> Rows:
    """`fct_revenue` of the accounts, with one of each movement."""
    found = []
    for n, account in enumerate(accounts):
        paid, before = False, 0
        for place, month in enumerate(months(MONTHS)):
            mrr = next(
                (level for since, level in sorted(LEVELS.get(n, {}).items(), reverse=True) if since <= place), 100
            )
            if mrr or before:
                found.append(_entry(account["account_id"], month, mrr, before, was_paid=paid))
            paid, before = paid or mrr > 0, mrr
    return found


def _entry(account: str, month: date, mrr: int, before: int, *, was_paid: bool) -> dict[str, object]:
    if before == 0:
        movement = "reactivation" if was_paid else "new"
    elif mrr == 0:
        movement = "churn"
    else:
        movement = "expansion" if mrr > before else "contraction" if mrr < before else "flat"
    return {
        "account_id": account,
        "revenue_month": month,
        "mrr": mrr,
        "arr": 12 * mrr,
        "previous_mrr": before,
        "restated_mrr": 0,
        "revenue_movement": movement,
        "expansion_mrr": mrr - before if movement == "expansion" else 0,
        "contraction_mrr": before - mrr if movement == "contraction" else 0,
        "net_mrr_change": mrr - before,
    }


def answered_tickets(accounts: Rows) -> Rows:
    """`fct_tickets`: two resolved ones of each account and month, some of them late, and those of the book still open."""
    found = []
    for n, account in enumerate(accounts):
        for place, month in enumerate(months(MONTHS)):
            for twin in (0, 1):
                hours = 1.5 + (n * 7 + place * 3 + twin * 11) % 20
                created = datetime(month.year, month.month, 3, 9)
                found.append(
                    {
                        "ticket_id": f"{account['account_id']}-{place}-{twin}",
                        "account_id": account["account_id"],
                        "priority": f"p{1 + twin}",
                        "sla_priority": f"p{1 + twin}",
                        "category": "bug",
                        "status": "resolved",
                        "created_at": created,
                        "created_date": created.date(),
                        "resolved_at": created + timedelta(hours=hours),
                        "ticket_month": month,
                        "resolution_hours": hours,
                        "sla_target_hours": 12.0,
                        "is_judged": True,
                        "is_sla_breach": hours > 12,
                        "is_open_breach": False,
                        "is_first_reply_judged": False,
                        "is_first_reply_breach": False,
                        "satisfaction_score": float(1 + (n + place) % 5) if twin else None,
                        "account_owner": account["owner"],
                        "account_segment": account["segment"],
                    }
                )
    return found
