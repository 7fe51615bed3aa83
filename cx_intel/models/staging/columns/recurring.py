"""Whether a line of subscriptions or invoices recurs, by the rules of `revenue.recurring_only`, and if not why.

Only what follows from the columns of a line; a credit note that takes from a line follows that line, which is decided
in `cx_intel.models.revenue.recurring`. How rules are written: `cx_intel.settings.revenue.recurring`.
"""

from datetime import date
from functools import reduce
from operator import add, or_

import ibis
import ibis.expr.types as ir

from cx_intel.contracts.staging.values import CREDIT_NOTES
from cx_intel.settings.portfolio import Portfolio
from cx_intel.settings.revenue.recurring import ANY_TEXT, RecurringRule

SEPARATOR = ", "


def recurring_columns(rows: ir.Table, portfolio: Portfolio, as_of: date) -> dict[str, ir.Value]:
    """`non_recurring`: what of the row says that it does not recur; null where it does.

    A row recurs where it has one of the `values` of any rule, or no rule states any, and none of what a rule excepts. A
    rule by a column in which no row of the table has a value judges nothing; in one of which only this row has none, it
    does not recur, credit notes apart.
    """
    rules = [rule for rule in portfolio.revenue.recurring_rules if rule.column in rows.columns]
    recurring, excepted = [r for r in rules if r.values], [r for r in rules if r.except_]
    why = ibis.null("string")
    if recurring:
        is_judged = reduce(or_, (_is_delivered(rows, rule) for rule in recurring))
        found = reduce(or_, (_has(rows, rule.column, rule.values) for rule in recurring)) | _is_untold(rows, recurring)
        columns = dict.fromkeys(rule.column for rule in recurring)
        told = reduce(add, (_column_texts(rows, name) for name in columns)).substr(len(SEPARATOR))
        why = ibis.ifelse(is_judged & ~found, told, why)
    for rule in excepted:
        told = _column_texts(rows, rule.column).substr(len(SEPARATOR))
        why = ibis.coalesce(why, ibis.ifelse(_has(rows, rule.column, rule.except_), told, ibis.null("string")))
    return {"non_recurring": why}


def _is_delivered(rows: ir.Table, rule: RecurringRule) -> ir.BooleanValue:
    """Whether any row of the table has a value in the column."""
    filled = ibis.ifelse(rows[rule.column].notnull(), 1, 0)
    return filled.max().over(ibis.window()) == 1


def _is_untold(rows: ir.Table, rules: list[RecurringRule]) -> ir.BooleanValue:
    """Whether it is a credit note that says nothing of itself in the columns of the rules."""
    if "invoice_type" not in rows.columns:
        return ibis.literal(False)
    is_credit = ibis.coalesce(rows.invoice_type.isin(CREDIT_NOTES), ibis.literal(False))
    return reduce(lambda found, rule: found & rows[rule.column].isnull(), rules, is_credit)


def _has(rows: ir.Table, column: str, patterns: list[str]) -> ir.BooleanValue:
    """Whether the cell fits one of the patterns; an empty one fits none."""
    cell = ibis.coalesce(rows[column].lower(), "")
    return reduce(or_, (_fits(cell, pattern) for pattern in patterns))


def _fits(cell: ir.StringValue, pattern: str) -> ir.BooleanValue:
    word = pattern.strip(ANY_TEXT)
    begins, ends = not pattern.startswith(ANY_TEXT), not pattern.endswith(ANY_TEXT)
    if begins and ends:
        return cell == word
    if begins:
        return cell.startswith(word)
    return cell.endswith(word) if ends else cell.contains(word)


def _column_texts(rows: ir.Table, column: str) -> ir.StringValue:
    """The column with what the row has in it, such as `, line_type 'invoiceitem'`."""
    quoted = ibis.literal("'") + rows[column] + "'"
    return ibis.literal(f"{SEPARATOR}{column} ") + ibis.coalesce(quoted, "(none)")
