"""What is asked of the prices of subscriptions as they were delivered; the contract of what is staged is in `billing.py`."""

from collections.abc import Mapping

import ibis
import ibis.expr.types as ir

from cx_intel.contracts.contract import CrossInvariant
from cx_intel.settings.portfolio import Portfolio


def amount_is_units_times_price(portfolio: Portfolio) -> tuple[CrossInvariant, ...]:
    """Where both are delivered, `unit_amount` x `quantity` counts: an `amount` that says otherwise is told."""
    if "subscriptions" not in portfolio.tables:
        return ()
    return (
        CrossInvariant(
            "amount_is_units_times_price",
            "An amount that is delivered beside unit_amount is unit_amount x quantity, before or after the discount.",
            ("raw_subscriptions",),
            _other_amounts,
            "unit_amount x quantity counts, and amount is not read. Map the one of the two that is right, and not the other.",
            "warn",
        ),
    )


def _other_amounts(tables: Mapping[str, ir.Table]) -> ir.Table:
    """The rows whose amount is neither the price of all units, to a cent a unit, nor that less the discount."""
    raw, staged = tables["raw_subscriptions"], tables["self"]
    if not {"subscription_id", "amount", "unit_amount"} <= set(raw.columns):
        return staged.filter(ibis.literal(False))

    def number(name: str) -> ir.FloatingValue:
        if name not in raw.columns:
            return ibis.null("float64")
        cell = raw[name]
        if not cell.type().is_string():
            return cell.cast("float64")
        return cell.re_replace("[^0-9.-]", "").try_cast("float64")  # without signs, codes of currencies and grouping

    units = ibis.coalesce(number("quantity"), 1.0)
    rows = raw.select(
        _id=raw.subscription_id.cast("string").strip(),
        stated=number("amount"),
        units=units,
        price=number("unit_amount"),
        less_pct=ibis.coalesce(number("discount_pct"), 0.0),
        less=ibis.coalesce(number("discount_amount"), 0.0).abs(),
    )
    rows = rows.mutate(whole=rows.units * rows.price)
    rows = rows.mutate(
        reduced=rows.whole * (1 - rows.less_pct / 100) - rows.less, margin=ibis.greatest(rows.units, 1.0) / 100
    )
    apart = ibis.least((rows.stated - rows.whole).abs(), (rows.stated - rows.reduced).abs())
    broken = rows.filter(ibis.coalesce(apart > rows.margin, ibis.literal(False))).select("_id", "stated")
    return (
        staged.select("subscription_id", "amount")
        .inner_join(broken, staged.subscription_id == broken["_id"])
        .drop("_id")
    )
