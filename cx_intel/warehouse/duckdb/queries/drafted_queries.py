"""The queries of drafted sources, over tables that have the columns under canonical names already (`columns` of a table).

Which source needs a query is decided in `cx_intel.proposals`; queries are run in `queries.py`, beside this module.
"""

from collections.abc import Mapping, Sequence

from cx_intel.warehouse.duckdb.files.local_spellings import literal

ROWS, PRICES = "rows", "prices"
"""What the tables of a drafted query are called."""
PRICE_KEY = "price_key"
"""What leads from a row to its price."""
_MONTH_OF_FILE = r"regexp_replace(_source_file, '.*(20\d\d)[-_.]?([01]\d).*', '\1-\2') as month"


def of_table(columns: Sequence[str], constants: Mapping[str, object]) -> str:
    """The columns of all rows, and those with the same value everywhere."""
    return f"select {', '.join([*columns, *_constant(constants)])}\nfrom {ROWS}\n"


def with_prices(columns: Sequence[str], of_prices: Sequence[str], constants: Mapping[str, object]) -> str:
    """The columns of all rows with those of the price that each names."""
    cells = [*(f"r.{name}" for name in columns), *(f"p.{name}" for name in of_prices), *_constant(constants)]
    return f"select {', '.join(cells)}\nfrom {ROWS} r left join {PRICES} p on p.{PRICE_KEY} = r.{PRICE_KEY}\n"


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
