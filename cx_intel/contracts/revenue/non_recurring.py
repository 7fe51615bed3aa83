"""The contract of what is billed beside MRR because it does not recur: one-off fees, tax, metered use.

Its model is `cx_intel.models.revenue.recurring`; the columns of the sources that tell it are in
`cx_intel.contracts.staging.recurring`.
"""

from cx_intel.contracts.contract import DATE, MONEY, TEXT, Column, Contract
from cx_intel.settings.portfolio import Portfolio

SOURCE_TABLES = ("subscriptions", "invoices")


def non_recurring(portfolio: Portfolio) -> Contract:
    return Contract(
        "non_recurring",
        "revenue",
        "What is billed or subscribed to and is no MRR, because by revenue.recurring_only it does not recur?",
        ("source_table", "id"),
        (
            Column("account_id", TEXT, "The account.", nullable=False),
            Column("revenue_month", DATE, "First day of the month of billed_on.", nullable=False),
            Column("billed_on", DATE, "Date of the invoice, or start of the subscription.", nullable=False),
            Column("source_table", TEXT, "Where it was delivered.", nullable=False, accepted=SOURCE_TABLES),
            Column("id", TEXT, "The invoice or the subscription.", nullable=False),
            Column("product_name", TEXT, "Product code, lower case."),
            Column(
                "amount",
                MONEY,
                "Amount as billed, of a subscription that of one billing period; negative for what is given back.",
                "reporting currency",
                nullable=False,
            ),
            Column("why", TEXT, "What of it says that it does not recur.", nullable=False),
        ),
        plots={"non_recurring_amount": lambda t: t.amount.sum()},
    )
