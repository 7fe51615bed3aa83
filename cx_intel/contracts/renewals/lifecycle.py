"""The contract of `lifecycle_events`: what happened to an account that customer success should know of.

The model is `cx_intel.models.renewals.lifecycle`; definitions: Renewals in the metric definitions.
"""

from cx_intel.contracts.contract import TEXT, Column, Contract, Invariant
from cx_intel.contracts.core import AS_OF
from cx_intel.contracts.renewals.pipeline import playbook_column
from cx_intel.contracts.support import MODEL_FAULT
from cx_intel.settings.portfolio import Portfolio

TIER_CHANGE, SIGNAL_DROP, CANCELLATION = "tier_change", "signal_drop", "cancellation_announced"


def lifecycle_events(portfolio: Portfolio) -> Contract:
    return Contract(
        "lifecycle_events",
        "renewals",
        "Which accounts changed tier, dropped in a watched signal or cancelled, and why? Each event raises one task.",
        ("as_of", "event_id"),
        (
            Column(
                "event_id",
                TEXT,
                "Digest of portfolio, type, signal and as_of, and the account.",
                nullable=False,
            ),
            AS_OF,
            Column("account_id", TEXT, "The account.", nullable=False),
            Column(
                "event_type", TEXT, "What happened.", nullable=False, accepted=(TIER_CHANGE, SIGNAL_DROP, CANCELLATION)
            ),
            Column(
                "signal",
                TEXT,
                "The watched signal that dropped.",
                null_means="the event is no drop",
                accepted=tuple(portfolio.lifecycle.watched_signals),
            ),
            Column("from_value", TEXT, "Confirmed tier, signal, or in force, before.", nullable=False),
            Column("to_value", TEXT, "Confirmed tier or signal at as_of; the end that was announced.", nullable=False),
            Column(
                "signal_points",
                TEXT,
                "Of a change of tier: the points by the signal of those that moved most that way, at most three; a JSON object.",
                null_means="no signal did, the event is no change of tier, or an earlier version of the program wrote it",
            ),
            Column(
                "reason",
                TEXT,
                "Why, in words: the drop, the signals that moved the score, or what ends when.",
                nullable=False,
            ),
            playbook_column(
                portfolio,
                "playbook",
                "The playbook of the account's renewal.",
                null_means="it does not renew within 270 days, or is held out (renewals.hold_out)",
            ),
        ),
        kind="snapshot",
        invariants=(
            Invariant(
                "signal_names_the_drop",
                "A signal is named exactly where the event is a drop.",
                lambda t: t.signal.notnull() == (t.event_type == SIGNAL_DROP),
                MODEL_FAULT,
            ),
            Invariant(
                "something_changed",
                "A change of tier leads to another tier.",
                lambda t: (t.event_type != TIER_CHANGE) | (t.from_value != t.to_value),
                MODEL_FAULT,
            ),
        ),
        plots={"events": lambda t: t.count()},
    )
