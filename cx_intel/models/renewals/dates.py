"""When an account's contracts renew or end: `renewal_dates`, a row for each account with a contract.

What the contracts of an account say together is decided here: which end is announced, what follows it, which date has
passed. What a contract is and when it is in force: `cx_intel.models.revenue`; what follows for the renewal, its risk and
its worth: `pipeline.py`.
"""

from datetime import date, timedelta
from typing import NamedTuple

import ibis
import ibis.expr.types as ir

from cx_intel.contracts.contract import MONEY
from cx_intel.contracts.renewals.pipeline import WINDOW_DAYS
from cx_intel.models.expressions.anniversaries import with_anniversary
from cx_intel.models.revenue.account_mrr import NO_MONEY
from cx_intel.models.subscriptions.in_force import in_force, is_contract
from cx_intel.settings.portfolio import Portfolio
from cx_intel.settings.renewals import DEFAULT_KEEP_OVERDUE_DAYS, DEFAULT_TERM_MONTHS

NEVER = date(2999, 12, 31)
"""The end of a contract that has none, so that ends can be compared."""
NO_DATE = ibis.null("date")


class Terms(NamedTuple):
    """The settings that decide about dates."""

    term_months: int
    keep_overdue_days: int
    main_product: str | None
    grace_days: int


def terms_of(portfolio: Portfolio) -> Terms:
    """Those of the portfolio; the defaults where it has no `renewals` block."""
    grace_days = portfolio.revenue.grace_days
    if portfolio.renewals is None:
        return Terms(DEFAULT_TERM_MONTHS, DEFAULT_KEEP_OVERDUE_DAYS, None, grace_days)
    r = portfolio.renewals
    return Terms(r.term_months, r.keep_overdue_days, r.main_product, grace_days)


def contracts_on(subscription_periods: ir.Table, as_of: date) -> ir.Table:
    """What `renewal_dates` reads: a row for each subscription that counts, as known on the day.

    It is the period in force on the day, else the next to come, else the last. A start to come is known once a load has
    shown the subscription; an end to come, once it was announced or a load has shown it.
    """
    day = ibis.literal(as_of)
    p = subscription_periods.filter(is_contract(subscription_periods))
    p = p.mutate(is_in_force=in_force(p, as_of), is_to_come=p.counts_from > day)
    known = p.filter(~p.is_to_come | (p.first_seen_on <= day))
    distance = ibis.ifelse(known.is_to_come, known.counts_from, ibis.null("date"))
    order = [known.is_in_force.desc(), known.is_to_come.desc(), distance.asc(), known.counts_from.desc()]
    ranked = known.mutate(rank=ibis.row_number().over(ibis.window(group_by="subscription_id", order_by=order)))
    chosen = ranked.filter(ranked["rank"] == 0)
    known_from = ibis.coalesce(chosen.end_known_from, chosen.first_seen_on)
    is_known = (chosen.end_date <= day) | (known_from <= day)
    end = ibis.ifelse(is_known, chosen.end_date, NO_DATE)
    has_stopped = ~chosen.is_in_force & (chosen.counts_until <= day) & (end.isnull() | (end > day))
    return chosen.select(
        "subscription_id",
        "account_id",
        "product_name",
        "mrr_amount",
        "renewal_date",
        "term_months",
        "is_in_force",
        start_date=ibis.ifelse(chosen.is_to_come, chosen.counts_from, chosen.start_date),
        end_date=ibis.ifelse(has_stopped, chosen.counts_until, end),
        is_term=ibis.coalesce(chosen.end_kind == "term", False),
    )


def renewal_dates(contracts: ir.Table, *, portfolio: Portfolio, as_of: date) -> ir.Table:
    """The next renewal, or the announced end, of every account with a contract.

    Grain: account_id. Reads a row for each contract that counts, as known on `as_of`, future starts included:
    subscription_id, account_id, product_name, mrr_amount, start_date, end_date, is_term, renewal_date, term_months,
    is_in_force.

    An account is cancelled when all its paid contracts in force have an announced end and no other follows within the
    grace days of the last: its renewal date is that end. Else the date is the earliest that its contracts in force
    give: the end of a term without successor, or the renewal date delivered. One that has passed stays for
    `keep_overdue_days`, unless a contract began since; then it rolls on by its term. A term that ended without a
    successor stays as long. Where no contract in force gives a date, those that follow do, and else it is the first
    anniversary, by the term, of the earliest start of the relation in force (of the main product, where the portfolio
    names one). A break of more than the grace days ends a relation; nothing is rolled past its end.

    Columns: account_id; renewal_date (null: nothing in force, or no contract of the main product); is_overdue (the date
    given, or the term's end, has passed and no contract began since; null with the date); is_cancelled;
    announced_end_date (of cancelled accounts); announced_contraction_mrr and announced_contraction_90d_mrr (paid by
    contracts with an announced end, less what follows them, of accounts that are not cancelled; the second of ends
    within 90 days); lapsed_mrr (of terms that ended without a successor and are still kept).
    """
    terms = terms_of(portfolio)
    dated = _with_dates(_with_relation(_marked(contracts, terms, as_of), terms), terms, as_of)
    accounts = _accounts(dated)
    accounts = accounts.left_join(_contractions(dated, terms, as_of), "account_id").drop("account_id_right")
    accounts = _with_anniversary(accounts, terms, as_of)
    ends = (accounts.last_end > ibis.literal(as_of)) & (accounts.last_end < ibis.literal(NEVER))
    is_cancelled = ibis.coalesce(ends, False)
    earliest = ibis.least(_or_never(accounts.lapsed_date), _or_never(accounts.first_date))
    renewal_date = ibis.cases(
        (is_cancelled, accounts.last_end),
        (earliest < ibis.literal(NEVER), earliest),
        else_=ibis.coalesce(accounts.following_date, accounts.anniversary),
    )
    is_overdue = ~is_cancelled & (accounts.lapsed_date.notnull() | (accounts.overdue_contracts > 0))
    return accounts.select(
        "account_id",
        renewal_date=renewal_date,
        is_overdue=ibis.ifelse(renewal_date.notnull(), is_overdue, ibis.null("boolean")),
        is_cancelled=is_cancelled,
        announced_end_date=ibis.ifelse(is_cancelled, accounts.last_end, NO_DATE),
        announced_contraction_mrr=_money(accounts.contraction, unless=is_cancelled),
        announced_contraction_90d_mrr=_money(accounts.contraction_90d, unless=is_cancelled),
        lapsed_mrr=_money(accounts.lapsed_mrr, unless=is_cancelled),
    )


def _marked(contracts: ir.Table, terms: Terms, as_of: date) -> ir.Table:
    """The contracts with what each is on the day, and `cover_end`: until when it is known to run.

    A term runs on until it has ended, since it may be renewed; so does a contract within its grace days.
    """
    c, day = contracts, ibis.literal(as_of)
    is_begun = c.start_date <= day
    is_open = is_begun & (c.end_date.isnull() | (c.end_date > day))
    has_end = c.end_date.notnull() & ~(c.is_term & (c.end_date > day)) & ~(c.is_in_force & ~is_open)
    is_main = ibis.coalesce(c.product_name == terms.main_product, False) if terms.main_product else ibis.literal(True)
    return c.mutate(
        term=ibis.coalesce(c.term_months, terms.term_months).cast("int64"),
        is_main=is_main,
        is_paid=c.mrr_amount > 0,
        is_open=is_open,
        is_future=~is_begun,
        has_announced_end=is_open & has_end,
        cover_end=ibis.ifelse(has_end, c.end_date, ibis.literal(NEVER)),
    )


def _with_relation(marked: ir.Table, terms: Terms) -> ir.Table:
    """Adds `is_related`: the contract belongs to the unbroken relation that is in force, before or after it."""
    order = [marked.start_date, marked.subscription_id]
    before = ibis.window(group_by="account_id", order_by=order, rows=(None, -1))
    until = ibis.window(group_by="account_id", order_by=order, rows=(None, 0))
    covered = marked.mutate(covered_until=marked.cover_end.max().over(before))
    if terms.grace_days:
        needed = (covered.start_date - ibis.interval(days=terms.grace_days)).cast("date")
    else:
        needed = covered.start_date
    broken = covered.mutate(is_after_break=ibis.coalesce(covered.covered_until < needed, False))
    counted = broken.mutate(relation=ibis.ifelse(broken.is_after_break, 1, 0).cast("int64").sum().over(until))
    accounts = ibis.window(group_by="account_id")
    in_force = ibis.ifelse(counted.is_in_force, counted.relation, ibis.null("int64")).max().over(accounts)
    return counted.mutate(is_related=ibis.coalesce(counted.relation == in_force, False))


def _with_dates(related: ir.Table, terms: Terms, as_of: date) -> ir.Table:
    """Adds what each contract says about the renewal: given_date, renews_on, is_overdue, is_lapsed."""
    r, day = related, ibis.literal(as_of)
    account, product = ibis.window(group_by="account_id"), ibis.window(group_by=["account_id", "product_name"])
    r = r.mutate(
        paid_mrr=r.mrr_amount.sum(where=r.is_in_force).over(account),
        newest_start=r.start_date.max(where=~r.is_future).over(account),
        next_start=r.start_date.min(where=r.is_future).over(product),
        following=r.count(where=r.is_open | r.is_future).over(product),
    )
    follows_in_time = ibis.coalesce(
        r.next_start <= (r.end_date + ibis.interval(days=terms.grace_days)).cast("date"), False
    )
    is_running_term = r.is_term & (r.end_date > day)
    r = r.mutate(
        given_date=ibis.cases(
            (is_running_term & ~(r.is_open & follows_in_time), r.end_date),
            (is_running_term | r.has_announced_end, NO_DATE),
            else_=r.renewal_date,
        ),
        is_lapsed=r.is_term
        & r.is_paid
        & (r.end_date <= day)
        & (r.end_date >= ibis.literal(as_of - timedelta(days=terms.keep_overdue_days)))
        & (r.following == 0)
        & (r.newest_start < r.end_date),
    )
    has_passed = r.is_in_force & (r.given_date < day) & (r.paid_mrr > 0)
    r = r.mutate(
        is_overdue=ibis.coalesce(has_passed & (r.newest_start < r.given_date), False),
        has_passed=ibis.coalesce(has_passed, False),
    )
    stays = r.is_overdue & (r.given_date >= ibis.literal(as_of - timedelta(days=terms.keep_overdue_days)))
    r = r.mutate(is_lapsed=ibis.coalesce(r.is_lapsed, False), stays=stays)
    r = with_anniversary(r, "rolled", r.given_date, to=day, step=r.term, at_least=ibis.literal(0))
    return r.mutate(renews_on=ibis.ifelse(r.has_passed & ~r.stays, r.rolled, r.given_date))


def _accounts(dated: ir.Table) -> ir.Table:
    """What the contracts of each account say together."""
    d = dated
    is_past_or_open = d.is_related & ~d.is_future
    return d.group_by("account_id").agg(
        last_end=d.cover_end.max(where=d.is_related & d.is_paid),
        first_date=d.renews_on.min(where=d.is_in_force),
        following_date=d.given_date.min(where=d.is_related & d.is_future),
        overdue_contracts=d.count(where=d.is_overdue),
        lapsed_date=d.end_date.min(where=d.is_lapsed),
        lapsed_mrr=d.mrr_amount.sum(where=d.is_lapsed),
        first_start=d.start_date.min(where=is_past_or_open & d.is_main),
        main_end=d.cover_end.max(where=d.is_related & d.is_main),
        running_start=d.start_date.min(where=is_past_or_open & (d.cover_end == ibis.literal(NEVER))),
        contracts_without_end=d.count(where=d.is_in_force & (d.end_date.isnull() | ~d.is_open)),
        followed_end=d.end_date.max(where=d.is_open),
        term=d.term.min(where=d.is_in_force),
    )


def _with_anniversary(accounts: ir.Table, terms: Terms, as_of: date) -> ir.Table:
    """Adds the first anniversary of the relation's start on or after the day, and after the ends that others follow."""
    a, day = accounts, ibis.literal(as_of)
    all_followed = ibis.coalesce((a.contracts_without_end == 0) & (a.followed_end >= day), False)
    from_day = ibis.ifelse(all_followed, (a.followed_end + ibis.interval(days=1)).cast("date"), day)
    a = a.mutate(from_day=from_day, step=ibis.coalesce(a.term, terms.term_months).cast("int64"))
    a = with_anniversary(a, "of_main", a.first_start, to=a.from_day, step=a.step, at_least=a.step)
    a = with_anniversary(a, "of_running", a.running_start, to=a.from_day, step=a.step, at_least=a.step)
    is_past_its_end = ibis.coalesce(a.of_main > a.main_end, False)
    return a.mutate(anniversary=ibis.ifelse(is_past_its_end, a.of_running, a.of_main))


def _contractions(dated: ir.Table, terms: Terms, as_of: date) -> ir.Table:
    """What the announced ends of each account take away, less what follows them: of each product, unless all end."""
    d = dated.filter(dated.is_related & dated.is_paid)
    limits = {"": NEVER - timedelta(days=terms.grace_days), "_90d": as_of + timedelta(days=WINDOW_DAYS)}
    sums: dict[str, ir.Value] = {
        "without_end": d.count(where=d.is_in_force & ~d.has_announced_end),
        "last_announced": d.end_date.max(where=d.has_announced_end),
    }
    for name, limit in limits.items():
        reach = ibis.literal(limit + timedelta(days=terms.grace_days))
        sums[f"ending{name}"] = d.mrr_amount.sum(where=d.has_announced_end & (d.end_date <= ibis.literal(limit)))
        sums[f"following{name}"] = d.mrr_amount.sum(where=d.is_future & (d.start_date <= reach))
    products = d.group_by(["account_id", "product_name"]).agg(**sums)
    lost = products.mutate(
        **{f"net{name}": _not_below_zero(products[f"ending{name}"], products[f"following{name}"]) for name in limits}
    )
    accounts = lost.group_by("account_id").agg(
        without_end=lost.without_end.sum(),
        **{part + name: lost[part + name].sum() for name in limits for part in ("net", "ending", "following")},
    )
    return accounts.select(
        "account_id",
        **{
            f"contraction{name}": ibis.ifelse(
                accounts.without_end > 0,
                accounts[f"net{name}"],
                _not_below_zero(accounts[f"ending{name}"], accounts[f"following{name}"]),
            )
            for name in limits
        },
    )


def _not_below_zero(ending: ir.DecimalValue, following: ir.DecimalValue) -> ir.DecimalValue:
    left = ibis.coalesce(ending, 0) - ibis.coalesce(following, 0)
    return ibis.ifelse(left > 0, left, 0)


def _money(amount: ir.DecimalValue, *, unless: ir.BooleanValue) -> ir.DecimalValue:
    return ibis.ifelse(unless, NO_MONEY, ibis.coalesce(amount.cast(MONEY), NO_MONEY))


def _or_never(day: ir.DateValue) -> ir.DateValue:
    return ibis.coalesce(day, ibis.literal(NEVER))
