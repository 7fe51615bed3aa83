"""What several tests of files start from."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from cx_intel_tests.helpers.event_files import EventFiles, event_files


@pytest.fixture
def events(tmp_path: Path) -> Iterator[EventFiles]:
    """Two events in the file of Monday 6 January 2025, one in that of Tuesday."""
    with event_files(tmp_path) as made:
        made.write("mon", ["E1", "A", "2025-01-06T08:00:00"], ["E2", "B", "2025-01-06T09:00:00"])
        made.write("tue", ["E3", "A", "2025-01-07T08:00:00"])
        yield made
