"""The `churn_risk`, `renewals`, `playbooks` and `rollups` blocks: who may leave, when, and what is done about it.

Compiled in `cx_intel.models.health.risk`, `renewals`, `actions`, `outlook` and `rollups`. Definitions: Renewals in the metric
definitions.
"""

from pydantic import Field, model_validator

from cx_intel.settings.base import Settings
from cx_intel.settings.health.conditions import Condition

RISK_LEVELS = ("Critical", "High", "Medium", "Low")
"""Renewal risk, the worst first: their order is this, never the alphabet's."""


class ChurnRiskSettings(Settings):
    """Thresholds of the four churn signals of `churn_risk_view`."""

    low_health_below: float = Field(default=40, ge=0, le=100)
    critical_health_below: float = Field(default=20, ge=0, le=100)
    medium_health_below: float = Field(default=60, ge=0, le=100)
    usage_decline_below_pct: float = Field(default=50, gt=0, le=100)
    """Events of the last 30 days below this share (0 to 100) of the 30 days before."""
    escalated_tickets: int = Field(default=2, ge=1)
    """Escalated and unresolved tickets created in the last 90 days."""
    contraction_months: int = Field(default=2, ge=1, le=6)
    """Months with contraction in the 6 to the horizon."""


class RiskCase(Settings):
    """One line of the risk table: over the pipeline's columns, account attributes, signals and `risk_level`."""

    if_: Condition = Field(alias="if")
    risk: str

    @model_validator(mode="after")
    def _known(self) -> "RiskCase":
        if self.risk not in RISK_LEVELS:
            raise ValueError(f"risk is one of {', '.join(RISK_LEVELS)}, not {self.risk!r}")
        return self


class OutlookSettings(Settings):
    """The simulation behind the range of `nrr_outlook`."""

    draws: int = Field(default=10_000, ge=100, le=1_000_000)
    seed: int = Field(default=1, ge=0)


class RenewalSettings(Settings):
    """Renewal dates, their risk and what it is worth."""

    term_months: int = Field(default=12, ge=1, le=120)
    main_product: str | None = None
    """The product whose first contract sets the anniversary, where no renewal date is given."""
    risk: list[RiskCase] = Field(min_length=1)
    """First match wins; without a match, and for an unknown tier, the risk is Medium."""
    probability: dict[str, float]
    capacity_per_owner: int | None = Field(default=None, ge=1)
    """Accounts of the intervention list that one owner can take; default: all."""
    outlook: OutlookSettings = OutlookSettings()

    @model_validator(mode="after")
    def _all_levels(self) -> "RenewalSettings":
        if set(self.probability) != set(RISK_LEVELS):
            raise ValueError(f"probability: give one for each of {', '.join(RISK_LEVELS)}")
        if any(not 0 <= p <= 1 for p in self.probability.values()):
            raise ValueError("probability: each is 0 to 1")
        return self


class Playbook(Settings):
    """What to do: the first playbook whose risk and condition fit."""

    risk: str
    if_: Condition | None = Field(default=None, alias="if")
    action: str = Field(min_length=1)
    due_in_days: int = Field(ge=0)
    save_rate: float = Field(default=0, ge=0, le=1)
    """Share of the loss that the playbook is assumed to avert."""

    @model_validator(mode="after")
    def _known(self) -> "Playbook":
        if self.risk not in RISK_LEVELS:
            raise ValueError(f"risk is one of {', '.join(RISK_LEVELS)}, not {self.risk!r}")
        return self
