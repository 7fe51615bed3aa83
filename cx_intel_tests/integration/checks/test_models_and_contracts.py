"""Docstring, grain, contract and output of every model agree, for both shipped portfolios."""

import inspect
from functools import cache
from typing import Any

import ibis
import ibis.expr.types as ir
import pandas as pd
import pytest

from cx_intel.contracts.backtest.past import REPLAYED
from cx_intel.contracts.catalog import contract_of
from cx_intel.contracts.contract import Contract
from cx_intel.contracts.staging.tables import STAGING
from cx_intel.orchestration.assets.backtest.assets import read_for_past_days
from cx_intel.orchestration.assets.graph import Step, steps_of, upstream_of
from cx_intel.settings.portfolio import Portfolio
from cx_intel_tests.helpers.builders import AS_OF, fetched, rows, shipped

pytestmark = pytest.mark.slow  # every model of several portfolios

PORTFOLIOS = ("novacrm", "fleet")
STEPS = [(name, step.table) for name in PORTFOLIOS for step in steps_of(shipped(name))]


def step_of(name: str, table: str) -> Step:
    return next(step for step in steps_of(shipped(name)) if step.table == table)


@cache
def output_of(name: str, table: str) -> ir.Table | pd.DataFrame:
    """What the model makes of empty tables of the contracts that it reads."""
    portfolio, step = shipped(name), step_of(name, table)
    read = [_empty(i.table, i.as_frame, portfolio) for i in step.inputs]
    settings: dict[str, Any] = {"portfolio": portfolio, "as_of": AS_OF, "previous": _empty(table, False, portfolio)}
    return step.model(*read, **{k: v for k, v in settings.items() if k in step.settings})


def _empty(table: str, as_frame: bool, portfolio: Portfolio) -> Any:
    empty = rows(contract_of(table.replace("raw_", "stg_", 1), portfolio), [])
    return empty.to_pandas() if as_frame else empty


@pytest.mark.parametrize(("name", "table"), STEPS)
def test_the_output_has_exactly_the_columns_of_the_contract(name: str, table: str) -> None:
    contract, output = step_of(name, table).contract, output_of(name, table)
    if isinstance(output, pd.DataFrame):
        assert tuple(output.columns) == contract.column_names
    else:
        assert output.schema() == contract.schema()


@pytest.mark.parametrize(("name", "table"), STEPS)
def test_nothing_in_gives_no_rows_out(name: str, table: str) -> None:
    output = output_of(name, table)
    count = len(output if isinstance(output, pd.DataFrame) else fetched(output))
    # the calendar, the price list, the book of nobody, sources without a row, a model that is withheld
    if table in ("dim_date", "dim_product", "nrr_outlook", "source_freshness", "renewal_model"):
        assert count > 0
    else:
        assert count == 0


@pytest.mark.parametrize(("name", "table"), STEPS)
def test_every_column_and_table_is_described(name: str, table: str) -> None:
    contract = step_of(name, table).contract
    assert contract.description.endswith((".", "?"))
    assert [c.name for c in contract.columns if not c.description.strip()] == []
    assert contract.table == table
    assert set(contract.grain) <= set(contract.column_names)


@pytest.mark.parametrize(("name", "table"), STEPS)
def test_columns_of_the_grain_are_never_null_and_percentages_carry_their_unit(name: str, table: str) -> None:
    contract = step_of(name, table).contract
    assert [c for c in contract.grain if contract[c].nullable] == []
    assert [c.name for c in contract.columns if c.name.endswith("_pct") and c.unit != "%"] == []


@pytest.mark.parametrize(("name", "table"), STEPS)
def test_the_docstring_names_the_grain_of_the_contract(name: str, table: str) -> None:
    step = step_of(name, table)
    model = getattr(step.model, "func", step.model)
    text = inspect.getdoc(model) or ""
    assert text.split("\n")[0].endswith((".", ":", ",")) or len(text.split("\n")[0]) > 60, text
    stated = [line for line in text.splitlines() if line.startswith("Grain: ")]
    if stated:
        named = stated[0].removeprefix("Grain: ").split(".")[0].split(";")[0]
        columns = [part.strip() for part in named.split(",")]
        known = [c for c in columns if c in step.contract.column_names]
        assert known == [c for c in step.contract.grain if c in known]


@pytest.mark.parametrize("name", PORTFOLIOS)
def test_what_a_reference_points_at_is_there_and_comes_before(name: str) -> None:
    portfolio = shipped(name)
    order = [step.table for step in steps_of(portfolio)]
    for position, table in enumerate(order):
        for column in contract_of(table, portfolio).columns:
            if column.references:
                other, key = column.references.split(".")
                assert other in order[:position], f"{table}.{column.name} -> {other}"
                assert [c for c in contract_of(other, portfolio).grain if c not in ("as_of", "valid_from")] == [key]


@pytest.mark.parametrize("name", PORTFOLIOS)
def test_every_canonical_table_can_be_delivered(name: str) -> None:
    assert set(shipped(name).tables) <= set(STAGING)


@pytest.mark.parametrize("name", PORTFOLIOS)
def test_each_step_reads_only_tables_that_come_before_it(name: str) -> None:
    portfolio = shipped(name)
    seen = {f"raw_{t}" for t in portfolio.tables}
    for step in steps_of(portfolio):
        # past days are made from what their snapshots are made of, and not from those of other days
        read = read_for_past_days(portfolio) if step.table in REPLAYED else upstream_of(step, portfolio)
        assert set(read) - {step.table} <= seen, step.table
        seen.add(step.table)


@pytest.mark.parametrize(("name", "table"), STEPS)
def test_the_figures_to_plot_can_be_computed(name: str, table: str) -> None:
    contract: Contract = step_of(name, table).contract
    empty = rows(contract, [])
    figures = {figure: plot(empty) for figure, plot in contract.plots.items()}
    assert all(isinstance(value, ibis.Scalar) for value in figures.values())
