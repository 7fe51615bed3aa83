"""The contract of the intervention list, and the rule and order that make it.

The model is `cx_intel.models.renewals.actions`; definitions: Renewals in the metric definitions.
"""

from collections.abc import Mapping
from functools import partial

import ibis
import ibis.expr.types as ir

from cx_intel.contracts.contract import COUNT, DATE, FLAG, TEXT, Column, Contract, CrossInvariant, Invariant
from cx_intel.contracts.core import AS_OF, SIZE_ARR
from cx_intel.contracts.renewals.hold_out import goes_on
from cx_intel.contracts.renewals.interventions import DUE_AGAIN, entry_id_column, with_actions
from cx_intel.contracts.renewals.pipeline import (
    WINDOW_DAYS,
    account_columns,
    days_to_renewal_column,
    health_columns,
    money_column,
    playbook_column,
    playbook_figures,
    probability_columns,
    share_column,
)
from cx_intel.contracts.support import MODEL_FAULT
from cx_intel.settings.portfolio import Portfolio
from cx_intel.settings.renewals import CANCELLED, RANKINGS, SAVED_PER_HOUR

LISTED_RISKS = (CANCELLED, "Critical", "High")


def cs_intervention_list(portfolio: Portfolio) -> Contract:
    return Contract(
        "cs_intervention_list",
        "renewals",
        "Whom to call first: cancelled accounts, then renewals at Critical or High risk, within 90 days, by expected loss.",
        ("as_of", "account_id"),
        (
            AS_OF,
            entry_id_column(nullable=False),
            Column("priority_rank", COUNT, "1 is the first to call.", nullable=False, minimum=1),
            *account_columns(),
            money_column("expected_arr_loss", "ARR x (1 - renewal probability)."),
            *probability_columns(),
            *health_columns(portfolio),
            Column("renewal_risk", TEXT, "Cancelled, Critical or High.", nullable=False, accepted=LISTED_RISKS),
            Column("renewal_date", DATE, "Next renewal; of a cancelled account, its end.", nullable=False),
            days_to_renewal_column(portfolio, WINDOW_DAYS),
            Column(
                "primary_signal",
                TEXT,
                "The signal of primary_risk_signal, by name.",
                null_means="no measured signal loses any",
            ),
            Column(
                "primary_risk_signal",
                TEXT,
                "The measured signal that loses most points, in words.",
                null_means="no measured signal loses any",
            ),
            playbook_column(portfolio, "recommended_playbook", "What to do.", nullable=False),
            Column(
                "due_date",
                DATE,
                "By when: the playbook's days, the day before the renewal at the latest, tomorrow at the earliest.",
                nullable=False,
            ),
            *playbook_figures(),
            share_column(
                "expected_save_rate",
                "save_rate, or where the hold-out measured enough, what that measured, drawn towards it.",
            ),
            money_column(
                "saved_arr_per_hour", "expected_arr_loss x expected_save_rate / effort_hours.", f"{SIZE_ARR}, per hour"
            ),
            Column(
                "ranked_by",
                TEXT,
                "What the order of the day follows: expected_arr_loss, or saved_arr_per_hour where renewals.ranked_by wants it "
                "and the hold-out measured enough.",
                nullable=False,
                accepted=RANKINGS,
            ),
            Column(
                "is_held_out",
                FLAG,
                "Drawn by lot to be left without a call (renewals.hold_out): no work, ranked last.",
                nullable=False,
            ),
            Column(
                "is_within_capacity",
                FLAG,
                "It is given as work: the owner's capacity reaches down to this rank, and it is not held out. Cancelled accounts "
                "take no capacity.",
                nullable=False,
            ),
            Column(
                "due_again",
                TEXT,
                "Why an entry that was acted on is back: its snooze ended, it was done renewals.due_again_days ago and is "
                "still at risk, or the renewal risk is worse than when it was acted on.",
                null_means="nothing was done yet, or it was opened again",
                accepted=DUE_AGAIN,
            ),
        ),
        kind="snapshot",
        invariants=(
            Invariant(
                "due_before_renewal",
                "due_date lies after as_of, and before renewal_date where that is more than a day ahead.",
                lambda t: (t.as_of < t.due_date) & ((t.days_to_renewal <= 1) | (t.due_date < t.renewal_date)),
                MODEL_FAULT,
            ),
            Invariant(
                "held_out_is_no_work",
                "An account that is held out is not within capacity.",
                lambda t: ~(t.is_held_out & t.is_within_capacity),
                MODEL_FAULT,
            ),
        ),
        cross_invariants=(
            CrossInvariant(
                "ranked_in_order",
                "priority_rank: held out last, cancelled accounts first, then by what ranked_by names and expected_arr_loss, "
                "both descending, days_to_renewal, account_id.",
                (),
                _out_of_order,
                MODEL_FAULT,
            ),
            CrossInvariant(
                "listed_renewals_are_in_the_pipeline",
                "Listed are exactly those of the day's renewal_pipeline at Cancelled, Critical or High risk in the window "
                "that no action keeps off.",
                ("renewal_pipeline", "actions"),
                partial(_listed_otherwise, portfolio=portfolio),
                "Refresh renewal_pipeline, actions and cs_intervention_list of the day together.",
            ),
            *_as_drawn(portfolio),
        ),
        plots={
            "interventions": lambda t: t.count(),
            "expected_arr_loss": lambda t: t.expected_arr_loss.sum(),
        },
    )


def list_order(t: ir.Table) -> list[ir.Value]:
    """The order of the intervention list."""
    is_last, is_first = (ibis.ifelse(flag, 1, 0) for flag in (t.is_held_out, t.renewal_risk == CANCELLED))
    worth = ibis.ifelse(t.ranked_by == SAVED_PER_HOUR, t.saved_arr_per_hour, t.expected_arr_loss)
    by_worth = [worth.desc(), t.expected_arr_loss.desc(), t.days_to_renewal.asc(), t.account_id.asc()]
    return [is_last.asc(), is_first.desc(), *by_worth]


def is_to_be_listed(pipeline: ir.Table) -> ir.BooleanValue:
    """Renewal risk Cancelled, Critical or High, and within the window."""
    return pipeline.renewal_risk.isin(LISTED_RISKS) & (pipeline.days_to_renewal <= WINDOW_DAYS)


def _out_of_order(tables: Mapping[str, ir.Table]) -> ir.Table:
    t = tables["self"]
    expected = ibis.row_number().over(ibis.window(group_by="as_of", order_by=list_order(t))) + 1
    ranked = t.mutate(expected_rank=expected)
    return ranked.filter(ranked.priority_rank != ranked.expected_rank)


def to_be_listed(pipeline: ir.Table, actions: ir.Table | None, portfolio: Portfolio) -> ir.Table:
    """The renewals that belong on the list: those at risk that no action keeps off, with `due_again`."""
    at_risk = pipeline.filter(is_to_be_listed(pipeline))
    if actions is None:
        return at_risk.mutate(due_again=ibis.null(TEXT))
    marked = with_actions(at_risk, actions, portfolio)
    return marked.filter(~marked.is_kept_off).drop("is_kept_off")


def _as_drawn(portfolio: Portfolio) -> tuple[CrossInvariant, ...]:
    """The rule of a portfolio that holds accounts out; without one nothing is drawn."""
    if not (portfolio.renewals and portfolio.renewals.hold_out):
        return ()
    rule = CrossInvariant(
        "held_out_as_drawn",
        "Held out are exactly those whom hold_out_assignments holds out on the day.",
        ("hold_out_assignments",),
        partial(_held_out_otherwise, portfolio=portfolio),
        "Refresh hold_out_assignments and cs_intervention_list of the day together.",
    )
    return (rule,)


def _held_out_otherwise(tables: Mapping[str, ir.Table], *, portfolio: Portfolio) -> ir.Table:
    listed, drawn = tables["self"].select("as_of", "account_id", "is_held_out"), tables["hold_out_assignments"]
    held = drawn.select("assigned_on", _account="account_id", _is_drawn="is_held_out")
    rows = listed.left_join(held, listed.account_id == held["_account"]).drop("_account")
    is_meant = rows["_is_drawn"] & (rows.assigned_on <= rows.as_of) & goes_on(rows.as_of, portfolio)
    return rows.filter(rows.is_held_out != ibis.coalesce(is_meant, False))


def _listed_otherwise(tables: Mapping[str, ir.Table], *, portfolio: Portfolio) -> ir.Table:
    listed = tables["self"].select("as_of", "account_id")
    meant = to_be_listed(tables["renewal_pipeline"], tables.get("actions"), portfolio).select("as_of", "account_id")
    keys = ["as_of", "account_id"]
    return ibis.union(
        listed.anti_join(meant, keys).mutate(fault=ibis.literal("not in the pipeline")),
        meant.anti_join(listed, keys).mutate(fault=ibis.literal("not listed")),
    )
