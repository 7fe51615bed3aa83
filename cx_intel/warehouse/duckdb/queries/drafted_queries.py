"""The queries of drafted sources, over tables that have the columns under canonical names already (`columns` of a table).

Which source needs a query is decided in `cx_intel.proposals`; queries are run in `queries.py`, beside this module.
"""

from collections.abc import Mapping, Sequence

from cx_intel.warehouse.duckdb.files.local_spellings import literal

ROWS, PRICES, OWNERS = "rows", "prices", "owners"
"""What the tables of a drafted query are called."""
KEY = "joined_by"
"""What leads from a row to that of the other table."""
_MONTH_OF_FILE = r"regexp_replace(_source_file, '.*(20\d\d)[-_.]?([01]\d).*', '\1-\2') as month"


def of_table(columns: Sequence[str], constants: Mapping[str, object]) -> str:
    """The columns of all rows, and those with the same value everywhere."""
    return f"select {', '.join([*columns, *_constant(constants)])}\nfrom {ROWS}\n"


def joined(
    columns: Sequence[str], of_joined: Sequence[str], constants: Mapping[str, object], table: str = PRICES
) -> str:
    """The columns of all rows with those of the price, or of another table, that each names."""
    cells = [*(f"r.{name}" for name in columns), *(f"{table[0]}.{name}" for name in of_joined), *_constant(constants)]
    on = f"{table[0]}.{KEY} = r.{KEY}"
    return f"select {', '.join(cells)}\nfrom {ROWS} r left join {table} {table[0]} on {on}\n"


def at_durations(columns: Sequence[str], since: str, lasting: Mapping[str, tuple[str, int]]) -> str:
    """The columns of all rows, with the times that are so long after another one.

    Args:
        columns: Of the rows.
        since: The column that durations are counted from.
        lasting: Name: the column of durations, and the seconds of their unit.
    """
    times = (
        f"strftime(try_cast({since} as timestamp) + to_seconds(round({seconds} * try_cast({column} as double))::bigint), "
        f"'%Y-%m-%dT%H:%M:%S') as {name}"
        for name, (column, seconds) in lasting.items()
    )
    return f"select {', '.join(columns)},\n  " + ",\n  ".join(times) + f"\nfrom {ROWS}\n"


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


def _constant(constants: Mapping[str, object]) -> list[str]:
    return [f"{literal(value) if isinstance(value, str) else value} as {name}" for name, value in constants.items()]
