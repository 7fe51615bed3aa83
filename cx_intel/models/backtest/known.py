"""What was known on a past day of that which remembers: accounts, contracts, the ledger, tickets, each as it stood then.

Rows that are dated (events, answers, invoices) need nothing from here, since every model reads them up to its day. Which
snapshots are made of this is decided in `cx_intel.orchestration.assets.backtest.replay`.
Definitions: What is known, and when, in `docs/definitions.md`.
"""

from datetime import date, timedelta

import ibis
import ibis.expr.types as ir

from cx_intel.contracts.contract import MONEY, conform
from cx_intel.contracts.core import account_history as contract_of_history
from cx_intel.contracts.freshness import source_freshness as contract_of_freshness
from cx_intel.contracts.revenue.published import revenue_ledger as contract_of_ledger
from cx_intel.contracts.staging.support import stg_support_tickets as contract_of_tickets
from cx_intel.contracts.subscriptions import subscription_periods as contract_of_periods
from cx_intel.models.core.source_days import SOURCE
from cx_intel.models.expressions.anniversaries import months_later
from cx_intel.models.expressions.joins import beside
from cx_intel.models.expressions.months import first_day, month_index
from cx_intel.models.expressions.time import end_of_day_utc
from cx_intel.models.health.measures import leaves_of, source_table
from cx_intel.models.health.population import health_settings
from cx_intel.models.renewals.dates import terms_of
from cx_intel.models.revenue.account_mrr import NO_MONEY
from cx_intel.models.revenue.horizon import with_horizon
from cx_intel.models.staging.columns.tickets import read_status, ticket_hours
from cx_intel.models.subscriptions.counting import with_counting
from cx_intel.models.subscriptions.periods import after_discounts, as_stored, ordered
from cx_intel.settings.portfolio import Portfolio

CAME_LATER = ("changed amount", "late row", "missing row", "several")
"""Causes of a restatement that no one could know before; others come from settings, which hold for all days."""

COUNTED = ("usage_events", "support_tickets", "nps_responses", "csm_activities", "metrics")
"""Canonical tables whose rows signals count by their days."""


def account_history_known_on(account_history: ir.Table, *, portfolio: Portfolio, as_of: date) -> ir.Table:
    """The history of accounts without the loads after the day; the first load of all stays, whatever its day.

    Grain: account_id, valid_from.
    """
    day, first = ibis.literal(as_of), account_history.valid_from.min().over(ibis.window())
    rows = account_history.mutate(_is_first=account_history.valid_from == first)
    known = rows.filter((rows.valid_from <= day) | rows["_is_first"])
    return conform(known, contract_of_history(portfolio))


def subscription_periods_known_on(subscription_periods: ir.Table, *, portfolio: Portfolio, as_of: date) -> ir.Table:
    """The periods of subscriptions without what loads after the day have shown; what the first load shows stays.

    Grain: subscription_id, valid_from. An end that was announced, or shown, after the day is none. A renewal date that
    was delivered after the day is taken back by the contract's term to the next one from then. What a later delivery
    changed in place without a date (account, product, an end that was moved) stands as it is now.
    """
    day, p = ibis.literal(as_of), subscription_periods
    rows = p.mutate(_first=p.first_seen_on.min().over(ibis.window()))
    rows = rows.filter(~rows.is_after_discount, (rows.known_from <= day) | (rows.known_from == rows["_first"]))
    is_unknown = ibis.coalesce(rows.end_known_from > day, ibis.literal(False))
    rows = rows.mutate(
        end_date=ibis.ifelse(is_unknown, ibis.null("date"), rows.end_date),
        end_kind=ibis.ifelse(is_unknown, ibis.null("string"), rows.end_kind),
        end_known_from=ibis.ifelse(is_unknown, ibis.null("date"), rows.end_known_from),
        renewal_date=_renewal_date_then(rows, portfolio, as_of),
    )
    return conform(
        with_counting(after_discounts(ordered(as_stored(rows))), portfolio),
        contract_of_periods(portfolio),
    )


def _renewal_date_then(rows: ir.Table, portfolio: Portfolio, as_of: date) -> ir.DateValue:
    """The renewal date from the day on, where the one that is there was delivered later and has rolled on since.

    It has where the date of a term before lay between the day and the delivery; one further ahead was as far ahead then.
    """
    day, given = ibis.literal(as_of), rows.renewal_date
    term = ibis.coalesce(rows.term_months, terms_of(portfolio).term_months).cast("int64")
    terms = (month_index(given) - month_index(day)) // term
    taken_back = months_later(given, (terms * -term).cast("int64"))
    too_far = (taken_back < day) | (taken_back <= rows.start_date)
    taken_back = ibis.ifelse(too_far, months_later(given, ((terms - 1) * -term).cast("int64")), taken_back)
    has_rolled = (rows.delivered_on > day) & (given > day) & (terms > 0) & (taken_back <= rows.delivered_on)
    return ibis.ifelse(ibis.coalesce(has_rolled, ibis.literal(False)), taken_back, given)


def revenue_ledger_known_on(
    revenue_ledger: ir.Table, restatements: ir.Table, horizon: int | ir.Table, *, portfolio: Portfolio, as_of: date
) -> ir.Table:
    """What was published of each month by the day: what later refreshes restated is undone, months after it are left out.

    Grain: account_id, revenue_month. A month that was first published after the day stands as it was then. Differences
    that come from settings stay, since today's settings judge all days alike.

    Args:
        revenue_ledger: As it stands.
        restatements: All of them.
        horizon: The last month of the ledger on the day (`horizon_of`).
        portfolio: Its settings.
        as_of: The day.
    """
    later = restatements.filter(restatements.refresh_at > ibis.literal(as_of), restatements.cause.isin(CAME_LATER))
    keys = ["account_id", "revenue_month"]
    published = later.filter(later.figure == "mrr")
    published = published.group_by(keys).agg(_later=published["difference"].sum().cast(MONEY))
    waiting = later.filter(later.figure == "unpublished_mrr")
    waiting = waiting.group_by("account_id", revenue_month=first_day(month_index(waiting.revenue_month) + 1)).agg(
        _restated_later=waiting["difference"].sum().cast(MONEY)
    )
    rows = with_horizon(beside(beside(revenue_ledger, published, *keys), waiting, *keys), horizon)
    rows = rows.filter(month_index(rows.revenue_month) <= rows["_horizon"])
    mrr = ibis.greatest((rows.mrr - ibis.coalesce(rows["_later"], NO_MONEY)).cast(MONEY), NO_MONEY)
    rows = rows.mutate(
        horizon_month=first_day(rows["_horizon"]),
        arr=ibis.ifelse(rows["_later"].notnull(), (mrr * 12).cast(MONEY), rows.arr),
        restated_mrr=(rows.restated_mrr - ibis.coalesce(rows["_restated_later"], NO_MONEY)).cast(MONEY),
        mrr=mrr,
    )
    return conform(rows, contract_of_ledger(portfolio))


def support_tickets_known_on(
    stg_support_tickets: ir.Table, stg_ticket_status_history: ir.Table, *, portfolio: Portfolio, as_of: date
) -> ir.Table:
    """The tickets with the status that their history tells for the day, where it has changed since.

    Grain: that of stg_support_tickets. One opened again later was resolved when its status changed last, one escalated
    later was open. Tickets whose status has not changed since, or has no change up to the day, stay as they are.
    """
    end = ibis.literal(end_of_day_utc(as_of, portfolio.time_zone))
    changes = stg_ticket_status_history.filter(stg_ticket_status_history.field == "status")
    known = changes.changed_at < end
    told = changes.group_by("ticket_id").agg(
        _at=changes.changed_at.max(where=known), _later=changes.changed_at.max(where=~known)
    )
    told = told.filter(told["_at"].notnull() & told["_later"].notnull())
    words = changes.select("ticket_id", _at=changes.changed_at, _word=changes["value"])
    told = told.inner_join(words, ["ticket_id", "_at"]).select("ticket_id", "_at", "_word")
    rows = beside(stg_support_tickets, told, "ticket_id")
    is_told = rows["_word"].notnull()
    status = ibis.ifelse(is_told, read_status(rows["_word"]), rows.status)
    was_resolved = is_told & (status == "resolved")
    in_time = ibis.coalesce(rows.resolved_at < end, ibis.literal(False))
    resolved_at = ibis.ifelse(was_resolved & ~in_time, rows["_at"], rows.resolved_at)
    source_status = ibis.ifelse(is_told, rows["_word"], rows.source_status)
    rows = rows.mutate(status=status, source_status=source_status, resolved_at=resolved_at)
    hours_then = ticket_hours(rows, portfolio, as_of)["resolution_hours"]
    rows = rows.mutate(resolution_hours=ibis.ifelse(was_resolved, hours_then, rows.resolution_hours))
    return conform(rows, contract_of_tickets(portfolio))


def source_freshness_known_on(
    source_freshness: ir.Table, first_rows: ir.Table, *, portfolio: Portfolio, as_of: date
) -> ir.Table:
    """The freshness of a past day, on which a source counts as silent while its rows do not reach back far enough.

    Where a source begins later than the business, as an export of the last year does, nothing would be measured as none. It
    is frozen on days for which its first row lies within the longest window of the signals that read it.

    Args:
        source_freshness: Of the day.
        first_rows: source_table and source_name of those that signals count rows of, first_on.
        portfolio: Whose signals.
        as_of: The day.
    """
    rows = beside(source_freshness, first_rows, *SOURCE)
    windows = windows_by_source(portfolio)
    reaches = ibis.literal(False)
    for table, days in windows.items():
        begun = rows.first_on <= ibis.literal(as_of - timedelta(days=days - 1))
        reaches |= (rows.source_table == table) & ibis.coalesce(begun, ibis.literal(False))
    not_begun = rows.source_table.isin(sorted(windows)) & ~reaches if windows else ibis.literal(False)
    rows = rows.mutate(is_late=rows.is_late | not_begun, is_frozen=rows.is_frozen | not_begun)
    return conform(rows, contract_of_freshness(portfolio))


def windows_by_source(portfolio: Portfolio) -> dict[str, int]:
    """Canonical table: the longest window, in days, of the signals that count its rows."""
    found: dict[str, int] = {}
    for signal in health_settings(portfolio).signals.values():
        for leaf in leaves_of(signal.measure):
            table = source_table(leaf, portfolio)
            if table in COUNTED:
                found[table] = max(found.get(table, 1), getattr(leaf, "window_days", None) or 1)
    return found
