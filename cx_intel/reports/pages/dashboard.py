"""The executive dashboard: where the risk of churn lies and what it is worth, in six figures and six panels.

The same charts make the picture, in
`cx_intel.reports.charts.drawing.picture`; the list of interventions is in `interventions.py`.
"""

from cx_intel.contracts.renewals.outlook import ALL_SEGMENTS
from cx_intel.reports.charts import accounts as charts
from cx_intel.reports.charts.drawing.figure import Figure, Rows
from cx_intel.reports.charts.revenue import retention_suffix, retention_trend
from cx_intel.reports.charts.scores import score_against_arr
from cx_intel.reports.data.figures.arr import arr_figures
from cx_intel.reports.data.figures.kpis import kpi_parts, kpis, retention_months
from cx_intel.reports.data.figures.money import money_script, money_sentence
from cx_intel.reports.data.notes.ledger import delivery, refused
from cx_intel.reports.data.notes.renewals import cancelled
from cx_intel.reports.data.report_data import ReportData, total
from cx_intel.reports.pages.frame.page import Page, Section
from cx_intel.reports.pages.parts.interventions import interventions

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
        script_data={
            "sentences": [money_script(data)] if data.portfolio.renewals else [],
            "kpis": kpi_parts(data),
            "retention": {"rows": "retention_trend", "span": retention_suffix(data), "months": retention_months(data)},
        },
        context={"kpis": kpis(data)},
    )


def _answer(data: ReportData) -> list[str]:
    """What is exposed and where most of it lies, what NRR becomes, how the figures called ARR relate, what is left out."""
    say = data.language.say
    if data.accounts.empty:
        return [say("There are no customers in this portfolio yet.")]
    found = [*filter(None, [money_sentence(data)]), *_where(data), *cancelled(data), *_outlook(data)]
    found += [*refused(data, data.language), *delivery(data, data.language)]
    found.append(arr_figures(data).reconciled(data.language))
    if not data.portfolio.health:
        found.append(say("This portfolio has no health model, so tiers, health by segment and scores are left out."))
    if not data.portfolio.renewals:
        found.append(say("This portfolio has no renewals, so ARR at risk and interventions are left out."))
    return found


def _where(data: ReportData) -> list[str]:
    """In which segment most of the exposed ARR is."""
    f, pipeline = data.language, data["renewal_pipeline"]
    exposed = pipeline[pipeline["exposed_arr"] > 0] if len(pipeline) else pipeline
    if exposed.empty:
        return []
    by_segment = exposed.groupby("segment")["exposed_arr"].sum().sort_values(ascending=False)
    share = f.percent(100 * (total(exposed["exposed_arr"]) / arr_figures(data).book))
    gaps = {"share": share, "segment": by_segment.index[0], "most": f.money(by_segment.iloc[0])}
    return [f.say("{share} of ARR is exposed, most of it in {segment} ({most}).", **gaps)]


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
