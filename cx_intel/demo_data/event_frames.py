"""The frame of one day's usage events, the same for both worlds: ordered by time, numbered, canonical.

Which events there are is decided in `novacrm_events` and `fleet_events`; this module neither draws nor
drops a row.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from cx_intel.demo_data.text_columns import Counter, identifiers, picked
from cx_intel.demo_data.timeline import Ints, day_of, timestamps


@dataclass(frozen=True)
class EventRows:
    """A day's events in any order: account from 0, name, second of the day, index of the properties."""

    account: Ints
    name: Ints
    second: Ints
    properties: Ints
    user_id: pd.api.extensions.ExtensionArray


@dataclass(frozen=True)
class EventFormat:
    """How a world writes its events: ids of accounts, names and properties (JSON text or null) by index."""

    account_prefix: str
    account_width: int
    names: Sequence[str]
    properties: Sequence[str | None]

    def frame(self, day: int, rows: EventRows) -> pd.DataFrame:
        """Grain: an event, with an id EVT-yyyymmdd-number that no other day uses."""
        order = np.argsort(rows.second, kind="stable")
        numbers = np.arange(1, len(order) + 1)
        return pd.DataFrame(
            {
                "event_id": identifiers(f"EVT-{day_of(day):%Y%m%d}-", Counter(numbers, 6)),
                "account_id": identifiers(self.account_prefix, Counter(rows.account[order] + 1, self.account_width)),
                "user_id": rows.user_id.take(order),
                "event_name": picked(self.names, rows.name[order]),
                "event_timestamp": timestamps(day * 86_400 + rows.second[order]),
                "properties": picked(self.properties, rows.properties[order]),
            }
        )
