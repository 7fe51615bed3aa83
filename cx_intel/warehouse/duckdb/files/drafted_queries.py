"""The queries of drafted sources, over tables that have the columns under canonical names already (`columns` of a table).

Which source needs a query is decided in `cx_intel.proposals`; queries are run in `queries.py`, beside this module.
"""

from collections.abc import Sequence

from cx_intel.warehouse.duckdb.files.local_spellings import literal

ROWS = "rows"
"""What the table of a drafted query is called."""
_MONTH_OF_FILE = r"regexp_replace(_source_file, '.*(20\d\d)[-_.]?([01]\d).*', '\1-\2') as month"


def by_month_of_file(columns: Sequence[str], without: str = "") -> str:
    """The columns of all rows, with the month that the name of their file says."""
    return f"select {', '.join([*columns, _MONTH_OF_FILE])}\nfrom {ROWS}" + _where(without) + "\n"


def accounts_of(columns: Sequence[str], without: str = "") -> str:
    """Each account that has a row, with one of its values where they differ."""
    cells = ["account_id", *(f"max({name}) as {name}" for name in columns if name != "account_id")]
    where = _where(without) or "\nwhere account_id is not null"
    return f"select {', '.join(cells)}\nfrom {ROWS}{where}\ngroup by account_id\n"


def _where(without: str) -> str:
    return f"\nwhere account_id <> {literal(without)}" if without else ""
