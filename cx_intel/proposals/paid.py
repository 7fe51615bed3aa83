"""What a price of a contract is for, told by what was paid in another file: one unit or all, before its discount or after."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import product

from cx_intel.proposals.tables import TableProposal, of_all_or_one, taken_off
from cx_intel.proposals.words.columns import COLUMN_WORDS
from cx_intel.proposals.words.names import plain

PERIODS = (1, 3, 6, 12)
"""Months that a payment may be for, of a price of a month."""
LEAST = 5
"""So many payments have to be one or the other."""
AGREEING = 0.8
"""The share of those that are either, from which it is taken for told."""
_KEYS = ("subscription_id", "account_id")


@dataclass(frozen=True)
class _Price:
    """Of a contract: the price, how many units it has, and the share of a discount that is left to pay; 1 where unknown."""

    amount: float
    units: float
    left: float


def with_paid_prices(tables: Sequence[TableProposal], incomplete: Sequence[TableProposal]) -> list[TableProposal]:
    """The proposals, where contracts with a price and units or a discount say what payments agree with.

    Args:
        tables: Those that can be read.
        incomplete: Those that lack a column: payments without an id tell as well.
    """
    payments = [t for t in (*tables, *incomplete) if t.table == "invoices" and "amount" in t.columns]
    return [
        _after_discount(_of_units(table, payments), payments) if table.table == "subscriptions" else table
        for table in tables
    ]


def _of_units(contracts: TableProposal, payments: Sequence[TableProposal]) -> TableProposal:
    """Whether the price is for one of the units or for all."""
    if not {"amount", "quantity"} <= set(contracts.columns) or "amount_is" not in contracts.more:
        return contracts
    price, units = contracts.columns["amount"], contracts.columns["quantity"]
    for paid in payments:
        compared = [(amount, of) for amount, of in _compared(contracts, paid) if of.units not in PERIODS]
        for_one = sum(_is_one_of(amount, of.amount * of.units, (1, of.left)) for amount, of in compared)
        for_all = sum(_is_one_of(amount, of.amount, (1, of.left)) for amount, of in compared)
        if max(for_one, for_all) < max(LEAST, AGREEING * len(compared)) or for_one == for_all:
            continue
        counted = f"{max(for_one, for_all)} of {len(compared)} amounts of {paid.found.title}"
        contracts = _without(contracts, of_all_or_one(price, units))
        if for_all > for_one:
            said = f"{price} is taken for all of {units}, as {counted} are {price} alone."
            return replace(contracts, doubts=(*contracts.doubts, said))
        said = f"{price} is taken for one of {units}, as {counted} are {price} times {units}."
        columns = {"unit_amount" if name == "amount" else name: given for name, given in contracts.columns.items()}
        more = {name: value for name, value in contracts.more.items() if name != "amount_is"}
        return replace(contracts, columns=columns, more=more, doubts=(*contracts.doubts, said))
    return contracts


def _after_discount(contracts: TableProposal, payments: Sequence[TableProposal]) -> TableProposal:
    """Whether a price that has the discount beside it is the one before it, where it was taken for what is paid."""
    price, discount = contracts.columns.get("amount", ""), _discount(contracts)
    if not price or discount is None or "discount_pct" in contracts.columns or contracts.query:
        return contracts
    for paid in payments:
        compared = [(amount, of) for amount, of in _compared(contracts, paid) if of.left < 1]
        before = sum(_is_one_of(amount, of.amount * of.left, (1, of.units)) for amount, of in compared)
        after = sum(_is_one_of(amount, of.amount, (1, of.units)) for amount, of in compared)
        if max(before, after) < max(LEAST, AGREEING * len(compared)) or before == after:
            continue
        contracts = _without(contracts, taken_off(price, discount))
        counted = f"{max(before, after)} of {len(compared)} amounts of {paid.found.title}"
        if after > before:
            said = f"{price} is taken for what is paid, {discount} taken off already, as {counted} are {price} alone."
            return replace(contracts, doubts=(*contracts.doubts, said))
        said = f"{discount} is taken off {price}, as {counted} are what is left of it."
        columns = {**contracts.columns, "discount_pct": discount}
        namesakes = tuple(name for name in contracts.namesakes if name != "discount_pct")
        return replace(contracts, columns=columns, namesakes=namesakes, doubts=(*contracts.doubts, said))
    return contracts


def _without(contracts: TableProposal, said: str) -> TableProposal:
    return replace(contracts, doubts=tuple(doubt for doubt in contracts.doubts if doubt != said))


def _compared(contracts: TableProposal, payments: TableProposal) -> Iterator[tuple[float, _Price]]:
    """Each payment of a contract that stands once, with its price."""
    key = next((k for k in _KEYS if k in contracts.columns and k in payments.columns), None)
    if key is None:
        return
    prices = _prices(contracts, key)
    for row in payments.found.rows:
        amount = _number(row.get(payments.columns["amount"]))
        if amount and (price := prices.get(row.get(payments.columns[key]) or "")):
            yield amount, price


def _prices(contracts: TableProposal, key: str) -> Mapping[str, _Price]:
    """The price of each id that stands once."""
    columns = contracts.columns
    amount = columns.get("amount", columns.get("unit_amount", ""))
    units, discount = columns.get("quantity", ""), _discount(contracts) or ""
    found: dict[str, _Price | None] = {}
    for row in contracts.found.rows:
        of, price = row.get(columns[key]), _number(row.get(amount))
        if of:
            left = 1 - (_number(row.get(discount)) or 0) / 100
            found[of] = _Price(price, _number(row.get(units)) or 1, left) if price and of not in found else None
    return {of: price for of, price in found.items() if price}


def _discount(contracts: TableProposal) -> str | None:
    """The file's column of discounts in per cent, whether it is taken or not."""
    words = COLUMN_WORDS["subscriptions"]["discount_pct"]
    return next((name for name in contracts.found.columns if plain(name) in words), None)


def _is_one_of(amount: float, price: float, factors: Sequence[float]) -> bool:
    """Whether a payment is a price for a month or a usual number of them, with one of the factors."""
    return any(abs(amount - price * months * factor) < 0.01 for months, factor in product(PERIODS, factors))


def _number(cell: str | None) -> float | None:
    """A number as most write it; others tell nothing here."""
    try:
        return float((cell or "").strip().lstrip("$€£").replace(",", ""))
    except ValueError:
        return None
