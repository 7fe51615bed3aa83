"""The assets and checks of the shipped portfolios, as they are known to those who watch and read them."""

from functools import cache

import dagster as dg
import pytest
from dagster._core.definitions.assets.graph.asset_graph import AssetGraph

from cx_intel.orchestration.build import build_definitions
from cx_intel.settings.environment import read_environment

RAW = {
    "novacrm": {"accounts", "subscriptions", "invoices", "usage_events", "support_tickets", "contacts"},
    "fleet": {
        "accounts",
        "subscriptions",
        "mrr_history",
        "usage_events",
        "support_tickets",
        "nps_responses",
        "csm_activities",
        "contacts",
    },
}
CORE = {
    "account_history",
    "account_snapshot",
    "dim_account",
    "dim_contact",
    "dim_date",
    "dim_product",
    "fct_usage",
    "quarantine",
}
REVENUE = {
    "revenue_ledger",
    "restatements",
    "mrr_delivery",
    "fct_revenue",
    "fct_revenue_intra_month",
    "nrr_summary",
    "nrr_by_segment",
    "revenue_cohort_analysis",
}
SUPPORT = {"fct_tickets", "sla_adherence"}
HEALTH = {
    "account_signals",
    "health_score_drivers",
    "customer_health_scores",
    "health_score_changes",
    "health_score_change_drivers",
}
RENEWALS = {"renewal_pipeline", "cs_intervention_list", "nrr_outlook", "lifecycle_events", "parent_rollup"}
OWN = {
    "novacrm": {
        "mrr_reconciliation",
        "churn_risk_view",
        "segment_health_summary",
        "country_health_summary",
        "owner_health_summary",
    },
    "fleet": {
        "segment_health_summary",
        "country_health_summary",
        "owner_health_summary",
        "legacy_system_health_summary",
    },
}
PORTFOLIOS = ("novacrm", "fleet")


@cache
def graph(name: str) -> AssetGraph:
    return build_definitions(read_environment({}), only=[name]).resolve_asset_graph()


def tables(name: str) -> set[str]:
    """The tables; what is made of them, such as reports, left out."""
    asset_graph = graph(name)
    keys = asset_graph.get_all_asset_keys()
    return {k.path[-1] for k in keys if asset_graph.get(k).tags.get("layer") not in ("reports", "exports")}


def checks(name: str, table: str) -> set[str]:
    keys = graph(name).get_check_keys_for_assets({dg.AssetKey([name, table])})
    return {key.name for key in keys}


@pytest.mark.parametrize("name", PORTFOLIOS)
def test_the_tables_of_a_portfolio(name: str) -> None:
    sources = {f"{layer}_{table}" for table in RAW[name] for layer in ("raw", "stg")}
    expected = sources | CORE | REVENUE | SUPPORT | HEALTH | RENEWALS | OWN[name]
    assert tables(name) >= expected
    assert {t for t in tables(name) - expected if t.startswith(("raw_", "stg_", "dim_", "fct_"))} == set()


@pytest.mark.parametrize(
    ("table", "expected"),
    [
        (
            "stg_subscriptions",
            {"grain_unique", "not_null", "in_range", "account_id_in_stg_accounts", "start_before_end"}
            | {"accepted_values", "amount_is_stated", "quarantined_share"},
        ),
        ("dim_date", {"grain_unique", "not_null", "in_range"}),
        (
            "fct_revenue",
            {"grain_unique", "not_null", "in_range", "accepted_values", "account_id_in_account_history"}
            | {"movement_agrees", "net_is_difference", "expansion_only_when_expanding", "credit_is_applied"}
            | {"no_month_is_credited_whole", "no_month_is_ten_times_usual"},
        ),
        (
            "nrr_summary",
            {"grain_unique", "not_null", "in_range", "waterfall_ties", "grr_at_most_nrr"}
            | {"starts_where_it_ended", "ledger_sums_to_ending", "newest_month_is_delivered"},
        ),
        (
            "nrr_by_segment",
            {"grain_unique", "not_null", "in_range", "waterfall_ties", "grr_at_most_nrr"}
            | {"starts_where_it_ended", "segments_sum_to_total"},
        ),
        (
            "sla_adherence",
            {"grain_unique", "not_null", "accepted_values", "in_range", "resolved_splits"}
            | {"total_splits", "resolved_are_judged"},
        ),
    ],
)
@pytest.mark.parametrize("name", PORTFOLIOS)
def test_the_checks_of_a_table(name: str, table: str, expected: set[str]) -> None:
    # the source of fleet is in another zone than the portfolio, where an end at 23:59 lies on the next day
    of_ends = {"ends_are_days"} if (name, table) == ("novacrm", "stg_subscriptions") else set()
    of_amounts = {"amounts_in_currency", "amount_is_units_times_price"} if table == "stg_subscriptions" else set()
    assert checks(name, table) == expected | of_ends | of_amounts


@pytest.mark.parametrize("name", PORTFOLIOS)
def test_every_table_but_a_raw_one_is_checked_for_its_grain(name: str) -> None:
    judged = {t for t in tables(name) if not t.startswith("raw_")}
    assert {t for t in judged if "grain_unique" not in checks(name, t)} <= tables(name) - CORE - REVENUE - HEALTH
    staged = {t for t in judged if t.startswith("stg_")}
    assert {t for t in staged if "quarantined_share" not in checks(name, t)} == set()


@pytest.mark.parametrize("name", PORTFOLIOS)
def test_keys_groups_kinds_owners_and_tags_follow_one_scheme(name: str) -> None:
    for key in graph(name).get_all_asset_keys():
        node = graph(name).get(key)
        assert key.path[0] == name
        assert len(key.path) == 2
        assert (node.group_name or "").startswith(f"{name}_")
        assert node.owners == ["team:customer-intelligence"]
        assert node.tags["portfolio"] == name
        assert node.description


def test_portfolios_do_not_depend_on_each_other() -> None:
    together = build_definitions(read_environment({})).resolve_asset_graph()
    for key in together.get_all_asset_keys():
        assert {parent.path[0] for parent in together.get(key).parent_keys} <= {key.path[0]}
