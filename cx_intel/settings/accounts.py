"""The blocks about accounts and usage: attributes and segments, event categories, life stages.

What is computed with them: `cx_intel.models.core.accounts`, `usage`. Service levels: `cx_intel.settings.support`.
"""

from typing import Annotated, Literal, TypeAlias

from pydantic import Field, StringConstraints, model_validator

from cx_intel.settings.base import NAME_PATTERN, Settings
from cx_intel.settings.health.conditions import Condition
from cx_intel.settings.labels import Label

Name: TypeAlias = Annotated[str, StringConstraints(pattern=NAME_PATTERN)]


class Case(Settings):
    """One line of a rule table: the condition, and the value where it holds."""

    if_: Condition = Field(alias="if")
    """The condition."""
    value: str
    """The value where it holds."""


class Rules(Settings):
    """An ordered rule table: the first condition that holds decides."""

    rules: list[Case] = Field(min_length=1)
    """The lines in order."""
    else_: str = Field(alias="else")
    """The value where no condition holds."""

    def values(self) -> tuple[str, ...]:
        """Every value that may come out, in order, each once."""
        return tuple(dict.fromkeys([*(case.value for case in self.rules), self.else_]))


class AttributeRules(Rules):
    """The rules that derive an account attribute."""

    label: Label | None = None
    """What it is called by people: a text, or one in each language. Default: its name, made readable."""


class SourceAttribute(Settings):
    """An account attribute that the account source delivers."""

    type: Literal["text", "integer", "number"] = "text"
    """What its values are."""
    description: str
    """What it means, for the data dictionary."""
    unit: str = ""
    """Of its values."""
    label: Label | None = None
    """What it is called by people: a text, or one in each language. Default: its name, made readable."""


class UsageSettings(Settings):
    """How product events are counted by day."""

    categories: dict[Name, list[str]] = {}
    """Category: its event names. Anything else is `other`."""
    counted_events: dict[Name, str] = {}
    """Column of `fct_usage`: the event that it counts."""
    power_usage_events: int = Field(default=10, ge=1)
    """A day of so many events and `power_usage_features` features is one of power usage."""
    power_usage_features: int = Field(default=5, ge=1)
    """Distinct features of a day of power usage."""

    @model_validator(mode="after")
    def _one_category_an_event(self) -> "UsageSettings":
        events = [event for names in self.categories.values() for event in names]
        if twice := sorted({e for e in events if events.count(e) > 1}):
            raise ValueError(f"categories: {', '.join(twice)} stands in two categories")
        if "other" in self.categories:
            raise ValueError("categories: `other` is what stands in no category; leave it out")
        return self


class LifecycleSettings(Settings):
    """Life stages of an account, and which changes raise an event."""

    stages: Rules | None = None
    """Over the columns of `dim_account`; default: trial, churned, onboarding to 90 days, growing to 365, mature."""
    watched_signals: dict[str, float] = {}
    """Signal: relative drop within a week, e.g. 0.15, that raises an event."""
