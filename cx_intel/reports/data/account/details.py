"""Everything about each account, ready to be shown when it is opened: texts in the portfolio's formats, rows of charts.

The page packs these by the hundred and unpacks those of one account. Which accounts are listed, and the table itself,
stand in `pages.accounts`.
"""

from collections import defaultdict
from collections.abc import Collection
from dataclasses import replace
from typing import Any

import pandas as pd

from cx_intel.reports.charts.drawing.palette import tier_marks
from cx_intel.reports.data.account.contacts import contacts_of
from cx_intel.reports.data.account.links import account_links
from cx_intel.reports.data.notes.interventions import action_words, newest_actions
from cx_intel.reports.data.report_data import ReportData, is_true, records
from cx_intel.reports.data.signals import change_parts, event_words, signal_words, yes_or_no_signals
from cx_intel.reports.data.terms import MOVED, PROBABILITY_SOURCES, due_in
from cx_intel.reports.words.catalogue import term
from cx_intel.reports.words.language import MISSING, Language, iso
from cx_intel.reports.words.rounding import is_missing, rounded, rounded_all

SHOWN = (
    "dim_account",
    "dim_contact",
    "health_score_drivers",
    "health_score_changes",
    "health_score_change_drivers",
    "fct_revenue",
    "fct_tickets",
    "cs_intervention_list",
    "actions",
    "renewal_pipeline",
    "lifecycle_events",
)
"""The tables of which an account's rows are shown."""
TICKETS_SHOWN, EVENTS_SHOWN, MOVES_SHOWN = 8, 5, 6
FACTS = (
    ("segment", term("Segment")),
    ("industry", term("Industry")),
    ("country", term("Country")),
    ("region", term("Region")),
    ("plan_tier", term("Plan")),
    ("status", term("Status")),
    ("lifecycle_stage", term("Stage")),
    ("employee_count", term("Employees")),
)

Detail = dict[str, Any]
NamedDetails = tuple[str, dict[str, Any]]
"""What it is called in a detail, and the accounts that have it."""


def account_details(data: ReportData, ids: list[str]) -> list[Detail]:
    """The detail of each account, in the order of the ids. What happens over time is told by places on `axes`."""
    data = _only(data, set(ids))
    parts = [
        _facts(data),
        contacts_of(data),
        _scores(data),
        _drivers(data),
        _moves(data),
        _mrr(data),
        _tickets(data),
        _renewals(data),
        _events(data),
        ("links", account_links(data, ids)),
    ]
    return [{key: part[account] for key, part in parts if account in part} for account in ids]


def _only(data: ReportData, ids: Collection[str]) -> ReportData:
    """The same book, with the rows of these accounts alone."""

    def chosen(frame: pd.DataFrame) -> pd.DataFrame:
        return frame[frame["account_id"].isin(ids)] if "account_id" in frame.columns else frame

    lines = {account: line for account, line in data.scores.lines.items() if account in ids}
    frames = {table: chosen(frame) if table in SHOWN else frame for table, frame in data.frames.items()}
    return replace(data, frames=frames, scores=replace(data.scores, lines=lines))


def _facts(data: ReportData) -> NamedDetails:
    f = data.language
    attributes = [(a, data.labels.attribute(a)) for a in data.portfolio.account_attributes]
    named = [*FACTS, *(pair for pair in attributes if pair[0] not in dict(FACTS))]
    found = {}
    for row in records(data["dim_account"]):
        facts = [
            [f.say(label), _text(f, row[column])]
            for column, label in named
            if column in row and not is_missing(row[column])
        ]
        facts.append([f.say("Customer since"), f.day(row["signup_date"])])
        facts.append([f.say("MRR now"), f.money(row["current_mrr"], 2)])
        found[str(row["account_id"])] = facts
    return "facts", found


def _text(f: Language, value: Any) -> str:
    if isinstance(value, int | float) and not isinstance(value, bool):
        return f.number(value)
    return str(value).replace("|", ", ")


def axes(data: ReportData) -> dict[str, Any]:
    """What details point to: days and months, each as it is sorted and as it is shown, and the names of tiers."""
    days = {str(week): [iso(day), data.language.day(day)] for week, day in data.scores.days.items()}
    shown = {mark.name: mark.label for mark in tier_marks(data.portfolio)}
    months = [[str(month), data.language.month(month)] for month in _months(data)]
    tiers = [shown.get(tier, tier) for tier in data.scores.tiers]
    movements = [data.language.say(label) for label in MOVED.values()]
    return {"days": days, "months": months, "tiers": tiers, "signals": _signals(data), "movements": movements}


def _signals(data: ReportData) -> list[list[Any]]:
    """What drivers point to: label, unit, that unit after 1, and whether the signal is read as yes or no."""
    yes_or_no, f = yes_or_no_signals(data), data.language
    told = _driver_rows(data)
    if told.empty:
        return []
    told = told.drop_duplicates("signal")
    units = ["" if is_missing(unit) else str(unit) for unit in told["unit"]]
    named = zip(told["signal"], told["label"], units, strict=True)
    return [[str(label), unit, f.unit_after_one(unit), signal in yes_or_no] for signal, label, unit in named]


def _driver_rows(data: ReportData) -> pd.DataFrame:
    frame = data["health_score_drivers"]
    return frame.sort_values("signal_order") if len(frame) else frame


def _months(data: ReportData) -> list[Any]:
    ledger = data["fct_revenue"]
    return sorted(ledger["revenue_month"].unique()) if len(ledger) else []


def _scores(data: ReportData) -> NamedDetails:
    """Weeks before the day, scores, and places among the tiers."""
    return "score", {account: list(line) for account, line in data.scores.lines.items()}


def _drivers(data: ReportData) -> NamedDetails:
    """Of each signal that applies: its place on `axes`; value and benchmark with as many decimals as are shown; points had
    and to be had; 1 where its source is silent. `driver_words` and the page put them into words.
    """
    found: dict[str, Any] = defaultdict(list)
    frame = _driver_rows(data)
    if frame.empty:
        return "drivers", found
    places = {signal: place for place, signal in enumerate(frame["signal"].drop_duplicates())}
    frame = frame[is_true(frame["is_applicable"])]
    columns = (
        frame["account_id"],
        frame["signal"],
        *(_shown(frame[name]) for name in ("value", "benchmark")),
        rounded_all(frame["points"], 2),
        rounded_all(100 * frame["weight"], 2),
        is_true(frame["is_stale"]),
    )
    for account, signal, value, benchmark, points, of, silent in zip(*(c.tolist() for c in columns), strict=True):
        found[str(account)].append([places[signal], value, benchmark, points, of, int(silent)])
    return "drivers", found


def _shown(values: pd.Series) -> pd.Series:
    """Numbers with the decimals that a reader sees (`Language.short_number`); None where there is none."""
    amounts = pd.to_numeric(values)
    shown = rounded_all(amounts, amounts.abs().lt(1).astype(int) + 1)
    return pd.Series([None if is_missing(value) else value for value in shown.tolist()], shown.index, dtype="object")


def driver_words(data: ReportData, driver: list[Any]) -> tuple[str, str]:
    """The label of a driver's signal, and its value with its benchmark and whether its source is silent."""
    place, value, benchmark, _, _, silent = driver
    label, unit, _, boolean = _signals(data)[place]
    row = {"label": "", "value": value, "unit": unit, "benchmark": benchmark}
    words = signal_words(data.language, row, is_boolean=boolean).strip(": ")
    return label, ", ".join([words, data.language.say("source silent")]) if silent else words


def _moves(data: ReportData) -> NamedDetails:
    """Against each compared day: the change and what made it."""
    changes, f = data["health_score_changes"], data.language
    found: dict[str, Any] = defaultdict(list)
    if changes.empty:
        return "moves", found
    shown, by_change = {m.name: m.label for m in tier_marks(data.portfolio)}, change_parts(data, changes)
    for row in records(changes.sort_values("compared_as_of", ascending=False)):
        account = str(row["account_id"])
        parts = by_change.get((account, row["compared_as_of"]), [])
        found[account].append(
            {
                "since": f.day(row["compared_as_of"]),
                "change": f.points(row["health_score_change"]),
                "tiers": [shown.get(row[side], row[side]) for side in ("tier_from", "tier_to")],
                "parts": [[part.words, f.points(part.points), part.note] for part in parts[:MOVES_SHOWN]],
            }
        )
    return "moves", found


def _mrr(data: ReportData) -> NamedDetails:
    """Places among the months, the MRR of each, and what moved it: place in these lists, movement, and MRR before."""
    found: dict[str, Any] = defaultdict(lambda: [[], [], []])
    movements = {movement: place for place, movement in enumerate(MOVED)}
    places = {month: place for place, month in enumerate(_months(data))}
    ledger = data["fct_revenue"]
    if len(ledger):
        ledger = ledger.sort_values("revenue_month")
        shown = rounded_all(ledger["mrr"]).astype(int).tolist()
        before = rounded_all(ledger["previous_mrr"], 2).tolist()
        columns = (ledger["account_id"].tolist(), ledger["revenue_month"], shown, ledger["revenue_movement"].tolist())
        for account, month, mrr, movement, previous, exact in zip(
            *columns, before, rounded_all(ledger["mrr"], 2).tolist(), strict=True
        ):
            months, amounts, moves = found[account]
            if movement in movements:
                moves.append([len(months), movements[movement], previous, exact])
            months.append(places[month])
            amounts.append(mrr)
    return "mrr", found


def _tickets(data: ReportData) -> NamedDetails:
    f = data.language
    found: dict[str, Any] = {}
    for row in records(data["dim_account"]) if data.has("fct_tickets") else ():
        figures = [
            [f.say("Unresolved"), f.number(row["open_tickets"])],
            [f.say("In all"), f.number(row["lifetime_tickets"])],
            [f.say("Late in all"), f.number(row["sla_breaches"])],
            [f.say("Mean rating"), f.number(row["avg_csat"], 2)],
            [f.say("Mean hours to resolve"), f.number(row["avg_resolution_hours"], 1)],
        ]
        found[str(row["account_id"])] = {"figures": figures, "rows": []}
    tickets = data["fct_tickets"]
    if len(tickets):
        tickets = tickets.assign(closed=tickets["resolved_at"].notna())
        tickets = tickets.sort_values(["closed", "created_at"], ascending=[True, False])
        for row in records(tickets.groupby("account_id", sort=False).head(TICKETS_SHOWN)):
            if (kept := found.get(str(row["account_id"]))) is not None:
                parts = (
                    row["priority"],
                    row["category"],
                    None if is_missing(row["status"]) else f.say(str(row["status"])),
                )
                texts = [MISSING if is_missing(part) else str(part) for part in parts]
                rating = f.number(row["satisfaction_score"], 0)
                is_late = not is_missing(row["is_sla_breach"]) and row["is_sla_breach"]
                late = f.say("late") if is_late else ""
                kept["rows"].append([str(row["ticket_id"]), f.day(row["created_date"]), *texts, rating, late])
    return "tickets", found


def _renewals(data: ReportData) -> NamedDetails:
    f, say = data.language, data.language.say
    found: dict[str, Any] = {}
    sources = {name: say(words) for name, words in PROBABILITY_SOURCES.items()}
    listed = {str(row["account_id"]): row for row in records(data["cs_intervention_list"])}
    newest = records(newest_actions(data))
    acted = {(str(row["account_id"]), row["renewal_date"]): action_words(f, row) for row in newest}
    for row in records(data["renewal_pipeline"]):
        account = str(row["account_id"])
        facts = [
            [say("Renews on"), f"{f.day(row['renewal_date'])}, {due_in(f, row['days_to_renewal'])}"],
            [say("Renewal risk"), say(str(row["renewal_risk"]))],
            [
                say("Renews with probability"),
                f"{f.percent(100 * row['renewal_probability'], 0)}, {sources[row['probability_from']]}",
            ],
            [say("ARR"), f.money(row["current_arr"])],
            [say("Exposed ARR"), f.money(row["exposed_arr"])],
            [say("Expected loss"), f.money(row["expected_arr_loss"])],
            [say("Playbook"), str(row["recommended_playbook"])],
        ]
        if call := listed.get(account):
            text = say("number {n}, due by {day}", n=f.number(call["priority_rank"]), day=f.day(call["due_date"]))
            if call["is_held_out"] is True:
                text = say("held out by lot, to see whether calls help: not to be called")
            elif not call["is_within_capacity"]:
                text = ", ".join([text, say("beyond the capacity of the owner")])
            facts.append([say("Intervention"), text])
        if (account, row["renewal_date"]) in acted:
            facts.append([say("What was done"), acted[account, row["renewal_date"]]])
        found[account] = facts
    return "renewal", found


def _events(data: ReportData) -> NamedDetails:
    found: dict[str, Any] = defaultdict(list)
    events = data["lifecycle_events"]
    for row in records(events):
        kept = found[str(row["account_id"])]
        if len(kept) < EVENTS_SHOWN:
            kept.append(event_words(data, row))
    return "events", found


def week_change(changes: pd.DataFrame) -> dict[str, float]:
    """The change of each account's score as it is shown: rounded once, as in the detail."""
    shown = zip(changes["account_id"], changes["health_score_change"], strict=True)
    return {str(account): float(rounded(change, 1)) for account, change in shown}
