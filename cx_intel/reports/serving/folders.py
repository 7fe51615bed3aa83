"""What of a home may be served: pages of reports and files of exports, by the paths that they have in the home.

Nothing else of it is reached, whatever a path or a symbolic link says. How it is sent stands in `app.py`; who may see
which portfolio is decided by the proxy in front (`deploy/nginx.conf`).
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

REPORTS, EXPORTS = "reports", "exports"
INDEX = "index.html"
TYPES: Mapping[str, str] = {
    ".html": "text/html",
    ".md": "text/markdown",
    ".png": "image/png",
    ".csv": "text/csv",
    ".xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    ".parquet": "application/vnd.apache.parquet",
    ".json": "application/json",
    ".js": "application/javascript",
}
"""Files of these suffixes are served, each as that type; no other file is."""


@dataclass(frozen=True)
class Entry:
    """A line of an index: where it leads to, from the folder on; `bytes` is None for a folder."""

    name: str
    bytes: int | None = None


@dataclass(frozen=True)
class Served:
    """The folders of a home that are served."""

    home: Path

    def find(self, path: str) -> Path | None:
        """The file or folder that a path of a URL leads to, without symbolic links; None where nothing is served.

        Names that begin with a dot are not there for readers, and a link must stay within its portfolio's folder.
        """
        parts = [part for part in path.split("/") if part]
        if not parts or parts[0] not in (REPORTS, EXPORTS) or any(_is_hidden(part) for part in parts):
            return None
        within = self.home.resolve().joinpath(*parts[:2])
        try:
            found = self.home.joinpath(*parts).resolve(strict=True)
        except (OSError, ValueError, RuntimeError):
            return None
        is_within = found == within or within in found.parents
        return found if is_within and (found.is_dir() or (found.is_file() and found.suffix in TYPES)) else None

    def portfolios(self) -> list[str]:
        """Whose reports or exports there are."""
        found = {entry.name for kind in (REPORTS, EXPORTS) for entry in self.entries(kind) if entry.bytes is None}
        return sorted(found)

    def entries(self, path: str) -> list[Entry]:
        """What of a folder is served, by name; the newest day first."""
        folder = self.find(path)
        found = list(self._entries(path, folder)) if folder and folder.is_dir() else []
        return sorted(found, key=lambda entry: entry.name, reverse=all(entry.bytes is None for entry in found))

    def _entries(self, path: str, folder: Path) -> Iterator[Entry]:
        for name in (child.name for child in folder.iterdir()):
            if found := self.find(f"{path}/{name}"):
                yield Entry(name, None if found.is_dir() else found.stat().st_size)


def _is_hidden(part: str) -> bool:
    return part.startswith(".") or "\\" in part or "\0" in part
