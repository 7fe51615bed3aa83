"""Accounts: what the CRM said and when, every account as it was known on a day, and the account dimension.

`account_snapshot` is the ground that every other snapshot stands on: whoever needs an attribute, MRR or renewal date
of an account at `as_of` reads it there. Renewal dates are worked out in `cx_intel.models.renewals.dates`, the ledger in
`cx_intel.models.revenue`.
"""

from datetime import date

import ibis
import ibis.expr.types as ir

from cx_intel.contracts import core as contracts
from cx_intel.contracts.contract import MONEY, conform
from cx_intel.contracts.staging.values import GROUPS, NO_VALUE, UNRESOLVED
from cx_intel.models.core.merged_accounts import earliest_signups
from cx_intel.models.expressions.conditions import first_match, holds
from cx_intel.models.expressions.joins import beside
from cx_intel.models.expressions.money import in_cents
from cx_intel.models.expressions.months import first_day, month_index
from cx_intel.models.expressions.statistics import exact_mean
from cx_intel.models.renewals.dates import contracts_on, renewal_dates
from cx_intel.models.revenue.account_mrr import NO_MONEY, SUM, a_year_of
from cx_intel.models.revenue.horizon import horizon_of, with_horizon
from cx_intel.models.subscriptions.in_force import in_force, is_contract
from cx_intel.models.support.judgement import judged_tickets, mean_rating
from cx_intel.settings.accounts import Rules
from cx_intel.settings.portfolio import Portfolio

DEFAULT_STAGES = Rules.model_validate(
    {
        "rules": [
            {"if": {"status": "trial"}, "value": "trial"},
            {"if": {"status": "churned"}, "value": "churned"},
            {"if": {"tenure_days": {"at_most": 90}}, "value": "onboarding"},
            {"if": {"tenure_days": {"at_most": 365}}, "value": "growing"},
        ],
        "else": "mature",
    }
)
"""Life stages of a portfolio that states none."""


ANNOUNCED = ("announced_contraction_mrr", "announced_contraction_90d_mrr", "lapsed_mrr")


def account_history(
    stg_accounts: ir.Table,
    stg_account_aliases: ir.Table | None = None,
    *,
    portfolio: Portfolio,
    as_of: date,
    previous: ir.Table,
) -> ir.Table:
    """What the CRM said about each account, with validity by load: `previous` carried on by the load of `as_of`.

    Grain: account_id, valid_from; valid_to is the first as_of that no longer holds. What an earlier run of the same day
    wrote is undone first, so that a day may be run again. An account that left the source is closed. One that others
    were merged into keeps the earliest day of signing up that was ever known of any of them.
    """
    contract = contracts.account_history(portfolio)
    day = ibis.literal(as_of)
    attributes = [c for c in contract.column_names if c not in ("account_id", "valid_from", "valid_to")]
    before = previous.filter(previous.valid_from < day)
    before = before.mutate(valid_to=ibis.cases((before.valid_to >= day, ibis.null("date")), else_=before.valid_to))
    closed, still_open = before.filter(before.valid_to.notnull()), before.filter(before.valid_to.isnull())
    loaded = stg_accounts.select("account_id", *attributes)
    if stg_account_aliases is not None and "account_aliases" in portfolio.tables:
        loaded = beside(loaded, earliest_signups(previous, stg_account_aliases), "account_id")
        signup = ibis.least(
            ibis.coalesce(loaded.signup_date, loaded["_signed_up"]),
            ibis.coalesce(loaded["_signed_up"], loaded.signup_date),
        )
        loaded = loaded.mutate(signup_date=signup).drop("_signed_up")
    unchanged = [still_open.account_id == loaded.account_id] + [
        still_open[a].identical_to(loaded[a]) for a in attributes
    ]
    kept = still_open.semi_join(loaded, unchanged)
    ended = still_open.anti_join(loaded, unchanged).mutate(valid_to=day)
    begun = loaded.anti_join(still_open, unchanged).mutate(valid_from=day, valid_to=ibis.null("date"))
    parts = [conform(part, contract) for part in (closed, kept, ended, begun)]
    return ibis.union(*parts)


def attributes_on(account_history: ir.Table, as_of: date) -> ir.Table:
    """The accounts with the attributes that held on the day; before the first load, with the oldest known ones."""
    day = ibis.literal(as_of)
    ranked = account_history.mutate(_first=account_history.valid_from.min().over(ibis.window(group_by="account_id")))
    holds_then = (ranked.valid_from <= day) & (ranked.valid_to.isnull() | (ranked.valid_to > day))
    is_before_first = (ranked["_first"] > day) & (ranked.valid_from == ranked["_first"])
    chosen = ranked.filter(holds_then | is_before_first)
    return chosen.filter(chosen.signup_date.isnull() | (chosen.signup_date <= day)).drop(
        "_first", "valid_from", "valid_to"
    )


def account_snapshot(
    account_history: ir.Table,
    subscription_periods: ir.Table,
    stg_invoices: ir.Table,
    stg_mrr_history: ir.Table,
    fct_revenue: ir.Table,
    *,
    portfolio: Portfolio,
    as_of: date,
) -> ir.Table:
    """Every account that had signed up by `as_of`, as it was known then.

    Grain: as_of, account_id. Money in the reporting currency. Always true: arr_is_twelve_mrr.
    """
    day = ibis.literal(as_of)
    accounts = attributes_on(account_history, as_of)
    horizon = horizon_of(subscription_periods, stg_invoices, stg_mrr_history, portfolio=portfolio, as_of=as_of)
    contracted = _subscriptions_on(subscription_periods, portfolio, as_of)
    ledger = with_horizon(fct_revenue.mutate(month=month_index(fct_revenue.revenue_month)), horizon)
    ledger = ledger.filter(ledger.month <= ledger["_horizon"])
    known = ledger.group_by("account_id").agg(
        ledger_mrr=ledger.mrr.sum(where=ledger.month == ledger["_horizon"]),
        ledger_arr=ledger.arr.sum(where=ledger.month == ledger["_horizon"]),
        is_in_ledger=ibis.literal(True),
    )
    renewals = renewal_dates(contracts_on(subscription_periods, as_of), portfolio=portfolio, as_of=as_of)
    rows = accounts
    for part in (contracted, known, renewals):
        rows = rows.left_join(part, "account_id").drop("account_id_right")
    rows = with_horizon(rows, horizon)
    known_mrr = ibis.coalesce(rows.ledger_mrr.cast(MONEY), NO_MONEY)
    ledger_mrr = ibis.cases((rows.is_in_ledger.notnull(), known_mrr), else_=ibis.null(MONEY))
    contract_total = ibis.coalesce(rows.contract_total.cast(SUM), ibis.literal(0).cast(SUM))
    by_contract = "subscriptions" in portfolio.tables
    current_mrr = ibis.greatest(in_cents(contract_total), NO_MONEY) if by_contract else known_mrr
    if portfolio.revenue.basis == "subscriptions":
        is_churned = ibis.coalesce(rows.has_paid, ibis.literal(False)) & (current_mrr == NO_MONEY)
    else:
        is_churned = ibis.coalesce(rows.is_in_ledger, ibis.literal(False)) & (known_mrr == NO_MONEY)
    months = month_index(day) - month_index(rows.signup_date)
    rows = rows.mutate(
        as_of=day,
        contracts_as_of=_newest_delivery(subscription_periods, portfolio, as_of),
        tenure_days=day.delta(rows.signup_date, unit="day"),
        tenure_months=months - ibis.cases((rows.signup_date.day() > as_of.day, 1), else_=0),
        current_mrr=current_mrr,
        current_arr=ibis.greatest(a_year_of(contract_total), NO_MONEY)
        if by_contract
        else ibis.coalesce(rows.ledger_arr.cast(MONEY), NO_MONEY),
        is_churned=is_churned,
        ledger_mrr=ledger_mrr,
        horizon_month=first_day(rows["_horizon"]),
        is_overdue=ibis.coalesce(rows.is_overdue, ibis.literal(False)),
        is_cancelled=ibis.coalesce(rows.is_cancelled, ibis.literal(False)),
        **{group: ibis.coalesce(rows[group], NO_VALUE) for group in GROUPS},
        **{amount: ibis.coalesce(rows[amount], NO_MONEY) for amount in ANNOUNCED},
        **{
            count: ibis.coalesce(rows[count], ibis.literal(0, "int64"))
            for count in ("active_subscription_count", "total_subscription_count", "active_addon_count")
        },
    )
    stages = portfolio.lifecycle.stages or DEFAULT_STAGES
    rows = rows.mutate(
        lifecycle_stage=first_match(((holds(s.if_, rows), s.value) for s in stages.rules), stages.else_),
    )
    return conform(rows, contracts.account_snapshot(portfolio))


def _newest_delivery(subscription_periods: ir.Table, portfolio: Portfolio, as_of: date) -> ir.DateValue:
    """The day of the newest delivery of all subscriptions that was taken over, at most `as_of`.

    Null without such a source; `as_of` where no subscription is left that a delivery could show.
    """
    if "subscriptions" not in portfolio.tables or not portfolio.source_of("subscriptions").delivers_all:
        return ibis.null("date")
    delivered = ibis.greatest(subscription_periods.delivered_on, subscription_periods.known_from)
    is_left = subscription_periods.valid_to.isnull() & ~subscription_periods.is_missing
    told = subscription_periods.agg(_day=ibis.ifelse(is_left.any(), delivered.max(), ibis.null("date")))
    day = ibis.literal(as_of)
    return ibis.least(ibis.coalesce(told["_day"].as_scalar(), day), day)


def _subscriptions_on(subscription_periods: ir.Table, portfolio: Portfolio, as_of: date) -> ir.Table:
    """The subscriptions of each account as of the day: counts, dates, MRR in force, tier of the platform."""
    day = ibis.literal(as_of)
    products = portfolio.revenue.products
    add_ons = [p.name for p in products if p.type == "add_on"]
    started = subscription_periods.filter(subscription_periods.start_date <= day)
    is_add_on = started.product_name.isin(add_ons) if add_ons else ibis.literal(False)
    is_add_on = ibis.coalesce(is_add_on, ibis.literal(False))
    marked = started.mutate(_in_force=in_force(started, as_of), _is_add_on=is_add_on)
    totals = marked.group_by("account_id").agg(
        contract_total=marked.mrr_amount.cast(SUM).sum(where=marked["_in_force"]),
        has_paid=(is_contract(marked) & (marked.counts_from <= day)).any(),
        active_subscription_count=marked.count(where=marked["_in_force"]),
        total_subscription_count=marked.subscription_id.nunique(),
        active_addon_count=marked.count(where=marked["_in_force"] & marked["_is_add_on"]),
        first_subscription_date=marked.start_date.min(),
        latest_subscription_date=marked.start_date.max(),
    )
    platform = marked.filter(marked["_in_force"] & ~marked["_is_add_on"])
    newest = ibis.window(group_by="account_id", order_by=[platform.start_date.desc(), platform.subscription_id.desc()])
    platform = platform.mutate(_rank=ibis.row_number().over(newest))
    tiers = platform.filter(platform["_rank"] == 0).select("account_id", subscribed_plan_tier=ibis._.plan_tier)
    return totals.left_join(tiers, "account_id").drop("account_id_right")


def dim_account(
    account_snapshot: ir.Table,
    stg_support_tickets: ir.Table,
    stg_ticket_status_history: ir.Table,
    business_hours: ir.Table,
    *,
    portfolio: Portfolio,
    as_of: date,
) -> ir.Table:
    """One row an account at the newest `as_of`: who they are, what they pay, how support served them.

    Grain: account_id. Ticket figures are 0 or null for accounts without tickets. Always true: arr_is_twelve_mrr.
    """
    tickets = judged_tickets(
        stg_support_tickets, stg_ticket_status_history, business_hours, portfolio=portfolio, as_of=as_of
    )
    served = tickets.group_by("account_id").agg(
        lifetime_tickets=tickets.count(),
        open_tickets=tickets.count(where=tickets.status.isin(UNRESOLVED)),
        avg_csat=mean_rating(tickets),
        avg_resolution_hours=exact_mean(tickets.resolution_hours),
        sla_breaches=tickets.count(where=tickets.is_judged & tickets.is_sla_breach),
    )
    rows = account_snapshot.left_join(served, "account_id").drop("account_id_right")
    counts = ("lifetime_tickets", "open_tickets", "sla_breaches")
    rows = rows.mutate(**{c: ibis.coalesce(rows[c], ibis.literal(0, "int64")) for c in counts})
    return conform(rows, contracts.dim_account(portfolio))
