"""What a contract is: the grain, columns and invariants of one table, as data.

From a contract come the asset checks, the column schema and descriptions in the UI, the data dictionary and the empty
table that stands in for an absent source. The contracts themselves are in the modules beside this one, by layer;
`catalog.py` lists those of a portfolio. How checks are run stands in `cx_intel.orchestration.checks`.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Literal

import ibis
import ibis.expr.operations as ops
import ibis.expr.types as ir

Severity = Literal["block", "refuse", "warn"]
"""What follows where a rule does not hold. block: the table stays as it was and what reads it does not run. refuse: the
table stays as it was, and what reads it goes on with that. warn: it is told."""
Layer = Literal["raw", "staging", "core", "revenue", "support", "health", "risk", "renewals", "backtest", "operations"]
Kind = Literal["whole", "by_day", "snapshot"]
"""How a table is kept: rebuilt whole, by the day of its events, or one partition for each `as_of`."""

MONEY = "decimal(18, 2)"
PRICE = "decimal(18, 6)"
"""Monthly amounts before they are summed, and unit prices."""
TEXT = "string"
COUNT = "int64"
NUMBER = "float64"
DATE = "date"
TIME = "timestamp(6)"
FLAG = "boolean"


@dataclass(frozen=True)
class Column:
    """One column: its Ibis type, meaning, unit, and what its values may be.

    `accepted`, `minimum`, `maximum` hold for values that are there; `nullable=False` says that one always is.
    `references` is `table.column`. Each of these becomes an asset check of the given `severity`; `null_means`
    tells readers what a null says.
    """

    name: str
    type: str
    description: str
    unit: str = ""
    nullable: bool = True
    null_means: str = ""
    accepted: tuple[str, ...] = ()
    minimum: float | None = None
    maximum: float | None = None
    references: str = ""
    severity: Severity = "block"
    """Of accepted, minimum and maximum; null and reference checks always block."""
    is_personal: bool = False
    """It says who a person at a customer is: it is in no sample, no preview, and in no export that is not asked for."""


@dataclass(frozen=True)
class Invariant:
    """Something true of every row: `holds` is the rule; null counts as broken.

    `recovery` tells the reader of a failed check what to do next; of the column `amount` the sum over the rows that break
    the rule is told beside their number.
    """

    name: str
    description: str
    holds: Callable[[ir.Table], ir.BooleanValue]
    recovery: str
    severity: Severity = "block"
    amount: str | None = None


@dataclass(frozen=True)
class CrossInvariant:
    """Something true between this table and others: `broken` returns the rows that break it (the table is `self`)."""

    name: str
    description: str
    tables: tuple[str, ...]
    broken: Callable[[Mapping[str, ir.Table]], ir.Table]
    recovery: str
    severity: Severity = "block"


@dataclass(frozen=True)
class Contract:
    """The contract of one table.

    Attributes:
        table: Its name: also that of the asset, the model function and the tests.
        layer: Part of the Dagster group.
        description: The question that the table answers, one or two sentences.
        grain: The columns that identify a row; unique and never null.
        columns: All columns, in order.
        kind: How the table is kept.
        day_column: Of a table kept `by_day`: the date column that tells the partition.
        invariants: Rules on its rows.
        cross_invariants: Rules between it and other tables.
        plots: Numeric metadata to plot over time: name -> aggregate over the rows written.
    """

    table: str
    layer: Layer
    description: str
    grain: tuple[str, ...]
    columns: tuple[Column, ...]
    kind: Kind = "whole"
    day_column: str = ""
    invariants: tuple[Invariant, ...] = ()
    cross_invariants: tuple[CrossInvariant, ...] = ()
    plots: Mapping[str, Callable[[ir.Table], ir.Scalar]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        names = [c.name for c in self.columns]
        if repeated := {n for n in names if names.count(n) > 1}:
            raise ValueError(f"contract of {self.table}: column {', '.join(sorted(repeated))} stands twice")
        if missing := [g for g in self.grain if g not in names]:
            raise ValueError(f"contract of {self.table}: grain {missing} is not among its columns")

    @property
    def column_names(self) -> tuple[str, ...]:
        return tuple(c.name for c in self.columns)

    @property
    def partition_column(self) -> str:
        """The date column that tells a row's partition; empty for whole tables."""
        return {"whole": "", "by_day": self.day_column, "snapshot": "as_of"}[self.kind]

    def schema(self) -> ibis.Schema:
        """The Ibis schema of the table."""
        return ibis.schema({c.name: c.type for c in self.columns})

    def no_rows(self) -> ir.Table:
        """The table without a row."""
        one = ops.DummyTable({c.name: ibis.null(c.type).op() for c in self.columns}).to_expr()
        return one.filter(ibis.literal(False))

    @property
    def personal_columns(self) -> tuple[str, ...]:
        """The columns that say who a person at a customer is."""
        return tuple(c.name for c in self.columns if c.is_personal)

    def __getitem__(self, name: str) -> Column:
        for column in self.columns:
            if column.name == name:
                return column
        raise KeyError(f"{self.table} has no column {name!r}")


def conform(table: ir.Table, contract: Contract) -> ir.Table:
    """The table with exactly the contract's columns, in order and of its types."""
    return table.select(**{c.name: table[c.name].cast(c.type) for c in contract.columns})
