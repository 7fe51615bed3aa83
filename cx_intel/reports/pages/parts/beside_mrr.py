"""Tables of the revenue page beside its figures: months that were published otherwise before, and what is billed beside MRR."""

from typing import Any

from cx_intel.reports.data.report_data import ReportData
from cx_intel.reports.data.terms import CAUSES
from cx_intel.reports.pages.frame.page import Cell, Columns, Table, table_of
from cx_intel.reports.words.language import MISSING
from cx_intel.reports.words.rounding import is_missing
from cx_intel.reports.words.tables import table_name

MOST = 50
"""Rows of a table; the rest is in the warehouse."""


def restatements(data: ReportData) -> list[Table]:
    """Whose published months this refresh changed; no table where none."""
    rows, say = data["restatements"], data.language.say
    rows = rows[rows["figure"] == "mrr"] if len(rows) else rows
    if rows.empty:
        return []
    rows = rows.merge(data["dim_account"][["account_id", "account_name"]], on="account_id", how="left")
    rows = rows.sort_values(["revenue_month", "account_id"], ascending=[False, True])
    c = Columns(data.language)

    def change(row: dict[str, Any]) -> Cell:
        return Cell(data.language.signed_money(row["difference"], 2), float(row["difference"]))

    def cause(row: dict[str, Any]) -> Cell:
        why = row["cause"]
        return Cell(MISSING if is_missing(why) else say(CAUSES[why]))

    return [
        table_of(
            rows,
            say("MRR published otherwise before: {n}", n=data.language.number(len(rows))),
            [
                c.account(),
                c.month(say("Month"), "revenue_month"),
                c.money(say("Published before"), "published", 2),
                c.money(say("Now"), "now", 2),
                (c.heading(say("Change of MRR"), "number"), change),
                (c.heading(say("Cause")), cause),
            ],
            limit=MOST,
            first=10,
            key="restatements",
            where_more=say("The rest is in the table “{table}”.", table=table_name("restatements", data.language)),
        )
    ]


def billed_beside(data: ReportData) -> list[Table]:
    """What is billed beside MRR because it does not recur, the newest first; no table where nothing is."""
    rows, say = data["non_recurring"], data.language.say
    if rows.empty:
        return []
    rows = rows.merge(data["dim_account"][["account_id", "account_name"]], on="account_id", how="left")
    rows = rows.sort_values(["billed_on", "account_id", "id"], ascending=[False, True, True])
    c = Columns(data.language)
    return [
        table_of(
            rows,
            say("Billed beside MRR, because it does not recur: {n}", n=data.language.number(len(rows))),
            [
                c.account(),
                c.day(say("Billed on"), "billed_on"),
                c.text(say("Product"), "product_name"),
                c.money(say("Amount"), "amount", 2),
                c.table(say("Table"), "source_table", data.labels.attribute),
                c.text(say("Why"), "why"),
            ],
            limit=MOST,
            first=10,
            key="non_recurring",
            where_more=say("The rest is in the table “{table}”.", table=table_name("non_recurring", data.language)),
        )
    ]
