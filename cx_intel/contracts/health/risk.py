"""The contract of the churn-risk view. Its model is `cx_intel.models.health.risk`."""

import ibis

from cx_intel.contracts.contract import COUNT, FLAG, MONEY, NUMBER, TEXT, Column, Contract, Invariant
from cx_intel.contracts.core import AS_OF, SIZE_ARR
from cx_intel.contracts.health.drivers import ACCOUNT, MODEL_FAULT
from cx_intel.settings.portfolio import Portfolio
from cx_intel.settings.renewals import ChurnRiskSettings

LEVELS = ("critical", "high", "medium", "low")
"""Churn risk, the worst first."""
FLAGS = ("is_low_health", "is_usage_declining", "has_escalations", "has_revenue_contraction")


def churn_risk_view(portfolio: Portfolio) -> Contract:
    churn = portfolio.churn_risk or ChurnRiskSettings()  # the columns are the same without the block

    def count(name: str, description: str, unit: str, source: str) -> Column:
        return Column(name, COUNT, description, unit, null_means=f"no source of {source}", minimum=0)

    def flag(name: str, description: str) -> Column:
        return Column(name, FLAG, description, nullable=False)

    return Contract(
        "churn_risk_view",
        "risk",
        "Which accounts are about to churn, why, and whom to help first?",
        ("as_of", "account_id"),
        (
            AS_OF,
            ACCOUNT,
            Column("account_name", TEXT, "Name of the company."),
            Column("segment", TEXT, "Customer segment."),
            Column("owner", TEXT, "The customer success manager in charge.", null_means="nobody"),
            Column("current_arr", MONEY, "ARR in force on the day.", SIZE_ARR, nullable=False, minimum=0),
            Column(
                "health_score",
                NUMBER,
                "Health score.",
                "points",
                null_means="no signal",
                minimum=0,
                maximum=100,
            ),
            count("events_last_30d", "Product events of the last 30 days.", "events", "usage"),
            count("events_prev_30d", "Product events of the 30 days before.", "events", "usage"),
            Column(
                "usage_change_pct",
                NUMBER,
                "Change of the events against the 30 days before.",
                "%",
                null_means="none before",
                minimum=-100,
            ),
            count(
                "escalated_tickets_90d",
                "Tickets of the last 90 days that are escalated and unresolved.",
                "tickets",
                "tickets",
            ),
            count(
                "contraction_months_6m",
                "Months with contraction in the 6 to the horizon.",
                "months",
                "revenue",
            ),
            flag("is_low_health", f"Known tier, and a health score below {churn.low_health_below:g}."),
            flag(
                "is_usage_declining",
                f"Events below {churn.usage_decline_below_pct:g} % of the 30 days before, if any.",
            ),
            flag("has_escalations", f"{churn.escalated_tickets} or more escalated tickets."),
            flag("has_revenue_contraction", f"{churn.contraction_months} or more months with contraction."),
            Column("risk_level", TEXT, "Churn risk.", nullable=False, accepted=LEVELS),
            Column(
                "risk_signal_count",
                COUNT,
                "How many of the four flags hold.",
                "flags",
                False,
                minimum=0,
                maximum=4,
            ),
            Column(
                "intervention_priority",
                COUNT,
                "Rank: by risk level, number of flags, health score, ARR, account.",
                nullable=False,
                minimum=1,
            ),
        ),
        kind="snapshot",
        invariants=(
            Invariant(
                "signal_count_is_of_the_flags",
                "risk_signal_count counts the flags that hold.",
                lambda t: (
                    sum((ibis.ifelse(t[name], 1, 0) for name in FLAGS[1:]), ibis.ifelse(t[FLAGS[0]], 1, 0))
                    == t.risk_signal_count
                ),
                MODEL_FAULT,
            ),
            Invariant(
                "low_risk_has_no_flag",
                "An account of low risk has no flag.",
                lambda t: (t.risk_level != "low") | (t.risk_signal_count == 0),
                "Check churn_risk.low_health_below against medium_health_below.",
                "warn",
            ),
        ),
        plots={
            "critical": lambda t: t.count(where=t.risk_level == "critical"),
            "high": lambda t: t.count(where=t.risk_level == "high"),
        },
    )
