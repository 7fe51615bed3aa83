"""Two days of a small book, scored by the models, and what made its scores move.

Values and attributes are said by account; the settings of the two days may differ. Which days are compared is tested with
`health_score_changes` itself.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any

import ibis
import ibis.expr.types as ir

from cx_intel.contracts.health.drivers import account_signals as signals_contract
from cx_intel.contracts.health.scores import customer_health_scores as scores_contract
from cx_intel.models.health.changes import health_score_change_drivers, health_score_changes
from cx_intel.models.health.drivers import health_score_drivers
from cx_intel.models.health.scores import customer_health_scores
from cx_intel.settings.portfolio import Portfolio
from cx_intel_tests.helpers.builders import AS_OF, accounts, kept, rows, values

YESTERDAY = date(2025, 1, 30)
Values = Mapping[str, float | None]


@dataclass(frozen=True)
class Day:
    """What is known of a day: the values of each account, its attributes, and the settings."""

    portfolio: Portfolio
    values: Mapping[str, Values]
    attributes: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)

    def tables(self, as_of: date) -> dict[str, ir.Table]:
        given = [
            {"as_of": as_of, "account_id": account, "signal": name, "value": value, "is_stale": False}
            for account, by_signal in self.values.items()
            for name, value in by_signal.items()
        ]
        signals = rows(signals_contract(self.portfolio), given)
        owned = [{"account_id": a} | dict(self.attributes.get(a, {})) for a in self.values]
        snapshot = accounts(self.portfolio, owned, as_of)
        day: dict[str, Any] = {"portfolio": self.portfolio, "as_of": as_of}
        drivers = kept(health_score_drivers(signals, snapshot, **day))
        none_before = rows(scores_contract(self.portfolio), [])
        scores = kept(customer_health_scores(drivers, snapshot, **day, previous=none_before))
        return {"signals": signals, "snapshot": snapshot, "drivers": drivers, "scores": scores}


def compared(then: Day, now: Day, settings: Portfolio | None = None) -> tuple[ir.Table, ir.Table]:
    """health_score_changes and health_score_change_drivers of the two days, made with the settings of now or others."""
    day: dict[str, Any] = {"portfolio": settings or now.portfolio, "as_of": AS_OF}
    before, after = then.tables(YESTERDAY), now.tables(AS_OF)
    both = {name: _united(before[name], after[name]) for name in before}
    changes = kept(health_score_changes(both["scores"], **day))
    drivers = health_score_change_drivers(changes, both["drivers"], both["signals"], both["snapshot"], **day)
    return changes, kept(drivers)


def _united(before: ir.Table, after: ir.Table) -> ir.Table:
    """The rows of both days with the columns of now, as a table kept over a change of settings has them."""
    missing = {c: ibis.null(kind) for c, kind in after.schema().items() if c not in before.columns}
    return ibis.union(before.mutate(**missing).select(*after.columns), after)


def causes(then: Day, now: Day, account: str = "A", settings: Portfolio | None = None) -> dict[tuple[str, str], float]:
    """Cause and signal: the points that it moved the score of the account."""
    _, drivers = compared(then, now, settings)
    found = values(drivers, "points_change", by=("account_id", "cause", "signal"))
    return {key[1:]: points for key, points in found.items() if key[0] == account}
