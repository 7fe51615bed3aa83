"""The rows of a staged table that several sources deliver: each judged by its own settings, then brought together.

How they are brought together is in `cx_intel.models.staging.several_sources`; which days are built, and how rows are split
into valid and rejected ones, in `steps.py` beside this module.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date

import ibis
import ibis.expr.types as ir

from cx_intel.contracts.catalog import contract_of
from cx_intel.contracts.contract import conform
from cx_intel.contracts.delivered import DELIVERED_DAY, PART, delivered_columns
from cx_intel.models.expressions.joins import beside
from cx_intel.models.staging import parsing
from cx_intel.models.staging.rows import MARKS, contract_of_rows
from cx_intel.models.staging.several_sources import (
    IDS,
    SourceRows,
    account_conflicts,
    joined_accounts,
    united,
    with_additions,
)
from cx_intel.orchestration.assets.graph import CONFLICTING_VALUES
from cx_intel.orchestration.assets.staging.source_days import SourceDays
from cx_intel.settings.portfolio import Portfolio
from cx_intel.settings.sources.base import TableSource
from cx_intel.settings.sources.sources import Source
from cx_intel.warehouse.protocol import Warehouse

OF_SOURCE = "judged_of_"
"""Begins the name under which the judged rows of one source stand until they are brought together."""
REMEMBERED = "remembered"
"""What stands for a source where accounts are known from ids and from earlier loads alone."""


@dataclass(frozen=True)
class SeveralSources:
    """A canonical table that several sources deliver, and the warehouse that it is read from and staged in."""

    table: str
    portfolio: Portfolio
    warehouse: Warehouse

    def raw(self) -> ir.Table:
        """What all of them delivered, as text, with the name of each one's part; of accounts those under their own ids.

        Sources that only add columns are left out: a contract that its own source no longer has is gone.
        """
        names = [column.name for column in delivered_columns(contract_of(f"stg_{self.table}", self.portfolio))]
        parts = []
        for part, source in self.portfolio.parts_of(self.table).items():
            assert isinstance(source, TableSource)
            if (self.table == "accounts" and source.system) or source.added_columns:
                continue
            rows = self._under_own_ids(self.warehouse.table(f"raw_{part}"), source)
            cells = {n: parsing.text(rows[n]) if n in rows.columns else ibis.null("string") for n in names}
            parts.append(rows.select(**cells, **{PART: ibis.literal(part)}))
        return ibis.union(*parts) if len(parts) > 1 else parts[0]

    def _under_own_ids(self, rows: ir.Table, source: Source) -> ir.Table:
        """Rows with the ids that staging gave them where an earlier source has the same."""
        row_id = IDS.get(self.table)
        if row_id is None or not isinstance(source, TableSource) or not self.warehouse.exists(CONFLICTING_VALUES):
            return rows
        kept = self.warehouse.table(CONFLICTING_VALUES)
        kept = kept.filter((kept.source_table == self.table) & (kept.column_name == row_id))
        renamed = kept.filter(kept.other_source == source.label).select(_id="row_key", _renamed="other_value")
        rows = beside(rows.mutate(_id=parsing.text(rows[row_id])), renamed, "_id")
        return rows.mutate(**{row_id: ibis.coalesce(rows["_renamed"], rows["_id"])}).drop("_id", "_renamed")

    def judged(
        self, judge: Callable[[ir.Table, Portfolio], ir.Table], further: ir.Table | None, as_of: date
    ) -> ir.Table:
        """The judged rows of all sources; in what they differ is kept for `source_conflicts`.

        Args:
            judge: Judges the rows of one source by the settings of a portfolio that has no other source of the table.
            further: Judged rows of accounts that no source delivers.
            as_of: The day.
        """
        contract = contract_of(f"stg_{self.table}", self.portfolio)
        parts: list[SourceRows] = []
        adding: list[SourceRows] = []
        valid: list[ir.Table] = []
        for part, source in self.portfolio.parts_of(self.table).items():
            assert isinstance(source, TableSource)
            settings = self.portfolio.only(self.table, source)
            raw = self.warehouse.table(f"raw_{part}")  # all of it is judged, whatever days it is kept by
            rows = judge(raw.drop(DELIVERED_DAY) if DELIVERED_DAY in raw.columns else raw, settings)
            like = ibis.schema({**contract_of_rows(self.table, settings).schema(), **MARKS})
            staged = self.warehouse.stage(OF_SOURCE + part, [rows], like=like)
            valid.append(staged.filter(staged["_reason"].isnull()))
            kind = adding if source.added_columns else parts
            kind.append(SourceRows(source.label, staged, tuple(source.owns)))
        conflicts: ir.Table | None
        if self.table == "accounts":
            conflicts = account_conflicts(parts, contract, self.portfolio)
            known = [SourceRows(REMEMBERED, further)] if further is not None else []
            together = joined_accounts([*parts, *known], contract, self.portfolio, as_of)
        else:
            apart, repeated = united(parts, contract)
            together, differing = with_additions(apart, adding, contract)
            found = [c for c in (repeated, differing) if c is not None]
            conflicts = ibis.union(*found) if found else None
        if conflicts is not None:
            kept = contract_of(CONFLICTING_VALUES, self.portfolio)
            where = ("source_table", self.table)
            self.warehouse.replace_rows(CONFLICTING_VALUES, conform(conflicts, kept), like=kept.schema(), where=where)
        SourceDays(self.table, self.portfolio, self.warehouse).keep(valid, as_of)
        return together

    def discard(self) -> None:
        """Drops what stood of each source."""
        for part in self.portfolio.parts_of(self.table):
            self.warehouse.discard(OF_SOURCE + part)
