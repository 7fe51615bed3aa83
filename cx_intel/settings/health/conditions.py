"""The grammar of conditions that every block of a portfolio shares, from segments to playbooks.

A condition is a mapping of a field to a test; all of them must hold:

    {plan_tier: enterprise}                                  equals
    {country: [DE, AT]}                                      one of
    {current_arr: {more_than: 5000}, products: {contains: Digital Logbook}}
    {any_of: [{plan_tier: growth}, {employee_count: {more_than: 50}}]}

What a condition compiles to stands in `cx_intel.models.expressions.conditions`.
"""

from typing import Annotated, Any, TypeAlias

from pydantic import BeforeValidator, Field, model_validator

from cx_intel.settings.base import Settings

Scalar: TypeAlias = bool | int | float | str


class Test(Settings):
    """What one field has to fulfil. A missing value (null) passes no test but `is_missing: true`."""

    __test__ = False  # not a test case

    equals: Scalar | None = None
    """Exactly this; written short as `field: value`."""
    not_equals: Scalar | None = None
    """Anything but this; a missing value is not unequal."""
    one_of: list[Scalar] | None = Field(default=None, min_length=1)
    """One of these."""
    more_than: float | None = None
    """Above this."""
    at_least: float | None = None
    """This or above."""
    less_than: float | None = None
    """Below this."""
    at_most: float | None = None
    """This or below."""
    contains: str | None = None
    """The text is one of the parts of a list delimited by `|`."""
    is_missing: bool | None = None
    """There is no value, or there is one."""

    @model_validator(mode="after")
    def _asks_something(self) -> "Test":
        if not self.model_fields_set:
            raise ValueError("an empty test: write a value, a list of values, or for instance {at_least: 5}")
        return self


def _as_test(value: Any) -> Any:
    if isinstance(value, list):
        return {"one_of": value}
    return value if isinstance(value, dict | Test) else {"equals": value}


class Condition(Settings):
    """All tests hold, and one of `any_of`, and none of `none_of`, where given."""

    tests: dict[str, Annotated[Test, BeforeValidator(_as_test)]] = {}
    """In the YAML the fields themselves are keys: {segment: SMB, vehicle_count: {at_least: 50}}."""
    any_of: list["Condition"] = []
    """Conditions of which one has to hold."""
    none_of: list["Condition"] = []
    """Conditions of which none may hold."""

    @model_validator(mode="before")
    @classmethod
    def _fields_are_keys(cls, value: Any) -> Any:
        if not isinstance(value, dict) or "tests" in value:
            return value
        groups = {key: value[key] for key in ("any_of", "none_of") if key in value}
        return {"tests": {k: v for k, v in value.items() if k not in groups}, **groups}

    @model_validator(mode="after")
    def _says_something(self) -> "Condition":
        if not (self.tests or self.any_of or self.none_of):
            raise ValueError("an empty condition: name at least one field, for instance {segment: SMB}")
        return self

    def values_of(self, field: str) -> set[Scalar]:
        """The values that a field is compared with."""
        test = self.tests.get(field)
        own = [test.equals, test.not_equals, *(test.one_of or [])] if test else []
        nested = (condition.values_of(field) for condition in [*self.any_of, *self.none_of])
        return {value for value in own if value is not None}.union(*nested)

    def fields(self) -> set[str]:
        """The names of the fields that the condition reads."""
        nested = (condition.fields() for condition in [*self.any_of, *self.none_of])
        return set(self.tests).union(*nested)
