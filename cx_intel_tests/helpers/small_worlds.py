"""A small synthetic world, and the days that it begins on."""

from __future__ import annotations

from datetime import date

from cx_intel.demo_data import World, build_world

STARTS_ON = date(2023, 1, 1)
EVENTS_FROM = date(2024, 3, 1)
NOTICE_DAYS = 30


def small(world: str, *, seed: int = 5, accounts: int = 40) -> World:
    return build_world(world=world, seed=seed, accounts=accounts, starts_on=STARTS_ON, events_from=EVENTS_FROM)
