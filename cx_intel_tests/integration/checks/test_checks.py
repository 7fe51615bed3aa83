"""Each kind of rule once passing and once failing, asked of rows in a real DuckDB file; what a failure tells."""

from collections.abc import Callable, Mapping
from datetime import date
from typing import Any

import dagster as dg
import ibis.expr.types as ir
import pandas as pd
import pytest

from cx_intel.contracts.contract import COUNT, NUMBER, TEXT, Column, Contract, CrossInvariant, Invariant
from cx_intel.orchestration.checks.check import SAMPLE_ROWS, CheckContext, RuleResult, check_results, results_table
from cx_intel.orchestration.checks.contract_checks import ContractChecks
from cx_intel.orchestration.checks.rules import compared_with, rules_of
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
    passed = results["usual_values"]
    assert (passed.passed, {name: m.value for name, m in passed.metadata.items()}) == (
        True,
        {"failed_rows": 0, "rows": 2},
    )


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
