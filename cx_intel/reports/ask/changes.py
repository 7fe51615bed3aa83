"""What changed up to the newest day, where only that day can be read: scores and why, lifecycle events, the ledger's last month.

A published copy holds the newest day unless the portfolio asks for more; what the refresh compared with earlier days is in it.
Where both days can be read, `differences.py` tells all of it.
"""

from datetime import UTC, datetime, timedelta

from cx_intel.reports.ask.answer import Answer, Section, known_day
from cx_intel.reports.ask.differences import NAMED, event_section, score_section
from cx_intel.reports.brief.facts import facts_of
from cx_intel.reports.data.figures.arr import arr_figures
from cx_intel.reports.data.reading import read_report_data
from cx_intel.reports.data.report_data import ReportData
from cx_intel.reports.words.labels import in_english
from cx_intel.settings.portfolio import Portfolio
from cx_intel.warehouse.protocol import Warehouse

TABLES = (
    "account_snapshot",
    "customer_health_scores",
    "health_score_changes",
    "health_score_change_drivers",
    "renewal_pipeline",
    "cs_intervention_list",
    "lifecycle_events",
    "nrr_summary",
)


def changes(warehouse: Warehouse, portfolio: Portfolio, days: int) -> Answer:
    """What the newest day tells of so many days before it, in English; of scores, the compared day that is nearest to that.

    Args:
        warehouse: The open warehouse, or a published copy.
        portfolio: Its settings.
        days: How far back.

    Raises:
        NoAnswer: There is no snapshot yet.
    """
    day = known_day(warehouse, None)
    data = read_report_data(warehouse, in_english(portfolio), day, datetime.now(UTC), tables=TABLES, with_state=False)
    compared = sorted(
        set(data["health_score_changes"]["compared_as_of"]), key=lambda d: abs((day - timedelta(days=days)) - d)
    )
    sections: list[Section] = []
    if compared:
        facts = facts_of(data, compared[0], falls=NAMED + 1, rises=NAMED + 1)
        since = data.language.day(compared[0])
        sections += [
            score_section(f"Scores that fell most since {since}", facts.falls, data),
            score_section(f"Scores that rose most since {since}", facts.rises, data),
        ]
    sections += [event_section("Lifecycle events of the day", data["lifecycle_events"], data), _ledger(data)]
    return Answer(
        f"{portfolio.name} as of {data.language.day(day)}",
        (arr_figures(data).reconciled(data.language),),
        tuple(section for section in sections if section.rows or section.lines),
    )


def _ledger(data: ReportData) -> Section:
    if data.summary.empty:
        return Section("")
    last, f = data.summary.iloc[-1], data.language
    names = ("starting", "new", "reactivation", "expansion", "contraction", "churned", "ending")
    rows = tuple((name, f.money(last[f"{name}_mrr"], 2)) for name in names)
    return Section(f"MRR in {f.month(last['revenue_month'])}", rows)
