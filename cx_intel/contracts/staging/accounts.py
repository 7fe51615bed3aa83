"""The contracts of the staged accounts, with the attributes that a portfolio adds, and of those that were merged."""

from cx_intel.contracts.contract import COUNT, DATE, NUMBER, TEXT, Column, Contract
from cx_intel.contracts.staging.values import account_id_column
from cx_intel.settings.accounts import SourceAttribute
from cx_intel.settings.portfolio import Portfolio

ATTRIBUTE_TYPES = {"text": TEXT, "integer": COUNT, "number": NUMBER}


def attribute_columns(portfolio: Portfolio) -> tuple[Column, ...]:
    """The portfolio's own account attributes: those delivered, then those derived by rules, `segment` left out."""
    delivered = (
        Column(name, ATTRIBUTE_TYPES[a.type], a.description, a.unit)
        for name, a in portfolio.account_attributes.items()
        if isinstance(a, SourceAttribute) and name not in STANDARD_ACCOUNT_COLUMNS
    )
    derived = (
        Column(name, TEXT, f"Derived by the portfolio's rules for {name}.", accepted=rules.values())
        for name, rules in portfolio.derived_attributes.items()
        if name not in STANDARD_ACCOUNT_COLUMNS
    )
    return (*delivered, *derived)


def stg_accounts(portfolio: Portfolio) -> Contract:
    rules = portfolio.derived_attributes.get("segment")
    return Contract(
        "stg_accounts",
        "staging",
        "The customers as the CRM knows them now.",
        ("account_id",),
        (
            account_id_column(references=""),
            Column("account_name", TEXT, "Name of the company."),
            Column("segment", TEXT, "Customer segment.", accepted=rules.values() if rules else ()),
            Column("industry", TEXT, "Industry."),
            Column("country", TEXT, "ISO 3166-1 alpha-2 code."),
            Column("region", TEXT, "Sales region."),
            Column("employee_count", COUNT, "Employees.", "employees", minimum=0),
            Column("plan_tier", TEXT, "Plan by the CRM, lower case."),
            Column("owner", TEXT, "The customer success manager in charge.", null_means="nobody"),
            Column("status", TEXT, "Status by the CRM, lower case.", null_means="the source has none"),
            Column("signup_date", DATE, "Day of signing up."),
            Column("parent_account_id", TEXT, "The parent company's account."),
            Column("currency", TEXT, "ISO 4217 code of the account's contracts."),
            *attribute_columns(portfolio),
        ),
    )


def stg_account_aliases(portfolio: Portfolio) -> Contract:
    return Contract(
        "stg_account_aliases",
        "staging",
        "Which accounts were merged into which: every table names the surviving account, the past included.",
        ("old_account_id",),
        (
            Column("old_account_id", TEXT, "The account that was merged into another.", nullable=False),
            account_id_column(references=""),
            Column(
                "currency",
                TEXT,
                "Currency of the old account's contracts.",
                null_means="its row is not delivered or has none; the surviving account's holds",
            ),
        ),
    )


STANDARD_ACCOUNT_COLUMNS = (
    "account_id",
    "account_name",
    "segment",
    "industry",
    "country",
    "region",
    "employee_count",
    "plan_tier",
    "owner",
    "status",
    "signup_date",
    "parent_account_id",
    "currency",
)
