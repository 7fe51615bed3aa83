"""The contract of the staged links between ids of systems and accounts.

How links are followed to an account, and what is remembered of them: `cx_intel.contracts.identity`. Which columns staging
fills: `delivered.py` above this folder.
"""

from cx_intel.contracts.contract import COUNT, TEXT, Column, Contract
from cx_intel.contracts.staging.values import NO_VALUE
from cx_intel.settings.portfolio import Portfolio

PRIORITY_LIMIT = 1000
"""The weakest priority that a link may state."""


def stg_identity_links(portfolio: Portfolio) -> Contract:
    return Contract(
        "stg_identity_links",
        "staging",
        "Which id of a system (billing, help desk, product, e-mail domain) belongs to which account, or to which id of "
        "another system, as the newest load delivers it.",
        ("system", "external_id", "linked_system", "linked_id", "occurrence"),
        (
            Column(
                "system", TEXT, "The system that the id is of, lower case; `domain` for e-mail domains.", nullable=False
            ),
            Column("external_id", TEXT, "The id there; of `domain`, the domain in lower case.", nullable=False),
            Column(
                "linked_system",
                TEXT,
                f"Where the link leads: account, domain, or another system; {NO_VALUE} where the id has no link.",
                nullable=False,
            ),
            Column("linked_id", TEXT, f"The id there; {NO_VALUE} where the id has no link.", nullable=False),
            Column("occurrence", COUNT, "From 1 within equal links.", nullable=False, minimum=1),
            Column(
                "priority",
                COUNT,
                "Which of several links of an id counts: the lowest.",
                null_means="1 for a link to an account, 2 to another system, 3 to a domain",
                minimum=1,
                maximum=PRIORITY_LIMIT,
            ),
            Column("external_name", TEXT, "What the system calls it, such as the customer's name."),
        ),
    )
