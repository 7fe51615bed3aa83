"""Files that are written while they are read: read again, or refused by name."""

from collections.abc import Callable
from pathlib import Path

import pytest

from cx_intel.settings.sources.files import FilesSource
from cx_intel.settings.sources.sql import SqlSource
from cx_intel.sources.errors import SourceError
from cx_intel.sources.files.digests import read_settled
from cx_intel.sources.files.paths import source_files

ACCOUNTS = FilesSource(kind="files", table="accounts", path="${DATA}/accounts*.csv")
QUERY = SqlSource(
    kind="sql",
    table="accounts",
    files={"rows": {"path": "${DATA}/accounts*.csv"}},
    query="select id as account_id from rows",
)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "accounts.csv").write_text("account_id\nA1\n")
    return tmp_path


def reader(folder: Path, *changes: Callable[[Path], object]) -> Callable[[], list[str]]:
    """Reads all lines; at each reading one of the changes happens before the end of it."""
    left = list(changes)

    def read() -> list[str]:
        lines = [file.path.read_text() for file in source_files(ACCOUNTS, {"DATA": str(folder)}, "it")]
        if left:
            left.pop(0)(folder)
        return lines

    return read


def append(folder: Path) -> None:
    with (folder / "accounts.csv").open("a") as file:
        file.write("A2\n")


def deliver(folder: Path) -> None:
    (folder / "accounts_2.csv").write_text("account_id\nA3\n")


def take_away(folder: Path) -> None:
    (folder / "accounts_2.csv").unlink()


@pytest.mark.parametrize("source", [ACCOUNTS, QUERY])
def test_a_file_that_grew_is_read_again(folder: Path, source: FilesSource | SqlSource) -> None:
    read = read_settled(reader(folder, append), source, {"DATA": str(folder)})

    assert read == ["account_id\nA1\nA2\n"]


@pytest.mark.parametrize("source", [ACCOUNTS, QUERY])
def test_files_that_come_and_go_meanwhile_are_read_again(folder: Path, source: FilesSource | SqlSource) -> None:
    read = read_settled(reader(folder, deliver, take_away), source, {"DATA": str(folder)})

    assert read == ["account_id\nA1\n"]


def test_a_file_that_changes_each_time_is_refused_by_name(folder: Path) -> None:
    with pytest.raises(
        SourceError, match=r"accounts\.csv: changed while it was read, 3 times\. Refresh when it is whole"
    ):
        read_settled(reader(folder, append, append, append), ACCOUNTS, {"DATA": str(folder)})


def test_what_stands_still_is_read_once(folder: Path) -> None:
    readings: list[int] = []

    read_settled(lambda: readings.append(1), ACCOUNTS, {"DATA": str(folder)})

    assert readings == [1]
