"""The rules of `revenue.recurring_only`: by which column and values a line of billing recurs, and so is MRR.

Only how a rule is written belongs here; the other settings of revenue are in `revenue.py`. How rows are judged by
the rules: `cx_intel.models.staging.columns.recurring`.
"""

from typing import Annotated, Any, Literal, TypeAlias

from pydantic import AfterValidator, BeforeValidator, ConfigDict, Field, model_validator

from cx_intel.settings.base import Misfit, Settings

RecurringColumn: TypeAlias = Literal["line_type", "usage_type", "proration", "product_name", "invoice_type"]
"""Columns that stay of an erased account, whose months must not change."""
ANY_TEXT = "*"


def _as_text(value: Any) -> Any:
    """YAML reads an unquoted true as a flag; files say it as text."""
    return str(value).lower() if isinstance(value, bool) else value


def _is_pattern(value: str) -> str:
    found = value.strip().lower()
    inner = found.removeprefix(ANY_TEXT).removesuffix(ANY_TEXT)
    if not inner or ANY_TEXT in inner:
        raise ValueError(f"{value!r}: a value is a word, with * at its beginning or end for any text")
    return found


Pattern: TypeAlias = Annotated[str, BeforeValidator(_as_text), AfterValidator(_is_pattern)]


class RecurringRule(Settings):
    """By one column: the values that recur (`values`), or those that do not (`except`); in any case.

    A value may begin or end with `*` for any text. A row recurs where it has one of the `values` of any rule, and none
    of what a rule excepts.
    """

    model_config = ConfigDict(validate_by_name=True, validate_by_alias=True)

    column: RecurringColumn
    """Column of subscriptions and invoices; a table that delivers nothing in it is not judged by it."""
    values: list[Pattern] = []
    """What recurs, e.g. [subscription] or [plan*, addon*]."""
    except_: list[Pattern] = Field(default=[], alias="except")
    """What does not recur, e.g. ["setup*", "*tax*"]."""

    @model_validator(mode="after")
    def _says_one(self) -> "RecurringRule":
        if bool(self.values) == bool(self.except_):
            raise Misfit("states `values` (what recurs) or `except` (what does not), one of them", ("column",))
        return self
