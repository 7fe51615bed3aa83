"""What differs between two days that have a snapshot: money, customers, scores and why, tiers, renewals, the list of calls.

Scores are compared by the model of `health_score_changes` itself, over these two days alone; what became of accounts is
the brief's to say (`cx_intel.reports.brief.facts`). How each day's figures came about stands in the tables of that day.
"""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import ibis
import ibis.expr.types as ir
import pandas as pd

from cx_intel.contracts.catalog import contract_of
from cx_intel.models.health.changes import health_score_change_drivers, health_score_changes
from cx_intel.reports.ask.answer import Answer, NoAnswer, Section, known_day, of_days
from cx_intel.reports.brief.facts import Facts, Record, facts_of, name_of
from cx_intel.reports.charts.drawing.palette import tier_marks
from cx_intel.reports.data.figures.arr import ARR, arr_figures
from cx_intel.reports.data.reading import read_report_data
from cx_intel.reports.data.report_data import ReportData, records, total
from cx_intel.reports.data.signals import event_words
from cx_intel.reports.data.terms import fitting
from cx_intel.reports.words.labels import in_english
from cx_intel.reports.words.language import MISSING
from cx_intel.settings.portfolio import Portfolio
from cx_intel.warehouse.protocol import Warehouse

TABLES = (
    "account_snapshot",
    "customer_health_scores",
    "renewal_pipeline",
    "cs_intervention_list",
    "lifecycle_events",
    "nrr_summary",
)
"""What is read of both days."""
NAMED = 10
"""Accounts that are named in a section; the others are counted."""


def difference(warehouse: Warehouse, portfolio: Portfolio, first: date, last: date) -> Answer:
    """What changed from one day to another, in English.

    Args:
        warehouse: The open warehouse, or a published copy that keeps both days.
        portfolio: Its settings.
        first: The earlier day.
        last: The later one.

    Raises:
        NoAnswer: There is no snapshot of one of them, or they are not in order.
    """
    if first >= last:
        raise NoAnswer(f"{first} is not before {last}: give the earlier day first.")
    then, now = (_read(warehouse, portfolio, known_day(warehouse, day)) for day in (first, last))
    now = _compared(warehouse, portfolio, then, now)
    facts = facts_of(now, first, falls=NAMED + 1, rises=NAMED + 1)
    sections = (
        _figures(then, now),
        _came_and_went(then, now),
        _money(then, now),
        score_section("Scores that fell most", facts.falls, now),
        score_section("Scores that rose most", facts.rises, now),
        _tiers(then, now),
        _risks(then, now),
        _list(facts, now),
        event_section("Lifecycle events", now.week_events, now),
    )
    day = now.language.day
    return Answer(
        f"{portfolio.name}: from {day(first)} to {day(last)}",
        (arr_figures(now).reconciled(now.language),),
        tuple(section for section in sections if section.rows or section.lines),
    )


def _read(warehouse: Warehouse, portfolio: Portfolio, day: date) -> ReportData:
    return read_report_data(warehouse, in_english(portfolio), day, datetime.now(UTC), tables=TABLES, with_state=False)


def _compared(warehouse: Warehouse, portfolio: Portfolio, then: ReportData, now: ReportData) -> ReportData:
    """The later day with everything that compares it told against the earlier one."""
    days, frames = (then.as_of, now.as_of), dict(now.frames)

    def history(table: str) -> ir.Table:
        if not warehouse.exists(table):
            return contract_of(table, portfolio).no_rows()
        return of_days(warehouse.table(table), *days)

    if portfolio.health and warehouse.exists("customer_health_scores"):
        changes = health_score_changes(history("customer_health_scores"), portfolio=portfolio, as_of=now.as_of)
        drivers = health_score_change_drivers(
            changes,
            history("health_score_drivers"),
            history("account_signals"),
            history("account_snapshot"),
            portfolio=portfolio,
            as_of=now.as_of,
        )
        frames["health_score_changes"] = _frame(warehouse, changes)
        frames["health_score_change_drivers"] = _frame(warehouse, drivers)
    events = now["lifecycle_events"].head(0)
    if warehouse.exists("lifecycle_events"):
        table = warehouse.table("lifecycle_events")
        since = ibis.literal(then.as_of + timedelta(days=1))
        events = _frame(warehouse, table.filter(table.as_of.between(since, ibis.literal(now.as_of))))
    return replace(now, frames=frames, listed_before=then["cs_intervention_list"], week_events=events)


def _frame(warehouse: Warehouse, rows: ir.Table) -> pd.DataFrame:
    """The rows with days as days, as `ReportData` has them."""
    return pd.DataFrame(warehouse.rows(rows), columns=list(rows.columns))


def _figures(then: ReportData, now: ReportData) -> Section:
    f = now.language
    rows = []

    def add(label: str, before: float, after: float, *, money: bool = True) -> None:
        written, signed = (
            (f.money, f.signed_money) if money else (f.number, lambda gap: f.signed(gap, f.number(abs(gap))))
        )
        rows.append((label, written(before), written(after), signed(after - before)))

    before, after = arr_figures(then), arr_figures(now)
    add(ARR, before.book, after.book)
    add("Paying customers", before.payers, after.payers, money=False)
    if now.portfolio.renewals:
        exposed = (total(data["renewal_pipeline"]["exposed_arr"]) for data in (then, now))
        add("Exposed ARR, next 90 days", *exposed)
        add("Accounts to call", *(len(data.to_call) for data in (then, now)), money=False)
        add("Expected loss on the list", *(total(data.to_call["expected_arr_loss"]) for data in (then, now)))
    for mark in tier_marks(now.portfolio) if now.portfolio.health else ():
        counts = [int((data["customer_health_scores"]["health_tier"] == mark.name).sum()) for data in (then, now)]
        if any(counts):
            add(f"Tier {mark.label}", *counts, money=False)
    return Section("Figures", tuple(rows), ("", str(then.as_of), str(now.as_of), "change"))


def _came_and_went(then: ReportData, now: ReportData) -> Section:
    f, books = now.language, [{row["account_id"]: row for row in records(data.book)} for data in (then, now)]
    came = [row for account, row in books[1].items() if account not in books[0]]
    went = [row for account, row in books[0].items() if account not in books[1]]
    rows = [
        (what, name_of(row), f.money(row["current_arr"]))
        for what, found in (("came", came), ("went", went))
        for row in sorted(found, key=lambda row: (-row["current_arr"], row["account_id"]))
    ]
    return _section("Customers that came and went", rows, ("", "account", "ARR"))


def _money(then: ReportData, now: ReportData) -> Section:
    """Those who paid on both days and pay something else."""
    f, before = now.language, {row["account_id"]: row["current_arr"] for row in records(then.book)}
    moved = [
        (row["current_arr"] - before[row["account_id"]], row, before[row["account_id"]])
        for row in records(now.book)
        if row["account_id"] in before and row["current_arr"] != before[row["account_id"]]
    ]
    rows = [
        (name_of(row), f.money(was), f.money(row["current_arr"]), f.signed_money(gap))
        for gap, row, was in sorted(moved, key=lambda found: (-abs(found[0]), found[1]["account_id"]))
    ]
    return _section("Customers whose ARR changed", rows, ("account", "before", "now", "change"))


def score_section(title: str, moved: Iterable[Record], now: ReportData) -> Section:
    """Accounts whose score moved, each with why."""
    f = now.language
    rows = [
        (
            name_of(row),
            f"{f.number(row['score_from'], 1)} → {f.number(row['score_to'], 1)}",
            f.points(row["health_score_change"]),
            row["why"] or MISSING,
        )
        for row in moved
    ]
    return Section(title, tuple(rows[:NAMED]), ("account", "score", "points", "why"))


def _tiers(then: ReportData, now: ReportData) -> Section:
    return _changes("Tiers that changed", "customer_health_scores", "health_tier", then, now)


def _risks(then: ReportData, now: ReportData) -> Section:
    return _changes("Renewal risks that changed", "renewal_pipeline", "renewal_risk", then, now)


def _changes(title: str, table: str, column: str, then: ReportData, now: ReportData) -> Section:
    """Accounts in which a column differs, the largest first."""
    called = {mark.name: mark.label for mark in tier_marks(now.portfolio)}
    before = {row["account_id"]: row[column] for row in records(then[table])}
    moved = [
        (row, before[row["account_id"]])
        for row in records(now[table])
        if row["account_id"] in before and row[column] != before[row["account_id"]]
    ]
    ordered = sorted(moved, key=lambda found: (-found[0]["current_arr"], found[0]["account_id"]))
    rows = [
        (
            name_of(row),
            " → ".join(called.get(level, level) for level in (was, row[column])),
            now.language.money(row["current_arr"]),
        )
        for row, was in ordered
    ]
    return _section(title, rows, ("account", "change", "ARR"))


def _list(facts: Facts, now: ReportData) -> Section:
    money = now.language.money
    joined = [("new", name_of(row), f"{money(row['expected_arr_loss'])} expected loss") for row in facts.joined]
    left = [("off", name_of(row), str(row["became"])) for row in facts.left]
    return _section("The intervention list", [*joined, *left], ("", "account", ""))


def event_section(title: str, events: pd.DataFrame, now: ReportData) -> Section:
    """Lifecycle events by day, each with its account."""
    names = {row["account_id"]: row["account_name"] for row in records(now["account_snapshot"])}
    told = sorted(records(events), key=lambda row: (row["as_of"], row["account_id"]))
    rows = [
        (str(row["as_of"]), name_of({"account_name": names.get(row["account_id"])} | row), event_words(now, row))
        for row in told
    ]
    return _section(title, rows, ("day", "account", "what"))


def _section(title: str, rows: Sequence[tuple[str, ...]], headings: tuple[str, ...]) -> Section:
    shown, left = fitting(rows, NAMED)
    return Section(title, tuple(shown), headings, (f"The first {len(shown)} of {len(rows)}.",) if left else ())
