"""The days of a portfolio as Dagster partitions: of events by their day, of snapshots by `as_of`."""

from datetime import date, timedelta

import dagster as dg

from cx_intel.contracts.contract import Contract
from cx_intel.settings.portfolio import Portfolio

WINDOW_DAYS = 60
"""The longest look back of a snapshot into events by day, for the lineage that the UI shows."""


def days_of(portfolio: Portfolio) -> dg.DailyPartitionsDefinition:
    """The days that a portfolio may be refreshed for: up to yesterday in its zone."""
    return dg.DailyPartitionsDefinition(start_date=portfolio.as_of.earliest.isoformat(), timezone=portfolio.time_zone)


def run_days(context: dg.AssetExecutionContext) -> tuple[date, ...]:
    """The days that the run is for: one, or a range."""
    span = context.partition_key_range
    first, last = date.fromisoformat(span.start), date.fromisoformat(span.end)
    return tuple(first + timedelta(days=n) for n in range((last - first).days + 1))


def mapping(reader: Contract, read: Contract, *, history: bool) -> dg.PartitionMapping | None:
    """Which partitions of `read` those of `reader` depend on; None for Dagster's default."""
    if reader.kind == "whole" or read.kind == "whole":
        return None
    if history or (reader.kind == "snapshot" and read.kind == "by_day"):
        return dg.TimeWindowPartitionMapping(
            start_offset=-(WINDOW_DAYS - 1), allow_nonexistent_upstream_partitions=True
        )
    return None
