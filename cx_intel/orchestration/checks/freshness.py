"""The check of how old a source is: its newest row against `as_of`, with what its `sources` block allows.

Past `stale_after_days` it warns and is told; past `freeze_after_days` the signals that read it are missing and tiers are
held (`cx_intel.models.health.freshness`), which the check says too. A source without such limits has no such check.
"""

from dataclasses import dataclass
from datetime import date

import dagster as dg
import ibis
import ibis.expr.types as ir
import pandas as pd

from cx_intel.contracts.contract import Contract
from cx_intel.models.staging.dated_facts import FACTS, dated_facts
from cx_intel.orchestration.alerts.incidents import FRESHNESS
from cx_intel.orchestration.checks.contract_checks import Finding
from cx_intel.orchestration.checks.rules import Rule
from cx_intel.settings.portfolio import Portfolio
from cx_intel.warehouse.protocol import Warehouse


@dataclass(frozen=True)
class SourceAge:
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
        """The finding in a sentence or two."""
        if self.days is None:
            found = f"There is no row of {self.table} up to {self.as_of}."
        else:
            found = f"The newest row of {self.table} is of {self.newest}, {self.days} days before {self.as_of}."
        limits = {"stale_after_days": self.stale_after, "freeze_after_days": self.freeze_after}
        stated = ", ".join(f"{name}: {days}" for name, days in limits.items() if days is not None)
        frozen = " Signals that read it are missing, and tiers are held." if self.is_frozen else ""
        return f"{found} Allowed: {stated}.{frozen}" if self.is_stale else found

    def result(self, key: dg.AssetKey) -> dg.AssetCheckResult:
        """The finding in Dagster's terms."""
        known = {"newest_row": self.newest.isoformat(), "age_days": self.days} if self.newest else {}
        return dg.AssetCheckResult(
            passed=not self.is_stale,
            asset_key=key,
            check_name=FRESHNESS,
            severity=dg.AssetCheckSeverity.WARN,
            description=self.text,
            metadata={
                "as_of": self.as_of.isoformat(),
                **known,
                **({"what_to_do": WHAT_TO_DO} if self.is_stale else {}),
            },
        )

    def finding(self) -> Finding:
        """The finding as the warehouse remembers it: one source, stale or not."""
        rule = Rule(FRESHNESS, FRESHNESS, self.text, WHAT_TO_DO, "warn")
        return Finding(rule, int(self.is_stale), 1, None)


WHAT_TO_DO = "See whether the source still delivers: its export, its credentials, the folder that its files come to."


def age_specs(contract: Contract, key: dg.AssetKey, portfolio: Portfolio) -> list[dg.AssetCheckSpec]:
    """The spec of the check, for a staged table whose source states a limit and whose rows have dates."""
    if _limits(contract, portfolio) is None:
        return []
    text = "The newest row of the source is not older at as_of than the source may be (stale_after_days)."
    return [dg.AssetCheckSpec(FRESHNESS, asset=key, description=text)]


def source_age(
    contract: Contract, staged: ir.Table, *, as_of: date, portfolio: Portfolio, warehouse: Warehouse
) -> SourceAge | None:
    """How old the source of a staged table is; None where it has no limit.

    Args:
        contract: The table's contract.
        staged: Its rows; of a table by day, those of the days handled: the others are looked up.
        as_of: The day.
        portfolio: Its settings.
        warehouse: Where it is executed.
    """
    limits = _limits(contract, portfolio)
    if limits is None:
        return None
    tables = [staged]
    if contract.kind == "by_day" and warehouse.exists(contract.table):
        tables.append(warehouse.table(contract.table))
    newest = [day for rows in tables if (day := _newest(contract, rows, as_of, portfolio, warehouse))]
    return SourceAge(contract.table, as_of, max(newest, default=None), *limits)


def _limits(contract: Contract, portfolio: Portfolio) -> tuple[int | None, int | None] | None:
    if contract.layer != "staging" or not (contract.day_column or _source(contract) in FACTS):
        return None
    source = portfolio.source_of(_source(contract))
    limits = (source.stale_after_days, source.freeze_after_days)
    return None if limits == (None, None) else limits


def _source(contract: Contract) -> str:
    return contract.table.removeprefix("stg_")


def _newest(contract: Contract, rows: ir.Table, as_of: date, portfolio: Portfolio, warehouse: Warehouse) -> date | None:
    if contract.day_column:
        days = rows.select(day=rows[contract.day_column])
    else:
        facts = dated_facts({_source(contract): rows}, portfolio=portfolio)
        assert facts is not None
        days = facts.select("day")
    found = warehouse.execute(days.filter(days.day <= ibis.literal(as_of)).day.max())
    return None if pd.isna(found) else pd.Timestamp(found).date()
