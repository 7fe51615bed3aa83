"""When each account renews, how likely, and what that is worth: `renewal_pipeline`.

Who is called first and what is done about it is in `actions.py`, what becomes of NRR in `outlook.py`. The
definitions are argued under Renewals in the metric definitions.
"""

from datetime import date
from decimal import Decimal
from typing import Any

import ibis
import ibis.expr.types as ir

from cx_intel.contracts.contract import MONEY, conform
from cx_intel.contracts.erased import is_erased
from cx_intel.contracts.health.scores import UNKNOWN
from cx_intel.contracts.renewals import pipeline as contracts
from cx_intel.contracts.renewals.pipeline import PIPELINE_DAYS, WINDOW_DAYS
from cx_intel.models.expressions.anniversaries import months_later, months_to_reach, months_until
from cx_intel.models.expressions.conditions import first_match, holds
from cx_intel.models.expressions.literals import number
from cx_intel.models.expressions.months import month_index
from cx_intel.models.renewals.actions import playbook_columns
from cx_intel.models.revenue.account_mrr import NO_MONEY
from cx_intel.models.revenue.in_force import in_force, is_contract
from cx_intel.settings.portfolio import Portfolio
from cx_intel.settings.renewals import RISK_LEVELS, RenewalSettings

DEFAULT_TERM_MONTHS = 12
UNMATCHED_RISK = "Medium"
EXACT = "decimal(20, 6)"
"""Wide enough for an amount times a probability on every engine."""


def renewal_dates(subscription_periods: ir.Table, *, portfolio: Portfolio, as_of: date) -> ir.Table:
    """The next renewal of every account with a contract, ended ones included.

    Grain: account_id. Only what had started by `as_of` counts; trials and subscriptions that end before they
    start are no contracts. The date is the earliest that the subscriptions in force give, each already past
    being rolled forward by the term while the account pays; else the first anniversary, by the term, of the
    earliest start (of the main product, where the portfolio names one).

    Columns: account_id; renewal_date (null: no contract of the main product); is_overdue (a given date had
    passed while the account pays; null with the date).
    """
    renewals = portfolio.renewals
    term = renewals.term_months if renewals else DEFAULT_TERM_MONTHS
    main_product = renewals.main_product if renewals else None
    s = subscription_periods
    known = s.filter(s.start_date <= as_of, is_contract(s))
    judged = known.mutate(
        is_in_force=in_force(known, as_of),
        is_main=ibis.coalesce(known.product_name == main_product, False) if main_product else ibis.literal(True),
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
        given_date=ibis.ifelse(paid.is_in_force, ibis.ifelse(is_past, rolled, paid.renewal_date), ibis.null("date")),
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


def renewal_pipeline(
    account_snapshot: ir.Table,
    customer_health_scores: ir.Table,
    churn_risk_view: ir.Table,
    account_signals: ir.Table,
    fct_revenue: ir.Table,
    *,
    portfolio: Portfolio,
    as_of: date,
) -> ir.Table:
    """The paying accounts that renew within 270 days: when, how likely, what is at stake, and what to do.

    Grain: as_of, account_id. Reads the accounts, scores, risk levels and signals of `as_of`; `fct_revenue`
    only to the horizon. An account that pays and is outside the health population has tier `unknown` and no
    score.

    Columns: see the contract; a null health_score says that the account is outside the health population, a
    null is_healthy that the tier is unknown.

    Always true: expected_parts_sum_to_arr, exposed_when_not_healthy_and_due, unknown_is_medium,
    days_lead_to_the_date.

    Raises:
        KeyError: A rule or playbook names what is neither a column, an attribute nor a signal.
    """
    renewals = renewal_settings(portfolio)
    facts = _facts(
        account_snapshot,
        customer_health_scores,
        churn_risk_view,
        account_signals,
        fct_revenue,
        portfolio=portfolio,
    )
    days = facts.renewal_date.delta(ibis.literal(as_of), unit="day")
    due = facts.mutate(days_to_renewal=days.cast("int64")).filter(
        (facts.renewal_date >= as_of) & (days <= PIPELINE_DAYS)
    )
    timed = due.mutate(
        as_of=ibis.literal(as_of),
        is_overdue=ibis.coalesce(due.is_overdue, False),
        months_to_renewal=months_until(as_of, due.renewal_date),
        is_within_window=due.days_to_renewal <= WINDOW_DAYS,
    )
    judged = timed.mutate(renewal_risk=_risk(timed, portfolio=portfolio))
    probability = {level: Decimal(str(renewals.probability[level])) for level in RISK_LEVELS}
    priced = judged.mutate(
        renewal_probability=_by_risk(judged, {k: number(float(v)) for k, v in probability.items()}),
        expected_renewal_arr=_cents(
            judged.current_arr.cast(EXACT)
            * _by_risk(judged, {k: ibis.literal(v, EXACT) for k, v in probability.items()})
        ),
        exposed_arr=ibis.ifelse(is_at_risk(judged), judged.current_arr, NO_MONEY),
    )
    lost = priced.mutate(expected_arr_loss=(priced.current_arr - priced.expected_renewal_arr).cast(MONEY))
    return conform(
        playbook_columns(lost, _fields(lost, portfolio), portfolio=portfolio),
        contracts.renewal_pipeline(portfolio),
    )


def book(account_snapshot: ir.Table, *, portfolio: Portfolio) -> ir.Table:
    """The accounts that pay, without the churned unless the portfolio includes them."""
    return account_snapshot.filter(is_in_book(account_snapshot, portfolio=portfolio))


def is_in_book(accounts: Any, *, portfolio: Portfolio) -> Any:
    """The rule of `book`, for a table of Ibis or a frame of pandas; an erased account is in the ledger alone."""
    pays = (accounts.current_mrr > 0) & ~is_erased(accounts.account_id)
    return pays if portfolio.include_churned else pays & ~accounts.is_churned.isin([True])


def is_at_risk(pipeline: ir.Table) -> ir.BooleanValue:
    """Not healthy, by a known tier, and renewing within the window; what `exposed_arr` counts."""
    return ibis.coalesce(~pipeline.is_healthy, False) & pipeline.is_within_window


def expansion_potential(account_snapshot: ir.Table, fct_revenue: ir.Table) -> ir.Table:
    """12 x the ledger's expansion of the last three months to the horizon, of the accounts that had any."""
    revenue = fct_revenue.select("account_id", "revenue_month", "expansion_mrr")
    joined = revenue.inner_join(account_snapshot.select("account_id", "horizon_month"), "account_id")
    months_ago = month_index(joined.horizon_month) - month_index(joined.revenue_month)
    recent = joined.filter((months_ago >= 0) & (months_ago < 3))
    return recent.group_by("account_id").agg(expansion_potential_arr=(recent.expansion_mrr.sum() * 12).cast(MONEY))


def _facts(
    account_snapshot: ir.Table,
    customer_health_scores: ir.Table,
    churn_risk_view: ir.Table,
    account_signals: ir.Table,
    fct_revenue: ir.Table,
    *,
    portfolio: Portfolio,
) -> ir.Table:
    """Accounts of the book with what rules and playbooks may ask of them; signals are named by `_signal`."""
    signals = account_signals.group_by("account_id").agg(
        **{
            _signal(name): account_signals.value.max(where=account_signals.signal == name)
            for name in (portfolio.health.signals if portfolio.health else {})
        }
    )
    scores = customer_health_scores.select("account_id", "health_score", "health_tier", "is_healthy")
    risk = churn_risk_view.select("account_id", "risk_level")
    expansion = expansion_potential(account_snapshot, fct_revenue)
    joined = book(account_snapshot, portfolio=portfolio)
    for more in (scores, risk, signals, expansion):
        joined = joined.left_join(more, "account_id").drop("account_id_right")
    return joined.mutate(
        health_tier=ibis.coalesce(joined.health_tier, UNKNOWN),
        expansion_potential_arr=ibis.coalesce(joined.expansion_potential_arr, NO_MONEY),
    )


def _signal(name: str) -> str:
    return f"signal__{name}"


def _fields(table: ir.Table, portfolio: Portfolio) -> dict[str, ir.Value]:
    """What conditions may name: the table's columns, and the signals that no column hides."""
    prefix = _signal("")
    signals = {name: table[_signal(name)] for name in (portfolio.health.signals if portfolio.health else {})}
    return signals | {name: table[name] for name in table.columns if not name.startswith(prefix)}


def _risk(table: ir.Table, *, portfolio: Portfolio) -> ir.StringValue:
    fields = _fields(table, portfolio)
    cases = [(holds(case.if_, fields), case.risk) for case in renewal_settings(portfolio).risk]
    return first_match([(table.health_tier == UNKNOWN, UNMATCHED_RISK), *cases], UNMATCHED_RISK)


def _by_risk(table: ir.Table, values: dict[str, ir.NumericValue]) -> ir.NumericValue:
    return first_match([(table.renewal_risk == level, value) for level, value in values.items()], None)


def _cents(amount: ir.DecimalValue) -> ir.DecimalValue:
    """Rounded half up; amounts are not negative."""
    return amount.round(2).cast(MONEY)


def renewal_settings(portfolio: Portfolio) -> RenewalSettings:
    """The portfolio's `renewals` block. Raises ValueError when it has none."""
    if portfolio.renewals is None:
        raise ValueError(f"portfolio {portfolio.name} has no `renewals` block")
    return portfolio.renewals
