"""Whether support keeps its promises, in sentences: the newest month with resolved tickets, and what is open and late.

The support page and the brief say them. The figures are those of `sla_adherence` and `fct_tickets`; how a ticket is
judged is decided by `cx_intel.models.support.judgement`.
"""

from typing import Any

import pandas as pd

from cx_intel.contracts.staging.values import UNRESOLVED
from cx_intel.reports.data.cubes.cube import Cube
from cx_intel.reports.data.report_data import ReportData, is_true
from cx_intel.reports.words.catalogue import plural, term

IN_TIME = plural(
    "Of the {n} ticket created in {month} and resolved, {share} was in time.",
    "Of the {n} tickets created in {month} and resolved, {share} were in time.",
)


def service_levels(data: ReportData) -> list[str]:
    """Adherence of resolution and of the first reply, tickets in no share, open breaches, and by which clock."""
    if data["sla_adherence"].empty:
        return []
    return [*_resolved(data), *_first_replies(data), _open(data), *_clocks(data)]


def resolved_script(data: ReportData, cube: Cube) -> dict[str, Any]:
    """What a script tells from for chosen accounts: how many tickets of the newest month were in time."""
    month, rows = _newest(data)
    return {
        "cube": cube.name,
        "keys": {"ticket_month": str(rows["ticket_month"].iloc[0])},
        "figures": {"n": "judged_tickets", "share": "sla_adherence_pct"},
        "texts": {"month": month},
        "formats": {"n": ["number", 0], "share": ["percent", 1]},
        "clauses": [[data.language.forms(*IN_TIME), ["n"], []]],
    }


def _newest(data: ReportData) -> tuple[str, pd.DataFrame]:
    """The newest month with resolved tickets, by priority: every ticket has one."""
    frame = data["sla_adherence"]
    frame = frame[frame["dimension_type"] == "priority"]
    months = frame.groupby("ticket_month")["resolved_tickets"].sum()
    month = months[months > 0].index.max() if (months > 0).any() else frame["ticket_month"].max()
    return data.language.month(month), frame[frame["ticket_month"] == month]


def _resolved(data: ReportData) -> list[str]:
    f = data.language
    month, rows = _newest(data)
    within, judged = _sum(rows, "within_sla"), _sum(rows, "within_sla") + _sum(rows, "sla_breaches")
    found = []
    if judged:
        share = f.percent(100 * (within / judged))
        found.append(f.count(*IN_TIME, judged, month=month, share=share))
        late = rows[rows["sla_breaches"] > 0].sort_values("sla_breaches", ascending=False)
        if len(late):
            parts = ", ".join(
                f"{n} {f.number(b)}" for n, b in zip(late["dimension_value"], late["sla_breaches"], strict=True)
            )
            found.append(f.say("Late by priority: {parts}.", parts=parts))
    if unjudged := _sum(rows, "unjudged_tickets"):
        text = term("Resolved and in no share, for want of a target or a time of resolution: {n}.")
        found.append(f.say(text, n=f.number(unjudged)))
    return found


def _first_replies(data: ReportData) -> list[str]:
    """Nothing where no target for the first reply is stated."""
    if not data.portfolio.support.first_reply_target_hours:
        return []
    f = data.language
    month, rows = _newest(data)
    judged, late = _sum(rows, "first_replies_judged"), _sum(rows, "first_reply_breaches")
    if not judged:
        return [f.say("No first reply to a ticket created in {month} can be judged.", month=month)]
    share = f.percent(100 * ((judged - late) / judged))
    return [
        f.count(
            "Of the {n} first reply to a ticket created in {month}, {share} came in time.",
            "Of the {n} first replies to tickets created in {month}, {share} came in time.",
            judged,
            month=month,
            share=share,
        )
    ]


def _open(data: ReportData) -> str:
    f, tickets = data.language, data["fct_tickets"]
    late = int(is_true(tickets["is_open_breach"]).sum()) if len(tickets) else 0
    waiting = int(tickets["status"].isin(UNRESOLVED).sum()) if len(tickets) else 0
    return f.count(
        "{n} of the {all} unresolved tickets is older than the target.",
        "{n} of the {all} unresolved tickets are older than the target.",
        late,
        all=f.number(waiting),
    )


def _clocks(data: ReportData) -> list[str]:
    """By which priority and clock tickets are judged, where no history of them is delivered."""
    if "ticket_status_history" in data.portfolio.tables:
        return []
    text = term("Targets are those of each ticket's present priority: no history of its changes is delivered.")
    by_calendar = term("Times run by the calendar, nights and weekends included.")
    return [data.language.say(said) for said in (text, by_calendar)][
        : 1 if data.portfolio.support.business_hours else 2
    ]


def _sum(rows: pd.DataFrame, column: str) -> int:
    values: pd.Series[Any] = rows[column].fillna(0)
    return int(values.sum())
