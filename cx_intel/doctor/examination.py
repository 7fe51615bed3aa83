"""`cx-intel doctor`: all examinations of a deployment, one after the other.

What each looks at stands in the modules beside this one.
"""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path

from cx_intel.doctor import dagster_home, engines, machine, portfolios, stores
from cx_intel.doctor.findings import Finding, problem
from cx_intel.settings.base import SettingsError
from cx_intel.settings.environment import read_environment

LOCK = Path(__file__).parents[2] / f"requirements{'-postgres' if find_spec('dagster_postgres') else ''}.lock"


def examine(variables: Mapping[str, str], lock: Path = LOCK) -> Iterator[Finding]:
    """Everything that is found of the deployment that the environment describes.

    Args:
        variables: The environment.
        lock: The versions that were tested together.
    """
    yield machine.python()
    yield machine.packages(lock)
    yield machine.chromium(variables)
    try:
        environment = read_environment(variables)
    except SettingsError as error:
        yield problem("environment", str(error), "Mend the variable, or leave it unset for its default.")
        return
    yield from machine.home(environment.home)
    readable, wrong = portfolios.portfolios(environment.portfolios)
    yield from wrong
    for portfolio in readable:
        yield from portfolios.examine(portfolio, variables)
        yield from engines.examine(portfolio, environment.home, variables)
    yield from stores.warehouse(environment.warehouse, readable)
    yield from stores.without_yaml(environment)
    yield stores.back_ups(environment.home)
    yield from stores.erasures(environment.home, variables)
    yield from dagster_home.examine(environment.home, readable)


def examine_daemon(variables: Mapping[str, str]) -> Iterator[Finding]:
    """Whether the daemon of the deployment is alive; that it has never run, or that nobody can tell, is a problem too."""
    try:
        home = read_environment(variables).home
    except SettingsError as error:
        yield problem("environment", str(error), "Mend the variable, or leave it unset for its default.")
        return
    found = list(dagster_home.examine(home, ()))
    yield from (replace(one, level="problem") if one.level == "note" else one for one in found)
