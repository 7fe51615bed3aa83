"""Hooks of the documentation site: pages from the root of the repository, the reference of the code, and a last check.

The pages themselves are Markdown in `docs/`, their order is in `mkdocs.yml`. What the reference says stands in the
docstrings of `cx_intel`.
"""

import re
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import urlsplit

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.exceptions import PluginError
from mkdocs.structure.files import File, Files

ROOT = Path(__file__).parents[1]
PAGES = {
    "README.md": "index.md",
    "DECISIONS.md": "decisions.md",
    "CHANGELOG.md": "changelog.md",
    "CONTRIBUTING.md": "contributing.md",
    "SECURITY.md": "security.md",
    "benchmarks/README.md": "benchmarks.md",
}
"""Pages that stand at the root of the repository, where people look for them first, and their names in the site."""
REFERENCE = {"models": "Models", "settings": "Settings"}
"""The packages of `cx_intel` whose docstrings are the reference, and the title of each."""
_LINK = re.compile(r"(!?)\[([^\]]*)\]\((?!https?:|mailto:|#)([^)#\s]+)(#[^)\s]*)?\)")
_STYLE_ADDRESS = re.compile(r"(?:@import\s+|url\()\s*['\"]?(https?:)?//", re.IGNORECASE)
FETCHING = {
    "script": "src",
    "link": "href",
    "img": "src",
    "iframe": "src",
    "source": "src",
    "video": "src",
    "audio": "src",
}
"""Which attribute of which element makes a browser fetch something."""
NOT_FETCHED = {"canonical", "next", "prev", "edit", "license"}
"""Values of `rel` with which a `link` only names a page."""


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the pages of the root and of the reference, the latter to the navigation too."""
    for source, target in PAGES.items():
        text = (ROOT / source).read_text(encoding="utf-8")
        files.append(File.generated(config, target, content=linked(text, Path(source).parent, Path())))
    for package, title in REFERENCE.items():
        entries = []
        for name, content in reference(ROOT / "cx_intel" / package):
            target = f"reference/{package}/{name}.md"
            files.append(File.generated(config, target, content=content))
            entries.append({name: target})
        config.nav.append({title: entries})
    return files


def on_page_markdown(markdown: str, page, config: MkDocsConfig, files: Files) -> str:
    """Links out of `docs/` lead to the page made of that file, and are plain text where there is none."""
    if page.file.generated_by:
        return markdown
    return linked(markdown, Path("docs") / Path(page.file.src_uri).parent, Path(page.file.src_uri).parent)


def linked(markdown: str, folder: Path, page_folder: Path) -> str:
    """The text with its relative links as they lead within the site.

    Args:
        markdown: The text of a file of the repository.
        folder: Where that file lies, from the root.
        page_folder: Where its page lies, from the root of the site.
    """

    def replaced(found: re.Match[str]) -> str:
        image, text, target, anchor = found[1], found[2], found[3], found[4] or ""
        path = (ROOT / folder / target).resolve()
        inside = path.relative_to(ROOT).as_posix() if path.is_relative_to(ROOT) else target
        page = PAGES.get(inside) or (inside.removeprefix("docs/") if inside.startswith("docs/") else None)
        if page is None:
            if not path.exists():
                raise PluginError(f"{folder}: a link to {target}, which is not there")
            return f"`{inside}`" if text.strip("`") in (target, inside) else f"{text} (`{inside}`)"
        up = "../" * len(page_folder.parts)
        return f"{image}[{text}]({up}{page}{anchor})"

    return _LINK.sub(replaced, markdown)


def reference(package: Path) -> Iterator[tuple[str, str]]:
    """Name and Markdown of each page of the reference: one for each folder of the package, one for its own modules."""
    for folder in [
        package,
        *sorted(path for path in package.rglob("*") if path.is_dir() and (path / "__init__.py").exists()),
    ]:
        modules = sorted(path for path in folder.glob("*.py") if path.name != "__init__.py")
        if not modules:
            continue
        name = folder.relative_to(package.parent).as_posix().replace("/", ".")
        dotted = [".".join(path.relative_to(ROOT).with_suffix("").parts) for path in modules]
        yield name, f"# {name}\n\n" + "\n".join(f"::: {module}\n" for module in dotted)


def on_post_build(config: MkDocsConfig) -> None:
    """A page that would fetch something from another address fails the build."""
    site = Path(config.site_dir)
    found = [f"{path.relative_to(site)}: {what}" for path in sorted(site.rglob("*")) for what in fetched(path)]
    if found:
        raise PluginError("Pages fetch from elsewhere:\n" + "\n".join(found))


def fetched(path: Path) -> Iterator[str]:
    """The addresses elsewhere that a page or style sheet has a browser fetch."""
    if path.suffix == ".html":
        finder = _Fetched()
        finder.feed(path.read_text(encoding="utf-8"))
        yield from finder.addresses
    elif path.suffix == ".css" and _STYLE_ADDRESS.search(path.read_text(encoding="utf-8")):
        yield "a style sheet imports from elsewhere"


class _Fetched(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.addresses: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        address = given.get(FETCHING.get(tag, ""))
        if address and urlsplit(address).netloc and given.get("rel") not in NOT_FETCHED:
            self.addresses.append(f"<{tag}> {address}")
