"""What all tests share: Python looks for garbage seldom, as it does in a refresh."""

import gc


def pytest_configure() -> None:
    gc.set_threshold(200_000, 20, 50)


def pytest_collection_finish() -> None:
    gc.freeze()
