"""The contracts of what is staged of support and surveys: tickets, their changes, and NPS answers.

How a help desk's words and ratings are read is `cx_intel.models.staging.columns.tickets`; the words themselves are in
`values.py` beside this module. Tickets judged against their targets: `cx_intel.contracts.support`.
"""

from collections.abc import Mapping

import ibis.expr.types as ir

from cx_intel.contracts.contract import DATE, NUMBER, TEXT, TIME, Column, Contract, CrossInvariant, Invariant
from cx_intel.contracts.staging.values import (
    HISTORY_FIELDS,
    STAGED_TICKET_STATUSES,
    account_id_column,
    priorities,
    resolved_in_order,
)
from cx_intel.settings.portfolio import Portfolio


def stg_support_tickets(portfolio: Portfolio) -> Contract:
    """The contract of stg_support_tickets."""
    low, high = portfolio.satisfaction.scale
    return Contract(
        "stg_support_tickets",
        "staging",
        "Support tickets as the help desk knows them now.",
        portfolio.key_of("support_tickets", ("ticket_id",)),
        (
            Column("ticket_id", TEXT, "The ticket.", nullable=False),
            account_id_column(),
            Column("created_at", TIME, "When it was opened, UTC.", nullable=False),
            Column("first_reply_at", TIME, "When support first replied, UTC.", null_means="no reply, or not delivered"),
            Column("resolved_at", TIME, "When it was resolved, as delivered, UTC.", null_means="no time of resolution"),
            Column("priority", TEXT, "p1 is the most urgent.", accepted=priorities(portfolio.support), severity="warn"),
            Column("category", TEXT, "Lower case."),
            Column(
                "status",
                TEXT,
                "open, escalated or resolved, by the word of the source; left_out where that says deleted, spam or "
                "merged. Without a word resolved_at decides.",
                nullable=False,
                accepted=STAGED_TICKET_STATUSES,
            ),
            Column("source_status", TEXT, "The word that the source delivered, lower case."),
            Column("unknown_status", TEXT, "A word that is none of those known: read as open.", null_means="known"),
            Column(
                "satisfaction_score",
                NUMBER,
                "CSAT, as delivered.",
                f"{low:g} to {high:g}",
                null_means="not rated, or not read",
                minimum=low,
                maximum=high,
            ),
            Column("csat_scale", TEXT, "The scale of the rating: its worst and best.", nullable=False),
            Column("unread_rating", TEXT, "A rating off its scale, or no mapped word: counts as none."),
            Column("created_date", DATE, "Day of creation in the portfolio's zone.", nullable=False),
            Column(
                "resolution_hours",
                NUMBER,
                "From creation to resolution, by the calendar.",
                "hours",
                null_means="not resolved, or no time of resolution",
                minimum=0,
            ),
        ),
        invariants=(
            Invariant(
                "statuses_known",
                "Every status is a word that is known; others are read as open.",
                lambda t: t.unknown_status.isnull(),
                "Say what the words in the column unknown_status mean, in the source: values: {status: {parked: open}}.",
                "warn",
            ),
            Invariant(
                "no_ticket_left_out",
                "No ticket is deleted, spam or merged; such ones count nowhere.",
                lambda t: t.status != "left_out",
                "Nothing, if these tickets are to be left out; else give their word another meaning in the source: "
                "values: {status: {merged: resolved}}.",
                "warn",
            ),
            Invariant(
                "resolved_have_a_time",
                "Every resolved ticket has a time of resolution, not before its creation; others are unjudged.",
                lambda t: (t.status != "resolved") | resolved_in_order(t),
                "Map the time of the last resolution as resolved_at, or mend the times at the source: until then these "
                "tickets count as resolved, and neither as kept nor as broken promises.",
                "warn",
            ),
            Invariant(
                "ratings_read",
                "Every rating is on its scale or a mapped word; others count as no rating.",
                lambda t: t.unread_rating.isnull(),
                "State in the source how ratings are written: satisfaction: {scale: [0, 100]}, or "
                "satisfaction: {words: {good: 5, bad: 1, offered: null}}.",
                "warn",
            ),
        ),
        cross_invariants=(
            CrossInvariant(
                "times_of_day",
                "Tickets are opened and resolved at times, not only on days: fewer than 9 of 10 are resolved after whole "
                "days (of five or more).",
                (),
                _resolved_after_whole_days,
                "Map the times of opening and resolution, not their days. With days alone a ticket of one day counts as "
                "resolved in 0 hours, so that promises of hours seem kept; hours of resolution are whole days.",
                "warn",
            ),
        ),
    )


LEAST_RESOLVED, MOSTLY = 5, 0.9


def _resolved_after_whole_days(tables: Mapping[str, ir.Table]) -> ir.Table:
    """The tickets that are resolved a whole number of days after they were opened, where nearly all are."""
    rows = tables["self"].filter(tables["self"].resolution_hours.notnull())
    rows = rows.mutate(_is_whole=(rows.resolution_hours / 24).floor() * 24 == rows.resolution_hours)
    counts = rows.agg(_resolved=rows.count(), _whole=rows.count(where=rows["_is_whole"]))
    counts = counts.filter((counts["_resolved"] >= LEAST_RESOLVED) & (counts["_whole"] >= counts["_resolved"] * MOSTLY))
    return rows.filter(rows["_is_whole"]).cross_join(counts)


def stg_ticket_status_history(portfolio: Portfolio) -> Contract:
    """The contract of stg_ticket_status_history."""
    return Contract(
        "stg_ticket_status_history",
        "staging",
        "When tickets changed their status or priority.",
        ("ticket_id", "field", "changed_at"),
        (
            Column("ticket_id", TEXT, "The ticket.", nullable=False),
            Column(
                "field",
                TEXT,
                "What changed: status where the source has no such column; other fields decide nothing.",
                nullable=False,
                accepted=HISTORY_FIELDS,
                severity="warn",
            ),
            Column("changed_at", TIME, "From when on the value held, UTC.", nullable=False),
            Column("value", TEXT, "The new value, lower case: a status as the help desk has it, or a priority."),
        ),
    )


def stg_nps_responses(portfolio: Portfolio) -> Contract:
    """The contract of stg_nps_responses."""
    return Contract(
        "stg_nps_responses",
        "staging",
        "Answers to the NPS survey.",
        portfolio.key_of("nps_responses", ("response_id",)),
        (
            Column("response_id", TEXT, "The answer; by account and time where the source has no id.", nullable=False),
            account_id_column(),
            Column(
                "score", NUMBER, "How likely to recommend.", "0 to 10", null_means="not read", minimum=0, maximum=10
            ),
            Column("unread_score", TEXT, "A score that is no number from 0 to 10: counts as none.", null_means="read"),
            Column("responded_at", TIME, "When, UTC.", nullable=False),
        ),
        invariants=(
            Invariant(
                "scores_read",
                "Every score is a number from 0 to 10; other answers count as none.",
                lambda t: t.unread_score.isnull(),
                "Mend the scores in the column unread_score at the source, or map them in it: "
                'values: {score: {"ten": "10"}}.',
                "warn",
            ),
        ),
    )
