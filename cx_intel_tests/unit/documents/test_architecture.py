"""docs/architecture.md is held to the code: what it names exists where it says, and each table is made and checked there."""

import ast
import inspect
import re
from collections.abc import Iterator
from functools import cache, partial
from pathlib import Path

import pytest

import cx_intel
from cx_intel.orchestration.assets.graph import steps_of
from cx_intel.orchestration.build import load_portfolios

PACKAGE = Path(cx_intel.__file__).parent
PAGE = Path(__file__).parents[3] / "docs" / "architecture.md"
_REFERENCE = re.compile(r"`([a-z_]+/[a-z_/]+\.py)(?:::(\w+))?`")
_ROW = re.compile(r"^\| `(\w+)` \| (.+?) \| (.+?) \| (.+?) \| (.+?) \|$", re.MULTILINE)
TABLES = {name: cells for name, *cells in _ROW.findall(PAGE.read_text(encoding="utf-8"))}


@cache
def _names(file: Path) -> frozenset[str]:
    """What a module defines at its top level."""
    tree = ast.parse(file.read_text(encoding="utf-8"))
    return frozenset(n.name for n in tree.body if isinstance(n, ast.FunctionDef | ast.ClassDef))


def _elsewhere(name: str) -> Iterator[str]:
    for file in sorted(PACKAGE.rglob("*.py")):
        if name in _names(file):
            yield file.relative_to(PACKAGE).as_posix()


REFERENCES = sorted(set(_REFERENCE.findall(PAGE.read_text(encoding="utf-8"))))


@pytest.mark.parametrize(("file", "name"), REFERENCES, ids=["::".join(filter(None, r)) for r in REFERENCES])
def test_what_the_page_names_is_there(file: str, name: str):
    path = PACKAGE / file
    moved = ", ".join(
        _elsewhere(name) if name else (p.relative_to(PACKAGE).as_posix() for p in PACKAGE.rglob(path.name))
    )
    assert path.exists(), f"{file} is gone; look at: {moved}"
    assert not name or name in _names(path), f"{name} is not in {file}; look at: {moved}"


def test_ten_tables():
    assert len(TABLES) == 10


@pytest.fixture(scope="module")
def steps():
    portfolios = load_portfolios(PACKAGE / "portfolios")
    return {step.table: step for portfolio in portfolios.values() for step in steps_of(portfolio)}


@pytest.mark.parametrize("table", TABLES)
def test_a_table_is_made_where_the_page_says(steps, table: str):
    model = steps[table].model
    function = inspect.unwrap(model.func if isinstance(model, partial) else model)
    file = Path(inspect.getsourcefile(function)).relative_to(PACKAGE).as_posix()
    assert TABLES[table][0] == f"`{file}::{table}`"


@pytest.mark.parametrize("table", TABLES)
def test_its_contract_and_reports_are_about_it(table: str):
    _, checked, reported, _ = TABLES[table]
    contract = _REFERENCE.search(checked)
    assert contract[1].startswith("contracts/")
    assert table in (PACKAGE / contract[1]).read_text(encoding="utf-8")
    for file, _ in _REFERENCE.findall(reported):
        text = (PACKAGE / file).read_text(encoding="utf-8")
        assert table in text or table.startswith("stg_"), f"{file} does not read {table}"
