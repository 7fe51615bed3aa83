"""Problems, from the run in which something fails to the one in which it passes again: what is new, what is over.

Pure functions over what runs reported. Where that comes from stands in `run_reports.py`, how it is said in
`wording.py`.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Literal, TypeAlias

from cx_intel.settings.automation import Alerts

FRESHNESS = "freshness_"
"""Begins the name of the check of how new a source is, before its table: it only warns, and is told all the same."""
SETTINGS = "settings/"
"""Begins the key of a problem of a portfolio's YAML, which is over once the portfolio is looked at again."""
OF = "__"
"""Stands there between the table and the name of one of several sources of it."""


@dataclass(frozen=True)
class Evaluation:
    """What one asset check found in a run."""

    table: str
    check: str
    passed: bool
    blocks: bool
    description: str = ""
    what_to_do: str = ""
    sample: str = ""
    """Some of the failed rows, in Markdown."""


@dataclass(frozen=True)
class RunReport:
    """What one finished run says.

    Attributes:
        event: The place of its end in the event log: later is more.
        run_id: The run.
        job: Its job.
        status: How it ended.
        until: The last day that it was for; None for a run without days.
        error: What it failed of.
        checks: What its checks found, in order.
        lifecycle: What happened to accounts, where it made `lifecycle_events`: rows with owner and name.
    """

    event: int
    run_id: str
    job: str
    status: Literal["success", "failure", "canceled"]
    until: date | None = None
    error: str = ""
    checks: tuple[Evaluation, ...] = ()
    lifecycle: tuple[Mapping[str, str | None], ...] = ()


Severity: TypeAlias = Literal["info", "success", "warning", "failure"]
"""How much a message matters, in the words of Apprise, whose services show it by colour, symbol or priority."""


@dataclass(frozen=True)
class Problem:
    """Something that is wrong: `key` tells it from others, `title` names it in a line, `text` says more."""

    key: str
    title: str
    text: str
    run_id: str
    severity: Severity = "failure"


@dataclass(frozen=True)
class Changes:
    """Problems that are new, and those that are over: key to title."""

    opened: tuple[Problem, ...]
    resolved: Mapping[str, str]


def changes(reports: Iterable[RunReport], known: Mapping[str, str], rules: Alerts) -> Changes:
    """What changed by these runs: a problem is told when it begins, whatever fails again until it is over.

    What began and ended within these runs is no news.

    Args:
        reports: The runs, in the order in which they ended.
        known: The problems told and not over: key to title.
        rules: What is to be told.
    """
    opened: dict[str, Problem] = {}
    resolved: dict[str, str] = {}
    for report in reports:
        for problem in _problems(report, rules):
            resolved.pop(problem.key, None)
            if problem.key not in known:
                opened.setdefault(problem.key, problem)
        for key in _over(report, [*known, *opened]):
            if key in known:
                resolved[key] = known[key]
            opened.pop(key, None)
    return Changes(tuple(opened.values()), resolved)


def gravest(problems: Iterable[Problem]) -> Severity:
    """How much a message about these problems matters."""
    return "failure" if any(problem.severity == "failure" for problem in problems) else "warning"


def check_key(table: str, check: str) -> str:
    """By which an incident of a check is known again."""
    return f"check/{table}/{check}"


def run_key(job: str, until: date | None) -> str:
    """By which an incident of a run is known again."""
    return f"run/{job}/{until or ''}"


def _problems(report: RunReport, rules: Alerts) -> Iterator[Problem]:
    for e in report.checks:
        is_source = e.check.startswith(FRESHNESS)
        is_told = (e.blocks and rules.failed_checks) or (is_source and rules.stale_sources)
        if not e.passed and is_told:
            parts = [e.description, e.what_to_do and f"What to do: {e.what_to_do}", e.sample if rules.samples else ""]
            table, _, name = e.check.removeprefix(FRESHNESS).partition(OF)
            source = f"{table} ({name})" if name else table
            title = f"{source}: the source is late or incomplete" if is_source else f"{e.table}: {e.check} failed"
            severity: Severity = "warning" if is_source else "failure"
            yield Problem(
                check_key(e.table, e.check), title, "\n\n".join(p for p in parts if p), report.run_id, severity
            )
    if report.status == "failure" and rules.failed_runs:
        of = f" for {report.until}" if report.until else ""
        yield Problem(run_key(report.job, report.until), f"{report.job}{of} failed", report.error, report.run_id)


def _over(report: RunReport, keys: Sequence[str]) -> Iterator[str]:
    """The problems that a run ends: checks that passed; failures of its job for its day or earlier ones."""
    passed = {check_key(e.table, e.check) for e in report.checks if e.passed}
    until = report.until.isoformat() if report.until else ""
    for key in keys:
        kind, job, day = key.split("/", 2)
        if key in passed or (kind == "run" and report.status == "success" and job == report.job and day <= until):
            yield key
