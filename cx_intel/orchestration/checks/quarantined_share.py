"""The check that a staged table keeps most of what its source delivered: how much is in quarantine, and why.

A few bad rows go to quarantine and the run goes on; above `max_quarantined_pct` of the source the table stays as it
was. What is wrong with a row is decided by `cx_intel.models.staging.faults`; what all checks share is in `check.py`.
"""

from collections.abc import Sequence

import dagster as dg
import ibis
import ibis.expr.types as ir
import pandas as pd

from cx_intel.contracts.delivered import DELIVERED_DAY
from cx_intel.models.expressions.reasons import is_for
from cx_intel.orchestration.assets.graph import REJECTED_ROWS
from cx_intel.orchestration.assets.staging.event_days import among
from cx_intel.orchestration.checks.check import SAMPLE_ROWS, Check, CheckContext, RuleResult
from cx_intel.orchestration.checks.rules import Rule
from cx_intel.warehouse.protocol import Warehouse

CHECK = "quarantined_share"
NAMED_REASONS = 3
NO_FAULTS = ("merged", "merged_and_own", "no_account", "no_id_of_system", "nothing_to_add_to")
"""Codes of the reasons of rows that are left out and are no fault of their source."""


class QuarantinedShare(Check):
    """At most the share that the source states is rejected."""

    @property
    def _limit(self) -> float:
        sources = self.portfolio.parts_of(self.contract.table.removeprefix("stg_")).values()
        return max(source.max_quarantined_pct for source in sources)

    @property
    def _text(self) -> str:
        return f"At most {self._limit:g} % of the delivered rows are quarantined (max_quarantined_pct of the source)."

    def specs(self, key: dg.AssetKey) -> Sequence[dg.AssetCheckSpec]:
        if self.contract.layer != "staging":
            return []
        return [dg.AssetCheckSpec(CHECK, asset=key, description=self._text, blocking=True)]

    def run(self, context: CheckContext) -> list[RuleResult]:
        """The share of the rows delivered of a whole table; of one by day, of those that the run handled.

        Where a source delivers all events each time it is that of all, if it is the larger: a row whose time cannot be
        read belongs to no day. Rows left out because their account was merged, because it is stated that ids without an
        account have none, or because they add to a contract that nobody delivers, are no fault of the source.
        """
        if self.contract.layer != "staging":
            return []
        warehouse = context.warehouse
        rejected = warehouse.part(REJECTED_ROWS, "source_table", self.contract.table.removeprefix("stg_"))
        rejected = rejected.filter(~is_for(rejected, *NO_FAULTS))
        bad, kept = warehouse.count(rejected), warehouse.count(context.rows)
        total = bad + kept
        if bad and context.days:
            of_days = rejected.filter(among(rejected.day, context.days))
            bad_of_days = warehouse.count(of_days)
            table = self.contract.table.removeprefix("stg_")
            first, *more = [warehouse.table(f"raw_{part}") for part in self.portfolio.parts_of(table)]
            if not more and DELIVERED_DAY in first.columns:
                first = first.filter(among(first[DELIVERED_DAY], context.days))
                rejected = rejected.filter(among(rejected.delivered_day, context.days))
                bad = warehouse.count(rejected)
            total = sum(warehouse.count(raw) for raw in (first, *more))
            if _share(bad_of_days, bad_of_days + kept) >= _share(bad, total):
                rejected, bad, total = of_days, bad_of_days, bad_of_days + kept
        reasons = _reasons(rejected, warehouse) if bad else None
        return [RuleResult(self._rule(_named(reasons)), bad, total, reasons, self._limit)]

    def _rule(self, reasons: str) -> Rule:
        recovery = (
            f"{reasons}Mend these rows at the source or the mapping in the portfolio's YAML, then refresh; or raise "
            f"max_quarantined_pct of the source, now {self._limit:g}, if so many are to be expected. Each row is in "
            "quarantine."
        )
        return Rule(CHECK, CHECK, self._text, recovery, "block")


def _share(bad: int, total: int) -> float:
    return bad / total if total else 0.0


def _reasons(bad: ir.Table, warehouse: Warehouse) -> pd.DataFrame:
    """The most frequent reasons, whatever the values they quote, each with one reason as it stands."""
    kinds = bad.select(reason=bad.reason.re_replace("'[^']*'", "..."), example=bad.reason)
    counted = kinds.group_by("reason").agg(rows=kinds.count(), example=kinds.example.min())
    found: pd.DataFrame = warehouse.execute(counted.order_by(ibis.desc("rows"), "reason").limit(SAMPLE_ROWS))
    return found


def _named(reasons: pd.DataFrame | None) -> str:
    if reasons is None:
        return ""
    listed = "; ".join(f"{r.example} ({r.rows} rows)" for r in reasons.head(NAMED_REASONS).itertuples())
    return f"Most frequent, each with an example: {listed}. "
