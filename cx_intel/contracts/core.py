"""The contracts of accounts, products, days and the facts of usage.

Their models are in `cx_intel.models`: accounts, catalog, usage.
"""

from cx_intel.contracts.agreement import ARR_IS_TWELVE_MRR, CRM_AGREES, PAYERS_HAVE_SIGNED_UP, ledger_agrees
from cx_intel.contracts.contract import COUNT, DATE, FLAG, MONEY, NUMBER, TEXT, TIME, Column, Contract, Invariant
from cx_intel.contracts.identity import WRITTEN_ALIKE
from cx_intel.contracts.staging.accounts import attribute_columns, stg_accounts
from cx_intel.contracts.staging.values import GROUPS, NO_VALUE, mean_rating_column
from cx_intel.settings.portfolio import Portfolio

SIZE_MRR = "reporting currency per month"
SIZE_ARR = "reporting currency per year"
AS_OF = Column("as_of", DATE, "The day whose last instant the row describes.", nullable=False)

CONTRACTS_AS_OF = Column(
    "contracts_as_of",
    DATE,
    "Delivery of subscriptions that the contracts are of; before as_of where that of the day was refused.",
    null_means="the source does not deliver all rows each time",
)
DEFAULT_STAGES = ("trial", "churned", "onboarding", "growing", "mature")


def account_history(portfolio: Portfolio) -> Contract:
    attributes = stg_accounts(portfolio).columns[1:]
    return Contract(
        "account_history",
        "core",
        "What the CRM said about an account, and when: its attributes with validity by load.",
        ("account_id", "valid_from"),
        (
            Column("account_id", TEXT, "The account.", nullable=False),
            Column("valid_from", DATE, "First as_of at which a load gave these attributes.", nullable=False),
            Column("valid_to", DATE, "First as_of at which a load gave others.", null_means="they still hold"),
            *attributes,
        ),
        invariants=(
            Invariant(
                "validity_in_order",
                "A row is valid for at least a day.",
                lambda t: t.valid_to.isnull() | (t.valid_from < t.valid_to),
                "Refresh the newest day again; the history of that day is made anew.",
            ),
        ),
        cross_invariants=(WRITTEN_ALIKE,),
    )


GROUP_TEXTS = {
    "segment": "Customer segment",
    "country": "ISO 3166-1 alpha-2 code",
    "owner": "The customer success manager in charge",
}


def group_column(name: str, accepted: tuple[str, ...] = ()) -> Column:
    """Segment, country or owner of an account, of tables from `account_snapshot` on."""
    text = f"{GROUP_TEXTS[name]}; {NO_VALUE} without one."
    return Column(name, TEXT, text, nullable=False, accepted=(*accepted, NO_VALUE) if accepted else ())


def _account_columns(portfolio: Portfolio) -> tuple[Column, ...]:
    stages = portfolio.lifecycle.stages
    return (
        *(group_column(c.name, c.accepted) if c.name in GROUPS else c for c in stg_accounts(portfolio).columns),
        Column("subscribed_plan_tier", TEXT, "Tier of the newest platform subscription in force."),
        Column("tenure_days", COUNT, "Days since signing up.", "days", minimum=0),
        Column("tenure_months", COUNT, "Complete months since signing up.", "months", minimum=0),
        Column(
            "lifecycle_stage",
            TEXT,
            "Stage of life by the portfolio's rules.",
            accepted=stages.values() if stages else DEFAULT_STAGES,
        ),
        Column(
            "current_mrr",
            MONEY,
            "MRR in force on the day: the contracts', else the ledger's in the horizon month.",
            SIZE_MRR,
            nullable=False,
            minimum=0,
        ),
        Column(
            "ledger_mrr",
            MONEY,
            "MRR in the horizon month by the ledger.",
            SIZE_MRR,
            null_means="the ledger does not know the account",
            minimum=0,
        ),
        Column(
            "current_arr",
            MONEY,
            "12 x the exact amounts that current_mrr sums, rounded once.",
            SIZE_ARR,
            nullable=False,
            minimum=0,
        ),
        Column(
            "is_churned",
            FLAG,
            "No MRR in force on the day and some before."
            if portfolio.revenue.basis == "subscriptions"
            else "The ledger knows the account, without MRR in the horizon month.",
            nullable=False,
        ),
        Column("active_subscription_count", COUNT, "Subscriptions in force.", minimum=0),
        Column("total_subscription_count", COUNT, "Subscriptions ever started.", minimum=0),
        Column("active_addon_count", COUNT, "Add-ons in force.", minimum=0),
        Column("first_subscription_date", DATE, "First start of a subscription."),
        Column("latest_subscription_date", DATE, "Newest start of a subscription."),
        Column(
            "renewal_date",
            DATE,
            "Next renewal; of a cancelled account, its end.",
            null_means="no contract is in force, or none of the main product",
        ),
        Column("is_cancelled", FLAG, "All contracts have an announced end and none follows.", nullable=False),
        Column("announced_end_date", DATE, "End of the last contract.", null_means="the account is not cancelled"),
        Column(
            "announced_contraction_mrr",
            MONEY,
            "MRR that ends by announcement while the account stays, less what follows.",
            SIZE_MRR,
            nullable=False,
            minimum=0,
        ),
        Column(
            "announced_contraction_90d_mrr",
            MONEY,
            "Of announced_contraction_mrr, what ends within 90 days.",
            SIZE_MRR,
            nullable=False,
            minimum=0,
        ),
        Column(
            "lapsed_mrr",
            MONEY,
            "MRR of terms that ended without a successor, not yet given up; no part of current_mrr.",
            SIZE_MRR,
            nullable=False,
            minimum=0,
        ),
        Column(
            "horizon_month", DATE, "Last month of the ledger at as_of; the same for all.", null_means="no ledger yet"
        ),
        Column("is_overdue", FLAG, "The date given has passed and no contract began since.", nullable=False),
    )


def account_snapshot(portfolio: Portfolio) -> Contract:
    return Contract(
        "account_snapshot",
        "core",
        "Every account as it was known on a day; the ground of all other snapshots.",
        ("as_of", "account_id"),
        (AS_OF, *_account_columns(portfolio), CONTRACTS_AS_OF),
        kind="snapshot",
        invariants=(ARR_IS_TWELVE_MRR, *ledger_agrees(portfolio), *CRM_AGREES),
        cross_invariants=(PAYERS_HAVE_SIGNED_UP,),
        plots={
            "accounts": lambda t: t.count(),
            "current_arr": lambda t: t.current_arr.sum(),
        },
    )


def dim_account(portfolio: Portfolio) -> Contract:
    return Contract(
        "dim_account",
        "core",
        "One row an account: who they are, what they pay, how support served them.",
        ("account_id",),
        (
            *_account_columns(portfolio),
            Column("lifetime_tickets", COUNT, "Tickets ever created.", "tickets", nullable=False, minimum=0),
            Column("open_tickets", COUNT, "Unresolved tickets: open or escalated.", "tickets", False, minimum=0),
            mean_rating_column(portfolio),
            Column("avg_resolution_hours", NUMBER, "Mean time to resolution.", "hours", null_means="none resolved"),
            Column("sla_breaches", COUNT, "Tickets resolved later than promised.", "tickets", False, minimum=0),
        ),
        invariants=(ARR_IS_TWELVE_MRR,),
    )


def dim_product(portfolio: Portfolio) -> Contract:
    return Contract(
        "dim_product",
        "core",
        "What is sold: the price list, a row for each product and tier.",
        ("product_key",),
        (
            Column("product_key", TEXT, "<product>_<tier>, or <product>_all.", nullable=False),
            Column("product_name", TEXT, "Product code.", nullable=False),
            Column("product_type", TEXT, "platform or add_on.", nullable=False, accepted=("platform", "add_on")),
            Column("product_display_name", TEXT, "Name for reports.", nullable=False),
            Column("plan_tier", TEXT, "Tier, or all.", nullable=False),
            Column("list_price_mrr", MONEY, "List price.", SIZE_MRR, null_means="no list price", minimum=0),
            Column("feature_category", TEXT, "Kind of feature.", nullable=False),
        ),
    )


def dim_date(portfolio: Portfolio) -> Contract:
    return Contract(
        "dim_date",
        "core",
        "The calendar.",
        ("date_day",),
        (
            Column("date_day", DATE, "The day.", nullable=False),
            Column("year", COUNT, "Year.", nullable=False),
            Column("quarter", COUNT, "Quarter, 1 to 4.", nullable=False, minimum=1, maximum=4),
            Column("month_number", COUNT, "Month, 1 to 12.", nullable=False, minimum=1, maximum=12),
            Column("month_name", TEXT, "English name of the month.", nullable=False),
            Column("year_month", TEXT, "2025-01.", nullable=False),
            Column("week_number", COUNT, "ISO week, 1 to 53.", nullable=False, minimum=1, maximum=53),
            Column("day_of_week", COUNT, "ISO day, 1 is Monday.", nullable=False, minimum=1, maximum=7),
            Column("day_name", TEXT, "English name of the day.", nullable=False),
            Column("day_of_month", COUNT, "Day of the month.", nullable=False, minimum=1, maximum=31),
            Column("is_weekend", FLAG, "Saturday or Sunday.", nullable=False),
            Column("first_day_of_month", DATE, "First day of the month.", nullable=False),
            Column("last_day_of_month", DATE, "Last day of the month.", nullable=False),
            Column("first_day_of_quarter", DATE, "First day of the quarter.", nullable=False),
            Column("first_day_of_year", DATE, "First day of the year.", nullable=False),
        ),
    )


def fct_usage(portfolio: Portfolio) -> Contract:
    usage = portfolio.usage
    categories = (*usage.categories, "other")

    def count(name: str, description: str, unit: str = "events", minimum: int = 0) -> Column:
        return Column(name, COUNT, description, unit, nullable=False, minimum=minimum)

    return Contract(
        "fct_usage",
        "core",
        "What an account did in the product on a day.",
        ("account_id", "event_date"),
        (
            Column("account_id", TEXT, "The account.", nullable=False, references="stg_accounts.account_id"),
            Column("event_date", DATE, "The day in the portfolio's zone.", nullable=False),
            count("total_events", "Events.", minimum=1),
            count("active_users", "Distinct users.", "users"),
            count("distinct_features_used", "Distinct event names.", "features", 1),
            count("distinct_categories_used", "Distinct categories, other left out.", "categories"),
            *(count(f"{category}_events", f"Events of the category {category}.") for category in categories),
            *(count(name, f"Events named {event}.") for name, event in usage.counted_events.items()),
            Column("first_event_at", TIME, "First event of the day, UTC.", nullable=False),
            Column("last_event_at", TIME, "Last event of the day, UTC.", nullable=False),
            Column("active_hours", COUNT, "Distinct hours with an event.", "hours", False, minimum=1, maximum=24),
            Column(
                "feature_breadth_pct",
                NUMBER,
                "Share of the portfolio's categories used.",
                "%",
                null_means="the portfolio has no categories",
                minimum=0,
                maximum=100,
            ),
            Column(
                "is_power_usage_day",
                FLAG,
                f"{usage.power_usage_events} events and {usage.power_usage_features} features, at least.",
                nullable=False,
            ),
        ),
        kind="by_day",
        day_column="event_date",
        invariants=(
            Invariant(
                "categories_sum_to_total",
                "The events of the categories sum to total_events.",
                lambda t: (
                    sum((t[f"{c}_events"] for c in categories[1:]), t[f"{categories[0]}_events"]) == t.total_events
                ),
                "A fault of the model, not of the data: report it.",
            ),
        ),
        plots={"events": lambda t: t.total_events.sum()},
    )


def carried_attributes(portfolio: Portfolio) -> tuple[Column, ...]:
    """The account attributes that health, risk and renewal tables carry beside their own columns."""
    return attribute_columns(portfolio)
