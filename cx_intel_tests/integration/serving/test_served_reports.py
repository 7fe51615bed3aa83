"""Reports and exports over HTTP: what is served and as what, what is not, and that a new day is seen at once."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from starlette.testclient import TestClient
from typer.testing import CliRunner

from cx_intel.cli.app import app
from cx_intel.reports.serving.app import application
from cx_intel.reports.serving.folders import Served
from cx_intel.reports.serving.process import listening
from cx_intel.settings.environment import Environment
from cx_intel_tests.helpers.deployed import free_ports

PUBLIC = "https://cx.example/"


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """Two portfolios, one with exports of two days as `cx_intel.reports.exports` lays them out, and what is nobody's to see."""
    home = tmp_path / "home"
    for name in ("reports/fleet/dashboard.html", "reports/fleet/brief.html", "reports/nova/brief.html"):
        _write(home / name, "<h1>Größe</h1>")
    for name in (
        "reports/fleet/.made_from.json",
        "reports/.charts-6.4.js",
        "reports/fleet/notes.txt",
        "warehouse.html",
    ):
        _write(home / name, "secret")
    for day in ("2026-11-23", "2026-11-24"):
        _write(home / "exports/fleet/.data" / f"{day}-ab" / "account_snapshot.csv", "account\nA1\n")
        (home / "exports/fleet" / day).symlink_to(Path(".data") / f"{day}-ab")
    (home / "exports/fleet/_latest").symlink_to("2026-11-24")
    _write(home / "reports/fleet/days/charts-6.4.js", "draw()")
    _write(tmp_path / "outside" / "passwords.csv", "secret")
    (home / "exports/fleet/out").symlink_to(tmp_path / "outside")
    (home / "reports/nova/other.html").symlink_to(home / "reports/fleet/dashboard.html")
    (home / "reports/gone").symlink_to(tmp_path / "outside")
    return home


@pytest.fixture
def reader(home: Path) -> TestClient:
    return TestClient(application(home, PUBLIC), base_url="http://127.0.0.1", follow_redirects=False)


def _write(file: Path, text: str) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text, encoding="utf-8")


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("/reports/fleet/dashboard.html", "text/html; charset=utf-8"),
        ("/reports/fleet/days/charts-6.4.js", "application/javascript"),
        ("/exports/fleet/_latest/account_snapshot.csv", "text/csv; charset=utf-8"),
        ("/exports/fleet/2026-11-23/account_snapshot.csv", "text/csv; charset=utf-8"),
    ],
)
def test_a_file_is_sent_as_what_it_is_to_be_asked_for_anew_each_time(reader: TestClient, path: str, kind: str) -> None:
    found = reader.get(path)
    assert (found.status_code, found.headers["content-type"]) == (200, kind)
    assert found.headers["cache-control"] == "private, no-cache"
    head = reader.head(path)
    assert (head.status_code, head.headers["etag"], head.content) == (200, found.headers["etag"], b"")


def test_a_page_that_is_the_same_is_not_sent_again_and_a_new_day_is(reader: TestClient, home: Path) -> None:
    page = "/reports/fleet/dashboard.html"
    first = reader.get(page)
    assert first.text == "<h1>Größe</h1>"
    known = {"If-None-Match": first.headers["etag"]}
    assert reader.get(page, headers=known).status_code == 304
    assert reader.get(page, headers={"If-Modified-Since": first.headers["last-modified"]}).status_code == 304
    _write(home / "reports/fleet/dashboard.html", "<h1>the next day</h1>")
    assert reader.get(page, headers=known).text == "<h1>the next day</h1>"


@pytest.mark.parametrize(
    "path",
    [
        "/reports/fleet/.made_from.json",
        "/reports/.charts-6.4.js",
        "/reports/fleet/notes.txt",
        "/warehouse.html",
        "/reports/../warehouse.html",
        "/reports/fleet/../../warehouse.html",
        "/reports/fleet/..\\..\\warehouse.html",
        "/reports//etc/passwd",
        "//etc/passwd",
        "/exports/fleet/.data/2026-11-24-ab/account_snapshot.csv",
        "/exports/fleet/out/passwords.csv",
        "/exports/fleet/out",
        "/reports/nova/other.html",
        "/reports/gone/passwords.csv",
        "/reports/fleet/dashboard.html\0",
        "/reports/" + "x" * 5000,
    ],
)
def test_nothing_else_of_the_home_or_of_the_machine_is_reached(home: Path, path: str) -> None:
    assert Served(home).find(path) is None


def test_what_is_not_there_is_said_and_nothing_can_be_sent_or_read_through_another_site(reader: TestClient) -> None:
    assert reader.get("/reports/fleet/.made_from.json").status_code == 404
    assert reader.get("/reports/fleet/dashboard.html/").status_code == 404
    assert reader.post("/reports/fleet/dashboard.html").status_code == 405
    page = "/reports/fleet/dashboard.html"
    assert reader.get(page, headers={"Host": "rebound.example"}).status_code == 400
    assert reader.get(page, headers={"Host": "cx.example"}).status_code == 200


def test_folders_lead_to_the_first_page_or_list_what_there_is(reader: TestClient) -> None:
    leads = {
        path: reader.get(path).headers["location"] for path in ("/", "/exports/", "/reports/fleet", "/reports/fleet/")
    }
    assert leads == {
        "/": "reports/",
        "/exports/": "../reports/",
        "/reports/fleet": "fleet/",
        "/reports/fleet/": "dashboard.html",
    }
    assert reader.get("/reports/nova/").headers["location"] == "brief.html"
    days = reader.get("/exports/fleet/").text
    assert days.index("2026-11-24/") < days.index("2026-11-23/")
    assert "out" not in days.partition("<main>")[2]
    assert 'href="account_snapshot.csv"' in reader.get("/exports/fleet/_latest/").text


def test_the_overview_lists_the_portfolios_until_the_reports_have_one_of_their_own(
    reader: TestClient, home: Path
) -> None:
    overview = reader.get("/reports/").text
    assert [name for name in ("fleet", "nova", "gone") if f"<h2>{name}</h2>" in overview] == ["fleet", "nova"]
    assert 'href="../exports/fleet/"' in overview
    assert 'href="../exports/nova/"' not in overview
    _write(home / "reports/index.html", "all portfolios")
    assert reader.get("/reports/").text == "all portfolios"


def test_a_home_without_reports_says_how_they_are_made(tmp_path: Path) -> None:
    empty = TestClient(application(tmp_path, PUBLIC), base_url="http://127.0.0.1")
    assert "cx-intel refresh" in empty.get("/reports/").text


def test_a_link_is_the_address_of_reports_and_the_path_in_the_home(home: Path) -> None:
    environment = Environment(home=home, reports_url=PUBLIC)
    assert environment.link(home / "reports/fleet/brief.html") == "https://cx.example/reports/fleet/brief.html"


def test_a_port_that_another_program_has_is_told_in_a_line(home: Path) -> None:
    with listening("127.0.0.1", 0) as taken:
        port = str(taken.getsockname()[1])
        told = CliRunner().invoke(app, ["reports", "-p", port], env={"CX_HOME": str(home)})
    assert told.exit_code == 1
    assert told.stderr.startswith(f"Reports are not served: 127.0.0.1:{port} cannot be used (Address already in use).")


@pytest.mark.slow  # a process of its own
def test_the_command_says_its_address_and_ends_with_130_and_a_line(home: Path) -> None:
    (port,) = free_ports(1)
    process = subprocess.Popen(
        [Path(sys.executable).with_name("cx-intel"), "reports", "-p", str(port)],
        env={**os.environ, "CX_HOME": str(home), "PYTHONUNBUFFERED": "1", "COLUMNS": "300"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),  # noqa: PLW1509 (a shell may ignore it)
    )
    assert process.stdout
    assert process.stdout.readline() == f"Reports of {home} on http://127.0.0.1:{port}\n"
    process.send_signal(signal.SIGINT)
    _, told = process.communicate(timeout=60)
    assert (process.returncode, told) == (
        130,
        "Interrupted. What was written is whole; the same command does what is left.\n",
    )
