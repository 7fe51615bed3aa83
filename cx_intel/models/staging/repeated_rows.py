"""Several rows of one key: which belong to a history, which one is kept, and why the others are quarantined.

What is wrong with a row by itself is in `rows.py` beside this module. Which columns date the rows of a table is in
`cx_intel.contracts.delivered`.
"""

from datetime import datetime
from functools import reduce
from operator import add, and_

import ibis
import ibis.expr.types as ir

from cx_intel.contracts.contract import Contract
from cx_intel.contracts.delivered import ROW_DATES, delivered_columns
from cx_intel.models.expressions.reasons import one_of, reason, with_reason

LONG_AGO = ibis.literal(datetime(1900, 1, 1)).cast("timestamp(6)")
"""Stands for no date where rows are ordered by their dates."""


def occurrence(rows: ir.Table, table: str) -> ir.IntegerValue:
    """Counts the rows of one key by their own dates, from 1 for the newest; rows of the same dates have the same one.

    Args:
        rows: Rows of a table whose rows carry dates.
        table: The canonical table, one of `ROW_DATES`.
    """
    dates = [rows[name].cast("timestamp(6)") for name in ROW_DATES[table]]
    own = [ibis.coalesce(date, LONG_AGO).desc() for date in (ibis.coalesce(*dates), *dates)]
    newest_first = ibis.window(group_by="subscription_id", order_by=own)
    return (ibis.dense_rank().over(newest_first) + 1).cast("int64")


def without_duplicates(rows: ir.Table, contract: Contract) -> ir.Table:
    """Gives all but the last of the valid rows with one key a reason."""
    keys = key_columns(contract)
    rows = rows.mutate(_is_valid=rows["_reason"].isnull())
    is_moved = "_is_moved" in rows.columns  # of merged accounts the survivor's own row holds
    own_first = [ibis.ifelse(rows["_is_moved"], 1, 0)] if is_moved else []
    newest_first = ibis.window(
        group_by=[*keys, "_is_valid"], order_by=[*own_first, ibis.desc("_source_file"), ibis.desc("_row_number")]
    )
    rows = rows.mutate(
        _place=ibis.row_number().over(newest_first),
        **({"_keeps_own": ~rows["_is_moved"].first().over(newest_first)} if is_moved else {}),
        _kept_file=rows["_source_file"].first().over(newest_first),
        _kept_row=rows["_row_number"].first().over(newest_first),
    )
    is_duplicate = reduce(and_, (rows["_is_valid"], rows["_place"] > 0))
    place = {"row": rows["_kept_row"].cast("string"), "key": _key(contract)}
    of_source = rows["_kept_file"].isnull(), reason("duplicate_of_source", **place)
    code = "duplicate_line" if contract.table == "stg_invoices" else "duplicate"
    why = one_of(of_source, otherwise=reason(code, **place, file=rows["_kept_file"]))
    if is_moved:
        beside_own, file = rows["_is_moved"] & rows["_keeps_own"], ibis.coalesce(rows["_kept_file"], "-")
        why = one_of((beside_own, reason("merged_and_own", value=rows.account_id, **place, file=file)), otherwise=why)
    return with_reason(rows, is_duplicate, why)


def key_columns(contract: Contract) -> list[str]:
    """The columns in which no two rows of a staged table are alike."""
    return list(dict.fromkeys([*contract.grain, *([contract.day_column] if contract.day_column else [])]))


def without_contradictions(rows: ir.Table, contract: Contract) -> ir.Table:
    """Gives rows of one key, day and file that differ a reason: nothing tells the newest of them."""
    names = ROW_DATES.get(contract.table.removeprefix("stg_"), ())
    if not names:
        return rows
    contents = reduce(
        add, (ibis.literal("|") + ibis.coalesce(rows[c.name].cast("string"), "") for c in delivered_columns(contract))
    )
    rows = rows.mutate(_contents=contents, _is_valid=rows["_reason"].isnull())
    same = ibis.window(group_by=[*contract.grain, "_is_valid", "_source_file"])
    differ = rows["_contents"].min().over(same) != rows["_contents"].max().over(same)
    is_contradicted = rows["_is_valid"] & ibis.coalesce(differ, ibis.literal(False))
    why = reason("contradiction", key=_key(contract), dates=", ".join(names))
    return with_reason(rows, is_contradicted, why).drop("_contents", "_is_valid")


def _key(contract: Contract) -> str:
    """The key's columns that the source delivers."""
    delivered = {column.name for column in delivered_columns(contract)}
    return ", ".join(name for name in contract.grain if name in delivered)
