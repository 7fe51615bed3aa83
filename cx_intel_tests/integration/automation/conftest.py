"""What tests of alerts share."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from cx_intel_tests.helpers.office import Office, office


@pytest.fixture
def team(tmp_path: Path) -> Iterator[Office]:
    with office(tmp_path) as made:
        yield made
