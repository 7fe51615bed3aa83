"""Dagster's own home: `dagster.yaml` in `CX_HOME`, made when it is not there, and the instance that it describes."""

import os
from pathlib import Path

import dagster as dg

from cx_intel.orchestration.sensors.killed_runs import fail_killed
from cx_intel.warehouse.processes.file_modes import HOME_MODE
from cx_intel.warehouse.processes.machine import saw_here
from cx_intel.warehouse.processes.running import FOLDER

DAGSTER_YAML = """\
# Dagster's own storage. Runs and events are kept in SQLite here, through a pool of connections; for a server with
# several users replace the two storages by those of dagster-postgres. This file is made once and then yours.
run_storage:
  module: cx_intel.orchestration.dagster_internals
  class: PooledRunStorage
  config: {base_dir: %(home)s/dagster}
event_log_storage:
  module: cx_intel.orchestration.dagster_internals
  class: PooledEventLogStorage
  config: {base_dir: %(home)s/dagster}
schedule_storage:
  module: dagster._core.storage.schedules
  class: SqliteScheduleStorage
  config: {base_dir: %(home)s/dagster}
local_artifact_storage:
  module: dagster._core.storage.root
  class: LocalArtifactStorage
  config: {base_dir: %(home)s}
run_coordinator:
  module: dagster._core.run_coordinator
  class: QueuedRunCoordinator
  config: {max_concurrent_runs: 1} # one run writes the warehouse at a time
retention: # of looks of sensors, of which there are some 20,000 a day; of runs: retention.runs_days of a portfolio
  sensor: {purge_after_days: {skipped: 1, started: 7, failure: 30, success: 90}}
  schedule: {purge_after_days: {skipped: 7, started: 30, failure: 90, success: 90}}
telemetry: {enabled: false}
nux: {enabled: false}
"""


def prepare_home(home: Path) -> None:
    """Makes `home` a Dagster home: the folder, `dagster.yaml`, and the variable that Dagster looks for."""
    home.mkdir(mode=HOME_MODE, parents=True, exist_ok=True)
    file = home / "dagster.yaml"
    if not file.exists():
        file.write_text(DAGSTER_YAML % {"home": home}, encoding="utf-8")
    os.environ["DAGSTER_HOME"] = str(home)


def instance_of(home: Path) -> dg.DagsterInstance:
    """The Dagster instance of the home, in which runs that were killed are marked as failed."""
    prepare_home(home)
    saw_here(home / FOLDER)
    instance = dg.DagsterInstance.get()
    fail_killed(instance, home)
    return instance
