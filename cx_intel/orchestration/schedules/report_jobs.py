"""The jobs that send reports on a schedule: the weekly revenue report, and the renewal review on Monday morning.

Their messages go through the outbox of the alerts: a service that is down fails no job, and loses no report. What the
reports say is written elsewhere: the brief by `cx_intel.reports.brief.weekly_brief`, the figures by the models.
"""

from datetime import date, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import dagster as dg
import pandas as pd

from cx_intel.orchestration.alerts.dispatcher import Dispatcher
from cx_intel.orchestration.alerts.outbox import Draft
from cx_intel.orchestration.alerts.run_reports import PORTFOLIO_TAG
from cx_intel.reports.brief.weekly_brief import brief_day
from cx_intel.reports.data.figures.retention import retention
from cx_intel.reports.pages.frame.publishing import PICTURE
from cx_intel.reports.words.language import Language
from cx_intel.settings.environment import Environment
from cx_intel.settings.portfolio import Portfolio
from cx_intel.warehouse.protocol import Warehouse

MONTHS = 6
BRIEF_FILE = "brief.md"
REVENUE_REPORT, RENEWAL_REVIEW = "revenue_report", "renewal_review"


def report_jobs(portfolio: Portfolio, environment: Environment) -> dict[str, dg.JobDefinition]:
    """The jobs of a portfolio that send reports, by what they are.

    Args:
        portfolio: Its settings; without renewals there is nothing to review, and without reports no brief of it.
        environment: Where the reports are, and the addresses.
    """
    dispatcher = Dispatcher(portfolio, environment)
    jobs = {REVENUE_REPORT: _revenue_job(dispatcher)}
    has_review = portfolio.renewals is not None and portfolio.reports.enabled
    return jobs | ({RENEWAL_REVIEW: _review_job(dispatcher)} if has_review else {})


def _revenue_job(dispatcher: Dispatcher) -> dg.JobDefinition:
    portfolio = dispatcher.portfolio

    @dg.op(name=f"send_{portfolio.name}_{REVENUE_REPORT}", required_resource_keys={"warehouse"})
    def send(context: dg.OpExecutionContext) -> None:
        warehouse: Warehouse = context.resources.warehouse.of(portfolio.name)
        summary: pd.DataFrame = warehouse.execute(warehouse.table("nrr_summary"))
        context.log.info(dispatcher.messages.post(revenue_draft(summary, portfolio)))

    return _job(portfolio, REVENUE_REPORT, send, f"Sends net and gross revenue retention of {portfolio.name}.")


def _review_job(dispatcher: Dispatcher) -> dg.JobDefinition:
    portfolio = dispatcher.portfolio
    folder = dispatcher.environment.reports(portfolio.name)

    @dg.op(name=f"send_{portfolio.name}_{RENEWAL_REVIEW}")
    def send(context: dg.OpExecutionContext) -> None:
        brief = folder / BRIEF_FILE
        if not brief.exists():
            raise dg.Failure(f"There is no brief at {brief}: refresh {portfolio.name} first.", allow_retries=False)
        link = dispatcher.environment.link(brief.with_suffix(".html"))
        today = datetime.now(ZoneInfo(portfolio.time_zone)).date()
        old = age_words(brief_day(folder), today, portfolio)
        draft = review_draft(brief.read_text(encoding="utf-8"), portfolio, folder / PICTURE, link, old)
        context.log.info(dispatcher.messages.post(draft))

    description = f"Sends the brief of {portfolio.name} on renewals of the next 90 days, with its dashboard."
    return _job(portfolio, RENEWAL_REVIEW, send, description)


def _job(portfolio: Portfolio, name: str, send: dg.OpDefinition, description: str) -> dg.JobDefinition:
    @dg.job(name=f"{portfolio.name}_{name}", description=description, tags={PORTFOLIO_TAG: portfolio.name})
    def report() -> None:
        send()

    return report


def revenue_draft(summary: pd.DataFrame, portfolio: Portfolio) -> Draft:
    """The message about net and gross revenue retention: the headline, and the last months.

    Args:
        summary: `nrr_summary`.
        portfolio: Its settings.
    """
    f = Language(portfolio.reports.language, portfolio.currency.reporting)
    months = summary.sort_values("revenue_month")
    subject = f"[{portfolio.name}] " + f.say("Revenue retention")
    if months.empty:
        return Draft(subject, f.say("There is no month of revenue yet."))
    last = months.iloc[-1]
    found = retention(last)
    rates = f"NRR {f.percent(found.nrr)}, GRR {f.percent(found.grr)}, {f.say(found.label)}" if found else ""
    titles = ("Month", "NRR", "GRR", "New", "Expansion", "Contraction", "Churned", "Ending")
    ending = f.say(
        "MRR at the end of {month}: {mrr}.", month=f.month(last["revenue_month"]), mrr=f.money(last["ending_mrr"], 2)
    )
    lines = [ending, "", f"| {' | '.join(f.say(title) for title in titles)} |", f"|{'---|' * len(titles)}"]
    for row in months.tail(MONTHS).to_dict("records"):
        amounts = ("new_mrr", "expansion_mrr", "contraction_mrr", "churned_mrr", "ending_mrr")
        cells = [f.month(row["revenue_month"]), f.percent(row["nrr_pct"]), f.percent(row["grr_pct"])]
        lines.append(f"| {' | '.join([*cells, *(f.money(row[name], 2) for name in amounts)])} |")
    return Draft(f"{subject}: {rates}" if rates else subject, "\n".join(lines))


def age_words(day: date | None, today: date, portfolio: Portfolio) -> str:
    """What is said of a brief that is not of the day before or newer; nothing of others, and of one of an unknown day."""
    if day is None or (days := (today - day).days) <= 1:
        return ""
    f = Language(portfolio.reports.language, portfolio.currency.reporting)
    return f.say("These figures are {n} days old. Refresh the portfolio for newer ones.", n=f.number(days))


def review_draft(brief: str, portfolio: Portfolio, picture: Path, link: str, old: str = "") -> Draft:
    """The message for the stand-up on renewals: the brief as it is, where it opens, and the dashboard as a picture.

    Args:
        brief: Markdown; its first line is the title.
        portfolio: Its settings.
        picture: The dashboard.
        link: The brief as a page.
        old: How old it is, where that has to be said first.
    """
    title, _, body = brief.lstrip().partition("\n")
    text = "\n\n".join(part for part in (old and f"**{old}**", body.strip(), link) if part)
    return Draft(f"[{portfolio.name}] {title.lstrip('# ').strip()}", text, files=(picture,))
