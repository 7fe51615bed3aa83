"""What the contracts of subscriptions and invoices share about recurring: the columns that tell it, and its checks.

How rows are judged is in `cx_intel.models.staging.columns.recurring`; what does not recur is listed in the table
`non_recurring`, of which the contract is `cx_intel.contracts.revenue.non_recurring`.
"""

import ibis
import ibis.expr.types as ir

from cx_intel.contracts.contract import TEXT, Column, CrossInvariant
from cx_intel.settings.portfolio import BASIS_TABLE, Portfolio

LINE_COLUMNS = (
    Column(
        "line_type", TEXT, "What kind of line it is, lower case: subscription, invoiceitem, plan, charge, one_time."
    ),
    Column("usage_type", TEXT, "How its quantity comes about, lower case: licensed or metered."),
    Column("proration", TEXT, "Whether it is for a part of a period after a change, lower case: true or false."),
)


def non_recurring_column() -> Column:
    return Column(
        "non_recurring",
        TEXT,
        "Why it is no MRR, by revenue.recurring_only.",
        null_means="it recurs",
    )


def recurring_checks(table: str, portfolio: Portfolio) -> tuple[CrossInvariant, ...]:
    """That the rules of a portfolio find something to go by in the table that MRR is computed from."""
    rules = portfolio.revenue.recurring_rules
    if not rules or table != BASIS_TABLE[portfolio.revenue.basis]:
        return ()
    columns = tuple(dict.fromkeys(rule.column for rule in rules))
    checks = [
        CrossInvariant(
            "recurring_columns_are_delivered",
            f"Some row has a value in each column of revenue.recurring_only: {', '.join(columns)}.",
            (),
            lambda tables: _empty_columns(tables["self"], columns),
            f"Without any value nothing is judged by the column, and all of it counts as MRR: map it under `columns` of "
            f"the source of {table}.",
            "warn",
        )
    ]
    if any(rule.values for rule in rules):
        checks.append(
            CrossInvariant(
                "something_recurs",
                "At least one row recurs by revenue.recurring_only.",
                (),
                lambda tables: _nothing_recurs(tables["self"]),
                "Compare the `values` of revenue.recurring_only with what is delivered; the column non_recurring says of "
                "each row what was found.",
            )
        )
    return tuple(checks)


def _empty_columns(rows: ir.Table, columns: tuple[str, ...]) -> ir.Table:
    """A row for each column without any value; none of a table without rows."""
    counts = rows.agg(delivered=rows.count(), **{f"_{n}": rows[n].count() for n in columns if n in rows.columns})
    parts = []
    for name in columns:
        filled = counts[f"_{name}"] if f"_{name}" in counts.columns else ibis.literal(0)
        empty = counts.filter((counts.delivered > 0) & (filled == 0))
        parts.append(empty.select("delivered", column=ibis.literal(name)))
    return ibis.union(*parts) if len(parts) > 1 else parts[0]


def _nothing_recurs(rows: ir.Table) -> ir.Table:
    counts = rows.agg(delivered=rows.count(), recurring=rows.count(where=rows.non_recurring.isnull()))
    return counts.filter((counts.delivered > 0) & (counts.recurring == 0))
