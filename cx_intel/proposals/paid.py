"""Whether the price of a contract is for one of its units or for all, told by what was paid in another file."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from cx_intel.proposals.tables import TableProposal

PERIODS = (1, 3, 6, 12)
"""Months that a payment may be for, of a price of a month."""
LEAST = 5
"""So many payments have to be one or the other."""
AGREEING = 0.8
"""The share of those that are either, from which it is taken for told."""
_KEYS = ("subscription_id", "account_id")


def with_paid_prices(tables: Sequence[TableProposal], incomplete: Sequence[TableProposal]) -> list[TableProposal]:
    """The proposals, where contracts with a price and a number of units say what payments agree with.

    Args:
        tables: Those that can be read.
        incomplete: Those that lack a column: payments without an id tell as well.
    """
    payments = [t for t in (*tables, *incomplete) if t.table == "invoices" and "amount" in t.columns]
    return [next((told for paid in payments if (told := _told(table, paid))), table) for table in tables]


def _told(contracts: TableProposal, payments: TableProposal) -> TableProposal | None:
    if contracts.table != "subscriptions" or not {"amount", "quantity"} <= set(contracts.columns):
        return None
    key = next((k for k in _KEYS if k in contracts.columns and k in payments.columns), None)
    if key is None or "amount_is" not in contracts.more:
        return None
    prices = _once(contracts, key)
    for_one = for_all = seen = 0
    for row in payments.found.rows:
        paid = _number(row.get(payments.columns["amount"]))
        price, units = prices.get(row.get(payments.columns[key]) or "", (None, None))
        if not paid or not price or not units or units in PERIODS:
            continue
        seen += 1
        for_one += any(abs(paid - price * units * months) < 0.01 for months in PERIODS)
        for_all += any(abs(paid - price * months) < 0.01 for months in PERIODS)
    if max(for_one, for_all) < max(LEAST, AGREEING * seen) or for_one == for_all:
        return None
    price, units_ = contracts.columns["amount"], contracts.columns["quantity"]
    counted = f"{max(for_one, for_all)} of {seen} amounts of {payments.found.title}"
    doubts = [doubt for doubt in contracts.doubts if not doubt.startswith(f"Whether {price} is for all of {units_}")]
    if for_all > for_one:
        doubts.append(f"{price} is taken for all of {units_}, as {counted} are {price} alone.")
        return replace(contracts, doubts=tuple(doubts))
    doubts.append(f"{price} is taken for one of {units_}, as {counted} are {price} times {units_}.")
    columns = {"unit_amount" if name == "amount" else name: given for name, given in contracts.columns.items()}
    more = {name: value for name, value in contracts.more.items() if name != "amount_is"}
    return replace(contracts, columns=columns, more=more, doubts=tuple(doubts))


def _once(contracts: TableProposal, key: str) -> Mapping[str, tuple[float | None, float | None]]:
    """Price and units of each id that stands once."""
    found: dict[str, tuple[float | None, float | None]] = {}
    again = set()
    for row in contracts.found.rows:
        if not (of := row.get(contracts.columns[key])):
            continue
        again |= {of} & set(found)
        found[of] = _number(row.get(contracts.columns["amount"])), _number(row.get(contracts.columns["quantity"]))
    return {of: figures for of, figures in found.items() if of not in again}


def _number(cell: str | None) -> float | None:
    """A number as most write it; others tell nothing here."""
    try:
        return float((cell or "").strip().lstrip("$€£").replace(",", ""))
    except ValueError:
        return None
