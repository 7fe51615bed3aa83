"""What a portfolio needs whose tables live on a Spark cluster or in PostgreSQL too.

That is PySpark, Java, Iceberg's jar, the cluster and shared folders; or a server with a schema that may be written. No session of
Spark is started, and nothing is made at the server. What the settings mean stands in `cx_intel.settings.storage`.
"""

import os
import re
import shutil
import socket
import subprocess
from collections.abc import Iterator, Mapping
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from cx_intel.doctor.findings import Finding, note, ok, problem
from cx_intel.orchestration.assets.engines import servers
from cx_intel.settings.portfolio import Portfolio
from cx_intel.settings.storage import PostgresStorage, SparkStorage
from cx_intel.sources.errors import SourceError
from cx_intel.warehouse.errors import WarehouseError
from cx_intel.warehouse.tables_of import servers_of

SPARK = "3.5"
JAVA = (11, 17)
"""The releases of Java that Spark 3.5 and Iceberg's runtime run on."""
REACH_SECONDS = 3.0
_JAVA_VERSION = re.compile(r'version "(?:1\.)?(\d+)')


def examine(portfolio: Portfolio, home: Path, variables: Mapping[str, str]) -> Iterator[Finding]:
    """What is found of a portfolio's cluster or server; nothing of one whose tables lie in the file.

    Args:
        portfolio: Its settings.
        home: CX_HOME, in which folders are that the settings leave out.
        variables: The environment.
    """
    storage = portfolio.warehouse
    if isinstance(storage, PostgresStorage):
        yield _postgres(portfolio, variables)
    if not isinstance(storage, SparkStorage):
        return
    subject = f"cluster of {portfolio.name}"
    found = [
        *_pyspark(subject),
        *_java(subject, variables),
        *_jars(subject, storage, variables),
        *_master(subject, storage),
        *_folders(subject, storage, home),
    ]
    yield from found
    if not any(one.level == "problem" for one in found):
        yield ok(subject, f"{storage.master}, PySpark {version('pyspark')}")


def _postgres(portfolio: Portfolio, variables: Mapping[str, str]) -> Finding:
    subject, server = f"PostgreSQL of {portfolio.name}", servers_of(servers([portfolio]), variables)[portfolio.name]
    try:
        may_write = server.may_write()
    except (SourceError, WarehouseError) as error:
        return problem(subject, str(error), "Mend the variable, or bring the server up.")
    if not may_write:
        to_do = "Give its user that schema, or the right to make one."
        return problem(subject, f"{server.place} may not be written", to_do)
    return ok(subject, f"{server.place} may be written")


def _pyspark(subject: str) -> Iterator[Finding]:
    try:
        found = version("pyspark")
    except PackageNotFoundError:
        yield problem(subject, "PySpark is not installed", "Install it: pip install 'cx-intel[spark]'.")
        return
    if not found.startswith(f"{SPARK}."):
        yield problem(subject, f"PySpark is {found}", f"Install that of Spark {SPARK}, for which the jars are.")


def _java(subject: str, variables: Mapping[str, str]) -> Iterator[Finding]:
    of_home = Path(variables["JAVA_HOME"]) / "bin/java" if variables.get("JAVA_HOME") else None
    java = str(of_home) if of_home else shutil.which("java", path=variables.get("PATH", ""))
    to_do = f"Install Java {JAVA[-1]} (openjdk-17-jre-headless), or set JAVA_HOME to it."
    try:
        told = subprocess.run([java or "", "-version"], capture_output=True, text=True, timeout=60, check=True)
    except (OSError, subprocess.SubprocessError):
        yield problem(subject, f"no Java: {java or 'none in PATH'} cannot be run", to_do)
        return
    release = _JAVA_VERSION.search(told.stderr + told.stdout)
    if release and int(release[1]) not in JAVA:
        yield problem(subject, f"{java} is Java {release[1]}", to_do)


def _jars(subject: str, storage: SparkStorage, variables: Mapping[str, str]) -> Iterator[Finding]:
    listed = [jar for jar in storage.settings.get("spark.jars", "").split(",") if jar]
    missing = [jar for jar in listed if jar.startswith("/") and not Path(jar).exists()]
    if missing:
        yield problem(
            subject, f"{', '.join(missing)} of spark.jars is not there", "Bring the jar there, or mend the path."
        )
    if not listed and "spark.jars.packages" not in storage.settings and not variables.get("SPARK_CONF_DIR"):
        yield note(
            subject,
            "the settings name no jar of Iceberg (spark.jars.packages or spark.jars)",
            "Name it, unless Spark's own folder of jars has it: org.apache.iceberg:iceberg-spark-runtime-3.5_2.12:1.10.2.",
        )


def _master(subject: str, storage: SparkStorage) -> Iterator[Finding]:
    if not storage.master.startswith("spark://"):
        return
    host, _, port = storage.master.removeprefix("spark://").split(",")[0].rpartition(":")
    try:
        with socket.create_connection((host, int(port)), timeout=REACH_SECONDS):
            pass
    except (OSError, ValueError) as error:
        yield problem(
            subject,
            f"{storage.master} is not reached: {error}",
            "Start Spark's master there, or mend `warehouse.master`.",
        )


def _folders(subject: str, storage: SparkStorage, home: Path) -> Iterator[Finding]:
    named = {"location": storage.location if storage.catalog_type == "hadoop" else "", "exchange": storage.exchange}
    for key, folder in named.items():
        if not folder:
            if not storage.master.startswith("local"):
                yield note(
                    subject,
                    f"`warehouse.{key}` is not set: its files lie in {home}",
                    "The workers have to see that folder by the same path.",
                )
        elif "://" in folder or not folder.startswith("/"):
            yield problem(
                subject, f"`warehouse.{key}` is {folder}", "It has to be a path of a shared disk, from the root."
            )
        elif not os.access(next(p for p in (Path(folder), *Path(folder).parents) if p.exists()), os.W_OK):
            yield problem(
                subject, f"{folder} may not be written", "Give it to the user that runs this, and to Spark's."
            )
