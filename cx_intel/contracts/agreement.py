"""What must agree about an account: CRM and ledger, contracts and ledger, MRR and ARR, signup and payments.

Rules over several sources belong here; columns and the rules of one table are in `core.py` beside this module. How rules
are checked: `cx_intel.orchestration.checks`.
"""

from collections.abc import Mapping

import ibis
import ibis.expr.types as ir

from cx_intel.contracts.contract import CrossInvariant, Invariant
from cx_intel.settings.portfolio import Portfolio

CHURNED_STATUSES = ("churned", "cancelled", "canceled", "lost", "terminated", "former", "closed")
PAYING_STATUSES = ("active", "customer", "live", "paying")

CRM_AGREES = (
    Invariant(
        "crm_churned_pays_nothing",
        f"An account that the CRM calls {', '.join(CHURNED_STATUSES)} pays no more.",
        lambda t: ~(ibis.coalesce(t.status.isin(CHURNED_STATUSES), False) & (t.current_mrr > 0) & ~t.is_churned),
        "It is in the book until the ledger ends: mend its status in the CRM, or end its contract in billing.",
        "warn",
        amount="current_arr",
    ),
    Invariant(
        "crm_customer_pays",
        f"An account that the CRM calls {', '.join(PAYING_STATUSES)} has not churned by the ledger.",
        lambda t: ~(ibis.coalesce(t.status.isin(PAYING_STATUSES), False) & t.is_churned),
        "It is outside the book: mend its status in the CRM, or look in billing for the contract that is missing.",
        "warn",
        amount="current_arr",
    ),
)


def ledger_agrees(portfolio: Portfolio) -> tuple[Invariant, ...]:
    """Where contracts and ledger come from different sources, they are held against each other."""
    if portfolio.revenue.basis == "subscriptions" or "subscriptions" not in portfolio.tables:
        return ()
    return (
        Invariant(
            "contract_agrees_with_ledger",
            "The contracts' MRR is the ledger's of the horizon month.",
            lambda t: t.ledger_mrr.isnull() | (t.current_mrr == t.ledger_mrr),
            "Often a change since the horizon month; else ask billing which of the two is right for these accounts.",
            "warn",
        ),
    )


ARR_IS_TWELVE_MRR = Invariant(
    "arr_is_twelve_mrr",
    "current_arr is 12 x the contracts' exact amounts: within 6 cents of 12 x current_mrr, which is rounded.",
    lambda t: (t.current_arr - t.current_mrr * 12).abs() <= 0.06,
    "A fault of the model, not of the data: report it.",
)


def _payers_before_signup(tables: Mapping[str, ir.Table]) -> ir.Table:
    """Accounts that sign up after the newest day and have MRR in a month that ended before it."""
    snapshot, history, ledger = tables["self"], tables["account_history"], tables["fct_revenue"]
    day = snapshot.agg(_day=snapshot.as_of.max())
    later = history.filter(history.valid_to.isnull()).select("account_id", "signup_date").cross_join(day)
    later = later.filter(later.signup_date > later["_day"])
    paid = ledger.filter(ledger.mrr > 0).select("account_id", "revenue_month", "mrr")
    pairs = later.inner_join(paid, "account_id")
    pairs = pairs.filter(pairs.revenue_month < pairs["_day"].truncate("M").cast("date"))
    return pairs.group_by(["account_id", "signup_date"]).agg(last_paid_month=pairs.revenue_month.max())


PAYERS_HAVE_SIGNED_UP = CrossInvariant(
    "payers_have_signed_up",
    "An account that has paid has a signup_date that is not after the day.",
    ("account_history", "fct_revenue"),
    _payers_before_signup,
    "Until that date these accounts are in the ledger and outside the book: mend their signup_date at the source, or map "
    "the day of their first contract.",
    "warn",
)
