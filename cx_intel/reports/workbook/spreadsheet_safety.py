"""Keeps text of customers from being run as a formula when a spreadsheet opens it.

One rule in two spellings: a function for the cells of a workbook and for tests, an expression for CSV that the engine
writes. Only text is guarded: numbers, dates and flags stay as they are, and Parquet, which is exact, is never touched.

A spreadsheet takes a cell of a CSV file for a formula when it begins with `= + - @`, a tab or a carriage return: such a
text gets a leading apostrophe. Where lists are separated by semicolons (German Excel), `a;=1+1` would be split and its
second half run, quoted or not: so the same is put before a formula that follows a semicolon or begins a line.
"""

import re

import ibis.expr.types as ir

APOSTROPHE = "'"
_STARTERS = "[=+@＝＋－＠-]"
"""What begins a formula; some spreadsheets read the full-width forms alike."""
_BEGINS = rf"^([\t\r\n]| *{_STARTERS})"
_FOLLOWS = rf"([;\t\r\n] *)({_STARTERS})"
_REPLACEMENT = rf"\1{APOSTROPHE}\2"
_PREFIXED = rf"{APOSTROPHE}\1"


def guarded(text: str) -> str:
    """The text with an apostrophe before whatever a spreadsheet might run: `=1+1` becomes `'=1+1`."""
    return re.sub(_BEGINS, _PREFIXED, re.sub(_FOLLOWS, _REPLACEMENT, text))


def guarded_columns(rows: ir.Table) -> ir.Table:
    """The rows with every text column guarded, all others as they are."""
    return rows.mutate(
        **{name: _guarded(rows[name]).name(name) for name, kind in rows.schema().items() if kind.is_string()}
    )


def _guarded(text: ir.StringValue) -> ir.StringValue:
    return text.re_replace(_FOLLOWS, _REPLACEMENT).re_replace(_BEGINS, _PREFIXED)
