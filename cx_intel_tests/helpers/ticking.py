"""Sensors in tests: tick after tick with the cursor carried over, and what the daemon does with their requests."""

from dataclasses import dataclass, field
from typing import Any

import dagster as dg


@dataclass
class Ticking:
    """A sensor, tick after tick, with its cursor."""

    sensor: dg.SensorDefinition
    instance: dg.DagsterInstance
    cursor: str | None = None
    said: list[str] = field(default_factory=list)

    def tick(self) -> list[dg.RunRequest]:
        result: Any = self.sensor(dg.build_sensor_context(instance=self.instance, cursor=self.cursor))
        self.cursor = result.cursor if result.cursor is not None else self.cursor
        asked = list(result.run_requests or [])
        self.said.append(result.skip_reason.skip_message if result.skip_reason else "")
        assert bool(asked) is not bool(self.said[-1]), "a sensor asks for a run, or says why not"
        return asked


def carried_out(instance: dg.DagsterInstance, request: dg.RunRequest, *, fails: bool) -> None:
    """What the daemon does with a request."""

    @dg.op
    def work() -> None:
        if fails:
            raise dg.Failure("no network")

    @dg.job(name="small_refresh")
    def job() -> None:
        work()

    tags = {**request.tags, "dagster/run_key": request.run_key or ""}
    job.execute_in_process(instance=instance, tags=tags, raise_on_error=False)
