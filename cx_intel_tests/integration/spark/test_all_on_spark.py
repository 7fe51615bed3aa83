"""A portfolio of which all tables live on a Spark cluster: as on DuckDB, and without whoever is erased.

`make test-spark` brings PySpark and the jars; without them these tests are left out.
"""

from collections.abc import Iterator
from pathlib import Path

import pytest

from cx_intel_tests.helpers.command_line import here
from cx_intel_tests.helpers.on_spark import NEEDS_SPARK, held, naming, on_spark
from cx_intel_tests.helpers.small_company import AS_OF, SmallCompany

pytestmark = [*NEEDS_SPARK, pytest.mark.timeout(1800)]
IN_THE_FILE = {"raw_accounts", "raw_subscriptions", "rejected_rows", "judged_accounts"}


@pytest.fixture(scope="module")
def spark(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SmallCompany]:
    session = pytest.importorskip("pyspark.sql").SparkSession
    company = SmallCompany(tmp_path_factory.mktemp("spark"))
    company.only("accounts", "subscriptions", "usage_events")
    company.settings["warehouse"] = on_spark("local[2]") | {"tables": "all"}
    assert company.refresh(AS_OF).succeeded
    yield company
    if active := session.getActiveSession():
        active.stop()


def in_file(company: SmallCompany) -> set[str]:
    found = company.query(
        "SELECT table_name FROM information_schema.tables WHERE table_schema = 'small' AND table_type = 'BASE TABLE'"
    )
    return {name for (name,) in found}


def test_every_table_is_as_on_duckdb(spark: SmallCompany, tmp_path: Path) -> None:
    duck = SmallCompany(tmp_path)
    duck.only("accounts", "subscriptions", "usage_events")
    assert duck.refresh(AS_OF).succeeded
    on_duckdb, on_cluster = held(duck), held(spark)
    assert {name for name in on_duckdb if on_duckdb[name] != on_cluster.get(name)} == set()
    assert on_cluster.keys() == on_duckdb.keys()
    assert in_file(spark) == IN_THE_FILE


def test_whoever_is_erased_is_in_no_file(spark: SmallCompany) -> None:
    tables = spark.home / "iceberg"
    assert len(naming(tables, "A05", "U05")) > 3
    done = here(spark, "erase", spark.name, "--account", "A05", "--yes")
    assert done.exit_code == 0, done.output
    assert naming(spark.home, "A05") == []
