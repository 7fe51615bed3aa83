"""What is wrong with a typed row by the columns of its contract, and all of it as one reason.

Faults that other columns tell of are in `cx_intel.models.staging.columns`; which reasons there are, and what each says, in
`cx_intel.contracts.staging.reasons`. How rows are typed: `rows.py` beside this module.
"""

from collections.abc import Iterator, Mapping, Sequence
from functools import reduce
from operator import add, or_

import ibis
import ibis.expr.types as ir

from cx_intel.contracts.contract import COUNT, DATE, MONEY, NUMBER, PRICE, TEXT, TIME, Column, Contract
from cx_intel.contracts.delivered import LENIENT, delivered_columns, required_columns
from cx_intel.contracts.staging.currency_signs import OF_SEVERAL
from cx_intel.contracts.staging.values import MONEY_LIMIT
from cx_intel.models.expressions.reasons import (
    SHOWN,
    Fault,
    Gap,
    Reason,
    listed,
    names,
    of_unsplit_rows,
    one_of,
    reason,
    with_reason,
)
from cx_intel.models.staging.parsing import EXCEL_DAY_PATTERN, NUMBER_PATTERN
from cx_intel.models.staging.signed_amounts import contradicted
from cx_intel.settings.portfolio import Portfolio

SEPARATOR = "; "
"""Between the reasons of one row."""
NOT_A = {COUNT: "no_whole_number", NUMBER: "no_number", DATE: "no_date", TIME: "no_time"}
"""Type of a column: the code of the reason where a cell cannot be read."""


def with_reasons(rows: ir.Table, contract: Contract, portfolio: Portfolio, more: Sequence[Fault]) -> ir.Table:
    """Adds `_reason` and `_reason_parts`: everything wrong with the row, `more` included; null when it is valid."""
    found = [*_faults_of_columns(rows, contract, portfolio), *more]
    if "_is_known" in rows.columns:
        orphan = rows.account_id.notnull() & rows["_is_known"].isnull()
        found.append((orphan, reason("unknown_account", value=rows.account_id.substr(0, SHOWN))))
    if "_unmatched" in rows.columns:
        found.append((rows["_unmatched"].notnull(), Reason(rows["_unmatched"], rows["_unmatched_part"])))
    rows = rows.mutate(**{f"_fault_{n}": when for n, (when, _) in enumerate(found)})  # asked once, and told twice
    faults = [(rows[f"_fault_{n}"], why) for n, (_, why) in enumerate(found)]
    is_faulty = reduce(or_, (when for when, _ in faults))  # few rows are: the others need no text
    sentences = (ibis.ifelse(when, SEPARATOR + ibis.coalesce(why.sentence, ""), "") for when, why in faults)
    parts = (ibis.ifelse(when, ibis.literal(", ") + ibis.coalesce(why.part, ""), "") for when, why in faults)
    nothing = ibis.null(TEXT)
    rows = rows.mutate(
        _reason=ibis.ifelse(is_faulty, reduce(add, sentences).substr(len(SEPARATOR)), nothing),
        _reason_parts=ibis.ifelse(is_faulty, listed(reduce(add, parts).substr(2)), nothing),
    ).drop(*(f"_fault_{n}" for n in range(len(found))))
    if "_survivor" in rows.columns:
        rows = with_reason(rows, rows["_survivor"].notnull(), reason("merged", value=rows["_survivor"]))
    return of_unsplit_rows(rows)


def _faults_of_columns(rows: ir.Table, contract: Contract, portfolio: Portfolio) -> Iterator[Fault]:
    """What is wrong with the cells by their columns alone."""
    required = required_columns(contract)
    lenient = LENIENT.get(contract.table.removeprefix("stg_"), ())
    derived = portfolio.derived_attributes
    for column in delivered_columns(contract):
        name, value = column.name, rows[column.name]
        text = rows[f"_text_{name}"] if f"_text_{name}" in rows.columns else value.cast("string")
        cell = {"column": name, "value": text.substr(0, SHOWN)}
        if name in required and not (name == "account_id" and "_unmatched" in rows.columns):
            yield text.isnull(), reason("missing", column=name)
        if column.type in (MONEY, PRICE):
            yield text.notnull() & ~rows[f"_has_{name}"], _no_amount(text, cell)
            yield from contradicted(rows, name, cell)
        elif f"_text_{name}" in rows.columns and name not in lenient:
            yield text.notnull() & value.isnull(), _unread(column, text, cell)
        if column.severity == "block" and column.minimum is not None:
            yield _true(value < column.minimum), reason("below", **cell, limit=column.minimum)
        if column.severity == "block" and column.maximum is not None:
            yield _true(value > column.maximum), reason("above", **cell, limit=column.maximum)
        if column.severity == "block" and column.accepted and name not in derived:
            code = "unknown_interval" if name == "billing_interval" else "none_of"
            yield _true(~value.isin(column.accepted)), reason(code, **cell, accepted=", ".join(column.accepted))
        if name == "currency" and "_account_currency" in rows.columns:
            known = list(portfolio.currency.rate_of())
            is_sign = (value.isin([sign.upper() for sign in OF_SEVERAL]), reason("sign_of_several", **cell))
            yield _true(~value.isin(known)), one_of(is_sign, otherwise=reason("no_rate", **cell))


def is_orphan(rejected: ir.Table) -> ir.BooleanValue:
    """Whether a row was rejected for its account, perhaps among other reasons."""
    return names(rejected, "unknown_account")


def _unread(column: Column, text: ir.StringValue, cell: Mapping[str, Gap]) -> Reason:
    """What a cell is not, with what to do where it is something else that is known."""
    is_no = reason(NOT_A[column.type], **cell)
    if column.type in (DATE, TIME):
        return one_of((text.re_search(EXCEL_DAY_PATTERN), reason("excel_day", **cell)), otherwise=is_no)
    if column.name == "quantity":
        return one_of((text.re_search(NUMBER_PATTERN), reason("no_whole_quantity", **cell)), otherwise=is_no)
    return is_no


def _no_amount(text: ir.StringValue, cell: Mapping[str, Gap]) -> Reason:
    beyond = reason("beyond_limit", **cell, limit=MONEY_LIMIT)
    return one_of((text.re_search(NUMBER_PATTERN), beyond), otherwise=reason("no_amount", **cell))


def _true(test: ir.BooleanValue) -> ir.BooleanValue:
    return ibis.coalesce(test, ibis.literal(False))
