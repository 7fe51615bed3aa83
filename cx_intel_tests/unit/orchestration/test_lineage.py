"""Which columns a column comes from, worked by hand."""

import ibis

from cx_intel.orchestration.assets.lineage import column_sources

ACCOUNTS = ibis.table({"account_id": "string", "name": "string", "segment": "string"}, name="accounts")
ORDERS = ibis.table({"account_id": "string", "amount": "float64", "paid": "float64"}, name="orders")


def test_columns_kept_renamed_and_computed() -> None:
    rows = ORDERS.select("account_id", sum=ORDERS.amount).mutate(double=ibis._["sum"] * 2, one=ibis.literal(1))
    assert column_sources(rows, {"orders"}) == {
        "account_id": [("orders", "account_id")],
        "sum": [("orders", "amount")],
        "double": [("orders", "amount")],
    }


def test_joins_groups_windows_and_unions() -> None:
    open_amounts = ORDERS.group_by("account_id").agg(open=(ORDERS.amount - ORDERS.paid).sum())
    joined = ACCOUNTS.left_join(open_amounts, "account_id").drop("account_id_right")
    ranked = joined.mutate(place=ibis.rank().over(group_by="segment", order_by=joined.open))
    found = column_sources(ranked.union(ranked.filter(ranked.open > 5)), {"accounts", "orders"})
    assert found["open"] == [("orders", "amount"), ("orders", "paid")]
    assert found["place"] == [("accounts", "segment"), ("orders", "amount"), ("orders", "paid")]
    assert found["name"] == [("accounts", "name")]


def test_tables_that_are_not_asked_for_are_left_out() -> None:
    joined = ACCOUNTS.join(ORDERS, "account_id")
    assert column_sources(joined.select("name", "amount"), {"accounts"}) == {"name": [("accounts", "name")]}
