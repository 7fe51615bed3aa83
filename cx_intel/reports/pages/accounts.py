"""The accounts page: every customer in one table to search, filter and sort; one click opens all that is known of it.

The rows of the table stand in the page; what an opened account shows is packed by the hundred, so that ten thousand
accounts stay a small file. What it shows is made in `cx_intel.reports.data.account_details`.
"""

import pandas as pd

from cx_intel.reports.charts.account import account_specs
from cx_intel.reports.charts.book import NONE
from cx_intel.reports.charts.figure import rows_of
from cx_intel.reports.charts.palette import risk_marks, tier_marks
from cx_intel.reports.data.account_details import account_details, axes, week_change
from cx_intel.reports.data.report_data import Book
from cx_intel.reports.pages.health import week_changes
from cx_intel.reports.pages.packing import packed
from cx_intel.reports.pages.page import Page

QUESTION = "What do we know of a customer?"
LISTED, PER_BLOCK, PER_PAGE = 10_000, 100, 25
FILTERS = ("segment", "country", "owner", "tier", "risk")


def accounts(book: Book) -> Page:
    frame = _listed(book)
    f, shown = book.formats, frame.head(LISTED)
    rows = rows_of(
        shown,
        {
            "account_id": "id",
            "account_name": "name",
            "health_tier": "tier",
            "health_score": "score",
            "change": "change",
            "current_arr": "arr",
            "renewal_risk": "risk",
            "days_to_renewal": "days",
            "reason": "reason",
            "segment": "segment",
            "country": "country",
            "owner": "owner",
        },
    )
    details = account_details(book, [str(a) for a in shown["account_id"]])
    blocks = [packed(details[i : i + PER_BLOCK]) for i in range(0, len(details), PER_BLOCK)]
    left_out = len(book["dim_account"]) - len(frame)
    notes = []
    if len(frame) > len(shown):
        fewer = f.number(len(frame) - LISTED)
        notes.append(
            f"Listed are the {f.number(LISTED)} accounts with the most ARR; {fewer} smaller ones are left out."
        )
    if left_out > 0:
        who = "account without MRR in force is" if left_out == 1 else "accounts without MRR in force are"
        notes.append(f"{f.number(left_out)} {who} left out (churned, or never paid); see the table dim_account.")
    marks = {mark.name: [mark.glyph, mark.colour] for mark in (*tier_marks(book.portfolio), *risk_marks())}
    columns = [
        ("name", "Account", "text"),
        *(
            (("tier", "Tier", "text"), ("score", "Score", "number"), ("change", "In a week", "number"))
            if book.portfolio.health
            else ()
        ),
        ("arr", "ARR", "number"),
        *((("risk", "Renewal risk", "text"), ("days", "Renews in", "number")) if book.portfolio.renewals else ()),
        *((("reason", "Loses most points", "text"),) if book.portfolio.health else ()),
        ("segment", "Segment", "text"),
        ("country", "Country", "text"),
        ("owner", "Owner", "text"),
    ]
    orders = {"tier": [m.name for m in tier_marks(book.portfolio)], "risk": [m.name for m in risk_marks()]}
    choices = {}
    for name in FILTERS:
        values = {str(row[name]) for row in rows if row[name] is not None}
        order = orders.get(name)
        choices[name] = [v for v in order if v in values] if order else sorted(values, key=str.casefold)
    return Page(
        "accounts",
        "Accounts",
        QUESTION,
        [f"{f.number(len(frame))} customers. Search, sort by any column, and open an account by its name."]
        if rows
        else ["There are no customers in this portfolio yet."],
        [],
        template="accounts.html",
        datasets={"accounts": rows},
        script_data={
            "accountCharts": account_specs(book),
            "axes": axes(book),
            "columns": columns,
            "marks": marks,
            "orders": orders,
            "perBlock": PER_BLOCK,
            "perPage": PER_PAGE,
        },
        packed=blocks,
        context={"columns": columns, "choices": {k: v for k, v in choices.items() if len(v) > 1}, "notes": notes},
    )


def _listed(book: Book) -> pd.DataFrame:
    """The accounts of the book, and others that pay, the most ARR first."""
    dim = book["dim_account"]
    population = set(book.accounts["account_id"])
    if len(dim):
        pays = (dim["current_mrr"] > 0) & ~dim["is_churned"].astype(bool)
        dim = dim[pays | dim["account_id"].isin(population)]
    frame = dim.reindex(columns=["account_id", "account_name", "segment", "country", "owner", "current_arr"])
    scores, pipeline, drivers = book["customer_health_scores"], book["renewal_pipeline"], book["health_score_drivers"]
    frame = _joined(frame, scores, ["health_score", "health_tier"])
    frame = _joined(frame, pipeline, ["renewal_risk", "days_to_renewal"])
    changes = week_change(week_changes(book)) if book.portfolio.health else {}
    frame["change"] = frame["account_id"].map(changes)
    if len(drivers):
        lost = drivers[drivers["is_measured"].astype(bool) & (drivers["points_lost"] > 0)]
        first = lost.sort_values(["points_lost", "signal_order"], ascending=[False, True]).drop_duplicates("account_id")
        frame["reason"] = frame["account_id"].map(dict(zip(first["account_id"], first["label"], strict=True)))
    else:
        frame["reason"] = None
    frame["account_name"] = frame["account_name"].where(frame["account_name"].notna(), frame["account_id"])
    for column in ("segment", "country", "owner"):
        frame[column] = frame[column].where(frame[column].notna(), NONE)
    return frame.sort_values(["current_arr", "account_id"], ascending=[False, True], ignore_index=True)


def _joined(frame: pd.DataFrame, other: pd.DataFrame, columns: list[str]) -> pd.DataFrame:
    if other.empty:
        return frame.assign(**dict.fromkeys(columns))
    return frame.merge(other[["account_id", *columns]], on="account_id", how="left")
