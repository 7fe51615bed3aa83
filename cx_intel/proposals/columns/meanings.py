"""What amounts, ratings and priorities are for: from the names of their columns, or as a doubt where these do not tell.

Which column is which is decided in `tables.py`; how days and numbers are written in `spellings.py`.
"""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence

from cx_intel.models.staging.columns.prices import INTERVALS
from cx_intel.proposals.columns.statuses import OF_DEALS, of_statuses
from cx_intel.proposals.folders import FoundFiles
from cx_intel.proposals.words.names import CURRENCIES, bare_names, plain
from cx_intel.proposals.words.values import (
    ACTIVE,
    CONTRACT_VALUES,
    LEFT,
    MONTHS_OF_AMOUNTS,
    MONTHS_OF_PERIODS,
    PRIORITIES,
    STATUSES,
    TRIALS,
)
from cx_intel.settings.yaml.presets import merged

FIGURE = re.compile(r"^-?\d+(\.\d+)?$")
_WHOLE = re.compile(r"^-?\d+$")
_RATINGS = {"support_tickets": ("satisfaction_score", 4, 5), "nps_responses": ("score", 6, 10)}
"""Table of ratings: the column, and what the highest rating of some is usually at least and at most."""
BILLED = ("billing_period_months", "billing_interval", "billing_interval_count")
"""Columns that say what an amount is for."""
_PRICED = ("amount", "unit_amount", "mrr")
_INTERVAL_WORDS = {word for words in INTERVALS.values() for word in words}
_OF_STRIPE = re.compile(r"^(sub|in|si)_(?=.*[A-Za-z])[A-Za-z0-9]{8,}$")
"""Stripe's ids of subscriptions, invoices and items; sub_000123 and sub_cust_7 are somebody else's."""
_FAR_YEAR = re.compile(r"(?<!\d)(209\d|2[1-9]\d\d|[3-8]\d{3})(?!\d)")
LEAST_CENTS = 100
"""Amounts that are all whole and no smaller may be cents."""

Meaning = tuple[dict[str, object], list[str]]
"""Keys of a source, and doubts."""


def without_billing(columns: dict[str, str]) -> list[str]:
    """Takes the interval of billing away where the amount's own name tells what it is for: an MRR is not for a year."""
    if not _months_of(columns.get("amount", "")):
        return []
    billed = [columns.pop(name) for name in BILLED if name in columns]
    return [f"{columns['amount']} is taken for what its name tells, whatever {name} says." for name in billed]


def _months_of(column: str) -> int | None:
    """The months that an amount is for by the name of its column."""
    name = plain(column)
    return (
        None
        if name in CONTRACT_VALUES
        else next((n for n, words in MONTHS_OF_AMOUNTS.items() if any(word in name for word in words)), None)
    )


def is_recurring(column: str) -> bool:
    """Whether the name of an amount tells that it recurs, by month or year: MRR, ARR, annual_contract_value."""
    words = plain(column).split("_")
    return _months_of(column) is not None and bool({"mrr", "arr", "acv", "recurring", "contract"} & set(words))


def _period(table: str, columns: dict[str, str], found: FoundFiles) -> Meaning:
    """The months that an amount is for, as its name tells."""
    if table == "mrr_history" and "mrr" in columns and _months_of(columns["mrr"]) != 1:
        return {}, [f"{columns['mrr']} is taken for a month's MRR, not for a year's."]
    if table == "invoices" and "amount" in columns:
        return {}, _of_invoices(columns)
    price = columns.get("amount", columns.get("unit_amount"))
    if table != "subscriptions" or price is None:
        return {}, []
    if billed := [columns[name] for name in BILLED if name in columns]:
        return {}, [f"{price} is taken for as long as {' or '.join(billed)} says."]
    if plain(price) in CONTRACT_VALUES or plain(columns.get("subscription_id", "")) in OF_DEALS:
        return _of_whole_terms(price, columns)
    if months := _months_of(price):
        return ({"constants": {"billing_period_months": months}} if months > 1 else {}), []
    told = f"{price} is taken for a month: state `constants: {{billing_period_months: 12}}` where it is a year's."
    return {}, [told, *_intervals_elsewhere(price, columns, found)]


def _intervals_elsewhere(price: str, columns: dict[str, str], found: FoundFiles) -> list[str]:
    """What is said where a column of another name says months and years: whether the price is for as long is not told."""
    for name in found.columns:
        said = dict.fromkeys(found.values_to_the_end(name))
        if len(said) > 1 and name != price and {word.lower() for word in said} <= _INTERVAL_WORDS:
            words = " and ".join(list(said)[:4])
            return [f"{name} says {words}: map it to billing_interval where {price} is for as long as that."]
    return []


def _without_end(table: str, columns: dict[str, str], found: FoundFiles) -> Meaning:
    """Takes days such as 2099-12-31, which stand for no end, for none."""
    values, doubts = {}, []
    for name in ("end_date", "canceled_at", "cancel_at"):
        cells = found.values_to_the_end(columns[name]) if table == "subscriptions" and name in columns else []
        if far := sorted({cell for cell in cells if _FAR_YEAR.search(cell)}):
            values[name] = dict.fromkeys(far, "")
            doubts.append(f"{', '.join(far)} of {columns[name]} is taken for no end.")
    return ({"values": values} if values else {}), doubts


def _of_whole_terms(price: str, columns: dict[str, str]) -> Meaning:
    """The value of a contract: for its term where that is delivered, else for a year."""
    if term := columns.get("term_months"):
        columns["billing_period_months"] = columns.pop("term_months")
        return {}, [
            f"{price} is taken for all of {term}: state `constants: {{billing_period_months: 12}}` in its place where it is "
            f"a year's."
        ]
    return {"constants": {"billing_period_months": 12}}, [
        f"{price} is taken for a year: state its months as `billing_period_months` where it is for a whole term."
    ]


def _of_invoices(columns: dict[str, str]) -> list[str]:
    doubts = []
    if not {"period_start", "billing_period_months"} & set(columns):
        doubts.append(
            "Each invoice is taken for one month: state `constants: {billing_period_months: 12}` where it is for a year."
        )
    if plain(columns["amount"]) in ("total", "amount_due", "total_cents"):
        doubts.append(f"{columns['amount']} may hold tax, which is no MRR.")
    return doubts


def _currency(table: str, columns: dict[str, str], found: FoundFiles) -> Meaning:
    """The currency of amounts by the name of their column: amount_usd is in USD, whatever a currency beside it says.

    Of an amount of which no currency is delivered, and the same in one that its name tells, the latter is taken.
    """
    doubts = []
    for name in _PRICED:
        price = columns.get(name, "")
        others = [c for c in found.columns if _told_currency(c) and c != price and plain(price) in bare_names(c, table)]
        if price and others and not _told_currency(price):
            taken, left = (price, others[0]) if "currency" in columns else (others[0], price)
            columns[name] = taken
            doubts.append(f"{taken} is taken, and {left} is not, which seems to be the same in another currency.")
    priced = [columns[name] for name in _PRICED if name in columns]
    told = {_told_currency(name) for name in priced}
    if len(told) != 1 or told == {""}:
        return {}, doubts
    (code,) = told
    if not {value.upper() for value in found.values(columns.get("currency", ""))} <= {code}:
        doubts.append(f"{' and '.join(priced)} is taken for {code}, whatever {columns.pop('currency')} says.")
    return ({} if "currency" in columns else {"constants": {"currency": code}}), doubts


def _told_currency(column: str) -> str:
    """The currency that the name of a column ends with; empty where it does not."""
    last = plain(column).rsplit("_", 1)[-1]
    return last.upper() if last in CURRENCIES else ""


def _minor_units(table: str, columns: dict[str, str], found: FoundFiles) -> Meaning:
    """Whether amounts are cents: by the name, else it is said where all are whole and none is small."""
    priced = [columns[name] for name in _PRICED if name in columns]
    if any("cent" in plain(name) for name in priced):
        return {"in_minor_units": True}, []
    ids = found.values(columns.get("subscription_id", columns.get("invoice_id", "")))
    values = [value for name in priced for value in found.values(name)]
    sizes = [abs(int(value)) for value in values if _WHOLE.match(value)]
    if not values or len(sizes) < len(values) or min((n for n in sizes if n), default=0) < LEAST_CENTS:
        return {}, []
    if ids and all(_OF_STRIPE.match(value) for value in ids):
        return {"in_minor_units": True}, [f"{' and '.join(priced)} is taken for cents, as Stripe writes amounts."]
    return {}, [f"{' and '.join(priced)} is taken for whole units: state `in_minor_units: true` where it is in cents."]


def _trials(table: str, columns: dict[str, str], found: FoundFiles) -> Meaning:
    """Subscriptions that a column of its own calls trials count as any other."""
    flags = [name for name in found.columns if plain(name) in TRIALS and name not in columns.values()]
    if table != "subscriptions" or not (told := [name for name in flags if _says_true(found.values(name))]):
        return {}, []
    return {}, [f"Trials by {told[0]} count with their amount: leave them out with `where` if they pay nothing yet."]


def _left(table: str, columns: dict[str, str], found: FoundFiles) -> Meaning:
    """Contracts that a column of its own calls ended, and no day does, would pay for ever: they are left out."""
    is_ended_by_day = {"end_date", "canceled_at", "cancel_at", "status"} & set(columns)
    if table != "subscriptions" or "account_id" not in columns or is_ended_by_day:
        return {}, []
    for name in found.columns:
        if plain(name) not in (*ACTIVE, *LEFT):
            continue
        given = dict.fromkeys(found.values(name))
        in_force = [value for value in given if _says_true([value]) == (plain(name) in ACTIVE)]
        if in_force and len(in_force) < len(given):
            doubt = f"{name} says that some have ended and no column when: they are left out, in the past too."
            return {"where": {name: in_force}}, [doubt]
    return {}, []


def _says_true(values: Iterable[str]) -> bool:
    return any(value.lower() in ("true", "t", "yes", "y", "1", "ja") for value in values)


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


def _words(table: str, columns: dict[str, str], found: FoundFiles) -> Meaning:
    """What the words of priorities and statuses mean, where they are not the ones that are known anyway."""
    values: dict[str, dict[str, str]] = {}
    doubts: list[str] = []
    if table == "support_tickets" and (priority := columns.get("priority")):
        values["priority"], unknown = _translated(_with_worst(found.values_to_the_end(priority)), PRIORITIES)
        doubts += [f"Which priority {', '.join(unknown[:5])} is, is not told: add it to `values`."] if unknown else []
    if table == "subscriptions" and (said := _periods(columns, found)):
        values["billing_period_months"], unknown = said
        doubts += [f"How many months {', '.join(unknown[:5])} is, is not told: add it to `values`."] if unknown else []
    if status := columns.get("status"):
        values["status"], _ = _translated(found.values(status), STATUSES.get(table, {}))
    given = {name: words for name, words in values.items() if words}
    return ({"values": given} if given else {}), doubts


def _with_worst(said: Sequence[str]) -> list[str]:
    """The words of priorities, with the worst ones where high is the worst so far: they are rare and may come yet."""
    known = {value.lower() for value in said}
    return [*said, *(PRIORITIES["p1"][:2] if "high" in known and not known & {*PRIORITIES["p1"]} else ())]


def _periods(columns: dict[str, str], found: FoundFiles) -> tuple[dict[str, str], list[str]] | None:
    """Takes an interval of billing for its months where it has words that are known as such only; None where it has not."""
    if "billing_interval" not in columns or "billing_period_months" in columns:
        return None
    given = {value.lower() for value in found.values(columns["billing_interval"])}
    months, unknown = _translated(given, MONTHS_OF_PERIODS)
    if given <= _INTERVAL_WORDS or not months:
        return None
    columns["billing_period_months"] = columns.pop("billing_interval")
    return months, unknown


def _translated(said: Iterable[str], known: Mapping[str, Sequence[str]]) -> tuple[dict[str, str], list[str]]:
    """The words that mean another, and those that are not known."""
    meanings = {word: name for name, words in known.items() for word in words}
    lower = sorted({value.lower() for value in said})
    return (
        {word: meanings[word] for word in lower if meanings.get(word, word) != word},
        [word for word in lower if word not in meanings and word not in known],
    )


_MEANINGS: tuple[Callable[[str, dict[str, str], FoundFiles], Meaning], ...] = (
    _currency,
    _period,
    _minor_units,
    _trials,
    _without_end,
    _left,
    _scales,
    _words,
    of_statuses,
)


def meanings(table: str, columns: dict[str, str], found: FoundFiles) -> Meaning:
    """What the columns of a table are for. Those that are read otherwise, or not at all, are changed in `columns`."""
    more: dict[str, object] = {}
    doubts: list[str] = []
    for of in _MEANINGS:
        keys, said = of(table, columns, found)
        more = merged(more, keys)
        doubts += said
    return more, doubts
