"""The fleet world's relationship with its customers: NPS surveys, and what its success managers do.

Answers and attention follow satisfaction and segment; a customer about to leave answers worse. Support has
its own module, `tickets`; both tables are framed here, as they exist in the fleet world alone.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from cx_intel.demo_data.draws import generator
from cx_intel.demo_data.fleet.accounts import FleetAccounts
from cx_intel.demo_data.monthly_log import Block, MonthlyLog, in_order
from cx_intel.demo_data.text_columns import Counter, identifiers, picked
from cx_intel.demo_data.timeline import FAR, Ints, first_day, is_weekend, timestamps
from cx_intel.demo_data.trajectories import Stints, Trajectories

ACTIVITY_TYPES = ("qbr", "check_in", "training")
_ACTIVITY_STATUSES = ("planned", "done", "cancelled")
_QBR_ODDS = np.array([0.34, 0.66, 0.92])  # per quarter, by segment, before satisfaction
_CHECK_IN_ODDS = np.array([0.14, 0.32, 0.50])  # per month
_TRAINING_ODDS = 0.035
_SURVEY_MONTHS = 6


@dataclass(frozen=True)
class Relationship:
    """NPS responses and activities of the customers in `stints`."""

    seed: int
    account_width: int
    accounts: FleetAccounts
    stints: Stints
    paths: Trajectories

    def responses_log(self, first_month: int) -> MonthlyLog:
        return MonthlyLog(first_month, self._responses)

    def activities_log(self, first_month: int) -> MonthlyLog:
        return MonthlyLog(first_month, self._activities)

    def _responses(self, month: int) -> Block:
        """Each customer is asked every half year from its third month; three in five answer."""
        rng = generator(self.seed, "fleet.nps", month)
        rows = self.stints.meeting(first_day(month), first_day(month + 1))
        draws = rng.random((len(rows), 3))
        noise = rng.standard_normal(len(rows))
        day = first_day(month) + 2 + np.floor(draws[:, 1] * 24).astype(np.int64)
        account, start, end = self.stints.account[rows], self.stints.start[rows], self.stints.end[rows]
        asked = (account * 7 + month) % _SURVEY_MONTHS == 0
        kept = np.flatnonzero(asked & (draws[:, 0] < 0.60) & (day >= start + 60) & (day < end))
        account, day, end = account[kept], day[kept], end[kept]
        mood = self.paths.mood(day, account, end)
        score = np.clip(np.round(1.0 + 9.6 * mood + 1.3 * noise[kept]), 0, 10).astype(np.int64)
        second = 6 * 3600 + np.floor(draws[kept, 2] * 11 * 3600).astype(np.int64)
        return in_order({"day": day, "account": account, "score": score, "at": day * 86_400 + second}, "at", "account")

    def _activities(self, month: int) -> Block:
        """The activities planned in a month: QBRs early in the quarter, others at any time."""
        rng = generator(self.seed, "fleet.activities", month)
        first = first_day(month)
        rows = self.stints.meeting(first, first_day(month + 1))
        account, start, end = self.stints.account[rows], self.stints.start[rows], self.stints.end[rows]
        segment = self.accounts.segment[account]
        mood = self.paths.mood(np.clip(np.full(len(rows), first + 14), start, end), account, end)
        is_new = np.full(len(rows), first) < start + 75
        odds = np.vstack(
            [
                _QBR_ODDS[segment] * (0.35 + 0.75 * mood) * (month % 3 == 0) * ~is_new,
                _CHECK_IN_ODDS[segment] * (1.15 - 0.3 * mood),
                _TRAINING_ODDS + 0.5 * is_new,
            ]
        )
        kind, of = np.nonzero(rng.random(odds.shape) < odds)
        draws = rng.random((len(of), 5))
        planned = first + np.floor(draws[:, 0] * np.where(kind == 0, 20, 27)).astype(np.int64)
        due = planned + np.where(kind == 0, 5 + np.floor(draws[:, 1] * 50), 1 + np.floor(draws[:, 1] * 12)).astype(
            np.int64
        )
        due += np.where(is_weekend(due), 2, 0)
        happens = (draws[:, 2] < np.array([0.86, 0.93, 0.90])[kind]) & (due < end[of])
        dropped = np.where(draws[:, 3] < 0.75, np.minimum(due, end[of]), FAR)
        hour = 6 * 3600 + np.floor(draws[:, 4] * 9 * 3600).astype(np.int64)
        kept = (planned >= start[of]) & (planned < end[of])
        block: Block = {
            "day": planned,
            "account": account[of],
            "kind": kind,
            "done": np.where(happens, due, FAR) * 86_400 + hour,
            "cancelled": np.where(happens, FAR, dropped),
        }
        return in_order({name: values[kept] for name, values in block.items()}, "account", "kind")

    def responses(self, log: MonthlyLog, as_of: int) -> pd.DataFrame:
        """Grain: an answer to a survey. `score` 0 to 10, `responded_at` datetime64[us] in UTC."""
        rows = log.known_on(as_of)
        return pd.DataFrame(
            {
                "response_id": identifiers("NPS-", Counter(rows["number"], 5)),
                "account_id": self._ids(rows["account"]),
                "score": rows["score"],
                "responded_at": timestamps(rows["at"]),
            }
        )

    def activities(self, log: MonthlyLog, as_of: int) -> pd.DataFrame:
        """Grain: an activity, from the day it is planned. `completed_at`: UTC, null unless done."""
        rows = log.known_on(as_of)
        done = np.where(rows["done"] < (as_of + 1) * 86_400, rows["done"], FAR * 86_400)
        status = np.where(done < FAR * 86_400, 1, np.where(rows["cancelled"] <= as_of, 2, 0))
        return pd.DataFrame(
            {
                "activity_id": identifiers("ACT-", Counter(rows["number"], 6)),
                "account_id": self._ids(rows["account"]),
                "activity_type": picked(ACTIVITY_TYPES, rows["kind"]),
                "status": picked(_ACTIVITY_STATUSES, status),
                "completed_at": timestamps(done),
            }
        )

    def _ids(self, account: Ints) -> pd.api.extensions.ExtensionArray:
        return identifiers("CUST-", Counter(account + 1, self.account_width))
