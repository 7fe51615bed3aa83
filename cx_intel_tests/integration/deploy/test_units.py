"""The units of systemd in `deploy/systemd`, judged by systemd itself: they can be loaded, and each is shut in."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

SYSTEMD = Path(__file__).parents[3] / "deploy" / "systemd"
PROGRAM = "/opt/cx-intel/.venv/bin/"
WORST_EXPOSURE = 2.0
"""Of 10, where a unit without any limit has 9.6; what is left is the network and the files of the home."""

judged = pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd-analyze is not installed")


@pytest.fixture
def units(tmp_path: Path) -> Path:
    """The units as they are installed, over the programs of this environment."""
    shutil.copytree(SYSTEMD, tmp_path, dirs_exist_ok=True)
    for unit in tmp_path.glob("*.service"):
        unit.write_text(unit.read_text().replace(PROGRAM, f"{Path(sys.executable).parent}/"))
    return tmp_path


def analyze(units: Path, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["systemd-analyze", *words], check=False, capture_output=True, text=True, env={"SYSTEMD_UNIT_PATH": f"{units}:"}
    )


@judged
@pytest.mark.slow
def test_systemd_can_load_every_unit(units: Path) -> None:
    names = sorted(str(path) for kind in ("service", "timer") for path in units.glob(f"*.{kind}"))
    found = analyze(units, "verify", "--man=no", *names)
    assert (found.returncode, found.stderr) == (0, "")


@judged
@pytest.mark.slow
def test_each_service_may_do_little_on_the_machine(units: Path) -> None:
    for unit in sorted(units.glob("*.service")):
        name = unit.name.replace("@", "@one")
        found = analyze(units, "security", "--offline=yes", "--no-pager", name)
        exposure = re.search(r"exposure level for \S+: ([0-9.]+)", found.stdout)
        assert exposure, found.stdout + found.stderr
        assert float(exposure[1]) <= WORST_EXPOSURE, f"{unit.name}: {exposure[1]}"


def test_the_guide_starts_every_unit_that_is_to_be_started_and_restarts_the_services():
    guide = (SYSTEMD.parents[1] / "docs" / "deploy.md").read_text(encoding="utf-8")
    wanted = {path.name for path in SYSTEMD.iterdir() if path.is_file() and "[Install]" in path.read_text()}
    services = {name.removesuffix(".service") for name in wanted if name.endswith(".service")}
    enabled = set(re.findall(r"^systemctl enable --now (.*)$", guide, re.MULTILINE)[0].split())
    assert enabled == services | {name for name in wanted if name.endswith(".timer")}
    assert set(re.findall(r"^systemctl restart (.*)$", guide, re.MULTILINE)[-1].split()) == services
