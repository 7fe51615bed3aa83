"""The portfolios in docs/integrations are valid as they stand, and land what the pages say."""

import re
from pathlib import Path

import pytest

from cx_intel.settings.yaml.loader import parse_portfolio

PAGES = sorted((Path(__file__).parents[3] / "docs" / "integrations").glob("*.md"))


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
