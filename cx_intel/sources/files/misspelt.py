"""Whether a file that no source reads is one of those that a path means, its name misspelt: acounts_2.csv for accounts_*.csv.

A name alone does not tell: contacts lie beside contracts. Columns tell, of formats that name them at their beginning. What
else may lie unread is decided in `neighbours.py`.
"""

import glob
import re
from contextlib import suppress
from fnmatch import fnmatchcase
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from cx_intel.sources.files.paths import format_by_ending

SHORTEST = 4
"""Letters that the names of a path begin with at least: shorter ones are near to too many."""
LONGEST_HEADER = 1 << 16
"""Bytes of a line with the names of columns."""
_SIGNS = re.compile(r"[^a-z]")


def is_misspelt(folder: Path, name: str, path: str) -> bool:
    """Whether a file bears a name that is nearly one of a path's, and has the columns of one that the path chooses.

    Args:
        folder: Where the files lie.
        name: The file.
        path: What the names of the others are like: `accounts_*.csv`.
    """
    wanted, suffix = _letters(_beginning(path)), Path(path).suffix
    if not glob.has_magic(path) or len(wanted) < SHORTEST or not name.lower().endswith(suffix.lower()):
        return False
    found = _letters(name.lower().removesuffix(suffix.lower()))
    if found != wanted and not is_one_edit(found, wanted):
        return False
    with suppress(OSError, pa.ArrowException):
        like = next((file for file in sorted(folder.iterdir()) if fnmatchcase(file.name, path)), None)
        columns = _columns(folder / name)
        return bool(like and columns and columns == _columns(like))
    return False


def is_one_edit(one: str, other: str) -> bool:
    """Whether a letter more, less, another or two exchanged make one of two words the other."""
    short, long = sorted((one, other), key=len)
    n = next((n for n, (a, b) in enumerate(zip(short, long, strict=False)) if a != b), len(short))
    if len(short) != len(long):
        return short[n:] == long[n + 1 :]
    is_swapped = short[n : n + 2] == long[n : n + 2][::-1] and short[n + 2 :] == long[n + 2 :]
    return one != other and (short[n + 1 :] == long[n + 1 :] or is_swapped)


def _beginning(path: str) -> str:
    return re.split(r"[*?\[]", path, maxsplit=1)[0]


def _letters(name: str) -> str:
    return _SIGNS.sub("", name.lower())


def _columns(file: Path) -> tuple[str, ...]:
    """The names of the columns, as they stand at the beginning of a file; nothing where they do not."""
    form = format_by_ending(file)
    if form == "parquet":
        return tuple(pq.read_schema(file).names)
    if form != "csv" or file.suffix.lower() == ".gz":
        return ()
    with file.open("rb") as lines:
        return tuple(lines.readline(LONGEST_HEADER).decode("latin-1").removeprefix("\xef\xbb\xbf").split())
