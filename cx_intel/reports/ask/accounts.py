"""Finds the account that a person means: by its id, its name, or a part of its name.

What is told of an account stands in `explanation.py`. Nothing is read here but ids and names.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches

from cx_intel.reports.ask.answer import NoAnswer
from cx_intel.warehouse.protocol import Warehouse

SUGGESTED = 5
"""Accounts that are named where the one that is meant is unclear."""


@dataclass(frozen=True)
class AccountName:
    """An account of a portfolio: its id, and its name, which is the id where it has none."""

    portfolio: str
    account_id: str
    name: str

    def __str__(self) -> str:
        return f"{self.name} ({self.account_id}, {self.portfolio})"


def find_account(text: str, warehouses: Mapping[str, Warehouse]) -> AccountName:
    """The one account that a text means: an id before a name, a name before a part of one, upper or lower case alike.

    Args:
        text: What a person typed.
        warehouses: Portfolio: its tables.

    Raises:
        NoAnswer: No account, or several, fit; the message names some that do, or that are spelt alike.
    """
    wanted = " ".join(text.split()).casefold()
    if not wanted:
        raise NoAnswer("Name an account: its id, its name, or a part of its name.")
    known = [account for name, warehouse in warehouses.items() for account in _accounts(name, warehouse)]
    for fits in (
        lambda a: a.account_id == text,
        lambda a: a.account_id.casefold() == wanted,
        lambda a: a.name.casefold() == wanted,
        lambda a: wanted in a.name.casefold(),
    ):
        found = [account for account in known if fits(account)]
        if len(found) == 1:
            return found[0]
        if found:
            raise NoAnswer(f"{text!r} may be any of {len(found)} accounts: {_some(found)}. Give the id.")
    raise NoAnswer(f"There is no account {text!r}{_alike(wanted, known)}.")


def _accounts(portfolio: str, warehouse: Warehouse) -> list[AccountName]:
    if not warehouse.exists("dim_account"):
        return []
    rows = warehouse.rows(warehouse.table("dim_account").select("account_id", "account_name").order_by("account_id"))
    return [AccountName(portfolio, row["account_id"], row["account_name"] or row["account_id"]) for row in rows]


def _alike(wanted: str, known: Iterable[AccountName]) -> str:
    """Accounts of which the id, the name, or a word of it is spelt much like what was typed."""
    by_spelling: dict[str, AccountName] = {}
    for account in known:
        for spelling in (account.account_id, account.name, *account.name.split()):
            by_spelling.setdefault(spelling.casefold(), account)
    close = get_close_matches(wanted, by_spelling, n=2 * SUGGESTED)
    found = list(dict.fromkeys(by_spelling[spelling] for spelling in close))
    return f"; spelt alike are {_some(found)}" if found else ""


def _some(found: list[AccountName]) -> str:
    more = len(found) - SUGGESTED
    named = ", ".join(str(account) for account in found[:SUGGESTED])
    return f"{named} and {more} more" if more > 0 else named
