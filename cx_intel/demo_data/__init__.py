"""Synthetic companies, `novacrm`, `fleet` and `planted`, whose systems can be read as of the end of any day.

Everything is a function of the seed and the day: no clock, no file, no state. Start with `world` for what a
world offers, then `novacrm`, `fleet` or `planted`; how their tables become raw assets is decided outside this package.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date

from cx_intel.demo_data.fleet.company import FleetWorld
from cx_intel.demo_data.novacrm.company import NovaCrmWorld
from cx_intel.demo_data.planted.company import PlantedWorld
from cx_intel.demo_data.world import World

__all__ = ["WORLDS", "World", "build_world"]

_WORLDS: dict[str, Callable[..., World]] = {"novacrm": NovaCrmWorld, "fleet": FleetWorld, "planted": PlantedWorld}
WORLDS: tuple[str, ...] = tuple(_WORLDS)


def build_world(*, world: str, seed: int, accounts: int, starts_on: date, events_from: date) -> World:
    """The world of that name, one of WORLDS.

    `accounts` (1 to 1,000,000) have signed up three years after `starts_on`, and more follow at the same
    rate; in `planted` all have before, and none follows. Usage events begin on `events_from`. The same
    arguments make the same world, on any day and in any order of calls.
    """
    if world not in _WORLDS:
        raise ValueError(f"no world {world!r}; there are {', '.join(WORLDS)}")
    return _WORLDS[world](seed=seed, accounts=accounts, starts_on=starts_on, events_from=events_from)
