"""Commands that the documents name exist: those of `cx-intel`, with their options, and the targets of make."""

import re
from pathlib import Path

import pytest
from typer.main import get_command

from cx_intel.cli.app import app

ROOT = Path(__file__).parents[3]
PAGES = [
    *(ROOT / name for name in ("README.md", "CONTRIBUTING.md", "SECURITY.md")),
    *sorted(path for path in (ROOT / "docs").glob("*.md") if not path.name.startswith("data-dictionary")),
]
_COMMAND = re.compile(r"(?<![/\w])(?<!-[ug] )cx-intel ([a-z][a-z-]*+)(?![/\w])([^\n`|#]*)")
_OPTION = re.compile(r"(?<=\s)(--[a-z-]+)")
_TARGET = re.compile(r"(?:`|^|&& )make (?:-C \S+ )?([a-z][a-z-]*)", re.MULTILINE)
PASSED_ON = {"ui"}
"""Commands that take options of another program."""


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_commands_of_cx_intel(page: Path):
    known = get_command(app).commands
    for name, rest in _COMMAND.findall(page.read_text(encoding="utf-8")):
        assert name in known, f"{page.name}: cx-intel {name}"
        options = {option for parameter in known[name].params for option in parameter.opts}
        if name not in PASSED_ON:
            assert set(_OPTION.findall(rest)) <= options | {"--help"}, f"{page.name}: cx-intel {name}{rest}"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_targets_of_make(page: Path):
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    assert set(_TARGET.findall(page.read_text(encoding="utf-8"))) <= targets
