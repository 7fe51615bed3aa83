"""The contract of `nrr_outlook`, its scenarios, and what orders them.

The model is `cx_intel.models.renewals.outlook`; definitions: Renewals in the metric definitions.
"""

from collections.abc import Mapping
from functools import reduce
from operator import or_

import ibis.expr.types as ir

from cx_intel.contracts.contract import COUNT, NUMBER, TEXT, Column, Contract, CrossInvariant, Invariant
from cx_intel.contracts.core import AS_OF, SIZE_MRR
from cx_intel.contracts.renewals.pipeline import WINDOW_DAYS, money_column, percentage_column
from cx_intel.contracts.staging.values import NO_VALUE
from cx_intel.contracts.support import MODEL_FAULT
from cx_intel.settings.portfolio import Portfolio

ALL_SEGMENTS = "all"
SIMULATED = {"simulated_p10": 0.10, "simulated_p50": 0.50, "simulated_p90": 0.90}
"""Scenario: its quantile of the draws."""
SCENARIOS = ("all_renew", "expected_no_action", "expected_with_playbooks", "worst_case", *SIMULATED)

RISING = (
    ("worst_case", "expected_no_action"),
    ("expected_no_action", "expected_with_playbooks"),
    ("expected_with_playbooks", "all_renew"),
    ("simulated_p10", "simulated_p50"),
    ("simulated_p50", "simulated_p90"),
    ("simulated_p90", "all_renew"),
)
"""Scenarios, the first of which never ends above the second."""


def nrr_outlook(portfolio: Portfolio) -> Contract:
    return Contract(
        "nrr_outlook",
        "renewals",
        f"What becomes of NRR in the next {WINDOW_DAYS} days if nobody acts, and if the playbooks work?",
        ("as_of", "segment", "scenario"),
        (
            AS_OF,
            Column(
                "segment",
                TEXT,
                f"Customer segment; {ALL_SEGMENTS} for the total, {NO_VALUE} where an account has none.",
                nullable=False,
            ),
            Column("scenario", TEXT, "What is assumed of the renewals.", nullable=False, accepted=SCENARIOS),
            Column(
                "renewals_due",
                COUNT,
                f"Accounts that renew within {WINDOW_DAYS} days.",
                "accounts",
                False,
                minimum=0,
            ),
            Column(
                "learned_renewals",
                COUNT,
                "Of renewals_due, those whose probability is learnt; the others have the map's.",
                "accounts",
                False,
                minimum=0,
            ),
            money_column("starting_mrr", "MRR of the renewals due: current, or last of a lapsed term.", SIZE_MRR),
            money_column("ending_mrr", "What of it stays.", SIZE_MRR),
            money_column("lapsed_mrr", "Of starting_mrr, the last MRR of lapsed terms, outside the book.", SIZE_MRR),
            money_column(
                "announced_contraction_mrr",
                f"What accounts of the book that stay lose by announced ends within {WINDOW_DAYS} days, in each scenario.",
                SIZE_MRR,
            ),
            percentage_column("nrr_pct", "ending_mrr of starting_mrr.", "no renewal is due"),
            money_column("book_starting_mrr", "Current MRR of all paying accounts.", SIZE_MRR),
            Column(
                "book_nrr_pct",
                NUMBER,
                "What stays of the whole book, of what it is now.",
                "%",
                null_means="nobody pays",
                minimum=0,
                maximum=100,
            ),
        ),
        kind="snapshot",
        invariants=(
            Invariant(
                "ends_within_start",
                "ending_mrr is at most starting_mrr, and that without what lapsed at most book_starting_mrr.",
                lambda t: (t.ending_mrr <= t.starting_mrr) & (t.starting_mrr - t.lapsed_mrr <= t.book_starting_mrr),
                MODEL_FAULT,
            ),
            Invariant(
                "rate_when_due",
                "nrr_pct is there exactly where starting_mrr is above 0.",
                lambda t: t.nrr_pct.notnull() == (t.starting_mrr > 0),
                MODEL_FAULT,
            ),
        ),
        cross_invariants=(
            CrossInvariant(
                "scenarios_in_order",
                "No scenario ends above one that assumes at least as much: "
                + ", ".join(f"{a} <= {b}" for a, b in RISING),
                (),
                _falling,
                MODEL_FAULT,
            ),
            CrossInvariant(
                "segments_sum_to_total",
                "Renewals due, starting and book MRR, summed over segments, are the total's.",
                (),
                _segments_differ,
                MODEL_FAULT,
            ),
        ),
        plots={
            "book_nrr_pct": lambda t: t.book_nrr_pct.max(
                where=(t.segment == ALL_SEGMENTS) & (t.scenario == "expected_no_action")
            ),
        },
    )


def _falling(tables: Mapping[str, ir.Table]) -> ir.Table:
    t = tables["self"]
    wide = t.group_by(["as_of", "segment"]).agg(
        **{scenario: t.ending_mrr.max(where=t.scenario == scenario) for scenario in SCENARIOS}
    )
    return wide.filter(reduce(or_, (wide[lower] > wide[upper] for lower, upper in RISING)))


def _segments_differ(tables: Mapping[str, ir.Table]) -> ir.Table:
    t = tables["self"]
    is_total = t.segment == ALL_SEGMENTS
    sums = t.group_by(["as_of", "scenario"]).agg(
        **{
            f"{side}_{name}": t[name].sum(where=rows).fill_null(0)
            for name in ("renewals_due", "starting_mrr", "book_starting_mrr")
            for side, rows in (("segments", ~is_total), ("total", is_total))
        }
    )
    differs = (
        sums[f"segments_{name}"] != sums[f"total_{name}"]
        for name in ("renewals_due", "starting_mrr", "book_starting_mrr")
    )
    return sums.filter(reduce(or_, differs))
