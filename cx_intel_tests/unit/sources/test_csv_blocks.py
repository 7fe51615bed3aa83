"""CSV files in blocks: whatever their size, rows keep the numbers that they have in the file."""

from contextlib import nullcontext
from pathlib import Path

import pyarrow as pa
import pytest

from cx_intel.settings.sources.files import FileSet
from cx_intel.sources.errors import SourceError
from cx_intel.sources.files.csv import _Reading, read_csv
from cx_intel.sources.files.paths import SourceFile

NAMES = ("id", "text")


def written(folder: Path, *lines: str) -> SourceFile:
    file = folder / "x.csv"
    file.write_text("\n".join(("id,text", *lines)) + "\n")
    return SourceFile(file, file.name, "csv", "the source of x")


def rows(file: SourceFile, *sizes: int) -> tuple[list[tuple[int, str]], list[int], int]:
    """Number and id of each row, the numbers of the rejected ones, and how many blocks there were."""
    reading, found, rejected, count = _Reading(NAMES, file, FileSet(path="")), [], [], 0
    for size in sizes:
        with nullcontext() if size == sizes[-1] else pytest.raises(pa.ArrowInvalid, match="straddling"):
            for block in reading.blocks(size):
                count += 1
                found += list(zip(block.table["row_number"].to_pylist(), block.table["c0"].to_pylist(), strict=True))
                rejected += block.rejects["row_number"].to_pylist()
    return found, rejected, count


LINES = [f"R{n},x" if n % 7 else f"R{n}" for n in range(1, 101)]
VALID = [(n, f"R{n}") for n in range(1, 101) if n % 7]


@pytest.mark.parametrize("size", [64, 100, 1000, 100_000])
def test_rows_are_numbered_as_in_the_file_whatever_the_size_of_blocks(tmp_path: Path, size: int) -> None:
    found, rejected, count = rows(written(tmp_path, *LINES), size)
    assert (found, rejected) == (VALID, list(range(7, 101, 7)))
    assert (count > 1) == (size < 1000)


def test_after_a_row_that_is_too_long_larger_blocks_go_on_where_it_stopped(tmp_path: Path) -> None:
    long = f'R101,"{"y" * 500}"'
    found, rejected, _ = rows(written(tmp_path, *LINES, long, "R102", "R103,x"), 64, 10_000)
    assert (found, rejected) == ([*VALID, (101, "R101"), (103, "R103")], [*range(7, 101, 7), 102])


def test_a_file_whose_rows_are_all_rejected_gives_their_texts(tmp_path: Path) -> None:
    assert rows(written(tmp_path, "R1", "R2"), 1000) == ([], [1, 2], 1)


def test_a_file_of_more_columns_than_can_be_held_is_refused(tmp_path: Path) -> None:
    file = written(tmp_path)
    file.path.write_text(",".join(f"c{n}" for n in range(1_000_000)) + "\n1\n")
    with pytest.raises(SourceError, match=r"x\.csv: has 1,000,000 columns, more than 10,000\. If they are rows"):
        read_csv(file, FileSet(path=""))
