"""CSV files in blocks: whatever their size, rows keep the numbers that they have in the file."""

from contextlib import nullcontext
from pathlib import Path

import pyarrow as pa
import pytest

from cx_intel.settings.sources.files import FileSet
from cx_intel.sources.errors import SourceError
from cx_intel.sources.files.formats.csv import _Reading, read_csv
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


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
def test_below_a_title_rows_are_numbered_from_the_header(tmp_path: Path, encoding: str) -> None:
    file = tmp_path / "x.csv"
    file.write_text('Contracts of Acme\n"as of 25 Nov, 2026"\n\nid,text\nR1,x\nR2\nR3,x\nTotal,2,\n', encoding=encoding)
    of = SourceFile(file, file.name, "csv", "the source of x")

    found = read_csv(of, FileSet(path="", encoding=encoding, header_row=4))

    assert found.columns == NAMES
    assert found.table.select(["row_number", "c0"]).to_pylist() == [
        {"row_number": 1, "c0": "R1"},
        {"row_number": 3, "c0": "R3"},
    ]
    assert found.rejects["row_number"].to_pylist() == [2, 4]


def test_no_header_in_or_below_the_line_of_it(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match=r"x\.csv: is empty, without even a header row in or below line 9"):
        read_csv(written(tmp_path, "R1,x"), FileSet(path="", header_row=9))


def test_other_bytes_below_a_title_are_named_by_their_row(tmp_path: Path) -> None:
    file = written(tmp_path)
    file.path.write_bytes(b"A title\nid,text\nR1,x\nR2,K\xf6ln\n")
    with pytest.raises(SourceError, match=r"x\.csv: row 2, column 2 is not utf-8 text"):
        read_csv(file, FileSet(path="", header_row=2))


HEAD = "id,name,mrr,since\n"


@pytest.mark.parametrize(
    ("first", "third"),
    [
        ('R1,"Acme,10,2025', 'R3,Gamma",30,2025'),
        ('R1,"Acme,10,2025', 'R3,"Gamma,30,2025'),
        ('"R1,Acme,10,2025', 'R3",G,30,2025'),
    ],
)
def test_a_quote_that_takes_in_the_lines_up_to_the_next_one_is_told(tmp_path: Path, first: str, third: str) -> None:
    """As a row it would look whole: of the first name and the third amount, and the others would be lost."""
    file = written(tmp_path)
    file.path.write_text(f"{HEAD}R0,Zeta,5,2025\n{first}\nR2,Beta,20,2025\n{third}\nR4,Delta,40,2025\n")

    found = read_csv(file, FileSet(path=""))

    assert found.table.select(["c0", "row_number"]).to_pylist() == [
        {"c0": "R0", "row_number": 1},
        {"c0": "R4", "row_number": 3},
    ]
    (reject,) = found.rejects.to_pylist()
    assert reject["row_number"] == 2
    assert "holds the beginning of 2 more rows: a quote before it is not meant as one" in reject["reason"]
    assert all(text in reject["raw_row"] for text in ("R1", "R2,Beta,20,2025", "R3", "30,2025"))


@pytest.mark.parametrize(
    "cell",
    [
        "Acme\nLtd",
        "Acme, of Graz, since\nlong, ago",  # as many delimiters, with blanks after them
        "Acme,10,2025\nR2,Beta,20,2025\nR3",  # one line less of the file than its lines would be
        "Acme,10\nR2",
    ],
)
def test_a_quoted_cell_of_several_lines_stays_a_cell(tmp_path: Path, cell: str) -> None:
    file = written(tmp_path)
    file.path.write_text(f'{HEAD}R1,"{cell}",30,2025\n')
    found = read_csv(file, FileSet(path=""))
    assert (found.table["c1"].to_pylist(), found.rejects.num_rows) == ([cell], 0)


def test_in_a_file_of_few_columns_lines_of_a_cell_are_not_taken_for_rows(tmp_path: Path) -> None:
    file = written(tmp_path)
    file.path.write_text('id,text,more\nR1,"1,5\n2,5",x\n')
    assert read_csv(file, FileSet(path="")).table["c1"].to_pylist() == ["1,5\n2,5"]
