"""The rules that a contract states of its table: their names and texts, the check each is part of, and what breaks them.

Rules of one kind on the columns of a table are one asset check: an event for each of some 600 rules would cost a run more
than its work, and hide what matters. What the rules are stands in the contracts; `checks.py` asks them of rows.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

import ibis
import ibis.expr.types as ir

from cx_intel.contracts.contract import Column, Contract, Severity


@dataclass(frozen=True)
class Rule:
    """One rule: its name and text, the check it is part of, and a condition that rows break or the rows that do."""

    name: str
    check: str
    text: str
    recovery: str
    severity: Severity
    broken: Callable[[ir.Table], ir.BooleanValue] | None = None
    broken_rows: Callable[[Mapping[str, ir.Table]], ir.Table] | None = None
    tables: tuple[str, ...] = ()
    amount: str | None = None


AT_THE_SOURCE = "Look at the sample; mend the rows at the source or the mapping in the portfolio's YAML, then refresh."
AS_STAGED = (
    "Where staging warns of these rows, mend them there; else this is a fault of a model: report it with the sample."
)
AT_THE_MODEL = "Staging lets no such row through, so this is a fault of a model: report it with the sample."


def rules_of(contract: Contract) -> tuple[Rule, ...]:
    """The checks of a contract, in a fixed order: grain, columns, references, invariants."""
    rules = [_grain_rule(contract)]
    for column in contract.columns:
        rules += _column_rules(contract, column)
    for i in contract.invariants:
        rules.append(Rule(i.name, i.name, i.description, i.recovery, i.severity, broken=_not(i.holds), amount=i.amount))
    for c in contract.cross_invariants:
        rules.append(Rule(c.name, c.name, c.description, c.recovery, c.severity, broken_rows=c.broken, tables=c.tables))
    return tuple(rules)


def compared_with(contract: Contract) -> tuple[str, ...]:
    """The other tables that the checks of a contract read: they come first."""
    return tuple(dict.fromkeys(table for rule in rules_of(contract) for table in rule.tables))


def _recovery(contract: Contract) -> str:
    return AT_THE_SOURCE if contract.layer in ("raw", "staging") else AT_THE_MODEL


def _grain_rule(contract: Contract) -> Rule:
    within = [contract.day_column] if contract.day_column and contract.day_column not in contract.grain else []
    grain = [*contract.grain, *within]

    def repeated(tables: Mapping[str, ir.Table]) -> ir.Table:
        counted = tables["self"].group_by(grain).agg(rows=ibis._.count())
        return counted.filter(counted.rows > 1)

    text = f"{', '.join(contract.grain)}: unique{''.join(f' within {day}' for day in within)}."
    return Rule("grain_unique", "grain_unique", text, _recovery(contract), "block", broken_rows=repeated)


def _column_rules(contract: Contract, column: Column) -> Iterator[Rule]:
    name, recovery = column.name, _recovery(contract)
    tolerated = AS_STAGED if recovery == AT_THE_MODEL and column.severity == "warn" else recovery
    if not column.nullable:
        text = f"{name} is never null."
        yield Rule(f"{name}_not_null", "not_null", text, recovery, "block", broken=lambda t: t[name].isnull())
    if column.accepted:
        text = f"{name} is one of {', '.join(column.accepted)}."
        yield Rule(
            f"{name}_accepted",
            "accepted_values" if column.severity == "block" else "usual_values",
            text,
            tolerated,
            column.severity,
            broken=lambda t: t[name].notnull() & ~t[name].isin(column.accepted),
        )
    if column.minimum is not None or column.maximum is not None:
        yield Rule(
            f"{name}_in_range",
            "in_range" if column.severity == "block" else "usual_range",
            f"{name} is {_range_text(column)}.",
            tolerated,
            column.severity,
            broken=lambda t: _out_of_range(t[name], column),
        )
    if column.references:
        other, key = column.references.split(".")

        def orphans(tables: Mapping[str, ir.Table]) -> ir.Table:
            rows, others = tables["self"], tables[other]
            return rows.filter(rows[name].notnull()).anti_join(others, rows[name] == others[key])

        text = f"Every {name} is in {column.references}."
        check = f"{name}_in_{other}"
        yield Rule(check, check, text, recovery, "block", broken_rows=orphans, tables=(other,))


def _range_text(column: Column) -> str:
    if column.maximum is None:
        return f"at least {column.minimum:g}"
    if column.minimum is None:
        return f"at most {column.maximum:g}"
    return f"{column.minimum:g} to {column.maximum:g}"


def _out_of_range(value: ir.NumericValue, column: Column) -> ir.BooleanValue:
    parts = []
    if column.minimum is not None:
        parts.append(value < column.minimum)
    if column.maximum is not None:
        parts.append(value > column.maximum)
    return ibis.or_(*parts)


def _not(holds: Callable[[ir.Table], ir.BooleanValue]) -> Callable[[ir.Table], ir.BooleanValue]:
    return lambda t: ~ibis.coalesce(holds(t), ibis.literal(False))
