"""What was done with the entries of the intervention list and what came of it: `actions`, `playbook_outcomes`.

The rule that keeps entries off the list stands with their contracts (`cx_intel.contracts.renewals.interventions`), because a
check needs it too; the list itself is made in `actions.py`. Definitions: `docs/actions.md`.
"""

from datetime import date

import ibis
import ibis.expr.types as ir

from cx_intel.contracts.contract import MONEY, TIME, conform
from cx_intel.contracts.renewals import interventions as contracts
from cx_intel.contracts.renewals.interventions import EXPANDED, LOST, OUTCOMES, RENEWED, entry_id
from cx_intel.contracts.staging.values import ACTION_STATUSES, DONE, NO_VALUE, OPEN
from cx_intel.models.expressions.joins import beside
from cx_intel.models.expressions.months import month_index
from cx_intel.models.expressions.shares import share
from cx_intel.models.expressions.time import date_in_zone
from cx_intel.models.renewals.pipeline import is_in_book, renewal_settings
from cx_intel.models.revenue.account_mrr import NO_MONEY
from cx_intel.settings.portfolio import Portfolio

ENTRY = ("account_id", "renewal_date")
STATED = ("action_id", "account_id", "status", "snoozed_until", "reason", "acted_by", "acted_at", "renewal_date")
"""What an action says of itself, whoever gave it."""
EXACT = "decimal(20, 6)"


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
    told = named.mutate(is_newest=ibis.row_number().over(of_entry) == 0)
    came = _outcomes(told, renewal_pipeline__history, account_snapshot, fct_revenue, portfolio=portfolio, as_of=as_of)
    rows = beside(told, came, *ENTRY)
    return conform(rows.mutate(outcome=ibis.coalesce(rows.outcome, OPEN)), contracts.actions(portfolio))


def playbook_outcomes(
    cs_intervention_list__history: ir.Table,
    actions: ir.Table,
    renewal_pipeline__history: ir.Table,
    account_snapshot: ir.Table,
    fct_revenue: ir.Table,
    *,
    portfolio: Portfolio,
    as_of: date,
) -> ir.Table:
    """Per playbook: the entries ever listed or acted on, what was done with them, and what came of their renewals.

    Grain: playbook. Reads all days of the list that are kept. An entry's playbook and ARR are those of the first day on
    which it was listed; of one that was never listed, those of its newest action.

    Columns: see the contract; shares are of ARR whose renewal is decided.

    Always true: every_entry_has_a_status, every_entry_has_an_outcome.
    """
    newest = actions.filter(actions.is_newest & actions.entry_id.notnull())
    entries = ibis.union(
        _first_listed(cs_intervention_list__history).mutate(_listed=1),
        newest.select(*ENTRY, "playbook", "current_arr").mutate(_listed=0),
    )
    listed_first = ibis.row_number().over(ibis.window(group_by=list(ENTRY), order_by=entries["_listed"].desc()))
    placed = entries.mutate(_place=listed_first)
    once = placed.filter(placed["_place"] == 0).select(*ENTRY, "playbook", "current_arr")
    came = _outcomes(once, renewal_pipeline__history, account_snapshot, fct_revenue, portfolio=portfolio, as_of=as_of)
    known = beside(beside(once, came, *ENTRY), newest.select(*ENTRY, "status"), *ENTRY)
    arr = ibis.coalesce(known.current_arr, NO_MONEY)
    known = known.mutate(
        playbook=ibis.coalesce(known.playbook, NO_VALUE),
        status=ibis.coalesce(known.status, OPEN),
        _arr=arr,
        _is_kept=known.outcome.isin((RENEWED, EXPANDED)),
        _is_decided=known.outcome != OPEN,
    )
    counted = known.group_by("playbook").agg(
        entries=known.count(),
        **{f"{status}_entries": known.count(where=known.status == status) for status in ACTION_STATUSES},
        undecided=known.count(where=~known["_is_decided"]),
        **{outcome: known.count(where=known.outcome == outcome) for outcome in OUTCOMES if outcome != OPEN},
        listed_arr=known["_arr"].sum(),
        kept_arr=_sum(known, known["_is_kept"]),
        lost_arr=_sum(known, known.outcome == LOST),
        kept_done_pct=_kept_pct(known, known.status == DONE),
        kept_not_done_pct=_kept_pct(known, known.status != DONE),
    )
    return conform(counted, contracts.playbook_outcomes(portfolio))


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


def _first_listed(listed: ir.Table) -> ir.Table:
    """Each entry once, as on the first day on which it was listed."""
    first = ibis.row_number().over(ibis.window(group_by=list(ENTRY), order_by=listed.as_of.asc()))
    placed = listed.mutate(_place=first)
    return placed.filter(placed["_place"] == 0).select(*ENTRY, "current_arr", playbook="recommended_playbook")


def _outcomes(
    entries: ir.Table,
    pipeline: ir.Table,
    account_snapshot: ir.Table,
    fct_revenue: ir.Table,
    *,
    portfolio: Portfolio,
    as_of: date,
) -> ir.Table:
    """account_id, renewal_date, outcome, outcome_arr of each entry, by the ledger, before it reaches so far by the day.

    Args:
        entries: account_id, renewal_date, current_arr (when it was listed or acted on); rows without a date are left out.
        pipeline: All days.
        account_snapshot: Of `as_of`.
        fct_revenue: The ledger.
        portfolio: Its settings.
        as_of: The day.
    """
    named = entries.filter(entries.renewal_date.notnull())
    once = named.group_by(list(ENTRY)).agg(_then=named.current_arr.max())
    kept_days = renewal_settings(portfolio).keep_overdue_days
    settled_on = (once.renewal_date + ibis.interval(days=kept_days)).cast("date")
    once = once.mutate(_settled=month_index(settled_on))
    ledger = fct_revenue.select("account_id", _settled=month_index(fct_revenue.revenue_month), _arr_settled="arr")
    pending = pipeline.filter(pipeline.as_of == ibis.literal(as_of)).select(*ENTRY, _pending=ibis.literal(True))
    today = account_snapshot.select(
        "account_id",
        _arr_now="current_arr",
        _horizon="horizon_month",
        _next="renewal_date",
        _pays=is_in_book(account_snapshot, portfolio=portfolio),
    )
    rows = beside(beside(beside(once, ledger, "account_id", "_settled"), pending, *ENTRY), today, "account_id")
    horizon = month_index(today["_horizon"].max().as_scalar())
    is_settled = ibis.coalesce(rows["_settled"] <= horizon, ibis.literal(False))
    pays = ibis.coalesce(rows["_pays"], ibis.literal(False))
    has_passed = (rows.renewal_date <= ibis.literal(as_of)) | ibis.coalesce(rows["_next"] > rows.renewal_date, False)
    arr = ibis.ifelse(is_settled, ibis.coalesce(rows["_arr_settled"], NO_MONEY), rows["_arr_now"])
    came = ibis.ifelse(ibis.coalesce(arr > rows["_then"], False), EXPANDED, RENEWED)
    outcome = ibis.cases(
        (is_settled & (arr > NO_MONEY), came),
        (is_settled, ibis.literal(LOST)),
        (ibis.coalesce(rows["_pending"], False), ibis.literal(OPEN)),
        (~pays, ibis.literal(LOST)),
        (has_passed, came),
        else_=ibis.literal(OPEN),
    )
    rows = rows.mutate(outcome=outcome, _arr=arr)
    outcome_arr = ibis.cases(
        (rows.outcome == OPEN, ibis.null(MONEY)), (rows.outcome == LOST, NO_MONEY), else_=rows["_arr"]
    )
    return rows.select(*ENTRY, "outcome", outcome_arr=outcome_arr.cast(MONEY))


def _sum(rows: ir.Table, which: ir.BooleanValue) -> ir.DecimalValue:
    return ibis.coalesce(rows["_arr"].sum(where=which), NO_MONEY)


def _kept_pct(rows: ir.Table, which: ir.BooleanValue) -> ir.FloatingValue:
    """100 x the ARR kept / the ARR decided, of these entries."""
    decided = _sum(rows, which & rows["_is_decided"])
    return share(_sum(rows, which & rows["_is_kept"]), decided)
