"""How new each source is, by its rows: on the quality page, in the brief and in the summary, with the same sentences."""

from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

from cx_intel.reports.brief.weekly_brief import weekly_brief
from cx_intel.reports.data.figures.headline import headline
from cx_intel.reports.data.freshness import newest_rows, sentence, state
from cx_intel.reports.data.trust import trust_of
from cx_intel.reports.pages.quality import quality
from cx_intel.reports.words.language import Language
from cx_intel.warehouse.duckdb.access.opening import reading
from cx_intel.warehouse.duckdb.warehouse import DuckDBWarehouse
from cx_intel_tests.helpers.builders import AS_OF, shipped
from cx_intel_tests.helpers.report_books import book_tables, read_book
from cx_intel_tests.helpers.report_tables import fill

ENGLISH = Language("en", "USD")


def source(table: str, age: int | None = 0, **known: Any) -> dict[str, Any]:
    """A source of every day whose newest row is so many days old; without an age it has none."""
    is_late, is_frozen = (age or 0) > 3, (age or 0) > 7
    limits = {"rhythm_days": 1, "late_after_days": 3, "freeze_after_days": 7}
    newest = None if age is None else AS_OF - timedelta(days=age)
    volume = dict.fromkeys(("volume_on", "volume_rows", "usual_rows")) | {"is_low_volume": False}
    row = {
        "as_of": AS_OF,
        "source_table": table,
        "judged_by": "rows",
        "newest_on": newest,
        "age_days": age,
        "gap_count": 10,
    }
    return row | limits | {"is_late": is_late, "is_frozen": is_frozen} | volume | known


NO_LIMITS = {"rhythm_days": None, "late_after_days": None, "freeze_after_days": None}
FEW = {"volume_on": AS_OF, "volume_rows": 1, "usual_rows": 45.5, "is_low_volume": True}
OLD = "The newest row of “Usage events” is of 26 Nov 2024, 66 days before 31 Jan 2025."
SOURCES = [
    source("accounts", 11, judged_by="deliveries", is_late=False, is_frozen=False, **NO_LIMITS),
    source("subscriptions", 1, judged_by="deliveries"),
    source("usage_events", 66),
    source("support_tickets", **FEW),
    source("invoices", None, **NO_LIMITS),
]
NEWEST = [
    "Newest row of each source: Usage events 26 Nov 2024, Support tickets 31 Jan 2025.",
    "Newest delivery that brought anything new: Accounts 20 Jan 2025, Subscriptions 30 Jan 2025.",
    "Sources without a dated row: Invoices.",
]
DOUBTFUL = (
    f"{OLD} Its rhythm is 1 day. It is late after 3 days and frozen after 7. "
    "Signals that read it are missing, and tiers are held.",
    "The newest row of “Support tickets” is of 31 Jan 2025, 0 days before 31 Jan 2025. "
    "1 row of “Support tickets” is of 31 Jan 2025, where 45.5 are usual on that weekday.",
)


def test_what_is_known_of_the_sources_is_told_alike_everywhere(tmp_path: Path) -> None:
    of = shipped("novacrm")
    path = fill(tmp_path / "w.duckdb", of, book_tables(of, ["Ada", "Berta"]) | {"source_freshness": SOURCES})
    data = read_book(path, of)
    assert newest_rows(data, data.language) == NEWEST
    trust = trust_of(data)
    assert (trust.sources, trust.level) == (DOUBTFUL, "unknown")  # nothing is known of checks
    assert trust.notices(data.language)[:2] == list(DOUBTFUL)
    (section,) = [s for s in quality(data).sections if s.title == "Freshness"]
    cells = [[cell.text for cell in row] for row in section.tables[0].rows]
    assert [row[:4] for row in cells] == [
        ["Usage events", "frozen", "26 Nov 2024", "66"],
        ["Support tickets", "on time, few rows", "31 Jan 2025", "0"],
        ["Invoices", "no rhythm yet", "–", "–"],
        ["Accounts", "no rhythm yet", "20 Jan 2025", "11"],
        ["Subscriptions", "on time", "30 Jan 2025", "1"],
    ]
    assert [row[4:] for row in cells][:2] == [["1", "3", "7", "–", "–"], ["1", "3", "7", "1", "46"]]
    made = weekly_brief(data)
    assert " ".join([*DOUBTFUL]) in made.markdown
    assert " ".join(NEWEST) in made.markdown
    with reading(path) as database:
        notes = headline(DuckDBWarehouse(database, of.name), of, AS_OF).notes
    assert notes[-3:] == tuple(NEWEST)


@pytest.mark.slow
def test_a_warehouse_that_has_no_such_table_says_nothing(tmp_path: Path) -> None:
    of = shipped("novacrm")
    data = read_book(fill(tmp_path / "w.duckdb", of, book_tables(of, ["Ada"])), of)
    assert newest_rows(data, data.language) == []
    assert trust_of(data).sources == ()


@pytest.mark.parametrize(
    ("row", "text", "word"),
    [
        (source("t", 1), "The newest row of “T” is of 30 Jan 2025, 1 day before 31 Jan 2025.", "on time"),
        (
            source("t", 4),
            "The newest row of “T” is of 27 Jan 2025, 4 days before 31 Jan 2025. Its rhythm is 1 day. "
            "It is late after 3 days and frozen after 7.",
            "late",
        ),
        (
            source("t", 9, is_frozen=False, late_after_days=8, freeze_after_days=None, rhythm_days=None),
            "The newest row of “T” is of 22 Jan 2025, 9 days before 31 Jan 2025. It is late after 8 days.",
            "late",
        ),
        (source("t", None, **NO_LIMITS), "There is no row of “T” up to 31 Jan 2025.", "no rhythm yet"),
        (
            source("t", None, **NO_LIMITS, is_late=True, is_frozen=True),
            "There is no row of “T” up to 31 Jan 2025. It had rows before. "
            "Signals that read it are missing, and tiers are held.",
            "frozen",
        ),
        (
            source("t", 2, judged_by="deliveries"),
            "The newest delivery of “T” that brought anything new is of 29 Jan 2025, 2 days before 31 Jan 2025.",
            "on time",
        ),
        (
            source("t", **(FEW | {"volume_rows": 0, "volume_on": date(2025, 1, 31)})),
            "The newest row of “T” is of 31 Jan 2025, 0 days before 31 Jan 2025. "
            "0 rows of “T” are of 31 Jan 2025, where 45.5 are usual on that weekday.",
            "on time, few rows",
        ),
    ],
)
def test_a_source_in_words(row: dict[str, Any], text: str, word: str) -> None:
    assert (sentence(row, ENGLISH), state(row, ENGLISH)) == (text, word)
