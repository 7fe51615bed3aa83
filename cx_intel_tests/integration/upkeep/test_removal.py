"""`cx-intel remove`: a portfolio goes with all that is of it, whenever it is killed, and the others stay bit for bit."""

import json
import re
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import get_args

import dagster as dg
import duckdb
import pytest
from typer.testing import CliRunner

from cx_intel.cli.app import app
from cx_intel.doctor.stores import without_yaml
from cx_intel.orchestration.alerts.messages import PROBLEMS
from cx_intel.orchestration.alerts.outbox import FILE, Draft, Outbox
from cx_intel.orchestration.build import build_definitions
from cx_intel.orchestration.history import runs_of
from cx_intel.orchestration.removal import AUTOMATION, holdings, names_in, remove
from cx_intel.reports.pages.frame.index import ENTRY, INDEX, write_index
from cx_intel.reports.pages.frame.publishing import MENU
from cx_intel.reports.words.language import Code
from cx_intel_tests.helpers.processes import refreshing
from cx_intel_tests.helpers.small_company import AS_OF, SmallCompany
from cx_intel_tests.helpers.sudden_death import killed_before, steps_of

KILLED = 5
"""How many steps of a removal it is killed before."""

pytestmark = pytest.mark.slow  # refreshes of two portfolios, and a process for each step


@pytest.fixture(scope="module")
def company(tmp_path_factory: pytest.TempPathFactory) -> SmallCompany:
    """Two portfolios, `small` and `small_two`, in one home."""
    made = SmallCompany(tmp_path_factory.mktemp("company"))
    made.only("accounts", "subscriptions")
    made.settings["reports"] = {"exports": []}
    assert made.refresh(AS_OF).failures == []
    other = SmallCompany(made.folder, "small_two")
    other.settings = made.settings | {"name": "small_two"}
    other.variables = made.variables
    assert other.refresh(AS_OF).failures == []
    outbox = Outbox(made.home / FILE)
    for name in ("small", "small_two"):
        outbox.record(name, PROBLEMS, now=0, drafts=[Draft(f"of {name}", "text")])
        told = dict.fromkeys(("description", "made", "trust", "level", "workbook"), "") | {"figures": []}
        entry = {"language": "en", "asOf": AS_OF.isoformat(), "told": dict.fromkeys(get_args(Code), told)}
        (made.environment.reports(name) / ENTRY).write_text(json.dumps(entry))
    write_index(made.home / "reports", MENU)
    (made.portfolios / "small_two.yaml").rename(made.folder / "small_two.yaml")
    made.keep()
    return made


@pytest.fixture(autouse=True)
def as_it_was(company: SmallCompany) -> None:
    company.bring_back()


def of_small(company: SmallCompany) -> dict[str, object]:
    """All that the home holds of the portfolio that stays; the index is of all portfolios."""
    found: dict[str, object] = {}
    with duckdb.connect(str(company.warehouse), read_only=True) as connection:
        tables = connection.execute("SELECT schema_name, table_name FROM duckdb_tables() ORDER BY ALL").fetchall()
        for schema, table in tables:
            if schema == "small":
                found[table] = connection.execute(f"FROM small.{table}").fetchall()
            elif schema == "cx_state":
                query = f"SELECT * FROM cx_state.{table} WHERE schema_name = 'small'"
                found[f"cx_state.{table}"] = connection.execute(query).fetchall()
        found["views"] = connection.execute("SELECT sql FROM duckdb_views() WHERE schema_name = 'small'").fetchall()
    for folder in ("reports", "exports", "published"):
        for file in sorted(path for path in (company.home / folder).rglob("*") if path.is_file()):
            if "small_two" not in str(file.relative_to(company.home)) and file.name != INDEX:
                found[str(file.relative_to(company.home))] = file.read_bytes()
    with closing(sqlite3.connect(company.home / "dagster" / "event_log.db")) as connection:
        query = "SELECT * FROM event_logs WHERE asset_key LIKE '[\"small\",%' ORDER BY id"
        found["events"] = connection.execute(query).fetchall()
    found["messages"] = Outbox(company.home / FILE).waiting("small")
    return found


def in_index(company: SmallCompany) -> set[str]:
    """The portfolios that the index of all reports links to."""
    return set(re.findall(r'href="(\w+)/dashboard.html"', (company.home / "reports" / INDEX).read_text()))


def removal(company: SmallCompany) -> None:
    remove(company.environment, "small_two")


def left_of_two(company: SmallCompany) -> list[str]:
    """Where the name of the removed portfolio stands in any byte of the home; Dagster compresses what a job looked like."""
    files = (path for path in company.home.rglob("*") if path.is_file())
    return [path.name for path in files if b"small_two" in path.read_bytes() and path.suffix != ".lock"]


def test_it_says_what_goes_asks_and_takes_it_away(company: SmallCompany) -> None:
    before = of_small(company)
    assert in_index(company) == {"small", "small_two"}
    said = [(found.subject, found.text, found.to_do) for found in without_yaml(company.environment)]
    assert [(subject, "small_two, which has no YAML" in text) for subject, text, _ in said] == [("left over", True)]
    assert "`cx-intel remove small_two`" in said[0][2]

    asked = CliRunner().invoke(app, ["remove", "small_two"], env=company.variables)
    assert (asked.exit_code, "say --yes. Nothing was changed" in asked.output) == (2, True)
    assert holdings(company.environment, "small_two")[0].bytes > 0

    done = CliRunner().invoke(app, ["remove", "small_two", "--yes"], env=company.variables)
    assert done.exit_code == 0, done.output
    assert "schema" in done.output
    assert "MB" in done.output
    assert of_small(company) == before
    assert in_index(company) == {"small"}
    assert left_of_two(company) == []
    assert list(names_in(company.environment)) == ["small"]
    assert list(without_yaml(company.environment)) == []

    again = CliRunner().invoke(app, ["remove", "small_two", "--yes"], env=company.variables)
    assert (again.exit_code, "there is of small" in again.output) == (2, True)


def test_killed_it_is_ended_by_the_same_command_and_the_other_stays_bit_for_bit(company: SmallCompany) -> None:
    before = of_small(company)
    steps = steps_of(removal, company)
    assert left_of_two(company) == []
    for step in [1 + n * (steps - 1) // (KILLED - 1) for n in range(KILLED)]:
        company.bring_back()
        killed_before(step, removal, company)
        assert of_small(company) == before
        removal(company)
        assert of_small(company) == before
        assert in_index(company) == {"small"}
        assert left_of_two(company) == []
        assert not list(company.home.glob(".warehouse*"))


def test_it_refuses_while_a_run_of_it_is_going(company: SmallCompany) -> None:
    with refreshing(company, AS_OF) as process:
        assert process.step()
        refused = CliRunner().invoke(app, ["remove", "small", "--yes"], env=company.variables)
        assert (refused.exit_code, "(started). Cancel it or let it end. Nothing was removed." in refused.output) == (
            2,
            True,
        )
        process.kill()
    with company.instance() as instance:
        assert len(runs_of(instance, "small", list(dg.DagsterRunStatus))) == 2
        done = CliRunner().invoke(app, ["remove", "small", "--yes"], env=company.variables)
        assert done.exit_code == 0, "it was marked as failed"
        assert runs_of(instance, "small", list(dg.DagsterRunStatus)) == []
    assert list(names_in(company.environment)) == ["small_two"]


def test_the_names_of_all_schedules_and_sensors_are_known(company: SmallCompany, tmp_path: Path) -> None:
    settings = SmallCompany(tmp_path).settings
    company.settings, kept = settings | {"automation": {"landing": {"folder": "${SMALL_DATA}"}}}, company.settings
    company.write_settings()
    try:
        definitions = build_definitions(company.environment)
    finally:
        company.settings = kept
        company.write_settings()
    names = {one.name for one in (*(definitions.schedules or ()), *(definitions.sensors or ()))}
    assert names <= {f"small_{part}" for part in AUTOMATION}
    assert len(names) >= len(AUTOMATION) - 3  # there are none for what the portfolio does not have
