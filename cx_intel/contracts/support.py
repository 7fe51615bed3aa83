"""The contracts of support: the tickets judged, the service-level roll-up, and the hours in which support works.

What is staged of tickets stands in `cx_intel.contracts.staging.support`; the models are in `cx_intel.models.support`.
"""

from cx_intel.contracts.contract import COUNT, DATE, FLAG, NUMBER, TEXT, TIME, Column, Contract, Invariant
from cx_intel.contracts.staging.values import TICKET_STATUSES, mean_rating_column, priorities
from cx_intel.settings.portfolio import Portfolio

MODEL_FAULT = "A fault of the model, not of the data: report it."
CLOCKS = ("calendar", "business")


def fct_tickets(portfolio: Portfolio) -> Contract:
    """The contract of fct_tickets."""
    low, high = portfolio.satisfaction.scale
    known = priorities(portfolio.support)
    return Contract(
        "fct_tickets",
        "support",
        "Every ticket as known at as_of, judged against its targets.",
        portfolio.key_of("support_tickets", ("ticket_id",)),
        (
            Column("ticket_id", TEXT, "The ticket.", nullable=False),
            Column("account_id", TEXT, "The account.", nullable=False, references="dim_account.account_id"),
            Column("priority", TEXT, "p1 is the most urgent.", accepted=known, severity="warn"),
            Column("category", TEXT, "Category."),
            Column("status", TEXT, "At as_of.", nullable=False, accepted=TICKET_STATUSES),
            Column("source_status", TEXT, "The word that the help desk delivered last."),
            Column(
                "satisfaction_score",
                NUMBER,
                "CSAT, as delivered.",
                f"{low:g} to {high:g}",
                null_means="not rated",
                minimum=low,
                maximum=high,
            ),
            Column("csat_scale", TEXT, "The scale of the rating: its worst and best.", nullable=False),
            Column("created_at", TIME, "When it was opened, UTC.", nullable=False),
            Column("first_reply_at", TIME, "When support first replied, UTC.", null_means="no reply by as_of"),
            Column("resolved_at", TIME, "When it was resolved, UTC.", null_means="unresolved, or no time that fits"),
            Column("created_date", DATE, "Day of creation in the portfolio's zone.", nullable=False),
            Column("ticket_month", DATE, "First day of the month of creation.", nullable=False),
            Column(
                "resolution_hours",
                NUMBER,
                "From creation to resolution, by the calendar.",
                "hours",
                null_means="no resolution time",
                minimum=0,
            ),
            Column(
                "sla_priority",
                TEXT,
                "The priority whose target applies: that at the resolution, or at as_of, where ticket_status_history "
                "tells it; else the ticket's present one.",
            ),
            Column("sla_clock", TEXT, "How its hours are counted.", nullable=False, accepted=CLOCKS),
            Column("sla_target_hours", NUMBER, "Promised time to resolution.", "hours", null_means="no target"),
            Column(
                "sla_elapsed_hours",
                NUMBER,
                "From creation to resolution, or to the end of as_of, on its clock and without pauses.",
                "hours",
                null_means="resolved without a time",
                minimum=0,
            ),
            Column("paused_hours", NUMBER, "Left out of these for pauses, on the same clock.", "hours", minimum=0),
            Column("is_judged", FLAG, "Resolved, with a time and a target.", nullable=False),
            Column("is_sla_breach", FLAG, "Resolved late, or unresolved and older than its target.", nullable=False),
            Column("is_open_breach", FLAG, "Unresolved and older than its target.", nullable=False),
            Column("sla_ratio", NUMBER, "sla_elapsed_hours / sla_target_hours.", null_means="not judged"),
            Column("first_reply_target_hours", NUMBER, "Promised time to the first reply.", "hours"),
            Column(
                "first_reply_hours",
                NUMBER,
                "From creation to the first reply, on the clock of the priority at that time.",
                "hours",
                null_means="no reply by as_of",
                minimum=0,
            ),
            Column("is_first_reply_judged", FLAG, "Replied to, with a target for it.", nullable=False),
            Column(
                "is_first_reply_breach",
                FLAG,
                "Replied to late, or unresolved, without a reply and older than the target for it.",
                nullable=False,
            ),
            Column(
                "resolution_speed",
                TEXT,
                "fast (half the target), on_time, slow (up to 1.5 x), critical_breach, unresolved, no_time, no_target.",
                nullable=False,
                accepted=("unresolved", "fast", "on_time", "slow", "critical_breach", "no_time", "no_target"),
            ),
            Column(
                "csat_tier",
                TEXT,
                "By the share of its scale: satisfied (75 % and more: 4 of 1 to 5), neutral (50 %: 3), dissatisfied, "
                "no_rating.",
                nullable=False,
                accepted=("satisfied", "neutral", "dissatisfied", "no_rating"),
            ),
            Column("account_plan_tier", TEXT, "The account's plan."),
            Column("account_owner", TEXT, "The account's owner."),
            Column("account_region", TEXT, "The account's region."),
            Column("account_segment", TEXT, "The account's segment."),
        ),
        invariants=(
            Invariant(
                "open_breach_is_a_breach",
                "An open breach is a breach, and unresolved.",
                lambda t: ~t.is_open_breach | (t.is_sla_breach & t.resolved_at.isnull()),
                MODEL_FAULT,
            ),
            Invariant(
                "breach_is_judged_or_open",
                "A breach is judged, or open.",
                lambda t: ~t.is_sla_breach | t.is_judged | t.is_open_breach,
                MODEL_FAULT,
            ),
        ),
    )


def sla_adherence(portfolio: Portfolio) -> Contract:
    """The contract of sla_adherence."""

    def count(name: str, description: str) -> Column:
        return Column(name, COUNT, description, "tickets", nullable=False, minimum=0)

    def percent(name: str, description: str) -> Column:
        return Column(name, NUMBER, description, "%", null_means="nothing to judge", minimum=0, maximum=100)

    def hours(name: str, description: str) -> Column:
        return Column(name, NUMBER, description, "hours", null_means="none resolved")

    return Contract(
        "sla_adherence",
        "support",
        "Does support keep its promises, month by month, by priority and by segment?",
        ("ticket_month", "dimension_type", "dimension_value"),
        (
            Column("ticket_month", DATE, "Month of creation, its first day.", nullable=False),
            Column("dimension_type", TEXT, "What is told apart.", nullable=False, accepted=("priority", "segment")),
            Column("dimension_value", TEXT, "The priority or segment; (none) without one.", nullable=False),
            count("total_tickets", "Tickets created."),
            count("resolved_tickets", "Resolved by as_of."),
            count("sla_breaches", "Resolved later than promised."),
            count("within_sla", "Resolved in time."),
            count("unjudged_tickets", "Resolved, and without a target or a time of resolution."),
            count("unresolved_tickets", "Open or escalated at as_of."),
            count("open_breaches", "Unresolved and older than promised."),
            percent("sla_adherence_pct", "within_sla / (within_sla + sla_breaches)."),
            percent("adherence_incl_open_pct", "within_sla / (within_sla + sla_breaches + open_breaches)."),
            count("first_replies_judged", "Replied to, with a target for the first reply."),
            count("first_reply_breaches", "Of these, replied to later than promised."),
            percent("first_reply_adherence_pct", "Share of first_replies_judged that came in time."),
            hours("avg_resolution_hours", "Mean time to resolution, by the calendar."),
            hours("median_resolution_hours", "Half of the tickets were resolved within."),
            hours("p90_resolution_hours", "Nine of ten tickets were resolved within."),
            mean_rating_column(portfolio),
        ),
        invariants=(
            Invariant(
                "resolved_splits",
                "sla_breaches + within_sla + unjudged_tickets = resolved_tickets.",
                lambda t: t.sla_breaches + t.within_sla + t.unjudged_tickets == t.resolved_tickets,
                MODEL_FAULT,
            ),
            Invariant(
                "total_splits",
                "resolved_tickets + unresolved_tickets = total_tickets.",
                lambda t: t.resolved_tickets + t.unresolved_tickets == t.total_tickets,
                MODEL_FAULT,
            ),
            Invariant(
                "resolved_are_judged",
                "Every resolved ticket is judged: unjudged_tickets is 0.",
                lambda t: t.unjudged_tickets == 0,
                "Give every priority a target (support.sla_target_hours), map the priorities of the source to those, "
                "and deliver the time of resolution; until then these tickets are in no adherence.",
                "warn",
            ),
        ),
        plots={"resolved_within_sla": lambda t: t.within_sla.sum()},
    )


def business_hours(portfolio: Portfolio) -> Contract:
    """The contract of business_hours."""
    return Contract(
        "business_hours",
        "support",
        "When does support work? All time from 2000 to as_of, cut where support opens and closes and where UTC days end.",
        ("from_at",),
        (
            Column("day", DATE, "The day of the piece in UTC.", nullable=False),
            Column("from_at", TIME, "Its beginning, UTC.", nullable=False),
            Column("until_at", TIME, "Its end, UTC, which belongs to the next.", nullable=False),
            Column("is_open", FLAG, "Whether support works.", nullable=False),
            Column("open_seconds_before", COUNT, "Open time before it.", "seconds", nullable=False, minimum=0),
        ),
    )
