"""The data quality page: can today's numbers be trusted, what is in quarantine, and how fresh each table is.

Check results come from the warehouse; what to do about a failure stands with each. The verdict is that of
`cx_intel.reports.data.trust`; what a check asks stands in the contracts.
"""

from typing import Any

import pandas as pd

from cx_intel.reports.charts.drawing.palette import AMBER, RED, TEAL, Mark
from cx_intel.reports.data.freshness import source_title, state
from cx_intel.reports.data.notes.identity import unmatched
from cx_intel.reports.data.report_data import ReportData, is_true, records
from cx_intel.reports.data.trust import LABELS, trust_of
from cx_intel.reports.pages.frame.page import Cell, Column, Columns, Page, Section, Table, on_card, table_of
from cx_intel.reports.words.catalogue import term
from cx_intel.reports.words.language import Language
from cx_intel.reports.words.reasons import why
from cx_intel.reports.words.rounding import is_missing
from cx_intel.reports.words.rules import asked, what_to_do
from cx_intel.reports.words.tables import table_name

QUESTION = term("Can I trust today's numbers?")
OF_ALL = term("Nothing here follows the filters: rules, sources and rows are those of the whole company.")
PASSED, WARNED, FAILED = term("passed"), term("warning"), term("failed")
OUTCOMES = {FAILED: (RED, "triangle-down"), WARNED: (AMBER, "diamond"), PASSED: (TEAL, "circle")}
"""Of a check: its colour and shape, the worst first."""
ROWS_SHOWN, RAW_LENGTH = 50, 300
RULES = term("Counted are rules; a check in the Dagster UI and at the terminal asks one or several of them.")


def quality(data: ReportData) -> Page:
    say = data.language.say
    sections = [_checks(data), _quarantine(data)]
    if data.portfolio.has_identity:
        sections.append(_identity(data))
    if data.portfolio.health:
        sections.append(_silent(data))
    sections.append(_freshness(data))
    return Page("quality", say("Data quality"), say(QUESTION), _answer(data), sections, of_all=say(OF_ALL))


def _answer(data: ReportData) -> list[str]:
    trust, say = trust_of(data), data.language.say
    return [f"{say(LABELS[trust.level])}. {' '.join(trust.sentences(data.language))}"]


def _checks(data: ReportData) -> Section:
    say = data.language.say
    checks = data.checks
    if checks is None or checks.empty:
        note = say("No check results are kept in this warehouse yet; a refresh writes them.")
        return Section(say("Checks"), notes=[note])
    c = Columns(data.language)
    passed = checks["passed"].astype(bool)
    outcome = pd.Series(PASSED, index=checks.index)
    outcome = outcome.mask(~passed & (checks["severity"] != "warn"), FAILED)
    outcome = outcome.mask(~passed & (checks["severity"] == "warn"), WARNED)
    told, f = records(checks), data.language
    checks = checks.assign(
        outcome=outcome, rule=[asked(row, f) for row in told], what_to_do=[what_to_do(row, f) for row in told]
    )
    broken = checks[checks["outcome"] != PASSED].sort_values(["outcome", "failed_rows"], ascending=[True, False])

    def share(row: dict[str, Any]) -> Cell:
        n, rows = (data.language.number(row[name]) for name in ("failed_rows", "total_rows"))
        return Cell(say("{n} of {all}", n=n, all=rows), int(row["failed_rows"]))

    columns: list[Column] = [
        c.level(say("Outcome"), "outcome", [Mark(name, *look, say(name)) for name, look in OUTCOMES.items()]),
        on_card(1, c.table(say("Table"), "table_name", data.labels.attribute)),
        on_card(2, c.text(say("What is asked"), "rule")),
        on_card(3, (c.heading(say("Rows that fail"), "number"), share)),
        on_card(4, c.text(say("What to do"), "what_to_do")),
    ]
    counted = checks.groupby("table_name")["outcome"].value_counts().unstack(fill_value=0)
    summary = counted.reindex(columns=[PASSED, WARNED, FAILED], fill_value=0).reset_index()
    rows = checks.groupby("table_name")["total_rows"].max()
    summary = summary.assign(rows=summary["table_name"].map(rows)).sort_values(
        [FAILED, WARNED, "table_name"], ascending=[False, False, True]
    )
    tables = [
        table_of(
            broken,
            say("Rules that do not hold"),
            columns,
            empty=say("None: every rule holds."),
            where_more=say("All are in the Dagster UI."),
        ),
        table_of(
            summary,
            say("Rules by table"),
            [
                c.table(say("Table"), "table_name", data.labels.attribute),
                c.number(say("Passed"), PASSED),
                c.number(say("Warnings"), WARNED),
                c.number(say("Failed"), FAILED),
                c.number(say("Rows checked"), "rows"),
            ],
            is_folded=True,
        ),
    ]
    return Section(say("Checks"), notes=[say(RULES)], tables=tables)


def _quarantine(data: ReportData) -> Section:
    say = data.language.say
    quarantined, c, f = data["quarantine"], Columns(data.language), data.language
    if quarantined.empty:
        note = say("No row was quarantined on {day}.", day=data.language.day(data.as_of))
        return Section(say("Quarantine"), notes=[note])
    quarantined = _in_words(quarantined, "reason_parts", f)
    counted = quarantined.groupby(["source_table", "reason"]).size().reset_index(name="rows")
    counted = counted.sort_values(["rows", "source_table"], ascending=[False, True])

    def raw(row: dict[str, Any]) -> Cell:
        text = "" if is_missing(row["raw_row"]) else str(row["raw_row"])
        return Cell(text if len(text) <= RAW_LENGTH else text[: RAW_LENGTH - 1] + "…")

    tables = [
        table_of(
            counted,
            say("Why rows were quarantined: {n}", n=data.language.number(len(quarantined))),
            [
                c.table(say("Table"), "source_table", data.labels.attribute),
                c.text(say("Reason"), "reason"),
                c.number(say("Rows"), "rows"),
            ],
        ),
        table_of(
            quarantined,
            say("The rows"),
            [
                c.table(say("Table"), "source_table", data.labels.attribute),
                c.text(say("File"), "source_file"),
                c.number(say("Row"), "row_number"),
                c.text(say("Reason"), "reason"),
                (c.heading(say("As delivered")), raw),
            ],
            limit=ROWS_SHOWN,
            where_more=say("The rest is in the table “{table}”.", table=table_name("quarantine", data.language)),
            is_folded=True,
        ),
    ]
    note = say("Mend them at the source or in the mapping and refresh: they then come in.")
    return Section(say("Quarantine"), tables=tables, notes=[note])


def _in_words(rows: pd.DataFrame, parts: str, f: Language) -> pd.DataFrame:
    """The rows with their reasons in the language; a warehouse not refreshed since an earlier version has no parts."""
    given = rows.get(parts, [None] * len(rows))
    return rows.assign(reason=[why(reason, made_of, f) for reason, made_of in zip(rows["reason"], given, strict=True)])


def _identity(data: ReportData) -> Section:
    say, c, rows = data.language.say, Columns(data.language), data["unmatched_accounts"]
    rows = _in_words(rows, "reason_part", data.language)
    table = table_of(
        rows.sort_values(["mrr", "row_count", "system", "external_id"], ascending=[False, False, True, True]),
        say("Ids of other systems that no link leads to an account"),
        [
            c.text(say("System"), "system"),
            c.text(say("Id"), "external_id"),
            c.text(say("Name there"), "external_name"),
            c.text(say("Why"), "reason"),
            c.text(say("Account of its own"), "account_id"),
            c.number(say("Rows"), "row_count"),
            c.number(say("Events"), "event_count"),
            c.money(say("MRR"), "mrr"),
        ],
        limit=ROWS_SHOWN,
        where_more=say("The rest is in the table “{table}”.", table=table_name("unmatched_accounts", data.language)),
        empty=say("None: every id belongs to an account."),
    )
    return Section(say("Identity"), tables=[table], notes=unmatched(data, data.language))


def _silent(data: ReportData) -> Section:
    say = data.language.say
    drivers, c = data["health_score_drivers"], Columns(data.language)
    if drivers.empty:
        return Section(say("Signals"), notes=[say("No signal is measured yet.")])
    applicable = drivers[is_true(drivers["is_applicable"])]
    frame = (
        applicable.assign(measured=is_true(applicable["is_measured"]), stale=is_true(applicable["is_stale"]))
        .groupby(["signal_order", "label"], as_index=False)
        .agg(applies=("signal", "size"), measured=("measured", "sum"), stale=("stale", "sum"))
    )
    frame["pct"] = 100 * frame["measured"] / frame["applies"]
    table = table_of(
        frame.sort_values(["pct", "signal_order"]),
        say("How much of each signal is measured, the least first"),
        [
            c.text(say("Signal"), "label"),
            c.number(say("Applies to"), "applies"),
            c.number(say("Measured"), "measured"),
            c.percent(say("Share"), "pct", 0),
            c.number(say("Silent source"), "stale", explains=say("accounts whose source of it has fallen silent")),
        ],
    )
    return Section(say("Signals"), tables=[table])


def _freshness(data: ReportData) -> Section:
    say = data.language.say
    frame = pd.DataFrame(
        {
            "table": table,
            "newest": data.newest.get(table),
            "lag": (data.as_of - data.newest[table]).days if table in data.newest else None,
            "rows": count,
        }
        for table, count in data.row_counts.items()
    )
    if len(frame):
        frame = frame.sort_values(["lag", "table"], ascending=[False, True], na_position="last")
    c = Columns(data.language)
    table = table_of(
        frame,
        say("The newest day of each table, the oldest first"),
        [
            c.table(say("Table"), "table", data.labels.attribute),
            c.day(say("Newest day"), "newest"),
            c.number(say("Days behind"), "lag"),
            c.number(say("Rows"), "rows"),
        ],
        first=12,
        key="freshness",
        empty=say("There is no table yet."),
        is_folded=True,
    )
    return Section(say("Freshness"), tables=[_sources(data), table])


def _sources(data: ReportData) -> Table:
    """How new each source is by its own rows, whenever it was refreshed, and how new it usually is."""
    say, c, f = data.language.say, Columns(data.language), data.language
    rows = data["source_freshness"]
    known = records(rows)
    frame = rows.assign(state=[state(row, f) for row in known], source=[source_title(row, f) for row in known])
    return table_of(
        frame.sort_values(
            ["is_late", "is_low_volume", "age_days", "source"],
            ascending=[False, False, False, True],
            na_position="first",
        ),
        say("The newest row of each source, the late ones first"),
        [
            c.text(say("Source"), "source"),
            c.text(say("State"), "state"),
            c.day(say("Newest row"), "newest_on", explains=say("of accounts and subscriptions: delivery that was new")),
            c.number(say("Days before {day}", day=f.day(data.as_of)), "age_days"),
            c.number(
                say("Rhythm in days"), "rhythm_days", explains=say("nine tenths of the gaps between days are no longer")
            ),
            c.number(say("Late after"), "late_after_days"),
            c.number(say("Frozen after"), "freeze_after_days"),
            c.number(say("Rows of the day"), "volume_rows"),
            c.number(say("Usual rows"), "usual_rows", explains=say("median of the same weekday in eight weeks")),
        ],
        key="sources",
        empty=say("There is no table yet."),
    )
