"""Everything about each account, ready to be shown when it is opened: texts in the portfolio's formats, rows of charts.

The page packs these by the hundred and unpacks those of one account. Which accounts are listed, and the table itself,
stand in `pages.accounts`.
"""

from collections import defaultdict
from collections.abc import Collection
from dataclasses import replace
from typing import Any

import pandas as pd

from cx_intel.models.expressions.wording import boolean_signals
from cx_intel.reports.data.reasons import labels_of, signal_value, signal_words
from cx_intel.reports.data.report_data import Book, records
from cx_intel.reports.words.formats import MISSING, Formats, is_missing, iso

SHOWN = (
    "dim_account",
    "health_score_drivers",
    "health_score_changes",
    "health_score_change_drivers",
    "fct_revenue",
    "fct_tickets",
    "cs_intervention_list",
    "renewal_pipeline",
    "lifecycle_events",
)
"""The tables of which an account's rows are shown."""
TICKETS_SHOWN, EVENTS_SHOWN, MOVES_SHOWN = 8, 5, 6
FACTS = (
    ("segment", "Segment"),
    ("industry", "Industry"),
    ("country", "Country"),
    ("region", "Region"),
    ("plan_tier", "Plan"),
    ("status", "Status"),
    ("lifecycle_stage", "Stage"),
    ("employee_count", "Employees"),
)

Detail = dict[str, Any]
Part = tuple[str, dict[str, Any]]
"""What it is called in a detail, and the accounts that have it."""


def account_details(book: Book, ids: list[str]) -> list[Detail]:
    """The detail of each account, in the order of the ids. What happens over time is told by places on `axes`."""
    book = _only(book, set(ids))
    parts = [
        _facts(book),
        _scores(book),
        _drivers(book),
        _moves(book),
        _mrr(book),
        _tickets(book),
        _renewals(book),
        _events(book),
    ]
    return [{key: part[account] for key, part in parts if account in part} for account in ids]


def _only(book: Book, ids: Collection[str]) -> Book:
    """The same book, with the rows of these accounts alone."""

    def chosen(frame: pd.DataFrame) -> pd.DataFrame:
        return frame[frame["account_id"].isin(ids)] if "account_id" in frame.columns else frame

    lines = {account: line for account, line in book.scores.lines.items() if account in ids}
    frames = {table: chosen(frame) if table in SHOWN else frame for table, frame in book.frames.items()}
    return replace(book, frames=frames, scores=replace(book.scores, lines=lines))


def _facts(book: Book) -> Part:
    f = book.formats
    attributes = [(a, a.replace("_", " ").capitalize()) for a in book.portfolio.account_attributes]
    named = [*FACTS, *(pair for pair in attributes if pair[0] not in dict(FACTS))]
    found = {}
    for row in book["dim_account"].to_dict("records"):
        facts = [
            [label, _text(f, row[column])] for column, label in named if column in row and not is_missing(row[column])
        ]
        facts.append(["Customer since", f.day(row["signup_date"])])
        facts.append(["MRR now", f.money(row["current_mrr"], 2)])
        found[str(row["account_id"])] = facts
    return "facts", found


def _text(f: Formats, value: Any) -> str:
    if isinstance(value, int | float) and not isinstance(value, bool):
        return f.number(value)
    return str(value).replace("|", ", ")


def axes(book: Book) -> dict[str, Any]:
    """What details point to: days and months, each as it is sorted and as it is shown, and the names of tiers."""
    days = {str(week): [iso(day), book.formats.day(day)] for week, day in book.scores.days.items()}
    months = [[str(month), book.formats.month(month)] for month in _months(book)]
    return {"days": days, "months": months, "tiers": list(book.scores.tiers)}


def _months(book: Book) -> list[Any]:
    ledger = book["fct_revenue"]
    return sorted(ledger["revenue_month"].unique()) if len(ledger) else []


def _scores(book: Book) -> Part:
    """Weeks before the day, scores, and places among the tiers."""
    return "score", {account: list(line) for account, line in book.scores.lines.items()}


def _drivers(book: Book) -> Part:
    found: dict[str, Any] = defaultdict(list)
    yes_or_no, f = set(boolean_signals(book.portfolio)), book.formats
    frame = book["health_score_drivers"]
    for row in records(frame.sort_values("signal_order") if len(frame) else frame):
        if not row["is_applicable"]:
            continue
        words = signal_words(f, row, is_boolean=row["signal"] in yes_or_no).removeprefix(row["label"]).strip(": ")
        if row["is_stale"]:
            words += ", source silent"
        found[str(row["account_id"])].append(
            {
                "label": row["label"],
                "words": words,
                "points": round(float(row["points"]), 2),
                "of": round(100 * float(row["weight"]), 2),
            }
        )
    return "drivers", found


def _moves(book: Book) -> Part:
    """Against each compared day: the change and the signals that made it."""
    changes, drivers, f = book["health_score_changes"], book["health_score_change_drivers"], book.formats
    found: dict[str, Any] = defaultdict(list)
    if changes.empty:
        return "moves", found
    labels, yes_or_no = labels_of(book), set(boolean_signals(book.portfolio))
    by_change: dict[tuple[str, Any], list[list[str]]] = defaultdict(list)
    moved = drivers[drivers["points_change"].abs() >= 0.05]
    moved = moved.assign(size=moved["points_change"].abs()).sort_values(["size", "signal"], ascending=[False, True])
    for row in moved.to_dict("records"):
        parts = by_change[(str(row["account_id"]), row["compared_as_of"])]
        if len(parts) < MOVES_SHOWN:
            boolean = row["signal"] in yes_or_no
            values = [signal_value(f, row[side], "", is_boolean=boolean) for side in ("value_from", "value_to")]
            parts.append([labels.get(row["signal"], row["signal"]), f.points(row["points_change"]), " → ".join(values)])
    for row in changes.sort_values("compared_as_of", ascending=False).to_dict("records"):
        account = str(row["account_id"])
        found[account].append(
            {
                "since": f.day(row["compared_as_of"]),
                "change": f.points(row["health_score_change"]),
                "tiers": [row["tier_from"], row["tier_to"]],
                "parts": by_change.get((account, row["compared_as_of"]), []),
            }
        )
    return "moves", found


def _mrr(book: Book) -> Part:
    """Places among the months, and the MRR of each."""
    found: dict[str, Any] = defaultdict(lambda: [[], []])
    places = {month: place for place, month in enumerate(_months(book))}
    ledger = book["fct_revenue"]
    if len(ledger):
        ledger = ledger.sort_values("revenue_month")
        columns = (ledger[name] for name in ("account_id", "revenue_month", "mrr"))
        for account, month, mrr in zip(*columns, strict=True):
            months, amounts = found[str(account)]
            months.append(places[month])
            amounts.append(round(float(mrr)))
    return "mrr", found


def _tickets(book: Book) -> Part:
    f = book.formats
    found: dict[str, Any] = {}
    for row in book["dim_account"].to_dict("records") if book.has("fct_tickets") else ():
        figures = [
            ["Open", f.number(row["open_tickets"])],
            ["In all", f.number(row["lifetime_tickets"])],
            ["Late in all", f.number(row["sla_breaches"])],
            ["Mean rating", f.number(row["avg_csat"], 2)],
            ["Mean hours to resolve", f.number(row["avg_resolution_hours"], 1)],
        ]
        found[str(row["account_id"])] = {"figures": figures, "rows": []}
    tickets = book["fct_tickets"]
    if len(tickets):
        tickets = tickets.assign(closed=tickets["resolved_at"].notna())
        for row in tickets.sort_values(["closed", "created_at"], ascending=[True, False]).to_dict("records"):
            kept = found.get(str(row["account_id"]))
            if kept is not None and len(kept["rows"]) < TICKETS_SHOWN:
                parts = (row["priority"], row["category"], row["status"])
                texts = [MISSING if is_missing(part) else str(part) for part in parts]
                rating = f.number(row["satisfaction_score"], 0)
                late = "late" if row["is_sla_breach"] else ""
                kept["rows"].append([str(row["ticket_id"]), f.day(row["created_date"]), *texts, rating, late])
    return "tickets", found


def _renewals(book: Book) -> Part:
    f = book.formats
    found: dict[str, Any] = {}
    listed = {str(row["account_id"]): row for row in book["cs_intervention_list"].to_dict("records")}
    for row in book["renewal_pipeline"].to_dict("records"):
        account = str(row["account_id"])
        overdue = ", overdue" if row["is_overdue"] else ""
        facts = [
            ["Renews on", f"{f.day(row['renewal_date'])}, in {f.days(row['days_to_renewal'])}{overdue}"],
            ["Renewal risk", str(row["renewal_risk"])],
            ["Renews with probability", f.percent(100 * row["renewal_probability"], 0)],
            ["ARR", f.money(row["current_arr"])],
            ["Exposed ARR", f.money(row["exposed_arr"])],
            ["Expected loss", f.money(row["expected_arr_loss"])],
            ["Playbook", str(row["recommended_playbook"])],
        ]
        if call := listed.get(account):
            within = "" if call["is_within_capacity"] else ", beyond the owner's capacity"
            facts.append(
                ["Intervention", f"number {f.number(call['priority_rank'])}, due by {f.day(call['due_date'])}{within}"]
            )
        found[account] = facts
    return "renewal", found


def _events(book: Book) -> Part:
    found: dict[str, Any] = defaultdict(list)
    events = book["lifecycle_events"]
    for row in events.to_dict("records"):
        kept = found[str(row["account_id"])]
        if len(kept) < EVENTS_SHOWN:
            kept.append(str(row["reason"]))
    return "events", found


def week_change(changes: pd.DataFrame) -> dict[str, float]:
    """The change of each account's score as it is shown: rounded once, as `Formats.points` does in the detail."""
    shown = zip(changes["account_id"], changes["health_score_change"], strict=True)
    return {str(account): round(float(change), 1) for account, change in shown}
