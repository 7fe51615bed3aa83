"""What all tests share: Python looks for garbage seldom, as it does in a refresh; equal SQL is written once."""

import gc


def pytest_configure() -> None:
    gc.set_threshold(200_000, 20, 50)


def pytest_collection_finish() -> None:
    import ibis

    from cx_intel_tests.helpers.compiled_once import compile_once

    ibis.options.sql.fuse_selects = False
    compile_once()
    gc.freeze()


def pytest_unconfigure() -> None:
    """What was imported is collected at the end, or DuckDB's binding reports its own functions as leaked."""
    gc.unfreeze()
