"""What a cursor of a source may be, and where it cannot be."""

from datetime import timedelta
from typing import Any

import pytest
from pydantic import ValidationError

from cx_intel.contracts.delivered import delivered_columns
from cx_intel.contracts.staging.tables import STAGING
from cx_intel.settings.sources.cursor import ROW_KEYS
from cx_intel.settings.sources.sql import SqlSource
from cx_intel_tests.helpers.builders import portfolio


def source(**settings: Any) -> SqlSource:
    given = {"kind": "sql", "table": "usage_events", "connection": "${THERE}", "query": "SELECT 1", **settings}
    return SqlSource.model_validate(given)


def test_a_column_alone_is_a_cursor() -> None:
    cursor = source(cursor="updated_at").cursor
    assert cursor is not None
    assert (cursor.column, cursor.key_of("usage_events"), cursor.duration) == (
        "updated_at",
        ("event_id",),
        timedelta(days=3),
    )


def test_a_key_may_be_one_column() -> None:
    found = source(table="subscriptions", cursor={"column": "updated_at", "key": "subscription_id"}).cursor
    assert found is not None
    assert found.key_of("subscriptions") == ("subscription_id",)


@pytest.mark.parametrize(
    ("look_back", "meant"),
    [
        ("6 hours", timedelta(hours=6)),
        ("1 day", timedelta(days=1)),
        ("90 minutes", timedelta(minutes=90)),
        (1000, None),
    ],
)
def test_look_backs(look_back: str | int, meant: timedelta | None) -> None:
    cursor = source(cursor={"column": "updated_at", "look_back": look_back}).cursor
    assert cursor is not None
    assert cursor.duration == meant


def test_what_is_gone_is_missing_only_where_a_cursor_tells_of_it() -> None:
    assert source().delivers_all
    assert not source(cursor="updated_at").delivers_all
    assert source(cursor={"column": "updated_at", "deleted": "is_deleted"}).delivers_all
    assert not source(cursor={"column": "updated_at", "deleted": "is_deleted"}, delivers="changes").delivers_all


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"cursor": {"column": "u", "look_back": "a while"}}, "is a number of days, hours or minutes"),
        ({"cursor": {"column": "u", "look_back": -1}}, "is at least 0"),
        ({"cursor": {"column": "u", "key": "account_id"}}, "needs event_id too: rows of usage_events differ in it"),
        ({"cursor": "u", "key": ["account_id", "event_id"]}, "needs account_id too"),
        ({"table": "subscriptions", "cursor": "u"}, "needs a `key`, as subscriptions may have several rows of one id"),
        ({"connection": None, "files": {"a": "a.csv"}, "cursor": "u"}, "is of a query that runs at a `connection`"),
        ({"tables": {"t": {"name": "t", "columns": {"a": "a"}}}, "cursor": "u"}, "files and `tables` are read whole"),
        ({"delivers": "all", "cursor": "u"}, "needs `deleted` under `cursor`"),
    ],
)
def test_cursors_that_cannot_be(settings: dict[str, Any], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        source(**settings)


def test_the_keys_of_rows_are_those_of_their_contracts() -> None:
    """A table has a key by default where its contract has no further rows of it."""
    found = {}
    for table, contract_of in STAGING.items():
        contract = contract_of(portfolio())
        delivered = {column.name for column in delivered_columns(contract)}
        if set(contract.grain) <= delivered:
            found[table] = contract.grain
    assert found == ROW_KEYS
