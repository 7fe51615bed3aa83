"""The support page: are service levels met, how long do tickets take, how content are those who asked.

Its figures are those of `sla_adherence` and the open breaches of `fct_tickets`.
"""

from typing import Any

import pandas as pd

from cx_intel.reports.charts import support as charts
from cx_intel.reports.data.cubes.cube import Follows
from cx_intel.reports.data.cubes.tickets import MOST_TICKETS, ticket_cube
from cx_intel.reports.data.report_data import ReportData, is_true
from cx_intel.reports.data.service_levels import resolved_script, service_levels
from cx_intel.reports.pages.frame.page import Cell, Columns, Page, Section, Table, on_card, table_of
from cx_intel.reports.words.catalogue import term
from cx_intel.reports.words.tables import table_name

QUESTION = term("Are service levels met, and where not?")
BREACHES = 100


def support(data: ReportData) -> Page:
    say = data.language.say
    if not data.has("sla_adherence"):
        text = term("This portfolio has no support tickets: no source delivers any.")
        return Page("support", say("Support"), say(QUESTION), [say(text)], [])
    if data["sla_adherence"].empty:
        return Page("support", say("Support"), say(QUESTION), [say("There is no ticket yet.")], [])
    adherence = [
        charts.over_time(
            data,
            d,
            "sla_adherence_pct",
            title,
            say("resolved in time, of those resolved"),
            is_percent=True,
        )
        for d, title in (
            (charts.PRIORITY, say("SLA adherence by priority")),
            (charts.SEGMENT, say("SLA adherence by segment")),
        )
    ]
    speed = [
        charts.resolution_times(data),
        charts.over_time(
            data,
            charts.SEGMENT,
            "median_resolution_hours",
            say("Median hours to resolve, by segment"),
            say("hours, logarithmic"),
            is_log=True,
        ),
        charts.over_time(
            data,
            charts.SEGMENT,
            "p90_resolution_hours",
            say("p90 hours to resolve, by segment"),
            say("hours, logarithmic; nine in ten are faster"),
            is_log=True,
        ),
        charts.over_time(data, charts.SEGMENT, "avg_csat", say("CSAT by segment"), say("mean rating")),
    ]
    sections = [
        Section(say("Service levels"), adherence, [_breaches(data)]),
        Section(
            say("Speed and satisfaction"),
            speed,
            [_months(data, d) for d in (charts.PRIORITY, charts.SEGMENT)],
            _too_many(data),
        ),
    ]
    cube = ticket_cube(data)
    told = {"sentences": [resolved_script(data, cube)] if cube else []}
    return Page("support", say("Support"), say(QUESTION), service_levels(data), sections, script_data=told)


def _too_many(data: ReportData) -> list[str]:
    """Why figures of support do not follow the filters, where they do not."""
    if ticket_cube(data) is not None:
        return []
    text = term("With more than {n} tickets in these months, the figures of support are of the whole company alone.")
    return [data.language.say(text, n=data.language.number(MOST_TICKETS))]


def _breaches(data: ReportData) -> Table:
    say = data.language.say
    tickets = data["fct_tickets"]
    late = tickets[is_true(tickets["is_open_breach"])] if len(tickets) else tickets
    names = data["dim_account"][["account_id", "account_name"]]
    late = late.merge(names, on="account_id", how="left").sort_values(["priority", "created_at"])
    c = Columns(data.language)
    end = pd.Timestamp(data.as_of) + pd.Timedelta(days=1)

    def age(row: dict[str, Any]) -> Cell:
        hours = (end - pd.Timestamp(row["created_at"])).total_seconds() / 3600
        text = say("{n} d", n=data.language.number(hours / 24, 1))
        return Cell(text, hours)

    return table_of(
        late,
        say("Open breaches, the most urgent priority and the oldest first: {n}", n=data.language.number(len(late))),
        [
            c.text(say("Ticket"), "ticket_id"),
            c.account(),
            on_card(1, c.text(say("Priority"), "priority")),
            c.term(say("Status"), "status"),
            c.text(say("Category"), "category"),
            on_card(2, (c.heading(say("Open for"), "number"), age)),
            on_card(3, c.number(say("Target"), "sla_target_hours", unit=" h")),
            c.text(say("Owner"), "account_owner"),
        ],
        limit=BREACHES,
        first=10,
        key="breaches",
        where_more=say("The rest is in the table “{table}”.", table=table_name("fct_tickets", data.language)),
        empty=say("No unresolved ticket is older than its target."),
    )


def _months(data: ReportData, dimension: str) -> Table:
    say = data.language.say
    frame = charts.recent(data, dimension).sort_values(["ticket_month", "dimension_value"], ascending=[False, True])
    c = Columns(data.language)
    cube = ticket_cube(data)
    has_first_reply = bool(data.portfolio.support.first_reply_target_hours)
    return table_of(
        frame,
        {
            charts.PRIORITY: say("All figures by month and priority"),
            charts.SEGMENT: say("All figures by month and segment"),
        }[dimension],
        [
            c.month(say("Month"), "ticket_month"),
            on_card(1, c.text(say(charts.DIMENSIONS[dimension]), "dimension_value")),
            on_card(2, c.number(say("Tickets"), "total_tickets")),
            c.number(say("Resolved"), "resolved_tickets"),
            c.number(say("Late"), "sla_breaches"),
            c.number(say("Not judged"), "unjudged_tickets", explains=say("no target or no time of resolution")),
            c.number(say("Open breaches"), "open_breaches"),
            on_card(3, c.percent(say("Adherence"), "sla_adherence_pct")),
            c.percent(say("With open"), "adherence_incl_open_pct", explains=say("open breaches counted as late")),
            *([c.percent(say("First reply in time"), "first_reply_adherence_pct")] if has_first_reply else []),
            c.number(say("Median, h"), "median_resolution_hours", 1),
            c.number(say("p90, h"), "p90_resolution_hours", 1),
            c.number(say("CSAT"), "avg_csat", 2),
        ],
        where_more=say("All months are in the table “{table}”.", table=table_name("sla_adherence", data.language)),
        is_folded=True,
        key=f"by-{dimension}",
        follows=Follows(cube, {"ticket_month": "ticket_month", dimension: "dimension_value"}) if cube else None,
    )
