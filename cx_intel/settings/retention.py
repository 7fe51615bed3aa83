"""The `retention` block: how long the days of a portfolio's tables are kept, by default for ever, and Dagster's history.

Old days go at the end of each refresh, by `cx_intel.privacy.retention`; old runs by `cx_intel.orchestration.history`. How
many exports are kept stands in the `reports` block; erasing a person or a company is a command of its own.
"""

from pydantic import Field

from cx_intel.settings.base import Settings

SHORTEST_SNAPSHOTS = 40
"""Changes of scores are told against up to 33 days before."""
SHORTEST_EVENTS = 92
"""Signals look back so far, and late events are made up for as far."""
SHORTEST_RUNS = 30
"""Alerts look back to the end of the last problem."""


class RetentionSettings(Settings):
    """How long history is kept; null: for ever."""

    snapshots_days: int | None = Field(default=None, ge=SHORTEST_SNAPSHOTS)
    """Days of snapshot tables that are kept, up to the newest as_of; quarantine has its own."""
    usage_events_days: int | None = Field(default=None, ge=SHORTEST_EVENTS)
    """Days of event tables that are kept: raw ones that are delivered by day, staged ones and fct_usage."""
    quarantine_days: int | None = Field(default=None, ge=1)
    """Days of quarantine that are kept: its rows are as delivered, with all that is in them."""
    runs_days: int | None = Field(default=90, ge=SHORTEST_RUNS)
    """Days for which Dagster keeps what it recorded of runs that have ended: events, results of checks, figures to plot."""

    @property
    def is_on(self) -> bool:
        """Whether days of tables go."""
        return any((self.snapshots_days, self.usage_events_days, self.quarantine_days))
