"""The people at customers, each once, and the order in which they are called.

How rows are read is `cx_intel.models.staging.columns.contacts`. Which account is called at all is decided in
`cx_intel.models.renewals.actions`.
"""

from datetime import date, timedelta

import ibis
import ibis.expr.types as ir

from cx_intel.contracts import contacts as contracts
from cx_intel.contracts.contacts import (
    ACTIVITY_DAYS,
    BILLING,
    CHAMPION,
    DECISION_MAKER,
    LATEST_ACTIVITY,
    NOTHING_KNOWN,
)
from cx_intel.contracts.contract import conform
from cx_intel.models.expressions.joins import beside
from cx_intel.models.expressions.time import end_of_day_utc
from cx_intel.settings.portfolio import Portfolio

PERSON = ("account_id", "_person")
"""Rows of one account and address are one person; without an address each row is one."""
NEWEST_VALUE = ("contact_name", "email", "phone", "job_title", "contact_role", "user_id")
ROLES = ("is_champion", "is_decision_maker", "is_billing_contact")


def dim_contact(stg_contacts: ir.Table, stg_usage_events: ir.Table, *, portfolio: Portfolio, as_of: date) -> ir.Table:
    """The people at each account as they are known now, rows of one address merged, in the order of calls.

    Grain: account_id, contact_id. Of a person's rows the newest counts, by updated_at; what it lacks is taken from older ones;
    a role that any of them has is the person's. An activity after `as_of` is not known yet. Always true: order_has_a_reason.
    """
    rows = _merged(stg_contacts)
    rows = beside(rows, _last_used(rows, stg_usage_events, portfolio, as_of), *PERSON)
    told = ibis.ifelse(
        rows["_told_at"] < ibis.literal(end_of_day_utc(as_of, portfolio.time_zone)), rows["_told_at"], NO_TIME
    )
    newest = ibis.ifelse(ibis.coalesce(rows.last_used_at > told, told.isnull()), rows.last_used_at, told)
    rows = rows.mutate(last_activity_at=newest)
    rows = rows.mutate(_reason=_reason(rows))
    place = ibis.cases(*((rows["_reason"] == r, n) for n, r in enumerate(contracts.CALL_REASONS)), else_=len(ROLES) + 2)
    can_be_reached = rows.email.notnull() | rows.phone.notnull()
    rows = rows.mutate(
        _last=ibis.ifelse(rows.is_active, 0, 1),
        _unreached=ibis.ifelse(can_be_reached, 0, 1),
        _place=place,
        _at=ibis.coalesce(rows.last_activity_at, LONG_AGO),
    )
    by_order = ibis.window(
        group_by="account_id",
        order_by=["_last", "_unreached", "_place", ibis.desc("_at"), "contact_name", "contact_id"],
    )
    order = ibis.row_number().over(by_order) + 1
    rows = rows.mutate(
        call_order=ibis.ifelse(rows.is_active, order, ibis.null("int64")),
        call_reason=ibis.ifelse(rows.is_active, rows["_reason"], ibis.null("string")),
    )
    return conform(rows, contracts.dim_contact(portfolio))


NO_TIME = ibis.null("timestamp(6)")
LONG_AGO = ibis.timestamp("1900-01-01T00:00:00").cast("timestamp(6)")


def _reason(rows: ir.Table) -> ir.StringValue:
    """Why a person stands where they do: their role if it is known, else their activity."""
    return ibis.cases(
        (rows.is_champion, CHAMPION),
        (rows.is_decision_maker, DECISION_MAKER),
        (rows.is_billing_contact, BILLING),
        (rows.last_activity_at.notnull(), LATEST_ACTIVITY),
        else_=NOTHING_KNOWN,
    )


def _merged(stg_contacts: ir.Table) -> ir.Table:
    """One row a person: the newest value of each column, any role, the newest activity."""
    rows = stg_contacts.mutate(_person=ibis.coalesce(stg_contacts.email, stg_contacts.contact_id))
    newest_first = ibis.window(
        group_by=PERSON, order_by=[ibis.coalesce(rows.updated_at, LONG_AGO).desc(), rows.contact_id.desc()]
    )
    rows = rows.mutate(_age=ibis.row_number().over(newest_first))
    ages = {f"_age_{name}": rows["_age"].min(where=rows[name].notnull()) for name in NEWEST_VALUE}
    flags = {name: ibis.ifelse(rows[name], 1, 0).max() for name in ROLES}
    people = rows.group_by(list(PERSON)).agg(**ages, **flags, _told_at=rows.last_activity_at.max())
    newest = rows.filter(rows["_age"] == 0).select(*PERSON, "contact_id", "is_active")
    people = beside(people.mutate(**{name: people[name] == 1 for name in ROLES}), newest, *PERSON)
    return _with_newest(people, rows)


def _with_newest(people: ir.Table, rows: ir.Table) -> ir.Table:
    """The people with the value of each column in the newest row that has one."""
    joined = rows.select(*PERSON, "_age", *NEWEST_VALUE)
    joined = beside(joined, people.select(*PERSON, *(f"_age_{name}" for name in NEWEST_VALUE)), *PERSON)
    values = {name: joined[name].max(where=joined["_age"] == joined[f"_age_{name}"]) for name in NEWEST_VALUE}
    people = beside(people, joined.group_by(list(PERSON)).agg(**values), *PERSON)
    return people.mutate(contact_name=ibis.coalesce(people.contact_name, people.email, people.contact_id))


def _last_used(people: ir.Table, events: ir.Table, portfolio: Portfolio, as_of: date) -> ir.Table:
    """When each person last used the product; somebody with an address and a user id may be known by either."""
    since = as_of - timedelta(days=ACTIVITY_DAYS - 1)
    recent = events.filter(
        events.event_date.between(ibis.literal(since), ibis.literal(as_of)), events.user_id.notnull()
    )
    used = recent.group_by("account_id", _actor=recent.user_id.lower()).agg(_at=recent.event_timestamp.max())
    known = [people.select(*PERSON, _actor=people[name].lower()) for name in ("user_id", "email")]
    found = ibis.union(*known, distinct=True).inner_join(used, ["account_id", "_actor"])
    return found.group_by(list(PERSON)).agg(last_used_at=found["_at"].max())
