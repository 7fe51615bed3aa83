"""The contracts of what is staged of support and surveys: tickets and NPS answers."""

from cx_intel.contracts.contract import DATE, FLAG, NUMBER, TEXT, TIME, Column, Contract
from cx_intel.contracts.staging.values import PRIORITIES, TICKET_STATUSES, account_id_column
from cx_intel.settings.portfolio import Portfolio


def stg_support_tickets(portfolio: Portfolio) -> Contract:
    return Contract(
        "stg_support_tickets",
        "staging",
        "Support tickets as the help desk knows them now.",
        ("ticket_id",),
        (
            Column("ticket_id", TEXT, "The ticket.", nullable=False),
            account_id_column(),
            Column("created_at", TIME, "When it was opened, UTC.", nullable=False),
            Column("resolved_at", TIME, "When it was resolved, UTC.", null_means="not resolved"),
            Column("priority", TEXT, "p1 is the most urgent.", accepted=PRIORITIES, severity="warn"),
            Column("category", TEXT, "Lower case."),
            Column("status", TEXT, "Lower case.", nullable=False, accepted=TICKET_STATUSES, severity="warn"),
            Column("satisfaction_score", NUMBER, "CSAT.", "1 to 5", null_means="not rated", minimum=1, maximum=5),
            Column("created_date", DATE, "Day of creation in the portfolio's zone.", nullable=False),
            Column("resolution_hours", NUMBER, "From creation to resolution.", "hours", minimum=0, severity="warn"),
            Column("sla_target_hours", NUMBER, "Promised time to resolution.", "hours", null_means="no target"),
            Column(
                "is_sla_breach",
                FLAG,
                "Resolved after its target; open tickets are judged in fct_tickets.",
                null_means="not resolved, or no target",
            ),
        ),
    )


def stg_nps_responses(portfolio: Portfolio) -> Contract:
    return Contract(
        "stg_nps_responses",
        "staging",
        "Answers to the NPS survey.",
        ("response_id",),
        (
            Column("response_id", TEXT, "The answer.", nullable=False),
            account_id_column(),
            Column("score", NUMBER, "How likely to recommend.", "0 to 10", nullable=False, minimum=0, maximum=10),
            Column("responded_at", TIME, "When, UTC.", nullable=False),
        ),
    )
