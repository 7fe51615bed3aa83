"""Asks for one run over the snapshots that are stale or missing, from the first of them to the newest: each case once.

What is stale is found by `late_events.py` during a refresh and told in metadata, so that nothing here needs the
warehouse, which a run may hold. The decision is a pure function; the sensor around it only fetches and passes on.
"""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from datetime import date
from typing import Any, Literal

import dagster as dg

from cx_intel.orchestration.assets.partitions import range_tags
from cx_intel.orchestration.assets.tables import key_of
from cx_intel.orchestration.schedules.jobs import Job
from cx_intel.orchestration.sensors.stale_snapshots import (
    STALE_BEFORE,
    STALE_KEY,
    STALE_SINCE,
    STALE_UNTIL,
    watching_table,
)
from cx_intel.settings.portfolio import Portfolio

LOOK_EVERY_SECONDS = 60
RUN_KEY_TAG = "dagster/run_key"
Outcome = Literal["none", "under way", "succeeded", "failed"]
"""Of a run that was asked for; none: it is not known to have begun."""


@dataclass(frozen=True)
class News:
    """What the last refresh found: the snapshots to be made anew, and what tells this case from any other."""

    since: str = ""
    until: str = ""
    key: str = ""
    left: str = ""


@dataclass(frozen=True)
class Asked:
    """The cursor: the case that a run was asked for last, how often, and what became of it."""

    key: str = ""
    since: str = ""
    until: str = ""
    attempts: int = 0
    done: bool = True

    @property
    def run_key(self) -> str:
        return f"late-{self.since}-{self.until}-{self.key}-{self.attempts}"


@dataclass(frozen=True)
class Decision:
    """What to do now: ask for the run of `asked`, or nothing; `reason` says why in either case."""

    asked: Asked
    request: bool
    reason: str


def decide(news: News, asked: Asked, outcome: Outcome, *, attempts: int) -> Decision:
    """Whether a run over stale snapshots is to be asked for.

    Args:
        news: What the last refresh found.
        asked: What was asked for before.
        outcome: Of the run that was asked for last.
        attempts: How often a run may be asked for in the same case.
    """
    span = f"{asked.since} to {asked.until}"
    if not asked.done and outcome == "under way":
        return Decision(asked, False, f"The run over {span} is under way.")
    if not asked.done and outcome == "none":
        return Decision(asked, True, f"The run over {span} has not begun; it is asked for again.")
    is_same_case = news.key in ("", asked.key)
    if not asked.done and outcome == "failed" and is_same_case and asked.attempts < attempts:
        again = replace(asked, attempts=asked.attempts + 1)
        return Decision(again, True, f"The run over {span} failed; attempt {again.attempts} of {attempts}.")
    asked = replace(asked, done=True)
    left = f" Left alone: {news.left}." if news.left else ""
    if not news.key:
        return Decision(asked, False, f"No snapshot is stale or missing.{left}")
    if news.key == asked.key:
        reason = f"The snapshots from {news.since} on were asked for {asked.attempts} times; nothing has changed since."
        return Decision(asked, False, f"{reason} Make them by `cx-intel backfill`.{left}")
    new = Asked(news.key, news.since, news.until, attempts=1, done=False)
    return Decision(new, True, f"Snapshots from {news.since} on are stale or missing.{left}")


def late_sensor(portfolio: Portfolio, job: Job) -> dg.SensorDefinition:
    """The sensor of a portfolio that has snapshots made anew when something came late."""
    settings = portfolio.automation.late_events
    on = dg.DefaultSensorStatus.RUNNING if settings.enabled else dg.DefaultSensorStatus.STOPPED

    @dg.sensor(
        name=f"{portfolio.name}_late_events",
        job=job,
        minimum_interval_seconds=LOOK_EVERY_SECONDS,
        default_status=on,
        description=f"Makes snapshots of {portfolio.name} anew that something came too late for, or that are missing.",
    )
    def late_events(context: dg.SensorEvaluationContext) -> dg.SensorResult:
        asked = Asked(**json.loads(context.cursor)) if context.cursor else Asked()
        outcome = _outcome(context.instance, asked)
        decision = decide(_news(context.instance, portfolio), asked, outcome, attempts=settings.attempts)
        cursor = json.dumps(asdict(decision.asked))
        if not decision.request:
            return dg.SensorResult(skip_reason=decision.reason, cursor=cursor)
        context.log.info(decision.reason)
        days = (date.fromisoformat(decision.asked.since), date.fromisoformat(decision.asked.until))
        request = dg.RunRequest(run_key=decision.asked.run_key, tags=range_tags(*days))
        return dg.SensorResult(run_requests=[request], cursor=cursor)

    return late_events


def _news(instance: dg.DagsterInstance, portfolio: Portfolio) -> News:
    entry = instance.get_latest_materialization_event(key_of(portfolio, watching_table(portfolio)))
    materialization = entry.asset_materialization if entry else None
    told: Mapping[str, Any] = materialization.metadata if materialization else {}
    names = {"since": STALE_SINCE, "until": STALE_UNTIL, "key": STALE_KEY, "left": STALE_BEFORE}
    return News(**{field: str(told[name].value) for field, name in names.items() if name in told})


def _outcome(instance: dg.DagsterInstance, asked: Asked) -> Outcome:
    if asked.done:
        return "none"
    runs = instance.get_runs(dg.RunsFilter(tags={RUN_KEY_TAG: asked.run_key}), limit=1)
    if not runs:
        return "none"
    if not runs[0].is_finished:
        return "under way"
    return "succeeded" if runs[0].is_success else "failed"
