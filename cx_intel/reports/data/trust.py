"""How far the numbers of a day can be trusted: one verdict, and the sentences that say why.

Read from what the refresh left behind: signals of silent sources, tiers that are held, rows in quarantine, rules that do
not hold, tables that lag behind. The data quality page lists them one by one, the brief says the sentences.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any, Literal

from cx_intel.contracts.catalog import tables_of
from cx_intel.reports.data.freshness import doubtful_sources
from cx_intel.reports.data.report_data import ReportData, is_true, records
from cx_intel.reports.data.terms import fitting
from cx_intel.reports.words.catalogue import term
from cx_intel.reports.words.language import Language
from cx_intel.reports.words.rules import asked
from cx_intel.reports.words.tables import table_name

Level = Literal["good", "care", "bad", "unknown"]
LABELS: Mapping[Level, str] = {
    "good": term("Yes"),
    "care": term("Yes, with care"),
    "bad": term("Not yet"),
    "unknown": term("Not known"),
}
NAMED = 6
"""How many are named in a sentence; the rest is counted. One more is named, not counted."""


@dataclass(frozen=True)
class BrokenRule:
    """A rule that does not hold: its table, what it says, in how many rows of how many it is broken, and the first accounts."""

    table: str
    rule: str
    failed: int
    total: int
    accounts: tuple[str, ...] = ()
    of: int = 0
    """How many accounts break it on the day."""

    def told(self, f: Language) -> str:
        """In words: Accounts by day: “The contracts' MRR is the ledger's” (14 of 191)."""
        of = f.say("{n} of {all}", n=f.number(self.failed), all=f.number(self.total))
        return f.say("{table}: “{rule}” ({of})", table=table_name(self.table, f), rule=self.rule, of=of)


@dataclass(frozen=True)
class Trust:
    """The state of the data.

    Attributes:
        as_of: The day.
        sources: What is to be said of each source that is late or has few rows.
        silent: Labels of the signals whose source has fallen silent.
        frozen: Accounts whose tier is held because of that.
        quarantined: Canonical table: rows quarantined at the refresh of the day.
        failed: Rules that block and do not hold.
        warned: Rules that warn, likewise.
        behind: Tables that were not refreshed for the day.
        rules: Rules looked at, of which a check of Dagster's may have several; 0 when no results are kept.
    """

    as_of: date
    sources: tuple[str, ...]
    silent: tuple[str, ...]
    frozen: int
    quarantined: Mapping[str, int]
    failed: tuple[BrokenRule, ...]
    warned: tuple[BrokenRule, ...]
    behind: tuple[str, ...]
    rules: int

    @property
    def level(self) -> Level:
        """`good`; `care` where something should be known; `bad` where numbers should not be relied on; `unknown`."""
        if self.failed or self.behind:
            return "bad"
        if not self.rules:
            return "unknown"
        return "care" if self.sources or self.silent or self.frozen or self.quarantined or self.warned else "good"

    def sentences(self, language: Language) -> list[str]:
        """Why, the worst first."""
        say = language.say
        found = []
        if self.level == "good":
            text = term("All sources are fresh, nothing is in quarantine, and all {n} rules hold as of {day}.")
            found.append(say(text, n=language.number(self.rules), day=language.day(self.as_of)))
        if self.level == "unknown":
            found.append(say("No check results are kept in this warehouse yet; a refresh writes them."))
        if self.failed:
            rules = some([rule.told(language) for rule in self.failed], language)
            found.append(say("Rules that are broken, so that their tables stand as before: {rules}.", rules=rules))
        found += self.notices(language)
        if self.quarantined:
            tables = [f"{table_name(table, language)} {language.number(n)}" for table, n in self.quarantined.items()]
            found.append(say("Rows in quarantine: {tables}.", tables=some(tables, language)))
        if self.warned:
            found.append(
                say("Rules that warn: {rules}.", rules=some([rule.told(language) for rule in self.warned], language))
            )
        return found

    def notices(self, language: Language) -> list[str]:
        """What a reader must know before reading: tables that lag behind, figures of sources that fell silent."""
        found = []
        if self.behind:
            day = language.day(self.as_of)
            tables = some([table_name(table, language) for table in self.behind], language)
            found.append(language.say("Not refreshed for {day}: {tables}.", day=day, tables=tables))
        found += self.sources
        if self.silent:
            signals = some(self.silent, language)
            found.append(language.say("Sources fell silent, so these signals are missing: {signals}.", signals=signals))
        if self.frozen:
            found.append(
                language.count(
                    "The tier of {n} account is held at the last known one until its source delivers again.",
                    "The tiers of {n} accounts are held at the last known ones until their sources deliver again.",
                    self.frozen,
                )
            )
        return found


def trust_of(data: ReportData) -> Trust:
    """The state of the data at the day."""
    drivers, scores, quarantine = data["health_score_drivers"], data["customer_health_scores"], data["quarantine"]
    silent = sorted(set(drivers[is_true(drivers["is_stale"])]["label"])) if len(drivers) else []
    frozen = int(is_true(scores["is_frozen"]).sum()) if len(scores) else 0
    counted: dict[Any, Any] = dict(quarantine.groupby("source_table").size()) if len(quarantine) else {}
    checks = data.checks
    broken = checks[~checks["passed"].astype(bool)] if checks is not None and len(checks) else None
    named: dict[bool, list[BrokenRule]] = {True: [], False: []}
    for row in records(broken.sort_values(["table_name", "check_name"])) if broken is not None else ():
        if row["table_name"] == "source_freshness" and row["severity"] == "warn":
            continue  # what it tells stands in `sources`
        found = BrokenRule(
            row["table_name"], asked(row, data.language), int(row["failed_rows"]), int(row["total_rows"])
        )
        accounts, of = data.behind.get((row["table_name"], row["check_name"]), ((), 0))
        found = replace(found, accounts=accounts, of=of)
        named[row["severity"] != "warn"].append(found)
    return Trust(
        data.as_of,
        tuple(doubtful_sources(data, data.language)),
        tuple(silent),
        frozen,
        {str(table): int(n) for table, n in counted.items()},
        tuple(named[True]),
        tuple(named[False]),
        tuple(t for t in tables_of(data.portfolio) if t in data.newest and data.newest[t] < data.as_of),
        0 if checks is None else len(checks),
    )


def doubts(data: ReportData, tables: Sequence[str]) -> list[str]:
    """Rules of these tables that do not hold, to be read beside the figures made of them."""
    checks, f = data.checks, data.language
    if checks is None or checks.empty:
        return []
    broken = checks[~checks["passed"].astype(bool) & checks["table_name"].isin(tables)]
    return [
        f.say(
            "In doubt, “{table}”: in {n} of {all} rows this does not hold: {rule}",
            table=table_name(str(row["table_name"]), f),
            n=f.number(row["failed_rows"]),
            all=f.number(row["total_rows"]),
            rule=asked(row, f),
        )
        for row in records(broken)
    ]


def some(names: Sequence[str], language: Language) -> str:
    """The first names, and how many more there are."""
    shown, left = fitting(names, NAMED)
    return ", ".join([*shown, *([language.say("and {n} more", n=language.number(left))] if left else [])])
