"""What all tests share: equal SQL is written once, examples are the same in each run, Python looks for garbage seldom."""

import gc

from hypothesis import settings


def pytest_configure() -> None:
    settings.register_profile("fixed", derandomize=True, database=None, deadline=None)
    settings.load_profile("fixed")
    gc.set_threshold(200_000, 20, 50)


def pytest_collection_finish() -> None:
    import ibis

    from cx_intel_tests.helpers.compiled_once import compile_once

    ibis.options.sql.fuse_selects = False
    compile_once()
    gc.freeze()


def pytest_unconfigure() -> None:
    """What was imported is collected at the end, or DuckDB's binding reports its own functions as leaked."""
    from cx_intel_tests.helpers.compiled_once import forget

    forget()
    gc.unfreeze()
