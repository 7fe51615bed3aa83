"""The contracts of the staged accounts, with the attributes that a portfolio adds, and of those that were merged."""

from functools import cache

from babel import Locale
from babel.core import get_global

from cx_intel.contracts.contract import COUNT, DATE, NUMBER, TEXT, Column, Contract
from cx_intel.contracts.staging.values import account_id_column
from cx_intel.settings.accounts import SourceAttribute
from cx_intel.settings.portfolio import Portfolio

COUNTRIES = (  # noqa: SIM905 - a list of single codes would take eighty lines
    "AE AR AT AU BD BE BG BR CA CH CL CN CO CR CY CZ DE DK EC EE EG ES FI FR GB GE GH GR HK HR HU ID IE IL IN IS IT JP KE KR "
    "KZ LI LK LT LU LV MA MT MX MY NG NL NO NZ PA PE PH PK PL PT QA RO RS RU SA SE SG SI SK TH TN TR TW UA US UY VN ZA"
).split()
"""Countries whose names are known in English, German, French and Spanish, and as three letters."""
ALSO_CALLED = {
    "AE": ("UAE",),
    "AT": ("OESTERREICH",),
    "CZ": ("CZECH REPUBLIC", "TSCHECHISCHE REPUBLIK"),
    "GB": (
        "UK",
        "GREAT BRITAIN",
        "GROSSBRITANNIEN",
        "GROẞBRITANNIEN",
        "GROßBRITANNIEN",
        "ENGLAND",
        "SCOTLAND",
        "WALES",
    ),
    "HK": ("HONG KONG", "HONGKONG"),
    "KR": ("KOREA", "REPUBLIC OF KOREA"),
    "NL": ("HOLLAND", "THE NETHERLANDS"),
    "RU": ("RUSSIAN FEDERATION",),
    "TR": ("TURKEY",),
    "US": ("UNITED STATES OF AMERICA", "U.S.", "U.S.A."),
    "VN": ("VIET NAM",),
}
"""What people write and CLDR does not."""
ATTRIBUTE_TYPES = {"text": TEXT, "integer": COUNT, "number": NUMBER}


@cache
def country_names() -> dict[str, tuple[str, ...]]:
    """Names of countries in capitals by ISO 3166-1 alpha-2 code. Source: CLDR, by Babel, and `ALSO_CALLED`."""
    names: dict[str, set[str]] = {code: {*ALSO_CALLED.get(code, ())} for code in COUNTRIES}
    for language in ("en", "de", "fr", "es"):
        known = Locale(language).territories
        for code in COUNTRIES:
            names[code].add(known[code].upper())
    for old, new in get_global("territory_aliases").items():
        if len(old) == 3 and old.isalpha() and new[0] in names:
            names[new[0]].add(old)
    return {code: tuple(sorted(of)) for code, of in names.items()}


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
