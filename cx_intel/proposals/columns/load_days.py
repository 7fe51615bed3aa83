"""Columns that say when rows were written, which exports of a database carry as created_at, and not when things happened.

Which column is which is decided in `tables.py`.
"""

from cx_intel.proposals.columns.ends import CREATED
from cx_intel.proposals.columns.spellings import is_day
from cx_intel.proposals.folders import FoundFiles
from cx_intel.proposals.words.names import plain

LEAST_ROWS = 5
"""Of a file with fewer rows one day in all of them tells nothing."""
WRITTEN = (*CREATED, "inserted_at", "loaded_at", "imported_at", "ingested_at", "updated_at", "last_updated")
"""Names of columns that may say when rows were written."""


def loaded_at(found: FoundFiles) -> set[str]:
    """Columns that say when rows were written and not when things happened: one day in all rows, where others vary."""
    days = {name: {value[:10] for value in found.values(name)} for name in found.columns}
    whole = [name for name in days if len(found.values(name)) >= LEAST_ROWS and all(is_day(day) for day in days[name])]
    if not any(len(days[name]) > 1 for name in whole):
        return set()
    return {name for name in whole if len(days[name]) == 1 and plain(name) in WRITTEN}
