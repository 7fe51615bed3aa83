"""What differs between a day as it is judged now and as other settings judge it: tiers, list, risks, outlook.

Facts alone, from what was read of both. How they are put into words stands in `page.py` beside this module; how a day is
judged by other settings, in `cx_intel.orchestration.preview`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Literal

from cx_intel.contracts.renewals.outlook import ALL_SEGMENTS
from cx_intel.models.backtest.compared import Compared
from cx_intel.reports.data.report_data import ReportData, is_true, records, total
from cx_intel.reports.words.rounding import is_missing

Record = dict[str, Any]
NoBacktest = Literal["", "none_yet", "same_scores", "needs_the_warehouse"]
MOST_NAMED, LEAST_POINTS = 2, 0.05
"""Signals named of a change of a score, and the points below which none is."""


@dataclass(frozen=True)
class TierSize:
    """A tier: its accounts and their ARR, before and after."""

    tier: str
    accounts_before: int
    arr_before: float
    accounts_after: int
    arr_after: float


@dataclass(frozen=True)
class TierChange:
    """An account that is in another tier; None where it has no score. `steps`: how many tiers up, below 0 down.

    `moved`: the signals that moved its score most that way, each with the points.
    """

    account_id: str
    account_name: str | None
    current_arr: float
    tier_before: str | None
    tier_after: str | None
    score_before: float | None
    score_after: float | None
    steps: int
    moved: tuple[tuple[str, float], ...]


@dataclass(frozen=True)
class Listed:
    """An account on the intervention list before or after, with its rank, risk and expected loss on each."""

    account_id: str
    account_name: str | None
    current_arr: float
    rank_before: int | None
    rank_after: int | None
    risk_before: str | None
    risk_after: str | None
    loss_before: float
    loss_after: float


@dataclass(frozen=True)
class Scenario:
    """A scenario of the outlook: NRR of the renewals due and of the whole book, 0 to 100 and more; None: nothing due."""

    scenario: str
    nrr_before: float | None
    nrr_after: float | None
    book_nrr_before: float | None
    book_nrr_after: float | None


@dataclass(frozen=True)
class Terms:
    """What was compared, and how far it goes.

    Attributes:
        settings: The keys that differ, with their values before and after.
        scaled: Weights among them that follow from others, so that those of a level sum to 1.
        not_loaded: Blocks that differ and show with a refresh alone: the keys.
        without_figures: Blocks that differ, and that no figure follows from.
        no_backtest: Why the back-test is not compared; empty where it is, or was not asked for.
        is_against_stored: Before is what the last refresh wrote, by settings that are not known any more.
        scored_otherwise: Accounts that have another score in the warehouse than the settings before give.
    """

    settings: tuple[tuple[str, Any, Any], ...] = ()
    scaled: tuple[str, ...] = ()
    not_loaded: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    without_figures: tuple[str, ...] = ()
    no_backtest: NoBacktest = ""
    is_against_stored: bool = False
    scored_otherwise: int = 0


@dataclass(frozen=True)
class Comparison:
    """Everything that differs.

    Attributes:
        as_of: The day.
        terms: What was compared, and how far it goes.
        scored: Accounts with a score, after.
        scored_arr: Their ARR.
        tiers: The tiers from the best down.
        changes: Accounts that change tier, the largest first.
        healthy: Healthy accounts before and after.
        mean_change: By how many points a score changes on average, up or down; None without a score on both sides.
        list: Accounts on the list before or after, by rank after; those off it last.
        risk_changes: Accounts of the pipeline whose renewal risk differs, and their ARR.
        exposed: Exposed ARR before and after.
        outlook: The scenarios of the whole book.
        backtest: How both sides would have told what followed on past days; empty where that was not asked.
    """

    as_of: date
    terms: Terms
    scored: int
    scored_arr: float
    tiers: tuple[TierSize, ...]
    changes: tuple[TierChange, ...]
    healthy: tuple[int, int]
    mean_change: float | None
    list: tuple[Listed, ...]
    risk_changes: tuple[int, float]
    exposed: tuple[float, float]
    outlook: tuple[Scenario, ...] = ()
    backtest: tuple[Compared, ...] = ()

    @property
    def changed_arr(self) -> float:
        """ARR of the accounts that change tier."""
        return total(change.current_arr for change in self.changes)

    @property
    def worse(self) -> tuple[TierChange, ...]:
        """Those that fall to a lower tier."""
        return tuple(change for change in self.changes if change.steps < 0)

    @property
    def better(self) -> tuple[TierChange, ...]:
        """Those that rise to a higher tier."""
        return tuple(change for change in self.changes if change.steps > 0)


def comparison(before: ReportData, after: ReportData, terms: Terms, backtest: Sequence[Compared] = ()) -> Comparison:
    """The differences of a day.

    Args:
        before: The day as it is judged now.
        after: The same day as the other settings judge it.
        terms: What is compared, and how far it goes.
        backtest: How both would have told on past days.
    """
    scores = [_by_account(data, "customer_health_scores") for data in (before, after)]
    both = [(scores[0][a]["health_score"], row["health_score"]) for a, row in scores[1].items() if a in scores[0]]
    gaps = [abs(now - was) for was, now in both if not (is_missing(was) or is_missing(now))]
    exposed = [
        total(data["renewal_pipeline"]["exposed_arr"]) if data.portfolio.renewals else 0.0 for data in (before, after)
    ]
    return Comparison(
        after.as_of,
        terms,
        len(scores[1]),
        total(row["current_arr"] for row in scores[1].values()),
        _tiers(before, after, scores),
        _changes(before, after, scores),
        (_healthy(before), _healthy(after)),
        sum(gaps) / len(gaps) if gaps else None,
        _list(before, after),
        _risk_changes(before, after),
        (exposed[0], exposed[1]),
        _outlook(before, after),
        tuple(backtest),
    )


def tier_order(before: ReportData, after: ReportData) -> list[str]:
    """The tiers of both from the best down, then unknown."""
    names = [
        [level.name for level in data.portfolio.health.tiers.levels] if data.portfolio.health else []
        for data in (after, before)
    ]
    return list(dict.fromkeys([*names[0], *names[1]]))


def _by_account(data: ReportData, table: str) -> dict[str, Record]:
    return {str(row["account_id"]): row for row in records(data[table])}


def _tiers(before: ReportData, after: ReportData, scores: Sequence[Mapping[str, Record]]) -> tuple[TierSize, ...]:
    def size(side: Mapping[str, Record], tier: str) -> tuple[int, float]:
        found = [row["current_arr"] for row in side.values() if row["health_tier"] == tier]
        return len(found), total(found)

    names = [*tier_order(before, after), "unknown"]
    sizes = [TierSize(name, *size(scores[0], name), *size(scores[1], name)) for name in names]
    return tuple(s for s in sizes if s.tier != "unknown" or s.accounts_before or s.accounts_after)


def _changes(before: ReportData, after: ReportData, scores: Sequence[Mapping[str, Record]]) -> tuple[TierChange, ...]:
    place = {name: position for position, name in enumerate(tier_order(before, after))}
    points = [_points(data) for data in (before, after)]
    found = []
    for account in {*scores[0], *scores[1]}:
        was, now = (side.get(account) for side in scores)
        tier_before, tier_after = (_text(row["health_tier"]) if row else None for row in (was, now))
        if tier_before == tier_after:
            continue
        places = place.get(tier_before or ""), place.get(tier_after or "")
        row = now or was or {}
        found.append(
            TierChange(
                account_id=account,
                account_name=_text(row.get("account_name")),
                current_arr=float(row["current_arr"]),
                tier_before=tier_before,
                tier_after=tier_after,
                score_before=_number(was["health_score"]) if was else None,
                score_after=_number(now["health_score"]) if now else None,
                steps=0 if places[0] is None or places[1] is None else places[0] - places[1],
                moved=_moved(points[0].get(account, {}), points[1].get(account, {}), after) if was and now else (),
            )
        )
    return tuple(sorted(found, key=lambda change: (-change.current_arr, change.account_id)))


def _points(data: ReportData) -> dict[str, dict[str, float]]:
    """Account: the points of each signal."""
    found: dict[str, dict[str, float]] = {}
    for row in records(data["health_score_drivers"]):
        found.setdefault(str(row["account_id"]), {})[str(row["signal"])] = float(row["points"])
    return found


def _moved(before: Mapping[str, float], after: Mapping[str, float], data: ReportData) -> tuple[tuple[str, float], ...]:
    """The labels of the signals that moved a score most toward where it went, with their points."""
    gaps = {signal: after.get(signal, 0.0) - before.get(signal, 0.0) for signal in dict.fromkeys([*after, *before])}
    way = sum(gaps.values())
    toward = [(signal, gap) for signal, gap in gaps.items() if gap * way > 0 and abs(gap) >= LEAST_POINTS]
    first = sorted(toward, key=lambda moved: (-abs(moved[1]), moved[0]))[:MOST_NAMED]
    return tuple((data.labels.signal(signal, signal), gap) for signal, gap in first)


def _healthy(data: ReportData) -> int:
    scores = data["customer_health_scores"]
    return int(is_true(scores["is_healthy"]).sum()) if len(scores) else 0


def _list(before: ReportData, after: ReportData) -> tuple[Listed, ...]:
    was, now = (_by_account(data, "cs_intervention_list") for data in (before, after))
    due_before, due_after = (_by_account(data, "renewal_pipeline") for data in (before, after))
    found = [
        Listed(
            account_id=account,
            account_name=_text(row["account_name"]),
            current_arr=float(row["current_arr"]),
            rank_before=int(was[account]["priority_rank"]) if account in was else None,
            rank_after=int(now[account]["priority_rank"]) if account in now else None,
            risk_before=_text(due_before.get(account, {}).get("renewal_risk")),
            risk_after=_text(due_after.get(account, {}).get("renewal_risk")),
            loss_before=float(was[account]["expected_arr_loss"]) if account in was else 0.0,
            loss_after=float(now[account]["expected_arr_loss"]) if account in now else 0.0,
        )
        for account, row in (was | now).items()
    ]
    last = len(found) + 1
    return tuple(sorted(found, key=lambda row: (row.rank_after or last, row.rank_before or last)))


def _risk_changes(before: ReportData, after: ReportData) -> tuple[int, float]:
    was, now = (_by_account(data, "renewal_pipeline") for data in (before, after))
    changed = [row for a, row in now.items() if a in was and was[a]["renewal_risk"] != row["renewal_risk"]]
    return len(changed), total(row["current_arr"] for row in changed)


def _outlook(before: ReportData, after: ReportData) -> tuple[Scenario, ...]:
    sides = []
    for data in (before, after):
        rows = data["nrr_outlook"]
        sides.append({row["scenario"]: row for row in records(rows) if row["segment"] == ALL_SEGMENTS})
    return tuple(
        Scenario(
            name,
            *(_number(side.get(name, {}).get(column)) for column in ("nrr_pct", "book_nrr_pct") for side in sides),
        )
        for name in dict.fromkeys([*sides[1], *sides[0]])
    )


def _number(value: Any) -> float | None:
    return None if is_missing(value) else float(value)


def _text(value: Any) -> str | None:
    return None if is_missing(value) else str(value)
