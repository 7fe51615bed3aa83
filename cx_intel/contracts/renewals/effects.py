"""The contracts of each entry of the intervention list with what came of it, and of whether the calls made the difference.

The models are in `cx_intel.models.renewals`, modules outcomes and effects; who is held out: `hold_out.py` beside this.
Definitions: Did acting help in `docs/actions.md`.
"""

import ibis

from cx_intel.contracts.contract import COUNT, DATE, FLAG, NUMBER, TEXT, Column, Contract, Invariant
from cx_intel.contracts.renewals.hold_out import LEAST_DECIDED
from cx_intel.contracts.renewals.interventions import entry_id_column, outcome_columns, outcome_has_arr
from cx_intel.contracts.renewals.pipeline import money_column, percentage_column
from cx_intel.contracts.staging.values import ACTION_STATUSES, NO_VALUE, OPEN
from cx_intel.contracts.support import MODEL_FAULT
from cx_intel.settings.portfolio import Portfolio
from cx_intel.settings.renewals import RISK_LEVELS

ALL_PLAYBOOKS = "all"
ASSIGNED, SIMILAR, DONE_OR_NOT = "assigned", "similar", "done_or_not"
COMPARISONS = {
    ASSIGNED: "accounts to call against accounts held out, by lot, whatever was done (intention to treat)",
    SIMILAR: "done entries against the most similar ones that were not",
    DONE_OR_NOT: "done entries against all others",
}
HELPED, HARMED, NOT_SHOWN, WITHHELD = "helped", "harmed", "not_shown", "withheld"
VERDICTS = (HELPED, HARMED, NOT_SHOWN, WITHHELD)
INTERVAL_PCT = 90


def intervention_entries(portfolio: Portfolio) -> Contract:
    unknown = "never listed or drawn, only acted on"
    return Contract(
        "intervention_entries",
        "renewals",
        "Each entry ever listed, drawn by lot or acted on: how it stood then, what was done, and what came of it?",
        ("account_id", "renewal_date"),
        (
            entry_id_column(nullable=False),
            Column("account_id", TEXT, "The account.", nullable=False),
            Column("renewal_date", DATE, "The renewal.", nullable=False),
            Column(
                "first_listed_on",
                DATE,
                "The first day on which it was listed, of those kept.",
                null_means="no day on which it was listed is kept",
            ),
            Column(
                "playbook",
                TEXT,
                f"The playbook when it was first listed or drawn; {NO_VALUE} where none was told.",
                nullable=False,
            ),
            Column(
                "renewal_risk", TEXT, "The risk then.", null_means="no snapshot of the renewal", accepted=RISK_LEVELS
            ),
            Column("health_score", NUMBER, "The health score then.", "0 to 100", null_means=f"none then, or {unknown}"),
            Column("days_to_renewal", COUNT, "Days to the renewal then.", "days", null_means=unknown),
            money_column("current_arr", "ARR then; 0 where no snapshot told it."),
            Column("status", TEXT, "Of its newest action; open of none.", nullable=False, accepted=ACTION_STATUSES),
            Column("acted_on", DATE, "The day of its newest action.", null_means="nothing was ever done with it"),
            Column("is_held_out", FLAG, "Drawn to be held out, or to be called.", null_means="it was not drawn by lot"),
            Column(
                "is_compared",
                FLAG,
                "By the lot: drawn before it was listed, and not exempt by its ARR.",
                nullable=False,
            ),
            *outcome_columns(),
        ),
        invariants=(
            outcome_has_arr(),
            Invariant(
                "acted_on_has_a_day",
                "What is not open has the day of an action.",
                lambda t: (t.status == OPEN) | t.acted_on.notnull(),
                MODEL_FAULT,
            ),
        ),
        plots={"decided": lambda t: t.count(where=t.outcome != OPEN)},
    )


def playbook_effects(portfolio: Portfolio) -> Contract:
    sides = {"acted": "acted on", "other": "compared with them"}
    none = "nobody is decided on one side"
    measures = {"": "of the accounts", "arr_": "of the ARR"}
    return Contract(
        "playbook_effects",
        "renewals",
        "Did calls make the difference: how many of the renewals called for were kept, and how many of those they compare with?",
        ("playbook", "comparison"),
        (
            Column("playbook", TEXT, f"The playbook; {ALL_PLAYBOOKS} for all together.", nullable=False),
            Column(
                "comparison",
                TEXT,
                "; ".join(f"{name}: {text}" for name, text in COMPARISONS.items()) + ".",
                nullable=False,
                accepted=tuple(COMPARISONS),
            ),
            *(
                column
                for side, who in sides.items()
                for column in (
                    Column(
                        f"{side}_accounts", COUNT, f"Decided accounts {who}.", "accounts", nullable=False, minimum=0
                    ),
                    Column(f"{side}_lost", COUNT, f"Of them, lost; {who}.", "accounts", nullable=False, minimum=0),
                    Column(
                        f"{side}_done", COUNT, f"Of them, with a call that is done; {who}.", nullable=False, minimum=0
                    ),
                    money_column(f"{side}_arr", f"Their ARR; {who}."),
                    percentage_column(f"{side}_kept_pct", f"Kept share of the accounts {who}.", "nobody is decided"),
                    percentage_column(f"{side}_kept_arr_pct", f"Kept share of the ARR {who}.", "no ARR is decided"),
                )
            ),
            *(
                Column(
                    f"{kind}{name}",
                    NUMBER,
                    text.format(of=of),
                    "percentage points",
                    null_means=none if not kind else f"{none}, or fewer than two are",
                    minimum=-100,
                    maximum=100,
                )
                for kind, of in measures.items()
                for name, text in (
                    ("difference_points", "Kept share {of} acted on, less that of the others."),
                    ("difference_low_points", f"Lower end of that difference's {INTERVAL_PCT} % interval, {{of}}."),
                    ("difference_high_points", f"Upper end of that difference's {INTERVAL_PCT} % interval, {{of}}."),
                )
            ),
            Column("undecided", COUNT, "Accounts of both sides whose renewal is open.", nullable=False, minimum=0),
            Column(
                "unmatched",
                COUNT,
                f"Decided accounts that were acted on and have no similar one; 0 of comparisons other than {SIMILAR}.",
                "accounts",
                nullable=False,
                minimum=0,
            ),
            Column(
                "missing",
                COUNT,
                f"Decided accounts that are missing on the smaller side to the {LEAST_DECIDED} that a verdict needs.",
                "accounts",
                nullable=False,
                minimum=0,
            ),
            Column(
                "verdict",
                TEXT,
                f"{HELPED} or {HARMED} where the interval of the accounts leaves out 0, else {NOT_SHOWN}; {WITHHELD} below "
                f"{LEAST_DECIDED} decided accounts on either side.",
                null_means="the comparison is not by lot, so that whom one calls and how they come back of themselves is in it",
                accepted=VERDICTS,
            ),
        ),
        invariants=(
            Invariant(
                "verdict_by_lot_alone",
                "A verdict is given exactly where a lot decided who is compared.",
                lambda t: t.verdict.notnull() == (t.comparison == ASSIGNED),
                MODEL_FAULT,
            ),
            Invariant(
                "withheld_below_enough",
                "A verdict is withheld exactly while accounts are missing.",
                lambda t: (t.comparison != ASSIGNED) | ((t.verdict == WITHHELD) == (t.missing > 0)),
                MODEL_FAULT,
            ),
            Invariant(
                "interval_around_difference",
                "A difference lies within its interval.",
                lambda t: ibis.coalesce(
                    (t.difference_low_points <= t.difference_points)
                    & (t.difference_points <= t.difference_high_points),
                    t.difference_points.isnull(),
                ),
                MODEL_FAULT,
            ),
        ),
        plots={"verdicts": lambda t: t.count(where=t.verdict.isin((HELPED, HARMED, NOT_SHOWN)))},
    )
