"""The revenue page: what happened to MRR in the newest month, how much of it stays, and whether newer cohorts stay longer.

Its figures are those of `nrr_summary`, `nrr_by_segment`, `fct_revenue` and `revenue_cohort_analysis`.
"""

from dataclasses import replace
from typing import Any

import pandas as pd

from cx_intel.reports.charts import revenue as charts
from cx_intel.reports.charts.cohorts import cohorts
from cx_intel.reports.data.headline import retention
from cx_intel.reports.data.report_data import Book
from cx_intel.reports.pages.page import Cell, Column, Columns, Heading, Page, Section, Table, table_of

MONTHS, MOVERS = 13, 50
AGES = (1, 3, 6, 12, 24)
QUESTION = "What happened to MRR last month, and how much of it stays?"


def revenue(book: Book) -> Page:
    summary = book["nrr_summary"].sort_values("revenue_month")
    if summary.empty:
        return Page("revenue", "Revenue", QUESTION, ["There is no month of revenue yet."], [])
    monthly = charts.retention_trend(book, "pct", key="monthly_retention", months=charts.MONTHLY_MONTHS)
    trailing = charts.retention_trend(book, key="retention_trend")
    figures = [charts.waterfall(book), charts.mrr_movements(book)]
    rates = [trailing, monthly] if trailing.title != monthly.title else [monthly]
    maps = [
        cohorts(book, "account_retention_pct", "Accounts that stay, by cohort"),
        cohorts(book, "revenue_retention_pct", "MRR that stays, by cohort"),
    ]
    sections = [
        Section("The month", figures, [_movers(book, summary.iloc[-1]), _by_segment(book)]),
        Section("Retention", [_of_book(f) for f in rates], [_months(book, summary)]),
        Section(
            "Cohorts",
            maps,
            [_ages(book, "accounts"), _ages(book, "mrr")],
            notes=["A cohort is the accounts whose first MRR fell in a month. MRR of a cohort may grow beyond 100."],
        ),
    ]
    return Page("revenue", "Revenue", QUESTION, _answer(book, summary), sections)


def _of_book(figure: Any) -> Any:
    """The figure with the rows of the whole book alone."""
    return replace(figure, data={k: [r for r in rows if r["segment"] == charts.ALL] for k, rows in figure.data.items()})


def _answer(book: Book, summary: pd.DataFrame) -> list[str]:
    f, last = book.formats, summary.iloc[-1]
    month = f.month(last["revenue_month"])
    change = float(last["ending_mrr"]) - float(last["starting_mrr"])
    growth = (
        f" ({f.signed(change, f.percent(abs(last['mrr_growth_pct'])))})" if pd.notna(last["mrr_growth_pct"]) else ""
    )
    came = float(last["new_mrr"]) + float(last["reactivation_mrr"])
    found = [
        f"MRR went from {f.money(last['starting_mrr'])} to {f.money(last['ending_mrr'])} in {month}{growth}: "
        f"{f.money(came)} new or back and {f.money(last['expansion_mrr'])} expansion, against "
        f"{f.money(last['contraction_mrr'])} contraction and {f.money(last['churned_mrr'])} churn "
        f"({f.number(last['churned_accounts'])} {'account' if int(last['churned_accounts']) == 1 else 'accounts'})."
    ]
    if kept := retention(last):
        label, nrr, grr = kept
        found.append(f"Over the {label}, NRR is {f.percent(nrr)} and GRR {f.percent(grr)}.")
    return found


def _movers(book: Book, last: pd.Series) -> Table:
    ledger = book["fct_revenue"]
    moved = ledger[(ledger["revenue_month"] == last["revenue_month"]) & (ledger["revenue_movement"] != "flat")]
    moved = moved.merge(
        book["dim_account"][["account_id", "account_name", "segment", "owner"]], on="account_id", how="left"
    )
    moved = moved.assign(size=moved["net_mrr_change"].abs()).sort_values(
        ["size", "account_id"], ascending=[False, True]
    )
    c = Columns(book.formats)

    def change(row: dict[str, Any]) -> Cell:
        f, amount = book.formats, row["net_mrr_change"]
        return Cell(f.signed(amount, f.money(abs(amount), 2)), float(amount))

    return table_of(
        moved,
        f"Whose MRR moved in {book.formats.month(last['revenue_month'])}: {len(moved)} accounts",
        [
            c.account(),
            c.text("Movement", "revenue_movement"),
            (Heading("Change of MRR", "number"), change),
            c.money("Before", "previous_mrr", 2),
            c.money("Now", "mrr", 2),
            c.text("Segment", "segment"),
            c.text("Owner", "owner"),
        ],
        limit=MOVERS,
        first=10,
        key="movers",
        where_more="The rest is in the table fct_revenue.",
        empty="Nobody's MRR moved.",
    )


def _rates(book: Book) -> list[Column]:
    c = Columns(book.formats)
    return [
        c.money("Starting", "starting_mrr"),
        c.money("New", "new_mrr"),
        c.money("Reactivated", "reactivation_mrr"),
        c.money("Expansion", "expansion_mrr"),
        c.money("Contraction", "contraction_mrr"),
        c.money("Churned", "churned_mrr"),
        c.money("Ending", "ending_mrr"),
        c.percent("NRR", "nrr_pct", explains="of the month"),
        c.percent("GRR", "grr_pct", explains="of the month"),
        c.percent("NRR, 12 months", "nrr_ttm_pct", explains="trailing, closed cohort"),
        c.percent("GRR, 12 months", "grr_ttm_pct", explains="trailing, closed cohort"),
        c.percent("Logo churn", "logo_churn_pct"),
    ]


def _by_segment(book: Book) -> Table:
    frame = book["nrr_by_segment"]
    newest = frame[frame["revenue_month"] == frame["revenue_month"].max()] if len(frame) else frame
    newest = newest.sort_values("ending_mrr", ascending=False)
    return table_of(newest, "The month by segment", [Columns(book.formats).text("Segment", "segment"), *_rates(book)])


def _months(book: Book, summary: pd.DataFrame) -> Table:
    newest = summary.iloc[::-1]
    return table_of(
        newest,
        f"The last {min(MONTHS, len(summary))} months",
        [Columns(book.formats).month("Month", "revenue_month"), *_rates(book)],
        limit=MONTHS,
        where_more="All months are in the table nrr_summary.",
    )


def _ages(book: Book, what: str) -> Table:
    """Retention of the cohorts of each year at some ages; only cohorts that reached the age count."""
    now, then = {"accounts": ("active_accounts", "initial_accounts"), "mrr": ("cohort_mrr", "initial_mrr")}[what]
    frame = book["revenue_cohort_analysis"]
    rows = []
    if len(frame):
        total = frame[(frame["segment"] == charts.ALL) & (frame["initial_accounts"] > 0)]
        total = total.assign(year=pd.to_datetime(total["cohort_month"]).dt.year)
        for year, group in total.groupby("year"):
            started = group.drop_duplicates("cohort_month")["initial_accounts"].sum()
            row: dict[str, Any] = {"year": str(year), "accounts": int(started)}
            for age in AGES:
                at = group[group["months_since_start"] == age]
                row[f"age_{age}"] = 100 * at[now].sum() / at[then].sum() if len(at) else None
            rows.append(row)
    c = Columns(book.formats)
    words = {"accounts": "Do newer cohorts retain better? Accounts left", "mrr": "And their MRR: what is left of it"}[
        what
    ]
    return table_of(
        pd.DataFrame(rows),
        f"{words}, by year of the first MRR",
        [
            c.text("First MRR in", "year"),
            c.number("Accounts", "accounts"),
            *(c.percent(f"after {age} {'month' if age == 1 else 'months'}", f"age_{age}", 0) for age in AGES),
        ],
        empty="There is no cohort yet.",
    )
