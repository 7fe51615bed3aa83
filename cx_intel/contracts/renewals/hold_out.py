"""The contracts of who is left without a call by lot, and of what the playbooks saved by that measure.

The rule for whom nothing is to be done, and that for what a measured save rate counts, stand here because checks, models and
reports need them too. Models: `cx_intel.models.renewals.hold_out`; definitions: Did acting help in `docs/actions.md`.
"""

from datetime import date
from typing import Any

import ibis
import ibis.expr.types as ir

from cx_intel.contracts.contract import COUNT, DATE, FLAG, NUMBER, TEXT, Column, Contract, Invariant
from cx_intel.contracts.renewals.interventions import outcome_columns, outcome_has_arr
from cx_intel.contracts.renewals.pipeline import money_column, playbook_column
from cx_intel.contracts.staging.values import NO_VALUE
from cx_intel.contracts.support import MODEL_FAULT
from cx_intel.settings.portfolio import Portfolio
from cx_intel.settings.renewals import RISK_LEVELS

LEAST_DECIDED = 20
"""Below so many accounts with a decided renewal, to call or held out, there is no verdict, and nothing is ranked by it."""
ASSUMED_COUNTS_AS = 20
"""The save rate that the YAML assumes counts as much as that many accounts."""


def hold_out_assignments(portfolio: Portfolio) -> Contract:
    return Contract(
        "hold_out_assignments",
        "renewals",
        "Which accounts of the intervention list are to be called and which are held out, drawn by lot, and what came of it?",
        ("account_id",),
        (
            Column("account_id", TEXT, "The account.", nullable=False),
            Column(
                "assigned_on", DATE, "The day on which it was drawn: first at risk within the window.", nullable=False
            ),
            Column(
                "place",
                NUMBER,
                "Where the keyed hash of its id lies; held out are those below the share.",
                "0 to 1",
                nullable=False,
                minimum=0,
                maximum=1,
            ),
            Column(
                "share_pct", NUMBER, "The share that was to be held out.", "%", nullable=False, minimum=0, maximum=50
            ),
            Column("is_held_out", FLAG, "It is not given as work, for good.", nullable=False),
            Column(
                "is_compared",
                FLAG,
                "It counts: its renewal was not on the list before it was drawn, and it is not exempt by its ARR.",
                nullable=False,
            ),
            Column("renewal_date", DATE, "The renewal that it was drawn for.", nullable=False),
            playbook_column(portfolio, "playbook", "The playbook on that day.", nullable=False),
            Column("renewal_risk", TEXT, "The risk on that day.", nullable=False, accepted=RISK_LEVELS),
            Column("health_score", NUMBER, "The score on that day.", "0 to 100", null_means="none then"),
            Column("days_to_renewal", COUNT, "Days left on that day.", "days", nullable=False),
            money_column("current_arr", "ARR on that day."),
            *outcome_columns(),
        ),
        invariants=(
            Invariant(
                "held_out_below_the_share",
                "Nobody is held out whose place is not below the share.",
                lambda t: ~t.is_held_out | (t.place * 100 < t.share_pct),
                MODEL_FAULT,
            ),
            outcome_has_arr(),
        ),
        plots={"held_out": lambda t: t.count(where=t.is_held_out), "assigned": lambda t: t.count()},
    )


def playbook_save_rates(portfolio: Portfolio) -> Contract:
    sides = {"called": "accounts to call", "held_out": "accounts held out"}
    counts = [
        column
        for side, who in sides.items()
        for column in (
            Column(side, COUNT, f"Decided renewals of {who}.", "accounts", nullable=False, minimum=0),
            Column(f"{side}_lost", COUNT, f"Of them, lost ones of {who}.", "accounts", nullable=False, minimum=0),
        )
    ]
    return Contract(
        "playbook_save_rates",
        "renewals",
        "Which share of the losses did each playbook avert, by the accounts held out?",
        ("playbook",),
        (
            Column("playbook", TEXT, f"The playbook; {NO_VALUE} where none was told.", nullable=False),
            *counts,
            Column(
                "measured_save_rate",
                NUMBER,
                "1 - the share lost of accounts to call / that of accounts held out, at least 0.",
                "0 to 1",
                null_means="nobody to call is decided, or nobody held out was lost",
                minimum=0,
                maximum=1,
            ),
            Column(
                "counts_as",
                COUNT,
                f"Accounts that the measured rate counts as, against {ASSUMED_COUNTS_AS} of the assumed one: the smaller side.",
                "accounts",
                nullable=False,
                minimum=0,
            ),
            Column(
                "is_enough",
                FLAG,
                f"Over all playbooks at least {LEAST_DECIDED} accounts are decided on each side.",
                nullable=False,
            ),
        ),
        invariants=(
            Invariant(
                "lost_within_decided",
                "No more are lost than decided.",
                lambda t: (t.called_lost <= t.called) & (t.held_out_lost <= t.held_out),
                MODEL_FAULT,
            ),
        ),
    )


def shrunk(measured: Any, counts_as: Any, assumed: Any) -> Any:
    """A measured save rate drawn towards the assumed one, by how many accounts it rests on: columns of Ibis, or numbers."""
    return (measured * counts_as + assumed * ASSUMED_COUNTS_AS) / (counts_as + ASSUMED_COUNTS_AS)


def goes_on(day: Any, portfolio: Portfolio) -> Any:
    """Whether anybody is held out on a day: a date, or a column of them."""
    settings = portfolio.renewals.hold_out if portfolio.renewals else None
    if settings is None:
        return ibis.literal(False)
    return ibis.literal(True) if settings.ended_on is None else ibis.literal(settings.ended_on) >= day


def held_out(assignments: ir.Table, portfolio: Portfolio, day: date) -> ir.Table:
    """account_id: the accounts for which nothing is to be done on a day."""
    is_drawn = assignments.is_held_out & (assignments.assigned_on <= ibis.literal(day))
    return assignments.filter(is_drawn & goes_on(ibis.literal(day), portfolio)).select("account_id")


def is_compared(assignments: ir.Table, portfolio: Portfolio) -> ir.BooleanValue:
    """Which accounts count: drawn before their renewal was listed, not exempt, and due by the end of the hold-out."""
    return assignments.is_compared & goes_on(assignments.renewal_date, portfolio)
