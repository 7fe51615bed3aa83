"""What must be known beside MRR, NRR and GRR: how much is delivered, what was restated, what the ledger does not hold.

Sentences in the language of the portfolio, for pages, brief and summary; the figures are those of the tables that are
published beside the ledger (`cx_intel.contracts.revenue.published`). The headline rates stand in `data/figures/retention.py`.
"""

from datetime import timedelta
from typing import Any

import pandas as pd

from cx_intel.contracts.revenue.published import ALL_ACCOUNTS
from cx_intel.reports.data.notes.identity import unmatched
from cx_intel.reports.data.report_data import ReportData, is_true, last_month_over, records, total
from cx_intel.reports.data.terms import CAUSES, fitting
from cx_intel.reports.words.catalogue import term
from cx_intel.reports.words.language import Language
from cx_intel.reports.words.rounding import is_missing

MONTHS = 4
"""How many restated months are named; the rest is counted."""


def delivery(data: ReportData, language: Language) -> list[str]:
    """A newest month that counts although rows are missing, and a later one that is held back for that."""
    f, found = language, []
    counted = data.summary.iloc[-1] if len(data.summary) else None
    least = data.portfolio.revenue.min_delivered_pct
    if counted is not None and not is_missing(counted["delivered_pct"]) and counted["delivered_pct"] < least:
        found.append(
            f.say(
                "Of {month} only {share} is delivered, by MRR of the month before, and it counts: its MRR and retention "
                "may be too low.",
                month=f.month(counted["revenue_month"]),
                share=f.percent(counted["delivered_pct"]),
            )
        )
    months = data["mrr_delivery"]
    for row in records(months[~is_true(months["is_counted"])]) if len(months) else ():
        is_later = counted is None or row["revenue_month"] > counted["revenue_month"]
        if is_later and row["revenue_month"] <= last_month_over(data.as_of):
            found.append(
                f.say(
                    "{month} is held back: only {share} of it is delivered, by MRR of the month before.",
                    month=f.month(row["revenue_month"]),
                    share=f.percent(row["delivered_pct"]),
                )
            )
    return found


def refused(data: ReportData, language: Language) -> list[str]:
    """That the subscriptions delivered for the day were refused, and of which day those are that count."""
    rows = data["account_snapshot"]
    days = {day for day in rows["contracts_as_of"] if not is_missing(day)} if len(rows) else set()
    if not days or max(days) >= data.as_of:
        return []
    text = term(
        "The subscriptions delivered for {day} were refused, because too many were missing: contracts and MRR are those "
        "of {newest}, and tiers are held."
    )
    return [language.say(text, day=language.day(data.as_of), newest=language.day(max(days)))]


def restated(data: ReportData, language: Language) -> list[str]:
    """Which months this refresh publishes otherwise than before, by how much and why; what closed months keep out."""
    f, rows, found = language, data["restatements"], []
    summary = data.summary.iloc[-1] if len(data.summary) else None
    if len(rows):
        totals = rows[(rows["figure"] == "ending_mrr") & (rows["account_id"] == ALL_ACCOUNTS)]
        if len(totals):
            text = f.say("Restated on {day}: MRR of {months}.", day=f.day(data.as_of), months=_months(totals, f))
            found.append(text)
        waiting = rows[rows["figure"] == "unpublished_mrr"]
        if len(waiting):
            by_month = waiting.groupby("revenue_month", as_index=False).agg(
                difference=("difference", total), cause=("cause", _one_cause)
            )
            text = term("Closed months stand as published; by today's data MRR of {months} would differ further.")
            found.append(f.say(text, months=_months(by_month, f)))
    if summary is not None and not is_missing(summary["restated_mrr"]) and summary["restated_mrr"]:
        found.append(
            f.say(
                "{amount} of the change in {month} is restated: what the closed month before would be by today's data, less "
                "what was published. NRR and GRR leave it out.",
                amount=f.signed_money(summary["restated_mrr"]),
                month=f.month(summary["revenue_month"]),
            )
        )
    return found


def reconciliation(data: ReportData, language: Language) -> list[str]:
    """That contracts and invoices are apart by a round multiple, which is a mistake of the mapping."""
    rows = data["mrr_reconciliation"]
    rows = rows[rows["round_multiple"].notna()] if len(rows) else rows
    if rows.empty:
        return []
    first = rows.iloc[0]
    multiple = language.short_number(first["round_multiple"])
    if first["median_ratio"] >= 1:
        text = language.say("MRR by contracts is about {n} times MRR by invoices, so one is read wrongly.", n=multiple)
    else:
        text = language.say("MRR by invoices is about {n} times MRR by contracts, so one is read wrongly.", n=multiple)
    return [text]


def intra_month(data: ReportData, language: Language) -> list[str]:
    """Who came and went within the last month of the ledger, and so is in none."""
    rows = data["fct_revenue_intra_month"]
    if rows.empty or data.summary.empty:
        return []
    first = data.summary.iloc[-1]["revenue_month"]
    after = (first + timedelta(days=31)).replace(day=1)
    rows = rows[(rows["from"] >= first) & (rows["to"] < after)]
    if rows.empty:
        return []
    return [
        language.count(
            "{n} subscription of {mrr} a month came and went within {month}: it is in no month end, and so in no movement.",
            "{n} subscriptions of {mrr} a month came and went within {month}: they are in no month end, and so in no "
            "movement.",
            len(rows),
            mrr=language.money(total(rows["mrr"])),
            month=language.month(first),
        )
    ]


def outside_mrr(data: ReportData, language: Language) -> list[str]:
    """What was billed in the last month of the ledger and does not recur, and so is in no MRR."""
    rows = data["non_recurring"]
    if rows.empty or data.summary.empty:
        return []
    month = data.summary.iloc[-1]["revenue_month"]
    rows = rows[rows["revenue_month"] == month]
    if rows.empty:
        return []
    return [
        language.count(
            "{n} line of {amount} in {month} does not recur and is no MRR.",
            "{n} lines of {amount} in {month} do not recur and are no MRR.",
            len(rows),
            amount=language.money(total(rows["amount"])),
            month=language.month(month),
        )
    ]


def ledger_notes(data: ReportData, language: Language) -> list[str]:
    """All that must be known beside MRR, NRR and GRR."""
    told = (refused, delivery, restated, reconciliation, intra_month, outside_mrr, unmatched)
    return [note for tell in told for note in tell(data, language)]


def _months(rows: pd.DataFrame, f: Language) -> str:
    """Months with their difference and its cause, the newest first."""
    ordered = records(rows.sort_values("revenue_month", ascending=False))
    parts = [
        f.say(
            "{month} by {change} ({cause})",
            month=f.month(row["revenue_month"]),
            change=f.signed_money(row["difference"], 2),
            cause=f.say(cause),
        )
        for row, cause in ((row, _cause(row["cause"])) for row in ordered)
    ]
    shown, left = fitting(parts, MONTHS)
    return ", ".join([*shown, *([f.say("and {n} more", n=f.number(left))] if left else [])])


def _one_cause(causes: "pd.Series[Any]") -> Any:
    return causes.iloc[0] if causes.nunique(dropna=False) == 1 else "several"


def _cause(cause: Any) -> str:
    return CAUSES["several"] if is_missing(cause) else CAUSES[cause]
