"""The contract of `source_freshness`: how new each source is, how new it usually is, and whether a day's rows are missing.

What a source may be is stated in its settings (`cx_intel.settings.sources.base`). The model is
`cx_intel.models.core.freshness`; who is told stands in `cx_intel.orchestration.checks.freshness`.
"""

from cx_intel.contracts.contract import COUNT, DATE, FLAG, NUMBER, TEXT, Column, Contract, Invariant
from cx_intel.contracts.core import AS_OF
from cx_intel.settings.portfolio import Portfolio

MODEL_FAULT = "A fault of the model, not of the data: report it."
ROWS, DELIVERIES = "rows", "deliveries"
"""By what a source is judged: the days of its rows, or the loads that brought something new."""


def source_freshness(portfolio: Portfolio) -> Contract:
    return Contract(
        "source_freshness",
        "core",
        "How new is each source, how new is it usually, and does it deliver as many rows as usual?",
        ("as_of", "source_table", "source_name"),
        (
            AS_OF,
            Column("source_table", TEXT, "The canonical table.", nullable=False),
            Column(
                "source_name",
                TEXT,
                "The source among several of the table, as its settings name it; else the table.",
                nullable=False,
            ),
            Column(
                "judged_by",
                TEXT,
                "rows: the days of its rows; deliveries: the loads that brought something new.",
                nullable=False,
                accepted=(ROWS, DELIVERIES),
            ),
            Column("newest_on", DATE, "Day of its newest row, or delivery, by as_of.", null_means="there is none"),
            Column("age_days", COUNT, "as_of less that day.", "days", null_means="there is none", minimum=0),
            Column(
                "gap_count",
                COUNT,
                "Gaps between days with rows, or deliveries, over its last 400 days.",
                nullable=False,
                minimum=0,
            ),
            Column(
                "rhythm_days",
                COUNT,
                "Its rhythm: nine tenths of those gaps are no longer.",
                "days",
                null_means="fewer than ten gaps: it has none yet",
                minimum=1,
            ),
            Column(
                "late_after_days",
                COUNT,
                "Older than this it is late: stale_after_days, else 1.5 rhythms and 2 days.",
                "days",
                null_means="neither is known: it is not judged",
                minimum=0,
            ),
            Column(
                "freeze_after_days",
                COUNT,
                "Older than this it is frozen: as stated, else 3 rhythms and 4 days, and not before it is late.",
                "days",
                null_means="neither is known: it is not judged",
                minimum=0,
            ),
            Column("is_late", FLAG, "It has been silent for longer than it may be.", nullable=False),
            Column(
                "is_frozen",
                FLAG,
                "It has been silent for so long that signals of it are missing and tiers are held.",
                nullable=False,
            ),
            Column(
                "volume_on",
                DATE,
                "The newest day of which it is known how many rows are usual.",
                null_means="20 rows or more are usual on no day of the last 14, or it is too young",
            ),
            Column("volume_rows", COUNT, "Its rows of that day.", null_means="no such day", minimum=0),
            Column(
                "usual_rows",
                NUMBER,
                "Median of the same weekday in the eight weeks before.",
                "rows",
                null_means="no such day",
                minimum=20,
            ),
            Column(
                "is_low_volume",
                FLAG,
                "That day and the one judged before it have fewer than a quarter of what is usual, or that day has none.",
                nullable=False,
            ),
        ),
        kind="snapshot",
        invariants=(
            Invariant("frozen_is_late", "A frozen source is late.", lambda t: ~t.is_frozen | t.is_late, MODEL_FAULT),
            Invariant(
                "low_volume_has_a_day",
                "Too few rows are told of a day.",
                lambda t: ~t.is_low_volume | t.volume_on.notnull(),
                MODEL_FAULT,
            ),
        ),
        plots={"late_sources": lambda t: t.count(where=t.is_late)},
    )


def days_of_sources(portfolio: Portfolio) -> Contract:
    """What staging keeps of tables that several sources deliver: no asset."""
    return Contract(
        "days_of_sources",
        "operations",
        "On which days each of several sources of a table has rows, or brought a delivery: read source_freshness.",
        ("source_table", "source_name", "day"),
        (
            Column("source_table", TEXT, "The canonical table.", nullable=False),
            Column("source_name", TEXT, "The source, as in source_freshness.", nullable=False),
            Column("day", DATE, "The day.", nullable=False),
            Column("rows", COUNT, "Rows counted on it; of a delivery, all that it had.", nullable=False, minimum=0),
            Column(
                "content",
                TEXT,
                "A fingerprint of the delivery, by which the next one is compared.",
                null_means="the table is judged by the days of its rows",
            ),
        ),
    )
