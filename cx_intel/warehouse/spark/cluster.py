"""What a run needs of a cluster: the settings, which tables live there, and the folders that both sides see.

What is done with the tables stands in `warehouse.py` and `iceberg.py`.
"""

import shutil
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from cx_intel.settings.storage import SparkStorage
from cx_intel.warehouse.spark.iceberg import IcebergTables
from cx_intel.warehouse.spark.remembered import cluster_files
from cx_intel.warehouse.spark.session import session_for

EXCHANGE = "spark_exchange"
"""The folder in the home for what goes from the file to the cluster, where the settings name no other place."""


@dataclass
class Cluster:
    """What a run needs of a cluster for one portfolio.

    Attributes:
        storage: The portfolio's settings of it.
        tables: The tables that live there: table, the date column that they are kept by; empty for one kept whole.
        home: The folder of the warehouse, for what the settings leave out.
    """

    storage: SparkStorage
    tables: Mapping[str, str]
    home: Path
    _iceberg: dict[str, IcebergTables] = field(default_factory=dict)

    def files(self, schema: str) -> Path:
        """The folder of a portfolio's tables."""
        return Path(self.storage.location) / schema if self.storage.location else cluster_files(self.home, schema)

    def exchange(self, schema: str) -> Path:
        """The folder in which tables of a portfolio go to the cluster."""
        return (Path(self.storage.exchange) if self.storage.exchange else self.home / EXCHANGE) / schema

    @property
    def in_use(self) -> list[str]:
        """The portfolios of which tables were written, or cleared up, since the program began."""
        return list(self._iceberg)

    def iceberg(self, schema: str) -> IcebergTables:
        """The tables of a portfolio on the cluster; the session begins with the first question."""
        if schema not in self._iceberg:
            storage = self.storage
            if not storage.location and storage.catalog_type == "hadoop":
                storage = storage.model_copy(update={"location": str(self.files(schema).parent)})
            shutil.rmtree(self.exchange(schema), ignore_errors=True)  # what a run that was killed has left
            self._iceberg[schema] = IcebergTables(session_for(storage), storage.catalog, schema)
        return self._iceberg[schema]
