"""Columns that the tables of the back-test's results share: of which outcome, within which days, in which part of the book.

Also the words of their keys. The tables are in `results.py` and `tiers.py`.
"""

from cx_intel.contracts.contract import COUNT, NUMBER, TEXT, Column

OUTCOMES = {"churn": "is_churned", "contraction": "is_contracted", "not_renewed": "is_not_renewed"}
"""Outcome: the column of backtest_outcomes that says whether it followed."""
ALL, YEAR = "all", "year"
"""Slices beside the attributes that the portfolio rolls up by."""


def grain(*more: str) -> tuple[str, ...]:
    """What identifies a row of results, beside the columns named."""
    return ("outcome", "window_days", "slice", "slice_value", *more)


def followed_columns() -> tuple[Column, ...]:
    """Outcome, window and slice."""
    return (
        Column("outcome", TEXT, "What followed.", nullable=False, accepted=tuple(OUTCOMES)),
        Column("window_days", COUNT, "Within how many days.", "days", False, minimum=1),
        Column(
            "slice",
            TEXT,
            f"Which part of the book: {ALL}, an attribute that the portfolio rolls up by, or {YEAR} of the day scored.",
            nullable=False,
        ),
        Column("slice_value", TEXT, f"Its value; {ALL} for all.", nullable=False),
    )


def counted_columns() -> tuple[Column, ...]:
    """How much was seen."""
    return (
        Column("observations", COUNT, "Accounts x past days that are judged.", "rows", False, minimum=0),
        Column("accounts", COUNT, "Distinct accounts among them.", "accounts", False, minimum=0),
        Column("events", COUNT, "Observations that the outcome followed.", "rows", False, minimum=0),
        Column("event_accounts", COUNT, "Distinct accounts among those.", "accounts", False, minimum=0),
    )


def rate_columns(name: str, description: str) -> tuple[Column, ...]:
    """A rate in percent, and its 90 % interval."""
    return (
        percentage(f"{name}_pct", description),
        percentage(f"{name}_low_pct", f"Lower bound of {name}_pct, by account."),
        percentage(f"{name}_high_pct", f"Upper bound of {name}_pct."),
    )


def percentage(name: str, description: str, null_means: str = "no observation") -> Column:
    """A percentage."""
    return Column(name, NUMBER, description, "%", null_means=null_means, minimum=0, maximum=100)
