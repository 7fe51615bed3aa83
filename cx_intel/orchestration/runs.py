"""Refreshes a portfolio in this process: the same job as in the UI, with its events on the way and its outcome.

For the command line and for tests. Schedules and the UI start the job through Dagster.
"""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

import dagster as dg
from dagster._core.errors import DagsterExecutionInterruptedError
from dagster._core.utils import make_new_run_id
from dagster_shared.error import SerializableErrorInfo

from cx_intel.orchestration.assets.partitions import range_tags
from cx_intel.orchestration.assets.unchanged import REBUILD_TAG, UNCHANGED
from cx_intel.orchestration.dagster_internals import of_code_location
from cx_intel.orchestration.schedules.jobs import backtest_job_name, refresh_job_name
from cx_intel.warehouse.processes.running import FOLDER, RunMark
from cx_intel.warehouse.resource import WAITING

EXPLAINED = ("WarehouseError", "WarehouseBusy", "WarehouseLocked", "PrivacyError", "SourceError", "SettingsError")
"""Errors whose words are for operators, by class name: that is what is left of an error that Dagster recorded."""
QUIET = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}


@dataclass
class Outcome:
    """What became of a refresh.

    Attributes:
        portfolio: Its name.
        as_of: The day, or the last one of a range.
        run_id: The run in the UI.
        is_complete: Every step was made; of a refused delivery with the table as it was.
        succeeded: It is complete, and nothing was blocked or refused.
        is_interrupted: Somebody stopped it (Ctrl-C); the step that was going on left its table as it was.
        tables: Tables made: name -> rows in the table or the partitions written.
        unchanged: Those of them that were left as they are, because they would have come out the same.
        seconds: Steps done: the table, of several the first one -> how long the step took.
        checks: Outcome -> count, of passed, warned, failed.
        failures: What went wrong, a line each.
        warnings: Checks that warn, a line each.
    """

    portfolio: str
    as_of: date
    run_id: str
    is_complete: bool = False
    succeeded: bool = False
    is_interrupted: bool = False
    tables: dict[str, int] = field(default_factory=dict)
    unchanged: set[str] = field(default_factory=set)
    seconds: dict[str, float] = field(default_factory=dict)
    checks: dict[str, int] = field(default_factory=lambda: {"passed": 0, "warned": 0, "failed": 0})
    failures: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)


def refresh(
    definitions: dg.Definitions,
    portfolio: str,
    as_of: date,
    instance: dg.DagsterInstance,
    on_step: Callable[[str, int | None], None] = lambda _table, _rows: None,
    *,
    since: date | None = None,
    without: Collection[str] = (),
    rebuild: bool = False,
    on_wait: Callable[[str], None] = lambda _text: None,
) -> Outcome:
    """Runs the refresh job of a portfolio for a day, or once for a range of days.

    Args:
        definitions: Those that have the portfolio.
        portfolio: Its name.
        as_of: The day.
        instance: Where the run is recorded.
        on_step: Called with each table when it is begun (rows None) and when it is done.
        since: The first day of a range that ends with `as_of`.
        without: Assets that are left out, by the last part of their key.
        rebuild: Execute every step, also those that would make what stands there already.
        on_wait: Told, in words, for whom the run waits before it can write.
    """
    tags = (range_tags(since, as_of) if since else {}) | ({REBUILD_TAG: "true"} if rebuild else {})
    outcome = Outcome(portfolio, as_of, make_new_run_id())
    _execute(
        definitions.resolve_job_def(refresh_job_name(portfolio)),
        outcome,
        instance,
        on_step,
        on_wait,
        without=without,
        partition_key=None if since else as_of.isoformat(),
        tags=tags,
    )
    return outcome


def layers_of(definitions: dg.Definitions, portfolio: str) -> dict[str, str]:
    """The steps of a portfolio's refresh, by the names that `on_step` gets: the layer of each."""
    layer = definitions.resolve_job_def(refresh_job_name(portfolio)).asset_layer
    found = {}
    for key in layer.executable_asset_keys:
        found[key.path[-1]] = layer.get(key).tags.get("layer", "")
    return found


def backtest(
    definitions: dg.Definitions,
    portfolio: str,
    as_of: date,
    instance: dg.DagsterInstance,
    on_step: Callable[[str, int | None], None] = lambda _table, _rows: None,
    on_wait: Callable[[str], None] = lambda _text: None,
) -> Outcome:
    """Runs the back-test job of a portfolio anew, from the tables of its last refresh, which was for `as_of`."""
    outcome = Outcome(portfolio, as_of, make_new_run_id())
    job = definitions.resolve_job_def(backtest_job_name(portfolio))
    _execute(job, outcome, instance, on_step, on_wait, tags={REBUILD_TAG: "true"})
    return outcome


def _execute(
    job: dg.JobDefinition,
    outcome: Outcome,
    instance: dg.DagsterInstance,
    on_step: Callable[[str, int | None], None],
    on_wait: Callable[[str], None],
    *,
    without: Collection[str] = (),
    partition_key: str | None = None,
    tags: Mapping[str, str],
) -> None:
    """Runs a job in this process and notes what becomes of it."""
    first_made: dict[str, str] = {}  # step: its table, of a step of several tables the first one

    def observe(entry: dg.EventLogEntry) -> None:
        event = entry.dagster_event
        if event is None:
            if entry.user_message.startswith(WAITING):
                on_wait(entry.user_message)
            return
        if event.event_type == dg.DagsterEventType.RUN_START:
            of_code_location(instance, outcome.run_id)
        elif event.is_step_start:
            on_step(_table_of(event), None)
        elif event.is_step_materialization and event.asset_key:
            first_made.setdefault(_table_of(event), event.asset_key.path[-1])
            _note_rows(outcome, event, on_step)
        elif event.event_type == dg.DagsterEventType.ASSET_CHECK_EVALUATION:
            _note_check(outcome, event.asset_check_evaluation_data)
        elif event.is_step_success:
            outcome.seconds[first_made.get(_table_of(event), _table_of(event))] = (
                event.step_success_data.duration_ms / 1000
            )
        elif event.is_step_failure and _is_interruption(event):
            outcome.is_interrupted = True
        elif event.is_step_failure:
            outcome.failures.append(f"{_table_of(event)}: {_reason(event)}")

    instance.add_event_listener(outcome.run_id, observe)
    chosen = [key for key in job.asset_layer.executable_asset_keys if key.path[-1] not in without]
    mark = RunMark(Path(instance.root_directory) / FOLDER, outcome.run_id)
    mark.hold()  # so that a run that is killed before it opens the warehouse is seen to be over
    try:
        result = job.execute_in_process(
            run_config=QUIET,
            instance=instance,
            asset_selection=chosen if without else None,
            partition_key=partition_key,
            tags=dict(tags),
            run_id=outcome.run_id,
            raise_on_error=False,
        )
    finally:
        mark.release()
    outcome.is_complete = result.success
    outcome.succeeded = result.success and not outcome.checks["failed"]
    if not result.success and not outcome.failures and not outcome.is_interrupted:
        outcome.failures.append(_run_failure(instance, outcome.run_id))


def _table_of(event: dg.DagsterEvent) -> str:
    return (event.step_key or "").split("__", 1)[-1]


def _note_rows(outcome: Outcome, event: dg.DagsterEvent, on_step: Callable[[str, int | None], None]) -> None:
    materialization = event.step_materialization_data.materialization
    count = materialization.metadata.get("dagster/row_count")
    assert event.asset_key is not None
    table = event.asset_key.path[-1]
    if table in outcome.tables:
        return  # a run over a range tells the same of each of its days
    if count is not None and isinstance(count.value, int):
        outcome.tables[table] = count.value
        if UNCHANGED in materialization.metadata:
            outcome.unchanged.add(table)
        on_step(table, count.value)


def _note_check(outcome: Outcome, evaluation: dg.AssetCheckEvaluation) -> None:
    if evaluation.passed:
        outcome.checks["passed"] += 1
        return
    text = f"{evaluation.asset_key.path[-1]}: {evaluation.check_name}: {evaluation.description or 'failed'}"
    advice = evaluation.metadata.get("what_to_do")
    if advice and str(advice.value) not in text:
        text += f" {advice.value}"
    if evaluation.severity == dg.AssetCheckSeverity.WARN:
        outcome.checks["warned"] += 1
        outcome.warnings.append(text)
    else:
        outcome.checks["failed"] += 1
        outcome.failures.append(text)


def _is_interruption(event: dg.DagsterEvent) -> bool:
    error = event.step_failure_data.error
    while error is not None and error.cls_name != DagsterExecutionInterruptedError.__name__:
        error = error.cause
    return error is not None


def _reason(event: dg.DagsterEvent) -> str:
    data = event.step_failure_data
    if data.user_failure_data and data.user_failure_data.description:
        return str(data.user_failure_data.description)
    return _words(data.error) if data.error else "failed"


def _run_failure(instance: dg.DagsterInstance, run_id: str) -> str:
    for record in instance.get_records_for_run(run_id).records:
        event = record.event_log_entry.dagster_event
        if event is not None and event.is_failure:
            failure = event.event_specific_data
            error = getattr(failure, "error", None)
            return _words(error) if error else (event.message or "the run failed")
    return "the run failed"


def _words(error: SerializableErrorInfo) -> str:
    """The error that says what to do, where one of ours is among the causes; else the first cause."""
    while error.cls_name not in EXPLAINED and error.cause is not None:
        error = error.cause
    words = error.message.strip()
    return words.split(": ", 1)[-1] if error.cls_name in EXPLAINED else words
