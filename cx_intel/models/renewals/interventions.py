"""What was done with the entries of the intervention list: `actions`.

The rule that keeps entries off the list stands with their contracts (`cx_intel.contracts.renewals.interventions`), because a
check needs it too; the list itself is made in `actions.py`, what came of entries in `outcomes.py`. Definitions:
`docs/actions.md`.
"""

from datetime import date

import ibis
import ibis.expr.types as ir

from cx_intel.contracts.contract import TIME, conform
from cx_intel.contracts.renewals import interventions as contracts
from cx_intel.contracts.renewals.interventions import entry_id
from cx_intel.contracts.staging.values import OPEN
from cx_intel.models.expressions.joins import beside
from cx_intel.models.expressions.time import date_in_zone
from cx_intel.models.renewals.outcomes import ENTRY, outcomes_of
from cx_intel.settings.portfolio import Portfolio

STATED = ("action_id", "account_id", "status", "snoozed_until", "reason", "acted_by", "acted_at", "renewal_date")
"""What an action says of itself, whoever gave it."""


def actions(
    stg_actions: ir.Table,
    given_actions: ir.Table,
    renewal_pipeline__history: ir.Table,
    account_snapshot: ir.Table,
    fct_revenue: ir.Table,
    *,
    portfolio: Portfolio,
    as_of: date,
    previous: ir.Table,
) -> ir.Table:
    """What was done with entries of the list, given by command or delivered by a source, each with what came of the renewal.

    Grain: action_id; of one id that was both delivered and given, the newer counts. Reads the pipeline of all days up to
    `as_of` for the renewal that an action is about: the one that its entry names, else the account's on that day or the
    newest day before. As `previous`, its own earlier rows: an action without a time is of the load that first delivered it
    with this status.

    Columns: see the contract.

    Always true: actions_are_about_a_renewal, snoozed_until_a_day, outcome_has_arr.
    """
    stated = ibis.union(stg_actions.select(*STATED), given_actions.select(*STATED))
    acted = _dated(stated, previous, portfolio, as_of)
    about = beside(acted.drop("renewal_date"), _renewals(acted, renewal_pipeline__history), "action_id")
    named = about.mutate(entry_id=entry_id(about))
    newest_first = [named.acted_on.desc(), _moment(named).desc(), named.action_id.desc()]
    of_entry = ibis.window(group_by=ibis.coalesce(named.entry_id, named.action_id), order_by=newest_first)
    told = named.mutate(is_newest=ibis.row_number().over(of_entry) == 0, valid_to=named.acted_on.lag().over(of_entry))
    came = outcomes_of(told, renewal_pipeline__history, account_snapshot, fct_revenue, portfolio=portfolio, as_of=as_of)
    rows = beside(told, came, *ENTRY)
    return conform(rows.mutate(outcome=ibis.coalesce(rows.outcome, OPEN)), contracts.actions(portfolio))


def _dated(stated: ir.Table, previous: ir.Table, portfolio: Portfolio, as_of: date) -> ir.Table:
    """Each action once, with its day: that of its time, else of the load that first delivered it so."""
    before = previous.select("action_id", _was_status="status", _was_until="snoozed_until", _was_on="acted_on")
    rows = beside(stated, before, "action_id")
    is_same = (rows.status == rows["_was_status"]) & (
        (rows.snoozed_until == rows["_was_until"]) | (rows.snoozed_until.isnull() & rows["_was_until"].isnull())
    )
    first_seen = ibis.ifelse(ibis.coalesce(is_same, False), rows["_was_on"], ibis.null("date"))
    day = date_in_zone(rows.acted_at, portfolio.time_zone)
    rows = rows.mutate(acted_on=ibis.coalesce(day, first_seen, ibis.literal(as_of)))
    newest_first = [rows.acted_on.desc(), _moment(rows).desc(), rows.status.asc()]
    place = ibis.row_number().over(ibis.window(group_by="action_id", order_by=newest_first))
    placed = rows.mutate(_place=place)
    return placed.filter(placed["_place"] == 0).select(*STATED, "acted_on")


def _moment(rows: ir.Table) -> ir.TimestampValue:
    """When, for the order of actions of one day; one without a time is the day's first."""
    return ibis.coalesce(rows.acted_at, rows.acted_on.cast(TIME))


def _renewals(acted: ir.Table, pipeline: ir.Table) -> ir.Table:
    """action_id, renewal_date, renewal_risk, playbook, current_arr: the renewal that each action is about, as it was then."""
    asked = acted.select("action_id", "acted_on", _account="account_id", _renewal="renewal_date")
    known = pipeline.select("as_of", *ENTRY, "renewal_risk", "current_arr", playbook=pipeline.recommended_playbook)
    is_of_entry = (asked["_renewal"] == known.renewal_date) | asked["_renewal"].isnull()
    both = asked.inner_join(known, [asked["_account"] == known.account_id, asked.acted_on >= known.as_of, is_of_entry])
    newest = ibis.row_number().over(ibis.window(group_by="action_id", order_by=both.as_of.desc()))
    placed = both.mutate(_place=newest)
    found = placed.filter(placed["_place"] == 0).select(
        "action_id", "renewal_risk", "playbook", "current_arr", _found="renewal_date"
    )
    rows = beside(asked, found, "action_id")
    return rows.select(
        "action_id",
        "renewal_risk",
        "playbook",
        "current_arr",
        renewal_date=ibis.coalesce(rows["_renewal"], rows["_found"]),
    )
