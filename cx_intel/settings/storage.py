"""Where the tables of a portfolio live: in the DuckDB file, in PostgreSQL too, or on a Spark cluster as Iceberg tables.

The settings alone; how tables are kept is in `cx_intel.warehouse`: `duckdb`, `postgres`, `spark`.
"""

from collections.abc import Sequence
from typing import Annotated, Literal

from pydantic import Field

from cx_intel.settings.base import Misfit, Settings
from cx_intel.settings.sources.sql import SqlSource

SettingName = Annotated[str, Field(pattern=r"^spark\.[A-Za-z0-9_.\-]+$")]


class DuckDBStorage(Settings):
    """One DuckDB file on one machine: the default, and enough for most."""

    engine: Literal["duckdb"]
    """One file on one machine."""


class PostgresStorage(Settings):
    """The tables computed and kept in a PostgreSQL server; the DuckDB file has the same rows, for reports and exports."""

    engine: Literal["postgres"]
    """The server computes the tables."""
    address: str = Field(pattern=r"^\$\{[A-Za-z_][A-Za-z0-9_]*\}$")
    """`${NAME}` of a variable with the server's address, postgresql://user:password@host/database, of a user who may make a
    schema there, or owns it."""
    in_schema: str = Field(default="", pattern=r"^([a-z_][a-z0-9_]*)?$", max_length=63)
    """The schema of the tables, which nothing else writes; default: the portfolio's name."""


class SparkStorage(Settings):
    """Tables of events on a Spark cluster, as Iceberg tables `<catalog>.<portfolio>.<table>`."""

    engine: Literal["spark"]
    """Events on a cluster, all else in the file."""
    master: str = Field(pattern=r"^(local(\[.+\])?|spark://.+|yarn|k8s://.+)$")
    """Spark's master: `spark://host:7077`, `yarn`, `k8s://…`, or `local[2]` for a try on one machine."""
    catalog: str = Field(default="cx", pattern=r"^[a-z][a-z0-9_]*$")
    """The name of the Iceberg catalog."""
    catalog_type: Literal["hadoop", "hive", "rest", "jdbc"] = "hadoop"
    """Who keeps the catalog; `hadoop` keeps it in a file system that renames at once, such as HDFS or a shared disk."""
    location: str = ""
    """Of `hadoop`, `hive` and `jdbc`: the folder of the tables. Of `rest`: its address."""
    exchange: str = ""
    """A folder that driver and workers see, for tables that go from one to the other; default: beside the warehouse."""
    tables: Literal["by_day", "all"] = "by_day"
    """Which tables live there: those of events, which are kept by day, or those of account grain too. The latter are small,
    and each costs some seconds there: it is for who wants all of them in the catalog."""
    files: Literal["cluster", "driver"] = "cluster"
    """Who reads files of events, and queries for events at the cluster: the cluster's machines, which need the folder by the
    same path and this package in their Python, or the machine of the refresh."""
    settings: dict[SettingName, str] = {}
    """Further settings of the Spark session, such as `spark.jars.packages`, `spark.executor.memory`, or `spark.pyspark.python`,
    the Python of the cluster that has this package (default: by the path of the one that refreshes)."""


Storage = Annotated[DuckDBStorage | PostgresStorage | SparkStorage, Field(discriminator="engine")]


def check_cluster(sources: Sequence[object], storage: Storage | None) -> None:
    """Raises Misfit where a query is to run at a cluster that the portfolio does not name."""
    for place, source in enumerate(sources):
        if isinstance(source, SqlSource) and source.is_at_cluster and not isinstance(storage, SparkStorage):
            message = (
                "`cluster` is the Spark cluster of the portfolio, and it names none: state `warehouse: {engine: spark, "
                "master: ...}`, or name a variable here that holds the address of a database"
            )
            raise Misfit(message, ("sources", place, "connection"))
