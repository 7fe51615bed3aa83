"""The heat maps of cohorts: how many of the accounts that began in a month are still there, and how much of their MRR.

They draw what `revenue_cohort_analysis` holds for the whole book; the months of revenue stand in `revenue.py`.
"""

from cx_intel.reports.charts.drawing.figure import Figure, Rows, Spec, Width, chart, field, mark, tip
from cx_intel.reports.charts.revenue import ALL, month_labels
from cx_intel.reports.data.cubes.cohorts import cohort_cube, members_cube
from cx_intel.reports.data.cubes.cube import Follows
from cx_intel.reports.data.report_data import ReportData

COHORTS = 24


def cohorts(data: ReportData, column: str, title: str) -> Figure:
    """A heat map: a row for each cohort, a column for each month since its first."""
    say = data.language.say
    frame = data["revenue_cohort_analysis"]
    rows: Rows = []
    left_out = ""
    if not frame.empty:
        total = frame[(frame["segment"] == ALL) & (frame["initial_accounts"] > 0)]
        months = sorted(total["cohort_month"].unique())
        kept = months[-COHORTS:]
        shown = total[total["cohort_month"].isin(kept) & (total["months_since_start"] <= COHORTS)]
        for row in shown.sort_values(["cohort_month", "months_since_start"]).to_dict("records"):
            rows.append(
                {
                    "at": str(row["cohort_month"]),
                    "month": data.language.month(row["cohort_month"]),
                    "since": int(row["months_since_start"]),
                    "value": round(float(row[column]), 2),
                    "accounts": int(row["active_accounts"]),
                    "of": int(row["initial_accounts"]),
                    "mrr": round(float(row["cohort_mrr"]), 2),
                }
            )
        if len(months) > len(kept):
            left_out = data.language.count(
                "Shown are the newest {most} cohorts; {n} older one is left out.",
                "Shown are the newest {most} cohorts; {n} older ones are left out.",
                len(months) - len(kept),
                most=len(kept),
            )
    is_revenue = column.startswith("revenue")
    scale = (
        {"scheme": "blueorange", "domain": [50, 150], "domainMid": 100, "reverse": True, "clamp": True}
        if is_revenue
        else {"scheme": "tealblues", "domain": [40, 100], "clamp": True}
    )
    legend = {"title": say("% kept"), "orient": "top", "gradientLength": 160, "format": ",.0f"}

    def build(width: Width) -> Spec:
        cells = mark(
            "rect",
            {
                "x": field(
                    "since", "O", title=say("Months since the first"), axis={"labelAngle": 0, "labelOverlap": "greedy"}
                ),
                "y": field("at", "O", title=None, axis={"labelExpr": month_labels(rows), "ticks": False}),
                "color": field("value", "Q", scale=scale, legend=legend),
                "tooltip": [
                    tip("month", say("Cohort")),
                    field("since", "O", title=say("Months since")),
                    tip("value", say("% kept"), ",.1f"),
                    tip("accounts", say("Accounts"), ","),
                    tip("of", say("of"), ","),
                    tip("mrr", say("MRR"), "$,.2f"),
                ],
            },
            stroke=None,
        )
        return chart(column, cells, width=width, height=15 * max(len({row["at"] for row in rows}), 4))

    return Figure(
        column,
        title,
        say("Share of each cohort that is still there, by months since its first; the table by year has the figures."),
        build,
        {column: rows},
        note=say("a square is a cohort in a month"),
        left_out=left_out,
        is_empty=not rows,
        lists={
            "cube": members_cube(data).name,
            "keys": {"cohort_month": "at"},
            "words": ["month"],
            "columns": [[say("First MRR"), "first_mrr", "money", 0], [say("MRR now"), "mrr_now", "money", 0]],
        },
        listed_from=members_cube(data),
        follows=Follows(
            cohort_cube(data),
            {"cohort_month": "at"},
            {"value": column, "accounts": "accounts_left", "of": "accounts_then", "mrr": "mrr_left"},
        ),
    )
