"""A portfolio whose YAML cannot be used stops no other: it is told in the UI, by an alert, and at the command line."""

import os
import subprocess
import sys
from pathlib import Path

import dagster as dg
import pytest

from cx_intel.orchestration.alerts.dispatcher import Dispatcher
from cx_intel.orchestration.alerts.messages import PROBLEMS
from cx_intel.orchestration.build import SettingsErrors, build_definitions, load_portfolios
from cx_intel.orchestration.unusable import tell_unusable
from cx_intel.settings.environment import read_environment
from cx_intel_tests.helpers.listener import listening
from cx_intel_tests.helpers.small_company import AS_OF, SmallCompany

WRONG = "currency: {reporting: EUR}\nrevenue: {basis: subscriptions}\nsourcs: []\n"


@pytest.fixture
def company(tmp_path: Path) -> SmallCompany:
    """With a second portfolio, whose YAML has a mistyped key in its third line."""
    made = SmallCompany(tmp_path)
    made.only("accounts", "subscriptions")
    made.write()
    (made.portfolios / "wrong.yaml").write_text(WRONG)
    return made


def test_its_place_in_the_ui_says_why_and_its_refresh_fails(company: SmallCompany) -> None:
    repository = build_definitions(company.environment).get_repository_def()
    assert {"small_refresh", "wrong_refresh"} <= set(repository.job_names)
    (spec,) = [spec for spec in repository.asset_graph.asset_nodes if spec.key == dg.AssetKey(["wrong", "settings"])]
    assert "wrong.yaml:3: sourcs" in (spec.description or "")
    assert "The other portfolios go on." in (spec.description or "")
    result = repository.get_job("wrong_refresh").execute_in_process(raise_on_error=False)
    assert not result.success
    (failed,) = result.get_step_failure_events()
    assert "wrong.yaml:3: sourcs" in str(failed.step_failure_data.user_failure_data)


def test_where_none_can_be_used_that_is_the_error(company: SmallCompany) -> None:
    (company.portfolios / "small.yaml").unlink()
    with pytest.raises(SettingsErrors, match=r"wrong\.yaml:3: sourcs"):
        build_definitions(company.environment)


def test_it_is_told_once_for_each_state_and_when_it_is_over(company: SmallCompany) -> None:
    with listening() as listener, company.instance() as instance:
        environment = read_environment(company.variables | {"CX_ALERT_URLS": listener.url()})
        for _ in range(2):
            tell_unusable("wrong", "wrong.yaml:3: sourcs: unknown", environment)
        assert listener.titles == ["[wrong] the portfolio's YAML cannot be used"]
        assert "wrong.yaml:3: sourcs: unknown" in str(listener.taken[0])
        tell_unusable("wrong", "wrong.yaml:4: revenu: unknown", environment)
        assert len(listener.taken) == 2
        (company.portfolios / "wrong.yaml").write_text(
            (company.portfolios / "small.yaml").read_text().replace("small", "wrong", 1)
        )
        mended = load_portfolios(company.portfolios)["wrong"]
        for _ in range(2):
            Dispatcher(mended, environment).look(instance, PROBLEMS)
        assert listener.titles[2:] == ["[wrong] Resolved: the portfolio's YAML cannot be used"]


@pytest.mark.slow  # a process of its own
def test_the_command_refreshes_the_others_and_ends_with_its_name(company: SmallCompany) -> None:
    own = {k: v for k, v in os.environ.items() if not k.startswith(("CX_", "DAGSTER_"))}
    done = subprocess.run(
        [str(Path(sys.executable).with_name("cx-intel")), "refresh", "--as-of", AS_OF.isoformat()],
        env=own | company.variables | {"COLUMNS": "200", "NO_COLOR": "1"},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 1
    assert "wrong.yaml:3: sourcs" in done.stderr
    assert "Failed: wrong (its YAML cannot be used)" in done.stderr
    assert company.query("SELECT count(*) FROM dim_account") == [(12,)]
