"""The `write_back` block: what is written to Planhat and Salesforce, into which fields, and which events become tasks.

Only descriptions. What is sent is decided and sent in `cx_intel.sync`; sources that are vendors' own systems stand in
`sources/vendors.py`, from which the forms of hosts and secrets are taken.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Annotated, Any, Literal, TypeAlias

from pydantic import Field, StringConstraints

from cx_intel.settings.automation import Daily
from cx_intel.settings.base import Misfit, Settings
from cx_intel.settings.health.model import HealthSettings
from cx_intel.settings.identity import SystemName
from cx_intel.settings.sources.vendors import Host, SalesforceSignIn, Secret

SCORE, TIER, CHURN_FLAG = "health_score", "health_tier", "churn_flag"
FIGURES = (SCORE, TIER, CHURN_FLAG)
"""What may be written of every account, besides `<dimension>_score`."""
Event: TypeAlias = Literal["tier_fall", "signal_drop", "cancellation_announced"]
EVENTS: tuple[Event, ...] = ("tier_fall", "signal_drop", "cancellation_announced")
ApiName: TypeAlias = Annotated[str, StringConstraints(pattern=r"^[A-Za-z][A-Za-z0-9_]*$")]
"""What Salesforce calls an object or a field."""
PlanhatField: TypeAlias = Annotated[str, StringConstraints(pattern=r"^(custom\.)?[^.\s][^.]*$")]


class VendorWriting(Settings):
    """What both vendors state."""

    system: SystemName | None = None
    """The system of `identity` whose ids the vendor's records carry; default: the accounts' own."""


class PlanhatWriting(VendorWriting):
    """What is written to Planhat: fields of companies, found by their `externalId`, and dimension data."""

    token: Secret
    """An API token that may read and update companies, and tasks where those go there: ${PLANHAT_TOKEN}."""
    tenant: Secret | None = None
    """The tenant's token, with which dimension data are sent: ${PLANHAT_TENANT}. Without it none are."""
    host: Host = "https://api.planhat.com"
    """Where Planhat's API is reached; there are regional ones."""
    analytics_host: Host = "https://analytics.planhat.com"
    """Where dimension data are sent."""
    fields: dict[str, PlanhatField] = {
        SCORE: "custom.cx Health Score",
        TIER: "custom.cx Health Tier",
        CHURN_FLAG: "custom.cx Churn Risk",
    }
    """Figure (health_score, health_tier, churn_flag, `<dimension>_score`): the company's field, which has to be there."""
    dimension_prefix: Annotated[str, StringConstraints(pattern=r"^[A-Za-z][A-Za-z0-9_]*$")] = "cx_"
    """Begins the ids of dimension data: cx_health_score, cx_adoption_score."""


class OpportunityWriting(Settings):
    """What is written to the open renewal opportunities of an account."""

    type: str = "Existing Business - Renewal"
    """Their `Type`."""
    risk_flag: ApiName = "Renewal_Risk__c"
    """The checkbox that is set while the account is at risk and the renewal is due within 90 days."""
    forecast_category: Literal["Omitted"] | None = None
    """Written to ForecastCategoryName while the flag is set, which hides the renewal from the forecast; default: nothing."""


class SalesforceWriting(VendorWriting, SalesforceSignIn):
    """What is written to Salesforce: fields of accounts by their `Id`, and of their renewal opportunities."""

    fields: dict[str, ApiName] = {
        SCORE: "Planhat_Health_Score__c",
        TIER: "Planhat_Health_Tier__c",
        CHURN_FLAG: "Churn_Risk_Flag__c",
    }
    """Figure (health_score, health_tier, churn_flag, `<dimension>_score`): the account's field, which has to be there."""
    opportunities: OpportunityWriting | None = None
    """What is written to renewal opportunities; default: nothing."""
    owner_field: ApiName = "OwnerId"
    """The account's field that names who gets a task: CSM_Owner__c."""
    task_key: ApiName = "CX_Intel_Key__c"
    """The task's field for our key, by which none is created twice."""


class TaskWriting(Settings):
    """Which lifecycle events become a task, one each."""

    to: Literal["planhat", "salesforce"]
    """Where they are created."""
    events: list[Event] = Field(default=list(EVENTS), min_length=1)
    """A confirmed tier that fell to one that is not healthy, a watched signal that dropped, a cancellation announced."""
    within_days: int = Field(default=7, ge=1, le=90)
    """Events of so many days up to the newest; older ones become none."""


class WriteBackSettings(Settings):
    """What is written to other systems, and when. Without this block nothing is."""

    enabled: bool = True
    """False: nothing is sent; what was sent can still be undone."""
    planhat: PlanhatWriting | None = None
    salesforce: SalesforceWriting | None = None
    tasks: TaskWriting | None = None
    at_risk_tiers: list[str] = []
    """Tiers whose accounts have the churn flag, and their renewals the risk flag; default: the worst. Cancelled ones too."""
    max_rejected_pct: float = Field(default=5.0, ge=0, le=100)
    """Share of the records sent (0 to 100) that a vendor may reject before the check of a sync fails."""
    schedule: Daily = Daily(enabled=False, at="07:00")
    """When a sync runs by itself, after the daily refresh; off unless it is switched on."""

    def written_fields(self) -> Iterator[str]:
        """All fields at vendors that are written, as these call them."""
        if self.planhat:
            yield from (field.removeprefix("custom.") for field in self.planhat.fields.values())
        if self.salesforce:
            yield from self.salesforce.fields.values()
            if self.salesforce.opportunities:
                yield self.salesforce.opportunities.risk_flag


def check_write_back(
    write_back: WriteBackSettings,
    health: HealthSettings | None,
    sources: Sequence[Settings],
    *,
    has_events: bool,
    has_identity: bool,
) -> None:
    """Raises Misfit where a figure or tier does not exist, or a source reads what is written.

    Args:
        write_back: The block.
        health: The portfolio's health models, whose figures are written.
        sources: The portfolio's sources.
        has_events: The portfolio has lifecycle events.
        has_identity: It knows ids of other systems.
    """
    if not health:
        raise Misfit("needs a `health` block", ("write_back",))
    figures = (*FIGURES, *(f"{name}_score" for name in health.dimension_names()))
    vendors: dict[str, PlanhatWriting | SalesforceWriting | None] = {
        "planhat": write_back.planhat,
        "salesforce": write_back.salesforce,
    }
    if not any(vendors.values()):
        raise Misfit("names neither `planhat` nor `salesforce`", ("write_back",))
    for name, vendor in vendors.items():
        if vendor and (unknown := sorted(set(vendor.fields) - set(figures))):
            raise Misfit(f"is no figure; there are {', '.join(figures)}", ("write_back", name, "fields", unknown[0]))
        if vendor and vendor.system and not has_identity:
            message = (
                "needs links between ids, which no source delivers; leave it out where accounts have the vendor's ids"
            )
            raise Misfit(message, ("write_back", name, "system"))
    if write_back.tasks and not vendors[write_back.tasks.to]:
        raise Misfit(f"is {write_back.tasks.to}, which is not written to", ("write_back", "tasks", "to"))
    if write_back.tasks and not has_events:
        raise Misfit("needs a `renewals` block, which lifecycle events come from", ("write_back", "tasks"))
    tiers = {level.name for model in health.all_models() for level in model.tiers.levels}
    if missing := sorted(set(write_back.at_risk_tiers) - tiers):
        raise Misfit(f"{missing[0]} is no tier; there are {', '.join(sorted(tiers))}", ("write_back", "at_risk_tiers"))
    written = {plain(field): field for field in write_back.written_fields()}
    for place, source in enumerate(sources):
        if found := read_back(written, source.model_dump(mode="json")):
            raise Misfit(f"reads {found}, which write_back writes: what was written is no input", ("sources", place))


def at_risk_tiers(write_back: WriteBackSettings, health: HealthSettings) -> tuple[str, ...]:
    """The tiers that are flagged: as stated, else the worst of each model."""
    worst = (model.tiers.levels[-1].name for model in health.all_models())
    return tuple(write_back.at_risk_tiers) or tuple(dict.fromkeys(worst))


def read_back(fields: Mapping[str, str], source: Any) -> str | None:
    """The field among those that are written which a source reads, by a mapping or in a query; None: it reads none.

    Args:
        fields: Each as it is spelled plainly (`plain`): how it is written.
        source: The settings of the source, as plain values.
    """
    for text in _texts(source):
        last = plain(text.rsplit(".", 1)[-1])
        if last in fields:
            return fields[last]
        for field in fields.values():
            spelled = re.escape(field).replace("__c", "_+c")
            if re.search(rf"(?<![A-Za-z0-9_]){spelled}(?![A-Za-z0-9_])", text, re.IGNORECASE):
                return field
    return None


def plain(name: str) -> str:
    """A name without what exports change in it: capitals, blanks, underscores."""
    return re.sub(r"[^a-z0-9]", "", name.lower())


def _texts(given: Any) -> Iterator[str]:
    if isinstance(given, str):
        yield given
    elif isinstance(given, dict):
        for name, value in given.items():
            yield from _texts(value)
            if value is None or (isinstance(value, str) and value == name):
                yield str(name)
    elif isinstance(given, list | tuple):
        for value in given:
            yield from _texts(value)
