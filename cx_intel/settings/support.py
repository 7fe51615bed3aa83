"""The `support` block: targets of service levels, the hours in which support works, what stops a ticket's clock.

The scale of the ratings stands here too, though a source states it. What is computed with all this is
`cx_intel.models.support`; the words of statuses that are known without a setting are in
`cx_intel.contracts.staging.values`.
"""

import re
from datetime import date, time
from itertools import pairwise
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, field_validator, model_validator

from cx_intel.settings.base import Settings, TimeZone

Weekday = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
Hours = Annotated[float, Field(gt=0)]
WEEKDAYS: tuple[Weekday, ...] = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
SPAN_PATTERN = r"^([01][0-9]|2[0-3]):[0-5][0-9]-(([01][0-9]|2[0-3]):[0-5][0-9]|24:00)$"
REGION_PATTERN = r"^[A-Z]{2}(-[A-Z0-9]{1,4})?$"


def _known_region(region: str) -> str:
    import holidays  # half a second, so only where it is needed

    country, _, part = region.partition("-")
    known = holidays.list_supported_countries()
    if not re.match(REGION_PATTERN, region) or country not in known:
        raise ValueError(f"{region!r} is no country whose holidays are known, such as DE or DE-BY")
    if part and part not in known[country]:
        raise ValueError(f"{region!r} is no part of {country}; there are {', '.join(known[country]) or 'none'}")
    return region


Region = Annotated[str, AfterValidator(_known_region)]
"""A country, or a part of one, whose public holidays are known: DE, DE-BY."""


class BusinessHours(Settings):
    """When support works: a clock that runs on `business` stands still outside of it."""

    zone: TimeZone
    """IANA zone of the hours."""
    weekdays: list[Weekday] = Field(default=["mon", "tue", "wed", "thu", "fri"], min_length=1)
    """The working days."""
    hours: list[str] = Field(default=["09:00-17:00"], min_length=1)
    """Spans of a working day in order, e.g. ["09:00-12:00", "13:00-17:30"]; 24:00 is the end of the day."""
    holidays: list[Region] = []
    """Countries, or parts of them, whose public holidays are no working days: [DE], [DE-BY, AT]."""
    closed_on: list[date] = []
    """Further days without support."""

    @field_validator("hours")
    @classmethod
    def _spans_follow_one_another(cls, spans: list[str]) -> list[str]:
        for span in spans:
            if not re.match(SPAN_PATTERN, span):
                raise ValueError(f"{span!r} is no span of a day, such as 09:00-17:00")
        bounds = [bound for span in spans for bound in span.split("-")]
        if any(later <= earlier for earlier, later in pairwise(bounds)):
            raise ValueError(f"{', '.join(spans)}: each span ends after it begins, and the next begins after that")
        return spans

    def spans(self) -> tuple[tuple[time, time | None], ...]:
        """The spans of a working day; None is its end, 24:00."""
        pairs = (span.split("-") for span in self.hours)
        return tuple((time.fromisoformat(a), None if b == "24:00" else time.fromisoformat(b)) for a, b in pairs)


class SupportSettings(Settings):
    """Service levels."""

    sla_target_hours: dict[str, Hours] = {"p1": 4, "p2": 12, "p3": 48, "p4": 120}
    """Priority: hours to resolution."""
    first_reply_target_hours: dict[str, Hours] = {}
    """Priority: hours to the first reply."""
    business_hours: BusinessHours | None = None
    """When support works; without it every clock runs by the calendar."""
    clocks: dict[str, Literal["calendar", "business"]] = {}
    """Priority: whether its clock runs by the calendar or in business hours only; business where those are stated."""
    pauses: list[str] = []
    """Statuses, in the words of the help desk, during which the clock of resolution stands still, e.g. [pending, hold].

    Needs a source of `ticket_status_history`.
    """

    @model_validator(mode="after")
    def _business_needs_hours(self) -> "SupportSettings":
        if not self.business_hours and (named := [p for p, clock in self.clocks.items() if clock == "business"]):
            raise ValueError(f"clocks: {', '.join(named)} runs in business hours, and no business_hours are stated")
        return self

    @property
    def calendar_priorities(self) -> tuple[str, ...]:
        """The priorities whose clock runs by the calendar although business hours are stated."""
        return tuple(p for p, clock in self.clocks.items() if clock == "calendar")


class Satisfaction(Settings):
    """How the help desk writes a rating."""

    scale: tuple[float, float] = (1, 5)
    """The worst and the best rating: [1, 5], [0, 100] ..."""
    words: dict[str, float | None] = {}
    """A word of the help desk, in any case: the rating on the scale, or null for none: {good: 5, bad: 1, offered: null}."""

    @model_validator(mode="after")
    def _words_are_on_the_scale(self) -> "Satisfaction":
        low, high = self.scale
        if low >= high:
            raise ValueError(f"scale: [{low:g}, {high:g}] does not rise from the worst to the best rating")
        if outside := [word for word, rating in self.words.items() if rating is not None and not low <= rating <= high]:
            raise ValueError(f"words: {', '.join(outside)} is outside the scale of {low:g} to {high:g}")
        return self

    @property
    def name(self) -> str:
        """The scale as it stands beside a rating: 1-5."""
        return f"{self.scale[0]:g}-{self.scale[1]:g}"
