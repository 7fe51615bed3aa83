"""docs/presets.md says of each preset what it takes, delivers and cannot know, as its file does."""

import re
from pathlib import Path

import pytest

from cx_intel.settings.sources.sql import SqlSource
from cx_intel.settings.yaml.loader import parse_portfolio
from cx_intel.settings.yaml.presets import preset_names, preset_of

PAGE = (Path(__file__).parents[3] / "docs" / "presets.md").read_text(encoding="utf-8")
ROW = re.compile(r"^\| `(\w+)` \| (`[a-z`, ]+) \| (.*?) \|$", re.MULTILINE)


def test_the_table_has_each_preset() -> None:
    listed = [(name, takes.replace("`", ""), delivers) for name, takes, delivers in ROW.findall(PAGE)]
    presets = [(name, preset_of(name)) for name in preset_names()]
    assert sorted(listed) == [(name, ", ".join(p.takes), ", ".join(p.tables)) for name, p in presets]


def test_several_systems_are_a_portfolio() -> None:
    _, sources = re.findall(r"```yaml\n(sources:.*?)```", PAGE, re.DOTALL)
    settings = "currency: {reporting: EUR}\nrevenue: {basis: subscriptions}\n"
    found = parse_portfolio(settings + sources, Path("book.yaml"))
    assert set(found.systems) == {"stripe", "zendesk", "segment"}
    assert found.source_of("accounts").preset == "hubspot_export"


def test_long_landed_tables_can_be_read_by_a_cursor() -> None:
    sources, _ = re.findall(r"```yaml\n(sources:.*?)```", PAGE, re.DOTALL)
    contracts = "  - {kind: files, table: subscriptions, path: subscriptions.csv}\n"
    settings = "currency: {reporting: EUR}\nrevenue: {basis: subscriptions}\n"
    found = parse_portfolio(settings + sources + contracts, Path("book.yaml"))
    by_cursor = [s for s in found.sources if isinstance(s, SqlSource) and s.cursor]
    assert [(s.table, s.tables) for s in by_cursor] == [("ticket_status_history", {}), ("csm_activities", {})]


@pytest.mark.parametrize("name", preset_names())
def test_what_a_preset_cannot_know_is_said(name: str) -> None:
    (section,) = re.findall(rf"^## {name}\n(.*?)(?=^## |\Z)", PAGE, re.DOTALL | re.MULTILINE)
    said = section.lower()
    assert [text for text in preset_of(name).cannot_know if text.lower() not in said] == []
