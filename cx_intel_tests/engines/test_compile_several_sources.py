"""What several sources deliver of one table is brought together on every engine."""

from datetime import date

import ibis
import pytest

from cx_intel.contracts.catalog import contract_of
from cx_intel.contracts.delivered import narrowed
from cx_intel.models.staging.rows import MARKS
from cx_intel.models.staging.several_sources import (
    SourceRows,
    account_conflicts,
    joined_accounts,
    united,
    with_additions,
)
from cx_intel_tests.helpers.engines import ENGINES, to_sql
from cx_intel_tests.helpers.identity_loads import BOOK

pytestmark = pytest.mark.slow  # seven engines


def parts(table: str) -> list[SourceRows]:
    schema = ibis.schema({**contract_of(f"stg_{table}", BOOK).schema(), **MARKS})
    return [
        SourceRows(name, ibis.table(schema, name=f"of_{name}"), ("owner",) if name == "b" else ()) for name in "abc"
    ]


@pytest.mark.parametrize("table", ["subscriptions", "invoices", "mrr_history", "metrics", "usage_events"])
@pytest.mark.parametrize("engine", ENGINES)
def test_rows_beside_each_other(engine: str, table: str) -> None:
    apart, conflicts = united(parts(table), contract_of(f"stg_{table}", BOOK))
    assert all(f"of_{part.name}" in to_sql(part.rows, engine) for part in apart)
    assert conflicts is None or to_sql(conflicts, engine)


@pytest.mark.parametrize("engine", ENGINES)
def test_columns_added_to_contracts_of_others(engine: str) -> None:
    contract, owned = contract_of("stg_subscriptions", BOOK), ("renewal_date",)
    schema = ibis.schema({**narrowed(contract, owned).schema(), **MARKS})
    crm = SourceRows("crm", ibis.table(schema, name="of_crm"), owned)
    rows, conflicts = with_additions(parts("subscriptions"), [crm], contract)
    assert conflicts is not None
    assert all("of_crm" in to_sql(made, engine) for made in (rows, conflicts))


@pytest.mark.parametrize("engine", ENGINES)
def test_accounts_joined_column_by_column(engine: str) -> None:
    contract = contract_of("stg_accounts", BOOK)
    assert to_sql(joined_accounts(parts("accounts"), contract, BOOK, date(2025, 1, 31)), engine)
    assert to_sql(account_conflicts(parts("accounts"), contract, BOOK), engine)
