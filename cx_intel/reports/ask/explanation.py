"""An account explained: why it has its score, what moved, what to do, its renewal and its money, as the accounts page has it.

Every figure is taken from what the pages show (`cx_intel.reports.data.account.details`); here it is put in order. Which
account is meant is found in `accounts.py`.
"""

from datetime import UTC, date, datetime

from cx_intel.reports.ask.answer import Answer, NoAnswer, Section, known_day
from cx_intel.reports.charts.drawing.palette import tier_marks
from cx_intel.reports.data.account.details import Detail, account_details, axes, driver_words
from cx_intel.reports.data.reading import read_report_data
from cx_intel.reports.data.report_data import ReportData, records
from cx_intel.reports.data.signals import main_reasons
from cx_intel.reports.data.terms import MOVEMENTS
from cx_intel.reports.data.trust import trust_of
from cx_intel.reports.words.labels import in_english
from cx_intel.reports.words.rounding import is_missing
from cx_intel.settings.portfolio import Portfolio
from cx_intel.warehouse.protocol import Warehouse

SCORES_SHOWN = 8
"""Weeks whose score is shown."""


def explain(warehouse: Warehouse, portfolio: Portfolio, account_id: str, as_of: date | None = None) -> Answer:
    """What is known of an account at a day, in English.

    Args:
        warehouse: The open warehouse, or a published copy.
        portfolio: Its settings.
        account_id: The account.
        as_of: The day; default: the newest that has a snapshot.

    Raises:
        NoAnswer: There is no such account, or no snapshot of that day.
    """
    day = known_day(warehouse, as_of)
    data = read_report_data(warehouse, in_english(portfolio), day, datetime.now(UTC), account=account_id)
    if data["dim_account"].empty:
        raise NoAnswer(f"There is no account {account_id!r} in {portfolio.name}.")
    (detail,) = account_details(data, [account_id])
    sections = (
        Section("Renewal and what to do", _pairs(detail.get("renewal")), lines=_without_renewal(data, detail)),
        _drivers(data, detail),
        _moves(detail),
        _scores(data, detail),
        _mrr(data),
        _tickets(detail),
        Section("About", _pairs(detail.get("facts"))),
        Section("How far to trust it", lines=_trust(data, has_quarantine=warehouse.exists("quarantine"))),
    )
    return Answer(
        f"{_name(data)} as of {data.language.day(day)} ({portfolio.name})",
        _summary(data),
        tuple(section for section in sections if section.rows or section.lines),
    )


def _trust(data: ReportData, *, has_quarantine: bool) -> tuple[str, ...]:
    """The verdict of the pages; a published copy does not have what is in quarantine, so that nothing is said of it."""
    trust = trust_of(data)
    if has_quarantine or trust.level != "good":
        return tuple(trust.sentences(data.language))
    day, rules = data.language.day(data.as_of), data.language.number(trust.rules)
    return (
        f"All sources are fresh, and all {rules} rules hold as of {day}. The published copy does not tell what is in quarantine.",
    )


def _name(data: ReportData) -> str:
    (row,) = records(data["dim_account"])
    return str(row["account_id"] if is_missing(row["account_name"]) else f"{row['account_name']}, {row['account_id']}")


def _summary(data: ReportData) -> tuple[str, ...]:
    """Who looks after it, what it pays, its score and what costs it most."""
    f = data.language
    (account,) = records(data["dim_account"])
    lines = [f"Owner: {account['owner']}. Segment: {account['segment']}. ARR {f.money(account['current_arr'])}."]
    shown = {mark.name: mark.label for mark in tier_marks(data.portfolio)}
    for row in records(data["customer_health_scores"]):
        if is_missing(row["health_score"]):
            lines.append("Health: no signal was measured, so there is no score.")
            continue
        held = " The tier is held, because a source is silent." if row["is_frozen"] else ""
        why = main_reasons(data).get(row["account_id"])
        costs = f" What loses most points: {why}." if why else ""
        tier = shown.get(row["health_tier"], row["health_tier"])
        measured = f.percent(row["coverage_pct"], 0)
        lines.append(
            f"Health: {f.number(row['health_score'], 1)} of 100, {tier}; {measured} of it measured.{held}{costs}"
        )
    if data.portfolio.health and data["customer_health_scores"].empty:
        lines.append("Health: the account is not in the health population, so it has no score.")
    return tuple(lines)


def _pairs(facts: list[list[str]] | None) -> tuple[tuple[str, ...], ...]:
    return tuple((label, value) for label, value in facts or ())


def _without_renewal(data: ReportData, detail: Detail) -> tuple[str, ...]:
    if "renewal" in detail or not data.portfolio.renewals:
        return ()
    return ("No renewal within 270 days.",)


def _drivers(data: ReportData, detail: Detail) -> Section:
    found = []
    for driver in detail.get("drivers", ()):
        *_, points, of, _ = driver
        found.append((*driver_words(data, driver), points, max(0.0, round(of - points, 2))))
    worst = sorted(found, key=lambda row: -row[-1])
    rows = tuple((label, words, f"{points:.1f}", f"{lost:.1f}") for label, words, points, lost in worst)
    return Section("What makes the score, the costliest first", rows, ("signal", "value", "points", "lost"))


def _moves(detail: Detail) -> Section:
    lines = []
    for move in detail.get("moves", ()):
        before, after = move["tiers"]
        tiers = "" if before == after else f", {before} → {after}"
        lines.append(f"Since {move['since']}: {move['change']} points{tiers}")
        lines += [f"  {what} {change}" + (f" ({note})" if note else "") for what, change, note in move["parts"]]
    return Section("What moved", lines=(*lines, *detail.get("events", ())))


def _scores(data: ReportData, detail: Detail) -> Section:
    weeks, scores, tiers = detail.get("score", ((), (), ()))
    named = axes(data)
    rows = [
        (named["days"][str(week)][1], data.language.number(score, 1), named["tiers"][tier])
        for week, score, tier in zip(weeks, scores, tiers, strict=True)
    ]
    return Section("Score over time", tuple(rows[-SCORES_SHOWN:]), ("day", "score", "tier"))


def _mrr(data: ReportData) -> Section:
    """The months in which the MRR moved, and the newest."""
    f, ledger = data.language, data["fct_revenue"]
    if ledger.empty:
        return Section("Money")
    ledger = ledger.sort_values("revenue_month")
    moved = ledger[(ledger["revenue_movement"] != "flat") | (ledger["revenue_month"] == ledger["revenue_month"].max())]
    rows = tuple(
        (
            f.month(row["revenue_month"]),
            f.money(row["mrr"], 2),
            MOVEMENTS.get(row["revenue_movement"], row["revenue_movement"]),
            f.signed_money(row["net_mrr_change"], 2),
        )
        for row in records(moved)
    )
    return Section("Money: months in which MRR moved, and the newest", rows, ("month", "MRR", "movement", "change"))


def _tickets(detail: Detail) -> Section:
    found = detail.get("tickets")
    if not found:
        return Section("Tickets")
    figures = ", ".join(f"{label} {value}" for label, value in found["figures"])
    headings = ("ticket", "created", "priority", "category", "status", "rating", "")
    rows = tuple(tuple(row) for row in found["rows"])
    return Section("Tickets: unresolved ones first, then those of 90 days", rows, headings, (figures,))
