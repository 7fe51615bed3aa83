"""The accounts page: every customer in one table to search, filter and sort; one click opens all that is known of it.

The rows of the table stand in the page; what an opened account shows is packed by the hundred, so that ten thousand
accounts stay a small file. What it shows is made in `cx_intel.reports.data.account.details`.
"""

import pandas as pd

from cx_intel.contracts.erased import is_erased
from cx_intel.reports.charts.account import account_specs
from cx_intel.reports.charts.drawing.figure import rows_of
from cx_intel.reports.charts.drawing.levels import said
from cx_intel.reports.charts.drawing.palette import risk_marks, tier_marks
from cx_intel.reports.data.account.details import account_details, axes, week_change
from cx_intel.reports.data.cells import cells
from cx_intel.reports.data.report_data import ReportData
from cx_intel.reports.data.signals import worst_drivers
from cx_intel.reports.data.terms import due_in
from cx_intel.reports.packing import packed
from cx_intel.reports.pages.frame.page import Page, choices_of
from cx_intel.reports.pages.health import week_changes
from cx_intel.reports.pages.parts.listed_columns import ListColumn, more_columns
from cx_intel.reports.words.tables import table_name

LISTED, PER_BLOCK, PER_PAGE = 10_000, 100, 25
FILTERS = ("tier", "risk")


def accounts(data: ReportData) -> Page:
    frame = _listed(data)
    f, say, shown = data.language, data.language.say, frame.head(LISTED)
    more = more_columns(data, shown)
    rows = rows_of(
        more.frame,
        {
            "account_id": "id",
            "cell": "cell",
            "account_name": "name",
            "health_tier": "tier",
            "health_score": "score",
            "change": "change",
            "current_arr": "arr",
            "renewal_risk": "risk",
            "days_to_renewal": "days",
            "due": "due",
            "reason": "reason",
            "segment": "segment",
            "country": "country",
            "owner": "owner",
            **more.fields,
        },
    )
    details = account_details(data, [str(a) for a in shown["account_id"]])
    blocks = [packed(details[i : i + PER_BLOCK]) for i in range(0, len(details), PER_BLOCK)]
    notes, dim = [], data["dim_account"]
    if len(frame) > len(shown):
        notes.append(
            f.count(
                "Listed are the {most} accounts with the most ARR; {n} smaller one is left out.",
                "Listed are the {most} accounts with the most ARR; {n} smaller ones are left out.",
                len(frame) - LISTED,
                most=f.number(LISTED),
            )
        )
    if left_out := len(dim[~dim["account_id"].isin(set(frame["account_id"])) & ~is_erased(dim["account_id"])]):
        notes.append(
            f.count(
                "{n} account without MRR in force is left out (churned, or never paid); see the table “{table}”.",
                "{n} accounts without MRR in force are left out (churned, or never paid); see the table “{table}”.",
                left_out,
                table=table_name("dim_account", f),
            )
        )
    has_health, has_renewals = bool(data.portfolio.health), bool(data.portfolio.renewals)
    tiers, risks = tier_marks(data.portfolio), risk_marks(f)
    health = [
        ListColumn("tier", say("Tier"), "text", "tier", True, "level"),
        ListColumn("score", say("Score"), "number", "score", True, "score"),
        ListColumn("change", say("In a week"), "number", "change", True, "change"),
    ]
    renewals = [
        ListColumn("risk", say("Renewal risk"), "text", "risk", True, "level"),
        ListColumn("due", say("Renews"), "number", "days", True, "text"),
    ]
    columns = [
        ListColumn("name", say("Account"), "text", "name", True, "text"),
        *(health if has_health else ()),
        ListColumn("arr", say("ARR"), "number", "arr", True, "money"),
        *(renewals if has_renewals else ()),
        *([ListColumn("reason", say("Loses most points"), "text", "reason", True, "text")] if has_health else ()),
        ListColumn("segment", say("Segment"), "text", "segment", True, "text"),
        ListColumn("country", say("Country"), "text", "country", True, "text"),
        ListColumn("owner", say("Owner"), "text", "owner", True, "text"),
        *more.columns,
    ]
    orders = {"tier": [mark.label for mark in tiers], "risk": [mark.label for mark in risks]}
    choices = choices_of(rows, FILTERS)
    for name, order in orders.items():
        if name in choices:
            choices[name].sort(key=order.index)
    question = say("What do we know of a customer?")
    answer = f.count(
        "{n} customer. Search, sort by any column, and open an account by its name.",
        "{n} customers. Search, sort by any column, and open an account by its name.",
        len(frame),
    )
    return Page(
        "accounts",
        say("Accounts"),
        question,
        [answer if rows else say("There are no customers in this portfolio yet.")],
        [],
        template="accounts.html",
        datasets={"accounts": rows},
        script_data={
            "accountCharts": account_specs(data),
            "axes": axes(data),
            "columns": columns,
            "marks": {mark.label: [mark.glyph, mark.colour] for mark in (*tiers, *risks)},
            "orders": orders,
            "perBlock": PER_BLOCK,
            "perPage": PER_PAGE,
        },
        packed=blocks,
        context={"columns": columns, "choices": choices, "notes": notes},
    )


def _listed(data: ReportData) -> pd.DataFrame:
    """The accounts of the book and of the health population, as the table shows them, the most ARR first."""
    frame, f = data.accounts, data.language
    pipeline, worst = data["renewal_pipeline"], worst_drivers(data)
    frame = frame.merge(
        pipeline.reindex(columns=["account_id", "renewal_risk", "days_to_renewal"]), on="account_id", how="left"
    )
    reasons = dict(zip(worst["account_id"], worst["label"], strict=True)) if len(worst) else {}
    of = cells(data).of
    return frame.assign(
        cell=[of[account] for account in frame["account_id"]],
        change=frame["account_id"].map(week_change(week_changes(data)) if data.portfolio.health else {}),
        reason=frame["account_id"].map(reasons),
        due=[due_in(f, days) for days in frame["days_to_renewal"]],
        health_tier=said(frame["health_tier"], tier_marks(data.portfolio)),
        renewal_risk=said(frame["renewal_risk"], risk_marks(f)),
        account_name=frame["account_name"].where(frame["account_name"].notna(), frame["account_id"]),
    )
