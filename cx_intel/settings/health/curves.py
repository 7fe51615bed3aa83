"""The curves of the health model: from the value of a signal to its score of 0 to 100.

A curve is a mapping whose key is its kind: linear, steps, boolean, rules or quartile. Which signal has which
curve is said in `health.py`; compiled in `cx_intel.models.health.curves`.
"""

from typing import Annotated, Any, Literal, TypeAlias

from pydantic import Discriminator, Field, Tag, model_validator

from cx_intel.settings.base import Settings
from cx_intel.settings.health.conditions import Condition


class Bound(Settings):
    """A bound that depends on the account: an attribute times a factor."""

    attribute: str
    """An attribute of the account that is a number."""
    times: float = 1.0
    """What it is multiplied by."""


class Linear(Settings):
    """0 at `zero`, 100 at `full`, straight between, clipped outside. `zero` may be above `full`."""

    zero: float | Bound
    """Scores 0."""
    full: float | Bound
    """Scores 100."""

    @model_validator(mode="after")
    def _apart(self) -> "Linear":
        if self.zero == self.full:
            raise ValueError("linear: `zero` and `full` must differ")
        return self


class LinearCurve(Settings):
    """The score rises or falls in a straight line between two values."""

    linear: Linear
    """The two values."""


class StepsCurve(Settings):
    """The score of the first upper bound that the value does not exceed."""

    steps: list[tuple[float, float]] = Field(min_length=1)
    """Pairs of an upper bound and its score, bounds rising: [[0, 100], [1, 75]]."""
    else_: float = Field(alias="else", ge=0, le=100)
    """The score above the last bound."""

    @model_validator(mode="after")
    def _ascending(self) -> "StepsCurve":
        bounds = [bound for bound, _ in self.steps]
        if bounds != sorted(set(bounds)):
            raise ValueError(f"steps: upper bounds must rise, they are {bounds}")
        if any(not 0 <= score <= 100 for _, score in self.steps):
            raise ValueError("steps: scores are 0 to 100")
        return self


class YesNo(Settings):
    """The score of each answer."""

    yes: float = Field(ge=0, le=100)
    """Where the value is not 0."""
    no: float = Field(ge=0, le=100)
    """Where it is 0."""


class BooleanCurve(Settings):
    """`yes` where the value is not 0, else `no`."""

    boolean: YesNo
    """The two scores."""


class ScoreCase(Settings):
    """A score where a condition holds."""

    if_: Condition = Field(alias="if")
    """Over signals, by their names."""
    score: float = Field(ge=0, le=100)
    """Where it holds."""


class RulesCurve(Settings):
    """Ordered conditions over this and other signals; the first that holds gives the score."""

    rules: list[ScoreCase] = Field(min_length=1)
    """The conditions in order."""
    else_: float = Field(alias="else", ge=0, le=100)
    """The score where none holds."""


class QuartileCurve(Settings):
    """25, 50, 75 or 100 by rank within the population; equal values score equal."""

    quartile: Literal[True]
    """Written as `quartile: true`."""


CURVES = ("linear", "steps", "boolean", "rules", "quartile")


def _kind_of_curve(value: Any) -> str | None:
    named = value if isinstance(value, dict) else getattr(value, "model_fields_set", ())
    return next((kind for kind in CURVES if kind in named), None)


Curve: TypeAlias = Annotated[
    Annotated[LinearCurve, Tag("linear")]
    | Annotated[StepsCurve, Tag("steps")]
    | Annotated[BooleanCurve, Tag("boolean")]
    | Annotated[RulesCurve, Tag("rules")]
    | Annotated[QuartileCurve, Tag("quartile")],
    Discriminator(
        _kind_of_curve,
        custom_error_type="curve",
        custom_error_message="a curve is one of linear, steps, boolean, rules, quartile",
    ),
]
