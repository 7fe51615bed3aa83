"""The check that the files which events were read from are still there, where the source does not say what to do without them.

What becomes of their rows is decided in `cx_intel.orchestration.assets.delivery.raw_files`; what is remembered of files, in
`cx_intel.sources.files.known`.
"""

from collections.abc import Sequence

import dagster as dg
import pandas as pd

from cx_intel.models.staging.event_days import TIMES, is_read_by_file
from cx_intel.orchestration.checks.check import Check, CheckContext, RuleResult
from cx_intel.orchestration.checks.rules import Rule
from cx_intel.settings.sources.files import ReadByFile

CHECK = "files_are_there"
TEXT = "The files that rows were read from are still there."
NAMED = 5


class GoneFiles(Check):
    """No file of a source of events is gone, unless the source says `gone_files`."""

    @property
    def _parts(self) -> list[str]:
        """What those sources deliver that do not say."""
        table = self.contract.table.removeprefix("stg_")
        if self.contract.layer != "staging" or table not in TIMES or table not in self.portfolio.tables:
            return []
        return [
            part
            for part, source in self.portfolio.parts_of(table).items()
            if is_read_by_file(table, source) and isinstance(source, ReadByFile) and source.gone_files is None
        ]

    def specs(self, key: dg.AssetKey) -> Sequence[dg.AssetCheckSpec]:
        return [dg.AssetCheckSpec(CHECK, asset=key, description=TEXT)] if self._parts else []

    def run(self, context: CheckContext) -> list[RuleResult]:
        """The files that are gone, and how many rows of each stay."""
        if not self._parts:
            return []
        known = [file for part in self._parts for file in context.warehouse.known_files(f"raw_{part}").values()]
        gone = [file for file in known if file.is_gone]
        named = ", ".join(file.name for file in gone[:NAMED]) + (" ..." if len(gone) > NAMED else "")
        recovery = (
            f"Not there any more: {named or 'none'}. Their rows stay. State `gone_files: keep` in the source where files "
            "are cleared away once they are read, or `gone_files: take_back` where their rows are to go with them; else "
            "put the files back."
        )
        sample = pd.DataFrame([{"file": file.name, "rows": file.rows} for file in gone])
        rule = Rule(CHECK, CHECK, TEXT, recovery, "warn")
        return [RuleResult(rule, len(gone), len(known), sample if gone else None)]
