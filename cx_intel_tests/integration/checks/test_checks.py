"""Each kind of rule once passing and once failing, asked of rows in a real DuckDB file; what a failure tells."""

from collections.abc import Callable, Iterator, Mapping
from datetime import date
from pathlib import Path
from typing import Any

import dagster as dg
import ibis
import ibis.expr.types as ir
import pandas as pd
import pytest

from cx_intel.contracts import operations
from cx_intel.contracts.contract import COUNT, NUMBER, TEXT, Column, Contract, CrossInvariant, Invariant
from cx_intel.contracts.staging.activity import stg_usage_events
from cx_intel.contracts.staging.billing import stg_invoices
from cx_intel.orchestration.assets.graph import REJECTED_ROWS
from cx_intel.orchestration.checks.check import SAMPLE_ROWS, CheckContext, RuleResult, check_results, results_table
from cx_intel.orchestration.checks.contract_checks import ContractChecks
from cx_intel.orchestration.checks.quarantined_share import QuarantinedShare
from cx_intel.orchestration.checks.rules import compared_with, rules_of
from cx_intel.warehouse.duckdb.opening import close_warehouse, open_warehouse
from cx_intel.warehouse.duckdb.warehouse import DuckDBWarehouse
from cx_intel_tests.helpers.builders import portfolio, rows

Rows = list[dict[str, Any]]
KEY = dg.AssetKey(["small", "orders"])


def _broken(tables: Mapping[str, ir.Table]) -> ir.Table:
    orders, totals = tables["self"], tables["totals"]
    sums = orders.agg(amount=orders.amount.sum())
    return sums.cross_join(totals.select(total=totals.total)).filter(lambda t: t.amount != t.total)


CONTRACT = Contract(
    "orders",
    "core",
    "Orders for these tests.",
    ("account", "number"),
    (
        Column("account", TEXT, "The account.", nullable=False, references="accounts.account"),
        Column("number", COUNT, "Number of the order.", nullable=False),
        Column("status", TEXT, "Status.", accepted=("open", "done")),
        Column("mood", TEXT, "Mood.", accepted=("good", "bad"), severity="warn"),
        Column("amount", NUMBER, "Amount.", minimum=0, maximum=100),
        Column("rebate", NUMBER, "Rebate.", maximum=50, severity="warn"),
        Column("lowest", NUMBER, "Lowest.", minimum=0),
    ),
    invariants=(Invariant("rebate_below_amount", "rebate < amount.", lambda t: t.rebate < t.amount, "Ask sales."),),
    cross_invariants=(CrossInvariant("sums_to_total", "The amounts sum to the total.", ("totals",), _broken, "Add."),),
)
SOUND: dict[str, Any] = {
    "account": "A",
    "number": 1,
    "status": "open",
    "mood": "good",
    "amount": 10.0,
    "rebate": 1.0,
    "lowest": 0.0,
}


@pytest.fixture
def warehouse(tmp_path: Path) -> Iterator[DuckDBWarehouse]:
    file = tmp_path / "warehouse.duckdb"
    yield DuckDBWarehouse(open_warehouse(file), "small")
    close_warehouse(file)


def of_rows(table: ir.Table, warehouse: DuckDBWarehouse, *days: date) -> CheckContext:
    return CheckContext(table, days, date(2025, 1, 31), warehouse)


@pytest.fixture
def judge(warehouse: DuckDBWarehouse) -> Callable[..., dict[str, RuleResult]]:
    """Stages the given orders and asks every rule; by the rule's name."""

    def judged(*changes: dict[str, Any], total: float | None = None) -> dict[str, RuleResult]:
        given = [SOUND | change for change in changes or [{}]]
        others = {
            "accounts": pd.DataFrame({"account": ["A", "B"]}),
            "totals": pd.DataFrame({"total": [sum(r["amount"] or 0 for r in given) if total is None else total]}),
        }
        for name, frame in others.items():
            warehouse.stage(name, [frame])
            warehouse.swap(name)
        staged = warehouse.stage("orders", [rows(CONTRACT, given)], like=CONTRACT.schema())
        found = ContractChecks(CONTRACT, portfolio()).run(of_rows(staged, warehouse))
        return {finding.rule.name: finding for finding in found}

    return judged


RULES = (
    "grain_unique",
    "account_not_null",
    "account_in_accounts",
    "number_not_null",
    "status_accepted",
    "mood_accepted",
    "amount_in_range",
    "rebate_in_range",
    "lowest_in_range",
    "rebate_below_amount",
    "sums_to_total",
)


def test_sound_rows_break_no_rule(judge: Callable[..., dict[str, RuleResult]]) -> None:
    found = judge({}, {"number": 2}, {"account": "B"})
    assert tuple(found) == RULES
    assert all(f.passed and not f.blocks and f.sample is None and f.total_count == 3 for f in found.values())


def test_no_rows_break_no_rule(warehouse: DuckDBWarehouse) -> None:
    empty = warehouse.stage("orders", [], like=CONTRACT.schema())
    for name, columns in (("accounts", {"account": ["A"]}), ("totals", {"total": [1.0]})):
        warehouse.stage(name, [pd.DataFrame(columns)])
        warehouse.swap(name)
    found = ContractChecks(CONTRACT, portfolio()).run(of_rows(empty, warehouse))
    assert [f.rule.name for f in found if not f.passed] == []


@pytest.mark.parametrize(
    ("rule", "changes", "count", "text", "blocks"),
    [
        ("grain_unique", [{}, {}, {"number": 2}], 1, "account, number: unique.", True),
        ("account_not_null", [{"account": None}, {}], 1, "account is never null.", True),
        ("account_in_accounts", [{"account": "Z"}, {}], 1, "Every account is in accounts.account.", True),
        ("status_accepted", [{"status": "lost"}, {"number": 2}], 1, "status is one of open, done.", True),
        ("mood_accepted", [{"mood": "odd"}], 1, "mood is one of good, bad.", False),
        (
            "amount_in_range",
            [{"amount": 101.0}, {"amount": -1.0, "rebate": -2.0, "number": 2}],
            2,
            "amount is 0 to 100.",
            True,
        ),
        ("rebate_in_range", [{"amount": 90.0, "rebate": 51.0}], 1, "rebate is at most 50.", False),
        ("lowest_in_range", [{"lowest": -0.1}], 1, "lowest is at least 0.", True),
        ("rebate_below_amount", [{"rebate": 10.0}], 1, "rebate < amount.", True),
    ],
)
def test_each_kind_of_rule_finds_the_rows_that_break_it(
    judge: Callable[..., dict[str, RuleResult]], rule: str, changes: Rows, count: int, text: str, blocks: bool
) -> None:
    found = judge(*changes)
    finding = found.pop(rule)
    assert (finding.broken_count, finding.total_count, finding.blocks) == (count, len(changes), blocks)
    assert finding.rule.text == text
    assert finding.rule.recovery
    assert finding.sample is not None
    assert len(finding.sample) == count
    assert [f.rule.name for f in found.values() if not f.passed] == []


def test_a_rule_between_tables_finds_what_differs(judge: Callable[..., dict[str, RuleResult]]) -> None:
    finding = judge({}, total=11)["sums_to_total"]
    assert (finding.broken_count, finding.blocks, finding.rule.recovery) == (1, True, "Add.")
    assert finding.sample is not None
    assert finding.sample.to_dict("records") == [{"amount": 10.0, "total": 11.0}]


def test_a_value_that_is_missing_breaks_no_rule_but_that_it_be_there(
    judge: Callable[..., dict[str, RuleResult]],
) -> None:
    found = judge({"status": None, "mood": None, "lowest": None})
    assert [f.rule.name for f in found.values() if not f.passed] == []


def test_an_invariant_that_is_null_is_broken(judge: Callable[..., dict[str, RuleResult]]) -> None:
    assert judge({"rebate": None})["rebate_below_amount"].broken_count == 1


def test_the_sample_is_bounded(judge: Callable[..., dict[str, RuleResult]]) -> None:
    finding = judge(*({"number": n, "status": "lost"} for n in range(50)))["status_accepted"]
    assert finding.broken_count == 50
    assert finding.sample is not None
    assert len(finding.sample) == SAMPLE_ROWS == 5


def test_rules_of_one_kind_are_one_check_that_names_the_columns_that_fail(
    judge: Callable[..., dict[str, RuleResult]],
) -> None:
    findings = list(judge({"amount": 101.0}, {"number": 2, "lowest": -1.0, "status": "<b>lost</b>"}).values())
    results = {r.check_name: r for r in check_results(findings, KEY)}
    assert set(results) == {spec.name for spec in ContractChecks(CONTRACT, portfolio()).specs(KEY)}
    ranges = results["in_range"]
    assert (ranges.passed, ranges.severity) == (False, dg.AssetCheckSeverity.ERROR)
    assert ranges.description == "1 of 2 rows: amount is 0 to 100. 1 of 2 rows: lowest is at least 0."
    assert ranges.metadata["failed_rows"].value == 2
    assert ranges.metadata["rows"].value == 2
    assert "this is a fault of a model" in str(ranges.metadata["what_to_do"].value)
    assert "101" in str(ranges.metadata["sample_amount_in_range"].value)
    # what customers' data contain is shown and not rendered
    assert "&lt;b&gt;lost&lt;/b&gt;" in str(results["accepted_values"].metadata["sample_status_accepted"].value)
    assert (results["usual_values"].passed, results["usual_values"].metadata) == (True, {})


def test_a_rule_that_warns_does_not_block(judge: Callable[..., dict[str, RuleResult]]) -> None:
    findings = list(judge({"mood": "odd"}).values())
    results = {r.check_name: r for r in check_results(findings, KEY)}
    assert (results["usual_values"].passed, results["usual_values"].severity) == (False, dg.AssetCheckSeverity.WARN)
    specs = {spec.name: spec.blocking for spec in ContractChecks(CONTRACT, portfolio()).specs(KEY)}
    assert (specs["usual_values"], specs["usual_range"], specs["accepted_values"]) == (False, False, True)


def test_what_is_compared_comes_first_in_the_graph() -> None:
    assert compared_with(CONTRACT) == ("accounts", "totals")


def test_findings_are_kept_rule_by_rule_where_reports_read_them(
    judge: Callable[..., dict[str, RuleResult]], warehouse: DuckDBWarehouse
) -> None:
    for status in ("lost", "open"):
        findings = list(judge({"status": status}).values())
        table = results_table(findings, table="orders", as_of=date(2025, 1, 31))
        warehouse.record_checks(table)
    kept = warehouse.execute(warehouse.check_results())
    assert sorted(kept["check_name"]) == sorted(RULES)
    assert kept["passed"].all()


def test_a_rule_that_cannot_be_asked_is_an_error_and_no_failed_check(warehouse: DuckDBWarehouse) -> None:
    contract = Contract(
        "orders",
        "core",
        "Orders.",
        ("number",),
        (Column("number", COUNT, "Number.", nullable=False),),
        invariants=(Invariant("impossible", "Nonsense.", lambda t: t.no_such_column > 0, "-"),),
    )
    staged = warehouse.stage("orders", [pd.DataFrame({"number": [1]})])
    with pytest.raises(AttributeError, match="no_such_column"):
        ContractChecks(contract, portfolio()).run(of_rows(staged, warehouse))


def test_every_rule_of_the_shipped_kind_has_a_name_of_its_own() -> None:
    names = [rule.name for rule in rules_of(CONTRACT)]
    assert len(set(names)) == len(names)


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
        given = [{"day": date(2025, 1, day) if day else None, "reason": reason} for day, reason in delivered]
        raw_rows = [row | ({"_day": delivered_on} if by_day else {}) for row in given]
        like = ibis.schema({"day": "date", "reason": "string"} | ({"_day": "date"} if by_day else {}))
        warehouse.stage(f"raw_{table}", [ibis.memtable(raw_rows, schema=like)] if raw_rows else [], like=like)
        warehouse.swap(f"raw_{table}")
        raw = warehouse.table(f"raw_{table}")
        bad, kept = raw.filter(raw.reason.notnull()), raw.filter(raw.reason.isnull())
        rejected = bad.select(
            "day",
            "reason",
            source_table=ibis.literal(table),
            delivered_day=bad["_day"] if by_day else ibis.null("date"),
            source_file=ibis.literal("x.csv"),
            row_number=ibis.literal(1),
            raw_row=ibis.null("string"),
        )
        schema = operations.rejected_rows(self.of).schema()
        warehouse.replace_rows(REJECTED_ROWS, rejected, like=schema, where=("source_table", table))
        kept = kept.filter(kept.day.isin(days)) if days else kept
        (found,) = QuarantinedShare(contract, self.of).run(of_rows(kept, warehouse, *days))
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
        assert [spec.name for spec in QuarantinedShare(self.contract, self.of).specs(KEY)] == ["quarantined_share"]
        other = QuarantinedShare(CONTRACT, self.of)
        assert (other.specs(KEY), other.run(of_rows(CONTRACT.no_rows(), warehouse))) == ([], [])
