"""The support page: are service levels met, how long do tickets take, how content are those who asked.

Its figures are those of `sla_adherence` and the open breaches of `fct_tickets`.
"""

from typing import Any

import pandas as pd

from cx_intel.reports.charts import support as charts
from cx_intel.reports.data.report_data import Book
from cx_intel.reports.pages.page import Cell, Columns, Heading, Page, Section, Table, table_of

QUESTION = "Are service levels met, and where not?"
BREACHES = 100


def support(book: Book) -> Page:
    if not book.has("sla_adherence"):
        return Page(
            "support",
            "Support",
            QUESTION,
            ["This portfolio has no support tickets: no source delivers `support_tickets`."],
            [],
        )
    if book["sla_adherence"].empty:
        return Page("support", "Support", QUESTION, ["There is no ticket yet."], [])
    adherence = [
        charts.over_time(
            book,
            d,
            "sla_adherence_pct",
            f"SLA adherence by {d}",
            "resolved in time, of those resolved",
            is_percent=True,
        )
        for d in (charts.PRIORITY, charts.SEGMENT)
    ]
    speed = [
        charts.resolution_times(book),
        charts.over_time(
            book,
            charts.SEGMENT,
            "median_resolution_hours",
            "Median hours to resolve, by segment",
            "hours, logarithmic",
            is_log=True,
        ),
        charts.over_time(
            book,
            charts.SEGMENT,
            "p90_resolution_hours",
            "p90 hours to resolve, by segment",
            "hours, logarithmic; nine in ten are faster",
            is_log=True,
        ),
        charts.over_time(book, charts.SEGMENT, "avg_csat", "CSAT by segment", "mean rating, 1 to 5"),
    ]
    sections = [
        Section("Service levels", adherence, [_breaches(book)]),
        Section("Speed and satisfaction", speed, [_months(book, d) for d in (charts.PRIORITY, charts.SEGMENT)]),
    ]
    return Page("support", "Support", QUESTION, _answer(book), sections)


def _newest(book: Book) -> tuple[str, pd.DataFrame]:
    """The newest month with resolved tickets, by priority: every ticket has one."""
    frame = charts.recent(book, charts.PRIORITY)
    months = frame.groupby("ticket_month")["resolved_tickets"].sum()
    month = months[months > 0].index.max() if (months > 0).any() else frame["ticket_month"].max()
    return book.formats.month(month), frame[frame["ticket_month"] == month]


def _answer(book: Book) -> list[str]:
    f = book.formats
    month, rows = _newest(book)
    within, resolved = int(rows["within_sla"].sum()), int(rows["resolved_tickets"].sum())
    found = []
    if resolved:
        share = f.percent(100 * within / resolved)
        found.append(f"Of the {f.number(resolved)} tickets created in {month} and resolved, {share} were in time.")
        late = rows[rows["sla_breaches"] > 0].sort_values("sla_breaches", ascending=False)
        if len(late):
            parts = ", ".join(
                f"{f.number(b)} of {n}" for n, b in zip(late["dimension_value"], late["sla_breaches"], strict=True)
            )
            found.append(f"Late by priority: {parts}.")
    tickets = book["fct_tickets"]
    open_ones = int(tickets["is_open_breach"].astype(bool).sum()) if len(tickets) else 0
    waiting = int(tickets["resolved_at"].isna().sum()) if len(tickets) else 0
    found.append(
        f"{f.number(open_ones)} of the {f.number(waiting)} unresolved tickets "
        f"{'is' if open_ones == 1 else 'are'} older than the target."
    )
    return found


def _breaches(book: Book) -> Table:
    tickets = book["fct_tickets"]
    late = tickets[tickets["is_open_breach"].astype(bool)] if len(tickets) else tickets
    names = book["dim_account"][["account_id", "account_name"]]
    late = late.merge(names, on="account_id", how="left").sort_values(["priority", "created_at"])
    c = Columns(book.formats)
    end = pd.Timestamp(book.as_of) + pd.Timedelta(days=1)

    def age(row: dict[str, Any]) -> Cell:
        hours = (end - pd.Timestamp(row["created_at"])).total_seconds() / 3600
        text = f"{book.formats.number(hours / 24, 1)} d"
        return Cell(text, round(hours, 2))

    return table_of(
        late,
        f"Open breaches, the most urgent priority and the oldest first: {len(late)}",
        [
            c.text("Ticket", "ticket_id"),
            c.account(),
            c.text("Priority", "priority"),
            c.text("Status", "status"),
            c.text("Category", "category"),
            (Heading("Open for", "number"), age),
            c.number("Target", "sla_target_hours", unit=" h"),
            c.text("Owner", "account_owner"),
        ],
        limit=BREACHES,
        first=10,
        key="breaches",
        where_more="The rest is in the table fct_tickets.",
        empty="No unresolved ticket is older than its target.",
    )


def _months(book: Book, dimension: str) -> Table:
    frame = charts.recent(book, dimension).sort_values(["ticket_month", "dimension_value"], ascending=[False, True])
    c = Columns(book.formats)
    return table_of(
        frame,
        f"All figures by month and {dimension}",
        [
            c.month("Month", "ticket_month"),
            c.text(dimension.capitalize(), "dimension_value"),
            c.number("Tickets", "total_tickets"),
            c.number("Resolved", "resolved_tickets"),
            c.number("Late", "sla_breaches"),
            c.number("Open breaches", "open_breaches"),
            c.percent("Adherence", "sla_adherence_pct"),
            c.percent("With open", "adherence_incl_open_pct", explains="open breaches counted as late"),
            c.number("Median, h", "median_resolution_hours", 1),
            c.number("p90, h", "p90_resolution_hours", 1),
            c.number("CSAT", "avg_csat", 2),
        ],
        where_more="All months are in the table sla_adherence.",
        is_folded=True,
    )
