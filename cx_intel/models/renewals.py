"""When each account renews, how likely, and what that is worth: `renewal_pipeline`.

Who is called first and what is done about it is in `actions.py`, what becomes of NRR in `outlook.py`. The definitions
are argued under Renewals in the metric definitions.
"""

from datetime import date

import ibis
import ibis.expr.types as ir

from cx_intel.models.anniversaries import months_later, months_to_reach
from cx_intel.settings.portfolio import Portfolio

DEFAULT_TERM_MONTHS = 12


def renewal_dates(stg_subscriptions: ir.Table, *, portfolio: Portfolio, as_of: date) -> ir.Table:
    """The next renewal of every account with a contract, ended ones included.

    Grain: account_id. Only what had started by `as_of` counts; trials and subscriptions that end before they start are
    no contracts. The date is the earliest that the subscriptions in force give, each already past being rolled forward
    by the term while the account pays; else the first anniversary, by the term, of the earliest start (of the main
    product, where the portfolio names one).

    Columns: account_id; renewal_date (null: no contract of the main product); is_overdue (a given date had passed while
    the account pays; null with the date).
    """
    renewals = portfolio.renewals
    term = renewals.term_months if renewals else DEFAULT_TERM_MONTHS
    main_product = renewals.main_product if renewals else None
    s = stg_subscriptions
    known = s.filter(
        s.start_date <= as_of,
        ibis.coalesce(s.status, "") != "trial",
        s.end_date.isnull() | (s.start_date < s.end_date),
    )
    judged = known.mutate(
        is_in_force=known.end_date.isnull() | (known.end_date > as_of),
        is_main=ibis.coalesce(known.product_name == main_product, False)
        if main_product
        else ibis.literal(True),
    )
    paid = judged.mutate(
        paid_mrr=judged.mrr_amount.sum(where=judged.is_in_force).over(ibis.window(group_by="account_id"))
    )
    is_past = (paid.renewal_date < as_of) & (paid.paid_mrr > 0)
    rolled = months_later(paid.renewal_date, months_to_reach(paid.renewal_date, as_of, step=term, at_least=0))
    dated = paid.select(
        "account_id",
        "start_date",
        "is_main",
        is_overdue=paid.is_in_force & ibis.coalesce(is_past, False),
        given_date=ibis.ifelse(
            paid.is_in_force, ibis.ifelse(is_past, rolled, paid.renewal_date), ibis.null("date")
        ),
    )
    accounts = dated.group_by("account_id").agg(
        given_date=dated.given_date.min(),
        overdue_contracts=dated.count(where=dated.is_overdue),
        first_start=dated.start_date.min(where=dated.is_main),
    )
    start = accounts.first_start
    anniversary = months_later(start, months_to_reach(start, as_of, step=term, at_least=term))
    renewal_date = ibis.coalesce(accounts.given_date, anniversary)
    return accounts.select(
        "account_id",
        renewal_date=renewal_date,
        is_overdue=ibis.ifelse(renewal_date.notnull(), accounts.overdue_contracts > 0, ibis.null("boolean")),
    )
