"""Rows of several sources of one table: beside each other with ids of their own, or joined by the columns that each owns.

Each source's rows are judged by its own settings first (`rows.py` beside this module). Definitions: Several sources of one
table in `docs/definitions.md`.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date

import ibis
import ibis.expr.types as ir

from cx_intel.contracts import operations
from cx_intel.contracts.contract import Contract, conform
from cx_intel.contracts.delivered import delivered_columns
from cx_intel.models.expressions.joins import beside
from cx_intel.models.expressions.reasons import reason, with_reason
from cx_intel.models.staging.columns.derivations import derivations
from cx_intel.settings.portfolio import Portfolio
from cx_intel.settings.sources.base import ID_OF

IDS = {"subscriptions": "subscription_id", "invoices": "invoice_id", **ID_OF}
"""Canonical table: the id that two sources may both have for rows of theirs."""
MARKS = ("_reason", "_reason_parts", "_source_file", "_row_number", "_raw_row", "_day")


@dataclass(frozen=True)
class SourceRows:
    """What one source delivered of a table, judged.

    Attributes:
        name: What the source is called.
        rows: The columns of the staged table and the marks.
        owns: The columns of which its value counts.
    """

    name: str
    rows: ir.Table
    owns: tuple[str, ...] = ()


def united(parts: Sequence[SourceRows], contract: Contract) -> tuple[list[SourceRows], ir.Table | None]:
    """The rows of each source, and which ids had to be told apart; None where the table has no ids.

    An id that an earlier source has too begins with the later source's name, also where an invoice names it as credited.
    """
    table = contract.table.removeprefix("stg_")
    row_id = IDS.get(table)
    earlier, conflicts = [parts[0]], []
    for part in parts[1:]:
        if row_id:
            rows, repeated = _with_distinct_ids(part, earlier, row_id, table)
            conflicts.append(repeated)
        elif "occurrence" in contract.column_names:
            keys = [name for name in contract.grain if name != "occurrence"]
            rows = _counted_on(part.rows, ibis.union(*(p.rows for p in earlier)), keys)
        else:
            rows = _without_known(part.rows, ibis.union(*(p.rows for p in earlier)), contract)
        earlier.append(replace(part, rows=rows.select(*parts[0].rows.columns)))
    return earlier, ibis.union(*conflicts) if conflicts else None


def with_additions(
    parts: Sequence[SourceRows], adding: Sequence[SourceRows], contract: Contract
) -> tuple[ir.Table, ir.Table | None]:
    """The rows of all sources with the columns that some add to them, and in what these differ; None where none adds any.

    A row of an adding source whose id no other source has is not valid.

    Args:
        parts: The sources that deliver rows, ids told apart.
        adding: Those that add the columns they own: a row an id.
        contract: Of the staged table.
    """
    key = contract.grain[0]
    rejected, conflicts = [], []
    added = list(parts)
    for more in adding:
        valid = more.rows.filter(more.rows["_reason"].isnull())
        owned = valid.select(key, **{f"_added_{name}": name for name in (*more.owns, "account_id")})
        added = [replace(part, rows=beside(part.rows, owned, key)) for part in added]
        conflicts += [_conflict_of_addition(part, more, name, contract) for part in added for name in more.owns]
        conflicts += [_conflict_of_account(part, more, contract) for part in added]
        added = [replace(part, rows=_with_owned(part.rows, more.owns, contract)) for part in added]
        known = ibis.union(*(part.rows.filter(part.rows["_reason"].isnull()).select(key) for part in parts))
        rows = beside(more.rows, known.distinct().mutate(_is_known=ibis.literal(True)), key)
        is_unknown = rows["_is_known"].isnull() & rows["_reason"].isnull()
        rows = with_reason(rows, is_unknown, reason("nothing_to_add_to", key=key, value=rows[key]))
        rejected.append(_widened(rows.filter(rows["_reason"].notnull()), added[0].rows))
    together = ibis.union(*(part.rows for part in added), *rejected)
    return together, ibis.union(*conflicts) if conflicts else None


def joined_accounts(parts: Sequence[SourceRows], contract: Contract, portfolio: Portfolio, as_of: date) -> ir.Table:
    """One row an account, each column from its owner, else from the source that is listed first and has a value.

    What is derived by rules is derived of the joined row. Rows that are not valid stay as they are.
    """
    rows = _side_by_side(parts)
    names = [name for name in contract.column_names if name != "account_id"]
    values = {name: _first(rows, name, [n for n, _ in _ordered(parts, name)]) for name in names}
    why = ("_reason", "_reason_parts")
    marks = {name: _first(rows, name, list(range(len(parts)))) for name in MARKS if name not in why}
    joined = rows.select("account_id", **values, **marks, **dict.fromkeys(why, ibis.null("string")))
    for derive in derivations("accounts", portfolio):
        joined = joined.mutate(**derive(joined, portfolio, as_of))
    columns = (*contract.column_names, *MARKS)
    rejected = [part.rows.filter(part.rows["_reason"].notnull()).select(*columns) for part in parts]
    return ibis.union(joined.select(*columns), *rejected)


def account_conflicts(parts: Sequence[SourceRows], contract: Contract, portfolio: Portfolio) -> ir.Table:
    """The values of accounts in which a source differs from the one whose value counts."""
    rows = _side_by_side(parts)
    found = list(_conflicts_of_columns(rows, parts, contract, portfolio))
    return ibis.union(*found)


def source_conflicts(conflicting_values: ir.Table, *, portfolio: Portfolio) -> ir.Table:
    """In what the sources of one table differ, as staging found it at the newest load.

    Grain: source_table, row_key, column_name, other_source.
    """
    return conform(conflicting_values, operations.source_conflicts(portfolio))


def _conflicts_of_columns(
    rows: ir.Table, parts: Sequence[SourceRows], contract: Contract, portfolio: Portfolio
) -> Iterator[ir.Table]:
    derived = portfolio.derived_attributes
    for column in delivered_columns(contract):
        name = column.name
        if name == "account_id" or name in derived:
            continue
        order = _ordered(parts, name)
        for place, (n, part) in enumerate(order[1:], start=1):
            before = order[:place]
            kept = _first(rows, name, [m for m, _ in before])
            source = ibis.cases(*((rows[f"_{m}_{name}"].notnull(), p.name) for m, p in before), else_=before[0][1].name)
            differing = rows.filter(ibis.coalesce(kept != rows[f"_{n}_{name}"], ibis.literal(False)))
            yield differing.select(
                source_table=ibis.literal("accounts"),
                row_key=differing.account_id,
                column_name=ibis.literal(name),
                kept_source=source,
                kept_value=kept.cast("string"),
                other_source=ibis.literal(part.name),
                other_value=differing[f"_{n}_{name}"].cast("string"),
            )


def _side_by_side(parts: Sequence[SourceRows]) -> ir.Table:
    """A row for each account, with the valid rows of all sources beside it, their columns by the place of the source."""
    first = ibis.window(group_by="account_id", order_by=["_source_file", "_row_number"])
    valid = []
    for part in parts:
        rows = part.rows.filter(part.rows["_reason"].isnull())
        ranked = rows.mutate(_place=ibis.row_number().over(first))
        valid.append(ranked.filter(ranked["_place"] == 0).drop("_place"))
    rows = ibis.union(*(part.select("account_id") for part in valid)).distinct()
    for n, part in enumerate(valid):
        names = {f"_{n}_{name}": name for name in part.columns if name != "account_id"}
        rows = beside(rows, part.rename(**names), "account_id")
    return rows


def _ordered(parts: Sequence[SourceRows], column: str) -> list[tuple[int, SourceRows]]:
    """The sources with their places, the owner of a column first."""
    return sorted(enumerate(parts), key=lambda one: column not in one[1].owns)


def _first(rows: ir.Table, name: str, places: Sequence[int]) -> ir.Value:
    return ibis.coalesce(*(rows[f"_{n}_{name}"] for n in places))


def _with_distinct_ids(
    part: SourceRows, earlier: Sequence[SourceRows], row_id: str, table: str
) -> tuple[ir.Table, ir.Table]:
    """The rows with ids that no earlier source has, and the ids that were changed for it, as conflicts."""
    valid = ((one.name, one.rows.filter(one.rows["_reason"].isnull())) for one in earlier)
    taken = ibis.union(*(rows.select(_taken=row_id, _taken_by=ibis.literal(name)).distinct() for name, rows in valid))
    own = taken.semi_join(part.rows.select(_taken=row_id), "_taken")
    rows = part.rows.mutate(_taken=part.rows[row_id])
    rows = beside(rows, own, "_taken")
    prefix = ibis.literal(f"{part.name}-")
    changed = {row_id: ibis.ifelse(rows["_taken_by"].notnull(), prefix + rows[row_id], rows[row_id])}
    if table == "invoices":
        credited = own.select(credited_invoice_id="_taken").mutate(_is_credited=ibis.literal(True))
        rows = beside(rows, credited, "credited_invoice_id")
        name = rows.credited_invoice_id
        changed["credited_invoice_id"] = ibis.ifelse(rows["_is_credited"].notnull(), prefix + name, name)
    repeated = own.select(
        source_table=ibis.literal(table),
        row_key="_taken",
        column_name=ibis.literal(row_id),
        kept_source="_taken_by",
        kept_value="_taken",
        other_source=ibis.literal(part.name),
        other_value=prefix + own["_taken"],
    )
    return rows.mutate(**changed), repeated


def _with_owned(rows: ir.Table, owned: Sequence[str], contract: Contract) -> ir.Table:
    values = {name: ibis.coalesce(rows[f"_added_{name}"], rows[name]) for name in owned}
    return rows.mutate(**values).select(*contract.column_names, *MARKS)


def _conflict_of_addition(part: SourceRows, more: SourceRows, name: str, contract: Contract) -> ir.Table:
    """Where the row itself says something else than the source that owns the column."""
    return _conflict(part.rows, contract, name, (more.name, f"_added_{name}"), (part.name, name))


def _conflict_of_account(part: SourceRows, more: SourceRows, contract: Contract) -> ir.Table:
    """Where the source that adds columns has another account: that of the row counts."""
    return _conflict(part.rows, contract, "account_id", (part.name, "account_id"), (more.name, "_added_account_id"))


def _conflict(
    rows: ir.Table, contract: Contract, column: str, kept: tuple[str, str], other: tuple[str, str]
) -> ir.Table:
    """The newest valid rows of an id in which the values of two sources differ, each given by the source and its column."""
    is_other = ibis.coalesce(rows[kept[1]] != rows[other[1]], ibis.literal(False))
    rows = rows.filter(rows["_reason"].isnull() & (rows.occurrence == 1) & is_other)
    return rows.select(
        source_table=ibis.literal(contract.table.removeprefix("stg_")),
        row_key=rows[contract.grain[0]],
        column_name=ibis.literal(column),
        kept_source=ibis.literal(kept[0]),
        kept_value=rows[kept[1]].cast("string"),
        other_source=ibis.literal(other[0]),
        other_value=rows[other[1]].cast("string"),
    )


def _widened(rows: ir.Table, like: ir.Table) -> ir.Table:
    """Rows with the columns and types of others; those that they lack are null."""
    kinds = like.schema().items()
    return rows.select(**{n: rows[n].cast(kind) if n in rows.columns else ibis.null(kind) for n, kind in kinds})


def _counted_on(rows: ir.Table, before: ir.Table, keys: list[str]) -> ir.Table:
    """Rows of one key are counted on from those of earlier sources: they are added up, not repeated."""
    counted = before.filter(before["_reason"].isnull())
    counted = counted.group_by(keys).agg(_so_far=counted.occurrence.max())
    found = beside(rows, counted, *keys)
    return found.mutate(occurrence=found.occurrence + ibis.coalesce(found["_so_far"], 0))


def _without_known(rows: ir.Table, before: ir.Table, contract: Contract) -> ir.Table:
    """Rows of a key that an earlier source has are quarantined: nothing tells which of the two is right."""
    known = before.filter(before["_reason"].isnull()).select(*contract.grain).distinct()
    found = beside(rows, known.mutate(_is_known=ibis.literal(True)), *contract.grain)
    is_repeated = found["_is_known"].notnull() & found["_reason"].isnull()
    return with_reason(found, is_repeated, reason("in_another_source", key=", ".join(contract.grain)))
