"""The objects of vendors in an erasure: those of an erased customer or person go whole, and are not landed again.

Which field says whose an object is stands in `cx_intel.settings.sources.vendors`. What is delivered of an erased account
by other sources is seen to in `guard.py`; other tables, in `tables.py`.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from cx_intel.privacy.register import Register
from cx_intel.privacy.subject import EMAIL, USER_COLUMNS
from cx_intel.settings.portfolio import Portfolio
from cx_intel.settings.sources.vendors import CUSTOMER_OF, PERSON_OF
from cx_intel.sources.vendors.objects import ID, landed_kind
from cx_intel.warehouse.duckdb.upkeep.row_edits import RowEdits

TICKETS = "tickets"
"""Objects that may name no customer and be an account's all the same."""


def landed_of(edits: RowEdits, customer: str) -> Iterator[tuple[str, str]]:
    """The landed tables that have objects of a customer, each with the field that names it."""
    for table, columns in edits.columns().items():
        for field in CUSTOMER_OF.get(landed_kind(table) or "", ()):
            if field in columns and edits.has(table, field, customer):
                yield table, field


def without_customer(edits: RowEdits, tickets: Iterable[str]) -> Iterator[tuple[str, str]]:
    """The landed tables that have some of these tickets without a customer, each with the ticket's id.

    Whose such a ticket is, is known by who asked: an account has it, and the object names none.
    """
    (field,) = CUSTOMER_OF[TICKETS]
    fields = {table: field for table in edits.columns() if landed_kind(table) == TICKETS}
    for table, field in fields.items():
        for ticket in tickets:
            if any(not row[field] for row in edits.rows(table, ID, ticket)):
                yield table, ticket


def person_columns(table: str, columns: Iterable[str]) -> tuple[str, ...]:
    """The columns of a table that hold the id or the address of a person, as a vendor's object spells it too."""
    known = (*USER_COLUMNS, PERSON_OF.get(landed_kind(table) or "", EMAIL))
    return tuple(column for column in dict.fromkeys(known) if column in columns)


class ErasedCustomers:
    """Tells which objects of a vendor are of erased customers or persons, whatever the portfolio calls the vendor's system.

    Attributes:
        portfolio: Its settings.
        register: Of the home.
        source: The source that lands the objects.
    """

    def __init__(self, portfolio: Portfolio, register: Register, source: str):
        self.name, self.register = portfolio.name, register
        self.systems = tuple(dict.fromkeys((source, *portfolio.systems)))
        entries = register.entries(portfolio.name)
        self.hashes = {entry.hash for entry in entries}
        self.tickets = {ticket for entry in entries for ticket in entry.tickets}

    def has(self, kind: str, row: Mapping[str, Any]) -> bool:
        """Whether an object is of one of them. Raises PrivacyError where somebody was erased and the key is not there."""
        if not self.hashes:
            return False
        customers = [str(row[field]) for field in CUSTOMER_OF.get(kind, ()) if row.get(field)]
        if any(map(self._is_one, customers)):
            return True
        if (address := row.get(PERSON_OF.get(kind, ""))) and self._is_person(str(address)):
            return True
        return (
            not customers and kind == TICKETS and self.register.hash_of_ticket(self.name, str(row[ID])) in self.tickets
        )

    def _is_person(self, address: str) -> bool:
        return self.register.hash(self.name, "user", address.strip().lower()) in self.hashes

    def _is_one(self, customer: str) -> bool:
        found = {self.register.hash_of_id(self.name, system, customer) for system in self.systems}
        return bool(self.hashes & {self.register.hash(self.name, "account", customer), *found})
