"""A warehouse file into which a company's Stripe is landed, with the objects that its tests begin with.

The vendor itself is in `stripe_stand_in.py`.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from cx_intel.orchestration.assets.delivery.landed import Landing
from cx_intel.settings.sources.vendors import CUSTOMER_OF, StripeSource
from cx_intel.warehouse.duckdb.access.opening import writing
from cx_intel_tests.helpers.landing_home import LandingHome
from cx_intel_tests.helpers.stripe_stand_in import KEY, StripeStandIn, item, items, price

NOW = 1_750_000_000  # 2025-06-15
DAY = 86_400
KINDS = ("customers", "products", "prices", "coupons", "subscriptions", "invoices")
SEAT = price("price_seat", 1999)


def company() -> StripeStandIn:
    """250 customers, of whom 120 have a subscription."""
    stand_in = StripeStandIn(NOW)
    stand_in.put("products", {"id": "prod_suite", "name": "Suite"})
    stand_in.put("prices", SEAT)
    for n in range(250):
        stand_in.put("customers", {"id": f"cus_{n:03}", "name": f"Company {n}", "email": f"it@company{n}.example"})
    for n in range(120):
        of = {"customer": f"cus_{n:03}", "status": "active", "currency": "usd", "start_date": NOW - 90 * DAY}
        stand_in.put(
            "subscriptions",
            {"id": f"sub_{n:03}", "items": items(f"sub_{n:03}", [item(f"si_{n}", SEAT, n + 1)]), "discounts": []} | of,
        )
    return stand_in


class StripeHome(LandingHome):
    """The stand-in is landed into it.

    Attributes:
        stripe: The stand-in.
        erased: The customer who was erased; empty: none.
    """

    def __init__(self, folder: Path, stripe: StripeStandIn):
        self.stripe, self.erased = stripe, ""
        super().__init__(folder / "warehouse.duckdb", stripe, self.of(), KINDS, {})
        self.is_erased = self._is_erased

    def of(self, **changes: Any) -> StripeSource:
        """The source, with these settings."""
        return StripeSource(kind="stripe", api_key="${STRIPE_API_KEY}", host=self.stripe.host, **changes)

    def land(self, kinds: tuple[str, ...] = KINDS, key: str = KEY, **changes: Any) -> Landing:
        self.kinds, self.source, self.variables = kinds, self.of(**changes), {"STRIPE_API_KEY": key}
        return super().land()

    def everything(self) -> dict[str, Any]:
        """All that was landed, and how far it was read."""
        with writing(self.file) as database:
            cursors = database.rows("SELECT * FROM cx_state.landing_cursors ORDER BY kind")
        return {kind: self.table(kind) for kind in KINDS} | {"cursors": cursors}

    def asked(self, path: str) -> int:
        """How many requests went to paths that begin so."""
        return sum(asked.path.startswith(path) for asked in self.stripe.asked)

    def _is_erased(self, kind: str, row: Mapping[str, str | None]) -> bool:
        return bool(self.erased) and self.erased in [row.get(field) for field in CUSTOMER_OF.get(kind, ())]
