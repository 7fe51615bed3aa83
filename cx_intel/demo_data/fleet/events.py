"""What vehicles, drivers and admins of the fleet world do on one day.

A day is drawn from its own generator and the customers' state on it, without looking at any other day. The
customers' state comes from `fleet_lives` and `trajectories`, onboarding steps from `fleet_onboarding`; the
whole tables are in `fleet`.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from cx_intel.demo_data.draws import generator
from cx_intel.demo_data.event_frames import EventFormat, EventRows
from cx_intel.demo_data.fleet.accounts import LOGBOOK, FleetAccounts
from cx_intel.demo_data.fleet.lives import FleetLives
from cx_intel.demo_data.fleet.onboarding import LOGBOOK_STEP, STEPS, step_days
from cx_intel.demo_data.text_columns import Counter, identifiers
from cx_intel.demo_data.timeline import Floats, Ints, working_weight
from cx_intel.demo_data.trajectories import Disruptions, Trajectories

PING, TRIP, LOGBOOK_ENTRY, LOGIN, SESSION, REPORT = range(6)
EVENT_NAMES = (
    "gps_ping",
    "trip_completed",
    "logbook_entry",
    "admin_login",
    "mobile_session",
    "report_generated",
    *STEPS,
)
_TRIP_KM = tuple(f'{{"distance_km": {km}}}' for km in (2, 4, 6, 9, 12, 15, 19, 24, 30, 38, 47, 60, 80, 110, 160, 240))
_REPORTS = tuple(f'{{"report": "{name}"}}' for name in ("utilisation", "mileage", "fuel", "driving_times"))
_PROPERTIES: tuple[str | None, ...] = (None, *_TRIP_KM, *_REPORTS)


@dataclass(frozen=True)
class _Deeds:
    """Events of one kind: who (`letter` and number within the customer), when, how described."""

    name: Ints
    account: Ints
    letter: str
    actor: Ints
    width: int
    second: Ints
    properties: Ints


@dataclass(frozen=True)
class FleetUsage:
    """Usage events of the fleet world, by day."""

    seed: int
    account_width: int
    events_from: int
    accounts: FleetAccounts
    lives: FleetLives
    paths: Trajectories
    disruptions: Disruptions

    @cached_property
    def _steps(self) -> NDArray[np.int64]:
        return step_days(self.seed, self.lives.stints, self.paths, len(self.accounts.signup), self.events_from)

    def day(self, day: int) -> pd.DataFrame:
        """Grain: an event. `event_timestamp` datetime64[us] in UTC, `properties` JSON text or null.

        `user_id` is the customer's id with -V and a number for a vehicle, -D for a driver, -A for an admin.
        A vehicle pings at most once a day.
        """
        rng = generator(self.seed, "fleet.usage", day)
        count = len(self.accounts.signup)
        stints = self.lives.stints
        serving = stints.on(day) if day >= self.events_from else np.array([], dtype=np.int64)
        account = stints.account[serving]
        days, ends = np.full(len(account), day), stints.end[serving]
        state = _State(
            account=account,
            mood=self.paths.mood(days, account, ends),
            reach=1.0 - self.disruptions.lost_share(day, count)[account],
            vehicles=self.lives.vehicles.on(day, count)[account],
            bundle=self.lives.bundles.on(day, count)[account],
            diligence=self.accounts.diligence[account],
            installed=np.clip((day - stints.start[serving] + 4) / 30, 0.0, 1.0),
        )
        deeds = [
            *_vehicles(rng, state, day),
            _drivers(rng, state, day),
            *_admins(rng, state, day),
            self._onboarding(rng, state, day),
        ]
        rows = EventRows(
            account=np.concatenate([deed.account for deed in deeds]),
            name=np.concatenate([deed.name for deed in deeds]),
            second=np.concatenate([deed.second for deed in deeds]),
            properties=np.concatenate([deed.properties for deed in deeds]),
            user_id=self._actors(deeds),
        )
        return EventFormat("CUST-", self.account_width, EVENT_NAMES, _PROPERTIES).frame(day, rows)

    def _onboarding(self, rng: np.random.Generator, state: _State, day: int) -> _Deeds:
        due = self._steps[state.account] == day
        due[:, LOGBOOK_STEP] &= state.has(LOGBOOK)
        at, step = np.nonzero(due)
        return _deeds(rng, REPORT + 1 + step, state.account[at], "A", np.ones_like(at), 1)

    def _actors(self, deeds: list[_Deeds]) -> pd.api.extensions.ExtensionArray:
        parts = [
            identifiers(
                "CUST-",
                Counter(deed.account + 1, self.account_width),
                f"-{deed.letter}",
                Counter(deed.actor, deed.width),
            )
            for deed in deeds
        ]
        return pd.concat([pd.Series(part) for part in parts], ignore_index=True).array


@dataclass(frozen=True)
class _State:
    """The customers served on a day; `reach`: share not disrupted, `installed`: share rolled out."""

    account: Ints
    mood: Floats
    reach: Floats
    vehicles: Ints
    bundle: Ints
    diligence: Floats
    installed: Floats

    def has(self, product: int) -> NDArray[np.bool_]:
        return (self.bundle >> product & 1) == 1


def _deeds(rng: np.random.Generator, name: Ints | int, account: Ints, letter: str, actor: Ints, width: int) -> _Deeds:
    """Events at working hours (UTC), without properties."""
    hour = 4.0 + 14.5 * rng.random((len(account), 2)).mean(axis=1)
    second = np.floor(hour * 3600).astype(np.int64)
    return _Deeds(
        np.broadcast_to(name, len(account)),
        account,
        letter,
        actor,
        width,
        second,
        np.zeros(len(account), dtype=np.int64),
    )


def _numbered(sizes: Ints) -> tuple[Ints, Ints]:
    """For groups of these sizes, the group of each member and its number from 1."""
    group = np.repeat(np.arange(len(sizes)), sizes)
    return group, np.arange(1, len(group) + 1) - np.repeat(np.cumsum(sizes) - sizes, sizes)


def _with_properties(rng: np.random.Generator, deeds: _Deeds, first: int, number: int) -> _Deeds:
    codes = first + np.floor(number * rng.random(len(deeds.account))).astype(np.int64)
    return _Deeds(deeds.name, deeds.account, deeds.letter, deeds.actor, deeds.width, deeds.second, codes)


def _vehicles(rng: np.random.Generator, state: _State, day: int) -> list[_Deeds]:
    """Pings, trips and logbook entries; a fleet's last vehicles may have no working device."""
    equipped = np.clip(0.10 + 1.0 * state.mood, 0.0, 1.0) * state.reach * state.installed * state.vehicles
    of, vehicle = _numbered(np.ceil(equipped).astype(np.int64))
    moves = rng.random(len(of)) < min(0.97, 0.72 * working_weight(day, weekend=0.30))
    of, vehicle = of[moves], vehicle[moves]
    pings = _deeds(rng, PING, state.account[of], "V", vehicle, 4)

    trips = rng.poisson(1.15, len(of))
    of, vehicle = np.repeat(of, trips), np.repeat(vehicle, trips)
    driven = _with_properties(rng, _deeds(rng, TRIP, state.account[of], "V", vehicle, 4), 1, len(_TRIP_KM))
    completion = np.clip(0.15 + 0.55 * state.mood + 0.42 * state.diligence, 0.03, 0.98)
    entered = (rng.random(len(of)) < completion[of]) & state.has(LOGBOOK)[of]
    entries = _deeds(rng, LOGBOOK_ENTRY, state.account[of[entered]], "V", vehicle[entered], 4)
    return [pings, driven, entries]


def _drivers(rng: np.random.Generator, state: _State, day: int) -> _Deeds:
    """Drivers with the app, nine in ten vehicles, each with the same odds to open it on a working day."""
    odds = (
        (0.02 + 0.62 * state.mood**1.8)
        * (0.55 + 0.8 * state.diligence)
        * state.reach
        * working_weight(day, weekend=0.30)
    )
    of, driver = _numbered(np.ceil(0.9 * state.vehicles * state.installed).astype(np.int64))
    opens = rng.random(len(of)) < np.minimum(odds / 1.2, 0.95)[of]
    return _deeds(rng, SESSION, state.account[of[opens]], "D", driver[opens], 4)


def _admins(rng: np.random.Generator, state: _State, day: int) -> list[_Deeds]:
    weight = working_weight(day, weekend=0.08)
    odds = np.minimum(0.018 + 0.75 * state.mood**2.4, 0.95) * min(weight, 1.0)
    logs_in = rng.random(len(odds)) < odds
    logins = np.where(logs_in, 1 + rng.poisson(0.45, len(odds)), 0)
    of = np.repeat(np.arange(len(odds)), logins)
    admins = 1 + np.minimum(state.vehicles // 25, 5)
    login = _deeds(
        rng,
        LOGIN,
        state.account[of],
        "A",
        1 + np.floor(admins[of] * rng.random(len(of)) ** 1.6).astype(np.int64),
        1,
    )

    products = np.bitwise_count(state.bundle).astype(np.int64)
    reports = rng.poisson(3.0 * products / 30 * (0.08 + 1.45 * state.mood) * weight)
    of = np.repeat(np.arange(len(odds)), reports)
    report = _deeds(rng, REPORT, state.account[of], "A", np.ones_like(of), 1)
    return [login, _with_properties(rng, report, 1 + len(_TRIP_KM), len(_REPORTS))]
