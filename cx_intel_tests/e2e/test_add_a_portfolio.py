"""Follows docs/add-a-portfolio.md to the letter: its files, its commands, and the tables that it prints."""

import os
import re
import subprocess
import sys
from pathlib import Path

import duckdb
import pytest
from ruamel.yaml import YAML

from cx_intel.contracts.delivered import delivered_columns, required_columns
from cx_intel.contracts.staging.tables import STAGING
from cx_intel.settings.sources.files import FilesSource
from cx_intel.settings.yaml.loader import parse_portfolio
from cx_intel.sources.files.mapping import check_sources
from cx_intel.warehouse.duckdb.files.reading import read_files
from cx_intel_tests.helpers.builders import portfolio

PAGE = Path(__file__).parents[2] / "docs" / "add-a-portfolio.md"
FILE = re.compile(r"`((?:data|portfolios)/[a-z.]+)`.*?```(?:csv|yaml)\n(.*?)```", re.DOTALL)
TABLE = re.compile(r"\$ cx-intel show (\w+)\n```\n\n\|(.*?)\|\n\|[-|]+\|\n(.*?)\n\n", re.DOTALL)
CANONICAL = re.compile(r"^\| `(\w+)` \| (.*?) \| (.*?) ?\|$", re.MULTILINE)
PRESETS = re.compile(r"```yaml\n(sources:\n  - preset: .*?)```", re.DOTALL)
SETTINGS_OF_A_SOURCE = re.compile(r"```yaml\n(kind: files\n.*?)```", re.DOTALL)
COMMAND = re.compile(r"^\$ (cx-intel .*)$", re.MULTILINE)


@pytest.fixture(scope="module")
def followed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a reader who did what the page says."""
    folder = tmp_path_factory.mktemp("reader")
    text = PAGE.read_text(encoding="utf-8")
    for name, content in FILE.findall(text):
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text(content, encoding="utf-8")
    environment = {
        **os.environ,
        "PAYROLL_DATA": str(folder / "data"),
        "CX_PORTFOLIOS": str(folder / "portfolios"),
        "CX_HOME": str(folder / "home"),
    }
    for command in COMMAND.findall(text):
        words = [sys.executable, "-m", "cx_intel", *command.split()[1:]]
        result = subprocess.run(
            words, cwd=folder, env=environment, capture_output=True, text=True, timeout=300, check=False
        )
        assert result.returncode == 0, f"{command}: {result.stdout}{result.stderr}"
    return folder


def test_the_page_has_its_files_and_commands():
    text = PAGE.read_text(encoding="utf-8")
    assert [name for name, _ in FILE.findall(text)] == [
        "data/customers.csv",
        "data/contracts.csv",
        "data/payroll.csv",
        "data/tickets.csv",
        "portfolios/payroll.yaml",
    ]
    assert [c.split()[1] for c in COMMAND.findall(text)] == ["validate", "refresh", "show", "show", "show"]


@pytest.mark.slow  # the commands of the page, each in a process of its own
@pytest.mark.parametrize("number", [0, 1, 2])
def test_the_tables_hold_what_the_page_prints(followed: Path, number: int):
    name, header, body = TABLE.findall(PAGE.read_text(encoding="utf-8"))[number]
    columns = [cell.strip() for cell in header.split("|")]
    printed = [[cell.strip() for cell in line.strip("|").split("|")] for line in body.splitlines()]
    with duckdb.connect(str(followed / "home" / "warehouse.duckdb"), read_only=True) as connection:
        order = {"quarantine": "row_number", "cs_intervention_list_latest": "priority_rank"}.get(name, "account_id")
        found = connection.execute(f"SELECT {', '.join(columns)} FROM payroll.{name} ORDER BY {order}").fetchall()
    assert [[_written(value) for value in row] for row in found] == printed


def test_the_canonical_tables_are_those_of_the_contracts():
    listed = {table: (required, optional) for table, required, optional in CANONICAL.findall(_page())}
    assert sorted(listed) == sorted(STAGING)
    for table, (required, optional) in listed.items():
        contract = STAGING[table](portfolio())
        names = required_columns(contract)
        others = [c.name for c in delivered_columns(contract) if c.name not in names]
        assert (required, optional.split(";")[0]) == (", ".join(names), ", ".join(others))


def test_the_german_export_is_read_as_the_page_says(tmp_path: Path):
    (settings,) = SETTINGS_OF_A_SOURCE.findall(_page())
    (export,) = re.findall(r"```\n(Vertrag;.*?)```", _page(), re.DOTALL)
    (tmp_path / "vertraege.csv").write_text(export, encoding="cp1252")
    source = FilesSource.model_validate(YAML(typ="safe", pure=True).load(settings))
    contract = STAGING["subscriptions"](portfolio())
    found = read_files(source, contract=contract, environment={"PAYROLL_DATA": str(tmp_path)})
    columns = ["subscription_id", "account_id", "amount", "start_date"]
    assert [list(row.values()) for row in found.table.select(columns).to_pylist()] == [
        ["V-1", "P-1", "24000.50", "2025-12-31"],
        ["V-2", "P-2", "1200", "2026-01-01T09:00:00"],
    ]


def test_presets_are_taken_as_the_page_says():
    (sources,) = PRESETS.findall(_page())
    settings = "currency: {reporting: EUR}\nrevenue: {basis: subscriptions}\n"
    found = parse_portfolio(settings + sources, Path("book.yaml"), also=(check_sources,))
    assert found.source_of("accounts").kind == "files"
    assert found.source_of("subscriptions").max_quarantined_pct == 20
    assert "accounts" not in found.presets["stripe_export"]


@pytest.mark.slow
def test_a_mistyped_column_is_told_before_anything_runs(tmp_path: Path):
    text = dict(FILE.findall(_page()))["portfolios/payroll.yaml"]
    (tmp_path / "payroll.yaml").write_text(text.replace("signup_date:", "signup_dat:"), encoding="utf-8")
    told = subprocess.run(
        [sys.executable, "-m", "cx_intel", "validate"],
        env={**os.environ, "CX_PORTFOLIOS": str(tmp_path), "CX_HOME": str(tmp_path / "home")},
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )
    assert told.returncode != 0
    where = "payroll.yaml:11: sources.0.columns.signup_dat: accounts has no column 'signup_dat'"
    assert f"{where} (did you mean 'signup_date'?)" in told.stdout + told.stderr


def _page() -> str:
    return PAGE.read_text(encoding="utf-8")


def _written(value: object) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)
