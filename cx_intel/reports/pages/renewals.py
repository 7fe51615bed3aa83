"""The renewals page: what is up for renewal, what becomes of NRR, whom to call first and whether there are enough hands.

Its figures are those of `renewal_pipeline`, `nrr_outlook` and `cs_intervention_list`; what is assumed is said.
"""

from typing import Any

import pandas as pd

from cx_intel.reports.charts import renewals as charts
from cx_intel.reports.charts.book import account_rows, exposed_arr
from cx_intel.reports.charts.palette import risk_marks, tier_marks
from cx_intel.reports.data.report_data import Book
from cx_intel.reports.pages.dashboard import LISTED, interventions
from cx_intel.reports.pages.page import Columns, Page, Section, Table, table_of

QUESTION = "Whom do I call first, and why?"
UPCOMING = 100


def renewals(book: Book) -> Page:
    if not book.portfolio.renewals:
        return Page(
            "renewals", "Renewals", QUESTION, ["This portfolio has no renewals: its YAML has no `renewals` block."], []
        )
    rows = account_rows(book)
    sections = [
        Section("Interventions", tables=[_list(book), _by_owner(book)], notes=_capacity(book)),
        Section("Pipeline", [charts.pipeline_by_month(book), exposed_arr(book, rows)], [_upcoming(book)]),
        Section(
            "Outlook", [charts.outlook(book)], [_scenarios(book), _segments(book), _assumptions(book)], _caveats(book)
        ),
    ]
    return Page("renewals", "Renewals", QUESTION, _answer(book), sections, datasets={"accounts": rows})


def _answer(book: Book) -> list[str]:
    listed, f = book["cs_intervention_list"], book.formats
    if listed.empty:
        return ["Nobody: no account at Critical or High risk renews within 90 days."]
    first = listed.sort_values("priority_rank").iloc[0]
    name = first["account_name"] if pd.notna(first["account_name"]) else first["account_id"]
    owner = f"{first['owner']}" if pd.notna(first["owner"]) else "nobody owns it"
    return [
        f"Call {name} first ({owner}): renews in {f.days(first['days_to_renewal'])}, {f.money(first['current_arr'])} ARR at "
        f"{first['renewal_risk']} risk. {first['recommended_playbook']}, due by {f.day(first['due_date'])}.",
        f"{f.number(len(listed))} {'account is' if len(listed) == 1 else 'accounts are'} on the list; "
        f"{f.money(listed['expected_arr_loss'].sum())} of their ARR is expected to be lost if nobody acts.",
    ]


def _capacity(book: Book) -> list[str]:
    capacity, listed = (
        book.portfolio.renewals and book.portfolio.renewals.capacity_per_owner,
        book["cs_intervention_list"],
    )
    if capacity is None:
        return [
            "No capacity per owner is set (`renewals.capacity_per_owner`), so every account counts as within reach."
        ]
    beyond = int((~listed["is_within_capacity"].astype(bool)).sum()) if len(listed) else 0
    text = f"An owner can take {book.formats.number(capacity)} accounts at a time."
    return [
        text + (f" {book.formats.number(beyond)} lie beyond that." if beyond else " The whole list lies within that.")
    ]


def _list(book: Book) -> Table:
    return interventions(book, "Whom to call, and why", limit=LISTED, key="calls", first=25, by_capacity=True)


def _by_owner(book: Book) -> Table:
    listed = book["cs_intervention_list"]
    rows = []
    for owner, group in listed.fillna({"owner": "(nobody)"}).groupby("owner") if len(listed) else ():
        within = group["is_within_capacity"].astype(bool)
        rows.append(
            {
                "owner": owner,
                "listed": len(group),
                "within": int(within.sum()),
                "arr": float(group["current_arr"].sum()),
                "loss": float(group["expected_arr_loss"].sum()),
                "soonest": int(group["days_to_renewal"].min()),
            }
        )
    frame = pd.DataFrame(rows).sort_values("loss", ascending=False) if rows else pd.DataFrame()
    c = Columns(book.formats)
    return table_of(
        frame,
        "The list by owner",
        [
            c.text("Owner", "owner"),
            c.number("To call", "listed"),
            c.number("Within capacity", "within"),
            c.money("ARR", "arr"),
            c.money("Expected loss", "loss"),
            c.number("Soonest renewal", "soonest", unit=" d"),
        ],
        empty="Nobody has an account to call.",
    )


def _upcoming(book: Book) -> Table:
    pipeline = book["renewal_pipeline"].sort_values(["days_to_renewal", "account_id"])
    c = Columns(book.formats)
    return table_of(
        pipeline,
        f"Renewals of the next 270 days, the soonest first: {len(pipeline)}",
        [
            c.account(),
            c.day("Renews on", "renewal_date"),
            c.number("In", "days_to_renewal", unit=" d"),
            c.mark("Risk", "renewal_risk", risk_marks()),
            c.mark("Tier", "health_tier", tier_marks(book.portfolio)),
            c.money("ARR", "current_arr"),
            c.money("Exposed", "exposed_arr"),
            c.money("Expected loss", "expected_arr_loss"),
            c.text("Playbook", "recommended_playbook"),
            c.text("Owner", "owner"),
        ],
        limit=UPCOMING,
        first=10,
        key="upcoming",
        where_more="The rest is in the table renewal_pipeline.",
        empty="Nothing is up for renewal.",
    )


def _scenarios(book: Book) -> Table:
    outlook = book["nrr_outlook"]
    total = outlook[outlook["segment"] == "all"] if len(outlook) else outlook
    order = {name: place for place, name in enumerate(charts.SCENARIOS)}
    total = total.assign(label=total["scenario"].map(charts.SCENARIOS), place=total["scenario"].map(order)).sort_values(
        "place"
    )
    c = Columns(book.formats)
    return table_of(
        total,
        "NRR of the next 90 days by scenario",
        [
            c.text("Scenario", "label"),
            c.percent("NRR of the book", "book_nrr_pct"),
            c.percent("NRR of the renewals due", "nrr_pct"),
            c.number("Renewals due", "renewals_due"),
            c.money("MRR due", "starting_mrr"),
            c.money("MRR kept", "ending_mrr"),
            c.money("MRR of the book", "book_starting_mrr"),
        ],
        empty="There is no outlook yet.",
    )


def _segments(book: Book) -> Table:
    outlook = book["nrr_outlook"]
    rows: dict[str, dict[str, Any]] = {}
    for row in outlook[outlook["segment"] != "all"].to_dict("records") if len(outlook) else ():
        found = rows.setdefault(
            str(row["segment"]), {"segment": row["segment"], "due": row["renewals_due"], "mrr": row["starting_mrr"]}
        )
        found[str(row["scenario"])] = row["book_nrr_pct"]
    c = Columns(book.formats)
    shown = ("expected_no_action", "expected_with_playbooks", "simulated_p10", "simulated_p90", "worst_case")
    frame = (
        pd.DataFrame(list(rows.values()))
        .reindex(columns=["segment", "due", "mrr", *shown])
        .sort_values("mrr", ascending=False)
    )
    return table_of(
        frame,
        "NRR of the book in 90 days by segment",
        [
            c.text("Segment", "segment"),
            c.number("Renewals due", "due"),
            c.money("MRR due", "mrr"),
            *(c.percent(charts.SCENARIOS[name], name) for name in shown),
        ],
        empty="There is no outlook by segment yet.",
    )


def _assumptions(book: Book) -> Table:
    assert book.portfolio.renewals is not None
    frame = pd.DataFrame(
        [
            {
                "risk": playbook.risk,
                "action": playbook.action,
                "when": "else" if playbook.if_ is None else "under its condition in the YAML",
                "due": playbook.due_in_days,
                "probability": 100 * book.portfolio.renewals.probability[playbook.risk],
                "save": 100 * playbook.save_rate,
            }
            for playbook in book.portfolio.playbooks
        ]
    )
    c = Columns(book.formats)
    return table_of(
        frame,
        "What is assumed: renewal probabilities and save rates of the playbooks",
        [
            c.mark("Risk", "risk", risk_marks()),
            c.percent("Renews with", "probability", 0),
            c.text("Playbook", "action"),
            c.text("Taken", "when"),
            c.number("Due in", "due", unit=" d"),
            c.percent("Saves, of the loss", "save", 0),
        ],
        is_folded=True,
    )


def _caveats(book: Book) -> list[str]:
    assert book.portfolio.renewals is not None
    draws = book.formats.number(book.portfolio.renewals.outlook.draws)
    return [
        "Renewal probabilities and save rates are assumptions of this portfolio's settings, not measurements. "
        "“With playbooks” holds for the accounts on the list that are within capacity.",
        "“All not healthy lost” loses exactly the customers that are not healthy now and renews all others. The expected "
        "cases also let some healthy customers go, so it can lie above “nobody acts”: it is a bound on known risk, "
        "not the worst that can happen.",
        f"P10, P50 and P90 come from {draws} simulations in which each renewal happens or not by its probability, "
        "independently: in 8 of 10 NRR lies between P10 and P90.",
    ]
