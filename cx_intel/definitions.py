"""The Dagster definitions of all portfolios: what `workspace.yaml` points at."""

import os

import dagster as dg

from cx_intel.orchestration.build import build_definitions
from cx_intel.settings.environment import read_environment


@dg.definitions
def defs() -> dg.Definitions:
    """All portfolios of the environment, as Dagster loads them."""
    return build_definitions(read_environment(os.environ))
