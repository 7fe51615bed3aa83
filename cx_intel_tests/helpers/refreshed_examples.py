"""An example refreshed on files that are not part of the project, or on a made-up company: its tables, as frames.

Variables of the environment name the folders of the files; without one a test is skipped.
"""

import os
from datetime import date
from pathlib import Path
from typing import Any

import duckdb
import pandas as pd
import pytest
from ruamel.yaml import YAML

import cx_intel
from cx_intel.orchestration.build import build_definitions
from cx_intel.orchestration.instance import instance_of
from cx_intel.orchestration.runs import Outcome, backtest, refresh
from cx_intel.settings.environment import read_environment

EXAMPLES = Path(cx_intel.__file__).parents[1] / "examples"
Frames = dict[str, pd.DataFrame]


class Refreshed:
    """An example refreshed, and where it is asked for its past days judged: its tables, and what became of the run."""

    def __init__(self, example: str, day: date, folder: Path, *, looks_back: bool = False, **changes: Any):
        settings = YAML(typ="safe", pure=True).load((EXAMPLES / f"{example}.yaml").read_text(encoding="utf-8"))
        for name, change in changes.items():
            settings[name] = settings.get(name, {}) | change if isinstance(change, dict) else change
        (folder / "portfolios").mkdir()
        with (folder / "portfolios" / f"{example}.yaml").open("w", encoding="utf-8") as file:
            YAML(typ="safe", pure=True).dump(settings, file)
        home = folder / "home"
        environment = read_environment(os.environ | {"CX_HOME": str(home), "CX_PORTFOLIOS": str(folder / "portfolios")})
        before = os.environ.get("DAGSTER_HOME")
        with instance_of(home) as instance:
            definitions = build_definitions(environment)
            self.outcome: Outcome = refresh(definitions, example, day, instance, without=("dashboard",))
            if looks_back:
                self.outcome = backtest(definitions, example, day, instance)
        os.environ.pop("DAGSTER_HOME") if before is None else os.environ.update(DAGSTER_HOME=before)
        with duckdb.connect(str(environment.warehouse), read_only=True) as connection:
            names = connection.execute(
                "SELECT table_name FROM information_schema.tables WHERE table_schema = ? AND table_type = 'BASE TABLE'",
                [example],
            ).fetchall()
            self.tables: Frames = {t: connection.execute(f"FROM {example}.{t}").df() for (t,) in names}


def folder_of(variable: str) -> Path:
    folder = os.environ.get(variable)
    if not folder:
        pytest.skip(f"{variable} does not name the folder of the files")
    return Path(folder)
