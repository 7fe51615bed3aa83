"""The check of how much of a source is in quarantine: of all rows, of the days of a run, and what it tells."""

from datetime import date

import dagster as dg
import ibis
import pytest

from cx_intel.contracts import operations
from cx_intel.contracts.catalog import contract_of
from cx_intel.contracts.contract import Contract
from cx_intel.contracts.staging.activity import stg_usage_events
from cx_intel.contracts.staging.billing import stg_invoices
from cx_intel.orchestration.assets.graph import REJECTED_ROWS
from cx_intel.orchestration.checks.check import CheckContext, RuleResult
from cx_intel.orchestration.checks.quarantined_share import QuarantinedShare
from cx_intel.warehouse.duckdb.warehouse import DuckDBWarehouse
from cx_intel_tests.helpers.builders import portfolio


class TestQuarantinedShare:
    """Of four delivered invoices, with a limit of 25 %."""

    of = portfolio(
        ["invoices"],
        sources=[
            {"kind": "files", "table": t, "path": "x.csv", "max_quarantined_pct": 25}
            for t in ("accounts", "subscriptions", "invoices", "usage_events")
        ],
    )
    contract = stg_invoices(of)

    def found(
        self,
        delivered: list[tuple[int | None, str | None]],
        warehouse: DuckDBWarehouse,
        *days: date,
        contract: Contract | None = None,
        delivered_on: date | None = None,
    ) -> RuleResult:
        """What is found of delivered rows, each with its day of January, if any, and its reason, if any."""
        contract = contract or self.contract
        table, by_day = contract.table.removeprefix("stg_"), delivered_on is not None
        given = [
            {"day": date(2025, 1, day) if day else None, "reason": reason, "reason_parts": None}
            for day, reason in delivered
        ]
        raw_rows = [row | ({"_day": delivered_on} if by_day else {}) for row in given]
        like = ibis.schema(
            {"day": "date", "reason": "string", "reason_parts": "string"} | ({"_day": "date"} if by_day else {})
        )
        warehouse.stage(f"raw_{table}", [ibis.memtable(raw_rows, schema=like)] if raw_rows else [], like=like)
        warehouse.swap(f"raw_{table}")
        raw = warehouse.table(f"raw_{table}")
        bad, kept = raw.filter(raw.reason.notnull()), raw.filter(raw.reason.isnull())
        rejected = bad.select(
            "day",
            "reason",
            "reason_parts",
            source_table=ibis.literal(table),
            delivered_day=bad["_day"] if by_day else ibis.null("date"),
            account_id=ibis.literal("A"),
            source_file=ibis.literal("x.csv"),
            row_number=ibis.literal(1),
            raw_row=ibis.null("string"),
        )
        schema = operations.rejected_rows(self.of).schema()
        warehouse.replace_rows(REJECTED_ROWS, rejected, like=schema, where=("source_table", table))
        kept = kept.filter(kept.day.isin(days)) if days else kept
        (found,) = QuarantinedShare(contract, self.of).run(CheckContext(kept, days, date(2025, 1, 31), warehouse))
        return found

    def finding(self, reasons: list[str | None], warehouse: DuckDBWarehouse) -> RuleResult:
        return self.found([(None, reason) for reason in reasons], warehouse)

    def test_none_rejected_passes(self, warehouse: DuckDBWarehouse) -> None:
        found = self.finding([None] * 4, warehouse)
        assert (found.passed, found.broken_count, found.total_count) == (True, 0, 4)

    def test_at_the_limit_it_passes_and_above_it_blocks(self, warehouse: DuckDBWarehouse) -> None:
        assert self.finding(["bad", None, None, None], warehouse).passed
        assert self.finding(["bad", "bad", None, None], warehouse).blocks

    def test_nothing_delivered_passes(self, warehouse: DuckDBWarehouse) -> None:
        assert self.finding([], warehouse).passed

    def test_it_tells_the_most_frequent_reasons_whatever_they_quote(self, warehouse: DuckDBWarehouse) -> None:
        found = self.finding(["amount: 'x' is bad", "amount: 'y' is bad", "no account", None], warehouse)
        assert found.sample is not None
        assert found.sample.to_dict("records") == [
            {"reason": "amount: ... is bad", "rows": 2, "example": "amount: 'x' is bad"},
            {"reason": "no account", "rows": 1, "example": "no account"},
        ]
        assert found.rule.recovery.startswith(
            "Most frequent, each with an example: amount: 'x' is bad (2 rows); no account"
        )

    def test_it_says_where_the_rows_are(self, warehouse: DuckDBWarehouse) -> None:
        assert self.finding(["bad", "bad"], warehouse).rule.recovery.endswith("Each row is in quarantine.")

    @pytest.mark.parametrize(("handled", "expected"), [(1, (3, 15)), (2, (2, 2)), (3, (3, 15))])
    def test_of_a_table_by_day_the_days_handled_count_or_all_if_that_is_worse(
        self, handled: int, expected: tuple[int, int], warehouse: DuckDBWarehouse
    ) -> None:
        given: list[tuple[int | None, str | None]] = [*[(1, None)] * 10, *[(2, "bad")] * 2, *[(3, None)] * 2]
        found = self.found(
            [*given, (None, "no time")], warehouse, date(2025, 1, handled), contract=stg_usage_events(self.of)
        )
        assert (found.broken_count, found.total_count) == expected
        assert found.passed == (handled != 2)

    def test_of_a_source_that_delivers_days_those_handled_count(self, warehouse: DuckDBWarehouse) -> None:
        given: list[tuple[int | None, str | None]] = [(5, None), (5, "bad"), (None, "no time")]
        contract, day, before = stg_usage_events(self.of), date(2025, 1, 5), date(2025, 1, 4)
        found = self.found(given, warehouse, day, contract=contract, delivered_on=day)
        assert (found.broken_count, found.total_count) == (2, 3)
        found = self.found([(5, None), (None, "no time")], warehouse, day, contract=contract, delivered_on=before)
        assert (found.broken_count, found.total_count) == (0, 1)

    def test_other_tables_have_no_such_check(self, warehouse: DuckDBWarehouse) -> None:
        key, ledger = dg.AssetKey(["small", "t"]), contract_of("fct_revenue", self.of)
        assert [spec.name for spec in QuarantinedShare(self.contract, self.of).specs(key)] == ["quarantined_share"]
        other, rows = (
            QuarantinedShare(ledger, self.of),
            CheckContext(ledger.no_rows(), (), date(2025, 1, 31), warehouse),
        )
        assert (other.specs(key), other.run(rows)) == ([], [])
