"""The reference of the YAML and its JSON schema: as the settings models are, complete, and right about real portfolios."""

import json
import re
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from ruamel.yaml import YAML
from typer.testing import CliRunner

import cx_intel
from cx_intel.cli.app import app
from cx_intel.reports.portfolio_reference import ENTRIES, EXAMPLES, PAGE, reference
from cx_intel.settings.sources.presets import PresetUse
from cx_intel.settings.yaml.described import SCHEMA_FILE, descriptions, fields_of, models, schema

ROOT = Path(cx_intel.__file__).parent.parent
PORTFOLIOS = [
    *sorted((ROOT / "cx_intel" / "portfolios").glob("*.yaml")),
    *sorted((ROOT / "examples").glob("*.yaml")),
    EXAMPLES,
]
ROW = re.compile(r"^\| `(.+?)` \| (.+?) \| (.+?) \| (.+?) \| ?(.*?) ?\|$", re.MULTILINE)


def plain(file: Path) -> Any:
    return json.loads(json.dumps(YAML(typ="safe", pure=True).load(file.read_text(encoding="utf-8")), default=str))


def faults(portfolio: Any) -> list[str]:
    found = jsonschema.Draft202012Validator(schema()).iter_errors(portfolio)
    return [f"{'.'.join(map(str, error.absolute_path))}: {error.message}" for error in found]


def test_the_page_and_the_schema_in_docs_are_up_to_date() -> None:
    told = "the settings changed: run `cx-intel docs`"
    assert (ROOT / "docs" / PAGE).read_text(encoding="utf-8") == reference(), told
    printed = CliRunner().invoke(app, ["schema"]).stdout
    assert (ROOT / "docs" / SCHEMA_FILE).read_text(encoding="utf-8") == printed, told
    assert json.loads(printed) == schema()


def test_every_key_has_a_row_with_its_meaning() -> None:
    rows = ROW.findall(reference())
    assert len(rows) == sum(len(fields_of(model)) for model in models())
    assert [key for key, _, _, meaning, _ in rows if not meaning.endswith((".", "]", "}", "..."))] == []


def test_every_key_whose_value_is_no_block_has_an_example() -> None:
    without = {key for key, kind, _, _, example in ROW.findall(reference()) if not example and "[block]" not in kind}
    assert without == set()


def test_a_key_is_told_with_type_bounds_and_default() -> None:
    rows: dict[str, tuple[str, ...]] = {}
    for key, *cells in ROW.findall(reference()):
        rows.setdefault(key, tuple(cells))
    assert rows["grace_days"] == (
        "integer at least 0 at most 366",
        "`0`",
        "A contract that ended unannounced, without a successor yet, still counts for so many days from its end.",
        "`14`",
    )
    assert rows["basis"][:2] == ("`subscriptions`, `invoices`, `mrr_history`", "required")
    assert rows["is"][:2] == ("`first_day_without`, `last_day_in_force`", "`first_day_without`")
    assert rows["business_hours"][:2] == ("[block](#supportbusiness_hours)", "none")


def test_links_lead_to_a_heading() -> None:
    page = reference()
    headings = [re.sub(r"[^\w\s-]", "", line).lower() for line in re.findall(r"^## (.+)$", page, re.MULTILINE)]
    anchors = ["-".join(heading.split()) for heading in headings]
    assert len(set(anchors)) == len(anchors) == len(models())
    assert set(re.findall(r"\]\(#(.+?)\)", page)) <= set(anchors)


@pytest.mark.parametrize("file", PORTFOLIOS, ids=lambda file: file.stem)
def test_the_schema_takes_what_the_program_takes(file: Path) -> None:
    assert faults(plain(file)) == []


def test_the_schema_marks_mistakes_and_tells_what_keys_mean() -> None:
    portfolio = plain(EXAMPLES)
    portfolio["revenu"] = portfolio["revenue"] | {"basis": "guesses"}
    portfolio["support"]["pause"] = []
    told = faults(portfolio)
    assert any("'revenu' was unexpected" in text for text in told)
    assert any(text.startswith("support: ") and "'pause' was unexpected" in text for text in told)
    grace = schema()["$defs"]["RevenueSettings"]["properties"]["grace_days"]
    assert grace["description"] == descriptions_of("RevenueSettings")["grace_days"]


def descriptions_of(name: str) -> Any:
    return next(descriptions(model) for model in models() if model.__name__ == name)


def test_examples_that_stand_in_no_portfolio_are_valid() -> None:
    stated = {("schema" if field == "schema_" else field): v for (m, field), v in ENTRIES.items() if m == "PresetUse"}
    assert PresetUse.model_validate(stated).tables["invoices"] is None
