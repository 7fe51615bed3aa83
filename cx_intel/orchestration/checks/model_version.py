"""The check that a health model which was changed has a new version.

Scores of two days are told apart as the customers' doing or the model's by the version alone. What the model was like is
remembered for each day that was scored; the settings themselves are in `cx_intel.settings.health.model`.
"""

import hashlib
import json
from collections.abc import Sequence
from typing import Any

import dagster as dg

from cx_intel.orchestration.checks.check import Check, CheckContext, RuleResult
from cx_intel.orchestration.checks.rules import Rule
from cx_intel.settings.portfolio import Portfolio

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


class ModelVersion(Check):
    """A model that changed has a new version."""

    def specs(self, key: dg.AssetKey) -> Sequence[dg.AssetCheckSpec]:
        return [dg.AssetCheckSpec(CHECK, asset=key, description=TEXT)] if self.contract.table == SCORES else []

    def run(self, context: CheckContext) -> list[RuleResult]:
        """The snapshots of the run are compared with the newest one before them."""
        if self.contract.table != SCORES:
            return []
        known = context.warehouse.day_state(REMEMBERED, apart_from=context.days)
        before = max((day for day in known if day < min(context.days)), default=None)
        now = made_with(self.portfolio)
        is_silent = before is not None and known[before] != now and known[before].split("|")[0] == now.split("|")[0]
        return [RuleResult(Rule(CHECK, CHECK, TEXT, RECOVERY, "warn"), int(is_silent), 1)]

    def remember(self, context: CheckContext) -> None:
        if self.contract.table == SCORES:
            context.warehouse.remember(REMEMBERED, dict.fromkeys(context.days, made_with(self.portfolio)))


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
