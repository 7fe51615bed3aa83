"""What Dagster shows of a table: column schema, lineage, counts, figures to plot, sample rows.

Under Dagster's standard names. Descriptions come from the contracts, lineage from the expressions.
"""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

import dagster as dg
import ibis
import ibis.expr.types as ir
import pandas as pd

from cx_intel.contracts.contract import Column, Contract
from cx_intel.contracts.delivered import RAW_MARKS
from cx_intel.orchestration.assets.lineage import Source
from cx_intel.reports.words.rounding import rounded
from cx_intel.warehouse.protocol import Warehouse

PREVIEW_ROWS = 5
DECIMALS = 4


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


def shown(contract: Contract | None, rows: ir.Table, as_of: date, warehouse: Warehouse) -> dict[str, Any]:
    """What Dagster shows of rows about to be written: their count, the contract's figures to plot, and the first rows.

    Args:
        contract: The table's; of a raw table that of the staged one, None where it is not known.
        rows: What is about to be written; of a snapshot, only the rows of `as_of` are shown.
        as_of: The day of the run.
        warehouse: Where it is executed.
    """
    if contract is not None and contract.kind == "snapshot":
        rows = rows.filter(rows.as_of == ibis.literal(as_of))
    plots = contract.plots if contract else {}
    (figures,) = warehouse.rows(rows.agg(row_count=rows.count(), **{name: plot(rows) for name, plot in plots.items()}))
    told = without_persons(rows, contract)
    sample = pd.DataFrame(warehouse.rows(told.limit(PREVIEW_ROWS)), columns=list(told.columns), dtype=object)
    return {
        "dagster/row_count": int(figures["row_count"]),
        **{name: short(figures[name]) for name in plots if pd.notna(figures[name])},
        "as_of": as_of.isoformat(),
        "preview": dg.MetadataValue.md(markdown_table(sample)),
    }


def without_persons(rows: ir.Table, contract: Contract | None) -> ir.Table:
    """The rows without the columns that say who a person is: Dagster keeps what it shows, and an erasure cannot reach logs.

    A table that has such columns is shown without the text of its rows as they were delivered too.
    """
    personal = set(contract.personal_columns) if contract else set()
    hidden = personal | set(RAW_MARKS) if personal else personal
    return rows.drop(*hidden & set(rows.columns)) if hidden & set(rows.columns) else rows


def of_renewal_model(rows: ir.Table, as_of: date, warehouse: Warehouse) -> dict[str, Any]:
    """Version, inputs and metrics of the learnt probability of renewal that was fitted on a day.

    Args:
        rows: `renewal_model`.
        as_of: The day.
        warehouse: Where it is executed.
    """
    found = warehouse.rows(rows.filter(rows.as_of == ibis.literal(as_of)))
    if not found:
        return {}
    model = found[0]
    metrics = (
        "brier_learned",
        "brier_map",
        "brier_base_rate",
        "brier_gain",
        "brier_gain_low",
        "brier_gain_high",
        "brier_live",
    )
    inputs = {
        part: f"{model[f'{part}_renewals']:,} renewals of {model[f'{part}_accounts']:,} accounts, "
        f"{model[f'{part}_lost_accounts']:,} of which did not renew, {model[f'{part}_first_month']} to "
        f"{model[f'{part}_last_month']}"
        for part in ("taught", "judged")
    }
    texts = {name: model[name] for name in ("model_version", "verdict", "withheld_because") if model[name]}
    return texts | inputs | {name: short(model[name]) for name in metrics if model[name] is not None}


def short(value: Any) -> float:
    """A figure as Dagster shows and plots it: with at most 4 decimals."""
    return float(rounded(value, DECIMALS))


def markdown_table(frame: pd.DataFrame) -> str:
    """A table in Markdown; what customer data contain is shown as text."""

    def cell(value: Any) -> str:
        shown = short(value) if isinstance(value, float) and pd.notna(value) else value
        text = "" if shown is None or (not isinstance(shown, list | dict) and pd.isna(shown)) else str(shown)
        for special, safe in (("&", "&amp;"), ("<", "&lt;"), (">", "&gt;"), ("|", "\\|"), ("\n", " ")):
            text = text.replace(special, safe)
        return text if len(text) <= 80 else text[:79] + "…"

    lines = [" | ".join(cell(c) for c in frame.columns), " | ".join("---" for _ in frame.columns)]
    lines += [" | ".join(cell(value) for value in row) for row in frame.itertuples(index=False)]
    return "\n".join(f"| {line} |" for line in lines)
