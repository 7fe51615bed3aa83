"""What came of renewals, and of the entries of the intervention list: `intervention_entries`, `playbook_outcomes`.

`outcomes_of` is the one rule for what came of a renewal, also of actions (`interventions.py`) and of accounts drawn by lot
(`hold_out.py`). Whether calls made the difference is asked in `effects.py`; definitions: `docs/actions.md`.
"""

from datetime import date

import ibis
import ibis.expr.types as ir

from cx_intel.contracts.contract import MONEY, conform
from cx_intel.contracts.renewals import effects
from cx_intel.contracts.renewals import interventions as contracts
from cx_intel.contracts.renewals.hold_out import is_compared
from cx_intel.contracts.renewals.interventions import EXPANDED, LOST, OUTCOMES, RENEWED, entry_id
from cx_intel.contracts.staging.values import ACTION_STATUSES, DONE, NO_VALUE, OPEN
from cx_intel.models.expressions.joins import beside
from cx_intel.models.expressions.months import month_index
from cx_intel.models.expressions.shares import share
from cx_intel.models.renewals.pipeline import is_in_book, renewal_settings
from cx_intel.models.revenue.account_mrr import NO_MONEY
from cx_intel.settings.portfolio import Portfolio

ENTRY = ("account_id", "renewal_date")
_AS_FOUND = ("playbook", "renewal_risk", "health_score", "days_to_renewal", "current_arr")
"""What is known of an entry when it was first listed, drawn or acted on."""


def intervention_entries(
    cs_intervention_list__history: ir.Table,
    actions: ir.Table,
    hold_out_assignments: ir.Table,
    renewal_pipeline__history: ir.Table,
    account_snapshot: ir.Table,
    fct_revenue: ir.Table,
    *,
    portfolio: Portfolio,
    as_of: date,
) -> ir.Table:
    """Each entry ever listed, drawn by lot or acted on, as it was then, what was done with it, and what came of it.

    Grain: account_id, renewal_date. Reads all days of the list that are kept. What is known of an entry is of the first day
    on which it was listed; of one whose days are no longer kept, of when it was drawn; of one that was never listed, of its
    newest action.

    Columns: see the contract.

    Always true: outcome_has_arr, acted_on_has_a_day.
    """
    newest = actions.filter(actions.is_newest & actions.entry_id.notnull())
    listed = _first_listed(cs_intervention_list__history)
    drawn = hold_out_assignments.select(*ENTRY, *_AS_FOUND, first_listed_on=ibis.null("date"), _order=ibis.literal(1))
    unlisted = {"health_score": ibis.null("float64"), "days_to_renewal": ibis.null("int64")}
    acted = newest.select(
        *ENTRY,
        *(name for name in _AS_FOUND if name not in unlisted),
        **unlisted,
        first_listed_on=ibis.null("date"),
        _order=ibis.literal(2),
    )
    columns = (*ENTRY, *_AS_FOUND, "first_listed_on", "_order")
    entries = ibis.union(*(found.select(*columns) for found in (listed, drawn, acted)))
    place = ibis.row_number().over(ibis.window(group_by=list(ENTRY), order_by=entries["_order"].asc()))
    placed = entries.mutate(_place=place)
    once = placed.filter(placed["_place"] == 0).drop("_place", "_order")
    came = outcomes_of(once, renewal_pipeline__history, account_snapshot, fct_revenue, portfolio=portfolio, as_of=as_of)
    known = beside(beside(once, came, *ENTRY), newest.select(*ENTRY, "status", "acted_on"), *ENTRY)
    lots = hold_out_assignments.select(*ENTRY, "is_held_out", is_compared=is_compared(hold_out_assignments, portfolio))
    known = beside(known, lots, *ENTRY)
    filled = known.mutate(
        entry_id=entry_id(known),
        playbook=ibis.coalesce(known.playbook, NO_VALUE),
        status=ibis.coalesce(known.status, OPEN),
        current_arr=ibis.coalesce(known.current_arr, NO_MONEY),
        is_compared=ibis.coalesce(known.is_compared, False),
    )
    return conform(filled, effects.intervention_entries(portfolio))


def playbook_outcomes(intervention_entries: ir.Table, *, portfolio: Portfolio) -> ir.Table:
    """Per playbook: the entries ever listed, drawn or acted on, what was done with them, and what came of their renewals.

    Grain: playbook. Whether the calls made the difference is in `playbook_effects`.

    Columns: see the contract; shares are of ARR whose renewal is decided.

    Always true: every_entry_has_a_status, every_entry_has_an_outcome.
    """
    known = intervention_entries.mutate(
        _is_kept=intervention_entries.outcome.isin((RENEWED, EXPANDED)),
        _is_decided=intervention_entries.outcome != OPEN,
    )
    counted = known.group_by("playbook").agg(
        entries=known.count(),
        **{f"{status}_entries": known.count(where=known.status == status) for status in ACTION_STATUSES},
        held_out_entries=known.count(where=ibis.coalesce(known.is_held_out, False)),
        undecided=known.count(where=~known["_is_decided"]),
        **{outcome: known.count(where=known.outcome == outcome) for outcome in OUTCOMES if outcome != OPEN},
        listed_arr=known.current_arr.sum(),
        kept_arr=_sum(known, known["_is_kept"]),
        lost_arr=_sum(known, known.outcome == LOST),
        kept_done_pct=_kept_pct(known, known.status == DONE),
        kept_not_done_pct=_kept_pct(known, known.status != DONE),
    )
    return conform(counted, contracts.playbook_outcomes(portfolio))


def _first_listed(listed: ir.Table) -> ir.Table:
    """Each entry once, as on the first day on which it was listed."""
    first = ibis.row_number().over(ibis.window(group_by=list(ENTRY), order_by=listed.as_of.asc()))
    placed = listed.mutate(_place=first)
    return placed.filter(placed["_place"] == 0).select(
        *ENTRY,
        *(name for name in _AS_FOUND if name != "playbook"),
        playbook="recommended_playbook",
        first_listed_on="as_of",
        _order=ibis.literal(0),
    )


def outcomes_of(
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
    return ibis.coalesce(rows.current_arr.sum(where=which), NO_MONEY)


def _kept_pct(rows: ir.Table, which: ir.BooleanValue) -> ir.FloatingValue:
    """100 x the ARR kept / the ARR decided, of these entries."""
    decided = _sum(rows, which & rows["_is_decided"])
    return share(_sum(rows, which & rows["_is_kept"]), decided)
