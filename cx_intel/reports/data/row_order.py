"""The order in which rows of a table are read for pages, exports and listings."""

import ibis.expr.types as ir

from cx_intel.contracts.contract import Contract

RANKS = ("priority_rank", "intervention_priority")
"""Columns by which a list is read from the top."""


def order_of(rows: ir.Table, contract: Contract) -> list[str]:
    """By rank, else by grain: the columns by which rows are read, so that equal rows make equal files however they lie."""
    return [name for name in dict.fromkeys((*RANKS, *contract.grain)) if name in rows.columns]


def in_order(rows: ir.Table, contract: Contract) -> ir.Table:
    """The rows in that order; of columns that are none of it, as they lie."""
    return rows.order_by(order) if (order := order_of(rows, contract)) else rows
