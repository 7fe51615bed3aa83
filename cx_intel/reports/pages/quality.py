"""The data quality page: can today's numbers be trusted, what was turned away, and how fresh each table is.

Check results come from the warehouse; what to do about a failure stands with each. What a check asks is the matter of
the contracts.
"""

from typing import Any

import pandas as pd

from cx_intel.contracts.catalog import tables_of
from cx_intel.reports.charts.palette import AMBER, RED, TEAL, Mark
from cx_intel.reports.data.report_data import Book
from cx_intel.reports.pages.page import Cell, Column, Columns, Heading, Page, Section, Table, table_of
from cx_intel.reports.words.formats import is_missing

QUESTION = "Can I trust today's numbers?"
PASSED, WARNED, FAILED = (
    Mark("passed", TEAL, "circle"),
    Mark("warning", AMBER, "diamond"),
    Mark("failed", RED, "triangle-down"),
)
ROWS_SHOWN, RAW_LENGTH = 50, 300
RULES = "Counted are rules; a check in the Dagster UI and at the terminal asks one or several of them."


def quality(book: Book) -> Page:
    sections = [_checks(book), _quarantine(book), _freshness(book)]
    if book.portfolio.health:
        sections.insert(2, _silent(book))
    return Page("quality", "Data quality", QUESTION, _answer(book), sections)


def _counts(book: Book) -> tuple[int, int, int]:
    """Rules that hold, that warn, that are broken and block."""
    checks = book.checks
    if checks is None or checks.empty:
        return 0, 0, 0
    passed = checks["passed"].astype(bool)
    blocking = checks["severity"] == "block"
    return int(passed.sum()), int((~passed & ~blocking).sum()), int((~passed & blocking).sum())


def _behind(book: Book) -> list[str]:
    """Tables of the portfolio that were not refreshed for the day; an empty list cannot tell its day."""
    return [t for t in tables_of(book.portfolio) if t in book.newest and book.newest[t] < book.as_of]


def _answer(book: Book) -> list[str]:
    f = book.formats
    passed, warned, failed = _counts(book)
    turned_away, behind = len(book["quarantine"]), _behind(book)
    if not passed + warned + failed:
        verdict = "Nobody can tell: no check results are kept in this warehouse yet; a refresh writes them."
    elif failed or behind:
        verdict = "No, not all of them: "
        parts = []
        if failed:
            rules = "rule is" if failed == 1 else "rules are"
            parts.append(
                f"{f.number(failed)} blocking {rules} broken, and the tables concerned stand as they were before"
            )
        if behind:
            parts.append(f"{f.number(len(behind))} tables are older than {f.day(book.as_of)}")
        verdict += "; ".join(parts) + "."
    elif warned:
        warnings = f"{f.number(warned)} {'warning' if warned == 1 else 'warnings'}"
        verdict = f"Yes, with a look at {warnings}: all blocking rules hold and every table is of {f.day(book.as_of)}."
    else:
        verdict = f"Yes: all {f.number(passed)} rules hold and every table is of {f.day(book.as_of)}."
    rows = f"{f.number(turned_away)} {'row was' if turned_away == 1 else 'rows were'} turned away into quarantine."
    return [verdict, rows if turned_away else "No row was turned away."]


def _checks(book: Book) -> Section:
    checks = book.checks
    if checks is None or checks.empty:
        return Section("Checks", notes=["No check results are kept in this warehouse yet; a refresh writes them."])
    c = Columns(book.formats)
    passed = checks["passed"].astype(bool)
    outcome = pd.Series(PASSED.name, index=checks.index)
    outcome = outcome.mask(~passed & (checks["severity"] == "block"), FAILED.name)
    outcome = outcome.mask(~passed & (checks["severity"] != "block"), WARNED.name)
    checks = checks.assign(outcome=outcome)
    broken = checks[checks["outcome"] != PASSED.name].sort_values(["outcome", "failed_rows"], ascending=[True, False])

    def share(row: dict[str, Any]) -> Cell:
        return Cell(
            f"{book.formats.number(row['failed_rows'])} of {book.formats.number(row['total_rows'])}",
            int(row["failed_rows"]),
        )

    columns: list[Column] = [
        c.mark("Outcome", "outcome", (FAILED, WARNED, PASSED)),
        c.text("Table", "table_name"),
        c.text("What is asked", "rule"),
        (Heading("Rows that fail", "number"), share),
        c.text("What to do", "what_to_do"),
    ]
    counted = checks.groupby("table_name")["outcome"].value_counts().unstack(fill_value=0)
    summary = counted.reindex(columns=["passed", "warning", "failed"], fill_value=0).reset_index()
    rows = checks.groupby("table_name")["total_rows"].max()
    summary = summary.assign(rows=summary["table_name"].map(rows)).sort_values(
        ["failed", "warning", "table_name"], ascending=[False, False, True]
    )
    tables = [
        table_of(
            broken,
            "Rules that do not hold",
            columns,
            empty="None: every rule holds.",
            where_more="All are in the Dagster UI.",
        ),
        table_of(
            summary,
            "Rules by table",
            [
                c.text("Table", "table_name"),
                c.number("Passed", "passed"),
                c.number("Warnings", "warning"),
                c.number("Failed", "failed"),
                c.number("Rows checked", "rows"),
            ],
            is_folded=True,
        ),
    ]
    return Section("Checks", notes=[RULES], tables=tables)


def _quarantine(book: Book) -> Section:
    turned_away, c = book["quarantine"], Columns(book.formats)
    if turned_away.empty:
        return Section("Quarantine", notes=[f"No row was turned away on {book.formats.day(book.as_of)}."])
    counted = turned_away.groupby(["source_table", "reason"]).size().reset_index(name="rows")
    counted = counted.sort_values(["rows", "source_table"], ascending=[False, True])

    def raw(row: dict[str, Any]) -> Cell:
        text = "" if is_missing(row["raw_row"]) else str(row["raw_row"])
        return Cell(text if len(text) <= RAW_LENGTH else text[: RAW_LENGTH - 1] + "…")

    tables = [
        table_of(
            counted,
            f"Why rows were turned away: {len(turned_away)}",
            [c.text("Table", "source_table"), c.text("Reason", "reason"), c.number("Rows", "rows")],
        ),
        table_of(
            turned_away,
            "The rows",
            [
                c.text("Table", "source_table"),
                c.text("File", "source_file"),
                c.number("Row", "row_number"),
                c.text("Reason", "reason"),
                (Heading("As delivered"), raw),
            ],
            limit=ROWS_SHOWN,
            where_more="The rest is in the table quarantine.",
            is_folded=True,
        ),
    ]
    return Section(
        "Quarantine", tables=tables, notes=["Mend them at the source or in the mapping and refresh: they then come in."]
    )


def _silent(book: Book) -> Section:
    drivers, c = book["health_score_drivers"], Columns(book.formats)
    if drivers.empty:
        return Section("Signals", notes=["No signal is measured yet."])
    applicable = drivers[drivers["is_applicable"].astype(bool)]
    frame = (
        applicable.assign(measured=applicable["is_measured"].astype(int), stale=applicable["is_stale"].astype(int))
        .groupby(["signal_order", "label"], as_index=False)
        .agg(applies=("signal", "size"), measured=("measured", "sum"), stale=("stale", "sum"))
    )
    frame["pct"] = 100 * frame["measured"] / frame["applies"]
    table = table_of(
        frame.sort_values(["pct", "signal_order"]),
        "How much of each signal is measured, the least first",
        [
            c.text("Signal", "label"),
            c.number("Applies to", "applies"),
            c.number("Measured", "measured"),
            c.percent("Share", "pct", 0),
            c.number("Silent source", "stale", explains="accounts whose source of it has fallen silent"),
        ],
    )
    return Section("Signals", tables=[table])


def _freshness(book: Book) -> Section:
    frame = pd.DataFrame(
        {
            "table": table,
            "newest": book.newest.get(table),
            "lag": (book.as_of - book.newest[table]).days if table in book.newest else None,
            "rows": count,
        }
        for table, count in book.row_counts.items()
    )
    if len(frame):
        frame = frame.sort_values(["lag", "table"], ascending=[False, True], na_position="last")
    c = Columns(book.formats)
    return Section("Freshness", tables=[_freshness_table(frame, c)])


def _freshness_table(frame: pd.DataFrame, c: Columns) -> Table:
    return table_of(
        frame,
        "The newest day of each table, the oldest first",
        [
            c.text("Table", "table"),
            c.day("Newest day", "newest"),
            c.number("Days behind", "lag"),
            c.number("Rows", "rows"),
        ],
        first=12,
        key="freshness",
        empty="There is no table yet.",
    )
