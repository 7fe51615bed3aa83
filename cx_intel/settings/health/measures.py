"""The measures of the signal grammar: how one number about an account is taken from staged tables at `as_of`.

Each is a small model with a `kind`; a ratio nests two others. They compile in `cx_intel.models.health.signals`. "The
last N days" is `as_of - (N - 1)` to `as_of`, both included.
"""

from typing import Annotated, Literal, TypeAlias, Union

from pydantic import Field, model_validator

from cx_intel.settings.base import Settings

Days: TypeAlias = Annotated[int, Field(ge=1, le=3660)]

TICKET_MEANS = ("resolution_days", "satisfaction")


class EventMeasure(Settings):
    """What the event measures share."""

    events: list[str] | None = Field(default=None, min_length=1)
    """Event names that count; default: all."""
    window_days: Days | None = None
    """Default: all that is known."""


class EventCount(EventMeasure):
    """Events; 0 when there were none."""

    kind: Literal["event_count"]


class DistinctActors(EventMeasure):
    """Distinct users (people, vehicles, devices) with an event."""

    kind: Literal["distinct_actors"]


class DistinctEvents(EventMeasure):
    """Distinct event names: features used, steps done."""

    kind: Literal["distinct_events"]


class DaysSinceEvent(EventMeasure):
    """Days from the last such event to `as_of`; from signup when there never was one."""

    kind: Literal["days_since"]


class DauMau(Settings):
    """Mean daily distinct actors over the window / distinct actors in the window."""

    kind: Literal["dau_mau"]
    events: list[str] | None = Field(default=None, min_length=1)
    """Event names that count; default: all."""
    window_days: Days = 30
    """Length of the window."""


class TicketMeasure(Settings):
    """A figure over the support tickets, as known at `as_of`."""

    kind: Literal["tickets"]
    figure: Literal["created", "unresolved", "escalated", "resolution_days", "satisfaction"]
    """Counts, or the mean days from creation to resolution, or the mean rating."""
    window_days: Days | None = None
    """Only tickets created in it; for the means of `over: resolved`, resolved in it. Default: all."""
    over: Literal["created", "resolved"] = "created"
    """Of the means: over tickets created, or resolved, in the window."""
    missing_when_none: bool = False
    """A count is missing, and not 0, for an account without any ticket created in the window."""

    @model_validator(mode="after")
    def _fits_the_figure(self) -> "TicketMeasure":
        if self.figure in TICKET_MEANS and self.missing_when_none:
            raise ValueError("missing_when_none is for counts: a mean over nothing is missing anyway")
        if self.figure not in TICKET_MEANS and self.over == "resolved":
            raise ValueError("over: resolved is for the means; counts are of the tickets created in the window")
        return self


class MrrChange(Settings):
    """`net_mrr_change` of the horizon month; missing without a ledger row in that month."""

    kind: Literal["mrr_change"]


class ActivityInQuarter(Settings):
    """1 when such an activity was done in the calendar quarter of `as_of`, else 0."""

    kind: Literal["activity_in_quarter"]
    activity_type: str
    """As the source writes it, in any case."""
    statuses: list[str] = ["done"]
    """Those of an activity that was done."""
    grace_days: int = Field(default=30, ge=0, le=91)
    """In the first days of a quarter the previous quarter's activity counts too."""


class LatestResponse(Settings):
    """The newest NPS score, 0 to 10."""

    kind: Literal["latest_response"]
    window_days: Days | None = None
    """Older answers are missing; default: none is too old."""


class MeasuredMetric(Settings):
    """A figure that somebody else measured: its last value at `as_of`, from the `metrics` table."""

    kind: Literal["metric"]
    metric: str
    """Its name in `metrics`."""
    window_days: Days | None = None
    """Older measurements are missing."""


class AttributeValue(Settings):
    """A numeric attribute of the account."""

    kind: Literal["attribute"]
    attribute: str
    """A column of accounts, or one of `account_attributes`."""


class Constant(Settings):
    """A number, for instance the steps there are."""

    kind: Literal["constant"]
    value: float
    """The number."""


class Ratio(Settings):
    """numerator / denominator x times; missing when the denominator is 0 or missing."""

    kind: Literal["ratio"]
    numerator: "Measure"
    """A measure."""
    denominator: "Measure"
    """A measure."""
    times: float = 1.0
    """100 for a percentage."""
    at_most: float | None = None
    """Values above are cut to this."""


Measure: TypeAlias = Annotated[
    Union[
        EventCount,
        DistinctActors,
        DistinctEvents,
        DaysSinceEvent,
        DauMau,
        TicketMeasure,
        MrrChange,
        ActivityInQuarter,
        LatestResponse,
        MeasuredMetric,
        AttributeValue,
        Constant,
        Ratio,
    ],
    Field(discriminator="kind"),
]

Ratio.model_rebuild()
