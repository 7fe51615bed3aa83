"""The examples on real files, table by table against the independent computation in `cx_intel_tests.reference`.

The files are other people's data and not part of the project: NOVACRM_DATA and FLEET_DATA name their folders, without
which these tests are skipped.
"""

from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from cx_intel_tests.helpers.refreshed_examples import Frames, Refreshed, folder_of
from cx_intel_tests.reference import fleet, novacrm

NOVACRM_DAY, FLEET_DAY = date(2025, 1, 31), date(2024, 12, 31)
CLOSE = 1e-6

WORKINGS = {"composite"}
"""What the reference shows beyond the specification."""

pytestmark = pytest.mark.slow

KEYS = {
    "dim_account": ["account_id"],
    "fct_revenue": ["account_id", "revenue_month"],
    "nrr_summary": ["revenue_month"],
    "nrr_by_segment": ["segment", "revenue_month"],
    "revenue_cohort_analysis": ["cohort_month", "segment", "months_since_start"],
    "fct_tickets": ["ticket_id"],
    "fct_usage": ["account_id", "event_date"],
    "sla_adherence": ["ticket_month", "dimension_type", "dimension_value"],
    "customer_health_scores": ["account_id"],
    "health_score_drivers": ["account_id", "signal"],
    "churn_risk_view": ["account_id"],
    "renewal_pipeline": ["account_id"],
    "cs_intervention_list": ["account_id"],
    "nrr_outlook": ["segment", "scenario"],
    "segment_health_summary": ["segment"],
    "country_health_summary": ["country"],
    "legacy_system_health_summary": ["legacy_system"],
}


def differences(found: pd.DataFrame, expected: pd.DataFrame, keys: list[str]) -> list[str]:
    """What differs between two tables of the same grain, in the columns that they share."""
    found, expected = (plain(frame).set_index(keys).sort_index() for frame in (found, expected))
    only = [
        f"only in {name}: {list(a.index.difference(b.index))[:5]}"
        for name, a, b in (
            ("the product", found, expected),
            ("the reference", expected, found),
        )
        if len(a.index.difference(b.index))
    ]
    if only:
        return only
    texts = []
    for column in (c for c in expected.columns if c in found.columns):
        left, right = found[column], expected[column].reindex(found.index)
        if pd.api.types.is_numeric_dtype(left) and pd.api.types.is_numeric_dtype(right):
            close = (left - right).abs() <= CLOSE * np.maximum(1.0, right.abs())
        else:
            close = left == right
        same = close | (left.isna() & right.isna())
        if not same.all():
            some = [(i, left[i], right[i]) for i in left.index[~same][:3]]
            texts.append(f"{column}: {int((~same).sum())} of {len(same)}, (key, product, reference): {some}")
    return texts


def plain(frame: pd.DataFrame) -> pd.DataFrame:
    """Days as timestamps, flags and amounts as numbers: each comparable whatever computed it."""
    changed = {}
    for name, values in frame.items():
        first = next(iter(values.dropna()), None)
        if isinstance(first, date):
            changed[name] = pd.to_datetime(values).astype("datetime64[us]")
        elif first is not None and not isinstance(first, str):
            changed[name] = values.astype("float64")
    return frame.assign(**changed)


def assert_all_tables_agree(found: Frames, expected: Frames) -> None:
    problems = {
        table: texts for table, frame in expected.items() if (texts := differences(found[table], frame, KEYS[table]))
    }
    assert problems == {}
    unknown = {t: set(frame.columns) - set(found[t].columns) - WORKINGS for t, frame in expected.items()}
    assert {t for t, columns in unknown.items() if columns} == set()


@pytest.mark.parametrize(
    "revenue",
    [
        {"basis": "invoices", "recognised_statuses": ["paid"]},
        {"basis": "invoices", "recognised_statuses": ["paid", "overdue"]},
        {"basis": "subscriptions", "recognised_statuses": ["paid", "overdue"]},
    ],
    ids=lambda r: "-".join([r["basis"], *r["recognised_statuses"]]),
)
def test_every_table_of_novacrm_equals_the_reference(revenue: dict[str, Any], tmp_path: Path) -> None:
    folder = folder_of("NOVACRM_DATA")
    refreshed = Refreshed("novacrm_csv", NOVACRM_DAY, tmp_path, revenue=revenue)
    assert (refreshed.outcome.succeeded, refreshed.outcome.failures) == (True, [])
    expected = novacrm.compute(folder, NOVACRM_DAY, revenue["basis"], revenue["recognised_statuses"])
    assert_all_tables_agree(refreshed.tables, expected)


@pytest.mark.parametrize("include_churned", [False, True])
def test_every_table_of_fleet_equals_the_reference(include_churned: bool, tmp_path: Path) -> None:
    folder = folder_of("FLEET_DATA")
    refreshed = Refreshed("fleet_csv", FLEET_DAY, tmp_path, include_churned=include_churned)
    assert (refreshed.outcome.succeeded, refreshed.outcome.failures) == (True, [])
    expected = fleet.compute(folder, FLEET_DAY, include_churned)
    outlook = refreshed.tables["nrr_outlook"]
    is_drawn = outlook["scenario"].str.startswith("simulated")
    assert_all_tables_agree(refreshed.tables | {"nrr_outlook": outlook[~is_drawn]}, expected)
    # the draws are the product's own: of all customers they lie around what is expected
    drawn = outlook[outlook["segment"] == "all"].set_index("scenario")["book_nrr_pct"]
    assert drawn["simulated_p10"] < drawn["expected_no_action"] < drawn["simulated_p90"]
    assert drawn["simulated_p50"] == pytest.approx(drawn["expected_no_action"], abs=1)


FAULTS: dict[str, Callable[[Frames], bool]] = {
    "five tickets are resolved after as_of": lambda t: (
        (t["stg_support_tickets"]["resolved_at"] > "2025-01-31 23:59:59.999999").sum() == 5
    ),
    "none of them is resolved yet": lambda t: t["fct_tickets"]["resolved_at"].max() < pd.Timestamp("2025-02-01"),
    "two subscriptions end before they start": lambda t: (
        (t["stg_subscriptions"]["end_date"] <= t["stg_subscriptions"]["start_date"]).sum() == 2
    ),
}


def test_the_faults_of_the_files_are_survived_and_reported(tmp_path: Path) -> None:
    folder = folder_of("NOVACRM_DATA")
    refreshed = Refreshed("novacrm_csv", NOVACRM_DAY, tmp_path)
    assert [text for text, holds in FAULTS.items() if not holds(refreshed.tables)] == []
    warned = {text.partition(" rows: ")[0].partition(". ")[0] for text in refreshed.outcome.warnings}
    expected = novacrm.compute(folder, NOVACRM_DAY)
    ledger = expected["fct_revenue"].query("revenue_month == revenue_month.max()").set_index("account_id")["mrr"]
    accounts = expected["dim_account"].set_index("account_id")["current_mrr"]
    differing = (accounts != ledger.reindex(accounts.index).fillna(0)).sum()
    assert warned == {
        "stg_subscriptions: start_before_end: 2 of 254",
        f"account_snapshot: contract_agrees_with_ledger: {differing} of 150",
        "backtest_results: no_suspicious_predictor: 2 of 516",
        "source_freshness: freshness_usage_events: The newest row of “Usage events” is of 30 Jan 2025, 1 day before 31 Jan 2025",
    }
