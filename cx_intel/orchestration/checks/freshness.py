"""The check of the freshness of a source: its newest row against `as_of`, with what its `sources` block allows.

Past `stale_after_days` it warns and is told; past `freeze_after_days` the signals that read it are missing and tiers are
held (`cx_intel.models.health.freshness`), which the check says too. A source without such limits has no such check.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

import dagster as dg
import ibis.expr.types as ir

from cx_intel.contracts.contract import Contract
from cx_intel.models.staging.dated_facts import FACTS, newest_row
from cx_intel.orchestration.alerts.incidents import FRESHNESS
from cx_intel.orchestration.checks.check import Check, CheckContext, RuleResult
from cx_intel.orchestration.checks.rules import Rule
from cx_intel.settings.portfolio import Portfolio


@dataclass(frozen=True)
class SourceFreshness:
    """How old a source is at `as_of`, and how old it may be; `newest` is None where nothing is known by then."""

    table: str
    as_of: date
    newest: date | None
    stale_after: int | None
    freeze_after: int | None

    @property
    def days(self) -> int | None:
        return (self.as_of - self.newest).days if self.newest else None

    @property
    def is_stale(self) -> bool:
        limit = self.freeze_after if self.stale_after is None else self.stale_after
        return limit is not None and (self.days is None or self.days > limit)

    @property
    def is_frozen(self) -> bool:
        return self.freeze_after is not None and (self.days is None or self.days > self.freeze_after)

    @property
    def text(self) -> str:
        """What is found, in a sentence or two."""
        if self.days is None:
            found = f"There is no row of {self.table} up to {self.as_of}."
        else:
            found = f"The newest row of {self.table} is of {self.newest}, {self.days} days before {self.as_of}."
        limits = {"stale_after_days": self.stale_after, "freeze_after_days": self.freeze_after}
        stated = ", ".join(f"{name}: {days}" for name, days in limits.items() if days is not None)
        frozen = " Signals that read it are missing, and tiers are held." if self.is_frozen else ""
        return f"{found} Allowed: {stated}.{frozen}" if self.is_stale else found

    def result(self) -> RuleResult:
        """One source, stale or not."""
        known = {"newest_row": self.newest.isoformat(), "age_days": self.days} if self.newest else {}
        to_do = {"what_to_do": WHAT_TO_DO} if self.is_stale else {}
        rule = Rule(FRESHNESS, FRESHNESS, self.text, WHAT_TO_DO, "warn")
        metadata = {"as_of": self.as_of.isoformat(), **known, **to_do}
        return RuleResult(rule, int(self.is_stale), 1, told=self.text, metadata=metadata)


WHAT_TO_DO = "See whether the source still delivers: its export, its credentials, the folder that its files come to."


class Freshness(Check):
    """The newest row of a source with a limit is not older at `as_of` than the source may be."""

    def specs(self, key: dg.AssetKey) -> Sequence[dg.AssetCheckSpec]:
        if _limits(self.contract, self.portfolio) is None:
            return []
        text = "The newest row of the source is not older at as_of than the source may be (stale_after_days)."
        return [dg.AssetCheckSpec(FRESHNESS, asset=key, description=text)]

    def run(self, context: CheckContext) -> list[RuleResult]:
        """Of a table by day the rows are those of the days handled: the others are looked up."""
        limits, table = _limits(self.contract, self.portfolio), self.contract.table
        if limits is None:
            return []
        tables = [context.rows]
        if self.contract.kind == "by_day" and context.warehouse.exists(table):
            tables.append(context.warehouse.table(table))
        newest = [day for rows in tables if (day := self._newest(rows, context))]
        return [SourceFreshness(table, context.as_of, max(newest, default=None), *limits).result()]

    def _newest(self, rows: ir.Table, context: CheckContext) -> date | None:
        newest = newest_row(_source(self.contract), rows, portfolio=self.portfolio, as_of=context.as_of)
        (found,) = context.warehouse.rows(newest)
        return found["newest"]  # type: ignore[no-any-return]


def _limits(contract: Contract, portfolio: Portfolio) -> tuple[int | None, int | None] | None:
    if contract.layer != "staging" or not (contract.day_column or _source(contract) in FACTS):
        return None
    source = portfolio.source_of(_source(contract))
    limits = (source.stale_after_days, source.freeze_after_days)
    return None if limits == (None, None) else limits


def _source(contract: Contract) -> str:
    return contract.table.removeprefix("stg_")
