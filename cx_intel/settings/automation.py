"""The `automation` block: when a portfolio is refreshed and reported by itself, and who hears of what.

Every setting has a default, so that a portfolio needs no such block. What is done with them stands in
`cx_intel.orchestration.schedules.times`, `.sensors` and `.alerts`; addresses are secrets, so that the YAML only names the
variables of the environment that hold them.
"""

import re
from typing import Annotated, Literal, TypeAlias

from pydantic import AfterValidator, Field, StringConstraints, field_validator

from cx_intel.settings.base import Settings
from cx_intel.settings.sources.base import CanonicalTable

Weekday: TypeAlias = Literal["sunday", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday"]
WEEKDAYS: tuple[Weekday, ...] = ("sunday", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday")
"""In the order in which cron counts them."""

ClockTime: TypeAlias = Annotated[str, StringConstraints(pattern=r"^([01]\d|2[0-3]):[0-5]\d$")]
"""Hours and minutes in the portfolio's zone, such as 06:00."""

REFERENCE = re.compile(r"^\$\{([A-Za-z_][A-Za-z0-9_]*)\}$")


def _reference(text: str) -> str:
    if not REFERENCE.match(text):
        # the text itself may be a secret written in the wrong place: it is not repeated
        raise ValueError(
            "an address is a secret: put it into the environment and name its variable, as ${CX_ALERT_URLS}"
        )
    return text


Reference: TypeAlias = Annotated[str, AfterValidator(_reference)]
"""`${NAME}`: the variable that holds one address of Apprise, or several divided by commas."""


class Daily(Settings):
    """Something done every day."""

    enabled: bool = True
    """False: the schedule is there, but has to be started in the UI."""
    at: ClockTime = "06:00"
    """Hours and minutes in the portfolio's zone."""


class Weekly(Settings):
    """Something done once a week."""

    enabled: bool = True
    """False: the schedule is there, but has to be started in the UI."""
    on: Weekday = "monday"
    """The day of the week."""
    at: ClockTime = "07:00"
    """Hours and minutes in the portfolio's zone."""


class Monthly(Settings):
    """Something done once a month."""

    enabled: bool = True
    """False: the schedule is there, but has to be started in the UI."""
    on_day: int = Field(default=2, ge=1, le=28)
    """The day of the month."""
    at: ClockTime = "08:00"
    """Hours and minutes in the portfolio's zone."""


class LateEvents(Settings):
    """Snapshots that were made before all of their events had come, or not at all."""

    enabled: bool = True
    """False: such snapshots are told and not made anew."""
    within_days: int = Field(default=92, ge=1, le=3660)
    """Snapshots further back than this from the newest one are left to `cx-intel backfill`."""
    fill_gaps_days: int = Field(default=5, ge=0, le=366)
    """Days without a snapshot, so many in a row at most, are made up for: a run failed, or the machine was off."""
    attempts: int = Field(default=3, ge=1, le=10)
    """Runs asked for the same late events, when they fail."""


class Landing(Settings):
    """A folder in which others put files for the sources of kind `files`."""

    folder: str
    """`${NAME}` is taken from the environment."""
    files: dict[str, CanonicalTable] = {}
    """Pattern of file names: its table. Others go by their names, such as usage_events_2026-11-20.csv."""
    settle_seconds: int = Field(default=10, ge=0, le=86400)
    """A file is complete when its size and time have not changed for so long, across two looks."""


class Alerts(Settings):
    """Who hears of what."""

    urls: list[Reference] = ["${CX_ALERT_URLS}"]
    """Where messages go, by reference to the environment; nowhere while the variable is not set."""
    owners: dict[str, list[Reference]] = {}
    """Owner: where the messages about that owner's accounts go instead."""
    failed_checks: bool = True
    """A blocking check that failed; too many rejected rows are one."""
    failed_runs: bool = True
    """A run that failed."""
    stale_sources: bool = True
    """A source that is later than usual, or than it may be, or that has far fewer rows than usual."""
    lifecycle: bool = True
    """Changes of tier and drops of watched signals: one message for each owner."""
    samples: bool = True
    """Messages about failed checks show some of the failed rows."""
    told_within_days: int = Field(default=7, ge=1, le=366)
    """Changes of tier found later than so many days after they happened are not told."""


class Automation(Settings):
    """What happens by itself."""

    daily_refresh: Daily = Daily()
    """When the portfolio is refreshed for the day before."""
    revenue_report: Weekly = Weekly(at="07:00")
    """When net and gross revenue retention are sent."""
    renewal_review: Weekly = Weekly(at="07:30")
    """When the brief on renewals is sent."""
    late_events: LateEvents = LateEvents()
    alerts: Alerts = Alerts()
    landing: Landing | None = None
    """A folder that files are taken from."""

    @field_validator("landing")
    @classmethod
    def _patterns_are_names(cls, landing: Landing | None) -> Landing | None:
        if landing and (wrong := [p for p in landing.files if "/" in p or not p]):
            raise ValueError(f"files: {', '.join(map(repr, wrong))} is no pattern of file names such as tickets_*.csv")
        return landing
