"""Support tickets of both worlds: how many there are, how long they take, which escalate, how they are rated.

Discontented and declining accounts raise more tickets, wait longer, get stuck more often and rate lower.
Each world states its own volumes and categories in a `TicketDesk`; the service levels that resolution times
scatter around are the shared ones.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from cx_intel.demo_data.companies.account_draws import choice
from cx_intel.demo_data.draws import generator
from cx_intel.demo_data.monthly_log import Block, MonthlyLog, in_order
from cx_intel.demo_data.text_columns import Counter, identifiers, picked
from cx_intel.demo_data.timeline import FAR, Floats, Ints, first_day, is_weekend, timestamps
from cx_intel.demo_data.trajectories import Stints, Trajectories

PRIORITIES = ("p1", "p2", "p3", "p4")
TARGET_HOURS = np.array([4.0, 12.0, 48.0, 120.0])
_PRIORITY_SHARES = (0.06, 0.17, 0.44, 0.33)
_UNHURRIED = np.array([-1.00, -1.10, -1.25, -1.30])  # log of the typical share of the target that a ticket takes
_STATUSES = ("open", "escalated", "resolved")
_NEVER = FAR * 86_400


@dataclass(frozen=True)
class TicketDesk:
    """What a world says about its tickets: `per_month` and `utc_hours` are per account."""

    seed: int
    account_prefix: str
    account_width: int
    categories: tuple[str, ...]
    category_shares: tuple[float, ...]
    per_month: Floats
    utc_hours: Ints
    stints: Stints
    paths: Trajectories

    def log(self, first_month: int) -> MonthlyLog:
        return MonthlyLog(first_month, self._month)

    def _month(self, month: int) -> Block:
        first, after = first_day(month), first_day(month + 1)
        rng = generator(self.seed, "tickets", month)
        rows = self.stints.meeting(first, after)
        account, start, end = self.stints.account[rows], self.stints.start[rows], self.stints.end[rows]
        middle = np.clip(np.full(len(rows), (first + after) // 2), start, end)
        mood = self.paths.mood(middle, account, end)
        newcomer = 1.0 + 0.8 * np.exp(-(middle - start) / 60.0)
        raised = rng.poisson(self.per_month[account] * (3.0 - 2.9 * mood) * newcomer)
        of = np.repeat(np.arange(len(rows)), raised)
        day = first + np.floor(rng.random(len(of)) * (after - first)).astype(np.int64)
        kept = (day >= start[of]) & (day < end[of]) & (~is_weekend(day) | (rng.random(len(of)) < 0.25))
        of, day = of[kept], day[kept]
        account, mood = account[of], self.paths.mood(day, account[of], end[of])
        return in_order(self._tickets(rng, account, day, mood), "created", "account")

    def _tickets(self, rng: np.random.Generator, account: Ints, day: Ints, mood: Floats) -> Block:
        count = len(account)
        priority = choice(rng.random(count), _PRIORITY_SHARES)
        category = choice(rng.random(count), self.category_shares)
        hour = (7.5 + 10.5 * rng.random((count, 2)).mean(axis=1) - self.utc_hours[account]) % 24
        created = day * 86_400 + np.floor(hour * 3600).astype(np.int64)
        target = TARGET_HOURS[priority]
        share = np.exp(_UNHURRIED[priority] + 0.55 * (0.65 - mood) + 0.75 * rng.standard_normal(count))
        stuck = rng.random(count) < 0.015 + 0.28 * (1.0 - mood) ** 2.2
        hours = np.where(stuck, 24 * (15 + 95 * rng.random(count)), target * share)
        hours = np.maximum(hours, 0.15)
        escalates = (stuck & (rng.random(count) < 0.75)) | ((share > 1.3) & (rng.random(count) < 0.35))
        speed = np.clip(np.log2(hours / target) + 2.0, 0.0, 5.0)
        rating = 5.2 - 2.2 * (1.0 - mood) - 0.5 * speed + 0.45 * rng.standard_normal(count)
        rating = np.round(np.clip(rating, 1.0, 5.0), 1)
        rating[rng.random(count) > 0.72] = np.nan
        return {
            "day": day,
            "account": account,
            "created": created,
            "resolved": created + np.floor(hours * 3600).astype(np.int64),
            "escalated": np.where(
                escalates, created + np.floor(np.minimum(hours, target) * 2700).astype(np.int64), _NEVER
            ),
            "priority": priority,
            "category": category,
            "rating": rating,
        }

    def frame(self, log: MonthlyLog, as_of: int) -> pd.DataFrame:
        """Grain: a ticket. Times are datetime64[us] in UTC, `satisfaction_score` 1.0 to 5.0 or null.

        What happens to a ticket after `as_of` is not shown: it is open, or escalated if it already was.
        """
        rows = log.known_on(as_of)
        now = (as_of + 1) * 86_400
        resolved = np.where(rows["resolved"] < now, rows["resolved"], _NEVER)
        is_resolved = resolved < _NEVER
        status: NDArray[np.int64] = np.where(is_resolved, 2, np.where(rows["escalated"] < now, 1, 0))
        return pd.DataFrame(
            {
                "ticket_id": identifiers("TKT-", Counter(rows["number"], 5)),
                "account_id": identifiers(self.account_prefix, Counter(rows["account"] + 1, self.account_width)),
                "created_at": timestamps(rows["created"]),
                "resolved_at": timestamps(resolved),
                "priority": picked(PRIORITIES, rows["priority"]),
                "category": picked(self.categories, rows["category"]),
                "status": picked(_STATUSES, status),
                "satisfaction_score": np.where(is_resolved, rows["rating"], np.nan),
            }
        )
