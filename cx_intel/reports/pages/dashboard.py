"""The executive dashboard: where the risk of churn lies and what it is worth, in six figures and six panels.

Its panels follow the filters by segment, country and owner. The same charts make the picture, in
`cx_intel.reports.charts.picture`; the list of interventions is in `interventions.py`.
"""

import pandas as pd

from cx_intel.contracts.renewals.outlook import ALL_SEGMENTS
from cx_intel.reports.charts import accounts as charts
from cx_intel.reports.charts.figure import Figure, Rows
from cx_intel.reports.charts.revenue import retention_suffix, retention_trend
from cx_intel.reports.charts.scores import score_against_arr
from cx_intel.reports.data.arr import arr_figures
from cx_intel.reports.data.kpis import kpis
from cx_intel.reports.data.notes.ledger import delivery, refused
from cx_intel.reports.data.notes.renewals import cancelled
from cx_intel.reports.data.report_data import ReportData, total
from cx_intel.reports.pages.frame.page import Page, Section, choices_of
from cx_intel.reports.pages.interventions import FILTERS, interventions

TOP = 10


def dashboard_figures(data: ReportData, rows: Rows) -> list[Figure]:
    """The panels that are charts, those that the portfolio has."""
    has_health = bool(data.portfolio.health)
    return [
        *([charts.tiers(data, rows)] if has_health else []),
        retention_trend(data),
        *([charts.health_by_segment(data, rows)] if has_health else []),
        *([charts.exposed_arr(data, rows)] if data.portfolio.renewals else []),
        *([score_against_arr(data, rows)] if has_health else []),
    ]


def dashboard(data: ReportData) -> Page:
    say, rows = data.language.say, charts.account_rows(data)
    sections = [Section("", dashboard_figures(data, rows))]
    if data.portfolio.renewals:
        calls = interventions(data, say("Whom to call first, and why"), first=TOP)
        sections.append(Section(say("Top ten interventions"), tables=[calls]))
    return Page(
        "dashboard",
        say("Executive dashboard"),
        say("Where is our churn risk, and what is it worth?"),
        _answer(data),
        sections,
        template="dashboard.html",
        datasets={charts.ACCOUNTS: rows},
        script_data={"retention": retention_by_segment(data), "filters": list(FILTERS)},
        context={"kpis": kpis(data), "choices": choices_of(rows, FILTERS)},
    )


def retention_by_segment(data: ReportData) -> dict[str, dict[str, float | None]]:
    """NRR and GRR of each segment in the newest month, of the kind that the headline has."""
    frame = data["nrr_by_segment"]
    suffix = retention_suffix(data)
    last = frame[frame["revenue_month"] == frame["revenue_month"].max()] if len(frame) else frame
    return {
        str(row["segment"]): {
            k: None if pd.isna(row[f"{k}_{suffix}"]) else float(row[f"{k}_{suffix}"]) for k in ("nrr", "grr")
        }
        for row in last.to_dict("records")
    }


def _answer(data: ReportData) -> list[str]:
    """What is exposed and where most of it lies, what NRR becomes, how the figures called ARR relate, what is left out."""
    say = data.language.say
    if data.accounts.empty:
        return [say("There are no customers in this portfolio yet.")]
    found = [*_exposed(data), *cancelled(data), *_outlook(data)]
    found += [*refused(data, data.language), *delivery(data, data.language)]
    found.append(arr_figures(data).reconciled(data.language))
    if not data.portfolio.health:
        found.append(say("This portfolio has no health model, so tiers, health by segment and scores are left out."))
    if not data.portfolio.renewals:
        found.append(say("This portfolio has no renewals, so ARR at risk and interventions are left out."))
    return found


def _exposed(data: ReportData) -> list[str]:
    f, pipeline = data.language, data["renewal_pipeline"]
    if pipeline.empty:
        return []
    exposed = pipeline[pipeline["exposed_arr"] > 0]
    if exposed.empty:
        return [f.say("Nothing is exposed: no customer due within 90 days is unhealthy or has cancelled.")]
    amount = total(exposed["exposed_arr"])
    by_segment = exposed.groupby("segment")["exposed_arr"].sum().sort_values(ascending=False)
    return [
        f.count(
            "{exposed} of ARR ({share}) is exposed: {n} customer is not healthy or has cancelled, and is due within "
            "90 days, in {segment} ({most}).",
            "{exposed} of ARR ({share}) is exposed: {n} customers are not healthy or have cancelled, and are due "
            "within 90 days, most of it in {segment} ({most}).",
            len(exposed),
            exposed=f.money(amount),
            share=f.percent(100 * (amount / arr_figures(data).book)),
            segment=by_segment.index[0],
            most=f.money(by_segment.iloc[0]),
        )
    ]


def _outlook(data: ReportData) -> list[str]:
    f, outlook = data.language, data["nrr_outlook"]
    if outlook.empty:
        return []
    rates = outlook[outlook["segment"] == ALL_SEGMENTS].set_index("scenario")["book_nrr_pct"].dropna()
    if "expected_no_action" not in rates:
        return []
    nrr = f.percent(rates["expected_no_action"])
    if not {"simulated_p10", "simulated_p90"} <= set(rates.index):
        return [f.say("If nobody acts, NRR of the book in 90 days is expected at {nrr}.", nrr=nrr)]
    return [
        f.say(
            "If nobody acts, NRR of the book in 90 days is expected at {nrr} (8 in 10 simulations: {low} to {high}).",
            nrr=nrr,
            low=f.percent(rates["simulated_p10"]),
            high=f.percent(rates["simulated_p90"]),
        )
    ]
