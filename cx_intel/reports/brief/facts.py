"""The facts of the weekly brief, read from the tables of a portfolio: what changed, whom to call, what is due.

A week back is the snapshot 7 days before, or the newest within 3 days before that; without one, nothing is said to have
changed. How the facts are put into words stands in `brief_view.py`, those about the data's own state in
`brief_trust.py`.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import ibis
import ibis.expr.types as ir

from cx_intel.contracts.renewals.lifecycle import SIGNAL_DROP, TIER_CHANGE
from cx_intel.contracts.renewals.outlook import ALL_SEGMENTS
from cx_intel.settings.portfolio import Portfolio
from cx_intel.warehouse.protocol import Warehouse

WEEK, GRACE = 7, 3
FALLS, RISES, REASONS = 5, 3, 2
LEAST_POINTS = 1.0
"""A score that moved by less is no news."""
Row = dict[str, Any]


@dataclass(frozen=True)
class Mover:
    """An account whose score moved, and the signals that moved it most in that direction: id and points."""

    account: Row
    change: float
    score_from: float
    score_to: float
    tier_from: str
    tier_to: str
    reasons: tuple[tuple[str, float], ...]


@dataclass(frozen=True)
class Facts:
    """What the brief tells.

    Attributes:
        as_of: The day.
        compared_as_of: The day that it is compared with; None when there is no snapshot of a week before.
        money: MRR and paying customers of the days that matter: day -> (MRR, customers).
        month_base: The day of `money` that the month so far is counted from; None when none is known.
        closed_month: The row of the last closed month in `nrr_summary`.
        has_score_changes: Whether the day's scores were compared with those of that day.
        falls, rises: The scores that moved most.
        tier_changes: Account, first and last confirmed tier of the week, where they differ.
        drops: Watched signals that dropped.
        listed: The intervention list of the day, in its order.
        joined, left: Accounts new in the list; accounts off it, each with what became of it.
        outlook: Scenario: the row of the whole book.
    """

    as_of: date
    compared_as_of: date | None
    money: dict[date, tuple[Any, int]]
    month_base: date | None
    closed_month: Row | None
    has_score_changes: bool
    falls: tuple[Mover, ...]
    rises: tuple[Mover, ...]
    tier_changes: tuple[Row, ...]
    drops: tuple[Row, ...]
    listed: tuple[Row, ...]
    joined: tuple[Row, ...]
    left: tuple[Row, ...]
    outlook: dict[str, Row]


BRIEF_TABLES = (
    "account_snapshot",
    "nrr_summary",
    "account_signals",
    "customer_health_scores",
    "health_score_changes",
    "health_score_change_drivers",
    "lifecycle_events",
    "cs_intervention_list",
    "renewal_pipeline",
    "nrr_outlook",
    "quarantine",
)
"""What the brief reads, where the portfolio has it."""


def gather_facts(portfolio: Portfolio, as_of: date, warehouse: Warehouse) -> Facts:
    """Reads the facts of a day; what the portfolio has no table for is left out."""
    return _Reader(portfolio, as_of, warehouse).facts()


class _Reader:
    def __init__(self, portfolio: Portfolio, as_of: date, warehouse: Warehouse):
        self.portfolio, self.as_of, self.warehouse = portfolio, as_of, warehouse
        self.accounts: dict[str, Row] = {}

    def facts(self) -> Facts:
        snapshot = self._table("account_snapshot")
        days = [] if snapshot is None else [r["as_of"] for r in self._fetch(snapshot.select("as_of").distinct())]
        compared = _newest(days, self.as_of - timedelta(days=WEEK + GRACE), self.as_of - timedelta(days=WEEK))
        base = self._month_base(days)
        self.accounts = {row["account_id"]: row for row in self._fetch(self._day(snapshot, self.as_of))}
        money = {day: self._money(snapshot, day) for day in {self.as_of, compared, base} if day is not None}
        listed = self._listed(self.as_of)
        joined, left = self._turnover(listed, compared)
        changes = self._score_changes(compared)
        movers = self._movers(changes, compared)
        outlook = self._day(self._table("nrr_outlook"), self.as_of)
        return Facts(
            self.as_of,
            compared,
            money,
            base,
            self._closed_month(),
            bool(changes),
            tuple(m for m in movers if m.change < 0)[:FALLS],
            tuple(m for m in movers if m.change > 0)[:RISES],
            self._tier_changes(compared),
            self._events(compared, SIGNAL_DROP),
            tuple(listed),
            joined,
            left,
            {r["scenario"]: r for r in self._fetch(outlook) if r["segment"] == ALL_SEGMENTS},
        )

    def _table(self, name: str) -> ir.Table | None:
        if not self.warehouse.exists(name):
            return None
        return self.warehouse.table(name)

    def _day(self, rows: ir.Table | None, day: date) -> ir.Table | None:
        return None if rows is None else rows.filter(rows.as_of == ibis.literal(day))

    def _fetch(self, rows: ir.Table | None) -> list[Row]:
        if rows is None:
            return []
        found: list[Row] = self.warehouse.rows(rows)
        return found

    def _month_base(self, days: list[date]) -> date | None:
        """The last snapshot before the month began, up to a week old; else the first of the month."""
        first = self.as_of.replace(day=1)
        before = _newest(days, first - timedelta(days=WEEK), first - timedelta(days=1))
        return before or min((day for day in days if first <= day < self.as_of), default=None)

    def _money(self, snapshot: ir.Table | None, day: date) -> tuple[Any, int]:
        rows = self._day(snapshot, day)
        if rows is None:
            return 0, 0
        paying = rows.filter((rows.current_mrr > 0) & ~rows.is_churned)
        (row,) = self._fetch(paying.agg(mrr=ibis.coalesce(paying.current_mrr.sum(), 0), customers=paying.count()))
        return row["mrr"], row["customers"]

    def _closed_month(self) -> Row | None:
        rows = self._table("nrr_summary")
        if rows is None:
            return None
        found = self._fetch(rows.filter(rows.revenue_month <= ibis.literal(self.as_of)))
        return max(found, key=lambda row: row["revenue_month"], default=None)

    def _of_week(self, table: str, compared: date | None) -> ir.Table | None:
        rows = self._table(table)
        if rows is None or compared is None:
            return None
        return rows.filter(rows.as_of == ibis.literal(self.as_of), rows.compared_as_of == ibis.literal(compared))

    def _score_changes(self, compared: date | None) -> list[Row]:
        """Of every account that had a score then and has one now, however little it moved."""
        return self._fetch(self._of_week("health_score_changes", compared))

    def _movers(self, changes: Iterable[Row], compared: date | None) -> list[Mover]:
        drivers = self._of_week("health_score_change_drivers", compared)
        if drivers is None:
            return []
        moved = [
            row
            for row in changes
            if abs(row["health_score_change"]) >= LEAST_POINTS and row["account_id"] in self.accounts
        ]
        moved.sort(key=lambda row: (-round(abs(row["health_score_change"]), 1), -self._arr(row), row["account_id"]))
        falls = [row for row in moved if row["health_score_change"] < 0][:FALLS]
        rises = [row for row in moved if row["health_score_change"] > 0][:RISES]
        chosen = [row["account_id"] for row in (*falls, *rises)]
        parts = self._fetch(drivers.filter(lambda t: t.account_id.isin(chosen))) if chosen else []
        return [self._mover(row, parts) for row in (*falls, *rises)]

    def _arr(self, row: Row) -> Any:
        return self.accounts[row["account_id"]]["current_arr"]

    def _mover(self, row: Row, parts: Iterable[Row]) -> Mover:
        direction = 1 if row["health_score_change"] > 0 else -1
        own = [(p["signal"], p["points_change"]) for p in parts if p["account_id"] == row["account_id"]]
        toward = sorted((p for p in own if p[1] * direction > 0.05), key=lambda p: (-p[1] * direction, p[0]))
        return Mover(
            self.accounts[row["account_id"]],
            row["health_score_change"],
            row["score_from"],
            row["score_to"],
            row["tier_from"],
            row["tier_to"],
            tuple(toward[:REASONS]),
        )

    def _events(self, compared: date | None, kind: str) -> tuple[Row, ...]:
        rows = self._table("lifecycle_events")
        if rows is None or compared is None:
            return ()
        within = rows.filter(
            rows.as_of > ibis.literal(compared), rows.as_of <= ibis.literal(self.as_of), rows.event_type == kind
        )
        found = [row | self._about(row["account_id"]) for row in self._fetch(within)]
        return tuple(sorted(found, key=lambda row: (row["as_of"], row["account_id"])))

    def _tier_changes(self, compared: date | None) -> tuple[Row, ...]:
        """From the first tier of the week to the last, the largest accounts first."""
        by_account: dict[str, Row] = {}
        for event in self._events(compared, TIER_CHANGE):
            first = by_account.get(event["account_id"], event)
            by_account[event["account_id"]] = event | {"from_value": first["from_value"]}
        changed = [row for row in by_account.values() if row["from_value"] != row["to_value"]]
        return tuple(sorted(changed, key=lambda row: (-row["current_arr"], row["account_id"])))

    def _about(self, account_id: str) -> Row:
        account = self.accounts.get(account_id, {})
        return {
            "account_name": account.get("account_name") or account_id,
            "owner": account.get("owner"),
            "current_arr": account.get("current_arr") or 0,
        }

    def _listed(self, day: date) -> list[Row]:
        found = self._fetch(self._day(self._table("cs_intervention_list"), day))
        return sorted(found, key=lambda row: row["priority_rank"])

    def _turnover(self, listed: list[Row], compared: date | None) -> tuple[tuple[Row, ...], tuple[Row, ...]]:
        if compared is None:
            return (), ()
        before = self._listed(compared)
        was, now = ({row["account_id"] for row in rows} for rows in (before, listed))
        gone = [row for row in before if row["account_id"] not in now]
        due = self._day(self._table("renewal_pipeline"), self.as_of)
        risks = {row["account_id"]: row["renewal_risk"] for row in self._fetch(due)} if gone else {}
        return (
            tuple(row for row in listed if row["account_id"] not in was),
            tuple(row | {"became": self._became(row, risks)} for row in gone),
        )

    def _became(self, row: Row, risks: dict[str, str]) -> str:
        """What became of an account that was listed a week ago: churned, renewed, safer, or moved out of the window."""
        account = self.accounts.get(row["account_id"])
        if account is None or account["is_churned"] or not account["current_mrr"]:
            return "churned"
        if row["renewal_date"] <= self.as_of:
            return "renewed"
        return "safer" if risks.get(row["account_id"]) in ("Medium", "Low") else "moved"


def _newest(days: list[date], first: date, last: date) -> date | None:
    return max((day for day in days if first <= day <= last), default=None)
