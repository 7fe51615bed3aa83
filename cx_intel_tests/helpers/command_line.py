"""The command `cx-intel`, in a process of its own or in this one, over a small company."""

import os
import subprocess
import sys
from pathlib import Path

from typer.testing import CliRunner, Result

from cx_intel.cli.app import app
from cx_intel_tests.helpers.small_company import SmallCompany

DONE, FAILED, MISUSE = 0, 1, 2


def cx_intel(company: SmallCompany, *words: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """Runs the command in a process of its own, with nothing of this one's settings."""
    own = {k: v for k, v in os.environ.items() if not k.startswith(("CX_", "DAGSTER_"))}
    return subprocess.run(
        [str(Path(sys.executable).with_name("cx-intel")), *words],
        env=own | company.variables | {"COLUMNS": "200", "NO_COLOR": "1"} | variables,
        cwd=company.folder,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )


def here(company: SmallCompany, *words: str, **variables: str) -> Result:
    """Runs the command in this process, which takes a tenth of the time; for what starts no run."""
    own = dict.fromkeys(["DAGSTER_HOME", *(k for k in os.environ if k.startswith(("CX_", "DAGSTER_")))], None)
    return CliRunner().invoke(app, list(words), env=own | company.variables | {"COLUMNS": "200"} | variables)


def fresh(folder: Path) -> SmallCompany:
    company = SmallCompany(folder)
    company.only("accounts", "subscriptions")
    company.write()
    return company
