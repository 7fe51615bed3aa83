"""The Spark session of a run: one for the process, with the catalog of each portfolio that keeps tables on a cluster.

PySpark is imported here alone, when a table is first written. What is done with the session: `iceberg.py`.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

from cx_intel.settings.storage import SparkStorage
from cx_intel.warehouse.errors import WarehouseError

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

EXTENSIONS = "org.apache.iceberg.spark.extensions.IcebergSparkSessionExtensions"
CATALOG = "org.apache.iceberg.spark.SparkCatalog"
ON_LOOPBACK = {"spark.driver.host": "127.0.0.1", "spark.driver.bindAddress": "127.0.0.1"}
"""Of a session within this process, which nobody else has to reach."""
ALWAYS = {
    "spark.app.name": "cx_intel",
    "spark.sql.extensions": EXTENSIONS,
    "spark.sql.session.timeZone": "UTC",
    "spark.sql.ansi.enabled": "true",
    "spark.sql.parquet.outputTimestampType": "TIMESTAMP_MICROS",
    "spark.ui.enabled": "false",
    "spark.ui.showConsoleProgress": "false",
}
"""What results depend on, and what a run without a person before it has no use for; a portfolio cannot change it."""
UNLESS_SET = {
    "spark.sql.shuffle.partitions": "8",
    "spark.executor.heartbeatInterval": "60s",
    "spark.network.timeout": "600s",
    "spark.hadoop.fs.permissions.umask-mode": "027",
}


def session_for(storage: SparkStorage) -> SparkSession:
    """The session of this process, with the catalog of the storage.

    Raises:
        WarehouseError: PySpark or Java is missing, no cluster is reached, or the catalog cannot be loaded.
    """
    try:
        from pyspark.sql import SparkSession
    except ImportError:
        text = (
            "The warehouse of this portfolio is on Spark, and PySpark is not installed: pip install 'cx-intel[spark]'."
        )
        raise WarehouseError(text) from None
    builder: Any = SparkSession.builder.master(storage.master)
    own = ON_LOOPBACK if storage.master.startswith("local") else {}
    for name, value in (UNLESS_SET | own | _catalog(storage) | dict(storage.settings) | ALWAYS).items():
        builder = builder.config(name, value)
    try:
        session: SparkSession = builder.getOrCreate()
    except Exception as error:
        text = (
            f"No Spark session at {storage.master}: {first_line(error)} It takes Java 17, Spark 3.5 and Iceberg's runtime "
            "(`warehouse.settings` of the portfolio's YAML)."
        )
        raise WarehouseError(text) from error
    session.sparkContext.setLogLevel("ERROR")
    session.sparkContext.pythonExec = storage.settings.get("spark.pyspark.python", sys.executable)
    return session


def _catalog(storage: SparkStorage) -> dict[str, str]:
    name = f"spark.sql.catalog.{storage.catalog}"
    found = {name: CATALOG, f"{name}.type": storage.catalog_type}
    if storage.location:
        found[f"{name}.{'warehouse' if storage.catalog_type != 'rest' else 'uri'}"] = storage.location
    return found


def first_line(error: BaseException) -> str:
    """What an error of Spark says, without the Java behind it."""
    return (str(error).strip().splitlines() or [type(error).__name__])[0][:300]
