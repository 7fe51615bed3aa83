"""What a subscription costs in a month: amount or units times price, less the discount, by the billing interval.

Only the arithmetic of one row; from when a price holds is in `cx_intel.models.subscriptions.periods`, exact
division in `cx_intel.models.expressions.money`. Definitions: price in `docs/definitions.md`.
"""

import ibis
import ibis.expr.types as ir

from cx_intel.contracts.staging.values import MONEY_LIMIT, PERIOD_LIMIT, QUANTITY_LIMIT
from cx_intel.models.expressions.money import AMOUNT, converted, to_six_decimals
from cx_intel.settings.portfolio import Portfolio

INTERVALS = {
    ("day", 1): ("day", "days", "daily"),
    ("week", 1): ("week", "weeks", "weekly", "p1w", "p7d"),
    ("week", 2): ("fortnight", "fortnightly", "every_two_weeks", "p2w"),
    ("month", 1): ("month", "months", "monthly", "p1m", "per_month"),
    ("month", 3): ("quarter", "quarters", "quarterly", "p3m"),
    ("month", 6): (
        *("semiannual", "semi-annual", "semi_annual", "semiannually", "semi-annually", "half-year", "half-yearly"),
        *("half yearly", "half_yearly", "halfyearly", "per_six_months", "six_months", "p6m"),
    ),
    ("year", 1): ("year", "years", "yearly", "annual", "annually", "p1y", "p12m", "per_year", "yr"),
    ("year", 2): ("biennial", "biennially", "per_two_years", "two_years", "p2y"),
    ("year", 3): ("triennial", "triennially", "per_three_years", "three_years", "p3y"),
}
"""A unit of billing periods and how many of it: the words for that. Not biweekly, bimonthly and biannual, which mean two
things each.
"""
ONCE = "once"
PER_MONTH = {"day": (365, 12), "week": (52, 12), "month": (1, 1), "year": (1, 12)}
"""Unit: what a month is in it: 365/12 days, 52/12 weeks, 1/12 year."""


def interval(rows: ir.Table) -> ir.StringValue:
    """The unit of the billing period; null where none or an unknown word is given."""
    by_unit: dict[str, list[str]] = {}
    for (unit, _), words in INTERVALS.items():
        by_unit.setdefault(unit, []).extend(words)
    return ibis.cases(
        *((rows.billing_interval.isin(words), unit) for unit, words in by_unit.items()), else_=ibis.null("string")
    )


def interval_count(rows: ir.Table) -> ir.IntegerValue:
    """How many units a billing period has: as delivered, times those of a word such as quarterly."""
    given = rows.billing_interval_count
    times = [(rows.billing_interval.isin(words), times) for (_, times), words in INTERVALS.items() if times > 1]
    several = ibis.cases(*times, else_=ibis.null("int64")).cast("int64")
    in_limit = ibis.ifelse(given.between(-PERIOD_LIMIT, PERIOD_LIMIT), given * several, given)
    return ibis.cases((several.isnull(), given), (given.isnull(), several), else_=in_limit)


def priced(rows: ir.Table, portfolio: Portfolio) -> ir.Table:
    """The rows with `amount` (converted, to cents) and `list_mrr_amount` and `mrr_amount` (a month, to 6 decimals).

    `_months` holds the billing period where no interval is given. Null where any part is missing or cannot be read.
    """
    price = rows.unit_amount
    if portfolio.source_of("subscriptions").amount_is == "per_unit":
        price = ibis.coalesce(price, rows.amount)
    count = ibis.coalesce(rows.quantity, 1)
    units = ibis.ifelse(count.between(0, QUANTITY_LIMIT), count, ibis.null("int64")).cast("decimal(10, 0)")
    product = (price * units).cast("decimal(32, 9)")
    by_unit = ibis.ifelse(product.abs() <= MONEY_LIMIT, product, ibis.null("decimal(32, 9)")).cast(AMOUNT)
    rows = rows.mutate(
        amount=ibis.ifelse(price.notnull(), by_unit, rows.amount).cast(AMOUNT),
        _has_amount=rows["_has_amount"] | by_unit.notnull(),
    )
    rows = rows.mutate(_interval=interval(rows), _interval_count=interval_count(rows))  # once, for planning's sake
    unit = rows["_interval"]
    count = ibis.coalesce(rows["_interval_count"], 1)
    count = ibis.ifelse(count.between(1, PERIOD_LIMIT), count, ibis.null("int64"))
    times = ibis.cases(*((unit == name, times) for name, (times, _) in PER_MONTH.items()), else_=1)
    per = ibis.cases(*((unit == name, count * per) for name, (_, per) in PER_MONTH.items()), else_=rows["_months"])
    is_unread = rows.billing_interval.notnull() & unit.isnull()
    rows = rows.mutate(
        billing_interval=ibis.coalesce(unit, rows.billing_interval),
        billing_interval_count=rows["_interval_count"],
        _discounted=_discounted(rows),
        _times=times.cast("int64"),
        _per=ibis.ifelse(is_unread, ibis.null("int64"), per).cast("int64"),
    )
    rows = to_six_decimals(
        rows,
        {"list_mrr_amount": "amount", "mrr_amount": "_discounted"},
        portfolio=portfolio,
        times=rows["_times"],
        per=rows["_per"],
    )
    return converted(rows, {"amount": ("amount", None)}, portfolio=portfolio)


def _discounted(rows: ir.Table) -> ir.DecimalValue:
    """The amount of a billing period less its discount, not below 0; a discount that applies once moves nothing."""
    pct = ibis.coalesce(rows.discount_pct, 0)
    kept_pct = (100 - ibis.ifelse(pct.between(0, 100), pct, 0)).cast("decimal(9, 6)")
    hundredth = ibis.literal("0.01").cast("decimal(2, 2)")
    share = ((rows.amount * kept_pct).cast("decimal(34, 15)") * hundredth).cast(AMOUNT)
    less = share - ibis.coalesce(rows.discount_amount.abs(), ibis.literal(0).cast(AMOUNT)).cast(AMOUNT)
    nothing = ibis.literal(0).cast(AMOUNT)
    reduced = ibis.ifelse((rows.amount > nothing) & (less < nothing), nothing, less.cast(AMOUNT))
    is_reduced = rows.discount_pct.notnull() | rows.discount_amount.notnull()
    applies_once = ibis.coalesce(rows.discount_duration == ONCE, ibis.literal(False))
    return ibis.ifelse(is_reduced & ~applies_once, reduced, rows.amount).cast(AMOUNT)
