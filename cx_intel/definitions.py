"""The Dagster definitions of all portfolios: what `workspace.yaml` points at."""

import os

import dagster as dg

from cx_intel.orchestration.build import build_definitions
from cx_intel.settings.environment import read_environment
from cx_intel.warehouse.processes.file_modes import keep_from_others
from cx_intel.warehouse.processes.machine import saw_here
from cx_intel.warehouse.processes.running import FOLDER


@dg.definitions
def defs() -> dg.Definitions:
    """All portfolios of the environment, as Dagster loads them."""
    keep_from_others()
    environment = read_environment(os.environ)
    saw_here(environment.home / FOLDER)
    return build_definitions(environment)
