"""What is done about a renewal: the playbook that fits, and who is called first (`cs_intervention_list`).

How likely a renewal is stands in `renewals.py`; how signals and numbers are put into words in `wording.py`.
"""

from collections.abc import Mapping
from datetime import date, timedelta

import ibis
import ibis.expr.types as ir

from cx_intel.contracts.contract import conform
from cx_intel.contracts.renewals import actions as contracts
from cx_intel.contracts.renewals.actions import list_order, to_be_listed
from cx_intel.contracts.renewals.interventions import entry_id
from cx_intel.models.expressions.conditions import first_match, holds
from cx_intel.models.expressions.literals import number
from cx_intel.models.expressions.wording import boolean_signals, signal_in_words
from cx_intel.settings.portfolio import Portfolio
from cx_intel.settings.renewals import CANCELLED


def playbook_columns(renewals: ir.Table, fields: Mapping[str, ir.Value], *, portfolio: Portfolio) -> ir.Table:
    """The renewals with `recommended_playbook`, `due_in_days` and `save_rate`: of the first that fits.

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
    )


def cs_intervention_list(
    renewal_pipeline: ir.Table,
    health_score_drivers: ir.Table,
    actions: ir.Table | None = None,
    *,
    portfolio: Portfolio,
    as_of: date,
) -> ir.Table:
    """Cancelled accounts and renewals at Critical or High risk within 90 days, in the order in which to call them.

    Grain: as_of, account_id. Reads the pipeline and the drivers of `as_of`, and the actions known by then: what is done,
    snoozed or dismissed is off the list until it is due again. Default: nothing was done.

    Columns: see the contract; a null primary_risk_signal says that no measured signal loses points.

    Always true: due_before_renewal, ranked_by_expected_loss, listed_renewals_are_in_the_pipeline.
    """
    listed = to_be_listed(renewal_pipeline, actions, portfolio)
    listed = listed.mutate(entry_id=entry_id(listed))
    worded = listed.left_join(_primary_signals(health_score_drivers, portfolio), "account_id").drop("account_id_right")
    is_cancelled = worded.renewal_risk == CANCELLED
    due = (ibis.literal(as_of) + worded.due_in_days.as_interval("D")).cast("date")
    day_before = (worded.renewal_date - ibis.interval(days=1)).cast("date")
    queue = ibis.window(group_by=[worded.owner, is_cancelled], order_by=list_order(worded))
    place_of_owner = ibis.row_number().over(queue)
    capacity = portfolio.renewals.capacity_per_owner if portfolio.renewals else None
    ranked = worded.mutate(
        as_of=ibis.literal(as_of),
        priority_rank=ibis.row_number().over(ibis.window(order_by=list_order(worded))) + 1,
        due_date=ibis.greatest(ibis.least(due, day_before), ibis.literal(as_of + timedelta(days=1))),
        is_within_capacity=ibis.literal(True) if capacity is None else is_cancelled | (place_of_owner < capacity),
    )
    return conform(ranked, contracts.cs_intervention_list(portfolio))


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
