"""Laws of reading and staging: no row is lost or doubled, and no bytes bring the reader down."""

import gzip
from datetime import date
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import ibis
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from ibis.backends import BaseBackend

from cx_intel.contracts.delivered import delivered_columns
from cx_intel.contracts.staging.tables import STAGING
from cx_intel.models.staging.rows import judged
from cx_intel.settings.sources.files import FilesSource
from cx_intel.sources.errors import SourceError
from cx_intel.warehouse.duckdb.files.reading import read_files
from cx_intel_tests.helpers.builders import portfolio

pytestmark = pytest.mark.slow

AS_OF = date(2025, 1, 31)
BOOK = portfolio(["usage_events", "metrics", "support_tickets"], currency={"reporting": "EUR", "rates": {"CHF": 1.05}})
TABLES = ("subscriptions", "usage_events", "metrics", "support_tickets")
ACCOUNTS = pa.table({"account_id": ["A1", "A2"], "currency": pa.array([None, "CHF"], pa.string())})
LAWS = settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))

cells = st.one_of(
    st.none(),
    st.sampled_from(
        [
            "",
            "A1",
            "A2",
            "A9",
            "1",
            "2",
            "-3.5",
            "1e5",
            "1,5",
            "2025-01-31",
            "2025-02-30",
            "2025-01-31T10:00:00Z",
            "open",
            "resolved",
            "yes",
            "CHF",
            "1736983800000",
        ]
    ),
    st.text(max_size=6).filter(lambda text: "\0" not in text),
)


@cache
def engine() -> BaseBackend:
    return ibis.duckdb.connect()


@cache
def judging(table: str) -> str:
    """The statement that judges the rows of `raw`, compiled once."""
    columns = {c.name: "string" for c in delivered_columns(STAGING[table](BOOK))}
    raw = ibis.table(columns | {"_source_file": "string", "_row_number": "int64"}, name="raw")
    engine().con.register("accounts", ACCOUNTS)
    known = ibis.table({"account_id": "string", "currency": "string"}, name="accounts")
    return engine().compile(judged(raw, table=table, portfolio=BOOK, as_of=AS_OF, accounts=known))


@LAWS
@given(st.data(), st.sampled_from(TABLES))
def test_every_raw_row_is_staged_or_quarantined_exactly_once(data: st.DataObject, table: str) -> None:
    contract = STAGING[table](BOOK)
    names = [column.name for column in delivered_columns(contract)]
    rows = data.draw(st.lists(st.tuples(*[cells for _ in names]), max_size=12))
    columns: dict[str, Any] = {n: pa.array([row[i] for row in rows], pa.string()) for i, n in enumerate(names)}
    columns |= {
        "_source_file": pa.array(["f"] * len(rows), pa.string()),
        "_row_number": pa.array(range(1, len(rows) + 1), pa.int64()),
    }
    statement = judging(table)
    engine().con.register("raw", pa.table(columns))
    judged = engine().con.sql(statement).to_arrow_table().to_pylist()
    assert sorted(row["_row_number"] for row in judged) == list(range(1, len(rows) + 1))
    fitting = [row for row in judged if row["_reason"] is None]
    keys = [tuple(row[key] for key in (*contract.grain, contract.day_column or contract.grain[0])) for row in fitting]
    assert len(set(keys)) == len(keys)
    for row in fitting:
        assert row["account_id"] in ("A1", "A2")
        assert all(row[column.name] is not None for column in contract.columns if not column.nullable)
    assert all(row["_reason"] for row in judged if row not in fitting)


def assert_names(error: SourceError, file: Path) -> None:
    assert str(file) in str(error)


@settings(LAWS, max_examples=150)
@given(
    st.one_of(
        st.binary(max_size=200),
        st.text(alphabet='a,;"\n\r\t \0é1', max_size=60).map(str.encode),
        st.text(alphabet='a,"\n\r', max_size=40).map(lambda text: b"account_id,b\n" + text.encode()),
    ),
    st.sampled_from(["x.csv", "x.csv.gz", "x.jsonl", "x.parquet"]),
    st.sampled_from(["utf-8", "latin-1", "utf-16"]),
    st.booleans(),
)
def test_any_bytes_give_rows_or_a_source_error(content: bytes, name: str, encoding: str, is_whole: bool) -> None:
    with TemporaryDirectory() as folder:
        file = Path(folder) / name
        file.write_bytes(gzip.compress(content) if name.endswith(".gz") and is_whole else content)
        source = FilesSource(kind="files", table="accounts", path=str(file), encoding=encoding)
        try:
            result = read_files(source, contract=STAGING["accounts"](BOOK), environment={})
        except SourceError as error:
            assert_names(error, file)
            return
        numbers = [*result.table["_row_number"].to_pylist(), *result.rejects["row_number"].to_pylist()]
        assert sorted(numbers) == list(range(1, len(numbers) + 1))
        assert result.raw().num_rows == len(numbers)


@settings(LAWS, max_examples=40)
@given(st.lists(st.tuples(st.text(min_size=1, max_size=5), st.text(max_size=8)), max_size=8))
def test_what_a_csv_writer_wrote_is_read_back(rows: list[tuple[str, str]]) -> None:
    rows = [tuple(cell.replace("\0", "").replace("\r", "\n") or "x" for cell in row) for row in rows]  # type: ignore[misc]
    rows = [row for row in rows if all(cell.isprintable() or "\n" in cell for cell in row)]
    text = "".join(",".join('"' + cell.replace('"', '""') + '"' for cell in row) + "\n" for row in rows)
    with TemporaryDirectory() as folder:
        file = Path(folder) / "x.csv"
        file.write_bytes(b"account_id,account_name\n" + text.encode(errors="ignore"))
        source = FilesSource(kind="files", table="accounts", path=str(file), null_text=[])
        result = read_files(source, contract=STAGING["accounts"](BOOK), environment={})
    found = [tuple(row.values()) for row in result.table.select(["account_id", "account_name"]).to_pylist()]
    assert found == rows
