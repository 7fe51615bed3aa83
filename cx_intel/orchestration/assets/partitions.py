"""The days of a portfolio as Dagster partitions: of events by their day, of snapshots by `as_of`."""

from collections.abc import Mapping
from datetime import date, timedelta

import dagster as dg

from cx_intel.contracts.contract import Kind
from cx_intel.settings.portfolio import Portfolio

WINDOW_DAYS = 60
"""The longest look back of a snapshot into events by day, for the lineage that the UI shows."""
PARTITION_TAG = "dagster/partition"
RANGE_TAGS = ("dagster/asset_partition_range_start", "dagster/asset_partition_range_end")


def days_of(portfolio: Portfolio) -> dg.DailyPartitionsDefinition:
    """The days that a portfolio may be refreshed for: up to yesterday in its zone."""
    return dg.DailyPartitionsDefinition(start_date=portfolio.as_of.earliest.isoformat(), timezone=portfolio.time_zone)


def range_tags(first: date, last: date) -> dict[str, str]:
    """The tags of one run over a range of days, both included: those that the UI sets too."""
    return dict(zip(RANGE_TAGS, (first.isoformat(), last.isoformat()), strict=True))


def run_days(tags: Mapping[str, str]) -> tuple[date, ...]:
    """The days that a run with these tags is for: one, or a range; none for a run without partitions."""
    if key := tags.get(PARTITION_TAG):
        return (date.fromisoformat(key),)
    if all(tag in tags for tag in RANGE_TAGS):
        first, last = (date.fromisoformat(tags[tag]) for tag in RANGE_TAGS)
        return tuple(first + timedelta(days=n) for n in range((last - first).days + 1))
    return ()


def mapping(reader: Kind, read: Kind, *, history: bool) -> dg.PartitionMapping | None:
    """Which partitions of the table read those of its reader depend on; None for Dagster's default."""
    if "whole" in (reader, read):
        return None
    if history or (reader, read) == ("snapshot", "by_day"):
        return dg.TimeWindowPartitionMapping(
            start_offset=-(WINDOW_DAYS - 1), allow_nonexistent_upstream_partitions=True
        )
    return None
