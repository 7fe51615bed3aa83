"""The hooks of the documentation site: which links lead where, and what a page may not fetch."""

import importlib.util
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]


@pytest.fixture(scope="module")
def site():
    spec = importlib.util.spec_from_file_location("site_hooks", ROOT / "tools" / "site.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize(
    ("written", "shown"),
    [
        ("[deploy](docs/deploy.md#upgrades)", "[deploy](deploy.md#upgrades)"),
        ("![Dashboard](docs/images/fleet-dashboard.png)", "![Dashboard](images/fleet-dashboard.png)"),
        ("[DECISIONS.md](DECISIONS.md)", "[DECISIONS.md](decisions.md)"),
        ("[Makefile](Makefile)", "`Makefile`"),
        ("[the proxy](deploy/nginx.conf)", "the proxy (`deploy/nginx.conf`)"),
        ("[Dagster](https://dagster.io)", "[Dagster](https://dagster.io)"),
        ("[below](#here)", "[below](#here)"),
    ],
)
def test_links_of_the_readme(site, written: str, shown: str):
    assert site.linked(written, Path(), Path()) == shown


def test_links_of_a_page_in_docs(site):
    assert site.linked("[proxy](../deploy/nginx.conf)", Path("docs"), Path()) == "proxy (`deploy/nginx.conf`)"
    assert site.linked("[why](../DECISIONS.md)", Path("docs"), Path()) == "[why](decisions.md)"


def test_a_link_to_nothing(site):
    with pytest.raises(site.PluginError, match=r"a link to nowhere\.txt"):
        site.linked("[x](nowhere.txt)", Path(), Path())


@pytest.mark.parametrize(
    ("html", "found"),
    [
        ('<script src="https://cdn.example/x.js"></script>', ["<script> https://cdn.example/x.js"]),
        ('<link rel="stylesheet" href="//fonts.example/a.css">', ["<link> //fonts.example/a.css"]),
        ('<img src="https://example.com/a.png">', ["<img> https://example.com/a.png"]),
        ('<link rel="canonical" href="https://example.com/">', []),
        ('<a href="https://example.com/">there</a><script src="assets/a.js"></script>', []),
    ],
)
def test_what_a_page_fetches(site, tmp_path: Path, html: str, found: list[str]):
    page = tmp_path / "page.html"
    page.write_text(html)
    assert list(site.fetched(page)) == found


def test_a_style_sheet_that_imports_a_font(site, tmp_path: Path):
    sheet = tmp_path / "style.css"
    sheet.write_text("@font-face { src: url('https://fonts.example/a.woff2') }")
    assert list(site.fetched(sheet)) == ["a style sheet imports from elsewhere"]
    sheet.write_text("a { background: url(local.png) }")
    assert list(site.fetched(sheet)) == []
