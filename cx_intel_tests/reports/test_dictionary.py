"""The data dictionary: every table, column and check of the contracts, and the pages in `docs` as the contracts are."""

import re
from pathlib import Path

import pytest
from markdown_it import MarkdownIt
from typer.testing import CliRunner

import cx_intel
from cx_intel.cli.app import app
from cx_intel.contracts.catalog import CONTRACTS, contract_of, kept_tables, tables_of
from cx_intel.contracts.renewals.interventions import GIVEN
from cx_intel.orchestration.checks.rules import rules_of
from cx_intel.reports.dictionary import dictionary_html, dictionary_markdown, documented_layers, further_markdown
from cx_intel.settings.accounts import SourceAttribute
from cx_intel_tests.helpers.builders import shipped

DOCS = Path(cx_intel.__file__).parent.parent / "docs"
NAMES = ("fleet", "novacrm")


@pytest.mark.parametrize("name", NAMES)
def test_the_page_in_docs_is_up_to_date(name: str):
    page = (DOCS / f"data-dictionary-{name}.md").read_text(encoding="utf-8")
    assert page == dictionary_markdown(shipped(name), rules_of), "the contracts changed: run `cx-intel docs`"


def test_every_table_of_any_portfolio_is_on_one_of_the_pages():
    further = (DOCS / "data-dictionary-further.md").read_text(encoding="utf-8")
    assert further == further_markdown(rules_of), "the contracts changed: run `cx-intel docs`"
    pages = [further, *((DOCS / f"data-dictionary-{name}.md").read_text(encoding="utf-8") for name in NAMES)]
    told = {table for page in pages for table in re.findall(r"^### (\w+)$", page, re.MULTILINE)}
    assert set(CONTRACTS) - told == set()


@pytest.mark.parametrize("name", NAMES)
def test_every_table_column_and_check_is_told(name: str):
    of = shipped(name)
    tables = {table.name: table for _, _, found in documented_layers(of, rules_of) for table in found}
    assert sorted(tables) == sorted((*tables_of(of), *kept_tables(of)))
    for table in kept_tables(of):
        by = "by `cx-intel action`" if table == GIVEN else "by staging for its next run"
        assert (tables[table].kept, tables[table].checks) == (f"{by}; not published", ())
    for table in tables_of(of):
        contract = contract_of(table, of)
        assert tuple(column.name for column in tables[table].columns) == contract.column_names
        assert {check.name for check in tables[table].checks} == {rule.check for rule in rules_of(contract)}


def test_a_column_says_its_type_unit_null_and_values():
    tables = {t.name: t for _, _, found in documented_layers(shipped("fleet"), rules_of) for t in found}
    columns = {column.name: column for column in tables["renewal_pipeline"].columns}
    probability = columns["renewal_probability"]
    assert (probability.type, probability.unit, probability.null) == ("number", "0 to 1", "never null")
    assert probability.values == "0 to 1"
    assert columns["owner"].null == "never null"
    assert columns["renewal_risk"].values == "Cancelled, Critical, High, Medium, Low"
    checks = {check.name: check for check in tables["renewal_pipeline"].checks}
    assert checks["grain_unique"].rule == "as_of, account_id: unique."
    assert checks["grain_unique"].effect == "blocks"
    assert "snapshot for each `as_of`" in tables["renewal_pipeline"].kept


def test_descriptions_of_a_portfolio_are_text_on_every_page():
    of = shipped("fleet")
    hostile = SourceAttribute(description='<script>alert(1)</script> | [x](http://y) `"&amp;', unit="<b>")
    of = of.model_copy(update={"account_attributes": {"vehicle_count": hostile}})
    markdown = dictionary_markdown(of, rules_of)
    rendered = MarkdownIt("commonmark", {"html": True}).enable("table").render(markdown)
    for page in (rendered, dictionary_html([of], rules_of).split("</main>")[0]):
        assert "<script" not in page
        assert "<b>" not in page
        assert "y)" in page
        assert 'href="http' not in page


def test_links_of_the_table_of_contents_lead_to_a_heading():
    page = dictionary_markdown(shipped("novacrm"), rules_of)
    links = set(re.findall(r"\]\(#(\w+)\)", page))
    known = {*tables_of(shipped("novacrm")), *kept_tables(shipped("novacrm"))}
    assert links == set(re.findall(r"^### (\w+)$", page, re.MULTILINE)) == known


@pytest.mark.slow
def test_the_command_writes_the_pages(tmp_path: Path):
    done = CliRunner().invoke(app, ["docs", "--to", str(tmp_path / "pages"), "--html"])
    assert done.exit_code == 0, done.output
    written = {path.name for path in (tmp_path / "pages").iterdir()}
    assert written == {
        "data-dictionary-fleet.md",
        "data-dictionary-further.md",
        "data-dictionary-novacrm.md",
        "data-dictionary.html",
        "portfolio-reference.md",
        "portfolio.schema.json",
    }
