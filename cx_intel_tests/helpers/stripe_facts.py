"""Prices of a made-up Stripe account and what they are in USD a month, reckoned in fractions from the facts.

How they look in exports is in `stripe_objects.py`, how Fivetran lands them in `stripe_landed.py`.
"""

from dataclasses import dataclass
from datetime import date
from fractions import Fraction

RATE = {"usd": Fraction(1), "eur": Fraction(11, 10), "jpy": Fraction(67, 10000)}
MINOR = {"usd": 100, "eur": 100, "jpy": 1}
MONTHS = {"day": Fraction(12, 365), "week": Fraction(12, 52), "month": Fraction(1), "year": Fraction(12)}
START = date(2024, 2, 29)


@dataclass(frozen=True)
class Price:
    """A price in minor units, of which there may be fractions; of one by tiers there is none."""

    id: str
    unit: Fraction | None
    currency: str = "usd"
    interval: str = "month"
    count: int = 1
    usage: str = "licensed"

    @property
    def product(self) -> str:
        return self.id.replace("price", "prod", 1)

    @property
    def decimal(self) -> str | None:
        return None if self.unit is None else f"{float(self.unit):g}"

    @property
    def whole(self) -> int | None:
        """What `unit_amount` can say of it."""
        return int(self.unit) if self.unit is not None and self.unit.denominator == 1 else None

    def in_usd_a_month(self, amount: Fraction) -> Fraction:
        """An amount that is charged by its currency and interval."""
        return amount / MINOR[self.currency] / (MONTHS[self.interval] * self.count) * RATE[self.currency]


SEAT = Price("price_seat", Fraction(1999))
ADDON = Price("price_addon", Fraction(50000))
CALLS = Price("price_calls", Fraction(2), usage="metered")
YEN = Price("price_yen", Fraction(220000), "jpy", "year")
PART = Price("price_part", Fraction(901, 2), "eur")  # 450.5 cents: no unit_amount, a decimal only
TIERS = Price("price_tiers", None)
DRAWN = [
    Price(f"price_{c}_{i}_{n}", Fraction(4900 * n if c != "jpy" else 70 * n), c, i, n)
    for c in RATE
    for i, n in (("day", 30), ("week", 1), ("month", 1), ("month", 3), ("year", 1), ("year", 2))
]
PRICES = [SEAT, ADDON, CALLS, YEN, PART, TIERS, *DRAWN]


def licensed(items: tuple[tuple[Price, int | None], ...]) -> tuple[Price, Fraction] | None:
    """The price that says currency and interval, and what its licensed items cost; None where all are metered."""
    found = [(price, 1 if quantity is None else quantity) for price, quantity in items if price.usage == "licensed"]
    return (found[0][0], sum(((p.unit or 0) * Fraction(q) for p, q in found), Fraction(0))) if found else None
