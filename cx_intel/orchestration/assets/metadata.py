"""What Dagster shows of a table: column schema, lineage, counts, figures to plot, sample rows.

Under Dagster's standard names. Descriptions come from the contracts, lineage from the expressions.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import date
from typing import Any

import dagster as dg
import ibis
import ibis.expr.types as ir
import pandas as pd

from cx_intel.contracts.contract import Column, Contract
from cx_intel.orchestration.assets.lineage import Source
from cx_intel.orchestration.questions import NOTHING, Questions, answers
from cx_intel.warehouse.duckdb.warehouse import DuckDBWarehouse

PREVIEW_ROWS = 5
FIGURES, FIRST_ROWS = "figures", "first rows"


def column_schema(contract: Contract) -> dg.TableSchema:
    """The contract's columns with their types, meaning and constraints."""
    return dg.TableSchema(
        columns=[
            dg.TableColumn(
                name=column.name,
                type=column.type,
                description=describe(column),
                constraints=dg.TableColumnConstraints(
                    nullable=column.nullable, unique=contract.grain == (column.name,)
                ),
            )
            for column in contract.columns
        ]
    )


def describe(column: Column) -> str:
    """The column's meaning, unit and what a null says, in one line."""
    parts = [column.description]
    if column.unit:
        parts.append(f"Unit: {column.unit}.")
    if column.null_means:
        parts.append(f"Null: {column.null_means}.")
    if column.accepted:
        parts.append(f"One of: {', '.join(column.accepted)}.")
    return " ".join(parts)


def column_lineage(sources: Mapping[str, Sequence[Source]], keys: Mapping[str, dg.AssetKey]) -> dg.TableColumnLineage:
    """Which columns of which tables each column is computed from, in Dagster's terms.

    Args:
        sources: For each column, those tables and columns.
        keys: The name of a table in the warehouse: its asset.
    """
    return dg.TableColumnLineage(
        {name: [dg.TableColumnDep(keys[table], column) for table, column in found] for name, found in sources.items()}
    )


def shown_questions(contract: Contract | None, rows: ir.Table, as_of: date) -> Questions:
    """What is asked for the UI: the contract's figures to plot over time, and the first rows; of a snapshot, of its day.

    Args:
        contract: The table's; None for a raw table.
        rows: What is about to be written.
        as_of: The day of the run.
    """
    is_snapshot = contract is not None and contract.kind == "snapshot"

    def of_the_day() -> ir.Table:
        return rows.filter(rows.as_of == ibis.literal(as_of)) if is_snapshot else rows

    def figures() -> ir.Table:
        day = of_the_day()
        return day.agg(row_count=day.count(), **{name: plot(day) for name, plot in _plots(contract).items()})

    return {FIGURES: figures, FIRST_ROWS: lambda: of_the_day().limit(PREVIEW_ROWS)}


def shown(
    contract: Contract | None,
    rows: ir.Table,
    as_of: date,
    warehouse: DuckDBWarehouse,
    ready: Mapping[str, str] = NOTHING,
) -> dict[str, Any]:
    """The row count, the figures to plot and sample rows of what is about to be written, in Dagster's terms.

    Args:
        contract: The table's; None for a raw table.
        rows: What is about to be written.
        as_of: The day of the run.
        warehouse: Where it is executed.
        ready: Of `shown_questions`, those that are compiled already.
    """
    found = answers(shown_questions(contract, rows, as_of), warehouse, ready)
    (figures,) = found[FIGURES]
    sample = pd.DataFrame(found[FIRST_ROWS], columns=list(rows.columns), dtype=object)
    return {
        "dagster/row_count": int(figures["row_count"]),
        **{name: float(figures[name]) for name in _plots(contract) if pd.notna(figures[name])},
        "as_of": as_of.isoformat(),
        "preview": dg.MetadataValue.md(markdown_table(sample)),
    }


def _plots(contract: Contract | None) -> Mapping[str, Callable[[ir.Table], ir.Scalar]]:
    return contract.plots if contract else {}


def markdown_table(frame: pd.DataFrame) -> str:
    """A table in Markdown; what customer data contain is shown as text."""

    def cell(value: Any) -> str:
        text = "" if value is None or (not isinstance(value, list | dict) and pd.isna(value)) else str(value)
        for special, safe in (("&", "&amp;"), ("<", "&lt;"), (">", "&gt;"), ("|", "\\|"), ("\n", " ")):
            text = text.replace(special, safe)
        return text if len(text) <= 80 else text[:79] + "…"

    lines = [" | ".join(cell(c) for c in frame.columns), " | ".join("---" for _ in frame.columns)]
    lines += [" | ".join(cell(value) for value in row) for row in frame.itertuples(index=False)]
    return "\n".join(f"| {line} |" for line in lines)
