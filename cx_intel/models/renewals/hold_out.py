"""Draws by lot who is left without a call, and measures what playbooks saved: `hold_out_assignments`, `playbook_save_rates`.

Engines have no digest in common, so the lot is worked out here and compared there. For whom nothing is to be done stands with the
contracts (`cx_intel.contracts.renewals.hold_out`); intervals and verdicts: `effects.py`. Definitions: `docs/actions.md`.
"""

from collections.abc import Iterable
from datetime import date
from decimal import Decimal
from hashlib import blake2b

import ibis
import ibis.expr.types as ir
import pandas as pd
import pyarrow as pa

from cx_intel.contracts.contract import MONEY, conform
from cx_intel.contracts.renewals import hold_out as contracts
from cx_intel.contracts.renewals.actions import is_to_be_listed
from cx_intel.contracts.renewals.hold_out import LEAST_DECIDED, is_compared
from cx_intel.contracts.renewals.interventions import LOST
from cx_intel.contracts.staging.values import OPEN
from cx_intel.models.expressions.joins import beside
from cx_intel.models.expressions.shares import ratio
from cx_intel.models.renewals.outcomes import ENTRY, outcomes_of
from cx_intel.models.renewals.pipeline import renewal_settings
from cx_intel.settings.portfolio import Portfolio
from cx_intel.settings.renewals import HoldOutSettings

DRAWN = (
    "account_id",
    "assigned_on",
    "place",
    "share_pct",
    "is_held_out",
    "is_compared",
    "renewal_date",
    "playbook",
    "renewal_risk",
    "health_score",
    "days_to_renewal",
    "current_arr",
)
"""What stays as it was when an account was drawn."""
_BITS = 53
"""Of a hash that a float holds exactly."""


def hold_out_assignments(
    renewal_pipeline: pd.DataFrame,
    renewal_pipeline__history: ir.Table,
    account_snapshot: ir.Table,
    fct_revenue: ir.Table,
    *,
    portfolio: Portfolio,
    as_of: date,
    previous: ir.Table,
) -> ir.Table:
    """The accounts that were drawn by lot when they were first at risk within the window, and what came of that renewal.

    Grain: account_id. Reads the pipeline of `as_of` for those who are drawn now, its earlier days for whether their renewal
    was listed before, and, as `previous`, its own earlier rows: what an account was drawn it stays, whatever share and key
    are now.

    Columns: see the contract.

    Always true: held_out_below_the_share, outcome_has_arr.
    """
    settings = renewal_settings(portfolio).hold_out
    drawn = previous.select(*DRAWN)
    if settings is not None and settings.share_pct > 0 and (settings.ended_on is None or as_of <= settings.ended_on):
        lots = lots_of(renewal_pipeline["account_id"], settings)
        drawn = ibis.union(drawn, _drawn_now(lots, renewal_pipeline__history, previous, settings, as_of))
    came = outcomes_of(
        drawn, renewal_pipeline__history, account_snapshot, fct_revenue, portfolio=portfolio, as_of=as_of
    )
    rows = beside(drawn, came, *ENTRY)
    return conform(rows, contracts.hold_out_assignments(portfolio))


def lots_of(account_ids: Iterable[str], settings: HoldOutSettings) -> ir.Table:
    """_account, place: where the keyed hash of each id lies, 0 to 1."""
    named = sorted(set(account_ids))
    rows = {"_account": named, "place": [place_of(one, settings.key) for one in named]}
    schema = ibis.schema({"_account": "string", "place": "float64"})
    return ibis.memtable(pa.table(rows, schema=schema.to_pyarrow()), schema=schema)


def place_of(account_id: str, key: str) -> float:
    """At least 0 and below 1, by the id and the key alone: who lies below a share lies below each larger one."""
    digest = blake2b(account_id.encode(), key=blake2b(key.encode(), digest_size=32).digest(), digest_size=8).digest()
    return float((int.from_bytes(digest, "big") >> (64 - _BITS)) / 2**_BITS)


def playbook_save_rates(hold_out_assignments: ir.Table, *, portfolio: Portfolio) -> ir.Table:
    """Per playbook the share of losses that it averted: what was lost of accounts to call, against accounts held out.

    Grain: playbook. By assignment, whatever was done: who was to be called and was not counts as called. Reads renewals that
    are decided, of accounts that are compared, due by the end of the hold-out.

    Columns: see the contract.

    Always true: lost_within_decided.
    """
    decided = hold_out_assignments.filter(
        is_compared(hold_out_assignments, portfolio) & (hold_out_assignments.outcome != OPEN)
    )
    is_lost, held = decided.outcome == LOST, decided.is_held_out
    counts = decided.group_by("playbook").agg(
        called=decided.count(where=~held),
        called_lost=decided.count(where=~held & is_lost),
        held_out=decided.count(where=held),
        held_out_lost=decided.count(where=held & is_lost),
    )
    everything = ibis.window()
    called, held_out = counts.called.sum().over(everything), counts.held_out.sum().over(everything)
    lost = ratio(counts.called_lost, counts.called) / ratio(counts.held_out_lost, counts.held_out).nullif(0)
    rows = counts.mutate(
        measured_save_rate=ibis.ifelse(lost > 1, 0.0, 1 - lost),
        counts_as=ibis.least(counts.called, counts.held_out),
        is_enough=(called >= LEAST_DECIDED) & (held_out >= LEAST_DECIDED),
    )
    return conform(rows, contracts.playbook_save_rates(portfolio))


def _drawn_now(
    lots: ir.Table, pipeline: ir.Table, previous: ir.Table, settings: HoldOutSettings, as_of: date
) -> ir.Table:
    at_risk = pipeline.filter(is_to_be_listed(pipeline))
    today = at_risk.filter(at_risk.as_of == ibis.literal(as_of)).anti_join(previous.select("account_id"), "account_id")
    before = at_risk.filter(at_risk.as_of < ibis.literal(as_of)).select(*ENTRY).distinct()
    rows = beside(today, before.mutate(_was_listed=ibis.literal(True)), *ENTRY)
    rows = rows.inner_join(lots, rows.account_id == lots["_account"])
    most = None if settings.up_to_arr is None else Decimal(str(settings.up_to_arr))
    is_exempt = ibis.literal(False) if most is None else rows.current_arr > ibis.literal(most, MONEY)
    share = ibis.literal(float(settings.share_pct))
    return rows.mutate(
        assigned_on=ibis.literal(as_of),
        share_pct=share,
        is_held_out=(rows.place * 100 < share) & ~is_exempt,
        is_compared=rows["_was_listed"].isnull() & ~is_exempt,
        playbook=rows.recommended_playbook,
    ).select(*DRAWN)
