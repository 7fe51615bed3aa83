"""Values as text, so that what is to stand at a vendor and what stands there can be compared.

A number is its shortest decimal, a flag true or false, an empty text none. How values are sent: the module of a vendor.
"""

from decimal import Decimal, InvalidOperation
from typing import Any

NUMBER, FLAG, TEXT = "number", "flag", "text"


def canonical(value: Any) -> str | None:
    """A value as text; None for nothing."""
    if value is None or value == "":
        return None
    if isinstance(value, bool):
        return "true" if value else "false"
    text = str(value)
    return number(text) if text[-1].isdigit() else text


def number(value: Any) -> str:
    """A number as its shortest decimal; what is none, as it is."""
    try:
        found = Decimal(str(value))
    except InvalidOperation:
        return str(value)
    return str(value) if not found.is_finite() else format(found.normalize(), "f") if found else "0"


def typed(value: str | None, kind: str) -> Any:
    """A value in the types of JSON."""
    if value is None:
        return None
    if kind == FLAG:
        return value == "true"
    if kind == NUMBER:
        return float(value) if "." in value else int(value)
    return value
