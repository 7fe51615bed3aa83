"""A person's own query: it reads the file that it is put to, and can do nothing else."""

from pathlib import Path

import duckdb
import pytest

from cx_intel.warehouse.duckdb.asking import query
from cx_intel.warehouse.errors import WarehouseError


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two schemas with a table of one name."""
    path = tmp_path_factory.mktemp("asking") / "fleet.duckdb"
    with duckdb.connect(str(path)) as connection:
        connection.execute("CREATE TABLE scores AS SELECT n, n * 1.5::DECIMAL(9, 2) AS score FROM range(5) AS r(n)")
        connection.execute("CREATE SCHEMA live")
        connection.execute("CREATE TABLE live.scores AS SELECT 7 AS n")
    return path


def test_rows_come_up_to_the_limit_and_whether_there_are_more(file: Path) -> None:
    found = query(file, "FROM scores ORDER BY n;", schema="main", limit=2)
    assert (found.columns, [row[0] for row in found.rows], found.has_more) == (("n", "score"), [0, 1], True)
    assert not query(file, "FROM scores", schema="main", limit=5).has_more
    assert len(query(file, "FROM scores", schema="main", limit=None).rows) == 5


def test_tables_are_looked_up_in_the_schema_and_by_the_name_of_the_file(file: Path) -> None:
    assert query(file, "SELECT n FROM scores", schema="live", limit=1).rows == [(7,)]
    assert query(file, "SELECT count(*) FROM fleet.main.scores", schema="live", limit=1).rows == [(5,)]


@pytest.mark.parametrize("text", ["DESCRIBE scores", "SUMMARIZE scores", "SHOW TABLES", "WITH a AS (SELECT 1) FROM a"])
def test_all_that_reads_is_taken(file: Path, text: str) -> None:
    assert query(file, text, schema="main", limit=1).rows


@pytest.mark.parametrize(
    "text",
    [
        "",
        "SELECT 1; SELECT 2",
        "DELETE FROM scores",
        "CREATE TEMP TABLE other AS SELECT 1",
        "COPY scores TO '{folder}/out.csv'",
        "ATTACH '{folder}/other.duckdb'",
        "EXPORT DATABASE '{folder}/all'",
        "SET enable_external_access = true",
        "INSTALL httpfs",
        "PRAGMA version",
    ],
)
def test_what_does_not_read_is_refused(file: Path, tmp_path: Path, text: str) -> None:
    with pytest.raises(WarehouseError, match="Only one query that reads is taken"):
        query(file, text.format(folder=tmp_path), schema="main", limit=1)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "text",
    [
        "FROM read_text('{folder}/secret.txt')",
        "FROM '{folder}/secret.csv'",
        "FROM glob('{folder}/*')",
        "FROM duckdb_secrets()",
        "EXPLAIN ANALYZE COPY scores TO '{folder}/out.csv'",
        "SELECT getenv('HOME')",
    ],
)
def test_no_other_file_and_no_variable_is_reached(file: Path, tmp_path: Path, text: str) -> None:
    for name in ("secret.txt", "secret.csv"):
        (tmp_path / name).write_text("hush", encoding="utf-8")
    with pytest.raises(WarehouseError) as raised:
        query(file, text.format(folder=tmp_path), schema="main", limit=1)
    assert "hush" not in str(raised.value)
    assert not (tmp_path / "out.csv").exists()


def test_errors_are_what_the_engine_said(file: Path) -> None:
    with pytest.raises(WarehouseError, match=r'Did you mean "scores"'):
        query(file, "FROM scors", schema="main", limit=1)
    with pytest.raises(WarehouseError, match="is not there yet"):
        query(file.with_name("none.duckdb"), "SELECT 1", schema="main", limit=1)
