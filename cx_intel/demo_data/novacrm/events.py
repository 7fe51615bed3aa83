"""What users of NovaCRM do on one day: how much, which features, at what hour.

A day is drawn from its own generator and the accounts' state on it, without looking at any other day. The
accounts' state comes from `novacrm_lives` and `trajectories`; the whole tables are in `novacrm`.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd

from cx_intel.demo_data.draws import generator
from cx_intel.demo_data.event_frames import EventFormat, EventRows
from cx_intel.demo_data.novacrm.accounts import COUNTRY_REGION, REGION_UTC_HOURS, NovaAccounts
from cx_intel.demo_data.novacrm.lives import NovaLives
from cx_intel.demo_data.text_columns import Counter, identifiers
from cx_intel.demo_data.timeline import Floats, working_weight
from cx_intel.demo_data.trajectories import Disruptions, Trajectories

# name: share of all events, adoption by the average account on each plan
_FEATURES: dict[str, tuple[float, tuple[float, float, float]]] = {
    "dashboard_viewed": (0.130, (1.00, 1.00, 1.00)),
    "report_created": (0.080, (0.60, 0.85, 0.95)),
    "export_generated": (0.050, (0.45, 0.70, 0.90)),
    "contact_added": (0.110, (1.00, 1.00, 1.00)),
    "deal_updated": (0.100, (0.95, 1.00, 1.00)),
    "note_added": (0.065, (0.80, 0.90, 0.95)),
    "email_sent": (0.090, (0.85, 0.95, 1.00)),
    "meeting_logged": (0.045, (0.55, 0.75, 0.85)),
    "task_completed": (0.070, (0.70, 0.85, 0.95)),
    "api_call": (0.075, (0.08, 0.35, 0.80)),
    "integration_configured": (0.010, (0.10, 0.45, 0.75)),
    "workflow_created": (0.030, (0.12, 0.55, 0.80)),
    "search_performed": (0.095, (0.95, 1.00, 1.00)),
    "filter_applied": (0.080, (0.80, 0.90, 0.95)),
    "user_invited": (0.008, (0.50, 0.70, 0.90)),
}
EVENT_NAMES = tuple(_FEATURES)
_SHARES = np.array([share for share, _ in _FEATURES.values()])
_ADOPTION = np.array([adoption for _, adoption in _FEATURES.values()])
_EVENTS_PER_DAY = np.array([3.2, 7.0, 15.0])
_PROPERTIES: dict[str, tuple[str | None, ...]] = {
    "dashboard_viewed": (
        '{"dashboard": "pipeline"}',
        '{"dashboard": "forecast"}',
        '{"dashboard": "activity"}',
        None,
    ),
    "report_created": ('{"type": "table"}', '{"type": "chart"}', '{"type": "funnel"}', '{"type": "table"}'),
    "export_generated": ('{"format": "csv"}', '{"format": "xlsx"}', '{"format": "pdf"}', '{"format": "csv"}'),
    "api_call": ('{"status": 200}', '{"status": 200}', '{"status": 200}', '{"status": 429}'),
    "integration_configured": (
        '{"app": "slack"}',
        '{"app": "gmail"}',
        '{"app": "zapier"}',
        '{"app": "outlook"}',
    ),
}
_POOL: list[str | None] = [value for name in EVENT_NAMES for value in _PROPERTIES.get(name, (None,) * 4)]


@dataclass(frozen=True)
class NovaUsage:
    """Usage events of NovaCRM, by day."""

    seed: int
    account_width: int
    events_from: int
    accounts: NovaAccounts
    lives: NovaLives
    paths: Trajectories
    disruptions: Disruptions

    @cached_property
    def _taste(self) -> Floats:
        """How hard it is to win an account for each feature, 0 to 1."""
        return generator(self.seed, "novacrm.taste").random((len(self.accounts.signup), len(EVENT_NAMES)))

    def day(self, day: int) -> pd.DataFrame:
        """Grain: an event. `event_timestamp` datetime64[us] in UTC, `properties` JSON text or null."""
        rng = generator(self.seed, "novacrm.usage", day)
        count = len(self.accounts.signup)
        serving = self.lives.stints.on(day) if day >= self.events_from else np.array([], dtype=np.int64)
        serving = serving[~np.isin(self.lives.stints.account[serving], self.lives.suspensions.on(day))]
        account = self.lives.stints.account[serving]
        days = np.full(len(account), day)
        ends = self.lives.stints.end[serving]
        mood = self.paths.mood(days, account, ends)
        tier = self.lives.tiers.on(day, count)[account]
        ramp = np.minimum(1.0, 0.35 + 0.65 * (day - self.lives.stints.start[serving]) / 45)
        pace = (0.12 + 1.15 * mood) * self.paths.vigour(days, account, ends) ** 1.5 * ramp
        pace *= (1.0 - self.disruptions.lost_share(day, count)[account]) * self.accounts.activity[account]
        pace *= _EVENTS_PER_DAY[tier] * working_weight(day, weekend=0.28)

        adopted = self._taste[account] < _ADOPTION[:, tier].T * (0.45 + 0.75 * mood)[:, None]
        adopted[:, 0] = True
        shares = _SHARES * adopted
        shares /= 0.35 + 0.65 * shares.sum(axis=1, keepdims=True)  # who uses fewer features also does less
        events = rng.poisson(pace[:, None] * shares)
        cells = np.repeat(np.arange(events.size), events.ravel())
        of, name = np.divmod(cells, len(EVENT_NAMES))
        seats = np.maximum(1.0, self.accounts.seats[account] * (0.3 + 0.8 * mood))[of]
        user = 1 + np.floor(seats * rng.random(len(of)) ** 1.7).astype(np.int64)
        local_hour = 6.5 + 13.5 * rng.random((len(of), 3)).mean(axis=1)
        hour = (local_hour - REGION_UTC_HOURS[COUNTRY_REGION[self.accounts.country[account]]][of]) % 24
        rows = EventRows(
            account=account[of],
            name=name,
            second=np.floor(hour * 3600).astype(np.int64),
            properties=4 * name + (4 * rng.random(len(of))).astype(np.int64),
            user_id=identifiers("ACC-", Counter(account[of] + 1, self.account_width), "-U", Counter(user, 2)),
        )
        return EventFormat("ACC-", self.account_width, EVENT_NAMES, _POOL).frame(day, rows)
