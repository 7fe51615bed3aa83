"""The check that no row is dated far ahead, as one of 2062 for 2026: it would count in no figure, and nobody would miss it.

A refresh of an earlier day finds later rows too, so that only a row after a long silence is taken for misdated. How new
sources are is another check (`freshness.py`).
"""

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from itertools import pairwise

import dagster as dg
import ibis
import pandas as pd

from cx_intel.contracts.delivered import DELIVERED_DAY
from cx_intel.models.core.source_days import BY_DELIVERIES, DAYS
from cx_intel.models.staging.dated_facts import known_on
from cx_intel.orchestration.assets.graph import DAYS_OF_SOURCES
from cx_intel.orchestration.checks.check import Check, CheckContext, RuleResult
from cx_intel.orchestration.checks.freshness import TABLE
from cx_intel.orchestration.checks.rules import Rule
from cx_intel.warehouse.protocol import Warehouse

CHECK = "no_rows_far_ahead"
SILENCE = timedelta(days=180)
TODAY = timedelta(days=1)
"""A refresh of yesterday finds rows of today: they are no mistake, however long nothing came before them."""
TEXT = f"No row is dated beyond the day after the refresh and more than {SILENCE.days} days after the row before it."


class DatedAhead(Check):
    """No source has a row of a day that can only be a mistake."""

    def specs(self, key: dg.AssetKey) -> Sequence[dg.AssetCheckSpec]:
        return [dg.AssetCheckSpec(CHECK, asset=key, description=TEXT)] if self.contract.table == TABLE else []

    def run(self, context: CheckContext) -> list[RuleResult]:
        """The days ahead of each source, with their rows."""
        if self.contract.table != TABLE:
            return []
        counted = {table: self._days(table, context) for table in DAYS if table in self.portfolio.tables}
        ahead = {table: found for table, days in counted.items() if (found := far_ahead(days, context.as_of))}
        named = "; ".join(
            f"{table}: {sum(found.values())} rows, the first of {min(found)}" for table, found in ahead.items()
        )
        recovery = f"{named or 'None'}. They count in no figure before that day: mend the date at the source."
        sample = pd.DataFrame(
            [
                {"source_table": t, "day": day, "rows": n}
                for t, found in ahead.items()
                for day, n in sorted(found.items())
            ]
        )
        broken = sum(sum(found.values()) for found in ahead.values())
        total = sum(sum(days.values()) for days in counted.values())
        rule = Rule(CHECK, CHECK, TEXT, recovery, "warn")
        return [RuleResult(rule, broken, total, sample if ahead else None)]

    def _days(self, table: str, context: CheckContext) -> dict[date, int]:
        """Day: its rows. Events of later days are in their raw table alone."""
        warehouse = context.warehouse
        raw, staged = f"raw_{table}", f"stg_{table}"
        if self.portfolio.has_several(table):
            return {} if table in BY_DELIVERIES else self._days_of_several(table, warehouse)
        if warehouse.exists(raw) and DELIVERED_DAY in (rows := warehouse.table(raw)).columns:
            days = rows.select(day=rows[DELIVERED_DAY])
        elif table not in BY_DELIVERIES and warehouse.exists(staged):
            rows = warehouse.table(staged)
            days = rows.select(day=known_on(rows[DAYS[table][0]], self.portfolio))
        else:
            return {}
        counted = days.filter(days.day.notnull()).group_by("day").agg(rows=ibis._.count())
        return {row["day"]: row["rows"] for row in warehouse.rows(counted)}

    def _days_of_several(self, table: str, warehouse: Warehouse) -> dict[date, int]:
        """Day: the rows that all sources of a table have on it."""
        if not warehouse.exists(DAYS_OF_SOURCES):
            return {}
        days = warehouse.part(DAYS_OF_SOURCES, "source_table", table)
        counted = days.group_by("day").agg(rows=days.rows.sum())
        return {row["day"]: int(row["rows"]) for row in warehouse.rows(counted) if row["rows"]}


def far_ahead(days: Mapping[date, int], as_of: date) -> dict[date, int]:
    """The days beyond the one after `as_of` that follow a silence of more than half a year, and all after them."""
    known = sorted(days)
    first = next((day for before, day in pairwise(known) if day > as_of + TODAY and day - before > SILENCE), None)
    return {day: n for day, n in days.items() if first and day >= first}
