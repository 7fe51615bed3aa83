"""What all tests share: equal SQL is written once, examples are the same, no test waits forever, garbage is sought seldom.

What tests of one subject share stands in the `conftest.py` of their folder, builders and worlds in `helpers`.
"""

import gc
import os
from pathlib import Path

import pytest
from hypothesis import settings

SECONDS = 300
"""What a test may take with the fixtures that it is the first to need: a hang fails by its name, with all stacks."""
SLOW_SECONDS = 900
WHOLLY_SLOW = "\npytestmark = pytest.mark.slow"
"""How a module begins whose tests are all slow: the fast suite does not even import it."""
TURN = "CX_TEST_TURN"
"""The variable that has the slow suite run a part of its modules, such as 1/3: of all in order, every third from the first."""


def pytest_configure() -> None:
    settings.register_profile("fixed", derandomize=True, database=None, deadline=None)
    settings.load_profile("fixed")
    gc.set_threshold(200_000, 20, 50)


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    is_left_out = (
        config.option.markexpr == "not slow"
        and collection_path.suffix == ".py"
        and WHOLLY_SLOW in collection_path.read_text(encoding="utf-8")
    )
    return True if is_left_out else None


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    _leave_to_another_turn(config, items)
    if not config.pluginmanager.hasplugin("timeout"):
        return
    for item in items:
        if not item.get_closest_marker("timeout"):
            item.add_marker(pytest.mark.timeout(SLOW_SECONDS if item.get_closest_marker("slow") else SECONDS))


def _leave_to_another_turn(config: pytest.Config, items: list[pytest.Item]) -> None:
    if not os.environ.get(TURN):
        return
    turn, of = map(int, os.environ[TURN].split("/"))
    modules = sorted({item.path for item in items})
    kept = set(modules[turn - 1 :: of])
    config.hook.pytest_deselected(items=[item for item in items if item.path not in kept])
    items[:] = [item for item in items if item.path in kept]


def pytest_collection_finish() -> None:
    import ibis

    from cx_intel_tests.helpers.compiled_once import compile_once

    ibis.options.sql.fuse_selects = False
    compile_once()
    gc.freeze()


def pytest_unconfigure() -> None:
    """What was imported is collected at the end, or DuckDB's binding reports its own functions as leaked."""
    from cx_intel_tests.helpers import compiled_once, made_once

    compiled_once.forget()
    made_once.forget()
    gc.unfreeze()
