"""Identity compiles for every engine: the map, ids without an account, accounts and rows under the accounts of their ids."""

from datetime import date
from functools import cache

import ibis
import ibis.expr.types as ir
import pytest

from cx_intel.contracts.catalog import contract_of
from cx_intel.models.identity.identity_map import identity_map
from cx_intel.models.identity.unmatched import unmatched_accounts
from cx_intel.models.staging.tables import stg_accounts, stg_identity_links, stg_nps_responses
from cx_intel_tests.helpers.engines import ENGINES, to_sql
from cx_intel_tests.helpers.identity_loads import BOOK, DELIVERED

pytestmark = pytest.mark.slow  # seven engines

AS_OF = date(2025, 1, 31)


def table(name: str) -> ir.Table:
    """A table of its contract; raw ones in the types of what is staged of them."""
    return ibis.table(contract_of(name.replace("raw_", "stg_"), BOOK).schema(), name=name)


@cache
def models() -> dict[str, ir.Table]:
    at = {"portfolio": BOOK, "as_of": AS_OF}
    raw = [table(f"raw_{name}") for name in DELIVERED]
    links, accounts, aliases = (table(n) for n in ("stg_identity_links", "raw_accounts", "stg_account_aliases"))
    known = table("identity_map")
    history = table("account_history")
    return {
        "stg_identity_links": stg_identity_links(table("raw_identity_links"), **at),
        "identity_map": identity_map(links, accounts, aliases, *raw, **at, previous=known),
        "unmatched_accounts": unmatched_accounts(known, table("account_snapshot"), *raw, **at),
        "stg_accounts": stg_accounts(accounts, aliases, known, **at, remembered=history),
        "stg_nps_responses": stg_nps_responses(table("raw_nps_responses"), table("stg_accounts"), aliases, known, **at),
    }


@pytest.mark.parametrize("name", list(models()))
@pytest.mark.parametrize("engine", ENGINES)
def test_every_model_compiles(engine: str, name: str) -> None:
    assert to_sql(models()[name], engine)
    assert models()[name].schema() == contract_of(name, BOOK).schema()
