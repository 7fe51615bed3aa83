"""The `revenue` and `currency` blocks: what counts as MRR, in which currency, and the price list.

Definitions: Money and Revenue in the metric definitions; argued in DECISIONS.md. The ledger that follows is
`cx_intel.models.revenue.ledger`.
"""

from datetime import date
from decimal import Decimal
from typing import Literal

from pydantic import Field, field_validator

from cx_intel.settings.base import Settings
from cx_intel.settings.revenue.recurring import RecurringRule
from cx_intel.settings.revenue.subscription_statuses import STATUSES, StatusRole, status_key


class CurrencySettings(Settings):
    """The reporting currency and constant rates."""

    reporting: str = Field(pattern=r"^[A-Z]{3}$")
    """ISO 4217 code of the currency that all amounts are told in."""
    rates: dict[str, Decimal] = {}
    """Reporting units for one unit of the currency, e.g. {CHF: 1.05} under EUR."""

    @field_validator("rates", mode="before")
    @classmethod
    def _exact(cls, rates: object) -> object:
        return {k: str(v) for k, v in rates.items()} if isinstance(rates, dict) else rates

    @field_validator("rates")
    @classmethod
    def _positive(cls, rates: dict[str, Decimal]) -> dict[str, Decimal]:
        for code, rate in rates.items():
            if rate <= 0:
                raise ValueError(f"the rate of {code} is {rate}; a rate is above 0")
        return rates

    def rate_of(self) -> dict[str, Decimal]:
        """All known rates, the reporting currency's own (1) included."""
        return {**self.rates, self.reporting: Decimal(1)}


class Product(Settings):
    """A line of the price list."""

    name: str
    """The product code, as in the subscriptions."""
    type: Literal["platform", "add_on"] = "platform"
    """A platform gives an account its subscribed tier; add-ons are counted."""
    display_name: str
    """The name for people."""
    feature_category: str
    """A group of products."""
    list_price: Decimal | None = Field(default=None, ge=0)
    """Per month, where it does not depend on the tier."""
    tier_prices: dict[str, Decimal] = {}
    """Plan tier: price per month."""


class NewestUpTo(Settings):
    """Where two overlap no longer than this, an early renewal: the newer counts from its start. Longer: both count."""

    newest_up_to_days: int = Field(default=31, ge=0)
    """Of two that overlap no longer than this the newer counts from its start; longer overlaps are summed and told."""


class RevenueSettings(Settings):
    """What the MRR of an account in a month is."""

    basis: Literal["subscriptions", "invoices", "mrr_history"]
    """The table that MRR is taken from."""
    recognised_statuses: list[str] = ["paid", "overdue"]
    """Invoices that count. Unpaid is a collection problem, not churn; `void` never counts."""
    opening: Literal["new", "balance"] | None = None
    """What MRR in the first month of the data is. Default: `balance` for `mrr_history`, else `new`."""
    products: list[Product] = []
    """The price list: `dim_product`, and which products are add-ons."""
    subscription_statuses: dict[str, StatusRole] = {}
    """What further words in the status of a subscription mean, e.g. {frozen: never, legacy: counting}; in any case."""
    recurring_only: RecurringRule | list[RecurringRule] = []
    """What of subscriptions and invoices recurs, e.g. {column: line_type, values: [subscription]}: the rest is no MRR and
    stands in `non_recurring`. By default all does."""
    overlaps: Literal["sum", "newest"] | NewestUpTo = NewestUpTo()
    """Of one account and product, which of two subscriptions counts while both are in force."""
    grace_days: int = Field(default=0, ge=0, le=366)
    """A contract that ended unannounced, without a successor yet, still counts for so many days from its end."""
    corrections: list[str] = []
    """Subscriptions of which what was delivered last holds from the beginning: a change of them is a correction."""
    min_delivered_pct: float = Field(default=80.0, ge=0, le=100)
    """Share of the previous month's MRR (0 to 100) whose accounts a month has to answer for, to count as delivered."""
    delivery_days: int = Field(default=45, ge=0)
    """So many days after its end a month counts even if it is not delivered, with a warning."""
    delivered_through: date | None = None
    """A day of the last month that counts as delivered whatever came: no longer held back."""

    closed_through: date | None = None
    """A day of the last closed month: up to it the ledger stands as it was last published."""
    restatement_tolerance_pct: float = Field(default=0.5, ge=0)
    """Change of a published month's ending MRR, in percent, beyond which a refresh warns."""

    @field_validator("recognised_statuses")
    @classmethod
    def _void_never_counts(cls, statuses: list[str]) -> list[str]:
        if "void" in statuses:
            raise ValueError("`void` invoices never count as revenue; leave it out")
        return statuses

    def role_of_status(self) -> dict[str, StatusRole]:
        """Word of a status, as `status_key` writes it: what it means."""
        return {**STATUSES, **{status_key(word): role for word, role in self.subscription_statuses.items()}}

    @property
    def recurring_rules(self) -> tuple[RecurringRule, ...]:
        """The rules that say what recurs; none where everything does."""
        rules = self.recurring_only
        return (rules,) if isinstance(rules, RecurringRule) else tuple(rules)

    @property
    def opens_with_balance(self) -> bool:
        return (self.opening or ("balance" if self.basis == "mrr_history" else "new")) == "balance"
