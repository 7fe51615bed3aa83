"""Every operator of the conditions in YAML, on a value that passes, one that does not, and a missing one."""

from typing import Any

import ibis
import ibis.expr.types as ir
import pytest
from pydantic import ValidationError

from cx_intel.models.expressions.conditions import first_match, holds
from cx_intel.settings.health.conditions import Condition

SCHEMA = {"plan": "string", "country": "string", "employees": "int64", "products": "string", "is_vip": "boolean"}
ROWS: list[dict[str, Any]] = [
    {"plan": "growth", "country": "DE", "employees": 50, "products": "GPS|Logbook", "is_vip": True},
    {"plan": "starter", "country": "CH", "employees": 51, "products": "GPS Plus", "is_vip": False},
    {"plan": None, "country": None, "employees": None, "products": None, "is_vip": None},
]
ACCOUNTS: ir.Table = ibis.memtable(
    {name: [row[name] for row in ROWS] for name in SCHEMA}, schema=ibis.schema(SCHEMA)
).mutate(n=ibis.row_number().over(ibis.window()))


def passing(condition: dict[str, Any]) -> list[bool]:
    """For the growth account, the starter account, and the one of which nothing is known."""
    table = ibis.memtable(ROWS, schema=ibis.schema(SCHEMA))
    result = table.select("plan", holds=holds(Condition.model_validate(condition), table))
    found = {row["plan"]: row["holds"] for row in result.to_pyarrow().to_pylist()}
    return [found["growth"], found["starter"], found[None]]


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        ({"plan": "growth"}, [True, False, False]),
        ({"plan": {"equals": "growth"}}, [True, False, False]),
        ({"is_vip": True}, [True, False, False]),
        ({"is_vip": False}, [False, True, False]),
        ({"employees": 50}, [True, False, False]),
        ({"plan": {"not_equals": "growth"}}, [False, True, False]),
        ({"country": ["DE", "AT"]}, [True, False, False]),
        ({"country": {"one_of": ["CH"]}}, [False, True, False]),
        ({"employees": {"more_than": 50}}, [False, True, False]),
        ({"employees": {"at_least": 50}}, [True, True, False]),
        ({"employees": {"less_than": 51}}, [True, False, False]),
        ({"employees": {"at_most": 51}}, [True, True, False]),
        ({"employees": {"more_than": 49, "less_than": 51}}, [True, False, False]),
        ({"products": {"contains": "GPS"}}, [True, False, False]),
        ({"products": {"contains": "Logbook"}}, [True, False, False]),
        ({"plan": {"is_missing": True}}, [False, False, True]),
        ({"plan": {"is_missing": False}}, [True, True, False]),
        ({"plan": "growth", "country": "CH"}, [False, False, False]),
        ({"any_of": [{"plan": "growth"}, {"country": "CH"}]}, [True, True, False]),
        ({"none_of": [{"plan": "growth"}, {"country": "AT"}]}, [False, True, True]),
        ({"employees": {"at_least": 1}, "any_of": [{"country": "DE"}], "none_of": [{"is_vip": True}]}, [False] * 3),
        ({"any_of": [{"none_of": [{"plan": "growth"}]}]}, [False, True, True]),
    ],
)
def test_each_operator_and_a_missing_value_passes_none_but_its_own(condition: dict, expected: list[bool]) -> None:
    assert passing(condition) == expected


def test_a_field_that_is_not_there_is_named_with_those_that_are() -> None:
    with pytest.raises(KeyError, match=r"a condition names 'plann', which is not among .*employees.*plan"):
        holds(Condition.model_validate({"plann": "growth"}), ACCOUNTS)


def test_fields_may_be_expressions() -> None:
    condition = Condition.model_validate({"age": {"at_least": 2}})
    assert holds(condition, {"age": ibis.literal(1) + 1}).execute()


def test_the_fields_of_a_condition_include_nested_ones() -> None:
    nested = {"a": 1, "any_of": [{"b": 1}, {"none_of": [{"c": 1}]}], "none_of": [{"d": 1}]}
    assert Condition.model_validate(nested).fields() == {"a", "b", "c", "d"}


@pytest.mark.parametrize(
    ("condition", "message"),
    [
        ({}, "an empty condition"),
        ({"plan": {}}, "an empty test"),
        ({"plan": []}, "at least 1 item"),
        ({"plan": {"more_then": 5}}, "more_then"),
        ({"employees": {"more_than": "many"}}, "valid number"),
    ],
)
def test_a_condition_that_asks_nothing_or_what_nobody_knows_is_refused(condition: dict, message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        Condition.model_validate(condition)


def test_the_first_case_that_holds_decides() -> None:
    numbers = ibis.memtable({"x": [1, 5, 9]})
    named = numbers.select("x", name=first_match([(numbers.x > 8, "high"), (numbers.x > 4, "middle")], "low"))
    assert dict(named.execute().itertuples(index=False)) == {1: "low", 5: "middle", 9: "high"}


def test_without_cases_the_otherwise_is_left() -> None:
    assert first_match([], "other").execute() == "other"
    assert first_match([], ibis.literal(3)).execute() == 3
