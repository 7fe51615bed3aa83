"""A brief's tables: a calm week, changes of scores and tiers, results of checks."""

from collections.abc import Callable, Iterable, Mapping
from datetime import date
from typing import Any

import pandas as pd

from cx_intel.reports.brief.weekly_brief import Brief
from cx_intel_tests.helpers.builders import AS_OF
from cx_intel_tests.helpers.report_tables import WEEK_BEFORE, accounts_of, outlook

Tables = Mapping[str, Iterable[Mapping[str, Any]]]
Make = Callable[..., Brief]
RATES = {
    "all_renew": 100.0,
    "expected_no_action": 95.96,
    "expected_with_playbooks": 96.91,
    "worst_case": 93.82,
    "simulated_p10": 94.2,
    "simulated_p90": 97.6,
}


def results_of_checks(broken: Mapping[str, bool]) -> pd.DataFrame:
    same = {"table_name": "dim_account", "failed_rows": 1, "total_rows": 2, "rule": "r"}
    same |= {"what_to_do": "w", "as_of": AS_OF, "checked_at": pd.Timestamp("2025-02-01")}
    checks = [{"check_name": "ok", "passed": True, "severity": "block"}]
    checks += [
        {"check_name": name, "passed": False, "severity": "block" if blocks else "warn"}
        for name, blocks in broken.items()
    ]
    return pd.DataFrame([same | check for check in checks])


def change(account: str, before: float, after: float, tiers: tuple[str, str]) -> dict[str, Any]:
    return {
        "account_id": account,
        "as_of": AS_OF,
        "compared_as_of": WEEK_BEFORE,
        "health_score_change": after - before,
        "score_from": before,
        "score_to": after,
        "tier_from": tiers[0],
        "tier_to": tiers[1],
        "model_version_from": "novacrm-1",
        "model_version_to": "novacrm-1",
    }


def event(account: str, before: str, after: str, day: date = AS_OF) -> dict[str, Any]:
    return {
        "event_id": f"{account}{day}",
        "as_of": day,
        "account_id": account,
        "event_type": "tier_change",
        "from_value": before,
        "to_value": after,
        "reason": "",
    }


NAMES = ("Ada", "Berta", "Cora")
CALM = {
    "account_snapshot": [*accounts_of(NAMES), *accounts_of(NAMES, WEEK_BEFORE, mrr=90)],
    "nrr_outlook": outlook(**RATES),
}
