"""The objects of vendors in an erasure: those of an erased customer go whole, and are not landed again.

Which field says whose an object is stands in `cx_intel.settings.sources.vendors`. What is delivered of an erased account
by other sources is seen to in `guard.py`; other tables, in `tables.py`.
"""

from collections.abc import Iterator

from cx_intel.privacy.register import Register
from cx_intel.settings.portfolio import Portfolio
from cx_intel.settings.sources.vendors import CUSTOMER_OF
from cx_intel.sources.vendors.objects import landed_kind
from cx_intel.warehouse.duckdb.upkeep.row_edits import RowEdits


def landed_of(edits: RowEdits, customer: str) -> Iterator[tuple[str, str]]:
    """The landed tables that have objects of a customer, each with the field that names it."""
    for table, columns in edits.columns().items():
        field = CUSTOMER_OF.get(landed_kind(table) or "", "")
        if field in columns and edits.has(table, field, customer):
            yield table, field


class ErasedCustomers:
    """Tells which customers of a vendor were erased, whatever the portfolio calls the vendor's system.

    Attributes:
        portfolio: Its settings.
        register: Of the home.
        source: The source that lands the objects.
    """

    def __init__(self, portfolio: Portfolio, register: Register, source: str):
        self.name, self.register = portfolio.name, register
        self.systems = tuple(dict.fromkeys((source, *portfolio.systems)))
        self.hashes = {entry.hash for entry in register.entries(portfolio.name)}

    def __contains__(self, customer: object) -> bool:
        """Whether a customer is one of them. Raises PrivacyError where somebody was erased and the key is not there."""
        if not self.hashes:
            return False
        text = str(customer)
        found = {self.register.hash_of_id(self.name, system, text) for system in self.systems}
        return bool(self.hashes & {self.register.hash(self.name, "account", text), *found})
