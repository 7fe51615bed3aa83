"""Follows docs/add-a-portfolio.md to the letter: its files, its commands, and the tables that it prints."""

import os
import re
import subprocess
import sys
from pathlib import Path

import duckdb
import pytest

PAGE = Path(__file__).parents[2] / "docs" / "add-a-portfolio.md"
FILE = re.compile(r"`((?:data|portfolios)/[a-z.]+)`.*?```(?:csv|yaml)\n(.*?)```", re.DOTALL)
TABLE = re.compile(r"\$ cx-intel show (\w+)\n```\n\n\|(.*?)\|\n\|[-|]+\|\n(.*?)\n\n", re.DOTALL)
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
        words = [sys.executable, "-m", "cx_intel.cli", *command.split()[1:]]
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


@pytest.mark.parametrize("number", [0, 1, 2])
def test_the_tables_hold_what_the_page_prints(followed: Path, number: int):
    name, header, body = TABLE.findall(PAGE.read_text(encoding="utf-8"))[number]
    columns = [cell.strip() for cell in header.split("|")]
    printed = [[cell.strip() for cell in line.strip("|").split("|")] for line in body.splitlines()]
    with duckdb.connect(str(followed / "home" / "warehouse.duckdb"), read_only=True) as connection:
        order = {"quarantine": "row_number", "cs_intervention_list_latest": "priority_rank"}.get(name, "account_id")
        found = connection.execute(f"SELECT {', '.join(columns)} FROM payroll.{name} ORDER BY {order}").fetchall()
    assert [[_written(value) for value in row] for row in found] == printed


def _written(value: object) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)
