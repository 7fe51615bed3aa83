"""The columns that staging computes for the people at customers, and what is wrong with such a row.

What follows from a row alone. Which words mean which role: `cx_intel.contracts.contacts`; who is called first:
`cx_intel.models.core.contacts`.
"""

from collections.abc import Iterable
from datetime import date

import ibis
import ibis.expr.types as ir

from cx_intel.contracts.contacts import BILLING, CHAMPION, DECISION_MAKER, GONE_WORDS, ROLE_WORDS
from cx_intel.models.expressions.reasons import Fault, reason
from cx_intel.settings.portfolio import Portfolio

AN_ADDRESS = r"^[^@\s;,]+@[^@\s;,]+[.][^@\s;,]+$"


def contact_columns(rows: ir.Table, portfolio: Portfolio, as_of: date) -> dict[str, ir.Value]:
    """Name and address as they are compared, and an id for people without one."""
    first, last = ibis.coalesce(rows.first_name, ""), ibis.coalesce(rows.last_name, "")
    name = ibis.coalesce(rows.contact_name, (first + " " + last).strip().nullif(""))
    email = rows.email.lower()
    own = rows.account_id + ibis.literal("/") + ibis.coalesce(email, name)
    return {"contact_name": name, "email": email, "contact_id": ibis.coalesce(rows.contact_id, own)}


def contact_flags(rows: ir.Table, portfolio: Portfolio, as_of: date) -> dict[str, ir.Value]:
    """What the words of role and status say."""
    return {
        "is_champion": _says(rows.contact_role, ROLE_WORDS[CHAMPION]),
        "is_decision_maker": _says(rows.contact_role, ROLE_WORDS[DECISION_MAKER]),
        "is_billing_contact": _says(rows.contact_role, ROLE_WORDS[BILLING]),
        "is_active": ~_known(rows.status.isin(list(GONE_WORDS))),
    }


def contact_faults(rows: ir.Table) -> list[Fault]:
    """Somebody without name and address, and a text in place of an address."""
    is_nobody = rows.email.isnull() & rows.contact_name.isnull()
    is_no_address = rows.email.notnull() & ~rows.email.re_search(AN_ADDRESS)
    return [(is_nobody, reason("nobody")), (is_no_address, reason("no_address"))]


def _says(role: ir.StringValue, words: Iterable[str]) -> ir.BooleanValue:
    """Whether one of several words between semicolons, commas or bars is among these."""
    return _known(role.re_search(rf"(^|[;,|])\s*({'|'.join(words)})\s*($|[;,|])"))


def _known(flag: ir.BooleanValue) -> ir.BooleanValue:
    return ibis.coalesce(flag, ibis.literal(False))
