"""Staging compiles for every engine: over tables of text, as from files, and over typed ones.

Postgres and Snowflake get plain casts where the others get casts that give null; the patterns checked before
a cast leave them only days that no month has, such as 30 February, on which they stop.
"""

from datetime import date

import ibis
import ibis.expr.types as ir
import pytest
from ibis.common.exceptions import UnsupportedOperationError

from cx_intel.contracts.catalog import contract_of, tables_of
from cx_intel.contracts.delivered import delivered_columns
from cx_intel.contracts.staging.tables import STAGING
from cx_intel.models.staging import tables as staging
from cx_intel.settings.portfolio import Portfolio
from cx_intel_tests.helpers.builders import portfolio, shipped
from cx_intel_tests.helpers.engines import ENGINES, to_sql
from cx_intel_tests.helpers.staged_rows import WITHOUT_ACCOUNT

pytestmark = pytest.mark.slow  # seven engines

AS_OF = date(2025, 1, 31)
BOOK = portfolio(
    [table for table in STAGING if table not in ("accounts", "subscriptions")],
    currency={"reporting": "EUR", "rates": {"CHF": 1.05}},
)
BERLIN = BOOK.model_copy(update={"time_zone": "Europe/Berlin"})
TEXT = [engine for engine in ENGINES if engine != "clickhouse"]
MARKS = {"_source_file": "string", "_row_number": "int64", "_raw_row": "string", "_reject": "string"}


def model(table: str, *, is_text: bool, book: Portfolio = BOOK) -> ir.Table:
    contract = STAGING[table](book)
    columns = {c.name: "string" if is_text else c.type for c in delivered_columns(contract)}
    raw = ibis.table(columns | (MARKS if is_text else {}), name=f"raw_{table}")
    accounts = ibis.table(STAGING["accounts"](book).schema(), name="stg_accounts")
    read = (raw,) if table in WITHOUT_ACCOUNT else (raw, accounts)
    if table not in ("account_aliases", "identity_links", "ticket_status_history"):
        read = (*read, ibis.table(STAGING["account_aliases"](book).schema(), name="stg_account_aliases"))
    return getattr(staging, f"stg_{table}")(*read, portfolio=book, as_of=AS_OF)


@pytest.mark.parametrize("table", list(STAGING))
@pytest.mark.parametrize("engine", TEXT)
def test_text_rows(engine: str, table: str) -> None:
    assert f"raw_{table}" in to_sql(model(table, is_text=True), engine)


@pytest.mark.parametrize("table", [table for table in STAGING if table not in ("account_aliases", "identity_links")])
def test_clickhouse_lacks_what_times_of_text_need(table: str) -> None:
    """Ibis has no intervals below a second there, which milliseconds since the epoch need."""
    with pytest.raises(UnsupportedOperationError, match="subsecond"):
        to_sql(model(table, is_text=True), "clickhouse")


@pytest.mark.parametrize("table", ["account_aliases", "accounts", "subscriptions", "usage_events", "support_tickets"])
@pytest.mark.parametrize("engine", ENGINES)
def test_typed_rows(engine: str, table: str) -> None:
    assert f"raw_{table}" in to_sql(model(table, is_text=False), engine)


@pytest.mark.parametrize("engine", ENGINES)
def test_days_of_a_zone(engine: str) -> None:
    assert "2037" in to_sql(model("usage_events", is_text=False, book=BERLIN), engine)


@pytest.mark.parametrize("name", ["novacrm", "fleet"])
@pytest.mark.parametrize("engine", ENGINES)
def test_tables_without_a_row(engine: str, name: str) -> None:
    """What a model gets for a table that a portfolio has not."""
    book = shipped(name)
    for table in tables_of(book):
        contract = contract_of(table, book)
        text = to_sql(contract.no_rows(), engine)
        assert "FALSE" in text
        assert all(column in text for column in contract.column_names)
