"""The revenue page: what happened to MRR in the newest month, how much of it stays, and whether newer cohorts stay longer.

Its figures are those of `nrr_summary`, `nrr_by_segment`, `fct_revenue` and `revenue_cohort_analysis`.
"""

from typing import Any

import pandas as pd

from cx_intel.reports.charts import revenue as charts
from cx_intel.reports.charts.cohorts import cohorts
from cx_intel.reports.charts.movements import mrr_movements, waterfall
from cx_intel.reports.data.cubes.cohorts import AGES, age_figure, cohort_cube, cohorts_by_year
from cx_intel.reports.data.cubes.cube import Follows
from cx_intel.reports.data.cubes.ledger import MONTHS, ledger_cube, movers_cube, shown_months
from cx_intel.reports.data.figures.arr import arr_figures
from cx_intel.reports.data.figures.kpis import retention_months
from cx_intel.reports.data.figures.retention import LABELS, retention
from cx_intel.reports.data.notes.ledger import delivery, intra_month, outside_mrr, reconciliation, refused, restated
from cx_intel.reports.data.report_data import ReportData, total
from cx_intel.reports.data.terms import MOVEMENTS
from cx_intel.reports.pages.frame.page import Cell, Column, Columns, Page, Section, Table, on_card, table_of
from cx_intel.reports.pages.parts.beside_mrr import billed_beside, restatements
from cx_intel.reports.words.catalogue import plural, term
from cx_intel.reports.words.language import MISSING
from cx_intel.reports.words.rounding import is_missing
from cx_intel.reports.words.tables import table_name

MOVERS = 50
QUESTION = term("What happened to MRR last month, and how much of it stays?")
MONTH_TOLD = plural(
    "MRR went from {start} to {end} in {month} ({growth}): {came} new or back and {expansion} expansion, against "
    "{contraction} contraction and {churned} churn ({n} account).",
    "MRR went from {start} to {end} in {month} ({growth}): {came} new or back and {expansion} expansion, against "
    "{contraction} contraction and {churned} churn ({n} accounts).",
)
SPAN_TOLD = plural(
    "MRR went from {start} at the end of {first} to {end} at the end of {last} ({growth}): {came} new or back and {expansion} "
    "expansion, against {contraction} contraction and {churned} churn ({n} account).",
    "MRR went from {start} at the end of {first} to {end} at the end of {last} ({growth}): {came} new or back and {expansion} "
    "expansion, against {contraction} contraction and {churned} churn ({n} accounts).",
)
RATES_TOLD = term("NRR is {nrr} and GRR {grr} ({span}).")


def revenue(data: ReportData) -> Page:
    say = data.language.say
    summary = data.summary
    if summary.empty:
        found = [say("There is no month of revenue yet."), *delivery(data, data.language)]
        return Page("revenue", say("Revenue"), say(QUESTION), found, [])
    monthly = charts.retention_trend(data, charts.MONTHLY, key="monthly_retention", months=charts.MONTHLY_MONTHS)
    trailing = charts.retention_trend(data, key="retention_trend")
    figures = [waterfall(data), mrr_movements(data)]
    rates = [trailing, monthly] if trailing.title != monthly.title else [monthly]
    maps = [
        cohorts(data, "account_retention_pct", say("Accounts that stay, by cohort")),
        cohorts(data, "revenue_retention_pct", say("MRR that stays, by cohort")),
    ]
    sections = [
        Section(
            say("The month"),
            figures,
            [_movers(data, summary.iloc[-1]), *restatements(data), *billed_beside(data), _by_segment(data)],
            [*intra_month(data, data.language), *outside_mrr(data, data.language)],
        ),
        Section(say("Retention"), rates, [_months(data, summary)]),
        Section(
            say("Cohorts"),
            maps,
            [_ages(data, "accounts"), _ages(data, "mrr")],
            notes=[
                say(
                    "A cohort is the accounts whose first MRR fell in a month. MRR of a cohort may grow beyond its first."
                ),
                say("“Not yet”: no cohort of that year is so old."),
            ],
        ),
    ]
    told = {
        "sentences": [_month_script(data, summary.iloc[-1])],
        "retention": {"rows": trailing.key, "span": charts.retention_suffix(data), "months": retention_months(data)},
        "rates": [say(RATES_TOLD), say(LABELS[charts.retention_suffix(data)])],
        "months": [[month, data.language.month(month)] for month in shown_months(data)],
        "movements": {code: say(word) for code, word in MOVEMENTS.items()},
    }
    return Page(
        "revenue",
        say("Revenue"),
        say(QUESTION),
        _answer(data, summary),
        sections,
        script_data=told,
        cubes=[movers_cube(data), ledger_cube(data)],
    )


def _month_script(data: ReportData, last: pd.Series) -> dict[str, Any]:
    """What a script tells a month from for chosen accounts: gaps of the sentence, each with the figure of the ledger's cube."""
    figures = {
        "start": "starting_mrr",
        "end": "ending_mrr",
        "came": "came_mrr",
        "expansion": "expansion_mrr",
        "contraction": "contraction_mrr",
        "churned": "churned_mrr",
        "n": "churned_accounts",
    }
    return {
        "cube": ledger_cube(data).name,
        "figures": figures,
        "keys": {"revenue_month": str(last["revenue_month"])},
        "byMonth": "revenue_month",
        "formats": {"n": ["number", 0]},
        "growths": {"growth": ["end", "start"]},
        "clauses": [[data.language.forms(*MONTH_TOLD), [], []]],
        "spanned": [[data.language.forms(*SPAN_TOLD), [], []]],
    }


def _answer(data: ReportData, summary: pd.DataFrame) -> list[str]:
    f, last = data.language, summary.iloc[-1]
    month = f.month(last["revenue_month"])
    change = float(last["ending_mrr"]) - float(last["starting_mrr"])
    growth = f.signed(change, f.percent(abs(last["mrr_growth_pct"]))) if pd.notna(last["mrr_growth_pct"]) else MISSING
    found = [
        f.count(
            *MONTH_TOLD,
            last["churned_accounts"],
            start=f.money(last["starting_mrr"]),
            end=f.money(last["ending_mrr"]),
            month=month,
            growth=growth,
            came=f.money(total([last["new_mrr"], last["reactivation_mrr"]])),
            expansion=f.money(last["expansion_mrr"]),
            contraction=f.money(last["contraction_mrr"]),
            churned=f.money(last["churned_mrr"]),
        )
    ]
    if kept := retention(last):
        rates = {"span": f.say(kept.label), "nrr": f.percent(kept.nrr), "grr": f.percent(kept.grr)}
        found.append(f.say(RATES_TOLD, **rates))
    notes = [note for told in (refused, delivery, restated, reconciliation) for note in told(data, f)]
    return [*found, *notes, arr_figures(data).reconciled(f)]


def _movers(data: ReportData, last: pd.Series) -> Table:
    say = data.language.say
    f, ledger = data.language, data["fct_revenue"]
    moved = ledger[(ledger["revenue_month"] == last["revenue_month"]) & (ledger["revenue_movement"] != "flat")]
    moved = moved.merge(
        data["dim_account"][["account_id", "account_name", "segment", "owner"]], on="account_id", how="left"
    )
    moved = moved.assign(size=moved["net_mrr_change"].abs()).sort_values(
        ["size", "account_id"], ascending=[False, True]
    )
    c = Columns(data.language)

    def change(row: dict[str, Any]) -> Cell:
        amount = row["net_mrr_change"]
        return Cell(data.language.signed_money(amount, 2), float(amount))

    return table_of(
        moved,
        say("Whose MRR moved in {month}: {n}", month=f.month(last["revenue_month"]), n=f.number(len(moved))),
        [
            c.account(),
            c.term(say("Movement"), "revenue_movement"),
            (c.heading(say("Change of MRR"), "number"), change),
            c.money(say("Before"), "previous_mrr", 2),
            c.money(say("Now"), "mrr", 2),
            c.text(say("Segment"), "segment"),
            c.text(say("Owner"), "owner"),
        ],
        limit=MOVERS,
        first=10,
        key="movers",
        where_more=say("The rest is in the table “{table}”.", table=table_name("fct_revenue", data.language)),
        empty=say("Nobody's MRR moved."),
        is_kept=True,
    )


def _rates(data: ReportData) -> list[Column]:
    say = data.language.say
    c = Columns(data.language)
    is_restated = data.summary["restated_mrr"].fillna(0).ne(0).any()
    explains = say("closed months by today's data, less what was published")
    return [
        on_card(1, c.money(say("Starting"), "starting_mrr")),
        *([c.money(say("Restated"), "restated_mrr", explains=explains)] if is_restated else []),
        c.money(say("New"), "new_mrr"),
        c.money(say("Reactivated"), "reactivation_mrr"),
        c.money(say("Expansion"), "expansion_mrr"),
        c.money(say("Contraction"), "contraction_mrr"),
        c.money(say("Churned"), "churned_mrr"),
        on_card(2, c.money(say("Ending"), "ending_mrr")),
        on_card(3, c.percent(say("NRR"), "nrr_pct", explains=say("of the month"))),
        on_card(4, c.percent(say("GRR"), "grr_pct", explains=say("of the month"))),
        c.percent(say("NRR, 12 months"), "nrr_ttm_pct", explains=say("trailing, closed cohort")),
        c.percent(say("GRR, 12 months"), "grr_ttm_pct", explains=say("trailing, closed cohort")),
        c.percent(say("Logo churn"), "logo_churn_pct"),
    ]


def _by_segment(data: ReportData) -> Table:
    say = data.language.say
    c = Columns(data.language)
    frame = data["nrr_by_segment"]
    newest = frame[frame["revenue_month"] == frame["revenue_month"].max()] if len(frame) else frame
    newest = newest.sort_values("ending_mrr", ascending=False)
    return table_of(
        newest,
        say("The month by segment"),
        [c.text(say("Segment"), "segment"), *_rates(data)],
        key="by-segment",
        follows=Follows(ledger_cube(data), {"revenue_month": "revenue_month", "segment": "segment"}, by_month=True),
    )


def _months(data: ReportData, summary: pd.DataFrame) -> Table:
    say = data.language.say
    newest = summary.iloc[::-1]
    return table_of(
        newest,
        say("Month by month, the newest first"),
        [Columns(data.language).month(say("Month"), "revenue_month"), *_rates(data)],
        limit=MONTHS,
        key="months",
        follows=Follows(ledger_cube(data), {"revenue_month": "revenue_month"}),
        where_more=say("All months are in the table “{table}”.", table=table_name("nrr_summary", data.language)),
    )


def _ages(data: ReportData, what: str) -> Table:
    """Retention of the cohorts of each year at some ages; only cohorts that reached the age count."""
    say = data.language.say
    c = Columns(data.language)
    caption = {
        "accounts": say("Do newer cohorts retain better? Accounts left, by year of the first MRR"),
        "mrr": say("And their MRR: what is left of it, by year of the first MRR"),
    }[what]

    def after(age: int) -> Column:
        name = age_figure(what, age)
        heading, share = c.percent(data.language.count("after {n} month", "after {n} months", age), name, 0)
        too_young = Cell(say("not yet"))
        return heading, lambda row: too_young if is_missing(row[name]) else share(row)

    return table_of(
        cohorts_by_year(data, what),
        caption,
        [
            c.text(say("First MRR in"), "year"),
            c.number(say("Accounts"), "initial_accounts"),
            *(after(age) for age in AGES),
        ],
        key=f"ages-{what}",
        follows=Follows(cohort_cube(data), {"year": "year"}),
        empty=say("There is no cohort yet."),
    )
