"""The account attributes that rules derive."""

from collections.abc import Callable
from datetime import date

import ibis
import ibis.expr.types as ir

from cx_intel.contracts.erased import is_erased
from cx_intel.models.expressions.conditions import first_match, holds
from cx_intel.settings.accounts import Rules
from cx_intel.settings.portfolio import Portfolio

Derivation = Callable[[ir.Table, Portfolio, date], dict[str, ir.Value]]
"""From the typed rows of a table, the settings and the day to further columns."""


def _attribute(name: str, rules: Rules) -> Derivation:
    """An attribute by rules; an erased account comes with what is known of it, for nothing is there to go by."""

    def derive(rows: ir.Table, portfolio: Portfolio, as_of: date) -> dict[str, ir.Value]:
        cases = ((holds(case.if_, rows), case.value) for case in rules.rules)
        derived = first_match(cases, rules.else_).cast("string")
        return {name: ibis.ifelse(is_erased(rows.account_id), rows[name], derived)}

    return derive


def attribute_derivations(portfolio: Portfolio) -> list[Derivation]:
    """The derived attributes of the portfolio, in the order in which they may build on each other."""
    return [_attribute(name, rules) for name, rules in portfolio.derived_attributes.items()]
