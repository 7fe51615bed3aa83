"""What tests on Spark share: the block of a portfolio's YAML, and which tests need the jars that `make test-spark` makes."""

import os
from pathlib import Path
from typing import Any

import pytest

JARS = os.environ.get("ICEBERG_JARS", "")
NEEDS_SPARK = [
    pytest.mark.slow,  # a session of Spark
    pytest.mark.skipif(not JARS, reason="make test-spark makes the jars and names them in ICEBERG_JARS"),
]


def on_spark() -> dict[str, Any]:
    """The block `warehouse`; small data go faster without generated code."""
    jars = [str(Path(JARS) / name) for name in ("iceberg.jar", "jackson.jar")]
    return {
        "engine": "spark",
        "master": "local[1]",
        "settings": {
            "spark.jars": ",".join(jars),
            "spark.driver.extraClassPath": ":".join(jars),
            "spark.sql.adaptive.enabled": "false",
            "spark.sql.codegen.wholeStage": "false",
            "spark.sql.codegen.factoryMode": "NO_CODEGEN",
            "spark.sql.shuffle.partitions": "1",
        },
    }
