"""Compares names of columns and files as people write them: plain words, without what tells nothing in their table.

What people call each table and column is in `columns.py`; what is made of both, in `cx_intel.proposals.tables`.
"""

import re
import unicodedata

QUALIFIERS_BEFORE = {
    "accounts": ("account", "customer", "company", "client", "organization", "org", "billing"),
    "subscriptions": ("subscription", "contract", "plan", "opportunity", "deal", "vertrags"),
    "invoices": ("invoice", "rechnungs"),
    "support_tickets": ("ticket", "case"),
    "nps_responses": ("survey", "response"),
    "usage_events": ("event",),
}
"""Canonical table: words before a name that tell nothing about it, as the plan's in plan_amount."""
CURRENCIES = ("eur", "usd", "gbp", "chf")
"""Last words in the names of amounts that tell their currency."""
QUALIFIERS_AFTER = ("netto", "net", *CURRENCIES, "excl_vat", "exkl_mwst", "c", "local", "utc")
"""Words after a name that tell nothing about it, as the currency's in amount_eur."""
NOT_ALONE = ("id", "name", "no", "nr", "number", "type", "date", "at", "to", "from")
"""What is left of a name and tells nothing without the word before it: plan_id is no id of a subscription."""


_UMLAUTS = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue", "Ä": "Ae", "Ö": "Oe", "Ü": "Ue", "ß": "ss"})


def plain(name: str) -> str:
    """A name as names are compared: customerId, Customer ID and customer-id are customer_id, Währung is waehrung."""
    spelt = unicodedata.normalize("NFC", name.strip()).translate(_UMLAUTS)
    ascii_only = unicodedata.normalize("NFKD", spelt).encode("ascii", "ignore").decode()
    spaced = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", ascii_only)
    return re.sub(r"[^a-z0-9]+", "_", spaced.lower()).strip("_")


def bare_names(name: str, table: str) -> list[str]:
    """What is left of a column's name without a unit in brackets and without words that tell nothing in that table."""
    shorter = [plain(re.sub(r"[(\[].*?[)\]]", " ", name))]
    for word in QUALIFIERS_AFTER:
        shorter += [text.removesuffix(f"_{word}") for text in shorter if text.endswith(f"_{word}")]
    for word in QUALIFIERS_BEFORE.get(table, ()):
        shorter += [text.removeprefix(f"{word}_") for text in shorter if text.startswith(f"{word}_")]
    return [text for text in shorter if text and (text == shorter[0] or text not in NOT_ALONE)]
