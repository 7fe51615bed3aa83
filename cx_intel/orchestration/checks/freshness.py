"""The checks of the freshness of sources: one for each, which warns when it is late or has fewer rows than usual.

What late and few are is decided by `cx_intel.models.core.freshness`, which makes the table that is checked here; the
sentence is that of the reports (`cx_intel.reports.data.freshness`).
"""

from collections.abc import Sequence

import dagster as dg
import ibis

from cx_intel.models.core.source_days import DAYS, names_of
from cx_intel.orchestration.alerts.incidents import FRESHNESS, OF
from cx_intel.orchestration.checks.check import Check, CheckContext, RuleResult
from cx_intel.orchestration.checks.rules import Rule
from cx_intel.reports.data.freshness import sentence, source_title
from cx_intel.reports.words.language import Language

TABLE = "source_freshness"
WHAT_TO_DO = (
    "See whether the source still delivers: its export, its credentials, the folder that its files come to. If it is "
    "meant to be so old, write stale_after_days and freeze_after_days on the source."
)
TEXT = "{} is no older than usual, or than its settings allow, and has at least a quarter of the usual rows."
SHOWN = ("newest_on", "age_days", "rhythm_days", "late_after_days", "freeze_after_days", "volume_rows", "usual_rows")


class Freshness(Check):
    """Each source is as new as it usually is, and has as many rows."""

    def specs(self, key: dg.AssetKey) -> Sequence[dg.AssetCheckSpec]:
        return [
            dg.AssetCheckSpec(FRESHNESS + check, asset=key, description=self._text(source))
            for check, source in self._sources().items()
        ]

    def _text(self, source: dict[str, str]) -> str:
        return TEXT.format(source_title(source, Language("en", self.portfolio.currency.reporting)))

    def run(self, context: CheckContext) -> list[RuleResult]:
        """Of a run over several days the last is looked at."""
        if self.contract.table != TABLE:
            return []
        rows = context.rows.filter(context.rows.as_of == ibis.literal(context.as_of))
        english = Language("en", self.portfolio.currency.reporting)
        found = {(row["source_table"], row["source_name"]): row for row in context.warehouse.rows(rows)}
        results = []
        for check, source in self._sources().items():
            row = found[source["source_table"], source["source_name"]]
            name = FRESHNESS + check
            rule = Rule(name, name, self._text(source), WHAT_TO_DO, "warn")
            is_doubtful = row["is_late"] or row["is_low_volume"]
            known = {
                name: str(row[name]) if name == "newest_on" else row[name] for name in SHOWN if row[name] is not None
            }
            to_do = {"what_to_do": WHAT_TO_DO} if is_doubtful else {}
            metadata = {"as_of": context.as_of.isoformat(), **known, **to_do}
            results.append(RuleResult(rule, int(is_doubtful), 1, told=sentence(row, english), metadata=metadata))
        return results

    def _sources(self) -> dict[str, dict[str, str]]:
        """The end of the name of its check: a source; of several of one table, each by its own name."""
        if self.contract.table != TABLE:
            return {}
        tables = [t for t in DAYS if t in self.portfolio.tables]
        found = [{"source_table": t, "source_name": name} for t in tables for _, name in names_of(t, self.portfolio)]
        return {check_of(**source): source for source in found}


def check_of(source_table: str, source_name: str) -> str:
    """How the name of the check of a source ends."""
    return source_table if source_name == source_table else f"{source_table}{OF}{source_name}"
