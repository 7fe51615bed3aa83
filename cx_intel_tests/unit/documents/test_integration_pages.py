"""The portfolios in docs/integrations are valid as they stand, and land what the pages say."""

import re
from pathlib import Path

import pytest

from cx_intel.settings.yaml.loader import parse_portfolio

ROOT = Path(__file__).parents[3]
STACK = ROOT / "docs" / "integrations" / "README.md"
PAGES = sorted(page for page in STACK.parent.glob("*.md") if page != STACK)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_the_portfolio_of_a_page_is_valid(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    (found,) = re.findall(r"^ *```yaml\n(.*?)^ *```", text, re.DOTALL | re.MULTILINE)
    book = parse_portfolio("\n".join(line.removeprefix("   ") for line in found.splitlines()), Path("book.yaml"))
    if page.stem == "write-back":
        assert book.write_back
        return
    source = book.vendors[page.stem]
    assert source.kind == page.stem
    assert [kind for kind in book.landed_objects(source.name) if f"_{kind}`" not in text] == []


def test_the_page_of_the_stack_names_what_the_example_needs() -> None:
    text = STACK.read_text(encoding="utf-8")
    example = (ROOT / "examples" / "connected.yaml").read_text(encoding="utf-8")
    book = parse_portfolio(example, Path("connected.yaml"))
    assert sorted(book.vendors) == ["planhat", "salesforce", "stripe", "zendesk"]
    assert [name for name in re.findall(r"\$\{([A-Z_]+)\}", example) if f"`{name}`" not in text] == []
    assert [page.name for page in PAGES if f"({page.name})" not in text] == []
