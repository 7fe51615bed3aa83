"""What the package says about itself and what it installs. The wheel is proven by tools/wheel.sh."""

import re
import tomllib
from pathlib import Path

import pytest
from typer.testing import CliRunner

from cx_intel.cli.app import app

ROOT = Path(__file__).parents[2]
_PIN = re.compile(r"^([A-Za-z0-9._-]+)==([^\s;\\]+)(?: ; (.*?))? \\$", re.MULTILINE)


def _pins(name: str) -> dict[str, set[str]]:
    pins: dict[str, set[str]] = {}
    for package, version, _ in _PIN.findall((ROOT / name).read_text(encoding="utf-8")):
        pins.setdefault(package, set()).add(version)
    return pins


def _project() -> dict:
    return tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))


def test_development_has_the_very_packages_of_a_deployment():
    deployed, developed = _pins("requirements.lock"), _pins("requirements-dev.lock")
    assert deployed
    assert {package: developed.get(package) for package in deployed} == deployed


def test_with_postgres_a_deployment_has_the_same_packages_but_for_what_that_needs():
    deployed, with_postgres = _pins("requirements.lock"), _pins("requirements-postgres.lock")
    added = {"dagster-postgres", "greenlet", "psycopg2-binary"}
    assert with_postgres.keys() - deployed.keys() == added
    assert {p for p in deployed if with_postgres.get(p) != deployed[p]} == {"sqlalchemy"}


def test_a_deployment_has_no_package_of_development():
    assert (
        not {"pytest", "ruff", "mypy", "playwright", "mkdocs", "hypothesis", "uv"} & _pins("requirements.lock").keys()
    )


@pytest.mark.parametrize("group", ["requirements.lock", "requirements-dev.lock", "requirements-postgres.lock"])
def test_locks_name_hashes_and_no_index(group: str):
    text = (ROOT / group).read_text(encoding="utf-8")
    assert "--index-url" not in text
    assert "://" not in text
    assert text.count("--hash=sha256:") >= len(_pins(group))


@pytest.mark.parametrize("lock", ["requirements.lock", "requirements-dev.lock", "requirements-postgres.lock"])
def test_each_dependency_is_locked(lock: str):
    names = {re.split(r"[\[<>=~! ]", entry)[0].replace(".", "-") for entry in _project()["project"]["dependencies"]}
    assert names - _pins(lock).keys() == set()


def test_version():
    said = CliRunner().invoke(app, ["--version"])
    assert (said.exit_code, said.stdout) == (0, f"cx-intel {_project()['project']['version']}\n")


def test_typed():
    assert (ROOT / "cx_intel" / "py.typed").exists()
