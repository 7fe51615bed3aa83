"""The check that a health model which was changed has a new version.

Scores of two days are told apart as the customers' doing or the model's by the version alone. What the model was like is
remembered for each day that was scored; the settings themselves are in `cx_intel.settings.health.model`.
"""

import hashlib
import json
from collections.abc import Sequence
from datetime import date
from typing import Any

import dagster as dg

from cx_intel.contracts.contract import Contract
from cx_intel.orchestration.checks.contract_checks import Finding
from cx_intel.orchestration.checks.rules import Rule
from cx_intel.settings.portfolio import Portfolio
from cx_intel.warehouse.protocol import Warehouse

CHECK = "changed_model_has_a_new_version"
SCORES = "customer_health_scores"
REMEMBERED = "health_model"
"""Stands for a table where it is remembered what the scores of a day were made with."""
WORDS_ONLY = {"version", "label", "unit"}
"""Settings that change no score."""
TEXT = "The health model is as it was when the snapshot before was made, or health.version tells that it is another."
RECOVERY = (
    "Weights, curves, signals or tiers differ from those of the snapshot before, and health.version does not: what the "
    "change does to scores is told as the customers' doing. Give health.version a new value and refresh the day again."
)


def version_specs(contract: Contract, key: dg.AssetKey) -> list[dg.AssetCheckSpec]:
    """The spec of the check, for the health scores; none for other tables."""
    return [dg.AssetCheckSpec(CHECK, asset=key, description=TEXT)] if contract.table == SCORES else []


def made_with(portfolio: Portfolio) -> str:
    """The versions and a fingerprint of what decides about scores, as `versions|fingerprint`."""
    assert portfolio.health is not None
    versions = ",".join(model.version for model in portfolio.health.all_models())
    settings = json.dumps(_without_words(portfolio.health.model_dump(mode="json")), sort_keys=True)
    return f"{versions}|{hashlib.sha256(settings.encode()).hexdigest()[:16]}"


def _without_words(value: Any) -> Any:
    if isinstance(value, dict):
        return {k: _without_words(v) for k, v in value.items() if k not in WORDS_ONLY}
    return [_without_words(v) for v in value] if isinstance(value, list) else value


def model_version(
    contract: Contract, days: Sequence[date], portfolio: Portfolio, warehouse: Warehouse
) -> list[Finding]:
    """What the check finds; nothing for other tables than the scores.

    Args:
        contract: The table's contract.
        days: The snapshots of the run; they are compared with the newest one before them.
        portfolio: Its settings.
        warehouse: What remembers them.
    """
    if contract.table != SCORES:
        return []
    known = warehouse.day_state(REMEMBERED)
    before = max((day for day in known if day < min(days)), default=None)
    now = made_with(portfolio)
    is_silent = before is not None and known[before] != now and known[before].split("|")[0] == now.split("|")[0]
    return [Finding(Rule(CHECK, CHECK, TEXT, RECOVERY, "warn"), int(is_silent), 1, None)]


def remember_model(contract: Contract, days: Sequence[date], portfolio: Portfolio, warehouse: Warehouse) -> None:
    """Remembers for the check of later days what the scores of these days are made with, once nothing stops them."""
    if contract.table == SCORES:
        warehouse.remember(REMEMBERED, dict.fromkeys(days, made_with(portfolio)))
