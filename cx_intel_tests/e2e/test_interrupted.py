"""A command that is stopped by Ctrl-C: its exit status is that of shells, a line says what stands, and the next one goes on.

Also for whom the files are that commands make.
"""

import os
import signal
import subprocess
import sys
from pathlib import Path

import dagster as dg
import pytest

from cx_intel_tests.helpers.small_company import AS_OF, SmallCompany

pytestmark = pytest.mark.slow

REFRESH = [str(Path(sys.executable).with_name("cx-intel")), "refresh", "small", "--as-of", AS_OF.isoformat()]


@pytest.fixture(scope="module")
def company(tmp_path_factory: pytest.TempPathFactory) -> SmallCompany:
    company = SmallCompany(tmp_path_factory.mktemp("company"))
    company.only("accounts", "subscriptions")
    company.write()
    return company


def variables(company: SmallCompany) -> dict[str, str]:
    own = {k: v for k, v in os.environ.items() if not k.startswith(("CX_", "DAGSTER_"))}
    return own | company.variables | {"COLUMNS": "200", "NO_COLOR": "1"}


def interrupted(company: SmallCompany, after: str) -> subprocess.CompletedProcess[str]:
    """Starts a refresh and stops it once it has told of a table."""
    process = subprocess.Popen(
        [*REFRESH, "--verbose"],
        env=variables(company) | {"PYTHONUNBUFFERED": "1"},
        cwd=company.folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),  # noqa: PLW1509 (a shell may ignore it)
    )
    assert process.stdout
    with process:
        for line in process.stdout:
            if after in line:
                process.send_signal(signal.SIGINT)
                break
        said, errors = process.communicate(timeout=120)
    return subprocess.CompletedProcess(REFRESH, process.returncode, said, errors)


def test_what_was_stopped_ends_with_130_and_a_line_and_the_next_one_does_the_rest(company: SmallCompany) -> None:
    stopped = interrupted(company, after="stg_accounts")
    assert stopped.returncode == 130
    assert stopped.stderr.strip() == "Interrupted. What was written is whole; the same command does what is left."
    assert "Failed" not in stopped.stdout
    with dg.DagsterInstance.from_config(str(company.home)) as instance:
        assert [run.is_finished for run in instance.get_runs()] == [True]
    again = subprocess.run(
        REFRESH, check=False, env=variables(company), cwd=company.folder, capture_output=True, text=True, timeout=300
    )
    assert (again.returncode, again.stderr) == (0, "")
    others = [path for path in company.home.rglob("*") if not path.is_symlink() and path.stat().st_mode & 0o007]
    assert others == []
    assert company.home.stat().st_mode & 0o777 == 0o750
