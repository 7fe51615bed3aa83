"""What is done about a renewal: the playbook that fits, and who is called first (`cs_intervention_list`).

How likely a renewal is stands in `renewals.py`; how signals and numbers are put into words in `wording.py`.
"""

from collections.abc import Mapping
from datetime import date, timedelta

import ibis
import ibis.expr.types as ir

from cx_intel.contracts.contract import MONEY, conform
from cx_intel.contracts.renewals import actions as contracts
from cx_intel.contracts.renewals.actions import list_order, to_be_listed
from cx_intel.contracts.renewals.hold_out import held_out, shrunk
from cx_intel.contracts.renewals.hold_out import hold_out_assignments as contract_of_hold_out
from cx_intel.contracts.renewals.hold_out import playbook_save_rates as contract_of_rates
from cx_intel.contracts.renewals.interventions import entry_id
from cx_intel.models.expressions.conditions import first_match, holds
from cx_intel.models.expressions.joins import beside
from cx_intel.models.expressions.literals import number
from cx_intel.models.expressions.wording import boolean_signals, signal_in_words
from cx_intel.settings.portfolio import Portfolio
from cx_intel.settings.renewals import CANCELLED, LOSS, SAVED_PER_HOUR

EXACT = "decimal(20, 6)"
"""Wide enough for an amount times a rate on every engine."""


def playbook_columns(renewals: ir.Table, fields: Mapping[str, ir.Value], *, portfolio: Portfolio) -> ir.Table:
    """The renewals with `recommended_playbook`, `due_in_days`, `save_rate` and `effort_hours`: of the first that fits.

    Args:
        renewals: Rows with `renewal_risk`.
        fields: What the conditions of playbooks may name: values of the same table.
        portfolio: Its playbooks cover each risk, the last without a condition.
    """
    playbooks = portfolio.playbooks
    fits = [
        (renewals.renewal_risk == p.risk) & holds(p.if_, fields) if p.if_ else renewals.renewal_risk == p.risk
        for p in playbooks
    ]
    chosen = renewals.mutate(_playbook=first_match([(fit, n) for n, fit in enumerate(fits)], None))
    numbers = [chosen["_playbook"] == n for n in range(len(playbooks))]
    return chosen.mutate(
        recommended_playbook=first_match([(n, p.action) for n, p in zip(numbers, playbooks, strict=True)], None),
        due_in_days=first_match([(n, p.due_in_days) for n, p in zip(numbers, playbooks, strict=True)], None),
        save_rate=first_match([(n, number(p.save_rate)) for n, p in zip(numbers, playbooks, strict=True)], None),
        effort_hours=first_match([(n, number(p.effort_hours)) for n, p in zip(numbers, playbooks, strict=True)], None),
    )


def cs_intervention_list(
    renewal_pipeline: ir.Table,
    health_score_drivers: ir.Table,
    actions: ir.Table | None = None,
    hold_out_assignments: ir.Table | None = None,
    playbook_save_rates: ir.Table | None = None,
    *,
    portfolio: Portfolio,
    as_of: date,
) -> ir.Table:
    """Cancelled accounts and renewals at Critical or High risk within 90 days, in the order in which to call them.

    Grain: as_of, account_id. Reads the pipeline and the drivers of `as_of`, and the actions known by then: what is done,
    snoozed or dismissed is off the list until it is due again. Default: nothing was done. Accounts that are held out by lot
    stand last, and take no capacity; default: nobody is. What the playbooks saved decides the order where the portfolio
    wants that and enough is measured; default: nothing is.

    Columns: see the contract; a null primary_risk_signal says that no measured signal loses points.

    Always true: due_before_renewal, held_out_is_no_work, ranked_in_order, listed_renewals_are_in_the_pipeline,
    held_out_as_drawn.
    """
    listed = to_be_listed(renewal_pipeline, actions, portfolio)
    listed = _valued(listed.mutate(entry_id=entry_id(listed)), playbook_save_rates, portfolio)
    drawn = contract_of_hold_out(portfolio).no_rows() if hold_out_assignments is None else hold_out_assignments
    held = held_out(drawn, portfolio, as_of).mutate(_is_held=ibis.literal(True))
    listed = beside(listed, held, "account_id")
    listed = listed.mutate(is_held_out=ibis.coalesce(listed["_is_held"], False))
    worded = listed.left_join(_primary_signals(health_score_drivers, portfolio), "account_id").drop("account_id_right")
    is_cancelled = worded.renewal_risk == CANCELLED
    due = (ibis.literal(as_of) + worded.due_in_days.as_interval("D")).cast("date")
    day_before = (worded.renewal_date - ibis.interval(days=1)).cast("date")
    queue = ibis.window(group_by=[worded.owner, worded.is_held_out, is_cancelled], order_by=list_order(worded))
    place_of_owner = ibis.row_number().over(queue)
    capacity = portfolio.renewals.capacity_per_owner if portfolio.renewals else None
    is_reached = ibis.literal(True) if capacity is None else is_cancelled | (place_of_owner < capacity)
    ranked = worded.mutate(
        as_of=ibis.literal(as_of),
        priority_rank=ibis.row_number().over(ibis.window(order_by=list_order(worded))) + 1,
        due_date=ibis.greatest(ibis.least(due, day_before), ibis.literal(as_of + timedelta(days=1))),
        is_within_capacity=is_reached & ~worded.is_held_out,
    )
    return conform(ranked, contracts.cs_intervention_list(portfolio))


def _valued(listed: ir.Table, rates: ir.Table | None, portfolio: Portfolio) -> ir.Table:
    """The renewals with what an hour is expected to save, and what they are ranked by."""
    rates = contract_of_rates(portfolio).no_rows() if rates is None else rates
    measured = rates.filter(rates.is_enough).select("measured_save_rate", "counts_as", _of="playbook")
    is_enough = ibis.coalesce(rates.is_enough.any().as_scalar(), False)
    rows = listed.left_join(measured, listed.recommended_playbook == measured["_of"])
    found = shrunk(rows.measured_save_rate, rows.counts_as, rows.save_rate)
    expected = ibis.ifelse(rows.renewal_risk == CANCELLED, rows.save_rate, ibis.coalesce(found, rows.save_rate))
    saved = rows.expected_arr_loss.cast(EXACT) * (expected / rows.effort_hours).cast(EXACT)
    wanted = portfolio.renewals.ranked_by if portfolio.renewals else LOSS
    by = ibis.ifelse(is_enough, SAVED_PER_HOUR, LOSS) if wanted == SAVED_PER_HOUR else ibis.literal(LOSS)
    return rows.mutate(expected_save_rate=expected, saved_arr_per_hour=saved.round(2).cast(MONEY), ranked_by=by)


def _primary_signals(health_score_drivers: ir.Table, portfolio: Portfolio) -> ir.Table:
    """The measured signal of each account that loses most points (ties: by name), in words."""
    d = health_score_drivers
    losing = d.filter(d.is_measured & (d.points_lost > 0))
    place = ibis.row_number().over(
        ibis.window(group_by="account_id", order_by=[losing.points_lost.desc(), losing.signal.asc()])
    )
    first = losing.mutate(place=place)
    first = first.filter(first.place == 0)
    words = signal_in_words(
        first.label,
        first.value,
        first.unit,
        first.benchmark,
        is_boolean=first.signal.isin(boolean_signals(portfolio)),
    )
    return first.select("account_id", primary_signal="signal", primary_risk_signal=words)
