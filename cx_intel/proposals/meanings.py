"""What amounts, ratings and priorities are for: from the names of their columns, or as a doubt where these do not tell.

Which column is which is decided in `tables.py`; how days and numbers are written in `spellings.py`.
"""

import re
from collections.abc import Callable

from cx_intel.proposals.folders import FoundFiles
from cx_intel.proposals.words import MONTHS_OF_AMOUNTS, PRIORITIES, plain

FIGURE = re.compile(r"^-?\d+(\.\d+)?$")
_WHOLE = re.compile(r"^-?\d+$")
_RATINGS = {"support_tickets": ("satisfaction_score", 4, 5), "nps_responses": ("score", 6, 10)}
"""Table of ratings: the column, and what the highest rating of some is usually at least and at most."""
_BILLED = ("billing_period_months", "billing_interval")
LEAST_CENTS = 100
"""Amounts that are all whole and no smaller may be cents."""

Meaning = tuple[dict[str, object], list[str]]
"""Keys of a source, and doubts."""


def without_billing(columns: dict[str, str]) -> list[str]:
    """Takes the interval of billing away where the amount's own name tells what it is for: an MRR is not for a year."""
    if not _months_of(columns.get("amount", "")):
        return []
    billed = [columns.pop(name) for name in _BILLED if name in columns]
    return [f"{columns['amount']} is taken for what its name tells, whatever {name} says." for name in billed]


def _months_of(column: str) -> int | None:
    """The months that an amount is for by the name of its column."""
    name = plain(column)
    return next((n for n, words in MONTHS_OF_AMOUNTS.items() if any(word in name for word in words)), None)


def _period(table: str, columns: dict[str, str], found: FoundFiles) -> Meaning:
    """The months that an amount is for, as its name tells."""
    if table == "mrr_history" and "mrr" in columns and _months_of(columns["mrr"]) != 1:
        return {}, [f"{columns['mrr']} is taken for a month's MRR, not for a year's."]
    if table == "invoices" and "amount" in columns:
        return {}, _of_invoices(columns)
    price = columns.get("amount", columns.get("unit_amount"))
    if table != "subscriptions" or price is None:
        return {}, []
    if billed := [columns[name] for name in _BILLED if name in columns]:
        return {}, [f"{price} is taken for as long as {' or '.join(billed)} says."]
    if months := _months_of(price):
        return ({"constants": {"billing_period_months": months}} if months > 1 else {}), []
    return {}, [f"{price} is taken for a month: state `constants: {{billing_period_months: 12}}` where it is a year's."]


def _of_invoices(columns: dict[str, str]) -> list[str]:
    doubts = []
    if not {"period_start", "billing_period_months"} & set(columns):
        doubts.append(
            "Each invoice is taken for one month: state `constants: {billing_period_months: 12}` where it is for a year."
        )
    if plain(columns["amount"]) in ("total", "amount_due", "total_cents"):
        doubts.append(f"{columns['amount']} may hold tax, which is no MRR.")
    return doubts


def _minor_units(table: str, columns: dict[str, str], found: FoundFiles) -> Meaning:
    """Whether amounts are cents: by the name, else it is said where all are whole and none is small."""
    priced = [columns[name] for name in ("amount", "unit_amount", "mrr") if name in columns]
    if any("cent" in plain(name) for name in priced):
        return {"in_minor_units": True}, []
    values = [value for name in priced for value in found.values(name)]
    sizes = [abs(int(value)) for value in values if _WHOLE.match(value)]
    if not values or len(sizes) < len(values) or min((n for n in sizes if n), default=0) < LEAST_CENTS:
        return {}, []
    return {}, [f"{' and '.join(priced)} is taken for whole units: state `in_minor_units: true` where it is in cents."]


def _scales(table: str, columns: dict[str, str], found: FoundFiles) -> Meaning:
    """Which scale ratings are on, and whether a discount is a share, is not told by their columns."""
    doubts = []
    if table == "subscriptions" and plain(columns.get("discount_pct", "")) == "discount":
        doubts.append(f"{columns['discount_pct']} is taken for per cent, 0 to 100, not for an amount or a share.")
    if table in _RATINGS and (rating := columns.get(_RATINGS[table][0])):
        _, least, most = _RATINGS[table]
        given = [float(value) for value in found.values(rating) if FIGURE.match(value)]
        if given and not least <= max(given) <= most:
            doubts.append(f"{rating} goes up to {max(given):g} here and is taken for a scale that ends at {most}.")
    return {}, doubts


def _priorities(table: str, columns: dict[str, str], found: FoundFiles) -> Meaning:
    """What the words of a help desk's priorities mean."""
    if table != "support_tickets" or "priority" not in columns:
        return {}, []
    known = {word: name for name, words in PRIORITIES.items() for word in words}
    said = sorted({value.lower() for value in found.values(columns["priority"])})
    values = {word: known[word] for word in said if word in known and word != known[word]}
    unknown = [word for word in said if word not in known]
    doubts = [f"Which priority {', '.join(unknown[:5])} is, is not told: add it to `values`."] if unknown else []
    return ({"values": {"priority": values}} if values else {}), doubts


MEANINGS: tuple[Callable[[str, dict[str, str], FoundFiles], Meaning], ...] = (
    _period,
    _minor_units,
    _scales,
    _priorities,
)
"""Each takes a table, its columns and the files."""
