"""docs/deploy.md brought up whole: PostgreSQL, nginx and the services by their units' own commands, and a refresh in it.

What needs root or systemd itself (users, `systemctl`) is left out; the units are judged in `test_units.py`.
"""

import json
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from cx_intel_tests.helpers.deployed import ROOT, Deployment, deployment, wait_until
from cx_intel_tests.helpers.postgres import postgres
from cx_intel_tests.helpers.proxied import HOST, NGINX, ask, proxy

pytestmark = [
    pytest.mark.slow,  # a refresh of a shipped portfolio, and four services
    pytest.mark.timeout(900),
    pytest.mark.xdist_group("deployment"),
    pytest.mark.skipif(NGINX is None, reason="nginx is not installed: install-system.sh"),
    pytest.mark.skipif(
        not list(Path("/usr/lib/postgresql").glob("*/bin/initdb")), reason="PostgreSQL is not installed"
    ),
]
POSTGRES = ("dagster-postgres", "greenlet", "psycopg2-binary", "sqlalchemy")
"""What `make install-postgres` installs beside, or in the place of, what `make install` does."""
WITHOUT_BACKTEST = "backtest: {in_refresh: false}\n"
"""Half of a first refresh, and none of what is tried here."""
DAY = (datetime.now(UTC) - timedelta(days=2)).date().isoformat()
LAUNCH = """
mutation($day: String!) { launchRun(executionParams: {
  selector: {repositoryLocationName: "cx_intel.definitions", repositoryName: "__repository__", jobName: "novacrm_refresh"}
  executionMetadata: {tags: [{key: "dagster/partition", value: $day}]} runConfigData: {} mode: "default"
}) { __typename ... on LaunchRunSuccess { run { runId } } ... on PythonError { message } } }
"""
STATUS = "query($id: ID!) { runOrError(runId: $id) { ... on Run { status } } }"
LINKS = """
{ assetOrError(assetKey: {path: ["novacrm", "dashboard"]}) { ... on Asset { assetMaterializations(limit: 1) {
  metadataEntries { label ... on UrlMetadataEntry { url } } } } } }
"""


@pytest.fixture(scope="module")
def deployed() -> Iterator[Deployment]:
    """All services of the guide behind nginx, over Dagster's storage in PostgreSQL; a shipped portfolio."""
    with tempfile.TemporaryDirectory(prefix="cx-") as folder, postgres() as database, deployment(Path(folder)) as made:
        file = made.place("environment.example", "etc/cx-intel/environment")
        stated = {"DAGSTER_POSTGRES_URL": database, "PYTHONPATH": str(_installed(made.folder / "postgres"))}
        given = re.sub(r"^DAGSTER_POSTGRES_URL=.*$", "", file.read_text(), flags=re.MULTILINE)
        file.write_text(given + "".join(f"{name}={value}\n" for name, value in stated.items()))
        portfolios = made.folder / "etc/cx-intel/portfolios"
        portfolios.mkdir()
        shipped = (ROOT / "cx_intel/portfolios/novacrm.yaml").read_text(encoding="utf-8")
        small = re.sub(r"\baccounts: \d+", "accounts: 12", shipped)
        (portfolios / "novacrm.yaml").write_text(f"{small}\n{WITHOUT_BACKTEST}", encoding="utf-8")
        made.place("dagster-postgres.yaml", "home/dagster.yaml").chmod(0o640)
        made.place("workspace.yaml")
        dead = made.run("doctor", "--daemon")  # the first that opens the storage makes its tables
        assert (dead.returncode, "daemon: has never run" in dead.stdout) == (1, True), dead.stdout + dead.stderr
        for name in ("code", "reports", "daemon", "web"):
            made.start(name)
        with proxy(made, "operators", "novacrm", "fleet"):
            wait_until(lambda: _is_loaded(made), "the UI shows the code location")
            yield made


@pytest.fixture(scope="module")
def refreshed(deployed: Deployment) -> Deployment:
    """A refresh, launched in the UI, queued, taken by the daemon and carried out by the code server."""
    launched = _graphql(deployed, LAUNCH, day=DAY)["launchRun"]
    assert launched["__typename"] == "LaunchRunSuccess", launched
    run = launched["run"]["runId"]
    ends = ("SUCCESS", "FAILURE", "CANCELED")
    wait_until(lambda: _graphql(deployed, STATUS, id=run)["runOrError"]["status"] in ends, "the refresh ends", 600)
    assert _graphql(deployed, STATUS, id=run)["runOrError"]["status"] == "SUCCESS", deployed.log("code")[-3000:]
    return deployed


def _installed(folder: Path) -> Path:
    """The packages that PostgreSQL needs, as the lock of the guide names them, in a folder that comes first."""
    blocks = re.split(r"\n(?=\S)", (ROOT / "requirements-postgres.lock").read_text(encoding="utf-8"))
    lock = folder.with_suffix(".lock")
    lock.write_text("\n".join(block for block in blocks if block.split("==")[0] in POSTGRES))
    uv = [sys.executable, "-m", "uv", "pip", "install", "--quiet", "--python", sys.executable, "--target", str(folder)]
    done = subprocess.run(
        [*uv, "--no-deps", "--require-hashes", "-r", str(lock)], check=False, capture_output=True, text=True
    )
    if done.returncode:
        pytest.skip(f"dagster-postgres cannot be installed: {done.stderr.strip()[-200:]}")
    return folder


def _graphql(made: Deployment, query: str, **variables: str) -> dict[str, Any]:
    answer = ask(made, "/graphql", "operators", json.dumps({"query": query, "variables": variables}).encode())
    told = json.loads(answer.body)
    assert "errors" not in told, told
    return dict(told["data"])


def _is_loaded(made: Deployment) -> bool:
    query = "{ repositoriesOrError { ... on RepositoryConnection { nodes { location { name } } } } }"
    if ask(made, "/server_info", "operators").status != 200:
        return False
    return bool(_graphql(made, query)["repositoriesOrError"].get("nodes"))


def test_a_refresh_runs_by_the_daemon_and_its_links_open_through_the_proxy(refreshed: Deployment) -> None:
    (made,) = _graphql(refreshed, LINKS)["assetOrError"]["assetMaterializations"]
    links = [entry["url"] for entry in made["metadataEntries"] if "url" in entry]
    assert f"https://{HOST}/reports/novacrm/dashboard.html" in links
    for link in links:
        page = ask(refreshed, link.removeprefix(f"https://{HOST}"), "novacrm")
        assert (page.status, b"novacrm" in page.body) == (200, True), link
    assert b"account_snapshot.csv" in ask(refreshed, "/exports/novacrm/_latest/", "novacrm").body


def test_a_page_is_sent_packed_and_again_only_when_it_is_another(refreshed: Deployment) -> None:
    page, packed = "/reports/novacrm/dashboard.html", {"Accept-Encoding": "gzip"}
    first = ask(refreshed, page, "novacrm", headers=packed)
    assert first.headers["content-encoding"] == "gzip"
    again = ask(refreshed, page, "novacrm", headers=packed | {"If-None-Match": first.headers["etag"]})
    assert (again.status, again.body) == (304, b"")


@pytest.mark.parametrize(
    ("path", "may"),
    [
        ("/", {"operators"}),
        ("/graphql", {"operators"}),
        ("/reports/", {"operators"}),
        ("/reports/index.html", {"operators"}),
        ("/reports/novacrm/dashboard.html", {"novacrm"}),
        ("/exports/novacrm/_latest/", {"novacrm"}),
        ("/reports/fleet/../novacrm/dashboard.html", {"novacrm"}),
        ("/reports//novacrm/dashboard.html", {"novacrm"}),
    ],
)
def test_each_reads_what_is_theirs(refreshed: Deployment, path: str, may: set[str]) -> None:
    found = {user: ask(refreshed, path, user).status for user in ("", "operators", "novacrm", "fleet")}
    closed = {user for user, status in found.items() if status == 401}
    assert closed == {"", "operators", "novacrm", "fleet"} - may


@pytest.mark.parametrize(
    "path",
    [
        "/reports/fleet/..%2fnovacrm/dashboard.html",
        "/reports/fleet/%2e%2e/novacrm/dashboard.html",
        "/reports/fleet/..\\novacrm/dashboard.html",
        "/reports/fleet/../../warehouse.duckdb",
        "/reports/novacrm/.made_from.json",
        "/reports/another/dashboard.html",
        "/exports/../reports/another/",
    ],
)
def test_no_way_around_leads_to_a_page(refreshed: Deployment, path: str) -> None:
    assert {user: ask(refreshed, path, user).status == 200 for user in ("", "fleet")} == {"": False, "fleet": False}


def test_the_daemon_is_found_alive_and_takes_the_definitions_from_the_one_code_server(refreshed: Deployment) -> None:
    alive = refreshed.run("doctor", "--daemon")
    assert (alive.returncode, "daemon: alive" in alive.stdout) == (0, True), alive.stdout + alive.stderr
    assert refreshed.log("code").count("Started Dagster code server for") == 1
    assert "Starting Dagster code server" not in refreshed.log("daemon") + refreshed.log("web")


def test_dagsters_storage_is_the_database_and_files_are_for_the_service_alone(refreshed: Deployment) -> None:
    home = refreshed.folder / "home"
    assert not (home / "dagster").exists()
    others = [
        path for path in home.rglob("*") if not path.is_symlink() and path.is_file() and path.stat().st_mode & 0o007
    ]
    assert others == []
