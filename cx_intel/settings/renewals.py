"""The `churn_risk`, `renewals`, `playbooks` and `rollups` blocks: who may leave, when, and what is done about it.

Compiled in `cx_intel.models.health.risk`, `renewals`, `actions`, `outlook` and `rollups`. Definitions: Renewals in the metric
definitions.
"""

from datetime import date
from typing import Literal

from pydantic import Field, model_validator

from cx_intel.settings.base import Settings
from cx_intel.settings.health.conditions import Condition
from cx_intel.settings.labels import Label

DEFAULT_TERM_MONTHS = 12
DEFAULT_KEEP_OVERDUE_DAYS = 30
DEFAULT_DUE_AGAIN_DAYS = 30
LOSS, SAVED_PER_HOUR = "loss", "saved_per_hour"
RANKINGS = (LOSS, SAVED_PER_HOUR)
"""What the intervention list may be ranked by."""

CANCELLED = "Cancelled"
"""The risk of an account whose contracts all have an announced end: it needs no rule, and is lost for certain."""
RULED_RISKS = ("Critical", "High", "Medium", "Low")
"""The renewal risks that the rules of a portfolio may give, the worst first."""
RISK_LEVELS = (CANCELLED, *RULED_RISKS)
"""Every renewal risk, the worst first: their order is this, never the alphabet's."""
LEARNED = "learned"
"""Asks for the probability of renewal that is learnt from past renewals."""
WIN_BACK = {
    "risk": CANCELLED,
    "action": "Win-back call",
    "label": {"en": "Win-back call", "de": "Rückgewinnungsgespräch"},
    "due_in_days": 3,
}
"""The playbook of cancelled accounts where the portfolio gives none."""


class ChurnRiskSettings(Settings):
    """Thresholds of the four churn signals of `churn_risk_view`."""

    low_health_below: float = Field(default=40, ge=0, le=100)
    """Below this score health counts as low, and the risk is high."""
    critical_health_below: float = Field(default=20, ge=0, le=100)
    """Below this score the risk is critical."""
    medium_health_below: float = Field(default=60, ge=0, le=100)
    """Below this score the risk is medium."""
    usage_decline_below_pct: float = Field(default=50, gt=0, le=100)
    """Events of the last 30 days below this share (0 to 100) of the 30 days before."""
    escalated_tickets: int = Field(default=2, ge=1)
    """Escalated and unresolved tickets created in the last 90 days."""
    contraction_months: int = Field(default=2, ge=1, le=6)
    """Months with contraction in the 6 to the horizon."""


class RiskCase(Settings):
    """One line of the risk table: over the pipeline's columns, account attributes, signals and `risk_level`."""

    if_: Condition = Field(alias="if")
    """The condition."""
    risk: str
    """Critical, High, Medium or Low where it holds."""

    @model_validator(mode="after")
    def _known(self) -> "RiskCase":
        if self.risk == CANCELLED:
            raise ValueError(f"{CANCELLED} follows from announced ends and needs no rule; leave it out")
        if self.risk not in RULED_RISKS:
            raise ValueError(f"risk is one of {', '.join(RULED_RISKS)}, not {self.risk!r}")
        return self


class OutlookSettings(Settings):
    """The simulation behind the range of `nrr_outlook`."""

    draws: int = Field(default=10_000, ge=100, le=1_000_000)
    """Simulations that the range is taken from."""
    seed: int = Field(default=1, ge=0)
    """The same seed gives the same range."""


class HoldOutSettings(Settings):
    """Accounts of the intervention list that are left without a call, drawn by lot, so that one sees whether calls help.

    An account is drawn when it is first at risk within the window, and stays what it was drawn for good: another share or
    key is for accounts that come later.
    """

    share_pct: float = Field(ge=0, le=50)
    """Of the accounts, 0 to 50 %. With 0 nobody more is drawn; those that are held out already stay so."""
    key: str = Field(default="cx_intel", min_length=1)
    """Together with the account's id it decides; leave it as it is."""
    up_to_arr: float | None = Field(default=None, gt=0)
    """Accounts with more ARR than this when they would be drawn are always called and are not compared. Default: none."""
    ended_on: date | None = None
    """The last day on which anybody is held out; renewals after it are not compared. Default: it goes on."""


class RenewalSettings(Settings):
    """Renewal dates, their risk and what it is worth."""

    term_months: int = Field(default=DEFAULT_TERM_MONTHS, ge=1, le=120)
    """Length of a term, of contracts that do not state their own."""
    keep_overdue_days: int = Field(default=DEFAULT_KEEP_OVERDUE_DAYS, ge=0, le=365)
    """How long a renewal date that has passed stays where it is, as overdue, before it rolls to the next term.

    It rolls at once when a contract began since. A term that ended without a successor stays as long."""
    main_product: str | None = None
    """The product whose first contract sets the anniversary, where no renewal date is given."""
    risk: list[RiskCase] = Field(min_length=1)
    """First match wins; without a match, and for an unknown tier, the risk is Medium."""
    probability: dict[str, float]
    """Of renewal, by risk: 0 to 1. A cancelled account's is 0 and is not given."""
    probability_from: Literal["map", "learned"] = "map"
    """map: `probability` as it stands. learned: what is learnt from past renewals, once at least 20 accounts that did not
    renew are known in the months that teach and in those that judge, and it was better than the map on the latter; the map
    until then, told. Needs `pip install 'cx-intel[learn]'`."""
    capacity_per_owner: int | None = Field(default=None, ge=1)
    """Accounts of the intervention list that one owner can take; default: all."""
    due_again_days: int = Field(default=DEFAULT_DUE_AGAIN_DAYS, ge=1, le=365)
    """How long an entry of the intervention list that is done stays off it, if the renewal is then still at risk."""
    hold_out: HoldOutSettings | None = None
    """Who is left without a call to see whether calls help. Default: nobody."""
    ranked_by: Literal["loss", "saved_per_hour"] = "loss"
    """Order of the intervention list: by expected loss, or by the ARR that an hour of the owner is expected to save.

    The latter needs a `hold_out` with enough renewals decided; until then the order is that of the loss."""
    outlook: OutlookSettings = OutlookSettings()

    @model_validator(mode="after")
    def _saved_is_measured(self) -> "RenewalSettings":
        if self.ranked_by == SAVED_PER_HOUR and self.hold_out is None:
            raise ValueError("ranked_by: saved_per_hour needs `hold_out`, which measures what calls save")
        return self

    @model_validator(mode="after")
    def _all_levels(self) -> "RenewalSettings":
        if CANCELLED in self.probability:
            raise ValueError(f"probability: that of {CANCELLED} is 0; leave it out")
        if set(self.probability) != set(RULED_RISKS):
            raise ValueError(f"probability: give one for each of {', '.join(RULED_RISKS)}")
        if any(not 0 <= p <= 1 for p in self.probability.values()):
            raise ValueError("probability: each is 0 to 1")
        return self

    def probability_of(self, risk: str) -> float:
        """The probability of renewal at this risk; 0 where the account is cancelled."""
        return 0.0 if risk == CANCELLED else self.probability[risk]


class Playbook(Settings):
    """What to do: the first playbook whose risk and condition fit. Cancelled accounts have one built in."""

    risk: str
    """The renewal risk that it is for."""
    if_: Condition | None = Field(default=None, alias="if")
    """A condition besides; the playbook without one is the last resort."""
    action: str = Field(min_length=1)
    """What is done, in words; by this it stands in tables and exports."""
    label: Label | None = None
    """As people read it: a text, or one in each language. Default: the action."""
    due_in_days: int = Field(ge=0)
    """Days from `as_of` by which; never after the day before the renewal."""
    save_rate: float = Field(default=0, ge=0, le=1)
    """Share of the loss that the playbook is assumed to avert."""
    effort_hours: float = Field(default=1, gt=0, le=1000)
    """Hours of the account's owner that it takes."""

    @model_validator(mode="after")
    def _known(self) -> "Playbook":
        if self.risk not in RISK_LEVELS:
            raise ValueError(f"risk is one of {', '.join(RISK_LEVELS)}, not {self.risk!r}")
        if self.risk == CANCELLED and self.save_rate:
            raise ValueError(f"save_rate: a {CANCELLED} account is lost in every scenario; leave it out")
        return self


def with_win_back(playbooks: list[Playbook]) -> list[Playbook]:
    """The playbooks of a portfolio, and the built-in one for cancelled accounts that no other takes."""
    if any(p.risk == CANCELLED and not p.if_ for p in playbooks):
        return playbooks
    return [*playbooks, Playbook.model_validate(WIN_BACK)]
