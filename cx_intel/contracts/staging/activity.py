"""The contracts of what is staged of use and of customer success: events, activities, actions, measured figures."""

from cx_intel.contracts.contract import COUNT, DATE, NUMBER, TEXT, TIME, Column, Contract
from cx_intel.contracts.staging.values import ACTION_STATUSES, account_id_column
from cx_intel.settings.portfolio import Portfolio


def stg_usage_events(portfolio: Portfolio) -> Contract:
    categories = (*portfolio.usage.categories, "other")
    return Contract(
        "stg_usage_events",
        "staging",
        "What people and devices did in the product.",
        portfolio.key_of("usage_events", ("event_id",)),
        (
            Column("event_id", TEXT, "The event.", nullable=False),
            account_id_column(),
            Column("user_id", TEXT, "The actor: a person, a vehicle, a device."),
            Column("event_name", TEXT, "What happened, lower case.", nullable=False),
            Column("event_timestamp", TIME, "When, UTC.", nullable=False),
            Column("properties", TEXT, "Details as JSON."),
            Column("event_date", DATE, "Day of the event in the portfolio's zone.", nullable=False),
            Column("event_hour", COUNT, "Hour of the event in the portfolio's zone.", "hour", minimum=0, maximum=23),
            Column("event_category", TEXT, "Category by the portfolio.", nullable=False, accepted=categories),
        ),
        kind="by_day",
        day_column="event_date",
    )


def stg_csm_activities(portfolio: Portfolio) -> Contract:
    return Contract(
        "stg_csm_activities",
        "staging",
        "What customer success did with an account: reviews, check-ins, training.",
        portfolio.key_of("csm_activities", ("activity_id",)),
        (
            Column("activity_id", TEXT, "The activity.", nullable=False),
            account_id_column(),
            Column("activity_type", TEXT, "qbr, check_in ...; lower case.", nullable=False),
            Column("status", TEXT, "Lower case."),
            Column("completed_at", TIME, "When it was done, UTC.", null_means="not done"),
        ),
    )


def how_it_was_done() -> tuple[Column, ...]:
    """Columns of an action on an entry of the intervention list: until when it is snoozed, why, by whom."""
    return (
        Column("snoozed_until", DATE, "The day on which a snoozed entry is due again.", null_means="not snoozed"),
        Column("reason", TEXT, "Why it was dismissed, or what else was said."),
        Column("acted_by", TEXT, "Who did it.", null_means="not said"),
    )


def stg_actions(portfolio: Portfolio) -> Contract:
    return Contract(
        "stg_actions",
        "staging",
        "What was done with entries of the intervention list, as a sheet or another system tells it.",
        ("action_id",),
        (
            Column("action_id", TEXT, "The action; default: the entry, else the account, and when.", nullable=False),
            account_id_column(),
            Column(
                "entry_id",
                TEXT,
                "The entry as cs_intervention_list names it.",
                null_means="the renewal that the account had in the pipeline on that day",
            ),
            Column(
                "status",
                TEXT,
                "done, snoozed, dismissed, or open, which a row without a status is.",
                nullable=False,
                accepted=ACTION_STATUSES,
            ),
            *how_it_was_done(),
            Column("acted_at", TIME, "When, UTC.", null_means="on the day of the load that first delivers it"),
            Column("renewal_date", DATE, "The renewal date in entry_id.", null_means="no entry is named"),
        ),
    )


def stg_metrics(portfolio: Portfolio) -> Contract:
    return Contract(
        "stg_metrics",
        "staging",
        "Figures about an account that another system measured.",
        ("account_id", "metric", "measured_on"),
        (
            account_id_column(),
            Column("metric", TEXT, "Name of the figure, lower case.", nullable=False),
            Column("measured_on", DATE, "Day of the measurement.", nullable=False),
            Column("value", NUMBER, "The figure.", nullable=False),
        ),
    )
