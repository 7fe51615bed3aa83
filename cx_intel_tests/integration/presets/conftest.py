"""One PostgreSQL for all tests of presets of landed tables, each in a schema of its own."""

from collections.abc import Iterator

import pytest

from cx_intel_tests.helpers.postgres import postgres


@pytest.fixture(scope="session")
def database() -> Iterator[str]:
    """Its address."""
    with postgres() as address:
        yield address
