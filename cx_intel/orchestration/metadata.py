"""What Dagster shows of a table: column schema, lineage, counts, figures to plot, sample rows.

Under Dagster's standard names. Descriptions come from the contracts, lineage from the expressions.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import dagster as dg
import ibis.expr.types as ir
import pandas as pd

from cx_intel.contracts.contract import Column, Contract
from cx_intel.orchestration.lineage import Source
from cx_intel.warehouse.duckdb_warehouse import DuckDBWarehouse

PREVIEW_ROWS = 5


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


def measured(contract: Contract | None, rows: ir.Table, warehouse: DuckDBWarehouse) -> dict[str, Any]:
    """The row count and the contract's figures to plot over time, of the rows written."""
    plots = contract.plots if contract else {}
    values = {name: plot(rows) for name, plot in plots.items()}
    (row,) = warehouse.rows(rows.agg(row_count=rows.count(), **values))
    figures = {name: float(row[name]) for name in plots if pd.notna(row[name])}
    return {"dagster/row_count": int(row["row_count"]), **figures}


def preview(rows: ir.Table, warehouse: DuckDBWarehouse) -> dg.MarkdownMetadataValue:
    """The first rows, for a look in the UI."""
    found = warehouse.rows(rows.limit(PREVIEW_ROWS))
    return dg.MetadataValue.md(markdown_table(pd.DataFrame(found, columns=list(rows.columns), dtype=object)))


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
