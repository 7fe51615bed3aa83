"""How likely each renewal is, and what that is worth: `renewal_pipeline`; and who is in the book.

When an account renews is decided in `dates.py`. Who is called first and what is done about it: `actions.py`; what
becomes of NRR: `outlook.py`. The definitions are argued under Renewals in the metric definitions.
"""

from datetime import date
from decimal import Decimal
from typing import Any

import ibis
import ibis.expr.types as ir

from cx_intel.contracts.contract import MONEY, conform
from cx_intel.contracts.erased import is_erased
from cx_intel.contracts.health.drivers import UNKNOWN
from cx_intel.contracts.renewals import pipeline as contracts
from cx_intel.contracts.renewals.learned import BETTER
from cx_intel.contracts.renewals.pipeline import ANNOUNCED, MAP, PIPELINE_DAYS, WINDOW_DAYS, is_at_risk
from cx_intel.models.expressions.anniversaries import months_until
from cx_intel.models.expressions.conditions import first_match, holds
from cx_intel.models.expressions.joins import beside
from cx_intel.models.expressions.literals import number
from cx_intel.models.expressions.months import month_index
from cx_intel.models.renewals.actions import EXACT, playbook_columns
from cx_intel.models.revenue.account_mrr import NO_MONEY
from cx_intel.settings.portfolio import Portfolio
from cx_intel.settings.renewals import CANCELLED, LEARNED, RISK_LEVELS, RenewalSettings

UNMATCHED_RISK = "Medium"


def renewal_pipeline(
    account_snapshot: ir.Table,
    customer_health_scores: ir.Table,
    churn_risk_view: ir.Table,
    account_signals: ir.Table,
    fct_revenue: ir.Table,
    renewal_probabilities: ir.Table,
    *,
    portfolio: Portfolio,
    as_of: date,
) -> ir.Table:
    """The paying accounts that renew or end within 270 days: when, how likely, what is at stake, and what to do.

    Grain: as_of, account_id. Reads the accounts, scores, risk levels and signals of `as_of`; `fct_revenue`
    only to the horizon. An account that pays and is outside the health population has tier `unknown` and no
    score. A cancelled account (all its contracts have an announced end) has risk Cancelled and probability 0. A
    date that has passed stays for `renewals.keep_overdue_days`, with negative days; so does an account whose term
    ended without a successor (`is_lapsed`), with its last MRR and outside the book. The probability is that of the map at
    the renewal risk; where the portfolio asks for the learnt one, the newest model is better than the map, and the renewal
    is due within 90 days, it is that of `renewal_probabilities`. `probability_from` says which.

    Columns: see the contract; a null health_score says that the account is outside the health population, a
    null is_healthy that the tier is unknown, a null learned_probability that none is asked for or known.

    Always true: expected_parts_sum_to_arr, exposed_when_at_risk_and_due, unknown_is_medium,
    days_lead_to_the_date, cancelled_is_lost, probability_is_of_its_source.

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
        (days >= -renewals.keep_overdue_days) & (days <= PIPELINE_DAYS)
    )
    timed = due.mutate(
        as_of=ibis.literal(as_of),
        is_overdue=ibis.coalesce(due.is_overdue, False),
        months_to_renewal=months_until(as_of, due.renewal_date),
        is_within_window=due.days_to_renewal <= WINDOW_DAYS,
    )
    judged = timed.mutate(renewal_risk=_risk(timed, portfolio=portfolio))
    likely = _with_probability(judged, renewal_probabilities, renewals)
    priced = likely.mutate(
        expected_renewal_arr=_cents(likely.current_arr.cast(EXACT) * likely["_exact_probability"]),
        exposed_arr=ibis.ifelse(is_at_risk(likely), likely.current_arr, NO_MONEY),
    )
    lost = priced.mutate(expected_arr_loss=(priced.current_arr - priced.expected_renewal_arr).cast(MONEY))
    return conform(
        playbook_columns(lost, _fields(lost, portfolio), portfolio=portfolio),
        contracts.renewal_pipeline(portfolio),
    )


def _with_probability(judged: ir.Table, renewal_probabilities: ir.Table, renewals: RenewalSettings) -> ir.Table:
    """With the probability of the map, the learnt one, the one that counts and where that is from."""
    by_map = {level: Decimal(str(renewals.probability_of(level))) for level in RISK_LEVELS}
    exact = _by_risk(judged, {level: ibis.literal(p, EXACT) for level, p in by_map.items()})
    rows = judged.mutate(
        map_probability=_by_risk(judged, {level: number(float(p)) for level, p in by_map.items()}), _exact_of_map=exact
    )
    learned = renewal_probabilities.select("account_id", "learned_probability", _verdict=renewal_probabilities.verdict)
    rows = beside(rows, learned, "account_id")
    rows = rows.mutate(
        learned_probability=ibis.ifelse(_is_uncertain(rows), rows.learned_probability, ibis.null("float64"))
    )
    is_used = rows.learned_probability.notnull() & (rows["_verdict"] == BETTER) & (renewals.probability_from == LEARNED)
    is_used = ibis.coalesce(is_used, ibis.literal(False))
    return rows.mutate(
        renewal_probability=ibis.ifelse(is_used, rows.learned_probability, rows.map_probability),
        probability_from=ibis.cases(
            (rows.renewal_risk == CANCELLED, ibis.literal(ANNOUNCED)), (is_used, ibis.literal(LEARNED)), else_=MAP
        ),
        _exact_probability=ibis.ifelse(is_used, rows.learned_probability.cast(EXACT), rows["_exact_of_map"]),
    )


def _is_uncertain(rows: ir.Table) -> ir.BooleanValue:
    """Of whom a probability is learnt: renewals within the window of accounts in the book that did not announce an end."""
    return rows.is_within_window & ~rows.is_lapsed & (rows.renewal_risk != CANCELLED)


def book(account_snapshot: ir.Table, *, portfolio: Portfolio) -> ir.Table:
    """The accounts that pay, without the churned unless the portfolio includes them."""
    return account_snapshot.filter(is_in_book(account_snapshot, portfolio=portfolio))


def is_in_book(accounts: Any, *, portfolio: Portfolio) -> Any:
    """The rule of `book`, for a table of Ibis or a frame of pandas; an erased account is in the ledger alone."""
    pays = (accounts.current_mrr > 0) & ~is_erased(accounts.account_id)
    return pays if portfolio.include_churned else pays & ~accounts.is_churned.isin([True])


def is_lapsed(accounts: Any, *, portfolio: Portfolio) -> Any:
    """Whether an account is outside the book only since its term ended without a successor, a short while ago."""
    has_ended = (accounts.lapsed_mrr > 0) & ~is_erased(accounts.account_id)
    return has_ended & ~is_in_book(accounts, portfolio=portfolio)


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
    """Accounts of the book, and lapsed ones, with what rules and playbooks may name; signals are named by `_signal`."""
    signals = account_signals.group_by("account_id").agg(
        **{
            _signal(name): account_signals.value.max(where=account_signals.signal == name)
            for name in (portfolio.health.signals if portfolio.health else {})
        }
    )
    scores = customer_health_scores.select("account_id", "health_score", "health_tier", "is_healthy")
    risk = churn_risk_view.select("account_id", "risk_level")
    expansion = expansion_potential(account_snapshot, fct_revenue)
    marked = account_snapshot.mutate(
        is_lapsed=is_lapsed(account_snapshot, portfolio=portfolio),
        is_booked=is_in_book(account_snapshot, portfolio=portfolio),
    )
    chosen = marked.filter(marked.is_lapsed | marked.is_booked)
    joined = chosen.mutate(
        current_mrr=ibis.ifelse(chosen.is_lapsed, chosen.lapsed_mrr, chosen.current_mrr),
        current_arr=ibis.ifelse(chosen.is_lapsed, (chosen.lapsed_mrr * 12).cast(MONEY), chosen.current_arr),
    )
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
    built_in = [(table.is_cancelled, CANCELLED), (table.health_tier == UNKNOWN, UNMATCHED_RISK)]
    return first_match([*built_in, *cases], UNMATCHED_RISK)


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
