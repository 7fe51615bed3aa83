"""A service of the deployment that failed is told once a day, and its end once; systemd says how it ended."""

from pathlib import Path

import pytest
from typer.testing import CliRunner

from cx_intel.cli.app import app
from cx_intel.orchestration.alerts.messages import Messages
from cx_intel.orchestration.alerts.units import DEPLOYMENT, tell_unit
from cx_intel.settings.automation import Alerts
from cx_intel.settings.environment import Environment
from cx_intel_tests.helpers.listener import Listener, listening

NOON = 1_790_000_000.0
DAY = 86_400
FAILED = {"MONITOR_SERVICE_RESULT": "exit-code", "MONITOR_EXIT_STATUS": "1"}
FINE = {"MONITOR_SERVICE_RESULT": "success", "MONITOR_EXIT_STATUS": "0"}


def tell(home: Path, listener: Listener, ended: dict[str, str], at: float = NOON) -> str:
    environment = Environment(home=home, variables={"CX_ALERT_URLS": listener.url(), **ended})
    messages = Messages(DEPLOYMENT, Alerts(), environment, clock=lambda: at)
    return tell_unit("cx-intel-heartbeat", environment, messages)


def test_it_is_told_once_a_day_until_it_is_over_and_its_end_once(tmp_path: Path) -> None:
    with listening() as listener:
        assert tell(tmp_path, listener, FINE) == "Nothing new."
        assert tell(tmp_path, listener, FAILED) == "Alert: it failed. Sent 1 message."
        assert tell(tmp_path, listener, FAILED, NOON + 600) == "Nothing new."
        tell(tmp_path, listener, FAILED, NOON + DAY)
        for _ in range(2):
            tell(tmp_path, listener, FINE, NOON + DAY + 600)
    failed = "[cx-intel] cx-intel-heartbeat failed"
    assert listener.titles == [failed, failed, "[cx-intel] Resolved: cx-intel-heartbeat failed"]
    assert "exit-code, status 1" in listener.taken[0]["message"]
    assert "journalctl -u cx-intel-heartbeat" in listener.taken[0]["message"]


def test_what_could_not_be_sent_goes_with_the_next_one(tmp_path: Path) -> None:
    with listening() as listener:
        listener.refusing = True
        assert "to be tried again" in tell(tmp_path, listener, FAILED)
        listener.refusing = False
        assert tell(tmp_path, listener, FAILED, NOON + 600) == "Nothing new. Sent 1 message."


def test_the_command_says_what_it_did_and_without_addresses_what_to_set(tmp_path: Path) -> None:
    told = CliRunner().invoke(app, ["notify", "cx-intel-web"], env={"CX_HOME": str(tmp_path), "CX_ALERT_URLS": ""})
    assert told.exit_code == 0
    assert told.stdout.startswith("cx-intel-web: Messages go nowhere")


@pytest.mark.slow  # opens Dagster's storages
@pytest.mark.parametrize("home", ["new", "never ran"])
def test_a_daemon_that_is_not_there_fails_its_examination(tmp_path: Path, home: str) -> None:
    if home == "never ran":
        (tmp_path / "dagster.yaml").write_text("telemetry: {enabled: false}\n")
    found = CliRunner().invoke(app, ["doctor", "--daemon"], env={"CX_HOME": str(tmp_path)})
    assert found.exit_code == 1
    assert "dagster-daemon run" in found.stdout or "dagster.yaml" in found.stdout
