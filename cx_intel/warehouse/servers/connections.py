"""Runs one query at a database that somebody else keeps, and gives its result as an Arrow table. Read-only.

Which driver serves which address, and what a server's refusal means for whoever wrote the query. What the columns of the
result mean is not looked at here (`cx_intel.warehouse.duckdb.queries.queries`, staging).
"""

from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from importlib import import_module
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, quote, unquote, urlsplit

import pyarrow as pa

from cx_intel.settings.sources.sql import CLUSTER
from cx_intel.sources.cursors import CursorKind
from cx_intel.sources.errors import SourceError

NUMERIC = "numeric"
"""What an exact number is called that has no Arrow type of its own; the driver gives its text."""


CONNECT_SECONDS = 30


def run_query(address: str, query: str, of: str) -> pa.Table:
    """The result of a query.

    Args:
        address: `postgresql://...`, `sqlite:///file`, `snowflake://...` or `bigquery://project/dataset`; may hold a
            password, which no message repeats.
        query: One statement, in the server's dialect; nothing can be written with it.
        of: Whose it is, as messages say it.

    Raises:
        SourceError: The address is of no known kind, its driver is not installed, or what the server said.
    """
    with streamed(address, query, of) as reader:
        return reader.read_all()


@contextmanager
def streamed(address: str, query: str, of: str) -> Iterator[pa.RecordBatchReader]:
    """The result of a query batch by batch, while the block lasts: what a server sends is never all in memory.

    Arguments and errors are those of `run_query`; what goes wrong on the way is raised out of the block too.
    """
    with connected(address, of) as connection, closing(connection.cursor()) as cursor:
        # some drivers put it in brackets, which a comment at its end would hide
        cursor.execute(f"{bare_query(query)}\n")
        with watched(
            cursor.fetch_record_batch(), lambda error: SourceError(_message(str(error), address, of))
        ) as reader:
            yield reader


@contextmanager
def watched(
    given: pa.RecordBatchReader, error_of: Callable[[Exception], SourceError]
) -> Iterator[pa.RecordBatchReader]:
    """The same batches while the block lasts; what goes wrong while they come is raised out of it, said in words of ours.

    Args:
        given: What a driver or DuckDB gives.
        error_of: What is to be raised for an error of theirs.
    """
    raised: list[SourceError] = []

    def batches() -> Iterator[pa.RecordBatch]:
        try:
            yield from given
        except (OSError, pa.ArrowException) as error:  # of the driver, by way of Arrow
            raised.append(error_of(error))
            raise raised[0] from error

    try:
        yield pa.RecordBatchReader.from_batches(given.schema, batches())
    except Exception as error:  # whoever pulls the batches may wrap what they raise
        if raised and error is not raised[0]:
            raise raised[0] from error
        raise


@contextmanager
def connected(address: str, of: str) -> Iterator[Any]:
    """A connection that only reads, one moment of the data where the server can; raises as `run_query` does."""
    kind = kind_of(address)
    if kind not in _OPENED:
        raise SourceError(f"{of}: its connection begins with {kind}:, which is none of {', '.join(_OPENED)}.")
    import adbc_driver_manager

    try:
        with closing(_OPENED[kind](address)) as connection:
            yield connection
    except ImportError as error:
        raise SourceError(f"{of} needs a driver: pip install 'cx-intel[{kind}]'.") from error
    except adbc_driver_manager.Error as error:
        raise SourceError(_message(str(error), address, of)) from error


def _message(said: str, address: str, of: str) -> str:
    return f"{of} fails: {without_secrets(said, address)}{_hint(kind_of(address), said)}"


def kind_of(address: str) -> str:
    """What serves an address: postgresql, sqlite ..."""
    return address.partition(":")[0].lower()


def place_of(address: str) -> str:
    """What an address says of where the data lie: without user, password and parameters of the session."""
    parts = urlsplit(address)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}"


def quoted(server: str, name: str) -> str:
    """The name of a column or table as it stands in the server's SQL."""
    return f"`{name}`" if server in ("bigquery", CLUSTER) else '"' + name.replace('"', '""') + '"'


def since(query: str, server: str, column: str, kind: CursorKind, bound: str) -> str:
    """A query for the rows of another whose cursor is not below a bound, or is none; the server filters.

    Args:
        query: One SELECT, in the server's dialect.
        server: What serves it, as `kind_of` says.
        column: The cursor, as the result spells it.
        kind: What it holds.
        bound: The lowest value, as text without a zone; instants in UTC.
    """
    name = quoted(server, column)
    least = _BOUNDS.get((server, kind), _BOUND_OF[kind]).format(bound.replace("'", "''"))
    return f"SELECT * FROM ({bare_query(query)}\n) AS cx_rows WHERE {name} >= {least} OR {name} IS NULL"


def bare_query(query: str) -> str:
    """A query without what ends it, as it may stand in brackets."""
    return query.rstrip().rstrip(";").rstrip()


def reach(address: str, of: str) -> None:
    """Raises SourceError, saying why, where no query can be run at the address."""
    run_query(address, "SELECT 1 AS answer", of)


def exact_numbers(schema: pa.Schema) -> set[str]:
    """The columns that hold exact numbers as text, as a driver gives them where Arrow has no such type."""
    return {field.name for field in schema if getattr(field.type, "type_name", "") == NUMERIC}


def _postgresql(address: str) -> Any:
    """A server that accepts and says nothing is given up after `CONNECT_SECONDS`, unless the address states a time."""
    if "connect_timeout=" not in address:
        address += ("&" if urlsplit(address).query else "?") + f"connect_timeout={CONNECT_SECONDS}"
    connection = import_module("adbc_driver_postgresql.dbapi").connect(address)
    with closing(connection.cursor()) as cursor:
        cursor.execute("SET SESSION CHARACTERISTICS AS TRANSACTION READ ONLY, ISOLATION LEVEL REPEATABLE READ")
    connection.commit()
    return connection


def _sqlite(address: str) -> Any:
    """By SQLAlchemy's convention: three slashes before a relative path, four before an absolute one."""
    path = urlsplit(address).path.removeprefix("/")
    if not Path(path).is_file():
        raise SourceError(f"{Path(path).absolute()}: no such file; the connection names it: mend its path.")
    return import_module("adbc_driver_sqlite.dbapi").connect(f"file:{quote(path)}?mode=ro")


def _snowflake(address: str) -> Any:
    return import_module("adbc_driver_snowflake.dbapi").connect(address.removeprefix("snowflake://"))


def _bigquery(address: str) -> Any:
    parts = urlsplit(address)
    options = {"adbc.bigquery.sql.project_id": parts.netloc, "adbc.bigquery.sql.dataset_id": parts.path.strip("/")}
    return import_module("adbc_driver_bigquery.dbapi").connect(options)


_OPENED: dict[str, Callable[[str], Any]] = {
    "postgresql": _postgresql,
    "postgres": _postgresql,
    "sqlite": _sqlite,
    "snowflake": _snowflake,
    "bigquery": _bigquery,
}


_BOUND_OF: dict[CursorKind, str] = {
    "instant": "TIMESTAMP WITH TIME ZONE '{}+00:00'",
    "time": "TIMESTAMP '{}'",
    "date": "DATE '{}'",
    "number": "{}",
    "text": "'{}'",
}
_BOUNDS: dict[tuple[str, CursorKind], str] = {
    ("snowflake", "instant"): "'{}+00:00'::TIMESTAMP_TZ",
    ("snowflake", "time"): "'{}'::TIMESTAMP_NTZ",
    ("bigquery", "instant"): "TIMESTAMP '{}+00:00'",
    ("bigquery", "time"): "DATETIME '{}'",
    (CLUSTER, "instant"): "TIMESTAMP '{}+00:00'",
    (CLUSTER, "time"): "TIMESTAMP_NTZ '{}'",
}
"""How a bound is written where a server does not know the standard's way."""


_SECRET = ("pass", "secret", "token", "key")
"""What names a parameter of an address that no message repeats."""


def _hint(kind: str, said: str) -> str:
    if "read-only" in said or "readonly" in said:
        return " A source only reads: write one SELECT."
    if kind == "sqlite" and ("type" in said.lower() or "convert" in said.lower()):
        return " A column holds values of several types: write cast(column as text)."
    return ""


def without_secrets(said: str, address: str) -> str:
    """What the server said, without the address and its password, on as few lines as it needs."""
    parts = urlsplit(address)
    stated = [value for name, value in parse_qsl(parts.query) if any(word in name.lower() for word in _SECRET)]
    for secret in (address, parts.netloc, parts.password, unquote(parts.password or ""), *stated):
        if secret:
            said = said.replace(secret, "***")
    return said.strip()
