"""What tests on Spark share: the block of a portfolio's YAML, and which tests need the jars that `make test-spark` makes."""

import os
import re
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import duckdb
import pytest

from cx_intel_tests.helpers.small_company import SmallCompany

JARS = os.environ.get("ICEBERG_JARS", "")
NEEDS_SPARK = [
    pytest.mark.slow,  # a session of Spark
    pytest.mark.skipif(not JARS, reason="make test-spark makes the jars and names them in ICEBERG_JARS"),
    pytest.mark.filterwarnings("ignore:distutils Version classes:DeprecationWarning"),  # PySpark's own
    pytest.mark.filterwarnings("ignore:.*socket.socket:pytest.PytestUnraisableExceptionWarning"),  # likewise
]

Held = dict[str, list[str]]


def on_spark(master: str = "local[1]") -> dict[str, Any]:
    """The block `warehouse`; small data go faster without generated code."""
    jars = [str(Path(JARS) / name) for name in ("iceberg.jar", "jackson.jar")]
    return {
        "engine": "spark",
        "master": master,
        "settings": {
            "spark.jars": ",".join(jars),
            "spark.driver.extraClassPath": ":".join(jars),
            "spark.executor.extraClassPath": ":".join(jars),
            "spark.executor.memory": "512m",
            "spark.driver.host": "127.0.0.1",
            "spark.driver.bindAddress": "127.0.0.1",
            "spark.sql.adaptive.enabled": "false",
            "spark.sql.codegen.wholeStage": "false",
            "spark.sql.codegen.factoryMode": "NO_CODEGEN",
            "spark.sql.shuffle.partitions": "1" if master.startswith("local") else "2",
        },
    }


def naming(folder: Path, *words: str) -> list[str]:
    """The files below a folder in which a word stands: the values of Parquet, the blocks of Avro, the bytes of all others."""
    pattern = re.compile(rb"(?<![A-Za-z0-9])(?:" + "|".join(words).encode() + rb")(?![A-Za-z0-9])")
    files = [path for path in folder.rglob("*") if path.is_file()]
    return sorted(str(f.relative_to(folder)) for f in files if any(pattern.search(part) for part in _parts(f)))


def _parts(file: Path) -> Iterator[bytes]:
    content = file.read_bytes()
    if content.startswith(b"PAR1"):
        with duckdb.connect() as connection:
            for row in connection.execute("FROM read_parquet(?)", [str(file)]).fetchall():
                yield repr(row).encode()
    elif content.startswith(b"Obj\x01"):
        yield from _avro_blocks(content)
    else:
        yield content


def _avro_blocks(content: bytes) -> Iterator[bytes]:
    """The blocks of an Avro file, inflated: each stands between two marks, which the file ends with, after two numbers."""
    mark = content[-16:]
    head, *blocks = content.split(mark)
    yield head
    for block in (b for b in blocks if b):
        at = 0
        for _ in range(2):  # numbers of as many bytes as have the first bit, and one more
            while block[at] & 0x80:
                at += 1
            at += 1
        yield zlib.decompress(block[at:], -15)


def held(company: SmallCompany) -> Held:
    """The rows of every table and view, with their columns and types."""
    with duckdb.connect(str(company.warehouse), read_only=True) as connection:
        connection.execute("SET TimeZone = 'UTC'")
        found = connection.execute(
            "SELECT table_name FROM information_schema.tables WHERE table_schema = ? ORDER BY 1", [company.name]
        ).fetchall()
        rows = {}
        for (name,) in found:
            result = connection.execute(f'FROM "{company.name}"."{name}"')
            columns = [repr(column[:2]) for column in result.description or ()]
            rows[name] = [*columns, *sorted(map(repr, result.fetchall()))]
        return rows
