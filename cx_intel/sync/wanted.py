"""What is to stand at other systems: score, tier, flag and dimensions of each account, and which events become tasks.

Read from the newest snapshot, some accounts at a time. What of it differs from what stands there is found in `plan.py`.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any

import pandas as pd

from cx_intel.contracts.health.drivers import UNKNOWN
from cx_intel.reports.words.rounding import is_missing, rounded
from cx_intel.settings.outputs.write_back import CHURN_FLAG, SCORE, TIER, WriteBackSettings, at_risk_tiers
from cx_intel.settings.portfolio import Portfolio
from cx_intel.sync.values import FLAG, NUMBER, TEXT, number
from cx_intel.sync.writers.writer import ACCOUNT, COMPANY, DIMENSION
from cx_intel.warehouse.protocol import Warehouse

AT_ONCE = 1_000
"""Accounts that are looked at together."""
WANTED = ("target", "object", "found_in", "found_key", "record_key", "account_id", "field", "kind", "value")
KeyOf = Callable[[str], str]


@dataclass(frozen=True)
class Wanted:
    """What is to stand at the vendors of a portfolio.

    Attributes:
        portfolio: Its settings, with `write_back`.
        warehouse: Its tables.
        as_of: The day of the snapshot.
        is_erased: Whether an account was erased: it is never sent.
        keys: Vendor: what makes a key of an id.
    """

    portfolio: Portfolio
    warehouse: Warehouse
    as_of: date
    is_erased: Callable[[str], bool]
    keys: Mapping[str, KeyOf]
    _known: dict[str, dict[str, list[str]]] = field(default_factory=dict)

    @property
    def settings(self) -> WriteBackSettings:
        assert self.portfolio.write_back is not None
        return self.portfolio.write_back

    def frames(self) -> Iterator[pd.DataFrame]:
        """The values, in the columns of `WANTED`. Of accounts without a score, of an unknown tier and frozen ones none."""
        for accounts in self._accounts():
            rows = [row for account in accounts for row in self._values(account)]
            if rows:
                yield pd.DataFrame(rows, columns=list(WANTED), dtype=object)

    def accounts_of(self, vendor: str) -> dict[str, tuple[str, bool]]:
        """Key of a vendor's record: its account, and whether that is at risk; of all accounts with evidence."""
        of_system = self._ids(vendor)
        return {
            self.keys[vendor](external): (account["account_id"], self._is_at_risk(account))
            for accounts in self._accounts()
            for account in accounts
            for external in of_system(account["account_id"])
        }

    def keys_of(self, vendor: str, account_id: str) -> list[str]:
        """The keys of the records that an account has at a vendor."""
        return [self.keys[vendor](external) for external in self._ids(vendor)(account_id)]

    def _accounts(self) -> Iterator[list[dict[str, Any]]]:
        scores = self.warehouse.table("customer_health_scores")
        day = scores.filter(scores.as_of == self.as_of)
        held = self.warehouse.table("account_snapshot")
        cancelled = held.filter(held.as_of == self.as_of).select("account_id", "is_cancelled")
        dimensions = [name for name in day.columns if name.endswith("_score") and name != "unrounded_score"]
        chosen = day.select("account_id", "confirmed_tier", "health_tier", "is_frozen", *dimensions)
        joined = chosen.left_join(cancelled, "account_id").drop("account_id_right").order_by("account_id")
        offset = 0
        while rows := self.warehouse.rows(joined.limit(AT_ONCE, offset=offset)):
            yield [row for row in rows if _has_evidence(row) and not self.is_erased(row["account_id"])]
            offset += len(rows)

    def _is_at_risk(self, account: Mapping[str, Any]) -> bool:
        assert self.portfolio.health is not None
        tiers = at_risk_tiers(self.settings, self.portfolio.health)
        return bool(account["is_cancelled"]) or account["confirmed_tier"] in tiers

    def _values(self, account: Mapping[str, Any]) -> Iterator[tuple[str | None, ...]]:
        figures = _figures(account) | {CHURN_FLAG: (FLAG, "true" if self._is_at_risk(account) else "false")}
        planhat, salesforce = self.settings.planhat, self.settings.salesforce
        for external in self._ids("planhat")(account["account_id"]) if planhat else ():
            key = (self.keys["planhat"](external), account["account_id"])
            for figure, name in planhat.fields.items() if planhat else ():
                yield from _row("planhat", COMPANY, COMPANY, key, name, figures.get(figure))
            for figure, value in figures.items() if planhat and planhat.tenant else ():
                if value[0] == NUMBER and planhat:
                    yield from _row("planhat", DIMENSION, COMPANY, key, planhat.dimension_prefix + figure, value)
        for external in self._ids("salesforce")(account["account_id"]) if salesforce else ():
            key = (self.keys["salesforce"](external), account["account_id"])
            for figure, name in salesforce.fields.items() if salesforce else ():
                yield from _row("salesforce", ACCOUNT, ACCOUNT, key, name, figures.get(figure))

    def _ids(self, vendor: str) -> Callable[[str], list[str]]:
        """The ids of a vendor's records that an account has."""
        writing = getattr(self.settings, vendor)
        if writing is None or not writing.system:
            return lambda account: [account]
        found = self._of_system(writing.system)
        return lambda account: found.get(account, [])

    def _of_system(self, system: str) -> dict[str, list[str]]:
        """Account: its ids of a system, as `identity_map` has them now."""
        if system not in self._known:
            links = self.warehouse.table("identity_map")
            now = links.filter(links.system == system, links.valid_to.isnull(), links.account_id.notnull())
            found: dict[str, list[str]] = {}
            for row in self.warehouse.rows(now.select("account_id", "external_id").order_by("external_id")):
                found.setdefault(row["account_id"], []).append(row["external_id"])
            self._known[system] = found
        return self._known[system]


def _has_evidence(account: Mapping[str, Any]) -> bool:
    is_known = UNKNOWN not in (account["health_tier"], account["confirmed_tier"])
    return not is_missing(account[SCORE]) and is_known and not account["is_frozen"]


def _figures(account: Mapping[str, Any]) -> dict[str, tuple[str, str | None]]:
    scores = {n: v for n, v in account.items() if n.endswith("_score")}
    told = {n: None if is_missing(v) else number(rounded(v, 1)) for n, v in scores.items()}
    return {n: (NUMBER, v) for n, v in told.items()} | {TIER: (TEXT, account["confirmed_tier"])}


def _row(
    target: str, name: str, found_in: str, key: tuple[str, str], field: str, value: tuple[str, str | None] | None
) -> Iterator[tuple[str | None, ...]]:
    if value is not None and value[1] is not None:
        yield (target, name, found_in, key[0], *key, field, *value)
