"""The contracts of what was done with the intervention list and what came of it, and the rule that keeps entries off it.

An entry is an account's call about one renewal: the account and the renewal date, on whatever days it is listed. The
models are in `cx_intel.models.renewals.interventions`; who is listed in the first place: `actions.py`. Definitions: What
was done in `docs/actions.md`.
"""

from typing import Any

import ibis
import ibis.expr.types as ir

from cx_intel.contracts.contract import COUNT, DATE, FLAG, MONEY, TEXT, TIME, Column, Contract, Invariant
from cx_intel.contracts.core import SIZE_ARR
from cx_intel.contracts.renewals.pipeline import money_column, percentage_column, playbook_column
from cx_intel.contracts.staging.activity import how_it_was_done
from cx_intel.contracts.staging.values import ACTION_STATUSES, DISMISSED, DONE, NO_VALUE, OPEN, SNOOZED
from cx_intel.contracts.support import MODEL_FAULT
from cx_intel.settings.portfolio import Portfolio
from cx_intel.settings.renewals import DEFAULT_DUE_AGAIN_DAYS, RISK_LEVELS

GIVEN = "given_actions"
"""The table of actions that were given by command; no asset."""
RENEWED, EXPANDED, LOST = "renewed", "expanded", "lost"
OUTCOMES = (OPEN, RENEWED, EXPANDED, LOST)
SNOOZE_ENDED, STILL_AT_RISK, WORSE = "snooze_ended", "still_at_risk", "risk_is_worse"
DUE_AGAIN = (SNOOZE_ENDED, STILL_AT_RISK, WORSE)
"""Why an entry that was acted on is on the list once more."""
_ENTRY = ("account_id", "renewal_date")


def entry_id(rows: ir.Table) -> ir.StringValue:
    """What an entry is called, on every day the same: its account and its renewal date."""
    return rows.account_id + ibis.literal("@") + rows.renewal_date.cast("string")


def entry_id_column(**more: object) -> Column:
    text = "The entry of the intervention list: account_id@renewal_date, the same on every day."
    return Column("entry_id", TEXT, text, **more)  # type: ignore[arg-type]


def _acted_columns() -> tuple[Column, ...]:
    return (
        Column("action_id", TEXT, "The action.", nullable=False),
        Column("account_id", TEXT, "The account.", nullable=False),
        Column(
            "status",
            TEXT,
            "done; snoozed until a day; dismissed for a reason; open: to be done after all, or not yet.",
            nullable=False,
            accepted=ACTION_STATUSES,
        ),
        *how_it_was_done(),
    )


def given_actions(portfolio: Portfolio) -> Contract:
    return Contract(
        GIVEN,
        "renewals",
        "What was done with entries of the intervention list, as it was given by command.",
        ("action_id",),
        (
            *_acted_columns(),
            Column("renewal_date", DATE, "The renewal that the entry is about.", nullable=False),
            Column("acted_at", TIME, "When, UTC.", nullable=False),
        ),
    )


def actions(portfolio: Portfolio) -> Contract:
    return Contract(
        "actions",
        "renewals",
        "What was done with entries of the intervention list, by whom and when, and what came of the renewal?",
        ("action_id",),
        (
            *_acted_columns(),
            entry_id_column(null_means="the account had no renewal in the pipeline by then"),
            Column("renewal_date", DATE, "The renewal that the entry is about.", null_means="as for entry_id"),
            Column("acted_at", TIME, "When, UTC.", null_means="not delivered"),
            Column(
                "acted_on", DATE, "Its day; without a time, that of the load that first delivered it.", nullable=False
            ),
            Column("is_newest", FLAG, "The newest action on its entry: its status is the entry's.", nullable=False),
            Column(
                "valid_to",
                DATE,
                "The day from which a newer action on its entry counts.",
                null_means="it is the newest",
            ),
            Column(
                "renewal_risk",
                TEXT,
                "Renewal risk when it was acted on.",
                null_means="no snapshot of the renewal by then",
                accepted=RISK_LEVELS,
            ),
            playbook_column(
                portfolio, "playbook", "What the list recommended.", null_means="no snapshot of the renewal by then"
            ),
            Column(
                "current_arr",
                MONEY,
                "ARR when it was acted on.",
                SIZE_ARR,
                null_means="no snapshot of the renewal by then",
                minimum=0,
            ),
            *outcome_columns(),
        ),
        invariants=(
            Invariant(
                "actions_are_about_a_renewal",
                "Every action is about a renewal that the account had in the pipeline.",
                lambda t: t.entry_id.notnull(),
                "These actions count nowhere: their accounts had no renewal in the pipeline by the day of the action. Write "
                "entry_id as cs_intervention_list has it, or the day on which it was done.",
                "warn",
            ),
            Invariant(
                "snoozed_until_a_day",
                "Exactly snoozed entries have a day on which they are due again.",
                lambda t: t.snoozed_until.notnull() == (t.status == SNOOZED),
                MODEL_FAULT,
            ),
            Invariant(
                "newest_without_end",
                "Exactly the newest action of an entry is followed by none.",
                lambda t: t.is_newest == t.valid_to.isnull(),
                MODEL_FAULT,
            ),
            outcome_has_arr(),
        ),
        plots={"done": lambda t: t.count(where=t.is_newest & (t.status == DONE))},
    )


def outcome_columns() -> tuple[Column, Column]:
    outcome = Column(
        "outcome",
        TEXT,
        "What came of the renewal: open while it is due; renewed, expanded (at a higher ARR) or lost by the ledger at the end "
        "of the month in which the date and renewals.keep_overdue_days have passed, before that by the day's contracts.",
        nullable=False,
        accepted=OUTCOMES,
    )
    text, null_means = "ARR after the renewal; 0 where it was lost.", "the outcome is open"
    return outcome, Column("outcome_arr", MONEY, text, SIZE_ARR, null_means=null_means, minimum=0)


def outcome_has_arr() -> Invariant:
    return Invariant(
        "outcome_has_arr",
        "The ARR of an outcome is there where the outcome is, and 0 exactly where the renewal was lost.",
        lambda t: (
            (t.outcome_arr.isnull() == (t.outcome == OPEN))
            & ibis.coalesce((t.outcome_arr == 0) == (t.outcome == LOST), True)
        ),
        MODEL_FAULT,
    )


def playbook_outcomes(portfolio: Portfolio) -> Contract:
    counts = {
        "open_entries": "Entries with nothing done yet, or reopened.",
        "done_entries": "Entries that are done.",
        "snoozed_entries": "Entries that are snoozed.",
        "dismissed_entries": "Entries that were dismissed.",
        "held_out_entries": "Entries of accounts that are held out by lot, whatever was done with them.",
        "undecided": "Entries whose renewal is still open.",
        "renewed": "Entries whose renewal came, at the same ARR or less.",
        "expanded": "Entries whose renewal came, at a higher ARR.",
        "lost": "Entries whose renewal was lost.",
    }
    return Contract(
        "playbook_outcomes",
        "renewals",
        "What was done with each playbook's entries of the intervention list, and what came of them?",
        ("playbook",),
        (
            Column(
                "playbook",
                TEXT,
                f"The playbook when the entry was first listed; {NO_VALUE} of unlisted ones.",
                nullable=False,
            ),
            Column(
                "entries",
                COUNT,
                "Entries ever listed, drawn or acted on, of the snapshots kept.",
                nullable=False,
                minimum=1,
            ),
            *(Column(name, COUNT, text, nullable=False, minimum=0) for name, text in counts.items()),
            money_column("listed_arr", "ARR of the entries when they were first listed."),
            money_column("kept_arr", "Of listed_arr, what renewed or expanded."),
            money_column("lost_arr", "Of listed_arr, what was lost."),
            percentage_column(
                "kept_done_pct", "Kept share of the decided ARR of done entries.", "nothing done is decided yet"
            ),
            percentage_column(
                "kept_not_done_pct", "Kept share of the decided ARR of all others.", "none of the others is decided yet"
            ),
        ),
        invariants=(
            Invariant(
                "every_entry_has_a_status",
                "Open, done, snoozed and dismissed entries are all.",
                lambda t: t.open_entries + t.done_entries + t.snoozed_entries + t.dismissed_entries == t.entries,
                MODEL_FAULT,
            ),
            Invariant(
                "every_entry_has_an_outcome",
                "Undecided, renewed, expanded and lost entries are all.",
                lambda t: t.undecided + t.renewed + t.expanded + t.lost == t.entries,
                MODEL_FAULT,
            ),
        ),
        plots={"entries": lambda t: t.entries.sum(), "kept_arr": lambda t: t.kept_arr.sum()},
    )


def is_in_force(actions: Any, day: Any) -> Any:
    """Whether an action is the newest one of its entry that is known by a day: a table of Ibis, or a frame of pandas.

    Days are compared as they are given, so that those of a frame are all of one kind.
    """
    return (actions.acted_on <= day) & (actions.valid_to.isnull() | (actions.valid_to > day))


def newest_known(renewals: ir.Table, actions: ir.Table) -> ir.Table:
    """Of each renewal of a day the newest action known by then: as_of, account_id, status and what it was about.

    Args:
        renewals: as_of, account_id, renewal_date: rows of the pipeline, of one day or several.
        actions: The table of that name.
    """
    asked = renewals.select(*_ENTRY, _day="as_of")
    known = actions.select(
        *_ENTRY, "acted_on", "valid_to", _status="status", _until="snoozed_until", _risk_then="renewal_risk"
    )
    both = asked.inner_join(known, list(_ENTRY))
    found = both.filter(is_in_force(both, both["_day"]))
    return found.select("_day", "_status", "_until", "_risk_then", _of="account_id", _acted_on="acted_on")


def with_actions(renewals: ir.Table, actions: ir.Table, portfolio: Portfolio) -> ir.Table:
    """The renewals with `is_kept_off` (an action keeps them off the list) and `due_again` (why they are back on it).

    Done keeps an entry off for `renewals.due_again_days`, snoozed until its day, dismissed for good; each of them only while
    the renewal risk is no worse than it was. Another renewal date is another entry.
    """
    days = portfolio.renewals.due_again_days if portfolio.renewals else DEFAULT_DUE_AGAIN_DAYS
    known = newest_known(renewals, actions)
    t = renewals.left_join(known, [renewals.as_of == known["_day"], renewals.account_id == known["_of"]])
    t = t.drop("_day", "_of")
    is_worse = ibis.coalesce(_badness(t.renewal_risk) < _badness(t["_risk_then"]), ibis.literal(False))
    until = (t["_acted_on"] + ibis.interval(days=days)).cast(DATE)
    waits = ibis.cases(
        (t["_status"] == DISMISSED, ibis.literal(True)),
        (t["_status"] == DONE, t.as_of < until),
        (t["_status"] == SNOOZED, t.as_of < t["_until"]),
        else_=ibis.literal(False),
    )
    why = ibis.cases(
        (is_worse, WORSE),
        (t["_status"] == SNOOZED, SNOOZE_ENDED),
        (t["_status"] == DONE, STILL_AT_RISK),
        else_=ibis.null(TEXT),
    )
    is_kept_off = ibis.coalesce(waits, ibis.literal(False)) & ~is_worse
    is_back = t["_status"].isin((DONE, SNOOZED, DISMISSED)) & ~is_kept_off
    marked = t.mutate(is_kept_off=is_kept_off, due_again=ibis.ifelse(is_back, why, ibis.null(TEXT)))
    return marked.drop("_status", "_until", "_acted_on", "_risk_then")


def _badness(risk: ir.StringValue) -> ir.IntegerValue:
    """The place of a risk: 0 is the worst; null of none."""
    return ibis.cases(*((risk == level, place) for place, level in enumerate(RISK_LEVELS)), else_=ibis.null("int64"))
