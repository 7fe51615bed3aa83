"""A portfolio: one book of customers with its sources, currency, health model and renewal policy.

The top of the settings tree; the blocks stand in the modules beside this one, and `loader.py` reads a file into it.
"""

import hashlib
from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo

from pydantic import Field, field_validator, model_validator

from cx_intel.settings.accounts import AttributeRules, LifecycleSettings, Name, SourceAttribute, UsageSettings
from cx_intel.settings.automation import Automation
from cx_intel.settings.backtest import BacktestSettings
from cx_intel.settings.base import Misfit, PortfolioName, Settings, TimeZone
from cx_intel.settings.health.model import HealthSettings
from cx_intel.settings.identity import IdentitySettings
from cx_intel.settings.labels import Label
from cx_intel.settings.outputs.links import LinkSettings, fault_of, link_of
from cx_intel.settings.outputs.publication import PublishSettings
from cx_intel.settings.outputs.reports import ReportSettings
from cx_intel.settings.outputs.write_back import WriteBackSettings, check_write_back
from cx_intel.settings.renewals import (
    RULED_RISKS,
    ChurnRiskSettings,
    Playbook,
    RenewalSettings,
    RiskCase,
    with_win_back,
)
from cx_intel.settings.retention import RetentionSettings
from cx_intel.settings.revenue.revenue import CurrencySettings, RevenueSettings
from cx_intel.settings.sources.base import TableSource
from cx_intel.settings.sources.sources import Source, SourcesMixin
from cx_intel.settings.sources.synthetic import SyntheticSource
from cx_intel.settings.storage import Storage, check_cluster
from cx_intel.settings.support import Region, Satisfaction, SupportSettings

SYNTHETIC_TABLES = {
    "novacrm": ("accounts", "subscriptions", "invoices", "usage_events", "support_tickets", "contacts"),
    "fleet": (
        "accounts",
        "subscriptions",
        "mrr_history",
        "usage_events",
        "support_tickets",
        "nps_responses",
        "csm_activities",
        "contacts",
    ),
    "planted": ("accounts", "subscriptions", "metrics"),
}
"""What each synthetic world delivers."""
_PLACES: dict[str, Any] = {"path": True, "files": {"__all__": {"path"}}}
"""Of a source: where its files lie, which says nothing of what they hold."""


def synthetic_tables(source: SyntheticSource) -> list[str]:
    """The tables of a synthetic source that the portfolio takes."""
    return [table for table in SYNTHETIC_TABLES[source.world] if table not in source.exclude]


BASIS_TABLE = {"subscriptions": "subscriptions", "invoices": "invoices", "mrr_history": "mrr_history"}

LABELLED = ("lifecycle_stage", "category", "priority", "dimension", "contact_role")
"""Columns beside attributes of accounts whose values `reports.labels` may label."""
STANDARD_ATTRIBUTES = ("segment", "industry", "country", "region", "plan_tier", "owner", "status")
"""Account columns that every portfolio may group by and use in conditions."""


class AsOf(Settings):
    """Which days the portfolio can be refreshed for."""

    default: Literal["yesterday"] | date = "yesterday"
    """The day that a refresh is for where none is named. With a fixed day nothing is refreshed by the clock."""
    earliest: date = date(2023, 1, 1)
    """The first day that may be refreshed."""
    first_snapshots: list[Annotated[int, Field(ge=1, le=400)]] = []
    """Days before the first refresh for which it makes snapshots too, so that changes and trends are there at once.

    Only for sources that tell what was known then: events, contracts, tickets with their dates.
    """

    def first_days(self, as_of: date) -> tuple[date, ...]:
        """The days, in order, that the first refresh makes snapshots for besides `as_of`."""
        days = {as_of - timedelta(days=n) for n in self.first_snapshots}
        return tuple(sorted(day for day in days if day >= self.earliest))


class Portfolio(SourcesMixin):
    """The settings of one portfolio, complete and checked."""

    name: PortfolioName
    """The file's stem, and the schema in the warehouse."""
    description: Label = ""
    """One sentence on the book of customers, for `cx-intel list` and the pages: a text, or one in each language."""
    currency: CurrencySettings
    time_zone: TimeZone = "UTC"
    """IANA zone in which days begin and end."""
    as_of: AsOf = AsOf()
    holidays: list[Region] = []
    """Countries, or parts of them, on whose public holidays few rows of a source are expected: [DE], [DE-BY, AT].
    Default: those of `support.business_hours`."""
    account_attributes: dict[Name, SourceAttribute | AttributeRules] = {}
    """Attribute: how it is delivered, or the rules that derive it. They are columns of accounts and may be grouped
    by."""
    identity: IdentitySettings = IdentitySettings()
    include_churned: bool = False
    """Whether churned accounts stay in health, pipeline, list and roll-ups, with their contract's amount."""
    revenue: RevenueSettings
    usage: UsageSettings = UsageSettings()
    support: SupportSettings = SupportSettings()
    health: HealthSettings | None = None
    churn_risk: ChurnRiskSettings | None = None
    renewals: RenewalSettings | None = None
    playbooks: list[Playbook] = []
    """What is done about a renewal, by its risk; the first whose condition holds."""
    backtest: BacktestSettings = BacktestSettings()
    lifecycle: LifecycleSettings = LifecycleSettings()
    rollups: list[Name] = []
    """Account attributes that health is summed up by: a table `<attribute>_health_summary` for each."""
    reports: ReportSettings = ReportSettings()
    links: dict[Name, LinkSettings] = {}
    """System, such as crm, help_desk or cs_platform: where an account opens there, as an address with gaps, or as a block:
    https://crm.example.com/accounts/{account_id}."""
    publish: PublishSettings = PublishSettings()
    retention: RetentionSettings = RetentionSettings()
    automation: Automation = Automation()
    write_back: WriteBackSettings | None = None
    """What is written to Planhat and Salesforce; default: nothing."""
    warehouse: Storage | None = None
    """Where the tables live; default: all of them in the DuckDB file."""

    @field_validator("playbooks")
    @classmethod
    def _cancelled_have_one(cls, playbooks: list[Playbook]) -> list[Playbook]:
        return with_win_back(playbooks) if playbooks else playbooks

    @model_validator(mode="after")
    def _blocks_fit_together(self) -> "Portfolio":
        if "accounts" not in self.tables:
            raise Misfit("no source delivers `accounts`, which every portfolio needs", ("sources",))
        if BASIS_TABLE[self.revenue.basis] not in self.tables:
            raise Misfit(f"is {self.revenue.basis!r}, but no source delivers that table", ("revenue", "basis"))
        if self.churn_risk and not self.health:
            raise Misfit("needs a `health` block", ("churn_risk",))
        if self.renewals:
            self._check_renewals()
        self._check_retention()
        check_cluster(self.sources, self.warehouse)
        if self.write_back:
            there = {"has_events": self.renewals is not None, "has_identity": self.has_identity}
            check_write_back(self.write_back, self.health, self.sources, **there)
        for key, stated in self.links.items():
            if fault := fault_of(link_of(stated), self.has_identity):
                raise Misfit(fault, ("links", key))
        if self.support.pauses and "ticket_status_history" not in self.tables:
            raise Misfit("needs a source of `ticket_status_history`, which says when they began", ("support", "pauses"))
        if "ticket_status_history" in self.tables and self.key_of("support_tickets", ()):
            raise Misfit("has no account, so that ids of tickets have to be unique: leave out `key`", ("sources",))
        if unused := sorted(set(self.identity.unmatched) - set(self.systems)):
            message = f"no source states `system: {unused[0]}`; there are {', '.join(sorted(self.systems)) or 'none'}"
            raise Misfit(message, ("identity", "unmatched", unused[0]))
        known = {*STANDARD_ATTRIBUTES, *self.account_attributes}
        if unknown := sorted(set(self.rollups) - known):
            raise Misfit(
                f"{', '.join(unknown)} is no account attribute; there are {', '.join(sorted(known))}", ("rollups",)
            )
        labelled = {*known, *LABELLED} - {"country", "owner"}
        if unknown := sorted(set(self.reports.labels) - labelled):
            message = f"has no values to label; there are {', '.join(sorted(labelled))}"
            raise Misfit(message, ("reports", "labels", unknown[0]))
        return self

    def _check_retention(self) -> None:
        kept, signals = self.retention.usage_events_days, self.health.signals if self.health else {}
        windows = {name: getattr(signal.measure, "window_days", None) or 0 for name, signal in signals.items()}
        if kept and (short := [name for name, days in windows.items() if 2 * days > kept]):
            message = f"is {kept}, shorter than twice the window of {', '.join(short)}, which late events may reach"
            raise Misfit(message, ("retention", "usage_events_days"))

    def _check_renewals(self) -> None:
        if not self.health:
            raise Misfit("needs a `health` block", ("renewals",))
        if missing := [r for r in RULED_RISKS if not any(p.risk == r and not p.if_ for p in self.playbooks)]:
            raise Misfit(f"{', '.join(missing)} has no playbook without a condition, the last resort", ("playbooks",))
        self._check_tiers(("playbooks",), self.playbooks)
        if self.renewals:
            self._check_tiers(("renewals", "risk"), self.renewals.risk)
        if unwatched := sorted(set(self.lifecycle.watched_signals) - set(self.health.signals)):
            raise Misfit(f"no signal {', '.join(unwatched)} is declared", ("lifecycle", "watched_signals"))

    def _check_tiers(self, at: tuple[str, ...], cases: Sequence[RiskCase | Playbook]) -> None:
        """A tier that no score has would match nothing, and say so nowhere."""
        assert self.health is not None
        known = [*(level.name for level in self.health.tiers.levels), "unknown"]
        for position, case in enumerate(cases):
            for field in ("health_tier", "confirmed_tier"):
                if case.if_ and (unknown := sorted(map(str, case.if_.values_of(field) - set(known)))):
                    raise Misfit(
                        f"{field} is one of {', '.join(known)}, not {', '.join(unknown)}", (*at, position, "if")
                    )

    @property
    def tables(self) -> tuple[str, ...]:
        """The canonical tables that the sources deliver."""
        found: list[str] = []
        for source in self.sources:
            if isinstance(source, TableSource):
                found.append(source.table)
            elif isinstance(source, SyntheticSource):
                found += synthetic_tables(source)
        return tuple(dict.fromkeys(found))

    @property
    def presets(self) -> dict[str, list[str]]:
        """The presets that sources are from: the canonical tables of each."""
        found: dict[str, list[str]] = {}
        for source in self.sources:
            if isinstance(source, TableSource) and source.preset:
                found.setdefault(source.preset, []).append(source.table)
        return found

    def source_of(self, table: str) -> Source:
        """The source that delivers a canonical table; the first that does. Raises KeyError when none does."""
        for source in self.sources:
            if isinstance(source, TableSource) and source.table == table:
                return source
        for source in self.sources:
            if isinstance(source, SyntheticSource) and table in synthetic_tables(source):
                return source
        raise KeyError(table)

    def parts_of(self, table: str) -> dict[str, Source]:
        """The sources of a canonical table, each by the name of what it delivers: the first by the table's own.

        What it delivers stands in `raw_<name>`, such as raw_accounts and raw_accounts__billing.
        """
        several = [s for s in self.sources if isinstance(s, TableSource) and s.table == table]
        if not several:
            return {table: self.source_of(table)}
        return {table: several[0], **{f"{table}__{source.label}": source for source in several[1:]}}

    def has_several(self, table: str) -> bool:
        """Whether more than one source delivers a canonical table."""
        return table in self.tables and len(self.parts_of(table)) > 1

    def only(self, table: str, source: Source) -> "Portfolio":
        """The portfolio as if a source were the only one of its table: for what is to be read by its settings."""
        if not self.has_several(table):
            return self
        of_others = [s for s in self.sources if s is source or not (isinstance(s, TableSource) and s.table == table)]
        return self.model_copy(update={"sources": of_others})

    def system_of(self, table: str) -> str | None:
        """The system whose ids stand in the `account_id` of a table; None where they are the accounts' own."""
        source = self.source_of(table) if table in self.tables else None
        return source.system if isinstance(source, TableSource) else None

    @property
    def systems(self) -> dict[str, tuple[str, ...]]:
        """System: the canonical tables whose rows name its ids."""
        found: dict[str, tuple[str, ...]] = {}
        for source in self.sources:
            system = source.system if isinstance(source, TableSource) else None
            if system and isinstance(source, TableSource) and source.table != "accounts":
                found[system] = tuple(dict.fromkeys((*found.get(system, ()), source.table)))
        return found

    @property
    def has_identity(self) -> bool:
        """Whether ids of other systems are led to accounts."""
        has_system = any(isinstance(s, TableSource) and s.system for s in self.sources)
        return has_system or "identity_links" in self.tables

    def makes_accounts_of(self, system: str) -> bool:
        """Whether an id of a system that finds no account becomes one."""
        stated = self.identity.unmatched.get(system)
        return stated == "account" if stated else bool({*BASIS_TABLE} & {*self.systems.get(system, ())})

    @property
    def holiday_regions(self) -> list[Region]:
        """The countries whose public holidays the portfolio keeps."""
        hours = self.support.business_hours
        return self.holidays or (hours.holidays if hours else [])

    @property
    def satisfaction(self) -> Satisfaction:
        """How the source of the tickets writes a rating."""
        stated = (s.satisfaction for s in self.sources if isinstance(s, TableSource) and s.table == "support_tickets")
        return next((found for found in stated if found), Satisfaction())

    def key_of(self, table: str, default: tuple[str, ...]) -> tuple[str, ...]:
        """The columns that identify a row of a canonical table: the source's `key`, else the default."""
        keys = (s.key for s in self.sources if isinstance(s, TableSource) and s.table == table)
        return tuple(next((key for key in keys if key), default))

    @property
    def derived_attributes(self) -> dict[str, AttributeRules]:
        """The attributes that rules derive from the others."""
        return {k: v for k, v in self.account_attributes.items() if isinstance(v, AttributeRules)}

    @property
    def ledger_fingerprint(self) -> str:
        """A digest of the settings that MRR follows from: rates, what counts, mappings. Closing a month changes none."""
        revenue = self.revenue.model_dump_json(exclude={"closed_through", "restatement_tolerance_pct"})
        read = [s for t in ("accounts", *BASIS_TABLE) if t in self.tables for s in self.parts_of(t).values()]
        parts = [revenue, self.currency.model_dump_json(), *(s.model_dump_json(exclude=_PLACES) for s in read)]
        return hashlib.sha256("|".join(parts).encode()).hexdigest()[:16]

    def latest_as_of(self, now: datetime) -> date:
        """Yesterday in the portfolio's zone: the last complete day at `now` (aware)."""
        return now.astimezone(ZoneInfo(self.time_zone)).date() - timedelta(days=1)

    def default_as_of(self, now: datetime) -> date:
        """The day that a refresh is for where none is named: `as_of.default`, which may be yesterday at `now` (aware)."""
        return self.latest_as_of(now) if self.as_of.default == "yesterday" else self.as_of.default
