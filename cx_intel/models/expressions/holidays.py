"""Public holidays of countries and parts of them, from the library `holidays`.

The calendar alone; support hours and the volume of sources read it. Which countries a portfolio has is a setting
(`cx_intel.settings.portfolio`).
"""

from collections.abc import Collection
from datetime import date


def public_holidays(regions: Collection[str], years: Collection[int]) -> set[date]:
    """The holidays of all of the regions, such as DE or DE-BY, in the years."""
    if not regions:
        return set()
    import holidays  # half a second, so only where it is needed

    days: set[date] = set()
    for region in regions:
        country, _, part = region.partition("-")
        days |= set(holidays.country_holidays(country, subdiv=part or None, years=years))
    return days
