"""The chart of what was said against what happened: of renewals that were given so much, how many renewed.

It draws what `renewal_model_reliability` holds; the page around it is `cx_intel.reports.pages.renewal_model`.
"""

from cx_intel.contracts.renewals.pipeline import MAP
from cx_intel.reports.charts.drawing.figure import (
    Figure,
    Rows,
    Spec,
    Width,
    chart,
    coloured,
    field,
    legend_at,
    mark,
    over,
    shaped,
    tip,
)
from cx_intel.reports.charts.drawing.palette import BLUE, GREY, ORANGE, Mark
from cx_intel.reports.charts.revenue import percent_axis
from cx_intel.reports.data.report_data import ReportData, records
from cx_intel.settings.renewals import LEARNED

NAME = "reliability"
SCALE = {"domain": [0, 100]}


def predictor_marks(data: ReportData) -> tuple[Mark, Mark]:
    """How the learnt probability and the map look."""
    say = data.language.say
    return Mark(LEARNED, BLUE, "circle", say("learnt")), Mark(MAP, ORANGE, "diamond", say("map"))


def reliability(data: ReportData) -> Figure:
    """The share that renewed by the probability that was given, with its interval, for the learnt one and the map."""
    say, f, marks = data.language.say, data.language, predictor_marks(data)
    labels = {found.name: found.label for found in marks}
    rows: Rows = [
        {
            "predictor": labels[row["predictor"]],
            "said": round(row["predicted_pct"], 2),
            "renewed": round(row["renewed_pct"], 2),
            "low": round(row["renewed_low_pct"], 2),
            "high": round(row["renewed_high_pct"], 2),
            "renewals": row["renewals"],
            "accounts": row["accounts"],
        }
        for row in records(data["renewal_model_reliability"])
    ]

    def build(width: Width) -> Spec:
        axis = percent_axis(data) | {"title": say("Probability given, %")}
        said = field("said", "Q", scale=SCALE, axis=axis)
        base = {"x": said, "color": coloured("predictor", marks, legend_at(width, marks))}
        shown = [
            tip("predictor", say("Probability from")),
            tip("said", say("Given, %"), ",.1f"),
            tip("renewed", say("Renewed, %"), ",.1f"),
            tip("low", say("At least, %"), ",.1f"),
            tip("high", say("At most, %"), ",.1f"),
            tip("renewals", say("Renewals"), ","),
            tip("accounts", say("Accounts"), ","),
        ]
        renewed = {"title": say("Renewed, %"), "scale": SCALE}
        corners: Rows = [{"said": 0, "renewed": 0}, {"said": 100, "renewed": 100}]
        line = {"x": field("said", "Q", scale=SCALE), "y": field("renewed", "Q", **renewed)}
        ideal = over(corners, mark("line", line, strokeDash=[4, 4], color=GREY))
        span = mark("rule", base | {"y": field("low", "Q", **renewed), "y2": {"field": "high"}}, opacity=0.6, size=2)
        look = {"y": field("renewed", "Q", **renewed), "shape": shaped("predictor", marks, None), "tooltip": shown}
        points = mark("point", base | look, filled=True, size=110, opacity=1)
        return chart(NAME, ideal, span, points, width=width, height=300)

    return Figure(
        NAME,
        say("What was said, and what happened"),
        "; ".join(
            say(
                "{which}: given {said}, renewed {renewed}",
                which=row["predictor"],
                said=f.percent(row["said"], 0),
                renewed=f.percent(row["renewed"], 0),
            )
            for row in rows
        )
        + ".",
        build,
        {NAME: rows},
        note=say("On the dashed line as many renewed as was said; the strokes hold the true share 9 times in 10"),
        is_empty=not rows,
        is_wide=True,
        legend=marks,
    )
